// frontend/parser.cpp - recursive descent for the outer grammar, binding powers from the catalog for operators.
//
// program    := statement { newline statement }
// statement  := [ target ( "=" | "op=" ) ] expression
// expression := binary(0) [ "if" binary(0) "else" expression ]
// binary     := prefix { infix binary }, for infix operators that bind tighter than `floor` (Pratt, POPL 1973)
// postfix    := primary { "[" subscripts "]" | "." name }
#include "engine/frontend/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/boundary.hpp"
#include "engine/frontend/lexer.hpp"

namespace engine::frontend {
namespace {

using catalog::Op;
using catalog::OpInfo;

constexpr std::size_t kMaxArguments = 8;

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h ^ (h >> 32);
}

/// Python's names of types, as casts.
struct CastName {
  std::string_view name;
  DType dtype;
};
constexpr CastName kPythonTypes[] = {
    {"int", DType::Int64}, {"float", DType::Float64}, {"complex", DType::Complex128}, {"bool", DType::Bool}};

bool find_cast(std::string_view name, DType& dtype) {
  if (const auto found = dtype_from_name(name)) {
    dtype = *found;
    return true;
  }
  for (const CastName& cast : kPythonTypes)
    if (cast.name == name) {
      dtype = cast.dtype;
      return true;
    }
  return false;
}

/// A derived function's text and the defaults of its parameters, parsed. Made at the first call, kept for good.
struct Template {
  std::vector<std::string> parameters;
  std::vector<std::unique_ptr<const Ast>> defaults;  ///< null: none, or None
  std::unique_ptr<const Ast> body;
};
const Template& template_of(const catalog::DerivedInfo& row);

class Parser {
 public:
  Parser(std::string_view text, const Limits& limits, std::pmr::memory_resource* memory, bool is_stencil = false)
      : lexer_(text), limits_(limits), is_stencil_(is_stencil), ast_(memory), table_(memory) {
    ast_.text = text;
    const std::size_t guess = std::min<std::size_t>(text.size() / 2 + 4, 4096);
    ast_.nodes.reserve(guess);
    ast_.children.reserve(guess);
    ast_.symbols.reserve(8);
    ast_.statements.reserve(1);
    advance();
  }

  Ast parse() {
    while (true) {
      while (now_.kind == Tok::Newline) advance();
      if (now_.kind == Tok::End) break;
      statement();
      if (now_.kind != Tok::Newline && now_.kind != Tok::End) unexpected();
    }
    if (ast_.statements.empty())
      throw ParseError(
          {.what = "the expression is empty", .labels = {}, .help = "write for example \"2*a + b\"", .text = std::string(ast_.text)});
    return std::move(ast_);
  }

 private:
  // ---- tokens -------------------------------------------------------------------------------------------------------

  void advance() { now_ = lexer_.next(); }
  Token take() {
    const Token token = now_;
    advance();
    return token;
  }
  std::string_view text_of(Span span) const { return ast_.text.substr(span.begin, span.end - span.begin); }

  [[noreturn]] void fail(Span span, std::string what, std::string label, std::string help = {}) const {
    throw ParseError(
        {.what = std::move(what), .labels = {{span, std::move(label)}}, .help = std::move(help), .text = std::string(ast_.text)});
  }

  std::string describe(const Token& token) const {
    if (token.kind == Tok::End) return "the end of the text";
    if (token.kind == Tok::Newline) return "the end of the line";
    const std::string_view text = text_of(token.span);
    return text.size() <= 24 ? fmt::format("'{}'", text) : fmt::format("'{}…'", text.substr(0, 20));
  }

  /// A token that cannot stand after a complete expression.
  [[noreturn]] void unexpected() const {
    switch (now_.kind) {
      case Tok::RightParen:
      case Tok::RightBracket:
        fail(now_.span, fmt::format("{} closes nothing", describe(now_)), "no bracket is open here", "remove it, or open one before");
      case Tok::Assign:
        fail(now_.span, "'=' cannot stand inside an expression", "here", "did you mean '=='?");
      case Tok::Augmented:
        fail(now_.span, "an assignment cannot stand inside an expression", "here", "give it a statement of its own");
      case Tok::Comma:
        fail(now_.span, "a tuple is not a value here", "expected an operator", "return several results as several assignments");
      case Tok::LeftParen:
        fail(now_.span, "only functions can be called", "expected an operator", "to multiply, write *");
      case Tok::Else:
        fail(now_.span, "'else' without 'if'", "here", "a choice is written: x if c else y");
      default:
        fail(now_.span, fmt::format("expected an operator before {}", describe(now_)), "here",
             "to multiply, write *; statements are separated by ';' or line breaks");
    }
  }

  void expect_close(Tok kind, Span open, char close) {
    if (now_.kind == kind) {
      advance();
      return;
    }
    if (now_.kind == Tok::End || now_.kind == Tok::Newline)
      fail(open, "this bracket is not closed", fmt::format("a '{}' is missing", close));
    if (now_.kind == Tok::Assign) unexpected();
    if (now_.kind == Tok::Comma || now_.kind == Tok::Colon)
      fail(now_.span, fmt::format("{} is not expected here", describe(now_)), fmt::format("expected an operator or '{}'", close));
    if (now_.kind == Tok::RightParen || now_.kind == Tok::RightBracket)
      throw ParseError({.what = "the brackets do not match",
                        .labels = {{open, "opened here"}, {now_.span, fmt::format("'{}' expected", close)}},
                        .help = {},
                        .text = std::string(ast_.text)});
    unexpected();
  }

  class Nest {
   public:
    Nest(Parser& parser, Span at) : parser_(parser) {
      if (++parser_.depth_ > parser_.limits_.depth)
        throw LimitError({.what = fmt::format("nested deeper than {} levels", parser_.limits_.depth),
                          .labels = {{at, "here"}},
                          .help = "give parts names of their own, or raise Limits.depth",
                          .text = std::string(parser_.ast_.text)});
    }
    ~Nest() { --parser_.depth_; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    Parser& parser_;
  };

