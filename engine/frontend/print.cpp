// frontend/print.cpp - tree -> text that parses to the same tree, and the listing for ENGINE_DUMP=ast.
#include <fmt/format.h>

#include "engine/base/boundary.hpp"
#include "engine/frontend/parser.hpp"

namespace engine::frontend {
namespace {

using catalog::OpInfo;
using catalog::Spelling;

constexpr int kPostfix = 200;

int power_of(const Ast& ast, const Node& node) {
  if (node.kind == Syntax::Slice || node.kind == Syntax::Tuple) return kPostfix;
  if (node.kind != Syntax::Apply) return kPostfix;
  const OpInfo& op = catalog::info(static_cast<catalog::Op>(node.id));
  (void)ast;
  return op.spelling.form == Spelling::Form::Call ? kPostfix : op.spelling.power;
}

/// Prints with a stack of its own: a sum of 20,000 terms is a tree 20,000 levels deep.
class Printer {
 public:
  explicit Printer(const Ast& ast) : ast_(ast) {}

  void node(NodeId id) {
    push(id, 0);
    while (!stack_.empty()) {
      const Item item = stack_.back();
      stack_.pop_back();
      if (item.node == kNone)
        text += item.text;
      else
        visit(item.node, item.floor);
    }
  }
  std::string text;

 private:
  struct Item {
    NodeId node;
    int floor;
    std::string_view text;
  };
  void push(NodeId id, int floor) { stack_.push_back({id, floor, {}}); }
  void push(std::string_view text) { stack_.push_back({kNone, 0, text}); }

  // Items are pushed in reverse: the last one is printed first.
  void visit(NodeId id, int floor) {
    const Node& node = ast_.nodes[id];
    const std::span<const NodeId> children = ast_.children_of(node);
    const int power = power_of(ast_, node);
    const bool wrap = power < floor;
    if (wrap) {
      text += "(";
      push(")");
    }
    switch (node.kind) {
      case Syntax::Integer:
        text += fmt::format("{}", node.integer);
        break;
      case Syntax::Float:
        text += real(node.real);
        break;
      case Syntax::Imaginary:
        text += real(node.real) + "j";
        break;
      case Syntax::Boolean:
        text += node.integer ? "True" : "False";
        break;
      case Syntax::String:
        text += ast_.text.substr(node.span.begin, node.span.end - node.span.begin);
        break;
      case Syntax::Name:
        text += ast_.symbols[node.id];
        break;
      case Syntax::NewAxis:
        text += "None";
        break;
      case Syntax::Ellipsis:
        text += "...";
        break;
      case Syntax::Word:
        text += fmt::format("'{}'", word(static_cast<Boundary>(node.integer)));
        break;
      case Syntax::DTypeName:
      case Syntax::Target:
        break;
      case Syntax::Transpose:
        push(".T");
        push(children[0], kPostfix);
        break;
      case Syntax::Cast:
        call(info(static_cast<DType>(node.id)).name, children);
        break;
      case Syntax::Position:
        call(catalog::info(static_cast<catalog::Op>(node.id)).name(), children[0] == kNone ? children.first(0) : children);
        break;
      case Syntax::Reduce:
        with_keywords(catalog::info(static_cast<catalog::Reduction>(node.id)).name, children,
                      {", axis=", ", keepdims=", ", ddof=", ", initial="});
        break;
      case Syntax::Order:
        order(catalog::info(static_cast<catalog::Ordered>(node.id)), children);
        break;
      case Syntax::Tuple:
        push(children.size() == 1 ? ",)" : ")");
        list(children);
        push("(");
        break;
      case Syntax::Subscript:
        push("]");
        list(children.subspan(1));
        push("[");
        push(children[0], kPostfix);
        break;
      case Syntax::Slice:
        if (children[2] != kNone) {
          push(children[2], 0);
          push(":");
        }
        if (children[1] != kNone) push(children[1], 0);
        push(":");
        if (children[0] != kNone) push(children[0], 0);
        break;
      case Syntax::Apply:
        apply(node, children);
        break;
    }
  }

  static std::string real(double value) {
    if (value > 1.7976931348623157e308) return "1e999";
    std::string shortest = fmt::format("{}", value);
    if (shortest.find_first_of(".e") == std::string::npos) shortest += ".0";
    return shortest;
  }

  /// name(first child, then those that are there after their keywords).
  void with_keywords(std::string_view name, std::span<const NodeId> children, std::initializer_list<std::string_view> keywords) {
    push(")");
    for (std::size_t i = keywords.size(); i > 0; --i) {
      if (children[i] == kNone) continue;
      push(children[i], 0);
      push(keywords.begin()[i - 1]);
    }
    push(children[0], 0);
    push("(");
    push(name);
  }

  /// Arguments that must be given by their places, the others by keyword.
  void order(const catalog::OrderedInfo& row, std::span<const NodeId> children) {
    struct Part {
      std::string_view keyword;
      NodeId value;
    };
    std::vector<Part> parts;
    catalog::each_parameter(row.parameters, [&](std::size_t, std::string_view name, bool optional) {
      if (name == "dtype" || children[order_child(name)] == kNone) return;
      parts.push_back({optional ? name : std::string_view{}, children[order_child(name)]});
    });
    push(")");
    for (std::size_t i = parts.size(); i-- > 0;) {
      push(parts[i].value, 0);
      if (!parts[i].keyword.empty()) {
        push("=");
        push(parts[i].keyword);
      }
      if (i > 0) push(", ");
    }
    push("(");
    push(row.name);
  }

