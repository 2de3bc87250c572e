// plan/fuse.cpp - graph -> kernels: what shares a loop, and which values are kept in memory between loops.
// in: verified graph   out: plan whose actions, done in order, write what the statements write
//
// Elementwise values are never kept: each kernel computes them anew from what it reads. Kept are the results of
// reductions, the bases of views that depend on position, and operands that a later statement needs as they were before
// being overwritten.
#include <algorithm>
#include <utility>

#include "engine/plan/hoist.hpp"
#include "engine/plan/plan.hpp"
#include "engine/plan/tile.hpp"

namespace engine::plan {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::NodeKind;

/// Programs whose kernels repeat shared values may grow quadratically; beyond this they are refused.
constexpr std::size_t kMaxInstrs = 4'000'000;
/// Operands that are written in one pass: more are more streams than a core follows, and registers that a device has not.
constexpr std::size_t kMostTargets = 8;

bool is_position(const ir::Node& node) {
  return node.kind == NodeKind::Apply && has(catalog::info(static_cast<catalog::Op>(node.op)).flags, catalog::Flags::Position);
}

class Planner {
 public:
  Planner(const Graph& graph, const DType* out, const Options& options, std::pmr::memory_resource* memory)
      : graph_(graph),
        out_(out),
        options_(options),
        plan_(memory),
        at_(memory),
        copies_(memory),
        chains_(memory),
        memo_(memory),
        memo_table_(memory),
        stack_(memory),
        visits_(memory),
        pending_(memory) {}

  Plan make(const KnownExtents& known) {
    const std::size_t n = graph_.nodes.size();
    at_.resize(n);
    stack_.reserve(n);
    visits_.reserve(n);
    // Of a program of one kernel; longer ones grow.
    plan_.shapes.reserve(8);
    plan_.instrs.reserve(n + 4);
    plan_.buffers.reserve(graph_.slots.size() + 2);
    plan_.slot_buffers.reserve(graph_.slots.size());
    plan_.accesses.reserve(graph_.slots.size() + 2);
    plan_.stores.reserve(1);
    plan_.kernels.reserve(1);
    plan_.actions.reserve(1);
    plan_.shapes.push_back({});  // shape 0: rank 0
    for (std::uint32_t slot = 0; slot < graph_.slots.size(); ++slot) add_slot(slot);
    mark_position_views();
    mark_shifts();
    if (!known.ones.empty() && !any_shifts_) mark_hoisted(known);
    for (NodeId id = 0; id < n && !any_kept_; ++id) any_kept_ = is_kept(id);
    std::pmr::vector<bool> done(graph_.output_nodes.size(), false, at_.get_allocator());
    for (std::size_t i = 0; i < graph_.output_nodes.size(); ++i)
      if (is_early_check(i)) {
        emit_output(i);
        done[i] = true;
      }
    for (std::size_t i = 0; i < graph_.output_nodes.size(); ++i)
      if (!done[i]) emit_output(i);
    plan_.finds =
        std::any_of(plan_.shapes.begin(), plan_.shapes.end(), [](const ShapeStep& s) { return s.kind == ShapeStep::Kind::Found; });
    fuse_stores();
    finish();
    return std::move(plan_);
  }

 private:
  // ---- shapes -------------------------------------------------------------------------------------------------------

  ShapeId add_shape(const ShapeStep& step) {
    // Few distinct shapes exist in one program; the most recent are the likeliest, and the search is cut off in long ones.
    const std::size_t size = plan_.shapes.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(size, 64); ++back) {
      const ShapeStep& other = plan_.shapes[size - back];
      if (other.kind == step.kind && other.a == step.a && other.b == step.b && other.payload == step.payload && other.rank == step.rank)
        return static_cast<ShapeId>(size - back);
    }
    plan_.shapes.push_back(step);
    return static_cast<ShapeId>(size);
  }

  /// Whether broadcasting `part` to `whole` is known to give `whole`.
  bool contains(ShapeId whole, ShapeId part) const {
    for (int depth = 0; depth < 16; ++depth) {
      if (whole == part) return true;
      const ShapeStep& step = plan_.shapes[whole];
      if (step.kind != ShapeStep::Kind::Broadcast) return false;
      if (step.b == part) return true;
      whole = step.a;
    }
    return false;
  }

  /// `argument`: which one of the node `b` belongs to; `a` is the shape of those before it.
  ShapeId broadcast(ShapeId a, ShapeId b, NodeId node, std::uint32_t argument) {
    if (a == 0 || contains(b, a)) return b;
    if (b == 0 || contains(a, b)) return a;
    const std::uint8_t rank = std::max(plan_.shapes[a].rank, plan_.shapes[b].rank);
    return add_shape({ShapeStep::Kind::Broadcast, rank, a, b, argument, node});
  }

  ShapeId shape_of(NodeId id) {
    if (at_[id].shape != kNone) return at_[id].shape;
    // Ascending ids visit arguments first; all nodes up to `id` that are reachable get theirs on the way.
    stack_.clear();
    stack_.push_back(id);
    while (!stack_.empty()) {
      const NodeId top = stack_.back();
      const ir::Node& node = graph_[top];
      bool ready = true;
      if (at_[top].shape == kNone)
        for (NodeId arg : graph_.args(node))
          if (at_[arg].shape == kNone) {
            stack_.push_back(arg);
            ready = false;
          }
      if (!ready) continue;
      stack_.pop_back();
      if (at_[top].shape == kNone) at_[top].shape = compute_shape(top, node);
    }
    return at_[id].shape;
  }

