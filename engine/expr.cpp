// expr.cpp - expressions built with C++ operators -> text, operands.
//
// An expression is a graph of nodes, each of them pieces of text with operands between. It is written as the language's
// text, with brackets where the catalog's binding powers ask for them, and takes the way of every text from there. Walks are
// loops with stacks of their own: a sum of 20,000 terms is a graph 20,000 nodes deep.
#include <engine/expr.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/base/shared.hpp"
#include "engine/catalog/op.hpp"
#include "engine/frontend/lexer.hpp"

namespace engine {

using catalog::OpInfo;
using catalog::Spelling;

namespace {

/// Binding powers beyond the catalog's: of what takes no brackets, and of numbers, which `.T` must not touch.
constexpr int kPostfix = 200, kNumber = 199;
/// Levels of brackets, calls and signs in one statement; the parser's own limit is 256.
constexpr int kDeepest = 100;
constexpr std::size_t kMostNodes = 100'000;

}  // namespace

struct Expr::Node : Shared {
  struct Piece {
    std::string text;
    Handle<Node> child{};  ///< stands behind the text; null: nothing does
    int floor = 0;         ///< a child that binds looser takes brackets
  };
  std::vector<Piece> pieces;
  int power = kPostfix;
  int nests = 0;               ///< levels the parser counts for it
  bool is_positional = false;  ///< its value depends on the shape it ends up in: index() outside of reductions
  std::string name{};          ///< of a named leaf
  std::unique_ptr<const Operand> operand{};
  Array owned{};

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Without recursion.
  ~Node() {
    std::vector<Handle<Node>> dying;
    const auto take = [&dying](Node& node) {
      for (Piece& piece : node.pieces)
        if (piece.child && has_one_owner(piece.child)) dying.push_back(std::move(piece.child));
    };
    for (take(*this); !dying.empty();) {
      const Handle<Node> node = std::move(dying.back());
      dying.pop_back();
      if (has_one_owner(node)) take(*node);
    }
  }
  bool is_leaf() const { return pieces.empty() || (pieces.size() == 1 && !pieces[0].child); }
};

template class Handle<Expr::Node>;

namespace {

using Node = Expr::Node;
using NodePtr = Handle<Node>;

NodePtr make(std::vector<Node::Piece> pieces, int power, int nests) {
  NodePtr node(new Node);
  node->pieces = std::move(pieces);
  node->power = power;
  node->nests = nests;
  for (const Node::Piece& piece : node->pieces) node->is_positional = node->is_positional || (piece.child && piece.child->is_positional);
  return node;
}

NodePtr number(std::string text) {
  const bool is_negative = text[0] == '-';
  const int power = is_negative ? catalog::find_prefix("-")->spelling.power : kNumber;
  return make({{std::move(text)}}, power, is_negative);
}

std::string digits(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

/// Numbers that the language can write are written; others, and arrays, are operands.
NodePtr leaf(const Operand& operand) {
  std::int64_t integer;
  double real;
  std::memcpy(&integer, operand.scalar, sizeof integer);
  std::memcpy(&real, operand.scalar, sizeof real);
  if (operand.weak == Weak::Bool) return make({{operand.scalar[0] != std::byte{0} ? "True" : "False"}}, kPostfix, 0);
  if (operand.weak == Weak::Int)
    return number(operand.negative ? fmt::format("{}", integer) : fmt::format("{}", static_cast<std::uint64_t>(integer)));
  if (operand.weak == Weak::Float && std::isfinite(real)) return number(digits(real));
  NodePtr node(new Node);
  node->operand = std::make_unique<const Operand>(operand);
  return node;
}

/// The name, if the language reads it as one.
std::string checked_name(std::string_view name) {
  try {
    frontend::Lexer lexer(name);
    const frontend::Token token = lexer.next();
    if (token.kind == frontend::Tok::Name && token.span == Span{0, static_cast<std::uint32_t>(name.size())} &&
        lexer.next().kind == frontend::Tok::End)
      return std::string(name);
  } catch (const Error&) {
  }
  throw ParseError({.what = fmt::format("'{}' is no name", name),
                    .labels = {},
                    .help = "names are letters, digits and _, and no words of the language",
                    .text = {}});
}

}  // namespace

Expr::Expr(const Operand& operand) : node_(leaf(operand)) {}

Expr::Expr(Array&& array) : node_(new Node) {
  node_->owned = std::move(array);
  node_->operand = std::make_unique<const Operand>(std::as_const(node_->owned));
}

Expr named(std::string_view name) {
  NodePtr node(new Node);
  node->name = checked_name(name);
  return Expr(std::move(node));
}

Expr named(std::string_view name, const Operand& value) {
  Expr expression = named(name);
  expression.node()->operand = std::make_unique<const Operand>(value);
  return expression;
}

Expr Expr::prefix(std::string_view symbol, const Expr& x) {
  const int power = catalog::find_prefix(symbol)->spelling.power;
  std::string text(symbol);
  if (symbol == "not") text += " ";
  return Expr(make({{std::move(text), x.node_, power}}, power, 1));
}

Expr Expr::infix(std::string_view symbol, const Expr& x, const Expr& y) {
  const OpInfo& op = *catalog::find_infix(symbol);
  const int power = op.spelling.power;
  const bool is_right = op.spelling.form == Spelling::Form::InfixRight;
  // Comparisons chain, so neither side may be a bare one.
  const int left = is_right || op.rule == catalog::Rule::Comparison ? power + 1 : power;
  return Expr(make({{"", x.node_, left}, {fmt::format(" {} ", symbol), y.node_, is_right ? power : power + 1}}, power, is_right));
}

Expr Expr::T() const { return Expr(make({{"", node_, kPostfix}, {".T"}}, kPostfix, 0)); }

Expr Expr::subscript(std::span<const Index> items) const {
  std::vector<Node::Piece> pieces{{"", node_, kPostfix}};
  std::string text = "[";
  const auto put = [&](const Expr& value) { pieces.push_back({std::exchange(text, {}), value.node_}); };
  for (const Index& item : items) {
    if (&item != items.data()) text += ", ";
    switch (item.kind_) {
      case Index::Kind::NewAxis:
        text += "None";
        break;
      case Index::Kind::Ellipsis:
        text += "...";
        break;
      case Index::Kind::Value:
        put(*item.slice_.start);
        break;
      case Index::Kind::Slice:
        if (item.slice_.start) put(*item.slice_.start);
        text += ":";
        if (item.slice_.stop) put(*item.slice_.stop);
        if (!item.slice_.step) break;
        text += ":";
        put(*item.slice_.step);
        break;
    }
  }
  pieces.push_back({text + "]"});
  return Expr(make(std::move(pieces), kPostfix, 1));
}

Index::Index(Slice slice) : kind_(Kind::Slice), slice_(std::move(slice)) {}
Index::Index(NewAxis) : kind_(Kind::NewAxis) {}
Index::Index(Ellipsis) : kind_(Kind::Ellipsis) {}
Index::Index(const Expr& value) : kind_(Kind::Value), slice_{value, {}, {}} {}

Axes::Axes(int axis) : is_one_(true), axes_{axis} {}
Axes::Axes(std::initializer_list<int> axes) : is_given_(true), axes_(axes) {}
Axes::Axes(std::span<const int> axes) : is_given_(true), axes_(axes.begin(), axes.end()) {}

std::string Axes::text() const {
  if (is_one_) return fmt::format("{}", axes_[0]);
  if (!is_given_) return {};
  std::string text = "(";
  for (std::size_t i = 0; i < axes_.size(); ++i) text += fmt::format("{}{}", i ? ", " : "", axes_[i]);
  return text + (axes_.size() == 1 ? ",)" : ")");
}

Expr call(std::string_view function, std::initializer_list<Expr> arguments, const Over& how) {
  std::vector<Node::Piece> pieces;
  std::string text = checked_name(function) + "(";
  bool is_first = true;
  const auto part = [&](std::string_view keyword, std::string_view value = {}) {
    if (!std::exchange(is_first, false)) text += ", ";
    text += keyword;
    text += value;
  };
  const auto put = [&](std::string_view keyword, const Expr& value) {
    part(keyword);
    pieces.push_back({std::exchange(text, {}), value.node()});
  };
  for (const Expr& argument : arguments) put("", argument);
  if (const std::string axis = how.axis.text(); !axis.empty()) part("axis=", axis);
  if (how.keepdims) part("keepdims=True");
  if (how.dtype) part("dtype=", name(*how.dtype));
  if (how.ddof) part("ddof=", fmt::format("{}", how.ddof));
  if (how.exclusive) part("exclusive=True");
  if (how.boundary) part("boundary=", fmt::format("'{}'", word(*how.boundary)));
  if (how.cval) put("cval=", *how.cval);
  if (how.initial) put("initial=", *how.initial);
  if (how.where) put("where=", *how.where);
  pieces.push_back({text + ")"});
  NodePtr node = make(std::move(pieces), kPostfix, 1);
  if (const OpInfo* op = catalog::find_function(function)) {
    node->is_positional = node->is_positional || has(op->flags, catalog::Flags::Position);
  } else if (catalog::find_reduction(function) || catalog::find_ordered(function)) {
    node->is_positional = false;
  }
  return Expr(std::move(node));
}

Expr cast(const Expr& x, DType dtype) { return call(name(dtype), {x}); }

// ---- writing ----------------------------------------------------------------------------------------------------------

namespace {

bool is_same(const Operand& a, const Operand& b) {
  if (a.weak != b.weak) return false;
  if (a.weak != Weak::No) return a.negative == b.negative && std::memcmp(a.scalar, b.scalar, sizeof a.scalar) == 0;
  const ArrayView &x = a.array, &y = b.array;
  return x.data == y.data && x.dtype == y.dtype && x.swapped == y.swapped && x.shape == y.shape && x.strides == y.strides;
}

class Writer {
 public:
  explicit Writer(const Node& root) {
    visit(root);
    name_leaves();
    take_apart();
    for (const Node* node : order_)
      if (const std::string& name = facts_[node].name; !node->is_leaf() && !name.empty()) {
        written.text += name + " = ";
        print(*node);
        written.text += "; ";
      }
    print(root);
  }
  Written written;
  std::vector<bool> is_given;  ///< per name: by named(), so that a caller's names may replace its value

