// What a programmer would write by hand for each case of bench/cases.py, one function each.
// in: operands, then the result, then sizes, then the number of threads   out: the result
// Compiled on the spot by bench/native.py: gcc -O3 -march=native -fopenmp -fno-math-errno -fno-trapping-math, without
// -ffast-math. libmvec is reached by declaring its functions `simd` here, which is all that -ffast-math would add for
// them. Reductions name `simd reduction`, which allows lanes of partial sums. max() does not propagate NaN.
#include <math.h>
#include <stdint.h>

#ifdef WITH_LIBMVEC
#define VECTOR __attribute__((simd("notinbranch"), const, nothrow))
VECTOR double exp(double);
VECTOR double log(double);
VECTOR double sin(double);
VECTOR double cos(double);
#ifdef WITH_LIBMVEC_2_35  // glibc 2.35 brought these
VECTOR double log1p(double);
VECTOR double hypot(double, double);
#endif
#endif

typedef int64_t size;
// `if` names the parallel construct: alone it would turn the vectors off as well (OpenMP 5.0, section 2.15).
#define PRAGMA(text) _Pragma(#text)
#define EACH PRAGMA(omp parallel for simd num_threads(threads) if(parallel : threads > 1) schedule(static))
#define ROWS PRAGMA(omp parallel for num_threads(threads) if(parallel : threads > 1) schedule(static))
#define TOTAL(op, name) PRAGMA(omp parallel for simd num_threads(threads) if(parallel : threads > 1) schedule(static) reduction(op : name))
#define IN(type, name) const type *restrict name
#define OUT(type) type *restrict out

void seed(IN(double, a), IN(double, b), IN(double, c), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i];
}

void seed_float32(IN(float, a), IN(float, b), IN(float, c), OUT(float), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i];
}

void polynomial(IN(double, x), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = ((.25 * x[i] + .75) * x[i] - 1.5) * x[i] - 2;
}

void predicate(IN(double, a), IN(double, b), OUT(uint8_t), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = a[i] * b[i] - 4.1 * a[i] > 2.5 * b[i];
}

void length(IN(double, a), IN(double, b), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = sqrt(a[i] * a[i] + b[i] * b[i]);
}

void where(IN(double, a), OUT(double), size n, int threads) { EACH for (size i = 0; i < n; i++) out[i] = a[i] - 10 != 0.0 ? a[i] : 2; }

void mixed_dtypes(IN(int32_t, i), IN(float, f), IN(double, d), OUT(double), size n, int threads) {
  EACH for (size j = 0; j < n; j++) out[j] = 2 * i[j] + f[j] * d[j];
}

void gaussian(IN(double, a), OUT(double), size n, int threads) {
  const double scale = 1 / sqrt(2 * M_PI);
  EACH for (size i = 0; i < n; i++) out[i] = exp(-a[i] * a[i] / 2) * scale;
}

void trigonometry(IN(double, a), IN(double, b), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) {
    const double s = sin(a[i]), c = cos(b[i]);
    out[i] = s * s + c * c;
  }
}

void softplus(IN(double, a), OUT(double), size n, int threads) { EACH for (size i = 0; i < n; i++) out[i] = log1p(exp(a[i])); }

void black_scholes(IN(double, s), IN(double, k), IN(double, r), IN(double, v), IN(double, t), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) {
    const double root = v[i] * sqrt(t[i]);
    const double d1 = (log(s[i] / k[i]) + (r[i] + v[i] * v[i] / 2) * t[i]) / root;
    out[i] = s[i] / (1 + exp(-1.702 * d1)) - k[i] * exp(-r[i] * t[i]) / (1 + exp(-1.702 * (d1 - root)));
  }
}

void sum_of_product(IN(double, a), IN(double, b), OUT(double), size n, int threads) {
  double total = 0;
  TOTAL(+, total) for (size i = 0; i < n; i++) total += a[i] * b[i];
  *out = total;
}

