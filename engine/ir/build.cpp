// ir/build.cpp - syntax tree + types of the operands -> typed graph. Every type error is found here.
// Nodes are visited in ascending order (children first), never by recursion: a sum of 20,000 terms is 20,000 levels deep.
#include "engine/ir/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/boundary.hpp"
#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/ir/halo.hpp"
#include "engine/ir/weak.hpp"

namespace engine::ir {
namespace {

using catalog::Op;
using catalog::OpInfo;
using frontend::Ast;
using frontend::Statement;
using frontend::Syntax;
using AstId = frontend::NodeId;
using AstNode = frontend::Node;

/// A value while types are being found: a node, a weak constant, or a weak operand whose value is read at run time.
struct Typed {
  NodeId node = kNone;  // strong value, or the Input of a run-time weak one
  Weak weak = Weak::No;
  std::uint32_t symbol = frontend::kNone;  // run-time weak: whose value to ask for
  WeakValue value{};                       // weak constant (node == kNone)
  bool is_constant() const { return weak != Weak::No && node == kNone; }
};

class Builder {
 public:
  Builder(const Ast& ast, std::span<const OperandType> operands, const bool* present, const Options& options, bool aliased,
          std::pmr::memory_resource* memory, const StencilSpec* stencil)
      : ast_(ast),
        operands_(operands),
        present_(present),
        options_(options),
        stencil_(stencil),
        result_(memory),
        g_(result_.graph),
        typed_(memory),
        states_(memory),
        in_bound_(memory),
        versions_(memory) {
    g_.text = ast.text;
    g_.aliased = aliased;
  }

  BuildResult build() {
    const std::size_t n = ast_.nodes.size();
    g_.nodes.reserve(n + 4);
    g_.values.reserve(8);
    g_.slots.reserve(ast_.symbols.size());
    g_.outputs.reserve(ast_.statements.size());
    g_.output_nodes.reserve(ast_.statements.size());
    typed_.resize(n);
    states_.resize(ast_.symbols.size());
    result_.slot_of_symbol.assign(ast_.symbols.size(), kNone);
    for (std::uint32_t symbol = 0; symbol < ast_.symbols.size(); ++symbol) {
      if (!present_[symbol]) continue;
      const OperandType& type = operands_[symbol];
      result_.slot_of_symbol[symbol] = static_cast<std::uint32_t>(g_.slots.size());
      const auto at = static_cast<std::uint32_t>(ast_.symbols[symbol].data() - ast_.text.data());
      g_.slots.push_back({.name = ast_.symbols[symbol],
                          .dtype = type.dtype,
                          .rank = type.rank,
                          .weak = type.weak,
                          .span = {at, at + static_cast<std::uint32_t>(ast_.symbols[symbol].size())}});
    }
    versions_.assign(g_.slots.size(), 0);
    mark_bounds();
    if (stencil_) {
      stencil();
      return std::move(result_);
    }
    for (std::size_t i = 0; i < ast_.statements.size(); ++i) statement(ast_.statements[i], i + 1 == ast_.statements.size());
    return std::move(result_);
  }

 private:
  struct State {  // what a name means at this point of the program
    enum class Kind : std::uint8_t { Outside, Value, Slot } kind = Kind::Outside;
    Typed value;
    std::uint32_t slot = 0;
  };

  // ---- errors -------------------------------------------------------------------------------------------------------

  std::string text_of(Span span) const { return std::string(ast_.text.substr(span.begin, span.end - span.begin)); }
  template <class E>
  [[noreturn]] void fail(Span span, std::string what, std::string label, std::string help = {}) const {
    throw E({.what = std::move(what), .labels = {{span, std::move(label)}}, .help = std::move(help), .text = std::string(ast_.text)});
  }

  static std::string type_name(const Typed& t, const Graph& g) {
    switch (t.weak) {
      case Weak::Bool:
        return "a Python bool";
      case Weak::Int:
        return "a Python int";
      case Weak::Float:
        return "a Python float";
      case Weak::Complex:
        return "a Python complex";
      case Weak::No:
        break;
    }
    return std::string(name(g[t.node].dtype));
  }

  [[noreturn]] void refuse_types(const OpInfo& op, const AstNode& at, std::span<const AstId> children, std::span<const Typed> args) const {
    Diagnostic d{.what = {}, .labels = {}, .help = {}, .text = std::string(ast_.text)};
    std::string types;
    for (std::size_t i = 0; i < args.size(); ++i) {
      const std::string type = type_name(args[i], g_);
      types += (i == 0 ? "" : i + 1 == args.size() ? " and " : ", ") + type;
      const Span span = children.empty() ? at.mark : ast_.nodes[children[i]].span;
      d.labels.push_back({span, type});
    }
    const std::string_view shown = op.spelling.symbol.empty() ? op.name() : op.spelling.symbol;
    d.what = fmt::format("'{}' does not work on {}", shown, types);
    bool boolean = true, complex = false, inexact = false;
    for (const Typed& arg : args) {
      const DType dtype = arg.weak == Weak::No ? g_[arg.node].dtype : DType::Int64;
      boolean = boolean && dtype == DType::Bool;
      complex = complex || is_complex(dtype) || arg.weak == Weak::Complex;
      inexact = inexact || is_inexact(dtype) || arg.weak == Weak::Float;
    }
    if (boolean && op.id == Op::Subtract)
      d.help = "use ^ (exclusive or), or cast: int8(a) - int8(b)";
    else if (boolean && op.id == Op::Negative)
      d.help = "use ~ (not), or cast: -int8(a)";
    else if (boolean)
      d.help = fmt::format("cast first: {}(int8(a))", op.name());
    else if (complex)
      d.help = "take .real, .imag or abs(x) first";
    else if (inexact)
      d.help = "cast to an integer first: int64(x)";
    else
      d.help = "no integer dtype holds both signs at 64 bits: cast one side, int64(x) or uint64(x)";
    throw DTypeError(std::move(d));
  }

  // ---- names --------------------------------------------------------------------------------------------------------

  /// Marks what stands in slices, axes and index(): there integers of rank 0 are taken by value.
  void mark_bounds() {
    bool any = false;
    for (const AstNode& node : ast_.nodes)
      any = any || node.kind == Syntax::Subscript || node.kind == Syntax::Target || node.kind == Syntax::Reduce ||
            node.kind == Syntax::Position || node.kind == Syntax::Order;
    if (!any) return;
    in_bound_.assign(ast_.nodes.size(), 0);
    const auto mark = [&](AstId id) {
      if (id != frontend::kNone) in_bound_[id] = 1;
    };
    // Whether a value is of an operand that has axes, and so no bound itself.
    std::pmr::vector<std::uint8_t> reads_array(ast_.nodes.size(), 0, in_bound_.get_allocator());
    for (std::size_t i = 0; i < ast_.nodes.size(); ++i) {
      const AstNode& node = ast_.nodes[i];
      if (node.kind == Syntax::Name) reads_array[i] = present_[node.id] && operands_[node.id].rank > 0;
      if (node.kind != Syntax::Apply && node.kind != Syntax::Cast) continue;
      for (AstId child : ast_.children_of(node)) reads_array[i] |= child != frontend::kNone && reads_array[child];
    }
    for (const Statement& s : ast_.statements)
      for (std::uint32_t k = 0; k < s.n_subscripts; ++k)
        if (const AstId id = ast_.children[s.first_subscript + k]; !reads_array[id]) mark(id);
    for (std::size_t i = ast_.nodes.size(); i-- > 0;) {
      const AstNode& node = ast_.nodes[i];
      const std::span<const AstId> children = ast_.children_of(node);
      if (node.kind == Syntax::Subscript) {
        for (AstId child : children.subspan(1))
          if (!reads_array[child]) mark(child);  // what stands in a mask is no bound
      } else if (node.kind == Syntax::Reduce) {
        mark(children[1]);
        mark(children[2]);
        mark(children[3]);
      } else if (node.kind == Syntax::Order) {
        mark(children[frontend::kAxis]);
        mark(children[frontend::kFlag]);
        mark(children[frontend::kNumber]);
        if (static_cast<catalog::Ordered>(node.id) == catalog::Ordered::Shift) mark(children[frontend::kSecond]);
      } else if (node.kind == Syntax::Position) {
        mark(children[0]);
      } else if (in_bound_[i]) {
        for (AstId child : children) mark(child);
      }
      if (in_bound_[i] && (node.kind == Syntax::Subscript || node.kind == Syntax::Reduce || node.kind == Syntax::Order)) mark(children[0]);
    }
  }

  Typed from_value(const OperandType& type) const {
    Typed t;
    t.weak = type.weak == Weak::No ? Weak::Int : type.weak;
    t.value.kind = t.weak;
    t.value.is_given = true;
    switch (t.weak) {
      case Weak::Bool:
        t.value.integer = type.value.as<bool>();
        break;
      case Weak::Int:
        t.value.integer =
            type.negative ? static_cast<Int128>(type.value.as<std::int64_t>()) : static_cast<Int128>(type.value.as<std::uint64_t>());
        break;
      case Weak::Float:
        t.value.re = type.value.as<double>();
        break;
      default: {
        const auto parts = type.value.as<std::array<double, 2>>();
        t.value.re = parts[0];
        t.value.im = parts[1];
      }
    }
    return t;
  }

  Typed name_value(const AstNode& node, bool bound) {
    const std::uint32_t symbol = node.id;
    const State& state = states_[symbol];
    if (state.kind == State::Kind::Value) return state.value;
    if (state.kind == State::Kind::Slot) return {.node = g_.input(state.slot, versions_[state.slot], node.span)};
    if (present_[symbol]) {
      const OperandType& type = operands_[symbol];
      if (type.weak != Weak::No && type.has_value) return from_value(type);
      if (type.weak == Weak::No && bound && type.rank == 0 && is_integer(type.dtype)) {
        if (!type.has_value) throw NeedsValue{symbol};
        return from_value(type);
      }
      if (type.weak != Weak::No && bound) throw NeedsValue{symbol};
      const std::uint32_t slot = result_.slot_of_symbol[symbol];
      return {.node = g_.input(slot, versions_[slot], node.span), .weak = type.weak, .symbol = symbol};
    }
    double constant;
    if (catalog::find_constant(ast_.symbols[symbol], constant))
      return {.weak = Weak::Float, .value = {.kind = Weak::Float, .re = constant}};
    unknown(node.span, ast_.symbols[symbol]);
  }