 private:
  struct Facts {
    int uses = 0;
    int depth = 0;
    std::string name{};  ///< what stands for it elsewhere; empty: its own text
  };

  /// Every node once, operands before their users.
  void visit(const Node& root) {
    std::vector<std::pair<const Node*, std::size_t>> stack{{&root, 0}};
    facts_[&root].uses = 1;
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == node->pieces.size()) {
        order_.push_back(node);
        stack.pop_back();
        continue;
      }
      const Node* child = node->pieces[next++].child.get();
      if (child && facts_[child].uses++ == 0) stack.emplace_back(child, 0);
      if (facts_.size() > kMostNodes) fail_size();
    }
  }
  [[noreturn]] static void fail_size() {
    throw LimitError({.what = fmt::format("the expression has more than {} nodes", kMostNodes),
                      .labels = {},
                      .help = "evaluate parts of it first",
                      .text = {}});
  }

  void name_leaves() {
    std::unordered_map<std::string_view, std::size_t> index;
    for (const Node* node : order_) {
      if (node->name.empty()) continue;
      const auto [it, is_new] = index.emplace(node->name, written.names.size());
      if (is_new) {
        written.names.push_back(node->name);
        written.values.emplace_back();
        is_given.push_back(true);
        taken_.insert(node->name);
      }
      Operand& value = written.values[it->second];
      if (node->operand && value.present && !is_same(value, *node->operand))
        throw ParseError({.what = fmt::format("the name '{}' stands for two different values", node->name),
                          .labels = {},
                          .help = "give one of them another name",
                          .text = {}});
      if (node->operand) value = *node->operand;
      facts_[node].name = node->name;
    }
    std::size_t n = 0;
    const std::size_t first = written.names.size();
    for (const Node* node : order_) {
      if (!node->operand || !node->name.empty()) continue;
      std::size_t at = first;
      while (at < written.names.size() && !is_same(written.values[at], *node->operand)) ++at;
      if (at == written.names.size()) {
        written.names.push_back(fresh("x", n));
        written.values.push_back(*node->operand);
        is_given.push_back(false);
      }
      facts_[node].name = written.names[at];
    }
  }