  ShapeId compute_shape(NodeId id, const ir::Node& node) {
    switch (node.kind) {
      case NodeKind::Constant:
        return 0;
      case NodeKind::Input:
        return plan_.buffers[plan_.slot_buffers[node.payload]].shape;
      case NodeKind::Cast:
      case NodeKind::Output:
        return at_[node.args[0]].shape;
      case NodeKind::Apply: {
        if (is_position(node)) return add_shape({ShapeStep::Kind::Ones, node.rank, kNone, kNone, 0, id});
        ShapeId shape = at_[node.args[0]].shape;
        for (int i = 1; i < node.n_args; ++i) shape = broadcast(shape, at_[node.args[i]].shape, id, static_cast<std::uint32_t>(i));
        return shape;
      }
      case NodeKind::View:
        return add_shape({ShapeStep::Kind::View, node.rank, at_[node.args[0]].shape, kNone, node.payload, id});
      case NodeKind::Reduce:
        if (graph_.reduces[node.payload].ordered) return shape_of_ordered(id, node);
        if (node.rank == 0) return 0;
        return add_shape({ShapeStep::Kind::Reduce, node.rank, at_[node.args[0]].shape, kNone, node.payload, id});
    }
    return 0;
  }

  ShapeId shape_of_ordered(NodeId id, const ir::Node& node) {
    const ir::ReduceSpec& spec = graph_.reduces[node.payload];
    const catalog::Form form = form_of(node);
    switch (catalog::info(form).extent) {
      case catalog::Extent::Found: {
        const ShapeId value = at_[node.args[0]].shape;
        if (form != catalog::Form::Select) return add_shape({ShapeStep::Kind::Found, node.rank, value, kNone, id, id});
        const ShapeId space = broadcast(value, at_[node.args[1]].shape, id, 1);
        return add_shape({ShapeStep::Kind::Found, node.rank, space, is_of_positions(value) ? kNone : value, id, id});
      }
      case catalog::Extent::First:
        return at_[node.args[0]].shape;
      case catalog::Extent::Second:
        return at_[node.args[1]].shape;
      case catalog::Extent::Reduced:
        if (node.rank == 0) return 0;
        return add_shape({ShapeStep::Kind::Reduce, node.rank, at_[node.args[0]].shape, kNone, node.payload, id});
      case catalog::Extent::Number:
        return add_shape({ShapeStep::Kind::Number, 1, kNone, kNone, node.payload, id});
      case catalog::Extent::Along:
        return add_shape({ShapeStep::Kind::Along, node.rank, at_[node.args[0]].shape, kNone, node.payload, id});
      case catalog::Extent::Same:
        break;
    }
    if (!spec.is_flat()) return at_[node.args[0]].shape;
    return add_shape({ShapeStep::Kind::Flat, 1, at_[node.args[0]].shape, kNone, 0, id});
  }

  static catalog::Form form_of(const ir::Node& node) { return catalog::info(static_cast<catalog::Ordered>(node.op)).form; }

  // ---- buffers ------------------------------------------------------------------------------------------------------

  void add_slot(std::uint32_t slot) {
    const ir::Slot& s = graph_.slots[slot];
    const ShapeId shape = s.rank == 0 || s.local ? 0 : add_shape({ShapeStep::Kind::Slot, s.rank, kNone, kNone, slot, ir::kNone});
    plan_.slot_buffers.push_back(static_cast<std::uint32_t>(plan_.buffers.size()));
    plan_.buffers.push_back({s.local ? Buffer::Kind::Temporary : Buffer::Kind::Slot, s.dtype, slot, shape});
  }

  std::uint32_t add_temporary(DType dtype, ShapeId shape) {
    plan_.buffers.push_back({Buffer::Kind::Temporary, dtype, 0, shape});
    return static_cast<std::uint32_t>(plan_.buffers.size() - 1);
  }

  // ---- which values are kept ----------------------------------------------------------------------------------------

  /// A view shifts what lies under it, but a position must not shift with it: such bases are computed first and kept.
  void mark_position_views() {
    bool any = false;
    for (const ir::Node& node : graph_.nodes) any = any || is_position(node);
    if (!any) return;
    std::pmr::vector<std::uint8_t> depends(graph_.nodes.size(), 0, at_.get_allocator());
    for (NodeId id = 0; id < graph_.nodes.size(); ++id) {
      const ir::Node& node = graph_[id];
      depends[id] = is_position(node);
      for (NodeId arg : graph_.args(node)) depends[id] |= depends[arg];
      if (node.kind == NodeKind::Reduce) depends[id] = 0;
      if (node.kind == NodeKind::View && depends[id]) {
        at_[node.args[0]].must_keep = 1;
        depends[id] = 0;
      }
    }
  }

  bool shifts(const ir::Node& node) const {
    const std::span<const ir::ViewItem> items = graph_.items(graph_.views[node.payload]);
    return std::any_of(items.begin(), items.end(), [](const ir::ViewItem& item) { return item.is_shift(); });
  }

