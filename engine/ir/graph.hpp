// ir/graph.hpp - the typed graph: seven kinds of node, hash-consed, each with dtype and rank.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <engine/error.hpp>
#include <engine/options.hpp>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/dtype.hpp"
#include "engine/catalog/type_rule.hpp"

namespace engine::ir {

using NodeId = std::uint32_t;
inline constexpr NodeId kNone = 0xffffffffu;

enum class NodeKind : std::uint8_t { Input, Constant, Apply, Cast, View, Reduce, Output };

/// Bits of a value of any dtype, in its own representation, zero padded.
struct Value {
  alignas(16) std::array<std::byte, 16> bytes{};
  template <class T>
  static Value of(T v) {
    Value result;
    std::memcpy(result.bytes.data(), &v, sizeof v);
    return result;
  }
  template <class T>
  T as() const {
    T v;
    std::memcpy(&v, bytes.data(), sizeof v);
    return v;
  }
  friend bool operator==(const Value&, const Value&) = default;
};

/// One item of a view, in the order of the argument's axes (New consumes none). Python's slice semantics: bounds may be
/// absent, negative or out of range; they are resolved against the extent at bind time. A Shift keeps the extent: element i of it is
/// element i + start of the argument, and beyond a side of the axis what that side's boundary says.
struct ViewItem {
  enum class Kind : std::uint8_t { Slice, Integer, New, Shift };
  Kind kind = Kind::Slice;
  bool has_start = false, has_stop = false;
  Boundary low = Boundary::Nearest, high = Boundary::Nearest;  ///< Shift
  std::int64_t start = 0;                                      ///< Slice: start; Integer: the index; Shift: the offset
  std::int64_t stop = 0;
  std::int64_t step = 1;  ///< never 0
  Value value{};          ///< Shift: beyond a side of Boundary::Constant, of the argument's dtype
  Span span;              ///< not part of equality
  friend bool operator==(const ViewItem& a, const ViewItem& b) {
    return a.kind == b.kind && a.has_start == b.has_start && a.has_stop == b.has_stop && a.low == b.low && a.high == b.high &&
           a.start == b.start && a.stop == b.stop && a.step == b.step && a.value == b.value;
  }
  bool is_shift() const { return kind == Kind::Shift; }
  bool has_constant() const { return is_shift() && (low == Boundary::Constant || high == Boundary::Constant); }
};

/// A view of its argument: either a transposition (all axes reversed, no items) or one item per axis plus New ones.
/// Ellipsis is expanded and missing trailing axes are filled with full slices when it is built.
struct ViewSpec {
  bool transpose = false;
  std::uint32_t first = 0, count = 0;  ///< items, in Graph::view_items
};

struct ReduceSpec {
  std::uint32_t axes = 0;  ///< bit i: axis i is reduced (normalised, non-negative)
  bool keepdims = false;
  bool or_zero = false;   ///< over no elements the value is 0, whatever the reduction
  bool bounded = false;   ///< min, max: an initial value follows, so over no elements they are the largest, the smallest value;
                          ///< nanvar: it stands for var(where=), so over no more than ddof elements it is a quotient by zero
  std::int64_t ddof = 0;  ///< mean and variances: taken from the number of elements that divides
  /// An operation along one axis: the shape stays. Where `axes` are not exactly one, along all elements in C order: rank 1.
  bool ordered = false;
  /// Ordered, of a scan: without the element itself; of Searchsorted: equal ones count; of Histogram and Edges: bounds were given.
  bool exclusive = false;
  std::uint8_t rest = 0;    ///< ordered, of Select: trailing axes that are taken as they are
  std::int64_t number = 0;  ///< ordered: the place, how many, bins, edges, the least length
  bool is_flat() const { return !std::has_single_bit(axes); }
  int axis() const { return std::countr_zero(axes); }  ///< ordered, not flat
  friend bool operator==(const ReduceSpec&, const ReduceSpec&) = default;
};

/// Payload of a position over all axes: this plus the rank of its scope. Smaller payloads name an axis from the end.
inline constexpr std::uint32_t kWholePosition = 0x100;
/// The rank of the node: as many axes, from the end, as it tells apart.
constexpr std::uint8_t rank_of_position(std::uint32_t payload) {
  return static_cast<std::uint8_t>(payload > kWholePosition ? payload - kWholePosition : payload);
}

/// What an Output node does with its argument's value.
struct OutputSpec {
  enum class Kind : std::uint8_t {
    Result,  ///< the program's value: a fresh array (or the caller's out)
    Check,   ///< a rank-0 integer that must not be negative: else RangeError at the node's span, before the statement writes
    Store,   ///< written into slot `slot`, through `view` if there is one; broadcast and cast to the target's dtype
  };
  Kind kind = Kind::Result;
  std::uint32_t slot = 0;       ///< Store: index into Graph::slots
  NodeId target = kNone;        ///< Store through subscripts: a View node of the Input being written (its version before)
  bool returns_target = false;  ///< Store that is the program's last statement: the caller gets the written region back
};

/// An array the program reads or writes: an operand of the caller, or a local that subscripted assignment made necessary.
struct Slot {
  std::string_view name;  ///< into the text
  DType dtype = DType::Float64;
  std::uint8_t rank = 0;
  bool local = false;  ///< defined by the first Store into it
  bool written = false;
  Weak weak = Weak::No;  ///< a Python float or complex read at run time (as Float64, Complex128, rank 0)
  Span span;             ///< first appearance in the text
};

struct Node {
  NodeKind kind = NodeKind::Constant;
  DType dtype = DType::Float64;
  std::uint8_t rank = 0;
  std::uint8_t n_args = 0;
  /// Apply: catalog::Op; Reduce: catalog::Reduction, or catalog::Ordered where its spec says so; Constant: 1 where an operand gave it
  std::uint16_t op = 0;
  std::uint16_t loop = 0;  ///< Apply: index into catalog::loops(op)
  std::array<NodeId, 3> args{kNone, kNone, kNone};
  /// Input: slot; Constant: index into values; View: index into views; Reduce: into reduces; Output: into outputs;
  /// Apply of a Position row: the axis, counted from the END of the shape of the result (1 = last axis);
  /// Apply of Power: 1 where it is written as `array ** Python scalar`
  std::uint32_t payload = 0;
  std::uint32_t version = 0;  ///< Input: number of Stores into the slot that precede it
  Span span;                  ///< for messages; not part of equality
};

/// Nodes in topological order: arguments precede their users; Output nodes in the order of the statements.
struct Graph {
  explicit Graph(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : nodes(memory),
        slots(memory),
        values(memory),
        views(memory),
        view_items(memory),
        reduces(memory),
        outputs(memory),
        output_nodes(memory),
        table(memory) {}

  std::string_view text;
  /// Operands may share memory with what is written: every Store ends the version of every slot, not only of its own.
  bool aliased = false;
  /// What is written shares no memory with anything else: the caller sees to it.
  bool apart = false;
  std::pmr::vector<Node> nodes;
  std::pmr::vector<Slot> slots;
  std::pmr::vector<Value> values;
  std::pmr::vector<ViewSpec> views;
  std::pmr::vector<ViewItem> view_items;
  std::pmr::vector<ReduceSpec> reduces;
  std::pmr::vector<OutputSpec> outputs;
  std::pmr::vector<NodeId> output_nodes;
  std::pmr::vector<NodeId> table;  ///< open-addressing hash table of nodes (hash-consing); power of two

  const Node& operator[](NodeId id) const { return nodes[id]; }
  std::span<const ViewItem> items(const ViewSpec& view) const { return {view_items.data() + view.first, view.count}; }
  std::span<const NodeId> args(const Node& node) const { return {node.args.data(), node.n_args}; }

  /// Each returns the existing node where an equal one is there. Output nodes are never merged.
  NodeId input(std::uint32_t slot, std::uint32_t version, Span span);
  /// `is_given`: by an operand, so that another call may have another value.
  NodeId constant(DType dtype, const Value& value, Span span, bool is_given = false);
  NodeId apply(catalog::Op op, int loop, std::span<const NodeId> args, Span span, std::uint32_t payload = 0);
  NodeId cast(NodeId arg, DType to, Span span);  ///< the argument itself where it has that dtype
  NodeId view(NodeId arg, bool transpose, std::span<const ViewItem> items, Span span);
  NodeId reduce(NodeId arg, catalog::Reduction reduction, ReduceSpec spec, DType accumulator, Span span);
  /// `dtype`: of the result.
  NodeId order(std::span<const NodeId> args, catalog::Ordered ordered, ReduceSpec spec, DType dtype, Span span);
  NodeId output(NodeId arg, const OutputSpec& spec, Span span);
};

/// The rank of an operation along an axis on these arguments.
std::uint8_t rank_of(const Graph& graph, std::span<const NodeId> args, catalog::Ordered ordered, const ReduceSpec& spec);

/// Equal up to numbering of payload tables and spans.
bool operator==(const Graph& a, const Graph& b);

/// graph <-> text, one node a line: `%3 = Add.dd (%0, %2) : float64[2]`. read(print(g)) == g.
std::string print(const Graph& graph);
/// Throws ParseError with the line on malformed text, and where the graph breaks an invariant. For tests and fuzzing; the text must outlive
/// the graph.
Graph read(std::string_view text, std::pmr::memory_resource* memory = std::pmr::get_default_resource());

/// Throws InternalError with the dump unless every invariant of this header holds.
void verify(const Graph& graph);

}  // namespace engine::ir
