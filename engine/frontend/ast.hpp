// frontend/ast.hpp - the syntax tree: statements over flat, index-linked nodes, each with its span in the text.
#pragma once

#include <cstdint>
#include <engine/error.hpp>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "engine/catalog/op.hpp"

namespace engine::frontend {

using NodeId = std::uint32_t;
inline constexpr NodeId kNone = 0xffffffffu;

enum class Syntax : std::uint8_t {
  Integer,    ///< literal; value in `integer` (0 … 2^64-1)
  Float,      ///< literal; value in `real`
  Imaginary,  ///< literal 2j; the imaginary part in `real`
  Boolean,    ///< True, False; in `integer`
  String,     ///< 'text'; the span holds it
  Name,       ///< `id` is the symbol's index in Ast::symbols (also pi, e, inf, nan: the caller's names win)
  /// Catalog operation `id` (catalog::Op) on the children, in the operation's argument order. Where `integer` is not 0, the last one is
  /// an initial value, which takes the dtype of the one before.
  Apply,
  Position,   ///< index(axis): operation `id`, one child: the axis
  Reduce,     ///< `id` is a catalog::Reduction; children: argument, axis or kNone, keepdims or kNone
  Order,      ///< `id` is a catalog::Ordered; children: those of OrderChild, kNone where absent
  Cast,       ///< `id` is a DType; one child
  Subscript,  ///< children: the base, then one per subscript
  Slice,      ///< only below Subscript or Statement::subscripts; children: start, stop, step, each maybe kNone
  NewAxis,    ///< None
  Ellipsis,   ///< ...
  Tuple,      ///< (0, 2): only as axis; children: the items
  Transpose,  ///< x.T; one child
  Word,       ///< a Boundary, in `integer`; no part of any value
  DTypeName,  ///< what dtype= names, a DType in `id`; no part of any value
  Target,     ///< what was parsed as an expression and turned out to be assigned to; no part of any value
};

/// The children of Order.
enum OrderChild : std::uint8_t { kValue, kAxis, kFlag, kSecond, kNumber, kRange, kOrderChildren };
/// Which of them a parameter of catalog/ordered.def is.
constexpr OrderChild order_child(std::string_view parameter) {
  if (parameter == "axis") return kAxis;
  if (parameter == "exclusive" || parameter == "right" || parameter == "boundary") return kFlag;
  if (parameter == "condition" || parameter == "q" || parameter == "v" || parameter == "weights" || parameter == "cval") return kSecond;
  if (parameter == "kth" || parameter == "k" || parameter == "bins" || parameter == "minlength" || parameter == "n") return kNumber;
  if (parameter == "range") return kRange;
  return kValue;
}

struct Node {
  Syntax kind;
  std::uint16_t id = 0;
  Span span;                ///< the whole node
  Span mark;                ///< where a caret belongs: the operator, the function's name, the token itself
  std::uint32_t first = 0;  ///< first child, as an index into Ast::children
  std::uint32_t count = 0;  ///< number of children
  union {
    std::uint64_t integer = 0;
    double real;
  };
};

/// target (op)= value, or a bare expression.
struct Statement {
  NodeId value = kNone;
  std::uint32_t target = kNone;       ///< symbol assigned to; kNone for a bare expression
  std::int32_t augmented = -1;        ///< catalog::Op of an augmented assignment, or -1
  bool subscripted = false;           ///< target[...]
  std::uint32_t first_subscript = 0;  ///< into Ast::children
  std::uint32_t n_subscripts = 0;
  std::uint32_t first_node = 0;  ///< the statement's nodes are [first_node, end_node)
  std::uint32_t end_node = 0;
  Span span;
  Span target_span;  ///< name and subscripts
};

/// A parsed program. Nodes may be shared (the middle of a chained comparison), so it is a DAG whose children precede
/// their parents in `nodes`: a single ascending pass visits children first, without recursion.
struct Ast {
  explicit Ast(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : nodes(memory), children(memory), symbols(memory), statements(memory) {}

  std::string_view text;  ///< borrowed; must outlive the tree
  std::pmr::vector<Node> nodes;
  std::pmr::vector<NodeId> children;
  std::pmr::vector<std::string_view> symbols;  ///< distinct names, in order of first appearance; views into text
  std::pmr::vector<Statement> statements;

  std::span<const NodeId> children_of(const Node& node) const { return {children.data() + node.first, node.count}; }
};

}  // namespace engine::frontend