  /// What a shift reads lies in boxes, and reductions and operations along an axis take their elements in order: their arguments are
  /// computed first and kept. A constant stands beyond the sides of what is shifted, not of the leaves below that: unless it is one,
  /// it is kept, too.
  void mark_shifts() {
    any_shifts_ = std::any_of(graph_.view_items.begin(), graph_.view_items.end(), [](const ir::ViewItem& item) { return item.is_shift(); });
    if (!any_shifts_) return;
    const auto is_leaf = [&](NodeId id) {
      while (graph_[id].kind == NodeKind::View) id = graph_[id].args[0];
      return graph_[id].kind == NodeKind::Input || graph_[id].kind == NodeKind::Reduce;
    };
    std::pmr::vector<std::uint8_t> shifted(graph_.nodes.size(), 0, at_.get_allocator());
    for (NodeId id = 0; id < graph_.nodes.size(); ++id) {
      const ir::Node& node = graph_[id];
      for (NodeId arg : graph_.args(node)) shifted[id] |= shifted[arg] && !at_[arg].must_keep;
      if (node.kind == NodeKind::Reduce) {
        for (NodeId arg : graph_.args(node)) at_[arg].must_keep |= shifted[arg];
        shifted[id] = 0;
      } else if (node.kind == NodeKind::View && shifts(node)) {
        shifted[id] = 1;
        const std::span<const ir::ViewItem> items = graph_.items(graph_.views[node.payload]);
        const bool constant = std::any_of(items.begin(), items.end(), [](const ir::ViewItem& item) { return item.has_constant(); });
        if (constant && !is_leaf(node.args[0])) at_[node.args[0]].must_keep = 1;
      }
    }
  }

  void mark_hoisted(const KnownExtents& known) {
    const Hoisted hoisted = find_hoisted(graph_, known.ones, at_.get_allocator().resource());
    plan_.heeds_extents = hoisted.by_extents || !hoisted.nodes.empty();
    plan_.spreads = plan_.heeds_extents && std::any_of(graph_.view_items.begin(), graph_.view_items.end(),
                                                       [](const ir::ViewItem& item) { return item.kind == ir::ViewItem::Kind::New; });
    if (plan_.spreads ? known.are_few_spread : known.are_few) return;
    for (NodeId id = 0; id < hoisted.nodes.size(); ++id)
      if (hoisted.nodes[id]) {
        at_[id].is_hoisted = !at_[id].must_keep;
        at_[id].must_keep = 1;
      }
  }

  bool is_kept(NodeId id) const { return graph_[id].kind == NodeKind::Reduce || at_[id].must_keep; }

  /// Kept nodes below `root` (itself included) that no kernel has computed yet, ascending: dependencies first.
  void collect_pending(NodeId root) {
    pending_.clear();
    stack_.clear();
    ++now_;
    stack_.push_back(root);
    at_[root].stamp = now_;
    while (!stack_.empty()) {
      const NodeId id = stack_.back();
      stack_.pop_back();
      if (is_kept(id)) {
        if (at_[id].kept != kNone) continue;
        pending_.push_back(id);
      }
      for (NodeId arg : graph_.args(graph_[id]))
        if (at_[arg].stamp != now_) {
          at_[arg].stamp = now_;
          stack_.push_back(arg);
        }
    }
    std::sort(pending_.begin(), pending_.end());
  }

  /// Whether everything kept that `id` reads is in memory already.
  bool is_ready(NodeId id) {
    stack_.clear();
    ++now_;
    for (NodeId arg : graph_.args(graph_[id])) stack_.push_back(arg);
    while (!stack_.empty()) {
      const NodeId top = stack_.back();
      stack_.pop_back();
      if (at_[top].stamp == now_) continue;
      at_[top].stamp = now_;
      if (is_kept(top)) {
        if (at_[top].kept == kNone) return false;
        continue;
      }
      for (NodeId arg : graph_.args(graph_[top])) stack_.push_back(arg);
    }
    return true;
  }

  void compute_kept_below(NodeId root) {
    if (!any_kept_) return;
    collect_pending(root);
    std::pmr::vector<NodeId> todo(pending_.begin(), pending_.end(), at_.get_allocator());
    for (std::size_t i = 0; i < todo.size(); ++i) {
      const NodeId id = todo[i];
      if (at_[id].kept != kNone) continue;
      if (graph_[id].kind != NodeKind::Reduce) {
        keep_value(id);
        continue;
      }
      if (is_ordered(id)) {
        keep_ordered(id);
        continue;
      }
      // Reductions over the same axes of the same space share one pass over memory.
      const ShapeId space = shape_of(graph_[id].args[0]);
      const std::uint32_t axes = graph_.reduces[graph_[id].payload].axes;
      begin_kernel(space);
      kernel_.axes = axes;
      add_fold(id);
      for (std::size_t j = i + 1; j < todo.size(); ++j) {
        const ir::Node& other = graph_[todo[j]];
        if (other.kind == NodeKind::Reduce && at_[todo[j]].kept == kNone && !is_ordered(todo[j]) &&
            graph_.reduces[other.payload].axes == axes && shape_of(other.args[0]) == space && is_ready_without_open_folds(todo[j]))
          add_fold(todo[j]);
      }
      end_kernel();
    }
  }

  /// Ready, and not a user of a fold of the kernel being made.
  bool is_ready_without_open_folds(NodeId id) {
    for (std::size_t f = kernel_.first_fold; f < fold_nodes_.size(); ++f) at_[fold_nodes_[f]].kept = kNone;
    const bool ready = is_ready(id);
    for (std::size_t f = kernel_.first_fold; f < fold_nodes_.size(); ++f) at_[fold_nodes_[f]].kept = plan_.folds[f].buffer;
    return ready;
  }

  void add_fold(NodeId id) {
    const ir::Node& node = graph_[id];
    const std::uint32_t value = lower(node.args[0]);
    const std::uint32_t buffer = add_temporary(node.dtype, shape_of(id));
    const ir::ReduceSpec& spec = graph_.reduces[node.payload];
    plan_.folds.push_back({value, static_cast<catalog::Reduction>(node.op), buffer, spec.or_zero, spec.bounded, spec.ddof, node.span});
    fold_nodes_.push_back(id);
    ++kernel_.n_folds;
    at_[id].kept = buffer;
  }

