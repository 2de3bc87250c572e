// What memory itself can do: copy, triad and read, by plain and by non-temporal stores.
// in: number of doubles per array, threads, repeats   out: the least seconds of one pass
// Blocks lie on huge pages where the system gives them, and are touched before the first pass is timed.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef int64_t size;
enum { kCopy, kTriad, kRead, kCopyPast, kTriadPast };  // `Past`: stores go past the caches

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// `value` of the eight doubles from i on, to whole lines of 64 bytes.
#if defined __AVX512F__
#define PAST(out, first, second)                                                                                                \
  _mm512_stream_pd(out, second ? _mm512_add_pd(_mm512_load_pd(first), _mm512_mul_pd(_mm512_set1_pd(3), _mm512_load_pd(second))) \
                               : _mm512_load_pd(first))
#define HAS_PAST 1
#elif defined __AVX__
static inline void half(double *out, const double *first, const double *second) {
  __m256d value = _mm256_load_pd(first);
  if (second) value = _mm256_add_pd(value, _mm256_mul_pd(_mm256_set1_pd(3), _mm256_load_pd(second)));
  _mm256_stream_pd(out, value);
}
#define PAST(out, first, second)                           \
  do {                                                     \
    half(out, first, second);                              \
    half(out + 4, first + 4, (second) ? (second) + 4 : 0); \
  } while (0)
#define HAS_PAST 1
#else
#define HAS_PAST 0
#endif

int has_past(void) { return HAS_PAST; }

static double pass(int kind, double *restrict o, const double *restrict a, const double *restrict b, size n) {
  double total = 0;
  switch (kind) {
    case kCopy:
#pragma omp simd
      for (size i = 0; i < n; i++) o[i] = a[i];
      break;
    case kTriad:
#pragma omp simd
      for (size i = 0; i < n; i++) o[i] = a[i] + 3 * b[i];
      break;
    case kRead:
#pragma omp simd reduction(+ : total)
      for (size i = 0; i < n; i++) total += a[i];
      break;
#if HAS_PAST
    case kCopyPast:
      for (size i = 0; i < n; i += 8) PAST(o + i, a + i, (const double *)0);
      _mm_sfence();
      break;
    case kTriadPast:
      for (size i = 0; i < n; i += 8) PAST(o + i, a + i, b + i);
      _mm_sfence();
      break;
#endif
  }
  return total;
}

static double *block(size n) {
  const size huge = 2 << 20, bytes = (n * 8 + huge - 1) / huge * huge;
  double *p = aligned_alloc(huge, bytes);
  if (p) madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

// The calling thread's own processor, the t-th of those allowed: two threads that share one measure its time slices.
static void stay(const cpu_set_t *allowed, int t) {
  const int which = t % CPU_COUNT(allowed);
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, allowed) || seen++ != which) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
  }
}

// The least seconds of one pass over arrays of n doubles each, a multiple of 8 per thread; below 0 without memory.
double limit(int kind, size n, int threads, int repeats, double seconds) {
  double *o = block(n), *a = block(n), *b = block(n);
  volatile double keep = 0;
  double least = -1;
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  if (o && a && b) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int t = 0; t < threads; t++) stay(&allowed, t);
    for (size i = 0; i < n; i++) o[i] = a[i] = b[i] = 1;
    const size inner = n < 1000000 ? 1000000 / n + 1 : 1;  // passes are to outlast the clock and a barrier
    const double end = now() + seconds;
    for (int r = 0; r < repeats || now() < end; r++) {
      const double start = now();
      double sum = 0;
#pragma omp parallel num_threads(threads) if (threads > 1) reduction(+ : sum)
      {
#pragma omp for schedule(static)
        for (int t = 0; t < threads; t++) {  // one part per thread, and no barrier between its passes
          const size from = n / 8 * t / threads * 8, to = n / 8 * (t + 1) / threads * 8;
          for (size again = 0; again < inner; again++) {
            sum += pass(kind, o + from, a + from, b + from, to - from);
            __asm__ volatile("" ::: "memory");
          }
        }
      }
      keep += sum;
      const double took = (now() - start) / (double)inner;
      if (least < 0 || took < least) least = took;
    }
#pragma omp parallel num_threads(threads)
    sched_setaffinity(0, sizeof allowed, &allowed);
  }
  free(o);
  free(a);
  free(b);
  return least;
}