  // ---- nodes --------------------------------------------------------------------------------------------------------

  NodeId add(Node node, std::initializer_list<NodeId> children) {
    return add(node, std::span<const NodeId>(children.begin(), children.size()));
  }
  NodeId add(Node node, std::span<const NodeId> children = {}) {
    if (ast_.nodes.size() >= limits_.nodes)
      throw LimitError({.what = fmt::format("more than {} nodes", limits_.nodes),
                        .labels = {{node.span, "reached here"}},
                        .help = "split the program, or raise Limits.nodes",
                        .text = std::string(ast_.text)});
    node.first = static_cast<std::uint32_t>(ast_.children.size());
    node.count = static_cast<std::uint32_t>(children.size());
    for (const NodeId child : children) ast_.children.push_back(child);  // mostly two, and there is room
    ast_.nodes.push_back(node);
    return static_cast<NodeId>(ast_.nodes.size() - 1);
  }
  Span span(NodeId id) const { return ast_.nodes[id].span; }
  Span join(Span a, Span b) const { return {std::min(a.begin, b.begin), std::max(a.end, b.end)}; }

  NodeId apply(const OpInfo& op, Span mark, std::initializer_list<NodeId> args) {
    Node node{.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(op.id), .span = mark, .mark = mark};
    for (NodeId arg : args) node.span = join(node.span, span(arg));
    return add(node, args);
  }

  std::uint32_t symbol(std::string_view name, Span at) {
    const std::size_t n = ast_.symbols.size();
    if (n <= 8) {
      for (std::size_t i = 0; i < n; ++i)
        if (ast_.symbols[i] == name) return static_cast<std::uint32_t>(i);
    } else {
      if (table_.empty()) grow_table();
      const std::size_t mask = table_.size() - 1;
      for (std::size_t i = hash_name(name) & mask; table_[i] != kNone; i = (i + 1) & mask)
        if (ast_.symbols[table_[i]] == name) return table_[i];
    }
    if (n >= std::min<std::size_t>(limits_.names, 0xffff))
      throw LimitError({.what = fmt::format("more than {} names", n),
                        .labels = {{at, "one too many"}},
                        .help = "pass arrays with one axis more, or raise Limits.names",
                        .text = std::string(ast_.text)});
    ast_.symbols.push_back(name);
    if (!table_.empty()) {
      if (table_.size() < 2 * ast_.symbols.size())
        grow_table();
      else
        insert(static_cast<std::uint32_t>(n));
    }
    return static_cast<std::uint32_t>(n);
  }
  void grow_table() {
    table_.assign(std::max<std::size_t>(64, table_.size() * 4), kNone);
    for (std::uint32_t i = 0; i < ast_.symbols.size(); ++i) insert(i);
  }
  void insert(std::uint32_t index) {
    const std::size_t mask = table_.size() - 1;
    std::size_t i = hash_name(ast_.symbols[index]) & mask;
    while (table_[i] != kNone) i = (i + 1) & mask;
    table_[i] = index;
  }

  // ---- statements ---------------------------------------------------------------------------------------------------

  void statement() {
    Statement s;
    s.first_node = static_cast<std::uint32_t>(ast_.nodes.size());
    const NodeId first = expression();
    if (now_.kind == Tok::Assign || now_.kind == Tok::Augmented) {
      target(first, s);
      const Token sign = take();
      if (sign.kind == Tok::Augmented) s.augmented = static_cast<std::int32_t>(sign.infix->id);
      if (now_.kind == Tok::End || now_.kind == Tok::Newline) fail(sign.span, "a value is missing", "expected an expression after this");
      s.value = expression();
      if (now_.kind == Tok::Assign) fail(now_.span, "only one target can be assigned to", "here", "write one statement for each target");
      s.span = join(s.target_span, span(s.value));
    } else {
      s.value = first;
      s.span = span(first);
    }
    s.end_node = static_cast<std::uint32_t>(ast_.nodes.size());
    ast_.statements.push_back(s);
  }

  void target(NodeId id, Statement& s) {
    Node& node = ast_.nodes[id];
    s.target_span = node.span;
    if (node.kind == Syntax::Name) {
      s.target = node.id;
      node.kind = Syntax::Target;
      return;
    }
    if (node.kind == Syntax::Subscript) {
      Node& base = ast_.nodes[ast_.children[node.first]];
      if (base.kind == Syntax::Name) {
        s.target = base.id;
        s.subscripted = true;
        s.first_subscript = node.first + 1;
        s.n_subscripts = node.count - 1;
        node.kind = base.kind = Syntax::Target;
        return;
      }
    }
    fail(node.span, "this cannot be assigned to", "expected a name, or a name with subscripts",
         now_.kind == Tok::Assign ? "to compare, write '=='" : "");
  }

  // ---- expressions --------------------------------------------------------------------------------------------------

  NodeId expression() {
    const NodeId value = binary(0);
    if (now_.kind != Tok::If) return value;
    const Token mark = take();
    const Nest nest(*this, mark.span);
    const NodeId condition = binary(0);
    if (now_.kind != Tok::Else) fail(now_.span, "this choice has no 'else'", "expected 'else'", "a choice is written: x if c else y");
    advance();
    const NodeId otherwise = expression();
    return apply(catalog::info(Op::Where), mark.span, {condition, value, otherwise});
  }

  static bool is_comparison(const OpInfo* op) { return op && op->rule == catalog::Rule::Comparison; }