  /// A kernel that computes the value into memory: the buffer.
  std::uint32_t store_value(NodeId id) {
    const std::uint32_t buffer = add_temporary(graph_[id].dtype, shape_of(id));
    store_value(id, shape_of(id), buffer, true);
    return buffer;
  }

  std::uint32_t store_value(NodeId id, ShapeId space, std::uint32_t buffer, bool act) {
    begin_kernel(space);
    add_store(lower(id), {buffer, 0, 0});
    return end_kernel(act);
  }

  void keep_value(NodeId id) {
    at_[id].kept = store_value(id);
    if (at_[id].is_hoisted) plan_.buffers[at_[id].kept].hoisted_by = static_cast<std::uint32_t>(plan_.kernels.size() - 1);
  }

  bool is_ordered(NodeId id) const { return graph_[id].kind == NodeKind::Reduce && graph_.reduces[graph_[id].payload].ordered; }

  void keep_ordered(NodeId id) {
    at_[id].kept = add_temporary(graph_[id].dtype, shape_of(id));
    add_order(id, at_[id].kept);
  }

  /// An operation along an axis into `target`. Where it can, it works on its argument's values there.
  void add_order(NodeId id, std::uint32_t target) {
    const ir::Node node = graph_[id];
    Action action;
    action.kind = Action::Kind::Order;
    action.buffer = target;
    action.ordered = static_cast<catalog::Ordered>(node.op);
    action.spec = graph_.reduces[node.payload];
    action.span = node.span;
    action.node = id;
    const catalog::Form form = form_of(node);
    for (std::size_t i = 0; i < node.n_args; ++i) {
      const NodeId arg = node.args[i];
      Action::Source& source = action.sources[i];
      if (form == catalog::Form::Select && i == 0) {
        const ShapeId space = plan_.shapes[shape_of(id)].a;
        source.buffer = add_temporary(graph_[arg].dtype, space);
        plan_.buffers[source.buffer].kind = Buffer::Kind::Passing;
        source.kernel = store_value(arg, space, source.buffer, false);
        continue;
      }
      if (!catalog::info(form).has(catalog::FormFlags::Fills) && at_[arg].kept != kNone) {
        source.buffer = at_[arg].kept;
        continue;
      }
      const bool there = i == 0 && works_there(node);
      // A condition on positions alone has no shape of its own.
      const bool of_value = form == catalog::Form::Select && action.spec.rest == 0 && is_of_positions(shape_of(arg));
      const ShapeId space = of_value ? plan_.shapes[shape_of(id)].a : shape_of(arg);
      source.buffer = there && (space == shape_of(id) || target == plan_.result) ? target : add_temporary(graph_[arg].dtype, space);
      if (there && source.buffer != target) plan_.buffers[source.buffer].alias = target;
      source.kernel = store_value(arg, space, source.buffer, false);
    }
    plan_.actions.push_back(action);
  }

  bool is_of_positions(ShapeId shape) const {
    const ShapeStep& step = plan_.shapes[shape];
    if (step.kind == ShapeStep::Kind::Broadcast) return is_of_positions(step.a) && is_of_positions(step.b);
    return step.kind == ShapeStep::Kind::Ones;
  }

  /// Whether an operation along an axis can work where its argument's values are.
  bool works_there(const ir::Node& node) const {
    const catalog::Form form = form_of(node);
    return (form == catalog::Form::Scan || form == catalog::Form::Sort) && node.dtype == graph_[node.args[0]].dtype;
  }

  // ---- kernels ------------------------------------------------------------------------------------------------------

  void begin_kernel(ShapeId space) {
    kernel_ = Kernel{};
    kernel_.space = kernel_.value_shape = space;
    kernel_.first_instr = static_cast<std::uint32_t>(plan_.instrs.size());
    kernel_.first_store = static_cast<std::uint32_t>(plan_.stores.size());
    kernel_.first_fold = static_cast<std::uint32_t>(plan_.folds.size());
    kernel_.first_access = static_cast<std::uint32_t>(plan_.accesses.size());
    fold_nodes_.resize(plan_.folds.size(), ir::kNone);
    chains_.clear();
    chains_.push_back({});
    ++kernels_begun_;
    memo_.clear();
    std::fill(memo_table_.begin(), memo_table_.end(), kNone);
  }

  std::uint32_t end_kernel(bool act = true) {
    kernel_.n_instr = static_cast<std::uint32_t>(plan_.instrs.size()) - kernel_.first_instr;
    kernel_.n_accesses = static_cast<std::uint32_t>(plan_.accesses.size()) - kernel_.first_access;
    for (std::uint32_t k = 0; any_shifts_ && k < kernel_.n_accesses; ++k)
      kernel_.shifts |= is_shifted(graph_, plan_, plan_.accesses[kernel_.first_access + k]);
    const auto id = static_cast<std::uint32_t>(plan_.kernels.size());
    plan_.kernels.push_back(kernel_);
    if (act) {
      Action action;
      action.first = id;
      action.count = 1;
      plan_.actions.push_back(action);
    }
    return id;
  }

  void add_store(std::uint32_t value, const Access& access) {
    plan_.stores.push_back({value, static_cast<std::uint32_t>(plan_.accesses.size())});
    plan_.accesses.push_back(access);
    ++kernel_.n_stores;
  }

  std::uint32_t add_instr(const Instr& instr) {
    if (plan_.instrs.size() >= kMaxInstrs)
      throw LimitError({.what = "the program is too large to plan",
                        .labels = {},
                        .help = "split it: values shared by many statements are computed anew in each of them",
                        .text = std::string(graph_.text)});
    plan_.instrs.push_back(instr);
    return static_cast<std::uint32_t>(plan_.instrs.size()) - 1 - kernel_.first_instr;
  }