  /// Statements of their own for parts used more than once, and where a statement would nest too deep. Not for what depends
  /// on the shape it ends up in.
  void take_apart() {
    std::size_t n = 0;
    for (const Node* node : order_) {
      if (node->is_leaf()) {
        facts_[node].depth = node->nests;
        continue;
      }
      int depth = depth_of(*node);
      if (depth > kDeepest) {
        for (const Node::Piece& piece : node->pieces)
          if (const Node* child = piece.child.get(); child && !child->is_leaf() && !child->is_positional) {
            Facts& facts = facts_[child];
            if (facts.name.empty() && facts.depth > kDeepest / 2) facts.name = fresh("t", n);
          }
        depth = depth_of(*node);
      }
      Facts& facts = facts_[node];
      facts.depth = depth;
      if (facts.uses > 1 && !node->is_positional) facts.name = fresh("t", n);
    }
  }
  int depth_of(const Node& node) {
    int deepest = 0;
    for (const Node::Piece& piece : node.pieces) {
      if (!piece.child) continue;
      const Facts& facts = facts_[piece.child.get()];
      if (facts.name.empty()) deepest = std::max(deepest, facts.depth + (piece.child->power < piece.floor));
    }
    return deepest + node.nests;
  }

  std::string fresh(std::string_view letter, std::size_t& n) {
    while (true)
      if (std::string name = fmt::format("{}{}", letter, ++n); taken_.insert(name).second) return name;
  }

