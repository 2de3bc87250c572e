// engine/expr.hpp - the same expressions built with C++ operators, for callers without text.
//
//     const Expr u = view(field, {3, 4}), dt = 0.5;
//     const Array v = evaluate(u + dt * (u - mean(u, {.axis = 0})));
//
// An Expr is a value that stands for a computation; operators and functions make larger ones and compute nothing.
// evaluate() writes the whole as a text of the engine's language and takes the way that every text takes: the same types,
// bits, errors and limits. C++ numbers mean what Python's mean: they take the dtype of the array that they meet. Where the
// language has an operator that C++ lacks, there is a function: floor_divide(x, y) for //, x.pow(y) for **.
#pragma once

#include <cstdint>
#include <engine/array.hpp>
#include <engine/evaluate.hpp>
#include <engine/export.hpp>
#include <engine/handle.hpp>
#include <engine/options.hpp>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine ENGINE_API {

class Index;

/// An expression: cheap to copy, immutable, safe to share between threads. Arrays are borrowed until it has been evaluated.
class Expr {
 public:
  /// A number of Python's kind.
  ///
  ///     const Expr half = 0.5;
  template <Scalar T>
  Expr(T value) : Expr(Operand(value)) {}
  /// A borrowed array. Equal views are one operand, whatever the number of Exprs made of them.
  ///
  ///     const Expr a = view(field);
  Expr(const ArrayView& array) : Expr(Operand(array)) {}
  Expr(const Array& array) : Expr(Operand(array)) {}
  Expr(Array& array) : Expr(Operand(array)) {}
  /// Takes a temporary's memory over.
  ///
  ///     const Expr b = Array({3}, {1.0, 2.0, 3.0});
  Expr(Array&& array);

  /// Subscripts: integers, Slices, Exprs of integers, `newaxis`, `ellipsis`. C++20 takes several in parentheses alone.
  ///
  ///     a(Slice{1, -1}, 0), a[0], a(ellipsis, newaxis)
  template <class... Items>
    requires(sizeof...(Items) > 0)
  Expr operator()(const Items&... items) const;
  Expr operator[](const Index& item) const;

  /// x ** y of the language: a C++ number as exponent takes the shortcuts that NumPy's operator takes (x ** 2 is x * x),
  /// which the function pow(x, y), NumPy's np.power, does not take.
  ///
  ///     a.pow(2)
  Expr pow(const Expr& exponent) const { return infix("**", *this, exponent); }
  /// All axes reversed.
  ///
  ///     a.T()
  Expr T() const;

  /// The expression as a text of the language, alone or as the last of several statements.
  ///
  ///     (2 * named("a") + named("b")).text() == "2 * a + b"
  std::string text() const;

  friend Expr operator+(const Expr& x) { return prefix("+", x); }
  friend Expr operator-(const Expr& x) { return prefix("-", x); }
  friend Expr operator~(const Expr& x) { return prefix("~", x); }
  friend Expr operator!(const Expr& x) { return prefix("not", x); }  ///< elementwise, as && and ||, which compute both sides
  friend Expr operator+(const Expr& x, const Expr& y) { return infix("+", x, y); }
  friend Expr operator-(const Expr& x, const Expr& y) { return infix("-", x, y); }
  friend Expr operator*(const Expr& x, const Expr& y) { return infix("*", x, y); }
  friend Expr operator/(const Expr& x, const Expr& y) { return infix("/", x, y); }  ///< true division, of integers too
  friend Expr operator%(const Expr& x, const Expr& y) { return infix("%", x, y); }  ///< with the divisor's sign, as in Python
  friend Expr operator&(const Expr& x, const Expr& y) { return infix("&", x, y); }
  friend Expr operator|(const Expr& x, const Expr& y) { return infix("|", x, y); }
  friend Expr operator^(const Expr& x, const Expr& y) { return infix("^", x, y); }
  friend Expr operator<<(const Expr& x, const Expr& y) { return infix("<<", x, y); }
  friend Expr operator>>(const Expr& x, const Expr& y) { return infix(">>", x, y); }
  friend Expr operator<(const Expr& x, const Expr& y) { return infix("<", x, y); }
  friend Expr operator<=(const Expr& x, const Expr& y) { return infix("<=", x, y); }
  friend Expr operator>(const Expr& x, const Expr& y) { return infix(">", x, y); }
  friend Expr operator>=(const Expr& x, const Expr& y) { return infix(">=", x, y); }
  friend Expr operator==(const Expr& x, const Expr& y) { return infix("==", x, y); }
  friend Expr operator!=(const Expr& x, const Expr& y) { return infix("!=", x, y); }
  friend Expr operator&&(const Expr& x, const Expr& y) { return infix("and", x, y); }
  friend Expr operator||(const Expr& x, const Expr& y) { return infix("or", x, y); }
  /// The name on the left then stands for the new expression; no array is written.
  Expr& operator+=(const Expr& y) { return *this = *this + y; }
  Expr& operator-=(const Expr& y) { return *this = *this - y; }
  Expr& operator*=(const Expr& y) { return *this = *this * y; }
  Expr& operator/=(const Expr& y) { return *this = *this / y; }
  Expr& operator%=(const Expr& y) { return *this = *this % y; }
  Expr& operator&=(const Expr& y) { return *this = *this & y; }
  Expr& operator|=(const Expr& y) { return *this = *this | y; }
  Expr& operator^=(const Expr& y) { return *this = *this ^ y; }
  Expr& operator<<=(const Expr& y) { return *this = *this << y; }
  Expr& operator>>=(const Expr& y) { return *this = *this >> y; }