  NodeId binary(int floor) {
    NodeId left = prefix(floor);
    while (now_.kind == Tok::Operator && now_.infix && now_.infix->spelling.power > floor) {
      const Token mark = take();
      const OpInfo& op = *mark.infix;
      NodeId right;
      if (op.spelling.form == catalog::Spelling::Form::InfixRight) {
        const Nest nest(*this, mark.span);
        right = binary(op.spelling.power - 1);
      } else {
        right = binary(op.spelling.power);
      }
      NodeId value = apply(op, mark.span, {left, right});
      // a < b < c is (a < b) & (b < c), b being one node.
      while (is_comparison(&op) && now_.kind == Tok::Operator && is_comparison(now_.infix)) {
        const Token next = take();
        const NodeId last = binary(next.infix->spelling.power);
        const NodeId link = apply(*next.infix, next.span, {right, last});
        value = apply(catalog::info(Op::BitwiseAnd), next.span, {value, link});
        right = last;
      }
      left = value;
    }
    return left;
  }

  NodeId prefix(int floor) {
    if (ready_ == kNone && now_.kind == Tok::Operator && now_.prefix) {
      const Token mark = take();
      const int power = mark.prefix->spelling.power;
      // "a + not b" is no Python either; signs may follow any operator.
      if (power < floor && mark.prefix->id == Op::LogicalNot)
        fail(mark.span, "'not' binds less than the operator before it", "here", "put it in parentheses: (not x)");
      const Nest nest(*this, mark.span);
      const NodeId operand = binary(power == 30 ? power - 1 : power);
      return apply(*mark.prefix, mark.span, {operand});
    }
    return postfix();
  }

  NodeId postfix() {
    NodeId base = primary();
    while (true) {
      if (now_.kind == Tok::LeftBracket) {
        base = subscript(base);
      } else if (now_.kind == Tok::Dot) {
        base = attribute(base);
      } else {
        return base;
      }
    }
  }

  NodeId attribute(NodeId base) {
    const Token dot = take();
    if (now_.kind != Tok::Name)
      fail(now_.kind == Tok::End ? dot.span : now_.span, "a name is missing after '.'", "expected real, imag or T");
    const Token token = take();
    const std::string_view name = text_of(token.span);
    const Span whole = join(span(base), token.span);
    if (name == "T") return add({.kind = Syntax::Transpose, .span = whole, .mark = token.span}, {base});
    const OpInfo* op = catalog::find_function(name);
    if (op && has(op->flags, catalog::Flags::Attribute)) {
      if (now_.kind == Tok::LeftParen) fail(now_.span, fmt::format("'.{}' is not called", name), "remove the parentheses");
      const NodeId node = apply(*op, token.span, {base});
      ast_.nodes[node].span = whole;
      return node;
    }
    const bool known = op || catalog::find_reduction(name) || catalog::find_ordered(name) || catalog::find_derived(name);
    fail(token.span, fmt::format("there is no attribute '{}'", name), "expected real, imag or T",
         known ? fmt::format("write {}(x) instead of x.{}()", name, name) : "");
  }

  NodeId primary() {
    if (ready_ != kNone) return std::exchange(ready_, kNone);
    const Token token = now_;
    switch (token.kind) {
      case Tok::Integer: {
        advance();
        Node node{.kind = Syntax::Integer, .span = token.span, .mark = token.span};
        node.integer = token.integer;
        return literal(node);
      }
      case Tok::Float:
      case Tok::Imaginary: {
        advance();
        Node node{.kind = token.kind == Tok::Float ? Syntax::Float : Syntax::Imaginary, .span = token.span, .mark = token.span};
        node.real = token.real;
        return literal(node);
      }
      case Tok::True:
      case Tok::False: {
        advance();
        Node node{.kind = Syntax::Boolean, .span = token.span, .mark = token.span};
        node.integer = token.kind == Tok::True;
        return literal(node);
      }
      case Tok::String:
        advance();
        return add({.kind = Syntax::String, .span = token.span, .mark = token.span});
      case Tok::Name: {
        advance();
        if (now_.kind == Tok::LeftParen) return call(token);
        const std::uint32_t id = symbol(text_of(token.span), token.span);
        return add({.kind = Syntax::Name, .id = static_cast<std::uint16_t>(id), .span = token.span, .mark = token.span});
      }
      case Tok::LeftParen: {
        const Nest nest(*this, token.span);
        advance();
        if (now_.kind == Tok::RightParen) fail(join(token.span, now_.span), "the parentheses are empty", "expected an expression");
        const NodeId inside = expression();
        expect_close(Tok::RightParen, token.span, ')');
        return inside;
      }
      case Tok::LeftBracket:
        fail(token.span, "lists are not part of the language", "here",
             "pass the list by name: evaluate(\"a + w\", {\"a\": a, \"w\": [1, 2]})");
      case Tok::None:
        fail(token.span, "None is a value only in subscripts and as axis", "here");
      case Tok::Ellipsis:
        fail(token.span, "'...' stands only in subscripts", "here");
      case Tok::RightParen:
      case Tok::RightBracket:
        fail(token.span, fmt::format("expected an operand before {}", describe(token)), "here");
      case Tok::End:
      case Tok::Newline: {
        const Span at{token.span.begin ? token.span.begin - 1 : 0, token.span.begin};
        fail(ast_.text.empty() ? token.span : at, "the expression ends too early", "expected an operand after this");
      }
      case Tok::Operator:
        fail(token.span, fmt::format("expected an operand before {}", describe(token)), "here",
             text_of(token.span) == "*" ? "a power is written x ** y" : "");
      case Tok::Assign:
      case Tok::Augmented:
        fail(token.span, fmt::format("expected an operand before {}", describe(token)), "here",
             "an assignment is written: name = expression");
      default:
        fail(token.span, fmt::format("expected an operand before {}", describe(token)), "here");
    }
  }

  NodeId literal(const Node& node) {
    const NodeId id = add(node);
    if (now_.kind == Tok::LeftParen) fail(now_.span, "a number cannot be called", "expected an operator", "to multiply, write *");
    return id;
  }

  // ---- subscripts ---------------------------------------------------------------------------------------------------