  // A chain is the list of views between a node and the kernel's space, innermost last. Chain 0 is empty.
  struct Chain {
    std::uint32_t outer = 0;
    AccessStep step{};
    std::uint32_t length = 0;
  };
  struct Visit {
    NodeId node;
    std::uint32_t chain;
  };
  /// The value of a node that no view is above, in the kernel that was begun last.
  struct Plain {
    std::uint32_t kernel = 0, value = 0;
  };
  struct PerNode {
    ShapeId shape = kNone;
    std::uint32_t kept = kNone;  ///< the buffer of a value that is in memory
    std::uint32_t stamp = 0;     ///< the walk that came by last
    Plain plain;
    std::uint8_t must_keep = 0;
    bool is_hoisted = false;  ///< kept for that alone
  };
  struct Memo {
    NodeId node;
    std::uint32_t chain;
    std::uint32_t value;
  };

  std::uint32_t push_chain(std::uint32_t outer, AccessStep step) {
    for (std::uint32_t i = 1; i < chains_.size(); ++i)
      if (chains_[i].outer == outer && chains_[i].step.from == step.from && chains_[i].step.view == step.view) return i;
    chains_.push_back({outer, step, chains_[outer].length + 1});
    return static_cast<std::uint32_t>(chains_.size() - 1);
  }

  static std::size_t mix(NodeId node, std::uint32_t chain) { return (node * 0x9E3779B97F4A7C15ull) ^ (chain * 0xC2B2AE3D27D4EB4Full) >> 7; }

  std::uint32_t* find(NodeId node, std::uint32_t chain) {
    if (chain == 0) return at_[node].plain.kernel == kernels_begun_ ? &at_[node].plain.value : nullptr;
    if (memo_table_.empty()) return nullptr;
    const std::size_t mask = memo_table_.size() - 1;
    for (std::size_t i = mix(node, chain) & mask; memo_table_[i] != kNone; i = (i + 1) & mask) {
      Memo& memo = memo_[memo_table_[i]];
      if (memo.node == node && memo.chain == chain) return &memo.value;
    }
    return nullptr;
  }

  void remember(NodeId node, std::uint32_t chain, std::uint32_t value) {
    if (chain == 0) {
      at_[node].plain = {kernels_begun_, value};
      return;
    }
    memo_.push_back({node, chain, value});
    if (memo_table_.size() < memo_.size() * 2) {
      memo_table_.assign(std::max<std::size_t>(64, memo_table_.size() * 2), kNone);
      for (std::uint32_t i = 0; i < memo_.size(); ++i) insert(i);
    } else {
      insert(static_cast<std::uint32_t>(memo_.size() - 1));
    }
  }
  void insert(std::uint32_t index) {
    const std::size_t mask = memo_table_.size() - 1;
    std::size_t i = mix(memo_[index].node, memo_[index].chain) & mask;
    while (memo_table_[i] != kNone) i = (i + 1) & mask;
    memo_table_[i] = index;
  }

  /// The body's value of a node. Views are not computed: they change how the leaves below them are reached.
  std::uint32_t lower(NodeId root) {
    std::pmr::vector<Visit>& stack = visits_;
    stack.assign(1, {root, 0});
    std::uint32_t last = kNone;
    while (!stack.empty()) {
      const Visit at = stack.back();
      if (const std::uint32_t* known = find(at.node, at.chain)) {
        last = *known;
        stack.pop_back();
        continue;
      }
      const ir::Node& node = graph_[at.node];
      std::uint32_t value = kNone;
      if (at_[at.node].kept != kNone) {
        value = load(at_[at.node].kept, at.chain, node);
      } else if (node.kind == NodeKind::Input) {
        value = load(input_buffer(at.node), at.chain, node);
      } else if (node.kind == NodeKind::Constant) {
        value = add_instr({.kind = Instr::Kind::Constant, .dtype = node.dtype, .uniform = true, .op = node.op, .payload = node.payload});
      } else if (is_position(node)) {
        value = add_instr({.kind = Instr::Kind::Position, .dtype = node.dtype, .payload = node.payload});
      } else if (node.kind == NodeKind::View) {
        const std::uint32_t chain = push_chain(at.chain, {shape_of(node.args[0]), node.payload});
        if (const std::uint32_t* known = find(node.args[0], chain)) {
          value = *known;
        } else {
          stack.push_back({node.args[0], chain});
          continue;
        }
      } else {
        Instr instr{.kind = node.kind == NodeKind::Cast ? Instr::Kind::Cast : Instr::Kind::Apply,
                    .dtype = node.dtype,
                    .uniform = true,
                    .op = node.op,
                    .loop = node.loop};
        bool ready = true;
        for (int i = node.n_args - 1; i >= 0; --i) {
          const std::uint32_t* known = find(node.args[i], at.chain);
          if (!known) {
            stack.push_back({node.args[i], at.chain});
            ready = false;
          } else {
            instr.args[i] = *known;
            instr.uniform = instr.uniform && plan_.instrs[kernel_.first_instr + *known].uniform;
          }
        }
        if (!ready) continue;
        value = add_instr(instr);
      }
      remember(at.node, at.chain, value);
      last = value;
      stack.pop_back();
    }
    return last;
  }

  std::uint32_t load(std::uint32_t buffer, std::uint32_t chain, const ir::Node& node) {
    Access access{buffer, static_cast<std::uint32_t>(plan_.access_steps.size()), chains_[chain].length};
    for (std::uint32_t c = chain; c != 0; c = chains_[c].outer) plan_.access_steps.push_back(chains_[c].step);
    const auto index = static_cast<std::uint32_t>(plan_.accesses.size());
    plan_.accesses.push_back(access);
    return add_instr({.kind = Instr::Kind::Load, .dtype = node.dtype, .uniform = node.rank == 0, .payload = index});
  }