  [[noreturn]] void unknown(Span span, std::string_view name) const {
    std::string_view known[16];
    std::size_t n = 0;
    for (std::uint32_t s = 0; s < ast_.symbols.size() && n < 16; ++s)
      if (present_[s] || states_[s].kind != State::Kind::Outside) known[n++] = ast_.symbols[s];
    std::string_view near = catalog::nearest(name, known, n);
    const bool function =
        catalog::find_function(name) || catalog::find_reduction(name) || catalog::find_ordered(name) || dtype_from_name(name);
    fail<UnknownName>(span, fmt::format("there is no operand '{}'", name),
                      function       ? "this is a function: it needs its arguments"
                      : near.empty() ? "not among the names given"
                                     : fmt::format("did you mean '{}'?", near));
  }

  // ---- weak and strong ------------------------------------------------------------------------------------------------

  /// Makes a weak value an operand of that dtype.
  NodeId as_dtype(const Typed& t, DType dtype, Span span) {
    if (!t.is_constant()) return g_.cast(t.node, dtype, span);
    Value value;
    if (!weak_convert(t.value, dtype, value)) out_of_range(t, dtype, span);
    return g_.constant(dtype, value, span, t.value.is_given);
  }

  [[noreturn]] void out_of_range(const Typed& t, DType dtype, Span span) const {
    const bool negative = t.value.integer < 0;
    const auto magnitude = static_cast<std::uint64_t>(negative ? -t.value.integer : t.value.integer);
    fail<RangeError>(span, fmt::format("{}{} does not fit {}", negative ? "-" : "", magnitude, name(dtype)), "this integer",
                     fmt::format("cast the other side to a wider dtype first, for example int64(x)"));
  }

  /// dtype(x). Of a Python float the whole part must fit an integer dtype, as in NumPy's constructors.
  NodeId cast(Typed t, DType dtype, Span span) {
    if (t.is_constant() && t.weak == Weak::Float && is_integer(dtype)) {
      const double whole = __builtin_trunc(t.value.re);
      if (!(whole >= -0x1p63 && whole < 0x1p64))
        fail<RangeError>(span, fmt::format("{} does not fit {}", t.value.re, name(dtype)), "this cast");
      t = {.weak = Weak::Int, .value = {.kind = Weak::Int, .is_given = t.value.is_given, .integer = static_cast<Int128>(whole)}};
    }
    Value value;
    if (t.is_constant() && !weak_convert(t.value, dtype, value))
      fail<RangeError>(span, fmt::format("the integer does not fit {}", name(dtype)), "this cast", "cast to a wider dtype");
    return as_dtype(t, dtype, span);
  }

  /// initial= of a reduction is of the reduction's dtype, as in NumPy: numbers are converted as by a cast.
  Typed initial(const Typed& given, DType dtype, Span span) {
    if (is_complex(dtype_of(given)) && !is_complex(dtype) && dtype != DType::Bool)
      fail<DTypeError>(span, fmt::format("initial is complex, the reduction {}", name(dtype)), "here",
                       "make its argument complex, or take .real");
    // Whether a Python float fits an integer dtype is for its value to say.
    if (given.weak == Weak::Float && !given.is_constant() && is_integer(dtype)) throw NeedsValue{given.symbol};
    return {.node = cast(given, dtype, span)};
  }

  /// A weak value on its own: bool, int64, float64 or complex128.
  Typed strong(const Typed& t, Span span) {
    if (t.weak == Weak::No) return t;
    if (t.is_constant()) return {.node = as_dtype(t, weak_strong_dtype(t.value), span)};
    return {.node = t.node};
  }

  DType dtype_of(const Typed& t) const {
    if (t.is_constant()) return weak_strong_dtype(t.value);
    return g_[t.node].dtype;
  }

  // ---- operations ---------------------------------------------------------------------------------------------------

  Typed apply(Op id, const AstNode& at, std::span<const AstId> children, std::span<Typed> args) {
    const OpInfo& op = catalog::info(id);
    const auto span_of = [&](std::size_t i) { return children.empty() ? at.span : ast_.nodes[children[i]].span; };
    const bool all_weak = std::all_of(args.begin(), args.end(), [](const Typed& t) { return t.weak != Weak::No; });
    if (all_weak) {
      if (written_as_operator(op, at)) {
        WeakValue values[3];
        for (std::size_t i = 0; i < args.size(); ++i) {
          if (!args[i].is_constant()) throw NeedsValue{args[i].symbol};
          values[i] = args[i].value;
        }
        const WeakValue value = weak_apply(id, std::span<const WeakValue>(values, args.size()), at.mark, ast_.text);
        return {.weak = value.kind, .value = value};
      }
      for (std::size_t i = 0; i < args.size(); ++i) args[i] = strong(args[i], span_of(i));
    }
    // np.clip makes an array of its first argument; its bounds stay weak.
    if (id == Op::Clip && args[0].weak != Weak::No) args[0] = strong(args[0], span_of(0));
    if (id == Op::Round) {
      if (args.size() == 2) return round_to(at, children, args);
      if (dtype_of(args[0]) == DType::Bool) return apply(Op::Rint, at, children, args);  // np.round makes float16 of booleans
    }
    if (id == Op::Clip && is_integer(dtype_of(args[0]))) {
      // np.clip leaves out a Python int that bounds nothing in a's dtype, whatever the other bound's dtype is.
      const DType dtype = dtype_of(args[0]);
      const auto is_idle = [&](const Typed& bound, bool upper) {
        if (!bound.is_constant() || bound.weak != Weak::Int) return false;
        Value value;
        if (!weak_convert(bound.value, dtype, value)) return (bound.value.integer > 0) == upper;
        return std::memcmp(value.bytes.data(), limit_of(dtype, upper).bytes.data(), item_size(dtype)) == 0;
      };
      const std::size_t only = is_idle(args[2], true) ? 1 : is_idle(args[1], false) ? 2 : 0;
      if (only && !(args[only].is_constant() && args[only].weak == Weak::Int)) {
        Typed both[2] = {args[0], args[only]};
        const AstId ids[2] = {children.empty() ? 0 : children[0], children.empty() ? 0 : children[only]};
        return apply(only == 1 ? Op::Maximum : Op::Minimum, at, std::span(ids, children.empty() ? 0 : 2), both);
      }
    }
    const bool by_scalar = id == Op::Power && args[1].weak != Weak::No && written_as_operator(op, at);
    if (by_scalar) {
      // array ** Python scalar: NumPy chooses by the value (see opt/power.cpp), so it must be known.
      if (!args[1].is_constant()) throw NeedsValue{args[1].symbol};
      // Booleans squared stay with square: int8, where other powers give int64.
      if (dtype_of(args[0]) == DType::Bool && args[1].weak == Weak::Int && args[1].value.integer == 2)
        return apply(Op::Square, at, children.first(children.empty() ? 0 : 1), args.first(1));
    }
    catalog::Argument types[3];
    for (std::size_t i = 0; i < args.size(); ++i) types[i] = {dtype_of(args[i]), args[i].weak};
    const int loop = catalog::resolve(id, std::span<const catalog::Argument>(types, args.size()));
    if (loop < 0) refuse_types(op, at, children, args);
    const catalog::Loop& signature = catalog::loops(op.rule)[static_cast<std::size_t>(loop)];

    const bool logical = op.rule == catalog::Rule::Logical || op.rule == catalog::Rule::Predicate;
    NodeId nodes[3];
    for (std::size_t i = 0; i < args.size(); ++i) {
      const DType dtype = signature.in[i];
      if (logical && args[i].is_constant()) {
        if (args[i].weak == Weak::Int && args[i].value.integer > INT64_MAX)  // NumPy makes an int64 of it first
          out_of_range(args[i], DType::Int64, span_of(i));
        const WeakValue& v = args[i].value;  // its truth is all that counts, not its value in the other side's dtype
        const bool truth = v.integer != 0 || v.re != 0 || v.im != 0;
        nodes[i] = as_dtype({.weak = Weak::Int, .value = {.kind = Weak::Int, .integer = truth}}, dtype, span_of(i));
        continue;
      }
      if (args[i].is_constant() && args[i].weak == Weak::Int && is_integer(dtype)) {
        Value value;
        if (!weak_convert(args[i].value, dtype, value)) {
          // Beside booleans NumPy makes an int64 of it, and refuses.
          if (has(op.flags, catalog::Flags::Compares) && dtype_of(args[1 - i]) != DType::Bool) return compare_beyond(id, i, args, at.span);
          if (has(op.flags, catalog::Flags::Saturates) && i > 0) {
            nodes[i] = g_.constant(dtype, limit_of(dtype, args[i].value.integer > 0), span_of(i));
            continue;
          }
          out_of_range(args[i], dtype, span_of(i));
        }
      }
      nodes[i] = as_dtype(args[i], dtype, span_of(i));
    }
    if (id == Op::Power && kind(signature.in[1]) == Kind::Signed && kind(dtype_of(args[1])) == Kind::Signed)
      check_exponent(nodes[1], at, children.empty() ? at.span : span_of(1));
    return {.node = g_.apply(id, loop, std::span<const NodeId>(nodes, args.size()), at.span, by_scalar ? 1 : 0)};
  }

  /// Whether Python's operators are meant (they keep scalars weak) and not NumPy's functions of the same rows.
  bool written_as_operator(const OpInfo& op, const AstNode& at) const {
    if (at.kind != Syntax::Apply) return true;  // an augmented assignment
    const std::string_view mark = ast_.text.substr(at.mark.begin, at.mark.end - at.mark.begin);
    if (mark == op.spelling.symbol || mark == "if") return true;
    if (has(op.flags, catalog::Flags::Attribute)) return at.mark.begin > at.span.begin && ast_.text[at.mark.begin - 1] == '.';
    return op.id == Op::BitwiseAnd && mark != op.name();  // the links of a chained comparison
  }

  /// x < v for an integer v that x's dtype cannot hold: the same for every x, but of x's shape.
  Typed compare_beyond(Op id, std::size_t literal, std::span<const Typed> args, Span span) {
    const bool above = args[literal].value.integer > 0;
    bool result = id == Op::NotEqual;
    if (id == Op::Less || id == Op::LessEqual) result = above == (literal == 1);
    if (id == Op::Greater || id == Op::GreaterEqual) result = above == (literal == 0);
    const NodeId x = args[1 - literal].node;
    const Op constant = result ? Op::Equal : Op::NotEqual;
    const catalog::Argument types[2] = {{g_[x].dtype}, {g_[x].dtype}};
    const NodeId both[2] = {x, x};
    return {.node = g_.apply(constant, catalog::resolve(constant, types), both, span)};
  }