  NodeId subscript(NodeId base) {
    const Token open = take();
    const Nest nest(*this, open.span);
    NodeId children[1 + 2 * kMaxRank + 2];
    std::size_t n = 0;
    children[n++] = base;
    if (now_.kind == Tok::RightBracket)
      fail(join(open.span, now_.span), "the subscript is empty", "expected an index or a slice", "x[...] is all of x");
    while (true) {
      if (n == std::size(children))
        throw LimitError({.what = fmt::format("more than {} subscripts", std::size(children) - 1),
                          .labels = {{open.span, "opened here"}},
                          .help = {},
                          .text = std::string(ast_.text)});
      children[n++] = item();
      if (now_.kind != Tok::Comma) break;
      advance();
      if (now_.kind == Tok::RightBracket) break;
    }
    const Span close = now_.span;
    expect_close(Tok::RightBracket, open.span, ']');
    const Span whole = join(span(base), close);
    return add({.kind = Syntax::Subscript, .span = whole, .mark = {open.span.begin, close.end}}, std::span<const NodeId>(children, n));
  }

  /// The rest of a(i-1, j), after its bracket: as a[-1, 0]. Each axis has one name of an index throughout the text.
  NodeId offsets(const Token& name, Span open) {
    const NodeId base = add({.kind = Syntax::Name,
                             .id = static_cast<std::uint16_t>(symbol(text_of(name.span), name.span)),
                             .span = name.span,
                             .mark = name.span});
    NodeId children[1 + kMaxRank] = {base};
    std::size_t n = 1;
    while (true) {
      const Token index = take();
      if (index.kind != Tok::Name)
        fail(index.span, "an index and an offset belong here", "here",
             fmt::format("write {}(i-1, j), or {}[-1, 0]", text_of(name.span), text_of(name.span)));
      if (n > kMaxRank) fail(index.span, fmt::format("more than {} axes", kMaxRank), "here");
      const std::size_t axis = n - 1;
      if (axis == indices_.size()) indices_.push_back(text_of(index.span));
      if (indices_[axis] != text_of(index.span))
        fail(index.span, fmt::format("axis {} has the index '{}' elsewhere", axis, indices_[axis]), "another one",
             "each axis has one name of an index");
      Node offset{.kind = Syntax::Integer, .span = index.span, .mark = index.span};
      const Span sign = now_.span;
      const bool is_less = now_.kind == Tok::Operator && text_of(sign) == "-";
      if (is_less || (now_.kind == Tok::Operator && text_of(sign) == "+")) {
        advance();
        if (now_.kind != Tok::Integer) fail(now_.span, "an offset is a whole number", "here", "write for example i-1");
        const Token number = take();
        offset.integer = number.integer;
        offset.span = offset.mark = join(index.span, number.span);
      }
      children[n] = add(offset);
      if (is_less) children[n] = apply(*catalog::find_prefix("-"), sign, {children[n]});
      ++n;
      if (now_.kind != Tok::Comma) break;
      advance();
    }
    const Span close = now_.span;
    expect_close(Tok::RightParen, open, ')');
    return add({.kind = Syntax::Subscript, .span = join(name.span, close), .mark = join(open, close)},
               std::span<const NodeId>(children, n));
  }

  NodeId item() {
    Span whole = now_.span;
    if (now_.kind == Tok::None) {
      const Token token = take();
      // Before a ':' it is an open end, as everywhere in a slice; alone it is a new axis.
      if (now_.kind != Tok::Colon) return add({.kind = Syntax::NewAxis, .span = token.span, .mark = token.span});
    }
    if (now_.kind == Tok::Ellipsis) {
      const Token token = take();
      return add({.kind = Syntax::Ellipsis, .span = token.span, .mark = token.span});
    }
    const auto bound_ends = [&] { return now_.kind == Tok::Colon || now_.kind == Tok::Comma || now_.kind == Tok::RightBracket; };
    NodeId bounds[3] = {kNone, kNone, kNone};
    if (now_.kind != Tok::Colon) {
      bounds[0] = expression();
      whole = span(bounds[0]);
      if (now_.kind != Tok::Colon) return bounds[0];
    }
    for (int i = 1; i < 3 && now_.kind == Tok::Colon; ++i) {
      whole = join(whole, now_.span);
      advance();
      if (bound_ends()) continue;
      if (now_.kind == Tok::None) {
        whole = join(whole, take().span);
        continue;
      }
      bounds[i] = expression();
      whole = join(whole, span(bounds[i]));
    }
    return add({.kind = Syntax::Slice, .span = whole, .mark = whole}, {bounds[0], bounds[1], bounds[2]});
  }

  // ---- calls --------------------------------------------------------------------------------------------------------

  struct Argument {
    NodeId value;
    Span keyword;  // empty for positional ones
  };
  struct Arguments {
    Argument items[kMaxArguments];
    std::size_t count = 0;
    Span close;
  };

  Arguments arguments(Span open) {
    Arguments list;
    bool keyword_seen = false;
    while (now_.kind != Tok::RightParen) {
      Argument argument{kNone, {}};
      if (now_.kind == Tok::Operator && now_.infix && (text_of(now_.span) == "*" || text_of(now_.span) == "**"))
        fail(now_.span, "arguments cannot be unpacked", "here", "give them one by one");
      argument.value = axis_or_expression();
      if (now_.kind == Tok::Assign) {
        const Node& name = ast_.nodes[argument.value];
        if (name.kind != Syntax::Name) fail(name.span, "a keyword must be a name", "here");
        argument.keyword = name.span;
        // The name was no operand: forget its node, and its symbol if this was the first mention.
        const std::uint32_t id = name.id;
        ast_.nodes.pop_back();
        forget_symbol(id, argument.keyword);
        advance();
        argument.value = text_of(argument.keyword) == "dtype" ? dtype_name() : axis_or_expression();
        keyword_seen = true;
      } else if (keyword_seen) {
        fail(span(argument.value), "a positional argument follows a keyword", "here", "put positional arguments first");
      }
      if (list.count == kMaxArguments) fail(span(argument.value), "too many arguments", "here");
      list.items[list.count++] = argument;
      if (now_.kind != Tok::Comma) break;
      advance();
    }
    list.close = now_.span;
    expect_close(Tok::RightParen, open, ')');
    return list;
  }

