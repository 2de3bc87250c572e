// ir/graph.cpp - making nodes, each only once.
#include "engine/ir/graph.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace engine::ir {
namespace {

std::size_t mix(std::size_t h, std::uint64_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ull ^ (h >> 29); }

/// Constants are their values, wherever in the table of values those stand.
std::size_t hash(const Graph& g, const Node& n) {
  std::size_t h = static_cast<std::size_t>(n.kind) | static_cast<std::size_t>(n.dtype) << 8 | static_cast<std::size_t>(n.op) << 16 |
                  static_cast<std::size_t>(n.loop) << 32 | static_cast<std::size_t>(n.rank) << 48;
  h = mix(h, n.args[0] | static_cast<std::uint64_t>(n.args[1]) << 32);
  if (n.kind == NodeKind::Constant) {
    std::array<std::uint64_t, 2> bits;
    std::memcpy(bits.data(), g.values[n.payload].bytes.data(), sizeof bits);
    // Floats differ in their high bits and integers in their low ones, and a product spreads what it is given upwards alone.
    for (const std::uint64_t part : bits) h = mix(h, part ^ __builtin_bswap64(part));
    return h ^ h >> 32;
  }
  h = mix(h, n.args[2] | static_cast<std::uint64_t>(n.payload) << 32);
  return mix(h, n.version);
}

bool same(const Graph& g, const Node& a, const Node& b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.rank == b.rank && a.op == b.op && a.loop == b.loop && a.args == b.args &&
         a.version == b.version && (a.kind == NodeKind::Constant ? g.values[a.payload] == g.values[b.payload] : a.payload == b.payload);
}

void insert(Graph& g, NodeId id) {
  const std::size_t mask = g.table.size() - 1;
  std::size_t i = hash(g, g.nodes[id]) & mask;
  while (g.table[i] != kNone) i = (i + 1) & mask;
  g.table[i] = id;
}

NodeId intern(Graph& g, const Node& node) {
  if (g.table.size() < 2 * (g.nodes.size() + 1)) {
    g.table.assign(std::max<std::size_t>(64, g.table.size() * 4), kNone);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
      if (g.nodes[id].kind != NodeKind::Output) insert(g, id);
  }
  const std::size_t mask = g.table.size() - 1;
  std::size_t i = hash(g, node) & mask;
  for (; g.table[i] != kNone; i = (i + 1) & mask)
    if (same(g, g.nodes[g.table[i]], node)) return g.table[i];
  g.nodes.push_back(node);
  g.table[i] = static_cast<NodeId>(g.nodes.size() - 1);
  return g.table[i];
}

/// Payload tables hold equal entries once, so that equal nodes have equal payloads. They are short.
template <class List, class T>
std::uint32_t find_or_add(List& list, const T& value) {
  const std::size_t n = list.size();
  for (std::size_t i = n; i-- > (n > 64 ? n - 64 : 0);)
    if (list[i] == value) return static_cast<std::uint32_t>(i);
  list.push_back(value);
  return static_cast<std::uint32_t>(n);
}

}  // namespace

NodeId Graph::input(std::uint32_t slot, std::uint32_t version, Span span) {
  Node node{
      .kind = NodeKind::Input, .dtype = slots[slot].dtype, .rank = slots[slot].rank, .payload = slot, .version = version, .span = span};
  return intern(*this, node);
}

NodeId Graph::constant(DType dtype, const Value& value, Span span, bool is_given) {
  const auto place = static_cast<std::uint32_t>(values.size());
  values.push_back(value);
  const NodeId id = intern(*this, {.kind = NodeKind::Constant, .dtype = dtype, .op = is_given, .payload = place, .span = span});
  if (nodes[id].payload != place) values.pop_back();
  return id;
}

NodeId Graph::apply(catalog::Op op, int loop, std::span<const NodeId> args, Span span, std::uint32_t payload) {
  const catalog::OpInfo& row = catalog::info(op);
  Node node{.kind = NodeKind::Apply,
            .dtype = catalog::loops(row.rule)[static_cast<std::size_t>(loop)].out,
            .n_args = static_cast<std::uint8_t>(args.size()),
            .op = static_cast<std::uint16_t>(op),
            .loop = static_cast<std::uint16_t>(loop),
            .payload = payload,
            .span = span};
  for (std::size_t i = 0; i < args.size(); ++i) {
    node.args[i] = args[i];
    node.rank = std::max(node.rank, nodes[args[i]].rank);
  }
  if (has(row.flags, catalog::Flags::Position)) node.rank = rank_of_position(payload);
  return intern(*this, node);
}