  /// np.round(a, decimals): scaled, rounded to even, scaled back; integers only to the left of the point.
  Typed round_to(const AstNode& at, std::span<const AstId> children, std::span<Typed> args) {
    const Span span = ast_.nodes[children[1]].span;
    if (args[1].weak != Weak::No && !args[1].is_constant()) throw NeedsValue{args[1].symbol};
    if (!args[1].is_constant() || (args[1].weak != Weak::Int && args[1].weak != Weak::Bool))
      fail<DTypeError>(span, "decimals is a whole number", type_name(args[1], g_), "an array rounds to the same decimals everywhere");
    if (args[1].value.integer > 400 || args[1].value.integer < -400)
      fail<RangeError>(span, "decimals is beyond what floats hold", "here", "valid are -400 to 400");
    const int decimals = static_cast<int>(args[1].value.integer);
    Typed value = strong(args[0], at.span);
    const DType dtype = dtype_of(value);
    const bool whole = is_integer(dtype);
    if (dtype == DType::Bool && decimals != 0)
      fail<DTypeError>(at.span, "booleans have no decimals", "bool", "make numbers of them: round(float64(x), d)");
    if (is_complex(dtype) && decimals != 0) {
      Typed parts[2];
      for (std::size_t i = 0; i < 2; ++i) {
        Typed both[2] = {of(i == 0 ? Op::Real : Op::Imag, at, {value}), args[1]};
        parts[i] = round_to(at, children, both);
      }
      return of(Op::Complex, at, {parts[0], parts[1]});
    }
    if (decimals == 0 || (whole && decimals > 0)) return apply(Op::Round, at, children.first(1), std::span(&value, 1));
    Typed scale[2] = {value, {.weak = Weak::Float, .value = {.kind = Weak::Float, .re = std::pow(10.0, std::abs(decimals))}}};
    scale[0] = apply(decimals > 0 ? Op::Multiply : Op::Divide, at, {}, scale);
    scale[0] = apply(Op::Rint, at, {}, std::span(scale, 1));
    scale[1] = {.weak = Weak::Float, .value = {.kind = Weak::Float, .re = std::pow(10.0, std::abs(decimals))}};
    const Typed result = apply(decimals > 0 ? Op::Divide : Op::Multiply, at, {}, scale);
    return whole ? Typed{.node = cast(result, dtype, at.span)} : result;
  }

  bool is_none(AstId id) const { return ast_.nodes[id].kind == Syntax::NewAxis; }

  /// np.clip with one bound. Of integers, which a Python int may not fit, the other bound is one beyond them all.
  Typed clip_one_side(const AstNode& at, std::span<const AstId> children, std::span<Typed> args) {
    const std::size_t given = is_none(children[1]) ? 2 : 1;
    args[0] = strong(args[0], ast_.nodes[children[0]].span);
    if (is_integer(dtype_of(args[0]))) {
      constexpr Int128 kBeyond = Int128{1} << 70;
      args[3 - given] = {.weak = Weak::Int, .value = {.kind = Weak::Int, .integer = given == 1 ? kBeyond : -kBeyond}};
      return apply(Op::Clip, at, {}, args);
    }
    Typed both[2] = {args[0], args[given]};
    const AstId ids[2] = {children[0], children[given]};
    return apply(given == 1 ? Op::Maximum : Op::Minimum, at, ids, both);
  }

  /// op of values that have a dtype, or of weak constants beside them.
  Typed of(Op op, const AstNode& at, std::initializer_list<Typed> values) {
    Typed args[3];
    std::copy(values.begin(), values.end(), args);
    return apply(op, at, {}, std::span(args, values.size()));
  }

  /// np.nan_to_num(x, copy, nan, posinf, neginf): of complex numbers, part by part; of whole numbers, x.
  Typed nan_to_num(const AstNode& at, std::span<const AstId> children, std::span<Typed> args) {
    const Typed value = strong(args[0], at.span);
    const DType dtype = dtype_of(value);
    if (!is_inexact(dtype)) return value;
    const DType part = real_part(dtype);
    const auto infinity = [&](double sign) {
      return Typed{.weak = Weak::Float, .value = {.kind = Weak::Float, .re = sign * __builtin_inf()}};
    };
    const auto of_part = [&](const Typed& x) {
      Typed result = of(Op::NanToNum, at, {x});
      const Typed tests[] = {of(Op::Isnan, at, {x}), of(Op::Equal, at, {x, infinity(1)}), of(Op::Equal, at, {x, infinity(-1)})};
      for (std::size_t i = 0; i < 3; ++i) {
        if (is_none(children[2 + i])) continue;
        const Typed replacement{.node = cast(args[2 + i], part, ast_.nodes[children[2 + i]].span)};
        result = of(Op::Where, at, {tests[i], replacement, result});
      }
      return result;
    };
    if (!is_complex(dtype)) return of_part(value);
    return of(Op::Complex, at, {of_part(of(Op::Real, at, {value})), of_part(of(Op::Imag, at, {value}))});
  }

  static Value limit_of(DType dtype, bool upper) {
    Value value;
    catalog::limit_scalar(dtype, upper, value.bytes.data());
    return value;
  }

  void check_exponent(NodeId exponent, const AstNode& at, Span span) {
    const Node node = g_[exponent];
    if (node.kind == NodeKind::Constant) {
      const Value& value = g_.values[node.payload];
      std::int64_t v = 0;
      std::memcpy(&v, value.bytes.data(), info(node.dtype).size);
      const unsigned unused = 64 - 8u * info(node.dtype).size;
      if (static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << unused) >= 0) return;
      fail<RangeError>(span, "integers to negative integer powers are not allowed", "this exponent is negative",
                       "make the base a float: float64(x) ** -1");
    }
    NodeId lowest = exponent;
    if (node.rank > 0) {
      lowest = g_.reduce(exponent, catalog::Reduction::Min, {.axes = axes_mask(node.rank), .or_zero = true}, node.dtype, at.mark);
    }
    g_.output(lowest, {.kind = OutputSpec::Kind::Check}, at.mark);
  }
  static std::uint32_t axes_mask(int rank) { return rank >= 32 ? 0xffffffffu : (1u << rank) - 1; }

  // ---- subscripts ---------------------------------------------------------------------------------------------------

  std::int64_t bound(AstId id) const {
    const Typed& t = typed_[id];
    const AstNode& node = ast_.nodes[id];
    if (node.kind == Syntax::Tuple) fail<DTypeError>(node.span, "one integer belongs here", "a tuple");
    if (!t.is_constant() || (t.weak != Weak::Int && t.weak != Weak::Bool)) {
      const std::string type = type_name(t, g_);
      if (t.weak == Weak::No && g_[t.node].rank > 0)
        fail<DTypeError>(
            node.span, "subscripts are slices and integers", fmt::format("{} array", type),
            g_[t.node].dtype == DType::Bool ? "a mask stands alone: a[mask]" : "indexing by arrays of integers is not supported");
      fail<DTypeError>(node.span, "a subscript must be an integer", type, "cast it in Python: int(n)");
    }
    if (t.weak == Weak::Bool) fail<DTypeError>(node.span, "a subscript must be an integer", "a Python bool");
    return static_cast<std::int64_t>(std::clamp<Int128>(t.value.integer, INT64_MIN, INT64_MAX));
  }

  /// The items of a subscript, Ellipsis expanded, missing axes filled.
  std::size_t view_items(std::span<const AstId> subscripts, int rank, Span span, ViewItem* items) const {
    int consumed = 0, added = 0, dropped = 0;
    bool ellipsis = false;
    for (AstId id : subscripts) {
      const Syntax kind = ast_.nodes[id].kind;
      if (kind == Syntax::Ellipsis) {
        if (ellipsis) fail<ShapeError>(ast_.nodes[id].span, "a subscript may have one '...'", "the second");
        ellipsis = true;
      } else if (kind == Syntax::NewAxis) {
        ++added;
      } else {
        ++consumed;
        dropped += kind != Syntax::Slice;
      }
    }
    if (consumed > rank)
      fail<ShapeError>(span, fmt::format("{} subscripts for {} ax{}", consumed, rank, rank == 1 ? "is" : "es"),
                       fmt::format("of an array of rank {}", rank), rank == 0 ? "a scalar has no axes" : "");
    if (rank + added - dropped > kMaxRank) fail<ShapeError>(span, fmt::format("more than {} axes", kMaxRank), "here");
    std::size_t n = 0;
    const auto fill = [&](int count) {
      for (int i = 0; i < count; ++i) items[n++] = ViewItem{};
    };
    for (AstId id : subscripts) {
      const AstNode& node = ast_.nodes[id];
      ViewItem item;
      item.span = node.span;
      if (node.kind == Syntax::Ellipsis) {
        fill(rank - consumed);
        continue;
      }
      if (node.kind == Syntax::NewAxis) {
        item.kind = ViewItem::Kind::New;
      } else if (node.kind == Syntax::Slice) {
        const std::span<const AstId> children = ast_.children_of(node);
        if (children[2] != frontend::kNone) {
          item.step = bound(children[2]);
          if (item.step == 0) fail<ShapeError>(ast_.nodes[children[2]].span, "a slice's step cannot be 0", "here");
        }
        if ((item.has_start = children[0] != frontend::kNone)) item.start = bound(children[0]);
        if ((item.has_stop = children[1] != frontend::kNone)) item.stop = bound(children[1]);
      } else {
        item.kind = ViewItem::Kind::Integer;
        item.start = bound(id);
      }
      items[n++] = item;
    }
    if (!ellipsis) fill(rank - consumed);
    return n;
  }

  NodeId view(NodeId base, std::span<const AstId> subscripts, Span span) {
    ViewItem items[2 * kMaxRank];
    const std::size_t n = view_items(subscripts, g_[base].rank, span, items);
    const bool whole = std::all_of(items, items + n, [](const ViewItem& item) { return item == ViewItem{}; });
    return whole ? base : g_.view(base, false, std::span<const ViewItem>(items, n), span);
  }

  // ---- reductions ---------------------------------------------------------------------------------------------------

  int axis_of(AstId id, int rank, std::uint32_t& seen) const {
    const std::int64_t axis = bound(id);
    if (axis < -rank || axis >= rank)
      fail<ShapeError>(ast_.nodes[id].span, fmt::format("axis {} is out of range", axis), fmt::format("for an array of rank {}", rank),
                       rank == 0 ? "a scalar has no axes" : fmt::format("valid are {} to {}", -rank, rank - 1));
    const int normal = static_cast<int>(axis < 0 ? axis + rank : axis);
    if (seen >> normal & 1u) fail<ShapeError>(ast_.nodes[id].span, fmt::format("axis {} is given twice", axis), "the second time");
    seen |= 1u << normal;
    return normal;
  }