  /// The value of dtype=: a name of the casts, or that name in quotes, or None.
  NodeId dtype_name() {
    const Token token = take();
    if (token.kind == Tok::None) return add({.kind = Syntax::NewAxis, .span = token.span, .mark = token.span});
    std::string_view name = text_of(token.span);
    if (token.kind == Tok::String && name.size() >= 2) name = name.substr(1, name.size() - 2);
    DType dtype{};
    if ((token.kind != Tok::Name && token.kind != Tok::String) || !find_cast(name, dtype))
      fail(token.span, "dtype is one of the engine's dtypes", "here", "write for example dtype=float64");
    return add({.kind = Syntax::DTypeName, .id = static_cast<std::uint16_t>(dtype), .span = token.span, .mark = token.span});
  }

  void forget_symbol(std::uint32_t id, Span at) {
    if (id + 1 != ast_.symbols.size() || ast_.symbols[id].data() != ast_.text.data() + at.begin) return;
    ast_.symbols.pop_back();
    if (!table_.empty()) grow_table();
  }

  /// None and tuples are values of `axis` alone; where they do not belong the caller says so.
  NodeId axis_or_expression() {
    if (now_.kind == Tok::None) {
      const Token token = take();
      return add({.kind = Syntax::NewAxis, .span = token.span, .mark = token.span});
    }
    if (now_.kind == Tok::LeftParen) {
      // A tuple or a parenthesised expression: known after the first element.
      const Token open = take();
      const Nest nest(*this, open.span);
      if (now_.kind == Tok::RightParen) {
        const Token close = take();
        return add({.kind = Syntax::Tuple, .span = join(open.span, close.span), .mark = open.span});
      }
      const NodeId first = expression();
      if (now_.kind == Tok::Comma) {
        NodeId items[kMaxRank];
        std::size_t n = 0;
        items[n++] = first;
        while (now_.kind == Tok::Comma) {
          advance();
          if (now_.kind == Tok::RightParen) break;
          if (n == kMaxRank) fail(now_.span, "too many axes", fmt::format("at most {}", kMaxRank));
          items[n++] = expression();
        }
        const Span close = now_.span;
        expect_close(Tok::RightParen, open.span, ')');
        return add({.kind = Syntax::Tuple, .span = join(open.span, close), .mark = open.span}, std::span<const NodeId>(items, n));
      }
      expect_close(Tok::RightParen, open.span, ')');
      ready_ = first;  // the first operand of what follows
    }
    return expression();
  }

  NodeId call(const Token& name_token) {
    const std::string_view name = text_of(name_token.span);
    const Token open = take();
    const Nest nest(*this, open.span);
    const OpInfo* op = catalog::find_function(name);
    const catalog::ReductionInfo* reduction = op ? nullptr : catalog::find_reduction(name);
    const catalog::OrderedInfo* ordered = op || reduction ? nullptr : catalog::find_ordered(name);
    const catalog::DerivedInfo* derived = op || reduction || ordered ? nullptr : catalog::find_derived(name);
    DType dtype{};
    const bool cast = !op && !reduction && !ordered && !derived && find_cast(name, dtype);
    if (!op && !reduction && !ordered && !derived && !cast) {
      if (is_stencil_) return offsets(name_token, open.span);
      const std::string_view near = catalog::nearest_function(name);
      throw UnknownName({.what = fmt::format("there is no function '{}'", name),
                         .labels = {{name_token.span, near.empty() ? "not in the catalog" : fmt::format("did you mean '{}'?", near)}},
                         .help = "engine.functions lists them all",
                         .text = std::string(ast_.text)});
    }
    const Arguments list = arguments(open.span);
    const Span whole = join(name_token.span, list.close);
    NodeId args[kMaxArguments];
    std::fill(args, args + kMaxArguments, kNone);
    if (cast) {
      place(name, name_token.span, "x", list, args);
      return add({.kind = Syntax::Cast, .id = static_cast<std::uint16_t>(dtype), .span = whole, .mark = name_token.span}, {args[0]});
    }
    if (reduction) return reduce(*reduction, name_token.span, whole, list, args, false);
    if (ordered) return order(*ordered, name_token.span, whole, list, args);
    if (name == "nansum" || name == "nanprod")
      return reduce(*catalog::find_reduction(name.substr(3)), name_token.span, whole, list, args, true);
    if (name == "std") {  // with all that var knows of where= and dtype=
      const NodeId variance = reduce(*catalog::find_reduction("var"), name_token.span, whole, list, args, false);
      return add({.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(Op::Sqrt), .span = whole, .mark = name_token.span}, {variance});
    }
    if (derived) {
      place(name, name_token.span, derived->parameters, list, args);
      return derive(*derived, args, name_token.span, whole);
    }
    place(name, name_token.span, catalog::parameters(*op), list, args);
    const bool position = has(op->flags, catalog::Flags::Position);
    std::size_t n = op->arity.count;
    if (op->id == Op::Round) {  // np.round's second argument is no operand: it chooses among operations
      n = args[1] != kNone ? 2 : 1;
      for (std::size_t i = 0; i < n; ++i) refuse_axis_value(args[i]);
    } else if (op->id == Op::Clip || op->id == Op::NanToNum) {
      // What is absent or None stays None in the tree.
      const std::size_t all = op->id == Op::Clip ? 3 : 5;
      for (std::size_t i = 1; i < all; ++i) {
        if (args[i] == kNone) args[i] = add({.kind = Syntax::NewAxis, .span = whole, .mark = name_token.span});
        if (ast_.nodes[args[i]].kind != Syntax::NewAxis) n = std::max(n, all);
      }
      if (op->id == Op::Clip && ast_.nodes[args[1]].kind == Syntax::NewAxis && ast_.nodes[args[2]].kind == Syntax::NewAxis)
        fail(name_token.span, "'clip' has neither min nor max", "called here", "its form is clip(a, min=None, max=None)");
    } else if (!position) {
      for (std::size_t i = 0; i < n; ++i) refuse_axis_value(args[i]);
    }
    return add({.kind = position ? Syntax::Position : Syntax::Apply,
                .id = static_cast<std::uint16_t>(op->id),
                .span = whole,
                .mark = name_token.span},
               std::span<const NodeId>(args, n));
  }