  std::uint32_t input_buffer(NodeId id) const {
    for (const auto& [node, buffer] : copies_)
      if (node == id) return buffer;
    return plan_.slot_buffers[graph_[id].payload];
  }

  // ---- outputs ------------------------------------------------------------------------------------------------------

  void emit_output(std::size_t index) {
    const NodeId id = graph_.output_nodes[index];
    const ir::Node& node = graph_[id];
    const ir::OutputSpec& spec = graph_.outputs[node.payload];
    const NodeId value = node.args[0];
    switch (spec.kind) {
      case ir::OutputSpec::Kind::Check:
        emit_check(node, value);
        break;
      case ir::OutputSpec::Kind::Result:
        emit_result(node, value);
        break;
      case ir::OutputSpec::Kind::Store:
        emit_store(index, node, spec, value);
        break;
    }
  }

  /// A Check that reads operands as the caller gave them is made before anything is written.
  bool is_early_check(std::size_t index) {
    const ir::Node& node = graph_[graph_.output_nodes[index]];
    if (graph_.outputs[node.payload].kind != ir::OutputSpec::Kind::Check) return false;
    stack_.clear();
    ++now_;
    stack_.push_back(node.args[0]);
    while (!stack_.empty()) {
      const NodeId id = stack_.back();
      stack_.pop_back();
      if (at_[id].stamp == now_) continue;
      at_[id].stamp = now_;
      const ir::Node& below = graph_[id];
      if (below.kind == NodeKind::Input && (below.version != 0 || graph_.slots[below.payload].local)) return false;
      for (NodeId arg : graph_.args(below)) stack_.push_back(arg);
    }
    return true;
  }

  void emit_check(const ir::Node& node, NodeId value) {
    compute_kept_below(value);
    if (at_[value].kept == kNone) keep_value(value);
    Action action;
    action.kind = Action::Kind::Check;
    action.buffer = at_[value].kept;
    action.span = node.span;
    plan_.actions.push_back(action);
  }

  /// Whether a new result can be made by an operation along an axis itself, without a copy.
  bool is_made_in_order(NodeId value) const {
    if (out_ || !is_ordered(value) || at_[value].kept != kNone) return false;
    const ir::Node& node = graph_[value];
    return works_there(node) ? node.rank == graph_[node.args[0]].rank : node.rank <= 1;
  }

  void emit_result(const ir::Node& node, NodeId value) {
    if (is_made_in_order(value)) {
      for (NodeId arg : graph_.args(graph_[value])) compute_kept_below(arg);
      plan_.result = static_cast<std::uint32_t>(plan_.buffers.size());
      plan_.buffers.push_back({Buffer::Kind::Result, node.dtype, 0, shape_of(value)});
      add_order(value, plan_.result);
      return;
    }
    compute_kept_below(value);
    const ShapeId space = shape_of(value);
    const DType dtype = out_ ? *out_ : node.dtype;
    if (out_ && !can_cast(node.dtype, dtype, options_.casting))
      throw DTypeError({.what = "cannot write a " + std::string(name(node.dtype)) + " result into out of dtype " + std::string(name(dtype)),
                        .labels = {{node.span, std::string(name(node.dtype))}},
                        .help = "give an out of that dtype, cast the expression, or pass casting=\"unsafe\"",
                        .text = std::string(graph_.text)});
    plan_.result = static_cast<std::uint32_t>(plan_.buffers.size());
    plan_.buffers.push_back({Buffer::Kind::Result, dtype, 0, space});
    begin_kernel(space);
    store_as(lower(value), dtype, {plan_.result, 0, 0});
    kernel_.output = static_cast<std::uint32_t>(node.payload);
    const std::uint32_t kernel = end_kernel();
    if (out_) add_instead(kernel, value);
  }

  void store_as(std::uint32_t value, DType dtype, const Access& access) {
    const Instr& instr = plan_.instrs[kernel_.first_instr + value];
    if (instr.dtype != dtype)
      value = add_instr({.kind = Instr::Kind::Cast, .dtype = dtype, .uniform = instr.uniform, .args = {value, kNone, kNone}});
    add_store(value, access);
  }

  /// Where a kernel that shifts may have a target which shares memory with what it reads: the value into a temporary, and from there.
  void add_instead(std::uint32_t kernel, NodeId value) {
    if (!plan_.kernels[kernel].shifts || graph_.apart) return;
    const Kernel made = plan_.kernels[kernel];
    const Access target = plan_.accesses[plan_.stores[made.first_store].access];
    const std::uint32_t spare = add_temporary(graph_[value].dtype, shape_of(value));
    plan_.buffers[spare].spare = true;
    const std::uint32_t first = store_value(value, shape_of(value), spare, false);
    begin_kernel(made.space);
    kernel_.value_shape = made.value_shape;
    kernel_.output = made.output;
    store_as(load(spare, 0, graph_[value]), plan_.buffers[target.buffer].dtype, target);
    end_kernel(false);
    plan_.kernels[kernel].instead = first;
  }