  /// A keyword that is True or False; False where it is absent.
  bool is_true(AstId id, std::string_view keyword) const {
    if (id == frontend::kNone) return false;
    const Typed& given = typed_[id];
    if (!given.is_constant() || (given.weak != Weak::Bool && given.weak != Weak::Int))
      fail<DTypeError>(ast_.nodes[id].span, fmt::format("{} is True or False", keyword), type_name(given, g_));
    return given.value.integer != 0;
  }

  Typed reduce(const AstNode& node) {
    const std::span<const AstId> children = ast_.children_of(node);
    const auto id = static_cast<catalog::Reduction>(node.id);
    const Span arg_span = ast_.nodes[children[0]].span;
    const Typed arg = strong(typed_[children[0]], arg_span);
    const int rank = g_[arg.node].rank;
    ReduceSpec spec;
    if (children[1] == frontend::kNone || ast_.nodes[children[1]].kind == Syntax::NewAxis) {
      spec.axes = axes_mask(rank);
    } else if (ast_.nodes[children[1]].kind == Syntax::Tuple) {
      for (AstId axis : ast_.children_of(ast_.nodes[children[1]])) axis_of(axis, rank, spec.axes);
    } else {
      axis_of(children[1], rank, spec.axes);
    }
    spec.keepdims = is_true(children[2], "keepdims");
    if (children[3] != frontend::kNone) spec.ddof = bound(children[3]);
    spec.bounded = children[4] != frontend::kNone;
    if (catalog::has_moments(id) && is_complex(g_[arg.node].dtype)) return {.node = complex_variance(arg.node, id, spec, node.span)};
    const catalog::ReductionTypes types = catalog::reduction_types(id, g_[arg.node].dtype);
    NodeId value = arg.node;
    if (types.truth) value = g_.cast(value, DType::Bool, node.span);
    value = g_.cast(value, types.accumulator, node.span);
    value = g_.reduce(value, id, spec, types.accumulator, node.span);
    return {.node = g_.cast(value, types.result, node.span)};
  }

  Typed order(const AstNode& node) {
    const std::span<const AstId> children = ast_.children_of(node);
    const auto id = static_cast<catalog::Ordered>(node.id);
    const catalog::OrderedInfo& row = catalog::info(id);
    const Typed arg = strong(typed_[children[frontend::kValue]], ast_.nodes[children[frontend::kValue]].span);
    const int rank = g_[arg.node].rank;
    const AstId axis = children[frontend::kAxis];
    using catalog::Form;
    if (row.form == Form::Shift) return {.node = shift(arg.node, children, node)};
    ReduceSpec spec;
    const bool has_last = row.parameters.find("axis=-1") != std::string_view::npos;
    if (axis == frontend::kNone && has_last) {
      if (rank == 0) fail<ShapeError>(node.span, fmt::format("'{}' needs an axis", row.name), "a scalar has no axes", "give axis=None");
      spec.axes = 1u << (rank - 1);
    } else if (axis == frontend::kNone || ast_.nodes[axis].kind == Syntax::NewAxis) {
      spec.axes = axes_mask(rank);
    } else {
      axis_of(axis, rank, spec.axes);
    }
    spec.exclusive = is_true(children[frontend::kFlag], row.form == Form::Searchsorted ? "right" : "exclusive");
    if (children[frontend::kNumber] != frontend::kNone) spec.number = whole_number(children[frontend::kNumber], row);
    const DType dtype = g_[arg.node].dtype;
    if (is_complex(dtype) && catalog::info(row.form).has(catalog::FormFlags::Real))
      fail<DTypeError>(ast_.nodes[children[frontend::kValue]].span, fmt::format("'{}' does not work on complex numbers", row.name),
                       std::string(name(dtype)), "take .real, .imag or abs(x) first");
    const auto second = [&] { return strong(typed_[children[frontend::kSecond]], ast_.nodes[children[frontend::kSecond]].span).node; };
    switch (row.form) {
      case Form::Select: {
        const Span span = ast_.nodes[children[frontend::kSecond]].span;
        return {.node = select(arg.node, g_.cast(second(), DType::Bool, span), span, node.span)};
      }
      case Form::Nonzero:
        return {.node = nonzero(arg.node, axis, row, node)};
      case Form::Quantile:
        return {.node = quantile(arg.node, spec, children, row, node)};
      case Form::Searchsorted:
        return {.node = searchsorted(arg.node, second(), spec, node)};
      case Form::Bincount:
        return {.node = bincount(arg.node, children[frontend::kSecond] == frontend::kNone ? kNone : second(), spec, node)};
      case Form::Histogram:
      case Form::Edges:
        return {.node = histogram(arg.node, spec, children, row, node)};
      case Form::Partition:
      case Form::Argpartition:
        if (rank == 0) fail<ShapeError>(node.span, fmt::format("'{}' needs an axis", row.name), "a scalar has no axes");
        break;
      case Form::Topk:
      case Form::Argtopk:
        if (rank == 0) fail<ShapeError>(node.span, fmt::format("'{}' needs an axis", row.name), "a scalar has no axes");
        if (spec.number < 0) fail<RangeError>(ast_.nodes[children[frontend::kNumber]].span, "k is negative", "here");
        break;
      default:
        break;
    }
    const catalog::ReductionTypes types = catalog::ordered_types(id, dtype);
    const NodeId value = g_.cast(arg.node, types.accumulator, node.span);
    NodeId args[3] = {value};
    const std::size_t n = catalog::info(row.form).n_arguments;
    const ReduceSpec all{.axes = axes_mask(rank)};
    if (row.form == Form::Unique || row.form == Form::Counts)
      args[0] = g_.order({&value, 1}, catalog::Ordered::Sort, all, types.accumulator, node.span);
    else if (row.form == Form::Firsts || row.form == Form::Inverse)
      args[1] = g_.order({&value, 1}, catalog::Ordered::Argsort, all, DType::Int64, node.span);
    if (args[0] != value) spec.axes = axes_mask(g_[args[0]].rank);
    const DType made = catalog::info(row.form).has(catalog::FormFlags::Places) ? DType::Int64 : types.accumulator;
    return {.node = g_.cast(g_.order({args, n}, id, spec, made, node.span), types.result, node.span)};
  }

  /// Element i is element i - n of the argument: a view.
  NodeId shift(NodeId arg, std::span<const AstId> children, const AstNode& node) {
    const int rank = g_[arg].rank;
    const AstId axis = children[frontend::kAxis];
    if (rank == 0) fail<ShapeError>(node.span, "'shift' needs an axis", "a scalar has no axes");
    std::uint32_t axes = 0;
    if (axis != frontend::kNone && ast_.nodes[axis].kind != Syntax::NewAxis)
      axis_of(axis, rank, axes);
    else if (rank == 1)
      axes = 1;
    else
      fail<ShapeError>(node.span, "'shift' needs an axis", fmt::format("of an array of rank {}", rank), "give axis=0");
    ViewItem item{.kind = ViewItem::Kind::Shift, .span = node.span};
    item.low = item.high = Boundary::Constant;
    if (const AstId word = children[frontend::kFlag]; word != frontend::kNone) {
      item.low = item.high = static_cast<Boundary>(ast_.nodes[word].integer);
      if (item.low == Boundary::Valid || item.low == Boundary::Keep)
        fail<ShapeError>(ast_.nodes[word].span, "'shift' gives as many elements as it gets", "leaves some out",
                         std::string(kShiftBoundaries) + "; engine.stencil knows the others");
    }
    constexpr std::int64_t kFar = std::int64_t{1} << 62;
    item.start = -std::clamp(whole_number(children[frontend::kNumber], catalog::info(catalog::Ordered::Shift)), -kFar, kFar);
    if (item.low == Boundary::Constant) item.value = outside_value(children[frontend::kSecond], g_[arg].dtype);
    if (item.start == 0) return arg;
    std::array<ViewItem, kMaxRank> items{};
    for (int i = 0; i < rank; ++i) items[static_cast<std::size_t>(i)] = axes >> i & 1u ? item : ViewItem{};
    return g_.view(arg, false, std::span(items).first(static_cast<std::size_t>(rank)), node.span);
  }

  /// The value of cval, or zero where it is not given.
  Value outside_value(AstId id, DType dtype) {
    if (id == frontend::kNone) return {};
    const Span span = ast_.nodes[id].span;
    const Typed& t = typed_[id];
    if (!t.is_constant())
      fail<DTypeError>(span, "cval is one number, known before anything runs", type_name(t, g_), "pass a Python number");
    if (!is_of_kind(t.weak, dtype))
      fail<DTypeError>(span, fmt::format("cval does not fit elements of dtype {}", name(dtype)), type_name(t, g_), "cast the array first");
    return g_.values[g_[as_dtype(t, dtype, span)].payload];
  }

  /// Whether a Python number's kind is the dtype's, or a smaller one.
  static bool is_of_kind(Weak weak, DType dtype) {
    const Kind needs = weak == Weak::Complex ? Kind::Complex
                       : weak == Weak::Float ? Kind::Float
                       : weak == Weak::Int   ? Kind::Signed
                                             : Kind::Bool;
    const Kind has_kind = kind(dtype) == Kind::Unsigned ? Kind::Signed : kind(dtype);
    return has_kind >= needs;
  }

  std::int64_t whole_number(AstId id, const catalog::OrderedInfo& row) const {
    const Typed& t = typed_[id];
    if (ast_.nodes[id].kind != Syntax::Tuple && t.is_constant() && t.weak == Weak::Int) return bound(id);
    std::string_view parameter;
    catalog::each_parameter(row.parameters, [&](std::size_t, std::string_view name, bool) {
      if (frontend::order_child(name) == frontend::kNumber) parameter = name;
    });
    const bool is_array = ast_.nodes[id].kind != Syntax::Tuple && t.weak == Weak::No && t.node != kNone && g_[t.node].rank > 0;
    fail<DTypeError>(ast_.nodes[id].span, fmt::format("'{}' is one whole number", parameter),
                     ast_.nodes[id].kind == Syntax::Tuple ? "a tuple" : type_name(t, g_) + (is_array ? " array" : ""),
                     is_array ? "" : "cast it in Python: int(n)");
  }