  struct Node;
  const Handle<Node>& node() const noexcept { return node_; }
  explicit Expr(Handle<Node> node) noexcept : node_(std::move(node)) {}

 private:
  explicit Expr(const Operand& operand);
  static Expr prefix(std::string_view symbol, const Expr& x);
  static Expr infix(std::string_view symbol, const Expr& x, const Expr& y);
  Expr subscript(std::span<const Index> items) const;
  Handle<Node> node_;
};
extern template class Handle<Expr::Node>;

/// A name that evaluate() is given a meaning for, or, unless it is, the array or number here. Without either, pi, e, inf
/// and nan have a meaning of their own. Throws ParseError where the language has no such name.
///
///     evaluate(2 * named("a"), {{"a", view(field)}}), named("t", 0.5)
Expr named(std::string_view name);
Expr named(std::string_view name, const Operand& value);

/// start:stop:step as in Python; what is left out is open.
///
///     a(Slice{1, -1}), a(Slice{.step = 2}), a(Slice{})
struct Slice {
  std::optional<Expr> start{}, stop{}, step{};
};
struct NewAxis {};
struct Ellipsis {};
inline constexpr NewAxis newaxis{};
inline constexpr Ellipsis ellipsis{};

/// One item of a subscript.
class Index {
 public:
  Index(Slice slice);
  Index(NewAxis);
  Index(Ellipsis);
  Index(const Expr& value);
  template <Scalar T>
  Index(T value) : Index(Expr(value)) {}

 private:
  friend class Expr;
  enum class Kind : std::uint8_t { Slice, Value, NewAxis, Ellipsis };
  Kind kind_;
  Slice slice_;
};

template <class... Items>
  requires(sizeof...(Items) > 0)
Expr Expr::operator()(const Items&... items) const {
  const Index list[] = {Index(items)...};
  return subscript(list);
}
inline Expr Expr::operator[](const Index& item) const { return subscript({&item, 1}); }

/// Axes of a reduction: all where nothing is said.
///
///     Over{.axis = 0}, Over{.axis = {0, -1}}
class Axes {
 public:
  Axes() noexcept = default;
  Axes(int axis);
  Axes(std::initializer_list<int> axes);
  explicit Axes(std::span<const int> axes);
  /// As the language writes it: "0", "(0, -1)"; empty for all axes.
  std::string text() const;

 private:
  bool is_one_ = false, is_given_ = false;
  std::vector<int> axes_;
};

/// The keywords of reductions and of operations along an axis. What a function does not take it refuses with a ParseError when it is
/// evaluated.
///
///     sum(a, {.axis = 0, .keepdims = true}), var(a, {.ddof = 1}), max(a, {.initial = 0.0, .where = a > 0})
struct Over {
  Axes axis{};
  bool keepdims = false;
  std::optional<DType> dtype{};
  std::optional<Expr> initial{};
  std::optional<Expr> where{};
  std::int64_t ddof = 0;
  bool exclusive = false;              ///< of cumsum and its like
  std::optional<Boundary> boundary{};  ///< of shift; constant where nothing is said
  std::optional<Expr> cval{};          ///< of shift: a number
};

/// A function of the catalog by its name; the functions of expr_functions.hpp are these. Unknown names and wrong numbers of
/// arguments are errors when it is evaluated. Throws ParseError where the name is none.
///
///     call("hypot", {named("x"), named("y")})
Expr call(std::string_view function, std::initializer_list<Expr> arguments, const Over& how = {});

/// x converted to that dtype, as astype does.
///
///     cast(a, DType::Float32)
Expr cast(const Expr& x, DType dtype);

/// An expression as a text, and what the names in it stand for.
struct Written {
  std::string text;
  std::vector<std::string> names;
  std::vector<Operand> values;  ///< of each name; not `present` for names without a value
};

/// The text that evaluate() runs. Arrays without a name are x1, x2, …; parts that are used several times, or lie too deep,
/// are statements of their own: t1, t2, ….
/// Throws ParseError where one name stands for two values, LimitError beyond 100,000 nodes.
///
///     write(named("a") + 1).text == "a + 1"
Written write(const Expr& expression);

/// The value. `names` give the named parts a meaning. Throws what evaluate() of a text throws; carets point into the
/// expression's text.
///
///     const Array d = evaluate(2 * named("a") + 1, {{"a", view(field)}});
Array evaluate(const Expr& expression, const Names& names = {}, const Options& options = {});

/// The value written into `out`, which may overlap operands in any way.
///
///     evaluate_into(view(smooth), (a + 1) / 2);
void evaluate_into(const ArrayView& out, const Expr& expression, const Names& names = {}, const Options& options = {});

}  // namespace engine ENGINE_API

#include <engine/expr_functions.hpp>