NodeId Graph::cast(NodeId arg, DType to, Span span) {
  if (nodes[arg].dtype == to) return arg;
  return intern(*this,
                {.kind = NodeKind::Cast, .dtype = to, .rank = nodes[arg].rank, .n_args = 1, .args = {arg, kNone, kNone}, .span = span});
}

NodeId Graph::view(NodeId arg, bool transpose, std::span<const ViewItem> items, Span span) {
  Node node{.kind = NodeKind::View, .dtype = nodes[arg].dtype, .n_args = 1, .args = {arg, kNone, kNone}, .span = span};
  node.rank = transpose ? nodes[arg].rank : 0;
  for (const ViewItem& item : items) node.rank = static_cast<std::uint8_t>(node.rank + (item.kind != ViewItem::Kind::Integer));
  for (std::size_t i = views.size(); i-- > (views.size() > 64 ? views.size() - 64 : 0);) {
    const ViewSpec& spec = views[i];
    if (spec.transpose == transpose && spec.count == items.size() &&
        std::equal(items.begin(), items.end(), view_items.begin() + spec.first)) {
      node.payload = static_cast<std::uint32_t>(i);
      return intern(*this, node);
    }
  }
  views.push_back({transpose, static_cast<std::uint32_t>(view_items.size()), static_cast<std::uint32_t>(items.size())});
  view_items.insert(view_items.end(), items.begin(), items.end());
  node.payload = static_cast<std::uint32_t>(views.size() - 1);
  return intern(*this, node);
}

NodeId Graph::reduce(NodeId arg, catalog::Reduction reduction, ReduceSpec spec, DType accumulator, Span span) {
  const int reduced = __builtin_popcount(spec.axes);
  Node node{.kind = NodeKind::Reduce,
            .dtype = accumulator,
            .rank = static_cast<std::uint8_t>(spec.keepdims ? nodes[arg].rank : nodes[arg].rank - reduced),
            .n_args = 1,
            .op = static_cast<std::uint16_t>(reduction),
            .args = {arg, kNone, kNone},
            .span = span};
  node.payload = find_or_add(reduces, spec);
  return intern(*this, node);
}

std::uint8_t rank_of(const Graph& graph, std::span<const NodeId> args, catalog::Ordered ordered, const ReduceSpec& spec) {
  switch (catalog::form_of(ordered).extent) {
    case catalog::Extent::Found:
      return static_cast<std::uint8_t>(1 + spec.rest);
    case catalog::Extent::First:
      return graph[args[0]].rank;
    case catalog::Extent::Second:
      return graph[args[1]].rank;
    case catalog::Extent::Reduced:
      return static_cast<std::uint8_t>(graph[args[0]].rank - __builtin_popcount(spec.axes));
    case catalog::Extent::Number:
      return 1;
    case catalog::Extent::Same:
    case catalog::Extent::Along:
      break;
  }
  return spec.is_flat() ? std::uint8_t{1} : graph[args[0]].rank;
}

NodeId Graph::order(std::span<const NodeId> args, catalog::Ordered ordered, ReduceSpec spec, DType dtype, Span span) {
  spec.ordered = true;
  Node node{.kind = NodeKind::Reduce,
            .dtype = dtype,
            .rank = rank_of(*this, args, ordered, spec),
            .n_args = static_cast<std::uint8_t>(args.size()),
            .op = static_cast<std::uint16_t>(ordered),
            .span = span};
  std::copy(args.begin(), args.end(), node.args.begin());
  node.payload = find_or_add(reduces, spec);
  return intern(*this, node);
}

NodeId Graph::output(NodeId arg, const OutputSpec& spec, Span span) {
  outputs.push_back(spec);
  nodes.push_back({.kind = NodeKind::Output,
                   .dtype = nodes[arg].dtype,
                   .rank = nodes[arg].rank,
                   .n_args = 1,
                   .args = {arg, kNone, kNone},
                   .payload = static_cast<std::uint32_t>(outputs.size() - 1),
                   .span = span});
  output_nodes.push_back(static_cast<NodeId>(nodes.size() - 1));
  return output_nodes.back();
}

bool operator==(const Graph& a, const Graph& b) { return print(a) == print(b); }

}  // namespace engine::ir