  NodeId quantile(NodeId arg, const ReduceSpec& spec, std::span<const AstId> children, const catalog::OrderedInfo& row,
                  const AstNode& node) {
    const Span span = ast_.nodes[children[frontend::kSecond]].span;
    const Typed& given = typed_[children[frontend::kSecond]];
    const catalog::ReductionTypes types = catalog::ordered_types(row.id, g_[arg].dtype);
    const bool is_number = given.weak != Weak::Complex && (given.weak != Weak::No || !is_complex(g_[given.node].dtype));
    if (!is_number || (!given.is_constant() && g_[given.node].rank > 0))
      fail<DTypeError>(span, "the fraction is one real number", type_name(given, g_), "take the fractions one by one");
    // As NumPy's: a Python number leaves the array's dtype as it is, another one does not.
    const bool widens = given.weak == Weak::No && kind(types.accumulator) == Kind::Float && g_[given.node].dtype == DType::Float64;
    const DType dtype = widens ? DType::Float64 : types.accumulator;
    NodeId fraction = as_dtype(given, DType::Float64, span);
    if (row.id == catalog::Ordered::Percentile) {
      const NodeId parts[] = {fraction, g_.constant(DType::Float64, Value::of(100.0), span)};
      const catalog::Argument arguments[] = {{DType::Float64}, {DType::Float64}};
      fraction = g_.apply(Op::Divide, catalog::resolve(Op::Divide, arguments), parts, span);
    }
    const NodeId args[] = {g_.cast(arg, dtype, node.span), fraction};
    return g_.cast(g_.order(args, catalog::Ordered::Quantile, spec, dtype, node.span), widens ? dtype : types.result, node.span);
  }

  NodeId searchsorted(NodeId sorted, NodeId values, ReduceSpec spec, const AstNode& node) {
    if (g_[sorted].rank != 1) fail<ShapeError>(node.span, fmt::format("what is searched has one axis, not {}", g_[sorted].rank), "here");
    const catalog::ReductionTypes types =
        catalog::ordered_types(catalog::Ordered::Searchsorted, promote(g_[sorted].dtype, g_[values].dtype));
    const NodeId args[] = {g_.cast(sorted, types.accumulator, node.span), g_.cast(values, types.accumulator, node.span)};
    return g_.order(args, catalog::Ordered::Searchsorted, spec, DType::Int64, node.span);
  }

  NodeId bincount(NodeId x, NodeId weights, const ReduceSpec& spec, const AstNode& node) {
    if (is_inexact(g_[x].dtype))
      fail<DTypeError>(node.span, "'bincount' counts whole numbers", std::string(name(g_[x].dtype)), "cast them: int64(x)");
    if (g_[x].rank != 1)
      fail<ShapeError>(node.span, fmt::format("'bincount' takes one axis, not {}", g_[x].rank), "here", "count slices of it");
    if (spec.number < 0) fail<RangeError>(node.span, "minlength is negative", "here");
    NodeId args[] = {g_.cast(x, DType::Int64, node.span), kNone};
    if (weights == kNone) return g_.order({args, 1}, catalog::Ordered::Bincount, spec, DType::Int64, node.span);
    if (is_complex(g_[weights].dtype))
      fail<DTypeError>(node.span, "weights are real numbers", std::string(name(g_[weights].dtype)), "take .real and .imag one by one");
    if (g_[weights].rank != 1)
      fail<ShapeError>(node.span, fmt::format("weights have the axis of what they weigh, not {}", g_[weights].rank), "here");
    args[1] = g_.cast(weights, DType::Float64, node.span);
    return g_.order(args, catalog::Ordered::Bincount, spec, DType::Float64, node.span);
  }

  /// The counts, or the edges. Without a range the bounds are the smallest and the largest element.
  NodeId histogram(NodeId arg, ReduceSpec spec, std::span<const AstId> children, const catalog::OrderedInfo& row, const AstNode& node) {
    constexpr std::int64_t kMostBins = std::int64_t{1} << 31;
    if (children[frontend::kNumber] == frontend::kNone) spec.number = 10;
    if (spec.number < 1 || spec.number > kMostBins)
      fail<RangeError>(node.span, fmt::format("{} bins", spec.number), "here", "from 1 to 2^31 are valid");
    const catalog::ReductionTypes types = catalog::ordered_types(catalog::Ordered::Histogram, g_[arg].dtype);
    const DType edges = types.accumulator == DType::Float32 ? DType::Float32 : DType::Float64;
    const NodeId values = g_.cast(arg, types.accumulator, node.span);
    NodeId bounds[2];
    if (const AstId range = children[frontend::kRange]; range != frontend::kNone) {
      const std::span<const AstId> parts = ast_.children_of(ast_.nodes[range]);
      if (ast_.nodes[range].kind != Syntax::Tuple || parts.size() != 2)
        fail<DTypeError>(ast_.nodes[range].span, "range is a pair of numbers", "here", "write range=(0, 1)");
      for (std::size_t i = 0; i < 2; ++i) {
        const Span span = ast_.nodes[parts[i]].span;
        const NodeId value = strong(typed_[parts[i]], span).node;
        if (g_[value].rank > 0 || is_complex(g_[value].dtype))
          fail<DTypeError>(span, "a bound is one real number", fmt::format("{} of rank {}", name(g_[value].dtype), g_[value].rank));
        bounds[i] = g_.cast(value, DType::Float64, span);
      }
      spec.exclusive = true;
    } else {
      for (const catalog::Reduction pick : {catalog::Reduction::Min, catalog::Reduction::Max}) {
        const ReduceSpec all{.axes = axes_mask(g_[values].rank), .or_zero = true};
        const NodeId bound = g_[values].rank ? g_.reduce(values, pick, all, types.accumulator, node.span) : values;
        bounds[pick == catalog::Reduction::Max] = g_.cast(bound, DType::Float64, node.span);
      }
    }
    if (row.form == catalog::Form::Edges) {
      ++spec.number;
      spec.axes = 0;
      const NodeId args[] = {g_.cast(bounds[0], edges, node.span), g_.cast(bounds[1], edges, node.span)};
      return g_.cast(g_.order(args, row.id, spec, edges, node.span), types.result == DType::Float16 ? DType::Float16 : edges, node.span);
    }
    const NodeId args[] = {values, bounds[0], bounds[1]};
    return g_.order(args, row.id, spec, DType::Int64, node.span);
  }

  /// a[condition]: the condition is of the leading axes of `value`.
  NodeId select(NodeId value, NodeId condition, Span condition_span, Span span) {
    const int rank = g_[condition].rank;
    if (rank == 0)
      fail<ShapeError>(condition_span, "a condition needs an axis", "a scalar",
                       "to choose between whole values, use where(condition, x, y)");
    if (g_[value].rank < rank)
      fail<ShapeError>(condition_span, fmt::format("a condition of rank {} for a value of rank {}", rank, g_[value].rank), "the condition",
                       "the condition is of the leading axes of what it picks from");
    return pick(value, condition, span);
  }

  /// The same; `value` may be of fewer axes, which then are the trailing ones of the condition.
  NodeId pick(NodeId value, NodeId condition, Span span) {
    ReduceSpec spec{.axes = axes_mask(g_[value].rank)};
    spec.rest = static_cast<std::uint8_t>(std::max(0, g_[value].rank - g_[condition].rank));
    const NodeId args[] = {value, before(condition, spec.rest, g_[condition].span)};
    return g_.order(args, catalog::Ordered::Compress, spec, g_[value].dtype, span);
  }

  /// With so many axes of length one behind its own.
  NodeId before(NodeId condition, std::size_t rest, Span span) {
    if (rest == 0) return condition;
    std::array<ViewItem, kMaxRank> items{};
    const std::size_t rank = g_[condition].rank;
    std::fill_n(items.begin() + static_cast<std::ptrdiff_t>(rank), rest, ViewItem{.kind = ViewItem::Kind::New});
    return g_.view(condition, false, std::span(items).first(rank + rest), span);
  }

  NodeId nonzero(NodeId arg, AstId axis, const catalog::OrderedInfo& row, const AstNode& node) {
    const int rank = g_[arg].rank;
    if (rank == 0) fail<ShapeError>(node.span, fmt::format("'{}' needs an axis", row.name), "a scalar has no axes");
    std::uint32_t place = kWholePosition + static_cast<std::uint32_t>(rank);
    if (row.id == catalog::Ordered::Nonzero) {
      std::uint32_t axes = 0;
      if (axis != frontend::kNone && is_none(axis)) fail<DTypeError>(ast_.nodes[axis].span, "one axis belongs here", "None");
      place = static_cast<std::uint32_t>(rank - (axis == frontend::kNone ? 0 : axis_of(axis, rank, axes)));
    }
    return pick(g_.apply(Op::Index, 0, {}, node.span, place), g_.cast(arg, DType::Bool, node.span), node.span);
  }

  /// Whether a subscript is a mask.
  bool is_mask(AstId id) const {
    const Syntax kind = ast_.nodes[id].kind;
    if (kind == Syntax::Slice || kind == Syntax::NewAxis || kind == Syntax::Ellipsis || kind == Syntax::Tuple) return false;
    const Typed& t = typed_[id];
    return t.weak == Weak::No && t.node != kNone && g_[t.node].dtype == DType::Bool && g_[t.node].rank > 0;
  }

  /// A value in which what was picked by the condition stands where it came from; kNone where it is not made of such alone.
  NodeId in_place_of(NodeId value, NodeId condition) {
    std::pmr::vector<NodeId> map(static_cast<std::size_t>(value) + 1, kNone, typed_.get_allocator());
    std::pmr::vector<std::uint8_t> used(static_cast<std::size_t>(value) + 1, 0, typed_.get_allocator());
    used[value] = 1;
    const auto is_picked = [&](const Node& node) {
      return node.kind == NodeKind::Reduce && g_.reduces[node.payload].ordered && g_.reduces[node.payload].rest == 0 &&
             static_cast<catalog::Ordered>(node.op) == catalog::Ordered::Compress && node.args[1] == condition;
    };
    for (NodeId id = value + 1; id-- > 0;)
      if (used[id] && g_[id].rank > 0 && !is_picked(g_[id]))
        for (NodeId arg : g_.args(g_[id])) used[arg] = 1;
    for (NodeId id = 0; id <= value; ++id) {
      if (!used[id]) continue;
      const Node node = g_[id];
      std::array<NodeId, 3> args{};
      for (std::size_t i = 0; i < node.n_args; ++i) args[i] = map[node.args[i]];
      const bool whole = std::find(args.begin(), args.begin() + node.n_args, kNone) == args.begin() + node.n_args;
      if (node.rank == 0)
        map[id] = id;
      else if (is_picked(node))
        map[id] = node.args[0];
      else if (node.kind == NodeKind::Cast && whole)
        map[id] = g_.cast(args[0], node.dtype, node.span);
      else if (node.kind == NodeKind::Apply && node.n_args && whole)
        map[id] = g_.apply(static_cast<Op>(node.op), node.loop, {args.data(), node.n_args}, node.span, node.payload);
    }
    return map[value];
  }