  void print(const Node& root) {
    struct Item {
      const Node* node;
      std::size_t next;
      bool wrapped;
    };
    std::string& text = written.text;
    if (root.is_leaf() && !facts_[&root].name.empty()) {
      text += facts_[&root].name;
      return;
    }
    std::vector<Item> stack{{&root, 0, false}};
    while (!stack.empty()) {
      Item& item = stack.back();
      if (item.next == item.node->pieces.size()) {
        if (item.wrapped) text += ")";
        stack.pop_back();
        continue;
      }
      const Node::Piece& piece = item.node->pieces[item.next++];
      text += piece.text;
      if (!piece.child) continue;
      if (++printed_ > kMostNodes) fail_size();  // what index() depends on is written again at each place
      if (const std::string& name = facts_[piece.child.get()].name; !name.empty()) {
        text += name;
        continue;
      }
      const bool wrapped = piece.child->power < piece.floor;
      if (wrapped) text += "(";
      stack.push_back({piece.child.get(), 0, wrapped});
    }
  }

  std::vector<const Node*> order_;
  std::unordered_map<const Node*, Facts> facts_;
  std::unordered_set<std::string> taken_;
  std::size_t printed_ = 0;
};

/// The text's names: the caller's values for those that were named, else the expression's own.
std::vector<Named> operands(const Writer& writer, const Names& names) {
  const Written& written = writer.written;
  std::vector<Named> all;
  all.reserve(written.names.size());
  for (std::size_t i = 0; i < written.names.size(); ++i) {
    const Operand* given = writer.is_given[i] ? names.find(written.names[i]) : nullptr;
    all.push_back({written.names[i], given ? *given : written.values[i]});
  }
  return all;
}

/// Expressions write into no operand, whatever the options say of texts.
Options without_blitz(Options options) {
  options.blitz = false;
  return options;
}

}  // namespace

std::string Expr::text() const { return write(*this).text; }

Written write(const Expr& expression) { return Writer(*expression.node()).written; }

Array evaluate(const Expr& expression, const Names& names, const Options& options) {
  const Writer writer(*expression.node());
  return evaluate(writer.written.text, operands(writer, names), without_blitz(options));
}

void evaluate_into(const ArrayView& out, const Expr& expression, const Names& names, const Options& options) {
  const Writer writer(*expression.node());
  evaluate_into(out, writer.written.text, operands(writer, names), without_blitz(options));
}

}  // namespace engine