  /// Reductions and their keywords: where, initial and dtype become operations around the argument and the result.
  /// `skips_nan`: elements that are NaN count as the identity.
  NodeId reduce(const catalog::ReductionInfo& row, Span mark, Span whole, const Arguments& list, NodeId* args, bool skips_nan) {
    using catalog::Reduction;
    const std::string_view parameters = catalog::parameters(row);
    place(text_of(mark), mark, parameters, list, args);
    // The arguments by name; what the row does not take stays absent.
    NodeId given[kMaxArguments];
    std::copy(args, args + kMaxArguments, given);
    enum { kValue, kAxis, kKeepdims, kDtype, kInitial, kWhere, kDdof, kAll };
    constexpr std::string_view kNames[kAll] = {"x", "axis", "keepdims", "dtype", "initial", "where", "ddof"};
    std::fill(args, args + kMaxArguments, kNone);
    args[kValue] = given[0];
    for (int k = kAxis; k < kAll; ++k) args[k] = argument(parameters, given, kNames[k]);
    for (const int k : {kDtype, kInitial, kWhere, kDdof})
      if (!is_given(args[k])) args[k] = kNone;
    const bool picks = row.id == Reduction::Min || row.id == Reduction::Max || row.id == Reduction::Nanmin || row.id == Reduction::Nanmax;
    const bool typed = args[kDtype] != kNone;
    const auto make = [&](Syntax kind, std::uint16_t id, std::initializer_list<NodeId> children) {
      return add({.kind = kind, .id = id, .span = whole, .mark = mark}, children);
    };
    const auto truth = [&](bool value) {
      Node node{.kind = Syntax::Boolean, .span = whole, .mark = mark};
      node.integer = value;
      return add(node);
    };
    const std::uint16_t dtype = typed ? ast_.nodes[args[kDtype]].id : std::uint16_t{0};
    if (skips_nan) {
      const NodeId lacking = make(Syntax::Apply, static_cast<std::uint16_t>(Op::Isnan), {args[kValue]});
      args[kValue] = make(Syntax::Apply, static_cast<std::uint16_t>(Op::Where), {lacking, truth(row.identity == "1"), args[kValue]});
    }
    if (typed) args[kValue] = make(Syntax::Cast, dtype, {args[kValue]});
    if (args[kWhere] != kNone) {
      if (row.id == Reduction::Var) {
        const NodeId left = masked_variance(args[kValue], args[kWhere], args[kAxis], args[kKeepdims], args[kDdof], mark, whole);
        return typed ? make(Syntax::Cast, dtype, {left}) : left;
      }
      if (row.id == Reduction::Mean) {
        if (args[kDdof] != kNone) fail(span(args[kDdof]), "'mean' takes no ddof beside where", "here");
        NodeId masked[] = {args[kValue], args[kWhere], args[kAxis], args[kKeepdims]};
        const NodeId mean = instantiate(*catalog::find_derived("mean_where"), masked, mark, whole);
        return typed ? make(Syntax::Cast, dtype, {mean}) : mean;
      }
      if (picks && args[kInitial] == kNone)
        fail(span(args[kWhere]), fmt::format("'{}' with where needs an initial value", row.name), "where nothing is true, what is it?",
             "give initial=…");
      const NodeId otherwise = picks                         ? args[kInitial]
                               : row.id == Reduction::Nanvar ? not_a_number(mark, whole)
                                                             : truth(row.identity == "1");
      Node where{.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(Op::Where), .span = whole, .mark = mark};
      where.integer = picks;
      args[kValue] = add(where, {args[kWhere], args[kValue], otherwise});
    }
    const bool starts = args[kInitial] != kNone;
    NodeId result = make(Syntax::Reduce, static_cast<std::uint16_t>(row.id),
                         {args[kValue], args[kAxis], args[kKeepdims], args[kDdof], starts ? args[kInitial] : kNone});
    if (typed) result = make(Syntax::Cast, dtype, {result});
    if (!starts) return result;
    const Op with = row.id == Reduction::Sum      ? Op::Add
                    : row.id == Reduction::Prod   ? Op::Multiply
                    : row.id == Reduction::Min    ? Op::Minimum
                    : row.id == Reduction::Max    ? Op::Maximum
                    : row.id == Reduction::Nanmin ? Op::Fmin
                                                  : Op::Fmax;
    Node both{.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(with), .span = whole, .mark = mark};
    both.integer = 1;
    return add(both, {result, args[kInitial]});
  }

  /// What was given for the parameter of that name, of arguments in the order of `parameters`; kNone where there is no such parameter.
  static NodeId argument(std::string_view parameters, const NodeId* given, std::string_view keyword) {
    NodeId found = kNone;
    catalog::each_parameter(parameters, [&](std::size_t i, std::string_view name, bool) {
      if (name == keyword) found = given[i];
    });
    return found;
  }

