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
inline Expr add(const Expr& x, const Expr& y) { return call("add", {x, y}); }
/// Difference; refused for booleans, where ^ is meant.
inline Expr subtract(const Expr& x, const Expr& y) { return call("subtract", {x, y}); }
/// Product; of booleans, logical and.
inline Expr multiply(const Expr& x, const Expr& y) { return call("multiply", {x, y}); }
/// Quotient; of integers in float64.
inline Expr divide(const Expr& x, const Expr& y) { return call("divide", {x, y}); }
inline Expr true_divide(const Expr& x, const Expr& y) { return call("true_divide", {x, y}); }
/// Quotient rounded towards minus infinity; of integers, 0 where the divisor is 0.
inline Expr floor_divide(const Expr& x, const Expr& y) { return call("floor_divide", {x, y}); }
inline Expr divmod_quotient(const Expr& x, const Expr& y) { return call("divmod_quotient", {x, y}); }
/// Rest of the floor division, with the divisor's sign; of integers, 0 where the divisor is 0.
inline Expr remainder(const Expr& x, const Expr& y) { return call("remainder", {x, y}); }
inline Expr mod(const Expr& x, const Expr& y) { return call("mod", {x, y}); }
inline Expr divmod_remainder(const Expr& x, const Expr& y) { return call("divmod_remainder", {x, y}); }
/// x to the power y; negative integer powers of integers are refused.
inline Expr power(const Expr& x, const Expr& y) { return call("power", {x, y}); }
inline Expr pow(const Expr& x, const Expr& y) { return call("pow", {x, y}); }
/// x with the opposite sign.
inline Expr negative(const Expr& x) { return call("negative", {x}); }
/// x itself.
inline Expr positive(const Expr& x) { return call("positive", {x}); }
/// Magnitude; of complex numbers, their modulus.
inline Expr absolute(const Expr& x) { return call("absolute", {x}); }
inline Expr abs(const Expr& x) { return call("abs", {x}); }
/// -1, 0 or 1 by the sign of x; of complex numbers, x / abs(x).
inline Expr sign(const Expr& x) { return call("sign", {x}); }
/// Magnitude of x with the sign of y.
inline Expr copysign(const Expr& x, const Expr& y) { return call("copysign", {x, y}); }
/// Square root, correctly rounded.
inline Expr sqrt(const Expr& x) { return call("sqrt", {x}); }
/// x * x.
inline Expr square(const Expr& x) { return call("square", {x}); }
/// 1 / x; of integers, rounded towards zero.
inline Expr reciprocal(const Expr& x) { return call("reciprocal", {x}); }
/// Largest integer not above x.
inline Expr floor(const Expr& x) { return call("floor", {x}); }
/// Smallest integer not below x.
inline Expr ceil(const Expr& x) { return call("ceil", {x}); }
/// x without its fraction.
inline Expr trunc(const Expr& x) { return call("trunc", {x}); }
/// Nearest integer, ties to even.
inline Expr rint(const Expr& x) { return call("rint", {x}); }
/// Rest of the division rounded towards zero, with the dividend's sign.
inline Expr fmod(const Expr& x, const Expr& y) { return call("fmod", {x, y}); }
/// The larger of both; NaN if either is.
inline Expr maximum(const Expr& x, const Expr& y) { return call("maximum", {x, y}); }
/// The smaller of both; NaN if either is.
inline Expr minimum(const Expr& x, const Expr& y) { return call("minimum", {x, y}); }
/// The larger of both; NaN only if both are.
inline Expr fmax(const Expr& x, const Expr& y) { return call("fmax", {x, y}); }
/// The smaller of both; NaN only if both are.
inline Expr fmin(const Expr& x, const Expr& y) { return call("fmin", {x, y}); }
/// a limited to [min, max]; either may be left out or None.
inline Expr clip(const Expr& a, const Expr& min, const Expr& max) { return call("clip", {a, min, max}); }
/// Magnitude in floating point; of integers too.
inline Expr fabs(const Expr& x) { return call("fabs", {x}); }
/// Nearest whole number, ties to even; of integers, x. round(a, decimals) rounds to so many decimals, as np.round does.
inline Expr round(const Expr& a, const Expr& decimals = 0) { return call("round", {a, decimals}); }
inline Expr around(const Expr& a, const Expr& decimals = 0) { return call("around", {a, decimals}); }
/// Next number of its dtype from x towards y.
inline Expr nextafter(const Expr& x, const Expr& y) { return call("nextafter", {x, y}); }
/// Distance from x to the next number away from zero.
inline Expr spacing(const Expr& x) { return call("spacing", {x}); }
/// x * 2**y, y a whole number.
inline Expr ldexp(const Expr& x, const Expr& y) { return call("ldexp", {x, y}); }
/// m of x = m * 2**n with 0.5 <= abs(m) < 1: the first part of frexp.
inline Expr frexp_mantissa(const Expr& x) { return call("frexp_mantissa", {x}); }
/// n of x = m * 2**n with 0.5 <= abs(m) < 1, as int32: the second part of frexp.
inline Expr frexp_exponent(const Expr& x) { return call("frexp_exponent", {x}); }
/// Fraction of x, with its sign: the first part of modf.
inline Expr modf_fraction(const Expr& x) { return call("modf_fraction", {x}); }
/// x without its fraction: the second part of modf.
inline Expr modf_integer(const Expr& x) { return call("modf_integer", {x}); }
/// 0 below zero, 1 above, y at zero.
inline Expr heaviside(const Expr& x, const Expr& y) { return call("heaviside", {x, y}); }
/// x with NaN as 0 and infinities as the largest numbers of the dtype, or as nan=, posinf=, neginf= say.
inline Expr nan_to_num(const Expr& x, const Expr& copy = true, const Expr& nan = 0.0) { return call("nan_to_num", {x, copy, nan}); }
inline Expr nan_to_num(const Expr& x, const Expr& copy, const Expr& nan, const Expr& posinf, const Expr& neginf) { return call("nan_to_num", {x, copy, nan, posinf, neginf}); }
/// Whether x is below y.
inline Expr less(const Expr& x, const Expr& y) { return call("less", {x, y}); }
/// Whether x is at most y.
inline Expr less_equal(const Expr& x, const Expr& y) { return call("less_equal", {x, y}); }
/// Whether x is above y.
inline Expr greater(const Expr& x, const Expr& y) { return call("greater", {x, y}); }
/// Whether x is at least y.
inline Expr greater_equal(const Expr& x, const Expr& y) { return call("greater_equal", {x, y}); }
/// Whether x equals y.
inline Expr equal(const Expr& x, const Expr& y) { return call("equal", {x, y}); }
/// Whether x differs from y.
inline Expr not_equal(const Expr& x, const Expr& y) { return call("not_equal", {x, y}); }
/// Whether both are nonzero.
inline Expr logical_and(const Expr& x, const Expr& y) { return call("logical_and", {x, y}); }
/// Whether either is nonzero.
inline Expr logical_or(const Expr& x, const Expr& y) { return call("logical_or", {x, y}); }
/// Whether exactly one is nonzero.
inline Expr logical_xor(const Expr& x, const Expr& y) { return call("logical_xor", {x, y}); }
/// Whether x is zero.
inline Expr logical_not(const Expr& x) { return call("logical_not", {x}); }
/// Whether x is not a number.
inline Expr isnan(const Expr& x) { return call("isnan", {x}); }
/// Whether x is infinite.
inline Expr isinf(const Expr& x) { return call("isinf", {x}); }
/// Whether x is neither infinite nor NaN.
inline Expr isfinite(const Expr& x) { return call("isfinite", {x}); }
/// Whether the sign bit is set, of -0.0 too.
inline Expr signbit(const Expr& x) { return call("signbit", {x}); }
/// x where the condition is nonzero, else y.
inline Expr where(const Expr& condition, const Expr& x, const Expr& y) { return call("where", {condition, x, y}); }
/// Position along an axis of the result, as int64; without axis, counted in C order over all of them.
inline Expr index() { return call("index", {}); }
inline Expr index(int axis) { return call("index", {axis}); }
/// Bits set in both; of booleans, logical and.
inline Expr bitwise_and(const Expr& x, const Expr& y) { return call("bitwise_and", {x, y}); }
/// Bits set in either; of booleans, logical or.
inline Expr bitwise_or(const Expr& x, const Expr& y) { return call("bitwise_or", {x, y}); }
/// Bits set in exactly one; of booleans, exclusive or.
inline Expr bitwise_xor(const Expr& x, const Expr& y) { return call("bitwise_xor", {x, y}); }
/// All bits turned; of booleans, not.
inline Expr invert(const Expr& x) { return call("invert", {x}); }
inline Expr bitwise_not(const Expr& x) { return call("bitwise_not", {x}); }
inline Expr bitwise_invert(const Expr& x) { return call("bitwise_invert", {x}); }
/// x shifted left by y bits; 0 where y is the width or more, or negative.
inline Expr left_shift(const Expr& x, const Expr& y) { return call("left_shift", {x, y}); }
inline Expr bitwise_left_shift(const Expr& x, const Expr& y) { return call("bitwise_left_shift", {x, y}); }
/// x shifted right by y bits, keeping the sign; 0 or -1 where y is the width or more, or negative.
inline Expr right_shift(const Expr& x, const Expr& y) { return call("right_shift", {x, y}); }
inline Expr bitwise_right_shift(const Expr& x, const Expr& y) { return call("bitwise_right_shift", {x, y}); }
/// Greatest common divisor of the magnitudes.
inline Expr gcd(const Expr& x, const Expr& y) { return call("gcd", {x, y}); }
/// Least common multiple of the magnitudes.
inline Expr lcm(const Expr& x, const Expr& y) { return call("lcm", {x, y}); }
/// Number of bits set in the magnitude of x, as uint8.
inline Expr bitwise_count(const Expr& x) { return call("bitwise_count", {x}); }
/// e to the power x.
inline Expr exp(const Expr& x) { return call("exp", {x}); }
/// exp(x) - 1, accurate for small x.
inline Expr expm1(const Expr& x) { return call("expm1", {x}); }
/// Natural logarithm.
inline Expr log(const Expr& x) { return call("log", {x}); }
/// Natural logarithm of 1 + x, accurate for small x.
inline Expr log1p(const Expr& x) { return call("log1p", {x}); }
/// Sine of x radians.
inline Expr sin(const Expr& x) { return call("sin", {x}); }
/// Cosine of x radians.
inline Expr cos(const Expr& x) { return call("cos", {x}); }
/// Hyperbolic tangent.
inline Expr tanh(const Expr& x) { return call("tanh", {x}); }
/// 2 to the power x.
inline Expr exp2(const Expr& x) { return call("exp2", {x}); }
/// Logarithm to base 2.
inline Expr log2(const Expr& x) { return call("log2", {x}); }
/// Logarithm to base 10.
inline Expr log10(const Expr& x) { return call("log10", {x}); }
/// Tangent of x radians.
inline Expr tan(const Expr& x) { return call("tan", {x}); }
/// Inverse sine, in [-pi/2, pi/2].
inline Expr arcsin(const Expr& x) { return call("arcsin", {x}); }
inline Expr asin(const Expr& x) { return call("asin", {x}); }
/// Inverse cosine, in [0, pi].
inline Expr arccos(const Expr& x) { return call("arccos", {x}); }
inline Expr acos(const Expr& x) { return call("acos", {x}); }
/// Inverse tangent, in [-pi/2, pi/2].
inline Expr arctan(const Expr& x) { return call("arctan", {x}); }
inline Expr atan(const Expr& x) { return call("atan", {x}); }
/// Angle of the point (y, x) of the plane: the quadrant of x / y is kept.
inline Expr arctan2(const Expr& x, const Expr& y) { return call("arctan2", {x, y}); }
inline Expr atan2(const Expr& x, const Expr& y) { return call("atan2", {x, y}); }
/// Hyperbolic sine.
inline Expr sinh(const Expr& x) { return call("sinh", {x}); }
/// Hyperbolic cosine.
inline Expr cosh(const Expr& x) { return call("cosh", {x}); }
/// Inverse hyperbolic sine.
inline Expr arcsinh(const Expr& x) { return call("arcsinh", {x}); }
inline Expr asinh(const Expr& x) { return call("asinh", {x}); }
/// Inverse hyperbolic cosine.
inline Expr arccosh(const Expr& x) { return call("arccosh", {x}); }
inline Expr acosh(const Expr& x) { return call("acosh", {x}); }
/// Inverse hyperbolic tangent.
inline Expr arctanh(const Expr& x) { return call("arctanh", {x}); }
inline Expr atanh(const Expr& x) { return call("atanh", {x}); }
/// Cube root, of negative numbers too.
inline Expr cbrt(const Expr& x) { return call("cbrt", {x}); }
/// Length of the vector (x, y), free of overflow on the way.
inline Expr hypot(const Expr& x, const Expr& y) { return call("hypot", {x, y}); }
/// log(exp(x) + exp(y)), free of overflow.
inline Expr logaddexp(const Expr& x, const Expr& y) { return call("logaddexp", {x, y}); }
/// log2(2**x + 2**y), free of overflow.
inline Expr logaddexp2(const Expr& x, const Expr& y) { return call("logaddexp2", {x, y}); }
/// Error function.
inline Expr erf(const Expr& x) { return call("erf", {x}); }
/// 1 - erf(x), accurate for large x.
inline Expr erfc(const Expr& x) { return call("erfc", {x}); }
/// Gamma function: (x - 1)! of whole numbers.
inline Expr gamma(const Expr& x) { return call("gamma", {x}); }
/// Logarithm of the magnitude of gamma(x).
inline Expr lgamma(const Expr& x) { return call("lgamma", {x}); }
inline Expr gammaln(const Expr& x) { return call("gammaln", {x}); }
/// Degrees in radians.
inline Expr deg2rad(const Expr& x) { return call("deg2rad", {x}); }
inline Expr radians(const Expr& x) { return call("radians", {x}); }
/// Radians in degrees.
inline Expr rad2deg(const Expr& x) { return call("rad2deg", {x}); }
inline Expr degrees(const Expr& x) { return call("degrees", {x}); }
/// Real part; of real numbers, x itself.
inline Expr real(const Expr& x) { return call("real", {x}); }
/// Imaginary part; of real numbers, 0.
inline Expr imag(const Expr& x) { return call("imag", {x}); }
/// The complex number of these parts, as they are: complex(x, inf) has no NaN, x + 1j*inf has.
inline Expr complex(const Expr& real, const Expr& imag) { return call("complex", {real, imag}); }
/// Complex conjugate; of real numbers, x itself.
inline Expr conjugate(const Expr& x) { return call("conjugate", {x}); }
inline Expr conj(const Expr& x) { return call("conj", {x}); }
/// Sum over axes, in a fixed tree: the same bits however it is computed.
inline Expr sum(const Expr& x, const Over& how = {}) { return call("sum", {x}, how); }
/// Product over axes, in the same fixed tree.
inline Expr prod(const Expr& x, const Over& how = {}) { return call("prod", {x}, how); }
/// Smallest element; NaN if there is one.
inline Expr min(const Expr& x, const Over& how = {}) { return call("min", {x}, how); }
/// Largest element; NaN if there is one.
inline Expr max(const Expr& x, const Over& how = {}) { return call("max", {x}, how); }
/// Smallest element that is not NaN; NaN if all are.
inline Expr nanmin(const Expr& x, const Over& how = {}) { return call("nanmin", {x}, how); }
/// Largest element that is not NaN; NaN if all are.
inline Expr nanmax(const Expr& x, const Over& how = {}) { return call("nanmax", {x}, how); }
/// Arithmetic mean: the sum over the number of elements.
inline Expr mean(const Expr& x, const Over& how = {}) { return call("mean", {x}, how); }
/// Whether any element is nonzero.
inline Expr any(const Expr& x, const Over& how = {}) { return call("any", {x}, how); }
/// Whether all elements are nonzero.
inline Expr all(const Expr& x, const Over& how = {}) { return call("all", {x}, how); }
/// Number of nonzero elements, as int64.
inline Expr count_nonzero(const Expr& x, const Over& how = {}) { return call("count_nonzero", {x}, how); }
/// Variance: mean square distance from the mean, over n - ddof; in one sweep, safe from cancellation.
inline Expr var(const Expr& a, const Over& how = {}) { return call("var", {a}, how); }
/// Variance of the elements that are not NaN; NaN where no more than ddof are left.
inline Expr nanvar(const Expr& a, const Over& how = {}) { return call("nanvar", {a}, how); }
/// sin(pi*x) / (pi*x), 1 at zero.
inline Expr sinc(const Expr& x) { return call("sinc", {x}); }
/// Angle of a complex number, in (-pi, pi]; deg=True: in degrees.
inline Expr angle(const Expr& z, const Expr& deg = false) { return call("angle", {z, deg}); }
/// Whether a is within atol + rtol*abs(b) of b.
inline Expr isclose(const Expr& a, const Expr& b, const Expr& rtol = 1e-05, const Expr& atol = 1e-08, const Expr& equal_nan = false) { return call("isclose", {a, b, rtol, atol, equal_nan}); }
/// Arithmetic mean of the elements where a mask is true: what mean(x, where=mask) stands for.
inline Expr mean_where(const Expr& x, const Expr& where, const Over& how = {}) { return call("mean_where", {x, where}, how); }
/// Standard deviation: the square root of the variance.
inline Expr std(const Expr& a, const Over& how = {}) { return call("std", {a}, how); }
/// Largest less smallest element.
inline Expr ptp(const Expr& a, const Over& how = {}) { return call("ptp", {a}, how); }
/// Euclidean norm over the axes: the square root of the sum of squares.
inline Expr norm(const Expr& a, const Over& how = {}) { return call("norm", {a}, how); }
/// Position of the first largest element, or of the first NaN; without axis, counted in C order.
inline Expr argmax(const Expr& a, const Over& how = {}) { return call("argmax", {a}, how); }
/// Position of the first smallest element, or of the first NaN; without axis, counted in C order.
inline Expr argmin(const Expr& a, const Over& how = {}) { return call("argmin", {a}, how); }
/// Sum of the elements that are not NaN.
inline Expr nansum(const Expr& a, const Over& how = {}) { return call("nansum", {a}, how); }
/// Product of the elements that are not NaN.
inline Expr nanprod(const Expr& a, const Over& how = {}) { return call("nanprod", {a}, how); }
/// Arithmetic mean of the elements that are not NaN.
inline Expr nanmean(const Expr& a, const Over& how = {}) { return call("nanmean", {a}, how); }
/// Standard deviation of the elements that are not NaN.
inline Expr nanstd(const Expr& a, const Over& how = {}) { return call("nanstd", {a}, how); }
/// x converted to the dtype of that name, as astype does.
inline Expr bool_(const Expr& x) { return call("bool", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr int8(const Expr& x) { return call("int8", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr uint8(const Expr& x) { return call("uint8", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr int16(const Expr& x) { return call("int16", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr uint16(const Expr& x) { return call("uint16", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr int32(const Expr& x) { return call("int32", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr uint32(const Expr& x) { return call("uint32", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr int64(const Expr& x) { return call("int64", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr uint64(const Expr& x) { return call("uint64", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr float16(const Expr& x) { return call("float16", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr float32(const Expr& x) { return call("float32", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr float64(const Expr& x) { return call("float64", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr complex64(const Expr& x) { return call("complex64", {x}); }
/// x converted to the dtype of that name, as astype does.
inline Expr complex128(const Expr& x) { return call("complex128", {x}); }

}  // namespace engine ENGINE_API
// clang-format on