// Each thread owns columns, eight rows at a time: no partial results to merge, one pass over memory.
void sum_axis_0(IN(double, a), OUT(double), size rows, size columns, int threads) {
  const size strip = 512, strips = (columns + strip - 1) / strip;
  ROWS for (size s = 0; s < strips; s++) {
    const size from = s * strip, to = from + strip < columns ? from + strip : columns;
    for (size j = from; j < to; j++) out[j] = 0;
    size i = 0;
    for (; i + 8 <= rows; i += 8) {
      const double *restrict r = a + i * columns;
      for (size j = from; j < to; j++)
        out[j] += ((r[j] + r[j + columns]) + (r[j + 2 * columns] + r[j + 3 * columns])) +
                  ((r[j + 4 * columns] + r[j + 5 * columns]) + (r[j + 6 * columns] + r[j + 7 * columns]));
    }
    for (; i < rows; i++)
      for (size j = from; j < to; j++) out[j] += a[i * columns + j];
  }
}

void sum_axis_1(IN(double, a), OUT(double), size rows, size columns, int threads) {
  ROWS for (size i = 0; i < rows; i++) {
    double total = 0;
    PRAGMA(omp simd reduction(+ : total))
    for (size j = 0; j < columns; j++) total += a[i * columns + j];
    out[i] = total;
  }
}

void max(IN(double, a), OUT(double), size n, int threads) {
  double top = a[0];
  TOTAL(max, top) for (size i = 0; i < n; i++) top = a[i] > top ? a[i] : top;
  *out = top;
}

void mean(IN(double, a), OUT(double), size n, int threads) {
  double total = 0;
  TOTAL(+, total) for (size i = 0; i < n; i++) total += a[i];
  *out = total / n;
}

void strided(IN(double, a), IN(double, b), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = 2 * a[2 * i] + 3 * b[2 * i];
}

// `a` is given as it lies in memory, the transpose of what is meant; square blocks keep its lines in L1.
void transposed(IN(double, a), IN(double, b), OUT(double), size rows, size columns, int threads) {
  const size tile = 32;
  ROWS for (size p = 0; p < rows; p += tile) for (size q = 0; q < columns;
                                                  q += tile) for (size i = p; i < (p + tile < rows ? p + tile : rows);
                                                                  i++) for (size j = q; j < (q + tile < columns ? q + tile : columns); j++)
      out[i * columns + j] = 2 * a[j * rows + i] + 3 * b[i * columns + j];
}

void broadcast(IN(double, a), IN(double, r), IN(double, c), OUT(double), size rows, size columns, int threads) {
  ROWS for (size i = 0; i < rows; i++) for (size j = 0; j < columns; j++) out[i * columns + j] = (a[i * columns + j] - r[j]) * c[i];
}

void complex_product(IN(double, a), IN(double, b), IN(double, c), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) {
    const double x = a[2 * i], y = a[2 * i + 1], u = b[2 * i], v = b[2 * i + 1];
    out[2 * i] = x * u - y * v + c[2 * i];
    out[2 * i + 1] = x * v + y * u - c[2 * i + 1];
  }
}

// hypot() is what NumPy calls; sqrt(x*x + y*y) would overflow where the result does not.
void complex_abs(IN(double, a), OUT(double), size n, int threads) {
  EACH for (size i = 0; i < n; i++) out[i] = hypot(a[2 * i], a[2 * i + 1]);
}

void nine_points(IN(double, a), OUT(double), size rows, size columns, int threads) {
  ROWS for (size i = 1; i < rows - 1; i++) {
    const double *restrict u = a + (i - 1) * columns, *restrict m = u + columns, *restrict d = m + columns;
    double *restrict o = out + i * columns;
    PRAGMA(omp simd)
    for (size j = 1; j < columns - 1; j++)
      o[j] = m[j] + 0.5 * (u[j] + d[j] + m[j - 1] + m[j + 1]) + 0.25 * (u[j - 1] + u[j + 1] + d[j - 1] + d[j + 1]);
  }
}

// An even number of steps, from a to b and back.
void jacobi(double *a, double *b, size rows, size columns, int steps, int threads) {
  PRAGMA(omp parallel num_threads(threads) if (parallel : threads > 1))
  for (int step = 0; step < steps; step++) {
    const double *restrict from = step % 2 ? b : a;
    double *restrict to = step % 2 ? a : b;
    PRAGMA(omp for schedule(static))
    for (size i = 1; i < rows - 1; i++) {
      const double *restrict u = from + (i - 1) * columns, *restrict m = u + columns, *restrict d = m + columns;
      double *restrict o = to + i * columns;
      PRAGMA(omp simd)
      for (size j = 1; j < columns - 1; j++) o[j] = 0.25 * (u[j] + d[j] + m[j - 1] + m[j + 1]);
    }
  }
}
