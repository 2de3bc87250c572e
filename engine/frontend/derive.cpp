// frontend/derive.cpp - see derive.hpp.
#include "engine/frontend/derive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/base/dtype.hpp"
#include "engine/frontend/parser.hpp"

namespace engine::frontend {
namespace {

using catalog::Op;
using catalog::OpInfo;
using catalog::Reduction;
using catalog::Rule;

/// Grows a copy of the tree. A derivative is a node of it, or kNone: zero.
class Deriver {
 public:
  Deriver(const Ast& ast, std::string_view wrt, const Limits& limits) : given_(ast), out_(ast), wrt_(wrt), limits_(limits) {}

  std::string run() {
    bool used = false;
    for (const Node& node : given_.nodes) used = used || (node.kind == Syntax::Name && given_.symbols[node.id] == wrt_);
    if (!used)
      throw UnknownName({.what = fmt::format("the expression does not use '{}'", wrt_),
                         .labels = {},
                         .help = "its derivative would be zero",
                         .text = std::string(given_.text)});
    derivative_.assign(given_.nodes.size(), kNone);
    std::string text;
    for (std::size_t i = 0; i < given_.statements.size(); ++i) {
      const Statement& s = given_.statements[i];
      if (s.subscripted || s.augmented >= 0)
        fail(s.target_span, "a program that writes in place has no derivative here", "written in place", "bind a new name instead");
      for (std::uint32_t id = s.first_node; id < s.end_node; ++id) derivative_[id] = derive(id);
      if (i + 1 == given_.statements.size()) return text + shown(derivative_[s.value], s);
      if (s.target == kNone) continue;
      // The value keeps its name; its derivative gets one of its own, unless it is short.
      text += fmt::format("{} = {}; ", given_.symbols[s.target], print(given_, s.value));
      NodeId d = derivative_[s.value];
      if (d != kNone && !is_short(d)) {
        const std::string name = fresh(given_.symbols[s.target]);
        text += fmt::format("{} = {}; ", name, shown(d, s));
        names_.push_back(std::make_unique<std::string>(name));
        out_.symbols.push_back(*names_.back());
        d = add({.kind = Syntax::Name, .id = static_cast<std::uint16_t>(out_.symbols.size() - 1), .span = s.span, .mark = s.span}, {});
      }
      local_[s.target] = d;
    }
    return text;
  }

 private:
  [[noreturn]] void fail(Span span, std::string what, std::string label, std::string help = {}) const {
    throw ParseError(
        {.what = std::move(what), .labels = {{span, std::move(label)}}, .help = std::move(help), .text = std::string(given_.text)});
  }

  std::string fresh(std::string_view name) const {
    std::string candidate = fmt::format("d_{}", name);
    while (std::find(out_.symbols.begin(), out_.symbols.end(), candidate) != out_.symbols.end()) candidate += "_";
    return candidate;
  }

  /// The text of a derivative; a constant one is stretched to the value's shape and type by what reads it, not here.
  std::string shown(NodeId d, const Statement& s) const {
    if (d == kNone) return "0";
    std::vector<double> size(d + 1, 1);
    for (NodeId id = 0; id <= d; ++id)
      for (NodeId child : out_.children_of(out_.nodes[id]))
        if (child != kNone) size[id] += size[child];
    if (size[d] > limits_.nodes)
      throw LimitError({.what = fmt::format("the derivative has more than {} nodes", limits_.nodes),
                        .labels = {{s.span, "of this"}},
                        .help = "name parts of the expression: t = ...; t * t",
                        .text = std::string(given_.text)});
    return print(out_, d);
  }

  // ---- nodes ----------------------------------------------------------------------------------------------------------

  NodeId add(Node node, std::span<const NodeId> children) {
    if (out_.nodes.size() >= std::size_t{8} * limits_.nodes)
      throw LimitError({.what = "the derivative is too large", .labels = {}, .help = {}, .text = std::string(given_.text)});
    node.first = static_cast<std::uint32_t>(out_.children.size());
    node.count = static_cast<std::uint32_t>(children.size());
    out_.children.insert(out_.children.end(), children.begin(), children.end());
    out_.nodes.push_back(node);
    return static_cast<NodeId>(out_.nodes.size() - 1);
  }
  NodeId number(double value) {
    Node node{.kind = Syntax::Float};
    if (value >= 0 && value == std::floor(value) && value < 1e15) {
      node.kind = Syntax::Integer;
      node.integer = static_cast<std::uint64_t>(value);
      return add(node, {});
    }
    if (std::signbit(value)) return raw(Op::Negative, {number(-value)});
    node.real = value;
    return add(node, {});
  }
  NodeId raw(Op op, std::initializer_list<NodeId> args) {
    return add({.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(op)}, std::span<const NodeId>(args.begin(), args.size()));
  }
  NodeId boolean(bool value) {
    Node node{.kind = Syntax::Boolean};
    node.integer = value;
    return add(node, {});
  }
  const Node& at(NodeId id) const { return out_.nodes[id]; }
  NodeId child(NodeId id, std::size_t i) const { return out_.children[at(id).first + i]; }
  bool is_apply(NodeId id, Op op) const { return at(id).kind == Syntax::Apply && at(id).id == static_cast<std::uint16_t>(op); }