  /// The variances of real and imaginary part, added; an element of which either part is NaN is NaN.
  NodeId complex_variance(NodeId z, catalog::Reduction id, const ReduceSpec& spec, Span span) {
    const auto apply = [&](Op op, std::initializer_list<NodeId> args) {
      std::array<DType, 3> dtypes{};
      std::size_t n = 0;
      for (NodeId arg : args) dtypes[n++] = g_[arg].dtype;
      const std::span<const catalog::Loop> loops = catalog::loops(op);
      int loop = 0;
      while (!std::equal(dtypes.begin(), dtypes.begin() + static_cast<std::ptrdiff_t>(n), loops[static_cast<std::size_t>(loop)].in.begin()))
        ++loop;
      return g_.apply(op, loop, std::span(args.begin(), args.size()), span);
    };
    const DType real = real_part(g_[z].dtype);
    NodeId sum = kNone;
    for (const Op part : {Op::Real, Op::Imag}) {
      NodeId value = apply(part, {z});
      if (id == catalog::Reduction::Nanvar) {
        const NodeId nan = g_.constant(real, real == DType::Float32 ? Value::of(__builtin_nanf("")) : Value::of(__builtin_nan("")), span);
        value = apply(Op::Where, {apply(Op::Isnan, {z}), nan, value});
      }
      const NodeId variance = g_.reduce(value, id, spec, real, span);
      sum = sum == kNone ? variance : apply(Op::Add, {sum, variance});
    }
    return sum;
  }

  // ---- positions ----------------------------------------------------------------------------------------------------

  /// Ranks of a statement's nodes before they are typed, and the scope each index() belongs to.
  void position_scopes(const Statement& s, std::pmr::vector<int>& scope_rank) {
    const std::uint32_t first = s.first_node, n = s.end_node - first;
    std::pmr::vector<int> rank(n, 0, typed_.get_allocator());
    std::pmr::vector<std::uint8_t> makes_positions(n, 0, typed_.get_allocator());  // of the rank of what is around them
    const auto rank_of = [&](AstId id) { return id == frontend::kNone ? 0 : rank[id - first]; };
    const auto count_subscripts = [&](int base, std::span<const AstId> subscripts) {
      for (AstId id : subscripts) {
        const AstNode& item = ast_.nodes[id];
        if (item.kind == Syntax::NewAxis)
          ++base;
        else if (item.kind == Syntax::Slice || item.kind == Syntax::Ellipsis)
          continue;
        else if (subscripts.size() == 1 && makes_positions[id - first])
          base = 1;  // a mask of all axes
        else
          base -= subscripts.size() == 1 && rank_of(id) > 0 ? rank_of(id) - 1 : 1;  // a mask, an integer
      }
      return std::max(base, 0);
    };
    for (std::uint32_t i = 0; i < n; ++i) {
      const AstNode& node = ast_.nodes[first + i];
      const std::span<const AstId> children = ast_.children_of(node);
      switch (node.kind) {
        case Syntax::Name: {
          const State& state = states_[node.id];
          if (state.kind == State::Kind::Value)
            rank[i] = state.value.node == kNone ? 0 : g_[state.value.node].rank;
          else if (state.kind == State::Kind::Slot)
            rank[i] = g_.slots[state.slot].rank;
          else if (present_[node.id])
            rank[i] = operands_[node.id].rank;
          break;
        }
        case Syntax::Subscript:
          rank[i] = stencil_ ? rank_of(children[0]) : count_subscripts(rank_of(children[0]), children.subspan(1));
          break;
        case Syntax::Reduce: {
          const bool all = children[1] == frontend::kNone || ast_.nodes[children[1]].kind == Syntax::NewAxis;
          const bool keeps =
              children[2] != frontend::kNone && ast_.nodes[children[2]].kind == Syntax::Boolean && ast_.nodes[children[2]].integer;
          const int reduced = all                                             ? rank_of(children[0])
                              : ast_.nodes[children[1]].kind == Syntax::Tuple ? static_cast<int>(ast_.nodes[children[1]].count)
                                                                              : 1;
          rank[i] = keeps ? rank_of(children[0]) : std::max(0, rank_of(children[0]) - reduced);
          break;
        }
        case Syntax::Order: {
          const catalog::Form form = catalog::info(static_cast<catalog::Ordered>(node.id)).form;
          const AstId axis = children[frontend::kAxis];
          const bool scans = form == catalog::Form::Scan;
          const bool all = axis == frontend::kNone ? scans : ast_.nodes[axis].kind == Syntax::NewAxis;
          const bool none = axis == frontend::kNone || ast_.nodes[axis].kind == Syntax::NewAxis;
          const catalog::Extent extent = catalog::info(form).extent;
          if (form == catalog::Form::Select)
            rank[i] = std::max(1, rank_of(children[0]) - rank_of(children[frontend::kSecond]) + 1);
          else if (extent == catalog::Extent::Found || extent == catalog::Extent::Number || form == catalog::Form::Nonzero)
            rank[i] = 1;
          else if (extent == catalog::Extent::First)
            rank[i] = rank_of(children[0]);
          else if (extent == catalog::Extent::Second)
            rank[i] = rank_of(children[frontend::kSecond]);
          else if (extent == catalog::Extent::Reduced)
            rank[i] = none ? 0 : rank_of(children[0]) - 1;
          else
            rank[i] = all ? 1 : rank_of(children[0]);
          break;
        }
        case Syntax::Position:
          makes_positions[i] = 1;
          break;
        case Syntax::Apply:
        case Syntax::Cast:
        case Syntax::Transpose:
          for (AstId child : children) {
            rank[i] = std::max(rank[i], rank_of(child));
            if (child != frontend::kNone) makes_positions[i] |= makes_positions[child - first];
          }
          break;
        default:
          break;
      }
    }
    int outer = rank_of(s.value);
    if (s.target != frontend::kNone && (s.subscripted || s.augmented >= 0 || options_.blitz)) {
      const State& state = states_[s.target];
      int target = state.kind == State::Kind::Value  ? (state.value.node == kNone ? 0 : g_[state.value.node].rank)
                   : state.kind == State::Kind::Slot ? g_.slots[state.slot].rank
                   : present_[s.target]              ? operands_[s.target].rank
                                                     : 0;
      if (s.subscripted) target = count_subscripts(target, {ast_.children.data() + s.first_subscript, s.n_subscripts});
      outer = std::max(outer, target);
    }
    scope_rank.assign(n, -1);
    if (s.value >= first) scope_rank[s.value - first] = outer;
    for (std::uint32_t i = n; i-- > 0;) {
      const AstNode& node = ast_.nodes[first + i];
      const std::span<const AstId> children = ast_.children_of(node);
      for (std::size_t c = 0; c < children.size(); ++c) {
        if (children[c] == frontend::kNone) continue;
        const bool is_mask = node.kind == Syntax::Subscript && c == 1 && children.size() == 2 &&
                             (rank_of(children[c]) > 0 || makes_positions[children[c] - first]);
        const bool picks = is_mask || (node.kind == Syntax::Order && c == frontend::kSecond);
        const bool own = picks || (c == 0 && (node.kind == Syntax::Reduce || node.kind == Syntax::Order || node.kind == Syntax::Subscript));
        int& scope = scope_rank[children[c] - first];
        const int around = is_mask && makes_positions[children[c] - first] ? rank_of(children[0]) : rank_of(children[c]);
        scope = std::max(scope, own ? around : scope_rank[i]);
      }
    }
  }

  Typed position(const AstNode& node, int scope_rank) {
    const AstId child = ast_.children[node.first];
    if (scope_rank <= 0)
      fail<ShapeError>(node.span, "nothing gives index() a shape", "here", "combine it with an array, or write into a slice of one");
    if (child == frontend::kNone || ast_.nodes[child].kind == Syntax::NewAxis)  // counted in C order over all axes of the scope
      return {.node = g_.apply(static_cast<Op>(node.id), 0, {}, node.span, kWholePosition + static_cast<std::uint32_t>(scope_rank))};
    const std::int64_t axis = bound(child);
    if (axis < -scope_rank || axis >= scope_rank)
      fail<ShapeError>(ast_.nodes[child].span, fmt::format("axis {} is out of range", axis),
                       fmt::format("the result has rank {}", scope_rank), fmt::format("valid are {} to {}", -scope_rank, scope_rank - 1));
    const std::int64_t from_end = axis < 0 ? -axis : scope_rank - axis;
    return {.node = g_.apply(static_cast<Op>(node.id), 0, {}, node.span, static_cast<std::uint32_t>(from_end))};
  }

  // ---- statements ---------------------------------------------------------------------------------------------------

  void visit(AstId id, int scope_rank) {
    const AstNode& node = ast_.nodes[id];
    const std::span<const AstId> children = ast_.children_of(node);
    const bool bound = !in_bound_.empty() && in_bound_[id];
    Typed& t = typed_[id];
    switch (node.kind) {
      case Syntax::Integer:
        t.weak = t.value.kind = Weak::Int;
        t.value.integer = static_cast<Int128>(node.integer);
        break;
      case Syntax::Float:
        t.weak = t.value.kind = Weak::Float;
        t.value.re = node.real;
        break;
      case Syntax::Imaginary:
        t = {.weak = Weak::Complex, .value = {.kind = Weak::Complex, .im = node.real}};
        break;
      case Syntax::Boolean:
        t = {.weak = Weak::Bool, .value = {.kind = Weak::Bool, .integer = static_cast<Int128>(node.integer)}};
        break;
      case Syntax::String:
        fail<DTypeError>(node.span, "no operand holds strings", "a string", "dtypes are bool, integers, floats and complex");
      case Syntax::Name:
        t = name_value(node, bound);
        break;
      case Syntax::Apply: {
        Typed args[5];
        for (std::size_t i = 0; i < children.size(); ++i) args[i] = typed_[children[i]];
        const auto op = static_cast<Op>(node.id);
        const std::span<Typed> all(args, children.size());
        if (node.integer) all.back() = initial(all.back(), dtype_of(all[all.size() - 2]), ast_.nodes[children.back()].span);
        if (op == Op::NanToNum && all.size() > 1)
          t = nan_to_num(node, children, all);
        else if (op == Op::Clip && (is_none(children[1]) || is_none(children[2])))
          t = clip_one_side(node, children, all);
        else
          t = apply(op, node, children, all);
        break;
      }
      case Syntax::Position:
        t = position(node, scope_rank);
        break;
      case Syntax::Reduce:
        t = reduce(node);
        break;
      case Syntax::Order:
        t = order(node);
        break;
      case Syntax::Cast:
        t = {.node = cast(typed_[children[0]], static_cast<DType>(node.id), node.span)};
        break;
      case Syntax::Subscript: {
        const Typed& base = typed_[children[0]];
        if (base.weak != Weak::No) fail<ShapeError>(node.mark, "a scalar has no axes to index", type_name(base, g_));
        if (stencil_)
          t = {.node = neighbour(base.node, node)};
        else if (children.size() == 2 && is_mask(children[1]))
          t = {.node = select(base.node, typed_[children[1]].node, ast_.nodes[children[1]].span, node.span)};
        else
          t = {.node = view(base.node, children.subspan(1), node.mark)};
        break;
      }
      case Syntax::Transpose: {
        if (stencil_) fail<ShapeError>(node.mark, "a stencil keeps the axes where they are", "here", "transpose the array that is passed");
        const Typed base = strong(typed_[children[0]], node.span);
        t = {.node = g_[base.node].rank < 2 ? base.node : g_.view(base.node, true, {}, node.span)};
        break;
      }
      case Syntax::Slice:
      case Syntax::NewAxis:
      case Syntax::Ellipsis:
      case Syntax::Tuple:
      case Syntax::Word:
      case Syntax::DTypeName:
      case Syntax::Target:
        break;
    }
  }

