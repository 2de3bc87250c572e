// expr_functions.cpp - what engine/expr_functions.hpp declares: calls by name.
// Made from the catalog by tools/make_expr_functions.cpp: not to be changed by hand. Casts carry the name of their dtype;
// that of bool is bool_.
#include <engine/expr_functions.hpp>

// clang-format off
namespace engine {

Expr add(const Expr& x, const Expr& y) { return call("add", {x, y}); }
Expr subtract(const Expr& x, const Expr& y) { return call("subtract", {x, y}); }
Expr multiply(const Expr& x, const Expr& y) { return call("multiply", {x, y}); }
Expr divide(const Expr& x, const Expr& y) { return call("divide", {x, y}); }
Expr true_divide(const Expr& x, const Expr& y) { return call("true_divide", {x, y}); }
Expr floor_divide(const Expr& x, const Expr& y) { return call("floor_divide", {x, y}); }
Expr divmod_quotient(const Expr& x, const Expr& y) { return call("divmod_quotient", {x, y}); }
Expr remainder(const Expr& x, const Expr& y) { return call("remainder", {x, y}); }
Expr mod(const Expr& x, const Expr& y) { return call("mod", {x, y}); }
Expr divmod_remainder(const Expr& x, const Expr& y) { return call("divmod_remainder", {x, y}); }
Expr power(const Expr& x, const Expr& y) { return call("power", {x, y}); }
Expr pow(const Expr& x, const Expr& y) { return call("pow", {x, y}); }
Expr negative(const Expr& x) { return call("negative", {x}); }
Expr positive(const Expr& x) { return call("positive", {x}); }
Expr absolute(const Expr& x) { return call("absolute", {x}); }
Expr abs(const Expr& x) { return call("abs", {x}); }
Expr sign(const Expr& x) { return call("sign", {x}); }
Expr copysign(const Expr& x, const Expr& y) { return call("copysign", {x, y}); }
Expr sqrt(const Expr& x) { return call("sqrt", {x}); }
Expr square(const Expr& x) { return call("square", {x}); }
Expr reciprocal(const Expr& x) { return call("reciprocal", {x}); }
Expr fma(const Expr& x, const Expr& y, const Expr& z) { return call("fma", {x, y, z}); }
Expr floor(const Expr& x) { return call("floor", {x}); }
Expr ceil(const Expr& x) { return call("ceil", {x}); }
Expr trunc(const Expr& x) { return call("trunc", {x}); }
Expr rint(const Expr& x) { return call("rint", {x}); }
Expr fmod(const Expr& x, const Expr& y) { return call("fmod", {x, y}); }
Expr maximum(const Expr& x, const Expr& y) { return call("maximum", {x, y}); }
Expr minimum(const Expr& x, const Expr& y) { return call("minimum", {x, y}); }
Expr fmax(const Expr& x, const Expr& y) { return call("fmax", {x, y}); }
Expr fmin(const Expr& x, const Expr& y) { return call("fmin", {x, y}); }
Expr clip(const Expr& a, const Expr& min, const Expr& max) { return call("clip", {a, min, max}); }
Expr fabs(const Expr& x) { return call("fabs", {x}); }
Expr round(const Expr& a, const Expr& decimals) { return call("round", {a, decimals}); }
Expr around(const Expr& a, const Expr& decimals) { return call("around", {a, decimals}); }
Expr nextafter(const Expr& x, const Expr& y) { return call("nextafter", {x, y}); }
Expr spacing(const Expr& x) { return call("spacing", {x}); }
Expr ldexp(const Expr& x, const Expr& y) { return call("ldexp", {x, y}); }
Expr frexp_mantissa(const Expr& x) { return call("frexp_mantissa", {x}); }
Expr frexp_exponent(const Expr& x) { return call("frexp_exponent", {x}); }
Expr modf_fraction(const Expr& x) { return call("modf_fraction", {x}); }
Expr modf_integer(const Expr& x) { return call("modf_integer", {x}); }
Expr heaviside(const Expr& x, const Expr& y) { return call("heaviside", {x, y}); }
Expr nan_to_num(const Expr& x, const Expr& copy, const Expr& nan) { return call("nan_to_num", {x, copy, nan}); }
Expr nan_to_num(const Expr& x, const Expr& copy, const Expr& nan, const Expr& posinf, const Expr& neginf) { return call("nan_to_num", {x, copy, nan, posinf, neginf}); }
Expr less(const Expr& x, const Expr& y) { return call("less", {x, y}); }
Expr less_equal(const Expr& x, const Expr& y) { return call("less_equal", {x, y}); }
Expr greater(const Expr& x, const Expr& y) { return call("greater", {x, y}); }
Expr greater_equal(const Expr& x, const Expr& y) { return call("greater_equal", {x, y}); }
Expr equal(const Expr& x, const Expr& y) { return call("equal", {x, y}); }
Expr not_equal(const Expr& x, const Expr& y) { return call("not_equal", {x, y}); }
Expr logical_and(const Expr& x, const Expr& y) { return call("logical_and", {x, y}); }
Expr logical_or(const Expr& x, const Expr& y) { return call("logical_or", {x, y}); }
Expr logical_xor(const Expr& x, const Expr& y) { return call("logical_xor", {x, y}); }
Expr logical_not(const Expr& x) { return call("logical_not", {x}); }
Expr isnan(const Expr& x) { return call("isnan", {x}); }
Expr isinf(const Expr& x) { return call("isinf", {x}); }
Expr isfinite(const Expr& x) { return call("isfinite", {x}); }
Expr signbit(const Expr& x) { return call("signbit", {x}); }
Expr where(const Expr& condition, const Expr& x, const Expr& y) { return call("where", {condition, x, y}); }
Expr index() { return call("index", {}); }
Expr index(int axis) { return call("index", {axis}); }
Expr bitwise_and(const Expr& x, const Expr& y) { return call("bitwise_and", {x, y}); }
Expr bitwise_or(const Expr& x, const Expr& y) { return call("bitwise_or", {x, y}); }
Expr bitwise_xor(const Expr& x, const Expr& y) { return call("bitwise_xor", {x, y}); }
Expr invert(const Expr& x) { return call("invert", {x}); }
Expr bitwise_not(const Expr& x) { return call("bitwise_not", {x}); }
Expr bitwise_invert(const Expr& x) { return call("bitwise_invert", {x}); }
Expr left_shift(const Expr& x, const Expr& y) { return call("left_shift", {x, y}); }
Expr bitwise_left_shift(const Expr& x, const Expr& y) { return call("bitwise_left_shift", {x, y}); }
Expr right_shift(const Expr& x, const Expr& y) { return call("right_shift", {x, y}); }
Expr bitwise_right_shift(const Expr& x, const Expr& y) { return call("bitwise_right_shift", {x, y}); }
Expr gcd(const Expr& x, const Expr& y) { return call("gcd", {x, y}); }
Expr lcm(const Expr& x, const Expr& y) { return call("lcm", {x, y}); }
Expr bitwise_count(const Expr& x) { return call("bitwise_count", {x}); }
Expr exp(const Expr& x) { return call("exp", {x}); }
Expr expm1(const Expr& x) { return call("expm1", {x}); }
Expr log(const Expr& x) { return call("log", {x}); }
Expr log1p(const Expr& x) { return call("log1p", {x}); }
Expr sin(const Expr& x) { return call("sin", {x}); }
Expr cos(const Expr& x) { return call("cos", {x}); }
Expr fast_tan(const Expr& x) { return call("fast_tan", {x}); }
Expr tanh(const Expr& x) { return call("tanh", {x}); }
Expr exp2(const Expr& x) { return call("exp2", {x}); }
Expr log2(const Expr& x) { return call("log2", {x}); }
Expr log10(const Expr& x) { return call("log10", {x}); }
Expr tan(const Expr& x) { return call("tan", {x}); }
Expr arcsin(const Expr& x) { return call("arcsin", {x}); }
Expr asin(const Expr& x) { return call("asin", {x}); }
Expr arccos(const Expr& x) { return call("arccos", {x}); }
Expr acos(const Expr& x) { return call("acos", {x}); }
Expr arctan(const Expr& x) { return call("arctan", {x}); }
Expr atan(const Expr& x) { return call("atan", {x}); }
Expr arctan2(const Expr& x, const Expr& y) { return call("arctan2", {x, y}); }
Expr atan2(const Expr& x, const Expr& y) { return call("atan2", {x, y}); }
Expr sinh(const Expr& x) { return call("sinh", {x}); }
Expr cosh(const Expr& x) { return call("cosh", {x}); }
Expr arcsinh(const Expr& x) { return call("arcsinh", {x}); }
Expr asinh(const Expr& x) { return call("asinh", {x}); }
Expr arccosh(const Expr& x) { return call("arccosh", {x}); }
Expr acosh(const Expr& x) { return call("acosh", {x}); }
Expr arctanh(const Expr& x) { return call("arctanh", {x}); }
Expr atanh(const Expr& x) { return call("atanh", {x}); }
Expr cbrt(const Expr& x) { return call("cbrt", {x}); }
Expr hypot(const Expr& x, const Expr& y) { return call("hypot", {x, y}); }
Expr logaddexp(const Expr& x, const Expr& y) { return call("logaddexp", {x, y}); }
Expr logaddexp2(const Expr& x, const Expr& y) { return call("logaddexp2", {x, y}); }
Expr erf(const Expr& x) { return call("erf", {x}); }
Expr erfc(const Expr& x) { return call("erfc", {x}); }
Expr gamma(const Expr& x) { return call("gamma", {x}); }
Expr lgamma(const Expr& x) { return call("lgamma", {x}); }
Expr gammaln(const Expr& x) { return call("gammaln", {x}); }
Expr deg2rad(const Expr& x) { return call("deg2rad", {x}); }
Expr radians(const Expr& x) { return call("radians", {x}); }
Expr rad2deg(const Expr& x) { return call("rad2deg", {x}); }
Expr degrees(const Expr& x) { return call("degrees", {x}); }
Expr real(const Expr& x) { return call("real", {x}); }
Expr imag(const Expr& x) { return call("imag", {x}); }
Expr complex(const Expr& real, const Expr& imag) { return call("complex", {real, imag}); }
Expr conjugate(const Expr& x) { return call("conjugate", {x}); }
Expr conj(const Expr& x) { return call("conj", {x}); }
Expr sum(const Expr& x, const Over& how) { return call("sum", {x}, how); }
Expr prod(const Expr& x, const Over& how) { return call("prod", {x}, how); }
Expr min(const Expr& x, const Over& how) { return call("min", {x}, how); }
Expr max(const Expr& x, const Over& how) { return call("max", {x}, how); }
Expr nanmin(const Expr& x, const Over& how) { return call("nanmin", {x}, how); }
Expr nanmax(const Expr& x, const Over& how) { return call("nanmax", {x}, how); }
Expr mean(const Expr& x, const Over& how) { return call("mean", {x}, how); }
Expr any(const Expr& x, const Over& how) { return call("any", {x}, how); }
Expr all(const Expr& x, const Over& how) { return call("all", {x}, how); }
Expr count_nonzero(const Expr& x, const Over& how) { return call("count_nonzero", {x}, how); }
Expr var(const Expr& a, const Over& how) { return call("var", {a}, how); }
Expr nanvar(const Expr& a, const Over& how) { return call("nanvar", {a}, how); }
Expr cumsum(const Expr& a, const Over& how) { return call("cumsum", {a}, how); }
Expr cumprod(const Expr& a, const Over& how) { return call("cumprod", {a}, how); }
Expr cummax(const Expr& a, const Over& how) { return call("cummax", {a}, how); }
Expr cummin(const Expr& a, const Over& how) { return call("cummin", {a}, how); }
Expr sort(const Expr& a, const Over& how) { return call("sort", {a}, how); }
Expr argsort(const Expr& a, const Over& how) { return call("argsort", {a}, how); }
Expr partition(const Expr& a, const Expr& kth, const Over& how) { return call("partition", {a, kth}, how); }
Expr argpartition(const Expr& a, const Expr& kth, const Over& how) { return call("argpartition", {a, kth}, how); }
Expr topk(const Expr& a, const Expr& k, const Over& how) { return call("topk", {a, k}, how); }
Expr argtopk(const Expr& a, const Expr& k, const Over& how) { return call("argtopk", {a, k}, how); }
Expr median(const Expr& a, const Over& how) { return call("median", {a}, how); }
Expr quantile(const Expr& a, const Expr& q, const Over& how) { return call("quantile", {a, q}, how); }
Expr percentile(const Expr& a, const Expr& q, const Over& how) { return call("percentile", {a, q}, how); }
Expr compress(const Expr& a, const Expr& condition) { return call("compress", {a, condition}); }
Expr flatnonzero(const Expr& a) { return call("flatnonzero", {a}); }
Expr nonzero(const Expr& a, const Expr& axis) { return call("nonzero", {a, axis}); }
Expr unique(const Expr& a) { return call("unique", {a}); }
Expr unique_counts(const Expr& a) { return call("unique_counts", {a}); }
Expr unique_index(const Expr& a) { return call("unique_index", {a}); }
Expr unique_inverse(const Expr& a) { return call("unique_inverse", {a}); }
Expr searchsorted(const Expr& a, const Expr& v, const Expr& right) { return call("searchsorted", {a, v, right}); }
Expr bincount(const Expr& x) { return call("bincount", {x}); }
Expr bincount(const Expr& x, const Expr& weights, const Expr& minlength) { return call("bincount", {x, weights, minlength}); }
Expr histogram(const Expr& a, const Expr& bins) { return call("histogram", {a, bins}); }
Expr histogram_edges(const Expr& a, const Expr& bins) { return call("histogram_edges", {a, bins}); }
Expr shift(const Expr& a, const Expr& n, const Over& how) { return call("shift", {a, n}, how); }
Expr sinc(const Expr& x) { return call("sinc", {x}); }
Expr angle(const Expr& z, const Expr& deg) { return call("angle", {z, deg}); }
Expr isclose(const Expr& a, const Expr& b, const Expr& rtol, const Expr& atol, const Expr& equal_nan) { return call("isclose", {a, b, rtol, atol, equal_nan}); }
Expr mean_where(const Expr& x, const Expr& where, const Over& how) { return call("mean_where", {x, where}, how); }
Expr std(const Expr& a, const Over& how) { return call("std", {a}, how); }
Expr ptp(const Expr& a, const Over& how) { return call("ptp", {a}, how); }
Expr norm(const Expr& a, const Over& how) { return call("norm", {a}, how); }
Expr argmax(const Expr& a, const Over& how) { return call("argmax", {a}, how); }
Expr argmin(const Expr& a, const Over& how) { return call("argmin", {a}, how); }
Expr nansum(const Expr& a, const Over& how) { return call("nansum", {a}, how); }
Expr nanprod(const Expr& a, const Over& how) { return call("nanprod", {a}, how); }
Expr nanmean(const Expr& a, const Over& how) { return call("nanmean", {a}, how); }
Expr nanstd(const Expr& a, const Over& how) { return call("nanstd", {a}, how); }
Expr bool_(const Expr& x) { return call("bool", {x}); }
Expr int8(const Expr& x) { return call("int8", {x}); }
Expr uint8(const Expr& x) { return call("uint8", {x}); }
Expr int16(const Expr& x) { return call("int16", {x}); }
Expr uint16(const Expr& x) { return call("uint16", {x}); }
Expr int32(const Expr& x) { return call("int32", {x}); }
Expr uint32(const Expr& x) { return call("uint32", {x}); }
Expr int64(const Expr& x) { return call("int64", {x}); }
Expr uint64(const Expr& x) { return call("uint64", {x}); }
Expr float16(const Expr& x) { return call("float16", {x}); }
Expr float32(const Expr& x) { return call("float32", {x}); }
Expr float64(const Expr& x) { return call("float64", {x}); }
Expr complex64(const Expr& x) { return call("complex64", {x}); }
Expr complex128(const Expr& x) { return call("complex128", {x}); }

}  // namespace engine
// clang-format on
