// Expressions built with operators: their text, and that it means what the operators mean.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <bit>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace engine {
namespace {

const Expr a = named("a"), b = named("b"), c = named("c");

bool same_bits(const Array& x, const Array& y) {
  if (x.dtype() != y.dtype() || !(x.shape() == y.shape()) || !(x.strides() == y.strides())) return false;
  const Array left(x.view()), right(y.view());
  return std::memcmp(left.view().data, right.view().data, static_cast<std::size_t>(x.size()) * item_size(x.dtype())) == 0;
}

TEST(Expr, IsWrittenWithTheBracketsItNeeds) {
  const std::pair<Expr, const char*> cases[] = {
      {a + b * c, "a + b * c"},
      {(a + b) * c, "(a + b) * c"},
      {a - (b - c), "a - (b - c)"},
      {a - b - c, "a - b - c"},
      {a / (b * c), "a / (b * c)"},
      {-a.pow(b), "-a ** b"},
      {(-a).pow(b), "(-a) ** b"},
      {a.pow(b).pow(c), "(a ** b) ** c"},
      {a.pow(b.pow(c)), "a ** b ** c"},
      {a.pow(-2), "a ** (-2)"},
      {Expr(-2).pow(a), "(-2) ** a"},
      {a + -2, "a + -2"},
      {-(-a), "--a"},
      {(a < b) < c, "(a < b) < c"},
      {(a < b) & (b < c), "(a < b) & (b < c)"},
      {a == (b != c), "a == (b != c)"},
      {!a && b, "not a and b"},
      {!(a && b), "not (a and b)"},
      {(!a) + b, "(not a) + b"},
      {(a || b) && c, "(a or b) and c"},
      {~a | (b ^ c), "~a | b ^ c"},
      {a << (b >> c), "a << (b >> c)"},
      {a % b, "a % b"},
      {(a + b).T(), "(a + b).T"},
      {Expr(2).T(), "(2).T"},
      {Expr(true).T(), "True.T"},
      {(-a)[0], "(-a)[0]"},
      {(-a[0]), "-a[0]"},
      {hypot(a + 1, b), "hypot(a + 1, b)"},
      {floor_divide(a, 2), "floor_divide(a, 2)"},
      {a(Slice{1, -1}, 0, ellipsis, newaxis), "a[1:-1, 0, ..., None]"},
      {a(Slice{}, Slice{.step = -1}, Slice{b, b + 2, c}), "a[:, ::-1, b:b + 2:c]"},
      {a(Slice{.stop = 3}), "a[:3]"},
      {sum(a), "sum(a)"},
      {sum(a, {.axis = 0, .keepdims = true}), "sum(a, axis=0, keepdims=True)"},
      {sum(a, {.axis = {0}}), "sum(a, axis=(0,))"},
      {sum(a, {.axis = {0, -1}, .dtype = DType::Float32}), "sum(a, axis=(0, -1), dtype=float32)"},
      {sum(a, {.axis = Axes(std::span<const int>{})}), "sum(a, axis=())"},
      {max(a, {.initial = 0.5, .where = a > b}), "max(a, initial=0.5, where=a > b)"},
      {var(a, {.ddof = 1}), "var(a, ddof=1)"},
      {round(a), "round(a, 0)"},
      {isclose(a, b, 0.5), "isclose(a, b, 0.5, 1e-08, False)"},
      {bool_(a) | float32(b), "bool(a) | float32(b)"},
      {cast(a, DType::Complex64), "complex64(a)"},
      {index() + index(-1), "index() + index(-1)"},
      {where(a > 0, a, 1e300), "where(a > 0, a, 1e+300)"},
      {Expr(2.0) + 3, "2.0 + 3"},
  };
  for (const auto& [expression, text] : cases) EXPECT_EQ(expression.text(), text);
}

TEST(Expr, HasAnOperatorOrMethodForEachOfTheLanguage) {
  const std::map<std::string_view, Expr> written{
      {"+", a + b},     {"-", a - b},   {"*", a * b},   {"/", a / b},   {"%", a % b},   {"//", floor_divide(a, b)},
      {"**", a.pow(b)}, {"<<", a << b}, {">>", a >> b}, {"&", a & b},   {"|", a | b},   {"^", a ^ b},
      {"<", a < b},     {"<=", a <= b}, {">", a > b},   {">=", a >= b}, {"==", a == b}, {"!=", a != b},
      {"and", a && b},  {"or", a || b}, {"not", !a},    {"~", ~a},
  };
  for (const Function& row : functions()) EXPECT_TRUE(row.symbol.empty() || written.contains(row.symbol)) << row.symbol;
  const Names values{{"a", 13}, {"b", 2}};
  for (const auto& [symbol, expression] : written) {
    const std::string text = symbol == "not" || symbol == "~" ? std::string(symbol) + " a" : "a " + std::string(symbol) + " b";
    EXPECT_TRUE(same_bits(evaluate(expression, values), evaluate(text, values))) << symbol;
  }
}

TEST(Expr, ChangesWhatANameStandsForByCompoundOperators) {
  Expr x = a;
  x += 1, x -= b, x *= 2, x /= 3, x %= 5;
  EXPECT_EQ(x.text(), "(a + 1 - b) * 2 / 3 % 5");
  Expr y = a;
  y &= 1, y |= 2, y ^= 3, y <<= 4, y >>= 5;
  EXPECT_EQ(y.text(), "((a & 1 | 2) ^ 3) << 4 >> 5");
}

TEST(Expr, TakesNumbersAsPythonDoes) {
  std::vector<float> f{1, 2};
  std::vector<std::int8_t> i{1, 2};
  const Expr x = view(f), n = view(i);
  EXPECT_EQ(evaluate(x * 2.0).dtype(), DType::Float32);
  EXPECT_EQ(evaluate(2 / x).dtype(), DType::Float32);
  EXPECT_EQ(evaluate(n + 100).dtype(), DType::Int8);
  EXPECT_EQ(evaluate(n + true).dtype(), DType::Int8);
  EXPECT_THROW(evaluate(n + 200), RangeError);
  EXPECT_THROW(evaluate(n + (Expr(100) + 100)), RangeError);  // Python's arithmetic, of integers without end
  EXPECT_EQ(evaluate(x + std::complex<float>(0, 1)).dtype(), DType::Complex64);
  EXPECT_EQ(evaluate(x * float64(2.0)).dtype(), DType::Float64);
  EXPECT_EQ(evaluate(x * Array(Shape{}, {2.0})).dtype(), DType::Float64);
}

TEST(Expr, KeepsTheValueOfEveryNumber) {
  EXPECT_EQ(evaluate(uint64(std::numeric_limits<std::uint64_t>::max())).item<std::uint64_t>(), ~std::uint64_t{0});
  EXPECT_EQ(evaluate(int64(std::numeric_limits<std::int64_t>::min())).item<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  const double infinity = std::numeric_limits<double>::infinity();
  for (double x : {0.1, -0.0, 5e-324, 1.7976931348623157e308, -1e22, 123456789012345680.0, infinity, -infinity})
    EXPECT_EQ(std::bit_cast<std::uint64_t>(evaluate(float64(x)).item<double>()), std::bit_cast<std::uint64_t>(x)) << x;
  EXPECT_TRUE(std::isnan(evaluate(float64(std::nan(""))).item<double>()));
  const std::complex<double> z(-0.0, infinity);
  const auto back = evaluate(complex128(z)).item<std::complex<double>>();
  EXPECT_TRUE(std::signbit(back.real()) && back.real() == 0 && back.imag() == infinity);
}

TEST(Expr, GivesAnArrayOneNameHoweverOftenItIsBound) {
  std::vector<double> x{1, 2}, y{3, 4};
  const Written written = write(Expr(view(x)) + Expr(view(y)) * Expr(view(x)));
  EXPECT_EQ(written.text, "x1 + x2 * x1");
  EXPECT_EQ(written.values[0].array.data, x.data());
  EXPECT_EQ(write(named("x1") + view(y)).text, "x1 + x2");  // names of the caller's are left alone
  EXPECT_EQ(write(Expr(view(x)) + view(x.data(), {1})).names.size(), 2u);
}

TEST(Expr, TakesNamesFromTheCallFirst) {
  const Expr x = named("x", 2.0), y = named("y");
  EXPECT_EQ(evaluate(x + y, {{"y", 1.0}}).item<double>(), 3);
  EXPECT_EQ(evaluate(x + y, {{"y", 1.0}, {"x", 5.0}}).item<double>(), 6);
  EXPECT_EQ(evaluate(named("pi") * 1.0).item<double>(), 3.141592653589793);
  EXPECT_EQ(evaluate(named("pi") * 1.0, {{"pi", 3.0}}).item<double>(), 3);
  EXPECT_THROW(evaluate(x + y), UnknownName);
  EXPECT_THROW(evaluate(x + named("x", 3.0)), ParseError);
  std::vector<double> data{7};
  const Expr anonymous = view(data);
  EXPECT_EQ(evaluate(anonymous + 0, {{"x1", 1.0}}).at<double>(0), 7);  // not by the name the engine chose
}

TEST(Expr, TakesNoTextForAName) {
  for (const char* bad : {"", " a", "a ", "a b", "1a", "not", "if", "True", "None", "a)+(b", "a#", "a;b", "a.T", "a\n", "\xff", "a[0]"}) {
    EXPECT_THROW(named(bad), ParseError) << bad;
    EXPECT_THROW(call(bad, {a}), ParseError) << bad;
  }
  EXPECT_THROW(evaluate(call("eval", {1})), UnknownName);
  EXPECT_THROW(evaluate(call("hypot", {1})), ParseError);
  EXPECT_THROW(evaluate(sum(a, {.ddof = 1}), {{"a", 1.0}}), ParseError);
}

TEST(Expr, WritesWhatIsUsedTwiceOnce) {
  const Expr h = a + b;
  EXPECT_EQ((h * h - h).text(), "t1 = a + b; t1 * t1 - t1");
  Expr x = a;
  for (int i = 0; i < 60; ++i) x = x + x;  // 2**60 additions as a tree
  EXPECT_LT(x.text().size(), 2000u);
  EXPECT_EQ(evaluate(x, {{"a", 1.0}}).item<double>(), 0x1p60);
  const Expr weak = Expr(100) + 100;
  std::vector<std::int8_t> small{1};
  EXPECT_THROW(evaluate(view(small) + weak + weak), RangeError);  // it stays Python's number
  std::vector<float> f{1};
  const Expr two = Expr(1.0) + 1;
  EXPECT_EQ(evaluate(view(f) * two + two).dtype(), DType::Float32);
  EXPECT_EQ(write(named("t1") + h * h).text, "t2 = a + b; t1 + t2 * t2");
}

TEST(Expr, KeepsIndexInThePlaceThatGivesItItsShape) {
  std::vector<double> row{1, 2, 3};
  const Expr r = view(row), i = index(0) * 1.0, everywhere = i + 0;
  const Array table = evaluate(r(newaxis, Slice{}) * r(Slice{}, newaxis) + everywhere * everywhere);
  EXPECT_TRUE(same_bits(table, evaluate("r[None, :]*r[:, None] + (index(0)*1.0 + 0)*(index(0)*1.0 + 0)", {{"r", view(row)}})));
  const Expr first = argmax(r);
  EXPECT_EQ(evaluate(first + first).item<std::int64_t>(), 4);
}

TEST(Expr, MayBeLongAndDeep) {
  Expr total = 0;
  for (int i = 1; i <= 20'000; ++i) total += named("a") * i;
  EXPECT_EQ(evaluate(total, {{"a", 1.0}}).item<double>(), 20'000.0 * 20'001 / 2);
  Expr deep = a, brackets = a, signs = a;
  for (int i = 0; i < 1000; ++i) {
    deep = sqrt(deep);
    brackets = (1 - brackets) * 2 - 1;
    signs = -signs;
  }
  EXPECT_EQ(evaluate(deep, {{"a", 2.0}}).item<double>(), 1.0);
  EXPECT_EQ(evaluate(signs, {{"a", 2.0}}).item<double>(), 2.0);
  EXPECT_NO_THROW(evaluate(brackets, {{"a", 0.0}}));
  Expr huge = a;
  for (int i = 0; i < 200'000; ++i) huge += b;
  EXPECT_THROW(huge.text(), LimitError);
  Expr positions = index();
  for (int i = 0; i < 60; ++i) positions += positions;
  EXPECT_THROW(positions.text(), LimitError);
}

TEST(Expr, OwnsATemporaryArray) {
  Expr x = 0;
  {
    x = Array({3}, {1.0, 2.0, 3.0});
    x = x * evaluate(x + 1);
  }
  EXPECT_EQ(evaluate(x).at<double>(2), 12);
}

TEST(Expr, WritesIntoTheCallersArray) {
  std::vector<double> x{0, 1, 2, 3};
  evaluate_into(view(x.data() + 1, {3}), Expr(view(x.data(), {3})) + 10);
  EXPECT_EQ(x, (std::vector<double>{0, 10, 11, 12}));
  Options blitz;
  blitz.blitz = true;
  const Expr h = named("t1", view(x)) + 1;
  EXPECT_EQ(evaluate(h * h, {}, blitz).at<double>(0), 1);
  EXPECT_EQ(x[0], 0);
}

TEST(Expr, ShowsItsTextInErrors) {
  std::vector<double> x(12);
  try {
    evaluate(2 * Expr(view(x, {3, 4})) + view(x, {4, 3}));
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot broadcast '2 * x1' with 'x2'\n  | 2 * x1 + x2\n  | ^^^^^^       shape (3, 4)\n  |          ^^  shape (4, 3)\n"
              "  = help: axis 0 is 3 against 4: make them equal, or one of them 1");
  }
}

TEST(Expr, TakesNumbersOnEitherSide) {
  EXPECT_EQ((1 + a).text(), "1 + a");
  EXPECT_EQ((1.5 == a).text(), "1.5 == a");
  EXPECT_EQ((true && a).text(), "True and a");
  EXPECT_EQ((2u << a).text(), "2 << a");
}

}  // namespace
}  // namespace engine