  void statement(const Statement& s, bool last) {
    std::pmr::vector<int> scopes(typed_.get_allocator());
    bool positions = false;
    for (std::uint32_t id = s.first_node; id < s.end_node; ++id) positions = positions || ast_.nodes[id].kind == Syntax::Position;
    if (positions) position_scopes(s, scopes);
    for (AstId id = s.first_node; id < s.end_node; ++id) visit(id, positions ? scopes[id - s.first_node] : 0);
    const Span span = ast_.nodes[s.value].span;
    Typed value = typed_[s.value];
    if (s.target == frontend::kNone) {
      if (last) g_.output(strong(value, span).node, {.kind = OutputSpec::Kind::Result}, span);
      return;
    }
    State& state = states_[s.target];
    const bool outside = state.kind == State::Kind::Outside;
    const bool in_place = s.subscripted || s.augmented >= 0 || options_.blitz;
    if (!in_place) {
      state = {State::Kind::Value, value, 0};
      if (last) g_.output(strong(value, span).node, {.kind = OutputSpec::Kind::Result}, span);
      return;
    }
    if (outside) {
      if (!present_[s.target]) unknown(s.target_span, ast_.symbols[s.target]);
      if (operands_[s.target].weak != Weak::No)
        fail<DTypeError>(s.target_span, fmt::format("'{}' is a Python scalar: nothing can be written into it", ast_.symbols[s.target]),
                         type_name({.weak = operands_[s.target].weak}, g_), "pass an array, or assign to a new name");
      return store(s, result_.slot_of_symbol[s.target], value, last);
    }
    if (s.subscripted) {
      if (state.kind == State::Kind::Value) make_local(s, state);
      return store(s, state.slot, value, last);
    }
    // Augmented assignment to a name of the program: a new value, of the same dtype.
    Typed current =
        state.kind == State::Kind::Slot ? Typed{.node = g_.input(state.slot, versions_[state.slot], s.target_span)} : state.value;
    Typed updated = s.augmented >= 0 ? combine(s, current, value) : value;
    if (current.weak == Weak::No && s.augmented >= 0) {
      check_casting(s, updated, g_[current.node].dtype);
      updated = {.node = as_dtype(updated, g_[current.node].dtype, span)};
    }
    state = {State::Kind::Value, updated, 0};
    if (last) g_.output(strong(updated, span).node, {.kind = OutputSpec::Kind::Result}, span);
  }

  Typed combine(const Statement& s, const Typed& target, const Typed& value) {
    Typed args[2] = {target, value};
    const std::string_view symbol = catalog::info(static_cast<Op>(s.augmented)).spelling.symbol;
    (void)symbol;
    AstNode at{.kind = Syntax::Target, .span = s.span, .mark = s.span};
    return apply(static_cast<Op>(s.augmented), at, {}, args);
  }

  void make_local(const Statement& s, State& state) {
    const NodeId value = strong(state.value, s.target_span).node;
    const auto slot = static_cast<std::uint32_t>(g_.slots.size());
    g_.slots.push_back({.name = ast_.symbols[s.target],
                        .dtype = g_[value].dtype,
                        .rank = g_[value].rank,
                        .local = true,
                        .written = true,
                        .span = s.target_span});
    versions_.push_back(0);
    g_.output(value, {.kind = OutputSpec::Kind::Store, .slot = slot}, s.target_span);
    advance_versions(slot);
    state = {State::Kind::Slot, {}, slot};
  }

  void advance_versions(std::uint32_t slot) {
    if (!g_.aliased) {
      ++versions_[slot];
      return;
    }
    for (std::uint32_t& version : versions_) ++version;
  }

  void check_casting(const Statement& s, const Typed& value, DType target) const {
    const Span span = ast_.nodes[s.value].span;
    bool allowed;
    if (value.weak == Weak::No) {
      allowed = can_cast(g_[value.node].dtype, target, options_.casting);
    } else {
      // A literal takes any dtype of its kind or a larger kind.
      allowed = is_of_kind(value.weak, target) || options_.casting == Casting::Unsafe;
    }
    if (allowed) return;
    throw DTypeError(
        {.what = fmt::format("cannot write {} into '{}' of dtype {}", type_name(value, g_), ast_.symbols[s.target], name(target)),
         .labels = {{s.target_span, std::string(name(target))}, {span, type_name(value, g_)}},
         .help = fmt::format("cast the value: {}(…), or pass casting=\"unsafe\"", name(target)),
         .text = std::string(ast_.text)});
  }

  void store(const Statement& s, std::uint32_t slot, Typed value, bool last) {
    const Span span = ast_.nodes[s.value].span;
    const NodeId input = g_.input(slot, versions_[slot], s.target_span);
    NodeId target = input;
    const AstId mask =
        s.n_subscripts == 1 && is_mask(ast_.children[s.first_subscript]) ? ast_.children[s.first_subscript] : frontend::kNone;
    const bool views = s.subscripted && mask == frontend::kNone;
    if (views) target = view(input, {ast_.children.data() + s.first_subscript, s.n_subscripts}, s.target_span);
    NodeId condition = kNone;
    if (mask != frontend::kNone) {
      condition = typed_[mask].node;
      if (g_[condition].rank > g_[target].rank)
        fail<ShapeError>(ast_.nodes[mask].span,
                         fmt::format("a mask of rank {} for an array of rank {}", g_[condition].rank, g_[target].rank), "the mask");
      if (!value.is_constant() && g_[value.node].rank > 0) {
        value.node = in_place_of(value.node, condition);
        if (value.node == kNone)
          fail<ShapeError>(span, "what is written through a mask must be a scalar, or picked by the same mask", "an array",
                           "write target[mask] = x[mask], or where(mask, x, target)");
      }
    }
    if (s.augmented >= 0) value = combine(s, {.node = target}, value);
    const DType dtype = g_.slots[slot].dtype;
    check_casting(s, value, dtype);
    NodeId node = as_dtype(value, dtype, span);
    if (condition != kNone) {
      const NodeId args[] = {before(condition, static_cast<std::size_t>(g_[target].rank - g_[condition].rank), s.target_span), node,
                             target};
      const catalog::Argument types[] = {{DType::Bool}, {dtype}, {dtype}};
      node = g_.apply(Op::Where, catalog::resolve(Op::Where, types), args, s.span);
    }
    if (g_[node].rank > g_[target].rank)
      fail<ShapeError>(span, fmt::format("a value of rank {} does not fit a target of rank {}", g_[node].rank, g_[target].rank),
                       "the value", "the target never stretches");
    g_.slots[slot].written = true;
    g_.output(node,
              {.kind = OutputSpec::Kind::Store,
               .slot = slot,
               .target = target == input ? kNone : target,
               .returns_target = last && !g_.slots[slot].local},
              s.span);
    advance_versions(slot);
    if (last && g_.slots[slot].local) {
      NodeId whole = g_.input(slot, versions_[slot], s.target_span);
      if (views) whole = view(whole, {ast_.children.data() + s.first_subscript, s.n_subscripts}, s.target_span);
      g_.output(whole, {.kind = OutputSpec::Kind::Result}, s.span);
    }
  }

  // ---- stencils -----------------------------------------------------------------------------------------------------

  static bool finds_nothing(Boundary side) { return side == Boundary::Valid || side == Boundary::Keep; }

  const Beyond& beyond(std::string_view field) const {
    for (const auto& [name, own] : stencil_->options->fields)
      if (name == field) return own;
    return stencil_->options->beyond;
  }

  Sides sides_of(const Beyond& beyond, int axis, int rank, Span span) const {
    if (beyond.sides.size() == 1) return beyond.sides[0];
    if (beyond.sides.size() != static_cast<std::size_t>(rank))
      fail<ShapeError>(span, fmt::format("boundaries of {} axes for an array of rank {}", beyond.sides.size(), rank), "here",
                       "give one for each axis, or one for all");
    return beyond.sides[static_cast<std::size_t>(axis)];
  }

  /// The name that stands before a subscript, if one does.
  std::string_view name_before(const AstNode& subscript) const {
    const AstNode& base = ast_.nodes[ast_.children[subscript.first]];
    return base.kind == Syntax::Name ? ast_.symbols[base.id] : std::string_view{};
  }

  std::int64_t offset(AstId id) const {
    const AstNode& node = ast_.nodes[id];
    if (node.kind == Syntax::Slice || node.kind == Syntax::NewAxis || node.kind == Syntax::Ellipsis)
      fail<ShapeError>(node.span, "in a stencil subscripts are offsets: whole numbers", "here",
                       "write a[-1, 0] for the element above; evaluate() takes slices");
    const std::int64_t offset = bound(id);
    constexpr std::int64_t kFar = std::int64_t{1} << 31;
    if (offset < -kFar || offset > kFar) fail<ShapeError>(node.span, fmt::format("an offset of {}", offset), "further than any neighbour");
    return offset;
  }

  /// a[-1, 0]: a view.
  NodeId neighbour(NodeId base, const AstNode& node) {
    const std::span<const AstId> offsets = ast_.children_of(node).subspan(1);
    const int rank = g_[base].rank;
    if (static_cast<int>(offsets.size()) != rank)
      fail<ShapeError>(
          node.mark, fmt::format("{} offset{} for {} ax{}", offsets.size(), offsets.size() == 1 ? "" : "s", rank, rank == 1 ? "is" : "es"),
          fmt::format("of an array of rank {}", rank), "give one offset for each axis, 0 for none");
    const Beyond& outside = beyond(name_before(node));
    std::array<ViewItem, kMaxRank> items{};
    bool moves = false;
    for (int axis = 0; axis < rank; ++axis) {
      ViewItem& item = items[static_cast<std::size_t>(axis)];
      item.start = offset(offsets[static_cast<std::size_t>(axis)]);
      if (item.start == 0) continue;
      moves = true;
      const Sides sides = sides_of(outside, axis, rank, node.mark);
      item.kind = ViewItem::Kind::Shift;
      item.low = sides.low;
      item.high = sides.high;
      item.span = node.span;
      if (item.has_constant()) item.value = cval(outside, g_[base].dtype, node.span);
    }
    return moves ? g_.view(base, false, std::span(items).first(static_cast<std::size_t>(rank)), node.span) : base;
  }