  /// Operations along an axis; their dtype is a cast of the argument and of the result, as NumPy's.
  NodeId order(const catalog::OrderedInfo& row, Span mark, Span whole, const Arguments& list, NodeId* args) {
    place(row.name, mark, row.parameters, list, args);
    refuse_axis_value(args[0]);
    const NodeId dtype = argument(row.parameters, args, "dtype");
    const auto convert = [&](NodeId value) {
      if (!is_given(dtype)) return value;
      return add({.kind = Syntax::Cast, .id = ast_.nodes[dtype].id, .span = whole, .mark = mark}, {value});
    };
    NodeId children[kOrderChildren];
    std::fill(children, children + kOrderChildren, kNone);
    catalog::each_parameter(row.parameters, [&](std::size_t i, std::string_view name, bool) {
      if (name == "dtype") return;
      const OrderChild child = order_child(name);
      if (child != kAxis && !is_given(args[i])) return;  // None of an axis: all of them
      if (child == kSecond) refuse_axis_value(args[i]);
      if (name == "boundary") args[i] = boundary(args[i]);
      children[child] = args[i];
    });
    children[kValue] = convert(args[0]);
    return convert(add({.kind = Syntax::Order, .id = static_cast<std::uint16_t>(row.id), .span = whole, .mark = mark}, children));
  }

  /// A boundary's word in quotes.
  NodeId boundary(NodeId id) {
    const Node& given = ast_.nodes[id];
    const std::string_view text = text_of(given.span);
    Boundary found{};
    if (given.kind != Syntax::String || text.size() < 2 || !find_boundary(text.substr(1, text.size() - 2), found)) {
      const std::string_view near = given.kind == Syntax::String && text.size() > 2
                                        ? catalog::nearest(text.substr(1, text.size() - 2), kBoundaryWords.data(), kBoundaryWords.size())
                                        : std::string_view{};
      fail(given.span, "there is no such boundary", near.empty() ? "here" : fmt::format("did you mean '{}'?", near),
           std::string(kShiftBoundaries));
    }
    Node word{.kind = Syntax::Word, .span = given.span, .mark = given.mark};
    word.integer = static_cast<std::uint64_t>(found);
    ast_.nodes[id] = word;
    return id;
  }

  /// Whether an argument that may be left out, or None, has a value.
  bool is_given(NodeId id) const { return id != kNone && ast_.nodes[id].kind != Syntax::NewAxis; }

  NodeId not_a_number(Span mark, Span whole) {
    Node nan{.kind = Syntax::Float, .span = whole, .mark = mark};
    nan.real = __builtin_nan("");
    return add(nan);
  }

  /// var(value, where=mask): of what the mask leaves, without NaN for the rest; NaN where one of the elements is.
  NodeId masked_variance(NodeId value, NodeId mask, NodeId axis, NodeId keepdims, NodeId ddof, Span mark, Span whole) {
    using catalog::Reduction;
    const auto apply = [&](Op op, std::initializer_list<NodeId> children) {
      return add({.kind = Syntax::Apply, .id = static_cast<std::uint16_t>(op), .span = whole, .mark = mark}, children);
    };
    const auto reduce = [&](Reduction what, NodeId of, NodeId n, NodeId bounded) {
      return add({.kind = Syntax::Reduce, .id = static_cast<std::uint16_t>(what), .span = whole, .mark = mark},
                 {of, axis, keepdims, n, bounded});
    };
    Node constant{.kind = Syntax::Boolean, .span = whole, .mark = mark};
    constant.integer = 1;
    const NodeId bounded = add(constant);
    const NodeId nan = not_a_number(mark, whole);
    const NodeId spoilt = reduce(Reduction::Any, apply(Op::LogicalAnd, {mask, apply(Op::Isnan, {value})}), kNone, kNone);
    const NodeId left = reduce(Reduction::Nanvar, apply(Op::Where, {mask, value, nan}), ddof, bounded);
    return apply(Op::Where, {spoilt, nan, left});
  }

  /// A call of a derived function. Its last parameters may be dtype and where, which its text does not know: what they mean
  /// is done to its first argument and its value.
  NodeId derive(const catalog::DerivedInfo& row, NodeId* args, Span mark, Span whole) {
    std::size_t n = 0, dtype_at = kMaxArguments, where_at = kMaxArguments;
    for (std::string_view rest = row.parameters; !rest.empty(); ++n) {
      const std::size_t comma = rest.find(", ");
      const std::string_view item = rest.substr(0, comma);
      if (item == "dtype=None") dtype_at = n;
      if (item == "where=True") where_at = n;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 2);
    }
    const auto given = [&](std::size_t at) { return at < n && is_given(args[at]); };
    const auto make = [&](Syntax kind, std::uint16_t id, std::initializer_list<NodeId> children) {
      return add({.kind = kind, .id = id, .span = whole, .mark = mark}, children);
    };
    if (given(where_at))
      args[0] = make(Syntax::Apply, static_cast<std::uint16_t>(Op::Where), {args[where_at], args[0], not_a_number(mark, whole)});
    if (!given(dtype_at)) return instantiate(row, args, mark, whole);
    const std::uint16_t dtype = ast_.nodes[args[dtype_at]].id;
    args[0] = make(Syntax::Cast, dtype, {args[0]});
    const NodeId value = instantiate(row, args, mark, whole);
    return make(Syntax::Cast, dtype, {value});
  }

  /// The nodes of a derived function's text, with the arguments in the parameters' places. They all stand at the call.
  NodeId instantiate(const catalog::DerivedInfo& row, NodeId* args, Span mark, Span whole) {
    const Template& form = template_of(row);
    for (std::size_t i = 0; i < form.defaults.size(); ++i)
      if (args[i] == kNone && form.defaults[i]) args[i] = copy(*form.defaults[i], {}, {}, mark, whole);
    return copy(*form.body, form.parameters, args, mark, whole);
  }