  std::optional<double> literal(NodeId id) const {
    if (id == kNone) return 0.0;
    if (at(id).kind == Syntax::Integer) return static_cast<double>(at(id).integer);
    if (at(id).kind == Syntax::Float) return at(id).real;
    if (is_apply(id, Op::Negative))
      if (const auto value = literal(child(id, 0))) return -*value;
    return std::nullopt;
  }
  bool is_short(NodeId id) const { return literal(id).has_value() || at(id).kind == Syntax::Name; }

  // ---- arithmetic that knows zero and one -------------------------------------------------------------------------------

  NodeId plus(NodeId a, NodeId b) {
    if (a == kNone) return b;
    if (b == kNone) return a;
    const auto x = literal(a), y = literal(b);
    if (x && y) return zero_or(*x + *y);
    if (is_apply(b, Op::Negative)) return minus(a, child(b, 0));
    return raw(Op::Add, {a, b});
  }
  NodeId minus(NodeId a, NodeId b) {
    if (b == kNone) return a;
    if (a == kNone) return negative(b);
    const auto x = literal(a), y = literal(b);
    if (x && y) return zero_or(*x - *y);
    return raw(Op::Subtract, {a, b});
  }
  NodeId negative(NodeId a) {
    if (a == kNone) return a;
    if (is_apply(a, Op::Negative)) return child(a, 0);
    return raw(Op::Negative, {a});
  }
  NodeId times(NodeId a, NodeId b) {
    if (a == kNone || b == kNone) return kNone;
    const auto x = literal(a), y = literal(b);
    if ((x && *x == 0) || (y && *y == 0)) return kNone;
    if (x && y) return zero_or(*x * *y);
    if (x && *x == 1) return b;
    if (y && *y == 1) return a;
    if (x && *x == -1) return negative(b);
    if (y && *y == -1) return negative(a);
    if (y) return raw(Op::Multiply, {b, a});
    if (is_apply(b, Op::Divide) && literal(child(b, 0)) == 1.0) return over(a, child(b, 1));
    if (is_apply(a, Op::Negative)) return negative(times(child(a, 0), b));
    if (is_apply(b, Op::Negative)) return negative(times(a, child(b, 0)));
    return raw(Op::Multiply, {a, b});
  }
  NodeId over(NodeId a, NodeId b) {
    if (a == kNone) return a;
    if (b != kNone && literal(b) == 1.0) return a;
    if (is_apply(a, Op::Negative)) return negative(over(child(a, 0), b));
    return raw(Op::Divide, {a, b == kNone ? number(0) : b});
  }
  NodeId power(NodeId a, NodeId b) {
    const auto y = literal(b);
    if (y && *y == 1) return a;
    if (y && *y == 0) return number(1);
    return raw(Op::Power, {a, b});
  }
  NodeId zero_or(double value) { return value == 0 ? kNone : number(value); }

  /// A cell's node, simplified where arithmetic allows.
  NodeId simplified(const Node& node, std::span<const NodeId> c) {
    if (node.kind == Syntax::Apply) switch (static_cast<Op>(node.id)) {
        case Op::Add:
          return plus(c[0], c[1]);
        case Op::Subtract:
          return minus(c[0], c[1]);
        case Op::Multiply:
          return times(c[0], c[1]);
        case Op::Divide:
          return over(c[0], c[1]);
        case Op::Power:
          if (c[0] != kNone && c[1] != kNone) return power(c[0], c[1]);
          break;
        case Op::Negative:
          return negative(c[0]);
        default:
          break;
      }
    if (node.kind == Syntax::Integer && node.integer == 0) return kNone;
    std::array<NodeId, 8> filled{};
    for (std::size_t i = 0; i < c.size(); ++i) filled[i] = c[i] == kNone ? number(0) : c[i];
    return add(node, std::span<const NodeId>(filled.data(), c.size()));
  }

