// catalog/op.hpp - the operation table, read once: names, spellings, rules and facts of every operation.
// The rows are in the *.def files beside this one; scalar.hpp and meaning.hpp compile their meanings.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "engine/base/dtype.hpp"

namespace engine::catalog {

/// One enumerator per row of the table.
enum class Op : std::uint16_t {
#define OP(NAME, ...) NAME,
#include "engine/catalog/elementwise.def"
#undef OP
};
inline constexpr std::size_t kOps = 0
#define OP(NAME, ...) +1
#include "engine/catalog/elementwise.def"
#undef OP
    ;

/// One enumerator per reduction.
enum class Reduction : std::uint8_t {
#define REDUCTION(NAME, ...) NAME,
#include "engine/catalog/reduction.def"
#undef REDUCTION
};
inline constexpr std::size_t kReductions = 0
#define REDUCTION(NAME, ...) +1
#include "engine/catalog/reduction.def"
#undef REDUCTION
    ;

/// One enumerator per operation along an axis.
enum class Ordered : std::uint8_t {
#define ORDERED(NAME, ...) NAME,
#include "engine/catalog/ordered.def"
#undef ORDERED
};
inline constexpr std::size_t kOrdered = 0
#define ORDERED(NAME, ...) +1
#include "engine/catalog/ordered.def"
#undef ORDERED
    ;

/// How an operation is written. `names` are its call names, separated by '|', the first one NumPy's own.
struct Spelling {
  enum class Form : std::uint8_t { Call, Prefix, Infix, InfixRight };
  Form form = Form::Call;
  std::string_view symbol;  ///< "+" or "and"; empty for calls
  std::uint8_t power = 0;   ///< binding power of Pratt parsing; larger binds tighter
  std::string_view names;
};
constexpr Spelling call(std::string_view names) { return {Spelling::Form::Call, {}, 0, names}; }
constexpr Spelling prefix(std::string_view symbol, std::uint8_t power, std::string_view names) {
  return {Spelling::Form::Prefix, symbol, power, names};
}
constexpr Spelling infix(std::string_view symbol, std::uint8_t power, std::string_view names) {
  return {Spelling::Form::Infix, symbol, power, names};
}
constexpr Spelling infix_right(std::string_view symbol, std::uint8_t power, std::string_view names) {
  return {Spelling::Form::InfixRight, symbol, power, names};
}

/// Number and names of the arguments: "x, y". The names serve keyword arguments and the documentation.
struct Arity {
  std::uint8_t count;
  std::string_view names;
};
constexpr Arity arity(int count) {
  return {static_cast<std::uint8_t>(count), count == 0 ? "" : count == 1 ? "x" : count == 2 ? "x, y" : "x, y, z"};
}
constexpr Arity arity(std::string_view names) {
  std::uint8_t count = 1;
  for (char c : names) count += c == ',';
  return {count, names};
}

/// Argument dtypes -> result dtype, by NumPy's lists of loops (see type_rule.hpp for what each admits).
enum class Rule : std::uint8_t {
  Same,           ///< every dtype to itself
  Arithmetic,     ///< as Same, but bool alone is a type error
  Numeric,        ///< every dtype but bool to itself: bool becomes int8
  Ordered,        ///< as Numeric, complex refused (floor division, modulo)
  Integral,       ///< bool, integers and floats to themselves; complex refused
  Divide,         ///< integers to float64, inexact to themselves
  Floating,       ///< inexact to themselves, integers to the float that holds them
  RealFloating,   ///< as Floating, complex refused
  Predicate,      ///< every dtype to bool
  RealPredicate,  ///< floats to bool, complex refused
  Comparison,     ///< as Predicate over two arguments, int64 against uint64 exactly
  Bitwise,        ///< bool and integers to themselves
  Shift,          ///< integers to themselves
  Logical,        ///< every dtype to bool
  Magnitude,      ///< as Same, complex to its real dtype
  RealPart,       ///< complex to its real dtype, others to themselves
  Select,         ///< bool, T, T to T
  Integer,        ///< integers to themselves, bool beside them becomes int8
  Bits,           ///< integers to uint8
  Scale,          ///< a float and an integer to the float
  Exponent,       ///< floats to int32
  Complex,        ///< two floats to their complex dtype
  Position,       ///< no argument; int64
};

enum class Lowering : std::uint8_t { Instruction, ByCall, Expand };
struct LoweringInfo {
  Lowering kind;
  std::string_view expansion;  ///< of Expand: the operation in other rows' words, over x, y, z
};
inline constexpr LoweringInfo instruction{Lowering::Instruction, {}};
inline constexpr LoweringInfo by_call{Lowering::ByCall, {}};
constexpr LoweringInfo expand(std::string_view text) { return {Lowering::Expand, text}; }

/// Derivatives, one per argument, in the engine's own language over x, y, z and out; empty: none.
struct Gradient {
  std::array<std::string_view, 3> of{};
};
constexpr Gradient grad(std::string_view x, std::string_view y = {}, std::string_view z = {}) { return {{x, y, z}}; }
inline constexpr Gradient no_grad{};

/// NumPy's name of the operation, the range its tests sample, and the error allowed against it in ulp (0: same bits).
struct Oracle {
  std::string_view numpy;
  double low;
  double high;
  double ulp;
};
struct Range {
  double low, high;
};
constexpr Range within(double low, double high) { return {low, high}; }
constexpr double ulp(double bound) { return bound; }
inline constexpr double exact = 0;
constexpr Oracle oracle(std::string_view numpy, Range range, double bound) { return {numpy, range.low, range.high, bound}; }

/// Algebraic and other facts, given only where true for every dtype the row admits.
enum class Flags : std::uint16_t {
  None = 0,
  Commutative = 1,  ///< op(x, y) == op(y, x) bit for bit (NaN payloads aside)
  Idempotent = 2,   ///< op(x, x) == x
  Attribute = 4,    ///< also written `x.name`
  Position = 8,     ///< depends on the position in the result; takes the axis as a constant argument
  Compares = 16,    ///< Python integers that do not fit are compared exactly
  Saturates = 32,   ///< Python integers that do not fit are brought to the nearest value (clip's bounds)
  Half = 64,        ///< float16 has a meaning of its own: computed in float32 and rounded it would be wrong
  Lanes = 128,      ///< on floats the meaning is a template over lanes (elementary/lane.hpp), compiled as vectors; on complex
                    ///< numbers a function, one lane at a time
};
constexpr Flags operator|(Flags a, Flags b) { return static_cast<Flags>(static_cast<int>(a) | static_cast<int>(b)); }
constexpr bool has(Flags flags, Flags flag) { return (static_cast<int>(flags) & static_cast<int>(flag)) != 0; }

struct OpInfo {
  Op id;
  std::string_view identifier;  ///< the enumerator's name, used in dumps: "Add"
  Spelling spelling;
  Arity arity;
  Rule rule;
  std::string_view meaning;  ///< C++ over x, y, z; the same characters the emitters use
  LoweringInfo lowering;
  Gradient gradient;
  Oracle oracle;
  std::string_view sentence;
  Flags flags = Flags::None;
  /// The first call name: "add", "hypot".
  constexpr std::string_view name() const { return spelling.names.substr(0, spelling.names.find('|')); }
};

/// How a reduction's accumulator follows from its argument's dtype.
enum class Accumulator : std::uint8_t {
  Widen,  ///< bool and integers to (u)int64; float16 to float32, the result back to float16; others themselves
  Same,   ///< the argument's dtype
  Mean,   ///< bool and integers to float64; float16 to float32, the result back to float16; others themselves
  Truth,  ///< the argument as bool, in bool
  Count,  ///< the argument as bool, in int64
};

struct ReductionInfo {
  Reduction id;
  std::string_view identifier;  ///< "Sum"
  std::string_view name;        ///< "sum"
  Reduction kernel;             ///< the primitive that does the work: Sum, Prod, Min, Max, Nanmin, Nanmax, Var or Nanvar
  Accumulator accumulator;
  std::string_view identity;  ///< value over no elements, as text; empty: an error there
  std::string_view combine;   ///< C++ over x, y: elements, or Moments of a variance
  Oracle oracle;
  std::string_view sentence;
};

/// What an operation along an axis, or on all elements in order, makes of its arguments.
enum class Form : std::uint8_t {
  Scan,          ///< combinations of the elements so far
  Sort,          ///< the elements in order
  Argsort,       ///< where they were
  Partition,     ///< those before the one that a sort would put in a place, then its equals, then the others
  Argpartition,  ///< where they were
  Topk,          ///< the largest ones, in descending order
  Argtopk,       ///< where they were
  Median,        ///< the middle one, or the mean of two
  Quantile,      ///< between the two that a second argument, a fraction, falls between
  Select,        ///< the elements where a second argument, of their leading axes, is true
  Nonzero,       ///< where elements are not zero: made of Select
  Unique,        ///< one of each; in the graph its argument is sorted
  Counts,        ///< how often each one is there; likewise
  Firsts,        ///< where each one is first; in the graph a second argument is the argsort
  Inverse,       ///< which one each element is; likewise
  Searchsorted,  ///< how many elements, which are sorted, stand before each one of a second argument
  Bincount,      ///< how often each whole number is there, or the sums of a second argument
  Histogram,     ///< how many elements fall between bounds at equal distances from a second to a third argument
  Edges,         ///< those bounds, of two arguments
  Shift,         ///< the elements some places away: a view
};

/// What is known of an operation's shape before it runs.
enum class Extent : std::uint8_t {
  Same,     ///< of its argument; one axis where it goes over all elements
  Found,    ///< the first extent follows from the values
  First,    ///< of its first argument, whatever the axes
  Second,   ///< of its second argument
  Reduced,  ///< of its argument without the axes
  Number,   ///< one axis, of ReduceSpec::number elements
  Along,    ///< as Same, with so many elements along the axis
};

enum class FormFlags : std::uint8_t {
  None = 0,
  Composed = 1,  ///< the graph knows nothing of it: ir/build makes it of others
  Fills = 2,     ///< its argument is computed into memory of its own, where it may work; others only read, whosever memory it is
  Refuses = 4,   ///< some values make it fail
  Places = 8,    ///< elements are counted or placed: the result is int64. Of Bincount with a second argument it is float64
  Real = 16,     ///< of real numbers alone
};
constexpr FormFlags operator|(FormFlags a, FormFlags b) { return static_cast<FormFlags>(static_cast<int>(a) | static_cast<int>(b)); }

struct FormInfo {
  Form form;
  std::uint8_t n_arguments;  ///< in the graph, at most
  Extent extent;
  FormFlags flags;
  double cost;  ///< element-operations an element takes, for choosing threads
  constexpr bool has(FormFlags flag) const { return (static_cast<int>(flags) & static_cast<int>(flag)) != 0; }
};

/// What holds for every operation of a form.
inline constexpr FormInfo kForms[] = {
    {Form::Scan, 1, Extent::Same, FormFlags::Fills, 6},
    {Form::Sort, 1, Extent::Same, FormFlags::Fills, 60},
    {Form::Argsort, 1, Extent::Same, FormFlags::Fills | FormFlags::Places, 60},
    {Form::Partition, 1, Extent::Same, FormFlags::Real, 20},
    {Form::Argpartition, 1, Extent::Same, FormFlags::Real | FormFlags::Places, 20},
    {Form::Topk, 1, Extent::Along, FormFlags::Real, 20},
    {Form::Argtopk, 1, Extent::Along, FormFlags::Real | FormFlags::Places, 20},
    {Form::Median, 1, Extent::Reduced, FormFlags::Real, 10},
    {Form::Quantile, 2, Extent::Reduced, FormFlags::Real | FormFlags::Refuses, 10},
    {Form::Select, 2, Extent::Found, FormFlags::None, 6},
    {Form::Nonzero, 1, Extent::Found, FormFlags::Composed | FormFlags::Places, 6},
    {Form::Unique, 1, Extent::Found, FormFlags::None, 10},
    {Form::Counts, 1, Extent::Found, FormFlags::Places, 10},
    {Form::Firsts, 2, Extent::Found, FormFlags::Places, 20},
    {Form::Inverse, 2, Extent::First, FormFlags::Places, 20},
    {Form::Searchsorted, 2, Extent::Second, FormFlags::Places, 60},
    {Form::Bincount, 2, Extent::Found, FormFlags::Real | FormFlags::Places | FormFlags::Refuses, 6},
    {Form::Histogram, 3, Extent::Number, FormFlags::Real | FormFlags::Places | FormFlags::Refuses, 20},
    {Form::Edges, 2, Extent::Number, FormFlags::Real | FormFlags::Refuses, 60},
    {Form::Shift, 1, Extent::First, FormFlags::Composed, 1},
};
constexpr const FormInfo& info(Form form) { return kForms[static_cast<std::size_t>(form)]; }
static_assert([] {
  for (std::size_t i = 0; i < std::size(kForms); ++i)
    if (kForms[i].form != static_cast<Form>(i)) return false;
  return std::size(kForms) == static_cast<std::size_t>(Form::Shift) + 1;
}());

struct OrderedInfo {
  Ordered id;
  std::string_view identifier;  ///< "Cumsum"
  std::string_view name;        ///< "cumsum"
  Form form;
  Reduction combine;            ///< of Scan: the primitive, Sum, Prod, Min or Max
  Accumulator accumulator;      ///< dtypes, as of a reduction; where its form Places the result is int64
  std::string_view parameters;  ///< "a, axis=None, exclusive=False"
  Oracle oracle;
  std::string_view sentence;
};

/// A function that is a text in the engine's own language over its parameters.
struct DerivedInfo {
  std::string_view name;
  std::string_view parameters;  ///< "a, axis=None, keepdims=False"
  std::string_view text;
  Oracle oracle;
  std::string_view sentence;
};
inline constexpr std::size_t kDerived = 0
#define DERIVED(NAME, ...) +1
#include "engine/catalog/derived.def"
#undef DERIVED
    ;

/// Whether a reduction's parts are Moments (catalog/moments.hpp) and not values.
constexpr bool has_moments(Reduction primitive) { return primitive == Reduction::Var || primitive == Reduction::Nanvar; }

struct ConstantInfo {
  std::string_view name;
  double value;
  std::string_view sentence;
};

const OpInfo& info(Op op) noexcept;
const ReductionInfo& info(Reduction reduction) noexcept;
const OrderedInfo& info(Ordered ordered) noexcept;
inline const FormInfo& form_of(Ordered ordered) noexcept { return info(info(ordered).form); }
std::array<OpInfo, kOps> const& operations() noexcept;
std::array<ReductionInfo, kReductions> const& reductions() noexcept;
std::array<OrderedInfo, kOrdered> const& ordered() noexcept;

/// The row with that call name, or null. A perfect-hash or sorted look-up: O(log n), no allocation.
const OpInfo* find_function(std::string_view name) noexcept;
const ReductionInfo* find_reduction(std::string_view name) noexcept;
const OrderedInfo* find_ordered(std::string_view name) noexcept;
/// Calls visit(index, name, has_default) for each parameter of a list such as "x, axis=None".
template <class Visit>
constexpr void each_parameter(std::string_view parameters, Visit visit) {
  for (std::size_t i = 0; !parameters.empty(); ++i) {
    const std::size_t comma = parameters.find(", ");
    const std::string_view item = parameters.substr(0, comma);
    visit(i, item.substr(0, item.find('=')), item.find('=') != std::string_view::npos);
    parameters = comma == std::string_view::npos ? std::string_view{} : parameters.substr(comma + 2);
  }
}
/// What a reduction takes: "x, axis=None, keepdims=False, …".
std::string_view parameters(const ReductionInfo& row) noexcept;
/// What a call of an elementwise row takes: its operands, and of round, clip and nan_to_num what steers them.
std::string_view parameters(const OpInfo& row) noexcept;
std::array<DerivedInfo, kDerived> const& derived() noexcept;
const DerivedInfo* find_derived(std::string_view name) noexcept;
/// Operators by their symbol ("+", "and"), or null.
const OpInfo* find_infix(std::string_view symbol) noexcept;
const OpInfo* find_prefix(std::string_view symbol) noexcept;

std::span<const ConstantInfo> constants() noexcept;
/// Named constants (pi, e, inf, nan); false when there is none of that name.
bool find_constant(std::string_view name, double& value) noexcept;

/// The candidate nearest to `name` by optimal string alignment distance, empty when none is near enough to be a typo.
std::string_view nearest(std::string_view name, const std::string_view* candidates, std::size_t count) noexcept;
/// As above among all functions, reductions, dtypes and constants.
std::string_view nearest_function(std::string_view name) noexcept;

}  // namespace engine::catalog