  void emit_store(std::size_t index, const ir::Node& node, const ir::OutputSpec& spec, NodeId value) {
    const ir::Slot& slot = graph_.slots[spec.slot];
    compute_kept_below(value);
    const std::uint32_t buffer = plan_.slot_buffers[spec.slot];
    const bool defines = slot.local && plan_.buffers[buffer].slot == spec.slot && !defined_.contains(spec.slot);
    Access access{buffer, static_cast<std::uint32_t>(plan_.access_steps.size()), 0};
    ShapeId space;
    if (defines) {
      defined_.insert(spec.slot);
      space = shape_of(value);
      plan_.buffers[buffer].shape = space;
    } else {
      save_overwritten(index, spec.slot);
      space = plan_.buffers[buffer].shape;
      if (spec.target != ir::kNone) {
        // View of View of … of the slot: outermost first in the graph, innermost first in the access.
        access.first_step = static_cast<std::uint32_t>(plan_.access_steps.size());
        const std::size_t first = plan_.access_steps.size();
        for (NodeId at = spec.target; graph_[at].kind == NodeKind::View; at = graph_[at].args[0])
          plan_.access_steps.push_back({shape_of(graph_[at].args[0]), graph_[at].payload});
        std::reverse(plan_.access_steps.begin() + static_cast<std::ptrdiff_t>(first), plan_.access_steps.end());
        access.n_steps = static_cast<std::uint32_t>(plan_.access_steps.size() - first);
        space = shape_of(spec.target);
      }
    }
    begin_kernel(space);
    kernel_.value_shape = shape_of(value);
    const std::uint32_t root = lower(value);
    add_store(root, access);
    kernel_.output = node.payload;
    if (spec.returns_target) {
      plan_.target_slot = spec.slot;
      plan_.target_access = static_cast<std::uint32_t>(plan_.stores.back().access);
    }
    const std::uint32_t kernel = end_kernel();
    if (!defines) add_instead(kernel, value);
  }

  /// Before slot `slot` is overwritten by output `index`: operands as they are now that later outputs still read are copied.
  void save_overwritten(std::size_t index, std::uint32_t slot) {
    if (index + 1 == graph_.output_nodes.size()) return;
    stack_.clear();
    ++now_;
    std::pmr::vector<NodeId> save(at_.get_allocator());
    for (std::size_t later = index + 1; later < graph_.output_nodes.size(); ++later)
      stack_.push_back(graph_[graph_.output_nodes[later]].args[0]);
    while (!stack_.empty()) {
      const NodeId id = stack_.back();
      stack_.pop_back();
      if (at_[id].stamp == now_) continue;
      at_[id].stamp = now_;
      if (at_[id].kept != kNone) continue;
      const ir::Node& node = graph_[id];
      if (node.kind == NodeKind::Input && is_overwritten(index, slot, node) && input_buffer(id) == plan_.slot_buffers[node.payload])
        save.push_back(id);
      for (NodeId arg : graph_.args(node)) stack_.push_back(arg);
    }
    for (NodeId id : save) copies_.emplace_back(id, store_value(id));
  }

  /// Whether output `index`, a Store into `slot`, ends the life of that Input's value.
  bool is_overwritten(std::size_t index, std::uint32_t slot, const ir::Node& input) const {
    // With operands that may share memory every Store ends every operand's version (see ir::build); then the Store's
    // own number says which.
    std::uint32_t version = 0;
    for (std::size_t i = 0; i < index; ++i) {
      const ir::OutputSpec& spec = graph_.outputs[graph_[graph_.output_nodes[i]].payload];
      version += spec.kind == ir::OutputSpec::Kind::Store && (graph_.aliased ? true : spec.slot == slot);
    }
    if (graph_.aliased) return !graph_.slots[input.payload].local && input.version <= version;
    return input.payload == slot && input.version <= version;
  }

  /// Neighbouring stores over one space that do not read what the others write become one pass.
  void fuse_stores() {
    if (plan_.actions.size() < 2) return;
    std::pmr::vector<Action> actions(at_.get_allocator());
    std::size_t i = 0;
    while (i < plan_.actions.size()) {
      std::size_t end = i + 1;
      if (is_store(plan_.actions[i]))
        while (end < plan_.actions.size() && is_store(plan_.actions[end]) && may_join(i, end)) ++end;
      if (end - i < 2) {
        actions.push_back(plan_.actions[i]);
      } else {
        Action action = plan_.actions[i];
        action.count = static_cast<std::uint32_t>(end - i);
        action.fused = join(action.first, action.count);
        actions.push_back(action);
      }
      i = end;
    }
    plan_.actions.assign(actions.begin(), actions.end());
  }

  bool is_store(const Action& action) const { return action.kind == Action::Kind::Run && plan_.kernels[action.first].n_stores == 1; }

  bool may_join(std::size_t first, std::size_t next) const {
    const Kernel& a = plan_.kernels[plan_.actions[first].first];
    const Kernel& b = plan_.kernels[plan_.actions[next].first];
    if (plan_.actions[next].first != plan_.actions[next - 1].first + 1) return false;
    const bool is_one_space = a.space == b.space && a.value_shape == a.space && b.value_shape == b.space;
    if (!is_one_space && !(next - first < kMostTargets && may_share_space(a, b) && shares_loads(first, next))) return false;
    for (std::size_t i = first; i < next; ++i) {
      const Kernel& earlier = plan_.kernels[plan_.actions[i].first];
      const std::uint32_t written = plan_.accesses[plan_.stores[earlier.first_store].access].buffer;
      for (std::uint32_t k = 0; k < b.n_accesses; ++k)
        if (plan_.accesses[b.first_access + k].buffer == written) return false;
      // and what it reads must not be written here: decided at bind for operands, never so for temporaries
    }
    return true;
  }

  /// Targets of several operands may have one shape: that is known when arrays are bound.
  bool may_share_space(const Kernel& a, const Kernel& b) const {
    const auto is_result = [&](const Kernel& kernel) {
      return plan_.accesses[plan_.stores[kernel.first_store].access].buffer == plan_.result;
    };
    return !plan_.finds && plan_.shapes[a.space].rank == plan_.shapes[b.space].rank && plan_.shapes[a.space].rank > 0 && !is_result(a) &&
           !is_result(b);
  }