  /// A cell ("y * x ** (y - 1)") with the operation's arguments and value in the places of x, y, z and out.
  NodeId cell(std::string_view text, std::span<const NodeId> args, NodeId out) {
    const Ast form = parse(text, limits_);
    std::vector<NodeId> made(form.nodes.size(), kNone);
    for (std::size_t i = 0; i < form.nodes.size(); ++i) {
      const Node& node = form.nodes[i];
      if (node.kind == Syntax::Name) {
        const std::string_view name = form.symbols[node.id];
        made[i] = name == "out" ? out : args[name == "x" ? 0 : name == "y" ? 1 : 2];
        continue;
      }
      std::array<NodeId, 8> children{};
      const std::span<const NodeId> of = form.children_of(node);
      for (std::size_t k = 0; k < of.size(); ++k) children[k] = of[k] == kNone ? kNone : made[of[k]];
      made[i] = simplified(node, std::span<const NodeId>(children.data(), of.size()));
    }
    return made[form.statements.front().value];
  }

  // ---- the chain rule ---------------------------------------------------------------------------------------------------

  NodeId derive(NodeId id) {
    const Node node = given_.nodes[id];
    const std::span<const NodeId> children = given_.children_of(node);
    const auto d = [&](std::size_t i) { return children[i] == kNone ? kNone : derivative_[children[i]]; };
    switch (node.kind) {
      case Syntax::Name: {
        if (const auto it = local_.find(node.id); it != local_.end()) return it->second;
        return given_.symbols[node.id] == wrt_ ? number(1) : kNone;
      }
      case Syntax::Apply:
        return apply(id, node, children);
      case Syntax::Cast: {
        if (d(0) == kNone || !is_inexact(static_cast<DType>(node.id))) return kNone;
        if (literal(d(0))) return d(0);
        return add(node, std::array{d(0)});
      }
      case Syntax::Subscript: {
        if (d(0) == kNone || literal(d(0))) return d(0);
        std::vector<NodeId> parts(children.begin(), children.end());
        parts[0] = shaped(d(0), children[0]);
        return add(node, parts);
      }
      case Syntax::Transpose:
        if (d(0) == kNone || literal(d(0))) return d(0);
        return add(node, std::array{shaped(d(0), children[0])});
      case Syntax::Reduce:
        return reduce(id, node, children, d(0));
      case Syntax::Order:
        if (d(0) == kNone || catalog::form_of(static_cast<catalog::Ordered>(node.id)).has(catalog::FormFlags::Places)) return kNone;
        fail(node.mark, fmt::format("no derivative of '{}' is known", catalog::info(static_cast<catalog::Ordered>(node.id)).name), "here",
             "derive what it is applied to");
      default:
        return kNone;
    }
  }

  /// d stretched to the shape of what it is the derivative of.
  NodeId shaped(NodeId d, NodeId value) { return raw(Op::Where, {boolean(true), d, value}); }

  NodeId apply(NodeId id, const Node& node, std::span<const NodeId> children) {
    const OpInfo& op = catalog::info(static_cast<Op>(node.id));
    bool any = false;
    for (NodeId child : children) any = any || derivative_[child] != kNone;
    if (!any) return kNone;
    switch (op.rule) {
      case Rule::Predicate:
      case Rule::RealPredicate:
      case Rule::Comparison:
      case Rule::Logical:
      case Rule::Bitwise:
      case Rule::Integer:
      case Rule::Bits:
      case Rule::Exponent:
        return kNone;  // constant but for jumps
      default:
        break;
    }
    if (op.id == Op::Clip && (at(children[1]).kind == Syntax::NewAxis || at(children[2]).kind == Syntax::NewAxis)) {
      const std::size_t given = at(children[1]).kind == Syntax::NewAxis ? 2 : 1;
      Node bounded = node;
      bounded.id = static_cast<std::uint16_t>(given == 1 ? Op::Maximum : Op::Minimum);
      const NodeId both[] = {children[0], children[given]};
      return apply(id, bounded, both);
    }
    if (op.id == Op::Where) {
      const NodeId yes = derivative_[children[1]], no = derivative_[children[2]];
      if (yes == kNone && no == kNone) return kNone;
      return raw(Op::Where, {children[0], yes == kNone ? number(0) : yes, no == kNone ? number(0) : no});
    }
    // Steps between floats and whole numbers are flat; real, imag and conjugates are linear.
    if (op.id == Op::Real || op.id == Op::Imag || op.id == Op::Conjugate) {
      if (op.id != Op::Imag && literal(derivative_[children[0]])) return derivative_[children[0]];
      return raw(op.id, {derivative_[children[0]]});
    }
    NodeId sum = kNone;
    for (std::size_t i = 0; i < children.size(); ++i) {
      const NodeId inner = derivative_[children[i]];
      if (inner == kNone) continue;
      const std::string_view text = i < 3 ? op.gradient.of[i] : std::string_view{};
      if (text.empty())
        fail(node.mark, fmt::format("no derivative of '{}' is known", op.name()), "here",
             "its row in the catalog has no derivative for that argument");
      sum = plus(sum, times(cell(text, children, id), inner));
    }
    return sum;
  }