  void list(std::span<const NodeId> items) {
    for (std::size_t i = items.size(); i-- > 0;) {
      push(items[i], 0);
      if (i > 0) push(", ");
    }
  }
  void call(std::string_view name, std::span<const NodeId> args) {
    push(")");
    list(args);
    push("(");
    push(name);
  }

  void apply(const Node& node, std::span<const NodeId> children) {
    const OpInfo& op = catalog::info(static_cast<catalog::Op>(node.id));
    const int power = op.spelling.power;
    switch (op.spelling.form) {
      case Spelling::Form::Call:
        call(op.name(), children);
        break;
      case Spelling::Form::Prefix:
        push(children[0], power);
        if (op.spelling.symbol == "not") push(" ");
        push(op.spelling.symbol);
        break;
      case Spelling::Form::Infix:
        // Comparisons chain, so neither side may be a bare one.
        push(children[1], power + 1);
        push(" ");
        push(op.spelling.symbol);
        push(" ");
        push(children[0], op.rule == catalog::Rule::Comparison ? power + 1 : power);
        break;
      case Spelling::Form::InfixRight: {
        const Node& exponent = ast_.nodes[children[1]];
        const bool sign = exponent.kind == Syntax::Apply &&
                          catalog::info(static_cast<catalog::Op>(exponent.id)).spelling.form == Spelling::Form::Prefix &&
                          catalog::info(static_cast<catalog::Op>(exponent.id)).spelling.symbol != "not";
        push(children[1], sign ? 0 : power);
        push(" ");
        push(op.spelling.symbol);
        push(" ");
        push(children[0], power + 1);
        break;
      }
    }
  }

  const Ast& ast_;
  std::vector<Item> stack_;
};

}  // namespace

std::string print(const Ast& ast, NodeId node) {
  Printer printer(ast);
  printer.node(node);
  return std::move(printer.text);
}

std::string print(const Ast& ast) {
  Printer printer(ast);
  for (std::size_t i = 0; i < ast.statements.size(); ++i) {
    const Statement& s = ast.statements[i];
    if (i > 0) printer.text += "; ";
    if (s.target != kNone) {
      printer.text += ast.symbols[s.target];
      if (s.subscripted) {
        printer.text += "[";
        for (std::uint32_t k = 0; k < s.n_subscripts; ++k) {
          if (k > 0) printer.text += ", ";
          printer.node(ast.children[s.first_subscript + k]);
        }
        printer.text += "]";
      }
      printer.text += " ";
      if (s.augmented >= 0) printer.text += catalog::info(static_cast<catalog::Op>(s.augmented)).spelling.symbol;
      printer.text += "= ";
    }
    printer.node(s.value);
  }
  return std::move(printer.text);
}

std::string dump(const Ast& ast) {
  static constexpr const char* kKinds[] = {"Integer",  "Float",  "Imaginary", "Boolean", "String",    "Name",  "Apply",
                                           "Position", "Reduce", "Order",     "Cast",    "Subscript", "Slice", "NewAxis",
                                           "Ellipsis", "Tuple",  "Transpose", "Word",    "DTypeName", "Target"};
  std::string text;
  for (std::size_t i = 0; i < ast.nodes.size(); ++i) {
    const Node& node = ast.nodes[i];
    text += fmt::format("#{} {}", i, kKinds[static_cast<std::size_t>(node.kind)]);
    switch (node.kind) {
      case Syntax::Integer:
        text += fmt::format(" {}", node.integer);
        break;
      case Syntax::Float:
      case Syntax::Imaginary:
        text += fmt::format(" {}", node.real);
        break;
      case Syntax::Boolean:
        text += node.integer ? " True" : " False";
        break;
      case Syntax::Name:
        text += fmt::format(" {}", ast.symbols[node.id]);
        break;
      case Syntax::Apply:
      case Syntax::Position:
        text += fmt::format(" {}", catalog::info(static_cast<catalog::Op>(node.id)).name());
        break;
      case Syntax::Reduce:
        text += fmt::format(" {}", catalog::info(static_cast<catalog::Reduction>(node.id)).name);
        break;
      case Syntax::Order:
        text += fmt::format(" {}", catalog::info(static_cast<catalog::Ordered>(node.id)).name);
        break;
      case Syntax::Cast:
      case Syntax::DTypeName:
        text += fmt::format(" {}", info(static_cast<DType>(node.id)).name);
        break;
      default:
        break;
    }
    for (NodeId child : ast.children_of(node)) text += child == kNone ? " -" : fmt::format(" #{}", child);
    text += fmt::format("  @{}:{}\n", node.span.begin, node.span.end);
  }
  for (const Statement& s : ast.statements) {
    text += "statement";
    if (s.target != kNone) text += fmt::format(" {}{}", ast.symbols[s.target], s.subscripted ? "[…]" : "");
    if (s.augmented >= 0) text += fmt::format(" {}=", catalog::info(static_cast<catalog::Op>(s.augmented)).spelling.symbol);
    text += fmt::format(" #{}\n", s.value);
  }
  return text;
}

}  // namespace engine::frontend