  NodeId copy(const Ast& form, std::span<const std::string> parameters, const NodeId* args, Span mark, Span whole) {
    std::pmr::vector<NodeId> made(form.nodes.size(), kNone, ast_.nodes.get_allocator());
    for (std::size_t i = 0; i < form.nodes.size(); ++i) {
      Node node = form.nodes[i];
      node.span = whole;
      node.mark = mark;
      if (node.kind == Syntax::Name) {
        const std::string_view name = form.symbols[node.id];
        std::size_t k = 0;
        while (k < parameters.size() && parameters[k] != name) ++k;
        if (k < parameters.size()) {
          made[i] = args[k];
          continue;
        }
        double value = 0;
        catalog::find_constant(name, value);
        node.kind = Syntax::Float;
        node.real = value;
      }
      std::array<NodeId, kMaxArguments> children;
      const std::span<const NodeId> of = form.children_of(form.nodes[i]);
      for (std::size_t c = 0; c < of.size(); ++c) children[c] = of[c] == kNone ? kNone : made[of[c]];
      made[i] = add(node, std::span<const NodeId>(children.data(), of.size()));
    }
    return made[form.statements.front().value];
  }

  void refuse_axis_value(NodeId id) const {
    const Node& node = ast_.nodes[id];
    if (node.kind == Syntax::Tuple) fail(node.span, "a tuple is a value only as axis", "here");
    if (node.kind == Syntax::NewAxis) fail(node.span, "None is a value only in subscripts and as axis", "here");
  }

  /// Puts positional and keyword arguments where they belong. `names` are separated by ", "; those with a default ("axis=None")
  /// may be left out, and stay kNone then.
  void place(std::string_view function, Span at, std::string_view names, const Arguments& list, NodeId* args) const {
    std::string_view parameter[kMaxArguments];
    std::size_t n = 0, n_required = 0;
    for (std::string_view rest = names; !rest.empty(); ++n) {
      const std::size_t comma = rest.find(", ");
      const std::string_view item = rest.substr(0, comma);
      const std::size_t equals = item.find('=');
      parameter[n] = item.substr(0, equals);
      if (equals == std::string_view::npos) n_required = n + 1;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 2);
    }
    const auto signature = [&] { return fmt::format("{}({})", function, names); };
    for (std::size_t i = 0; i < list.count; ++i) {
      const Argument& argument = list.items[i];
      std::size_t place = i;
      if (argument.keyword.end > argument.keyword.begin) {
        std::string_view keyword = text_of(argument.keyword);
        if (function == "clip" && (keyword == "a_min" || keyword == "a_max")) keyword.remove_prefix(2);  // NumPy's older names
        place = 0;
        while (place < n && parameter[place] != keyword) ++place;
        if (place == n) {
          const std::string_view near = catalog::nearest(keyword, parameter, n);
          fail(argument.keyword, fmt::format("'{}' takes no argument '{}'", function, keyword),
               near.empty() ? "unknown keyword" : fmt::format("did you mean '{}'?", near), "its form is " + signature());
        }
        if (args[place] != kNone) fail(argument.keyword, fmt::format("'{}' is given twice", keyword), "here");
      } else if (place >= n) {
        fail(span(argument.value), fmt::format("'{}' takes {} argument{}, not {}", function, n, n == 1 ? "" : "s", list.count),
             "one too many", "its form is " + signature());
      }
      // None and tuples are values of axis (tuples of range, too) alone; None also stands for whatever may be left out.
      const Syntax kind = ast_.nodes[argument.value].kind;
      if (parameter[place] != "axis" && parameter[place] != "range" && (kind == Syntax::Tuple || place < n_required))
        refuse_axis_value(argument.value);
      args[place] = argument.value;
    }
    for (std::size_t i = 0; i < n_required; ++i)
      if (args[i] == kNone)
        fail(at, fmt::format("'{}' lacks its argument '{}'", function, parameter[i]), "called here", "its form is " + signature());
  }

  Lexer lexer_;
  const Limits& limits_;
  const bool is_stencil_;
  std::vector<std::string_view> indices_;  ///< of a stencil: the names of a(i, j), by axes
  Ast ast_;
  Token now_;
  std::uint32_t depth_ = 0;
  NodeId ready_ = kNone;  // an operand that has been parsed already: primary() gives it next
  std::pmr::vector<std::uint32_t> table_;
};

}  // namespace

namespace {

const Template& template_of(const catalog::DerivedInfo& row) {
  // For the life of the process. No std::call_once: glibc needs memory to let an exception through it.
  static constinit std::array<std::atomic<const Template*>, catalog::kDerived> made{};
  std::atomic<const Template*>& slot = made[static_cast<std::size_t>(&row - catalog::derived().data())];
  if (const Template* form = slot.load(std::memory_order_acquire)) return *form;
  const Limits limits;
  auto form = std::make_unique<Template>();
  for (std::string_view rest = row.parameters; !rest.empty();) {
    const std::size_t comma = rest.find(", ");
    const std::string_view item = rest.substr(0, comma);
    const std::size_t equals = item.find('=');
    form->parameters.emplace_back(item.substr(0, equals));
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1);
    form->defaults.push_back(value.empty() || value == "None" ? nullptr : std::make_unique<const Ast>(parse(value, limits)));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 2);
  }
  form->body = std::make_unique<const Ast>(parse(row.text, limits));
  const Template* first = nullptr;  // another thread may have been faster
  if (!slot.compare_exchange_strong(first, form.get(), std::memory_order_acq_rel)) return *first;
  return *form.release();
}

}  // namespace

Ast parse(std::string_view text, const Limits& limits, std::pmr::memory_resource* memory) {
  if (text.size() > 0x7fffffff) throw LimitError({.what = "the text is longer than 2 GiB", .labels = {}, .help = {}, .text = {}});
  return Parser(text, limits, memory).parse();
}

Ast parse_stencil(std::string_view text, const Limits& limits, std::pmr::memory_resource* memory) {
  if (text.size() > 0x7fffffff) throw LimitError({.what = "the text is longer than 2 GiB", .labels = {}, .help = {}, .text = {}});
  return Parser(text, limits, memory, true).parse();
}

}  // namespace engine::frontend