  NodeId add_reduction(const Node& like, Reduction what, NodeId value, NodeId axis, NodeId keepdims) {
    Node reduced = like;
    reduced.id = static_cast<std::uint16_t>(what);
    return add(reduced, std::array{value, axis, keepdims, kNone, kNone});
  }

  NodeId reduce(NodeId id, const Node& node, std::span<const NodeId> children, NodeId inner) {
    if (inner == kNone) return kNone;
    const auto over_axes = [&](Reduction what, NodeId value) {
      Node reduced = node;
      reduced.id = static_cast<std::uint16_t>(what);
      return add(reduced, std::array{value, children[1], children[2], kNone, kNone});
    };
    switch (static_cast<Reduction>(node.id)) {
      case Reduction::Sum:
        return over_axes(Reduction::Sum, shaped(inner, children[0]));
      case Reduction::Mean: {
        if (literal(inner) && children[3] == kNone) return inner;
        const NodeId mean = over_axes(Reduction::Mean, shaped(inner, children[0]));
        out_.children[out_.nodes[mean].first + 3] = children[3];
        return mean;
      }
      case Reduction::Var:
      case Reduction::Nanvar: {
        // 2 (a - mean) da, summed over what counts and divided as the squares were.
        const bool skips = static_cast<Reduction>(node.id) == Reduction::Nanvar;
        const auto number_of = [&](bool keepdims) {
          return add_reduction(node, Reduction::CountNonzero, raw(Op::Equal, {children[0], children[0]}), children[1],
                               keepdims ? boolean(true) : children[2]);
        };
        const auto counted = [&](NodeId value) {
          return skips ? raw(Op::Where, {raw(Op::Isnan, {children[0]}), number(0), value}) : value;
        };
        NodeId mean;
        if (skips)
          mean = raw(Op::Divide, {add_reduction(node, Reduction::Sum, counted(children[0]), children[1], boolean(true)), number_of(true)});
        else
          mean = add_reduction(node, Reduction::Mean, children[0], children[1], boolean(true));
        const NodeId slope = raw(Op::Multiply, {raw(Op::Multiply, {number(2), raw(Op::Subtract, {children[0], mean})}), inner});
        if (!skips) {
          const NodeId result = over_axes(Reduction::Mean, slope);
          out_.children[out_.nodes[result].first + 3] = children[3];
          return result;
        }
        NodeId count = number_of(false);
        if (children[3] != kNone) count = raw(Op::Subtract, {count, children[3]});
        return raw(Op::Divide, {over_axes(Reduction::Sum, counted(slope)), count});
      }
      case Reduction::Prod:
        return raw(Op::Multiply, {id, over_axes(Reduction::Sum, over(inner, children[0]))});
      case Reduction::Min:
      case Reduction::Max:
      case Reduction::Nanmin:
      case Reduction::Nanmax: {
        // The mean over those that attain it: one of them, but for ties.
        Node kept = node;
        const NodeId best = add(kept, std::array{children[0], children[1], boolean(true), kNone, kNone});
        const NodeId attained = raw(Op::Equal, {children[0], best});
        return raw(Op::Divide,
                   {over_axes(Reduction::Sum, raw(Op::Where, {attained, inner, number(0)})), over_axes(Reduction::CountNonzero, attained)});
      }
      default:
        return kNone;  // counts and truths are flat
    }
  }

  const Ast& given_;
  Ast out_;
  std::string_view wrt_;
  const Limits& limits_;
  std::vector<NodeId> derivative_;                   // of each given node, in out_
  std::unordered_map<std::uint32_t, NodeId> local_;  // of names the program has bound
  std::vector<std::unique_ptr<std::string>> names_;  // of derivatives that got a name
};

}  // namespace

std::string gradient(const Ast& ast, std::string_view wrt, const Limits& limits) { return Deriver(ast, wrt, limits).run(); }

}  // namespace engine::frontend