  Value cval(const Beyond& outside, DType dtype, Span span) const {
    const double c = outside.cval;
    WeakValue value{.kind = Weak::Float, .re = c};
    if (outside.cval_imag != 0) {
      value = {.kind = Weak::Complex, .re = c, .im = outside.cval_imag};
    } else if (c == __builtin_trunc(c) && c >= -0x1p63 && c < 0x1p64 && !is_inexact(dtype)) {
      const bool is_truth = dtype == DType::Bool && (c == 0 || c == 1);
      value = {.kind = is_truth ? Weak::Bool : Weak::Int, .integer = static_cast<Int128>(c)};
    }
    Value bits;
    if (!is_of_kind(value.kind, dtype) || !weak_convert(value, dtype, bits))
      fail<DTypeError>(span, fmt::format("cval does not fit elements of dtype {}", name(dtype)), "read here", "cast the array first");
    return bits;
  }

  /// All statements read what the fields were. A bare expression is the value, or the field that it reads at offsets.
  void stencil() {
    struct Update {
      std::uint32_t symbol;
      Typed value;
      const Statement* statement;
    };
    std::pmr::vector<Update> updates(typed_.get_allocator());
    const Statement* bare = nullptr;
    Statement made;
    for (const Statement& s : ast_.statements) {
      std::pmr::vector<int> scopes(typed_.get_allocator());
      bool positions = false;
      for (std::uint32_t id = s.first_node; id < s.end_node; ++id) positions = positions || ast_.nodes[id].kind == Syntax::Position;
      if (positions) position_scopes(s, scopes);
      for (AstId id = s.first_node; id < s.end_node; ++id) visit(id, positions ? scopes[id - s.first_node] : 0);
      bare = s.target == frontend::kNone ? &s : nullptr;
      if (bare) continue;
      for (std::uint32_t k = 0; k < s.n_subscripts; ++k)
        if (offset(ast_.children[s.first_subscript + k]) != 0)
          fail<ShapeError>(s.target_span, "a stencil makes the element it stands at", "an offset",
                           fmt::format("write {} = …", ast_.symbols[s.target]));
      if (!present_[s.target]) {
        State& state = states_[s.target];
        if (s.augmented >= 0 && state.kind == State::Kind::Outside) unknown(s.target_span, ast_.symbols[s.target]);
        state = {State::Kind::Value, s.augmented >= 0 ? combine(s, state.value, typed_[s.value]) : typed_[s.value], 0};
        bare = &s;
        continue;
      }
      for (const Update& other : updates)
        if (other.symbol == s.target)
          fail<ParseError>(s.target_span, fmt::format("'{}' is updated twice", ast_.symbols[s.target]), "the second time",
                           "all statements are one update: give a part of it another name");
      if (operands_[s.target].weak != Weak::No)
        fail<DTypeError>(s.target_span, fmt::format("'{}' is a Python scalar: it is no field", ast_.symbols[s.target]), "updated here",
                         "pass an array");
      Typed value = typed_[s.value];
      if (s.augmented >= 0) value = combine(s, {.node = field_before(s.target, s.target_span)}, value);
      updates.push_back({s.target, value, &s});
    }
    if (bare && !updates.empty() && bare->target == frontend::kNone)
      fail<ParseError>(ast_.nodes[bare->value].span, "a stencil that updates fields has no other value", "here",
                       "give it a name, or leave it out");
    if (bare && updates.empty() && stencil_->repeats) {
      made = *bare;
      made.target = only_field(*bare);
      made.augmented = -1;
      made.target_span = made.span = ast_.nodes[bare->value].span;
      updates.push_back({made.target, bare->target == frontend::kNone ? typed_[bare->value] : states_[bare->target].value, &made});
    }
    std::pmr::vector<NodeId> roots(typed_.get_allocator());
    if (bare && updates.empty()) {
      const Span span = ast_.nodes[bare->value].span;
      const Typed value = bare->target == frontend::kNone ? typed_[bare->value] : states_[bare->target].value;
      roots.push_back(strong(value, span).node);
      find_rims(roots);
      if (const auto& kept = result_.targets.kept; !kept.empty())
        fail<ShapeError>(span, "what keeps its elements has to be a field", "the value of the text",
                         "write field = …, or read one field at offsets");
      g_.output(within(roots[0], result_.targets.lacking, span), {.kind = OutputSpec::Kind::Result}, span);
      return;
    }
    g_.apart = true;
    for (Update& update : updates) {
      const OperandType& field = operands_[update.symbol];
      const Span span = ast_.nodes[update.statement->value].span;
      check_casting(*update.statement, update.value, field.dtype);
      const NodeId node = as_dtype(update.value, field.dtype, span);
      if (g_[node].rank > field.rank)
        fail<ShapeError>(span, fmt::format("a value of rank {} does not fit a field of rank {}", g_[node].rank, field.rank), "the value",
                         "the field never stretches");
      update.value = {.node = node};
      roots.push_back(node);
    }
    find_rims(roots);
    for (const Update& update : updates) {
      const OperandType& field = operands_[update.symbol];
      const Span span = update.statement->span;
      const auto slot = static_cast<std::uint32_t>(g_.slots.size());
      g_.slots.push_back({.name = ast_.symbols[update.symbol], .dtype = field.dtype, .rank = field.rank, .written = true, .span = span});
      versions_.push_back(0);
      result_.targets.targets.push_back({update.symbol, slot});
      const NodeId whole = g_.input(slot, 0, span);
      const NodeId target = within(whole, result_.targets.kept, span);
      std::vector<StencilTargets::Rim> rims = result_.targets.lacking;
      for (std::size_t i = 0; i < result_.targets.kept.size(); ++i) {
        if (i == rims.size()) rims.emplace_back();
        rims[i].low += result_.targets.kept[i].low;
        rims[i].high += result_.targets.kept[i].high;
      }
      g_.output(within(update.value.node, rims, span),
                {.kind = OutputSpec::Kind::Store, .slot = slot, .target = target == whole ? kNone : target}, span);
    }
  }

  NodeId field_before(std::uint32_t symbol, Span span) { return g_.input(result_.slot_of_symbol[symbol], 0, span); }

  /// The one field that a bare expression reads at offsets, or reads at all.
  std::uint32_t only_field(const Statement& s) const {
    std::uint32_t found = frontend::kNone;
    for (const bool at_offsets : {true, false}) {
      for (const AstNode& node : ast_.nodes) {
        const AstNode* name = nullptr;
        if (at_offsets && node.kind == Syntax::Subscript) name = &ast_.nodes[ast_.children[node.first]];
        if (!at_offsets) name = &node;
        if (!name || name->kind != Syntax::Name || !present_[name->id] || operands_[name->id].weak != Weak::No ||
            operands_[name->id].rank == 0)
          continue;
        if (found != frontend::kNone && found != name->id)
          fail<ParseError>(ast_.nodes[s.value].span, "which field do the steps update?",
                           fmt::format("'{}' or '{}'", ast_.symbols[found], ast_.symbols[name->id]),
                           fmt::format("write {} = …", ast_.symbols[found]));
        found = name->id;
      }
      if (found != frontend::kNone) return found;
    }
    fail<ShapeError>(ast_.nodes[s.value].span, "there is no field to update", "no array is read");
  }

  /// Where the values would read what is not there: of each axis, by the fields that find nothing beyond it.
  void find_rims(std::span<const NodeId> roots) {
    Footprints read = footprints(g_, roots, typed_.get_allocator().resource());
    StencilTargets& t = result_.targets;
    const auto widen = [](std::vector<StencilTargets::Rim>& rims, int axis, std::int64_t low, std::int64_t high) {
      if (low <= 0 && high <= 0) return;
      if (rims.size() <= static_cast<std::size_t>(axis)) rims.resize(static_cast<std::size_t>(axis) + 1);
      StencilTargets::Rim& rim = rims[static_cast<std::size_t>(axis)];
      rim.low = std::max(rim.low, low);
      rim.high = std::max(rim.high, high);
    };
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      const Node& node = g_[id];
      if (node.kind != NodeKind::Input) continue;
      const Beyond& outside = beyond(g_.slots[node.payload].name);
      for (int axis = 0; axis < node.rank; ++axis) {  // from the last
        const Footprint& print = read.at(id, axis);
        if (!print.is_read || print.is_whole) continue;
        const Sides sides = sides_of(outside, node.rank - 1 - axis, node.rank, node.span);
        for (const Boundary what : {Boundary::Valid, Boundary::Keep})
          widen(what == Boundary::Valid ? t.lacking : t.kept, axis, sides.low == what ? -print.low : 0,
                sides.high == what ? print.high : 0);
      }
    }
    for (const AstNode& node : ast_.nodes)
      if (node.kind == Syntax::Subscript) t.span = node.span;
  }

  /// Without its rims.
  NodeId within(NodeId id, const std::vector<StencilTargets::Rim>& rims, Span span) {
    const int rank = g_[id].rank;
    std::array<ViewItem, kMaxRank> items{};
    bool any = false;
    for (int axis = 0; axis < std::min<int>(rank, static_cast<int>(rims.size())); ++axis) {
      ViewItem& item = items[static_cast<std::size_t>(rank - 1 - axis)];
      const StencilTargets::Rim& rim = rims[static_cast<std::size_t>(axis)];
      if ((item.has_start = rim.low > 0)) item.start = rim.low;
      if ((item.has_stop = rim.high > 0)) item.stop = -rim.high;
      any |= item.has_start || item.has_stop;
    }
    return any ? g_.view(id, false, std::span(items).first(static_cast<std::size_t>(rank)), span) : id;
  }

  const Ast& ast_;
  std::span<const OperandType> operands_;
  const bool* present_;
  const Options& options_;
  const StencilSpec* stencil_;
  BuildResult result_;
  Graph& g_;
  std::pmr::vector<Typed> typed_;
  std::pmr::vector<State> states_;
  std::pmr::vector<std::uint8_t> in_bound_;
  std::pmr::vector<std::uint32_t> versions_;
};

}  // namespace

BuildResult build(const Ast& ast, std::span<const OperandType> operands, const bool* present, const Options& options, bool aliased,
                  std::pmr::memory_resource* memory, const StencilSpec* stencil) {
  return Builder(ast, operands, present, options, aliased, memory, stencil).build();
}

}  // namespace engine::ir