  /// Whether something that the kernel reads is read by those before it: what they would gain from being one.
  bool shares_loads(std::size_t first, std::size_t next) const {
    const Kernel& kernel = plan_.kernels[plan_.actions[next].first];
    const auto loads = [&](const Kernel& of, std::uint32_t buffer) {
      for (std::uint32_t k = 0; k < of.n_accesses; ++k)
        if (plan_.accesses[of.first_access + k].buffer == buffer) return true;
      return false;
    };
    for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
      const std::uint32_t buffer = plan_.accesses[kernel.first_access + k].buffer;
      if (plan_.shapes[plan_.buffers[buffer].shape].rank == 0) continue;
      for (std::size_t i = first; i < next; ++i)
        if (loads(plan_.kernels[plan_.actions[i].first], buffer)) return true;
    }
    return false;
  }

  std::uint32_t join(std::uint32_t first, std::uint32_t count) {
    const Kernel head = plan_.kernels[first];
    begin_kernel(head.space);
    kernel_.output = head.output;
    for (std::uint32_t k = first; k < first + count; ++k) {
      const Kernel part = plan_.kernels[k];
      std::pmr::vector<std::uint32_t> map(part.n_instr, kNone, at_.get_allocator());
      const std::uint32_t store_access = plan_.stores[part.first_store].access;
      for (std::uint32_t i = 0; i < part.n_instr; ++i) {
        Instr instr = plan_.instrs[part.first_instr + i];
        if (instr.kind == Instr::Kind::Load) instr.payload = copy_access(instr.payload);
        for (std::uint32_t& arg : instr.args)
          if (arg != kNone) arg = map[arg];
        map[i] = find_or_add(instr);
      }
      const Access target = plan_.accesses[store_access];
      add_store(map[plan_.stores[part.first_store].value], target);
    }
    return end_kernel(false);
  }

  std::uint32_t copy_access(std::uint32_t index) {
    const Access access = plan_.accesses[index];
    for (std::size_t i = kernel_.first_access; i < plan_.accesses.size(); ++i) {
      const Access& other = plan_.accesses[i];
      if (other.buffer != access.buffer || other.n_steps != access.n_steps) continue;
      bool same = true;
      for (std::uint32_t s = 0; s < access.n_steps; ++s) {
        const AccessStep& x = plan_.access_steps[access.first_step + s];
        const AccessStep& y = plan_.access_steps[other.first_step + s];
        same = same && x.from == y.from && x.view == y.view;
      }
      if (same) return static_cast<std::uint32_t>(i);
    }
    plan_.accesses.push_back(access);
    return static_cast<std::uint32_t>(plan_.accesses.size() - 1);
  }

  std::uint32_t find_or_add(const Instr& instr) {
    const std::size_t end = plan_.instrs.size();
    const std::size_t window = std::min<std::size_t>(end - kernel_.first_instr, 256);  // enough to find shared operands
    for (std::size_t i = end - window; i < end; ++i) {
      const Instr& other = plan_.instrs[i];
      if (other.kind == instr.kind && other.dtype == instr.dtype && other.op == instr.op && other.loop == instr.loop &&
          other.args == instr.args && other.payload == instr.payload)
        return static_cast<std::uint32_t>(i) - kernel_.first_instr;
    }
    return add_instr(instr);
  }

  void finish() {
    if (plan_.actions.size() != 1 || plan_.actions[0].kind != Action::Kind::Run || plan_.result == kNone || plan_.kernels.size() != 1)
      return;
    const Kernel& kernel = plan_.kernels[0];
    if (kernel.n_folds) return;
    const std::uint8_t rank = plan_.shapes[kernel.space].rank;
    for (const Instr& instr : plan_.body(kernel)) {
      if (instr.kind == Instr::Kind::Position) return;
      if (instr.kind != Instr::Kind::Load) continue;
      const Access& access = plan_.accesses[instr.payload];
      const std::uint8_t r = plan_.shapes[plan_.buffers[access.buffer].shape].rank;
      if (access.n_steps || (r != 0 && r != rank)) return;
    }
    plan_.simple = rank > 0;
  }

  /// The few local slots that have been defined so far.
  struct SmallSet {
    std::pmr::vector<std::uint32_t> items;
    bool contains(std::uint32_t x) const { return std::find(items.begin(), items.end(), x) != items.end(); }
    void insert(std::uint32_t x) { items.push_back(x); }
  };

  const Graph& graph_;
  const DType* out_;
  const Options& options_;
  Plan plan_;
  std::pmr::vector<PerNode> at_;
  std::pmr::vector<std::pair<NodeId, std::uint32_t>> copies_;
  std::pmr::vector<Chain> chains_;
  std::uint32_t kernels_begun_ = 0;
  std::pmr::vector<Memo> memo_;
  std::pmr::vector<std::uint32_t> memo_table_;
  std::pmr::vector<NodeId> stack_;
  std::pmr::vector<Visit> visits_;
  std::pmr::vector<NodeId> pending_;
  std::vector<NodeId> fold_nodes_;
  SmallSet defined_;
  Kernel kernel_;
  bool any_shifts_ = false;
  bool any_kept_ = false;
  std::uint32_t now_ = 0;
};

}  // namespace

Plan make_plan(const Graph& graph, const DType* out, const Options& options, std::pmr::memory_resource* memory, const KnownExtents& known) {
  return Planner(graph, out, options, memory).make(known);
}

}  // namespace engine::plan
