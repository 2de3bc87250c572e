// engine/expr_functions.hpp - every function of the catalog as a function of Exprs, under all its names.
// Made from the catalog by tools/make_expr_functions.cpp: not to be changed by hand. Casts carry the name of their dtype;
// that of bool is bool_.
//
//     hypot(x, y), sum(a, {.axis = 0}), where(a > 0, a, -a), float32(a)
#pragma once

#include <engine/expr.hpp>

// clang-format off
namespace engine ENGINE_API {

/// Sum; of booleans, logical or.
Expr add(const Expr& x, const Expr& y);
/// Difference; refused for booleans, where ^ is meant.
Expr subtract(const Expr& x, const Expr& y);
/// Product; of booleans, logical and.
Expr multiply(const Expr& x, const Expr& y);
/// Quotient; of integers in float64.
Expr divide(const Expr& x, const Expr& y);
Expr true_divide(const Expr& x, const Expr& y);
/// Quotient rounded towards minus infinity; of integers, 0 where the divisor is 0.
Expr floor_divide(const Expr& x, const Expr& y);
Expr divmod_quotient(const Expr& x, const Expr& y);
/// Rest of the floor division, with the divisor's sign; of integers, 0 where the divisor is 0.
Expr remainder(const Expr& x, const Expr& y);
Expr mod(const Expr& x, const Expr& y);
Expr divmod_remainder(const Expr& x, const Expr& y);
/// x to the power y; negative integer powers of integers are refused.
Expr power(const Expr& x, const Expr& y);
Expr pow(const Expr& x, const Expr& y);
/// x with the opposite sign.
Expr negative(const Expr& x);
/// x itself.
Expr positive(const Expr& x);
/// Magnitude; of complex numbers, their modulus.
Expr absolute(const Expr& x);
Expr abs(const Expr& x);
/// -1, 0 or 1 by the sign of x; of complex numbers, x / abs(x).
Expr sign(const Expr& x);
/// Magnitude of x with the sign of y.
Expr copysign(const Expr& x, const Expr& y);
/// Square root, correctly rounded.
Expr sqrt(const Expr& x);
/// x * x.
Expr square(const Expr& x);
/// 1 / x; of integers, rounded towards zero.
Expr reciprocal(const Expr& x);
/// x * y + z, rounded once; of float16 computed as of float32.
Expr fma(const Expr& x, const Expr& y, const Expr& z);
/// Largest integer not above x.
Expr floor(const Expr& x);
/// Smallest integer not below x.
Expr ceil(const Expr& x);
/// x without its fraction.
Expr trunc(const Expr& x);
/// Nearest integer, ties to even.
Expr rint(const Expr& x);
/// Rest of the division rounded towards zero, with the dividend's sign.
Expr fmod(const Expr& x, const Expr& y);
/// The larger of both; NaN if either is.
Expr maximum(const Expr& x, const Expr& y);
/// The smaller of both; NaN if either is.
Expr minimum(const Expr& x, const Expr& y);
/// The larger of both; NaN only if both are.
Expr fmax(const Expr& x, const Expr& y);
/// The smaller of both; NaN only if both are.
Expr fmin(const Expr& x, const Expr& y);
/// a limited to [min, max]; either may be left out or None.
Expr clip(const Expr& a, const Expr& min, const Expr& max);
/// Magnitude in floating point; of integers too.
Expr fabs(const Expr& x);
/// Nearest whole number, ties to even; of integers, x. round(a, decimals) rounds to so many decimals, as np.round does.
Expr round(const Expr& a, const Expr& decimals = 0);
Expr around(const Expr& a, const Expr& decimals = 0);
/// Next number of its dtype from x towards y.
Expr nextafter(const Expr& x, const Expr& y);
/// Distance from x to the next number away from zero.
Expr spacing(const Expr& x);
/// x * 2**y, y a whole number.
Expr ldexp(const Expr& x, const Expr& y);
/// m of x = m * 2**n with 0.5 <= abs(m) < 1: the first part of frexp.
Expr frexp_mantissa(const Expr& x);
/// n of x = m * 2**n with 0.5 <= abs(m) < 1, as int32: the second part of frexp.
Expr frexp_exponent(const Expr& x);
/// Fraction of x, with its sign: the first part of modf.
Expr modf_fraction(const Expr& x);
/// x without its fraction: the second part of modf.
Expr modf_integer(const Expr& x);
/// 0 below zero, 1 above, y at zero.
Expr heaviside(const Expr& x, const Expr& y);
/// x with NaN as 0 and infinities as the largest numbers of the dtype, or as nan=, posinf=, neginf= say.
Expr nan_to_num(const Expr& x, const Expr& copy = true, const Expr& nan = 0.0);
Expr nan_to_num(const Expr& x, const Expr& copy, const Expr& nan, const Expr& posinf, const Expr& neginf);
/// Whether x is below y.
Expr less(const Expr& x, const Expr& y);
/// Whether x is at most y.
Expr less_equal(const Expr& x, const Expr& y);
/// Whether x is above y.
Expr greater(const Expr& x, const Expr& y);
/// Whether x is at least y.
Expr greater_equal(const Expr& x, const Expr& y);
/// Whether x equals y.
Expr equal(const Expr& x, const Expr& y);
/// Whether x differs from y.
Expr not_equal(const Expr& x, const Expr& y);
/// Whether both are nonzero.
Expr logical_and(const Expr& x, const Expr& y);
/// Whether either is nonzero.
Expr logical_or(const Expr& x, const Expr& y);
/// Whether exactly one is nonzero.
Expr logical_xor(const Expr& x, const Expr& y);
/// Whether x is zero.
Expr logical_not(const Expr& x);
/// Whether x is not a number.
Expr isnan(const Expr& x);
/// Whether x is infinite.
Expr isinf(const Expr& x);
/// Whether x is neither infinite nor NaN.
Expr isfinite(const Expr& x);
/// Whether the sign bit is set, of -0.0 too.
Expr signbit(const Expr& x);
/// x where the condition is nonzero, else y.
Expr where(const Expr& condition, const Expr& x, const Expr& y);
/// Position along an axis of the result, as int64; without axis, counted in C order over all of them.
Expr index();
Expr index(int axis);
/// Bits set in both; of booleans, logical and.
Expr bitwise_and(const Expr& x, const Expr& y);
/// Bits set in either; of booleans, logical or.
Expr bitwise_or(const Expr& x, const Expr& y);
/// Bits set in exactly one; of booleans, exclusive or.
Expr bitwise_xor(const Expr& x, const Expr& y);
/// All bits turned; of booleans, not.
Expr invert(const Expr& x);
Expr bitwise_not(const Expr& x);
Expr bitwise_invert(const Expr& x);
/// x shifted left by y bits; 0 where y is the width or more, or negative.
Expr left_shift(const Expr& x, const Expr& y);
Expr bitwise_left_shift(const Expr& x, const Expr& y);
/// x shifted right by y bits, keeping the sign; 0 or -1 where y is the width or more, or negative.
Expr right_shift(const Expr& x, const Expr& y);
Expr bitwise_right_shift(const Expr& x, const Expr& y);
/// Greatest common divisor of the magnitudes.
Expr gcd(const Expr& x, const Expr& y);
/// Least common multiple of the magnitudes.
Expr lcm(const Expr& x, const Expr& y);
/// Number of bits set in the magnitude of x, as uint8.
Expr bitwise_count(const Expr& x);
/// e to the power x.
Expr exp(const Expr& x);
/// exp(x) - 1, accurate for small x.
Expr expm1(const Expr& x);
/// Natural logarithm.
Expr log(const Expr& x);
/// Natural logarithm of 1 + x, accurate for small x.
Expr log1p(const Expr& x);
/// Sine of x radians.
Expr sin(const Expr& x);
/// Cosine of x radians.
Expr cos(const Expr& x);
/// Tangent of x radians, within 4 ulp: what exactness='relaxed' takes for tan.
Expr fast_tan(const Expr& x);
/// Hyperbolic tangent.
Expr tanh(const Expr& x);
/// 2 to the power x.
Expr exp2(const Expr& x);
/// Logarithm to base 2.
Expr log2(const Expr& x);
/// Logarithm to base 10.
Expr log10(const Expr& x);
/// Tangent of x radians.
Expr tan(const Expr& x);
/// Inverse sine, in [-pi/2, pi/2].
Expr arcsin(const Expr& x);
Expr asin(const Expr& x);
/// Inverse cosine, in [0, pi].
Expr arccos(const Expr& x);
Expr acos(const Expr& x);
/// Inverse tangent, in [-pi/2, pi/2].
Expr arctan(const Expr& x);
Expr atan(const Expr& x);
/// Angle of the point (y, x) of the plane: the quadrant of x / y is kept.
Expr arctan2(const Expr& x, const Expr& y);
Expr atan2(const Expr& x, const Expr& y);
/// Hyperbolic sine.
Expr sinh(const Expr& x);
/// Hyperbolic cosine.
Expr cosh(const Expr& x);
/// Inverse hyperbolic sine.
Expr arcsinh(const Expr& x);
Expr asinh(const Expr& x);
/// Inverse hyperbolic cosine.
Expr arccosh(const Expr& x);
Expr acosh(const Expr& x);
/// Inverse hyperbolic tangent.
Expr arctanh(const Expr& x);
Expr atanh(const Expr& x);
/// Cube root, of negative numbers too.
Expr cbrt(const Expr& x);
/// Length of the vector (x, y), free of overflow on the way.
Expr hypot(const Expr& x, const Expr& y);
/// log(exp(x) + exp(y)), free of overflow.
Expr logaddexp(const Expr& x, const Expr& y);
/// log2(2**x + 2**y), free of overflow.
Expr logaddexp2(const Expr& x, const Expr& y);
/// Error function.
Expr erf(const Expr& x);
/// 1 - erf(x), accurate for large x.
Expr erfc(const Expr& x);
/// Gamma function: (x - 1)! of whole numbers.
Expr gamma(const Expr& x);
/// Logarithm of the magnitude of gamma(x).
Expr lgamma(const Expr& x);
Expr gammaln(const Expr& x);
/// Degrees in radians.
Expr deg2rad(const Expr& x);
Expr radians(const Expr& x);
/// Radians in degrees.
Expr rad2deg(const Expr& x);
Expr degrees(const Expr& x);
/// Real part; of real numbers, x itself.
Expr real(const Expr& x);
/// Imaginary part; of real numbers, 0.
Expr imag(const Expr& x);
/// The complex number of these parts, as they are: complex(x, inf) has no NaN, x + 1j*inf has.
Expr complex(const Expr& real, const Expr& imag);
/// Complex conjugate; of real numbers, x itself.
Expr conjugate(const Expr& x);
Expr conj(const Expr& x);
/// Sum over axes, in a fixed tree: the same bits however it is computed.
Expr sum(const Expr& x, const Over& how = {});
/// Product over axes, in the same fixed tree.
Expr prod(const Expr& x, const Over& how = {});
/// Smallest element; NaN if there is one.
Expr min(const Expr& x, const Over& how = {});
/// Largest element; NaN if there is one.
Expr max(const Expr& x, const Over& how = {});
/// Smallest element that is not NaN; NaN if all are.
Expr nanmin(const Expr& x, const Over& how = {});
/// Largest element that is not NaN; NaN if all are.
Expr nanmax(const Expr& x, const Over& how = {});
/// Arithmetic mean: the sum over the number of elements.
Expr mean(const Expr& x, const Over& how = {});
/// Whether any element is nonzero.
Expr any(const Expr& x, const Over& how = {});
/// Whether all elements are nonzero.
Expr all(const Expr& x, const Over& how = {});
/// Number of nonzero elements, as int64.
Expr count_nonzero(const Expr& x, const Over& how = {});
/// Variance: mean square distance from the mean, over n - ddof; in one sweep, safe from cancellation.
Expr var(const Expr& a, const Over& how = {});
/// Variance of the elements that are not NaN; NaN where no more than ddof are left.
Expr nanvar(const Expr& a, const Over& how = {});
/// Sums of all elements up to each one (of those before it where exclusive), in a fixed tree.
Expr cumsum(const Expr& a, const Over& how = {});
/// Products of all elements up to each one (of those before it where exclusive), in a fixed tree.
Expr cumprod(const Expr& a, const Over& how = {});
/// Largest of all elements up to each one; NaN from the first NaN on.
Expr cummax(const Expr& a, const Over& how = {});
/// Smallest of all elements up to each one; NaN from the first NaN on.
Expr cummin(const Expr& a, const Over& how = {});
/// Elements in ascending order, stable; NaN last, complex numbers by real, then by imaginary part.
Expr sort(const Expr& a, const Over& how = {});
/// Indices, as int64, that put the elements into ascending order; equal ones stay as they come.
Expr argsort(const Expr& a, const Over& how = {});
/// Elements less than the one a sort would put in place kth, as they come, then its equals, then the others; NaN last.
Expr partition(const Expr& a, const Expr& kth, const Over& how = {});
/// Indices, as int64, that put the elements as partition does.
Expr argpartition(const Expr& a, const Expr& kth, const Over& how = {});
/// The k largest elements, in descending order; NaN first.
Expr topk(const Expr& a, const Expr& k, const Over& how = {});
/// Indices, as int64, of the k largest elements, in descending order; of equal ones the first.
Expr argtopk(const Expr& a, const Expr& k, const Over& how = {});
/// The element in the middle, or the mean of the two there; NaN where one is.
Expr median(const Expr& a, const Over& how = {});
/// Value below which a fraction q of the elements lies, between two of them in proportion; NaN where one is.
Expr quantile(const Expr& a, const Expr& q, const Over& how = {});
/// The quantile of q percent.
Expr percentile(const Expr& a, const Expr& q, const Over& how = {});
/// Elements where a condition is true, in C order: a[condition]. A condition of fewer axes picks along the leading ones.
Expr compress(const Expr& a, const Expr& condition);
/// Places of the elements that are not zero, as int64, counted in C order.
Expr flatnonzero(const Expr& a);
/// Places along one axis of the elements that are not zero, as int64: np.nonzero(a)[axis].
Expr nonzero(const Expr& a, const Expr& axis = 0);
/// One of each element, in ascending order; NaN once, at the end.
Expr unique(const Expr& a);
/// How often each element of unique(a) is there, as int64.
Expr unique_counts(const Expr& a);
/// Where each element of unique(a) is first, as int64, counted in C order.
Expr unique_index(const Expr& a);
/// Which of unique(a) each element is, as int64, in the shape of a.
Expr unique_inverse(const Expr& a);
/// How many elements of a, which is sorted, are less than each of v (or equal, with right=True), as int64.
Expr searchsorted(const Expr& a, const Expr& v, const Expr& right = false);
/// How often each whole number from 0 on is there, as int64, or the sums of its weights, as float64.
Expr bincount(const Expr& x);
Expr bincount(const Expr& x, const Expr& weights, const Expr& minlength);
/// How many elements lie in each of so many bins of one width, as int64: between the smallest and largest one, or in a range.
Expr histogram(const Expr& a, const Expr& bins = 10);
/// The bounds of the bins of histogram: one more than there are bins.
Expr histogram_edges(const Expr& a, const Expr& bins = 10);
/// Elements n places before each one along an axis; beyond its sides what the boundary says: reflect, mirror, nearest, wrap, constant.
Expr shift(const Expr& a, const Expr& n, const Over& how = {});
/// sin(pi*x) / (pi*x), 1 at zero.
Expr sinc(const Expr& x);
/// Angle of a complex number, in (-pi, pi]; deg=True: in degrees.
Expr angle(const Expr& z, const Expr& deg = false);
/// Whether a is within atol + rtol*abs(b) of b.
Expr isclose(const Expr& a, const Expr& b, const Expr& rtol = 1e-05, const Expr& atol = 1e-08, const Expr& equal_nan = false);
/// Arithmetic mean of the elements where a mask is true: what mean(x, where=mask) stands for.
Expr mean_where(const Expr& x, const Expr& where, const Over& how = {});
/// Standard deviation: the square root of the variance.
Expr std(const Expr& a, const Over& how = {});
/// Largest less smallest element.
Expr ptp(const Expr& a, const Over& how = {});
/// Euclidean norm over the axes: the square root of the sum of squares.
Expr norm(const Expr& a, const Over& how = {});
/// Position of the first largest element, or of the first NaN; without axis, counted in C order.
Expr argmax(const Expr& a, const Over& how = {});
/// Position of the first smallest element, or of the first NaN; without axis, counted in C order.
Expr argmin(const Expr& a, const Over& how = {});
/// Sum of the elements that are not NaN.
Expr nansum(const Expr& a, const Over& how = {});
/// Product of the elements that are not NaN.
Expr nanprod(const Expr& a, const Over& how = {});
/// Arithmetic mean of the elements that are not NaN.
Expr nanmean(const Expr& a, const Over& how = {});
/// Standard deviation of the elements that are not NaN.
Expr nanstd(const Expr& a, const Over& how = {});
/// x converted to the dtype of that name, as astype does.
Expr bool_(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr int8(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr uint8(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr int16(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr uint16(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr int32(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr uint32(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr int64(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr uint64(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr float16(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr float32(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr float64(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr complex64(const Expr& x);
/// x converted to the dtype of that name, as astype does.
Expr complex128(const Expr& x);

}  // namespace engine ENGINE_API
// clang-format on
