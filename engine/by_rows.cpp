// by_rows.cpp - see by_rows.hpp.
#include "engine/by_rows.hpp"

#include <algorithm>
#include <engine/evaluate.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "engine/ir/rows.hpp"

namespace engine {
namespace {

/// Fewer might fall together with other axes, along which reductions have an order.
constexpr std::int64_t kLeastRows = 2;

/// A program to be computed in parts, or a statement of it.
struct Work {
  const Execution::State& s;
  const Operand* operands;
  const ir::Graph& graph;
  const plan::Plan& plan;
  const run::Executable& executable;
  ArrayView result;
  bool is_fresh;  ///< nobody has seen the result's memory
};

/// The parts of a result, in memory that nobody knows: a failure in their midst leaves no trace.
class Parts {
 public:
  explicit Parts(const Work& work) : w_(work), result_(work.result) {
    if (result_.shape.empty() || n_rows() <= kLeastRows) return;
    const bool is_one_kernel = stores_by_one_kernel_alone();
    if (!is_one_kernel) axes_ = ir::row_axes(w_.graph);
    exist_ = is_one_kernel || axes_;
  }
  bool exist() const { return exist_; }
  std::int64_t n_rows() const { return result_.shape[0]; }

  /// What the caller has already is written by finish(). Throws OutOfMemory.
  void begin() {
    if (w_.is_fresh) return;
    apart_.emplace(result_.dtype, result_.shape);
    result_ = apart_->view();
  }
  void finish() const {
    if (apart_) evaluate_into(w_.result, "a", {{"a", result_}});
  }

  void run(const Rows& rows, const RunOptions& options) const {
    std::array<std::byte, 4096> stack;
    std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
    plan::Binding binding(&memory);
    const Allocator nowhere{&allocate_nothing, nullptr};
    if (!axes_) {  // slices and shifts find what a row needs
      const auto slots = slots_of(c_, w_.operands, &memory);
      plan::bind(w_.graph, w_.plan, slots, &result_, w_.s.order, w_.s.program->options.limits, nowhere, binding, &rows);
    } else {
      std::vector<Operand> operands(w_.operands, w_.operands + w_.s.program->names.size());
      for (std::size_t slot = 0; slot < axes_->size(); ++slot)
        if (const int axis = (*axes_)[slot]; axis != ir::kNoRows && operands[c_.slot_name[slot]].weak == Weak::No)
          operands[c_.slot_name[slot]].array = cut(operands[c_.slot_name[slot]].array, axis, rows);
      const ArrayView result = cut(result_, 0, rows);
      const auto slots = slots_of(c_, operands.data(), &memory);
      plan::bind(w_.graph, w_.plan, slots, &result, w_.s.order, w_.s.program->options.limits, nowhere, binding);
    }
    w_.executable.execute(binding, options);
  }

 private:
  bool stores_by_one_kernel_alone() const {
    const std::span<const plan::Action> actions = w_.plan.actions;
    if (actions.size() != 1 || actions[0].kind != plan::Action::Kind::Run || actions[0].count != 1) return false;
    const plan::Kernel& kernel = w_.plan.kernels[actions[0].first];
    const std::span<const plan::Store> stores = w_.plan.stores_of(kernel);
    return kernel.n_folds == 0 && std::all_of(stores.begin(), stores.end(), [&](const plan::Store& store) {
             return w_.plan.accesses[store.access].buffer == w_.plan.result;
           });
  }
  /// What is of extent one there is stretched, and stays.
  static ArrayView cut(ArrayView array, int axis, const Rows& rows) {
    if (array.shape[axis] == 1) return array;
    array.data = plan::advance(static_cast<char*>(array.data), rows.begin * array.strides[axis]);
    array.shape[axis] = rows.end - rows.begin;
    return array;
  }

  const Work& w_;
  const Compiled& c_ = *w_.s.compiled;
  ArrayView result_;
  std::optional<Array> apart_;
  std::optional<std::vector<int>> axes_;
  bool exist_ = false;
};

/// What the caller is told of a part: its share of the whole.
struct ShareOfRows {
  const RunOptions& whole;
  double before, share;
  void put_into(RunOptions& options) {
    options.context = this;
    if (whole.interrupted)
      options.interrupted = [](void* self) {
        const RunOptions& caller = static_cast<ShareOfRows*>(self)->whole;
        return caller.interrupted(caller.context);
      };
    if (whole.progressed)
      options.progressed = [](void* self, double done) {
        const auto& [caller, before, share] = *static_cast<ShareOfRows*>(self);
        return caller.progressed(caller.context, before + share * done);
      };
  }
};

/// A call whose work is done in turns, each a share of the whole.
class Turns {
 public:
  explicit Turns(const RunOptions& how) : how_(how) {}
  /// Runs `turn` with what is left of the time; told is a share between these two.
  template <class Turn>
  void run(double before, double after, Turn turn) const {
    RunOptions options = how_;
    ShareOfRows told{how_, before, after - before};
    told.put_into(options);
    if (how_.seconds > 0) options.seconds = std::max(how_.seconds - Seconds(Clock::now() - start_).count(), 1e-9);
    turn(options);
  }

 private:
  const RunOptions& how_;
  const Clock::time_point start_ = Clock::now();
};

/// All parts, of which few enough rows at once find room. Throws OutOfMemory where kLeastRows do not.
void run_parts(const Parts& parts, const Turns& turns, double before, double after) {
  const std::int64_t n_rows = parts.n_rows();
  const auto share = [&](std::int64_t row) { return before + (after - before) * static_cast<double>(row) / static_cast<double>(n_rows); };
  std::int64_t at_once = std::max((n_rows + 1) / 2, kLeastRows);
  for (std::int64_t begin = 0; begin < n_rows;) {
    const std::int64_t left = n_rows - begin;
    const Rows rows{begin, begin + (left < at_once + kLeastRows ? left : at_once)};
    try {
      turns.run(share(begin), share(rows.end), [&](const RunOptions& options) { parts.run(rows, options); });
      begin = rows.end;
    } catch (const OutOfMemory&) {
      if (at_once == kLeastRows) throw;
      at_once = std::max(at_once / 2, kLeastRows);
    }
  }
}

template <class Graph>
auto& output_of(Graph& graph, std::size_t k) {
  return graph.outputs[graph[graph.output_nodes[k]].payload];
}

/// A program that does nothing but store into operands, statement by statement. Where there are several each stores into a copy of its
/// operand on the host, which those after it read; at last all is copied to where it belongs.
class Statements {
 public:
  explicit Statements(const Execution::State& s)
      : s_(s), graph_(s.compiled->graph), operands_(s.operands, s.operands + s.program->names.size()), copies_(operands_.size()) {}

  /// Whether each statement can be computed from what the operands hold when it is its turn.
  bool are_apart() const {
    const std::size_t n = graph_.output_nodes.size();
    if (n > 1 && graph_.aliased) return false;
    std::vector<std::uint32_t> versions(graph_.slots.size(), 0);
    for (std::size_t k = 0; k < n; ++k) {
      const ir::OutputSpec& output = output_of(graph_, k);
      if (output.kind != ir::OutputSpec::Kind::Store || graph_.slots[output.slot].local || !reads_latest(k, versions)) return false;
      ++versions[output.slot];
    }
    return n > 0;
  }

  void run(const Turns& turns) {
    const std::size_t n = graph_.output_nodes.size();
    const auto share = [&](std::size_t done) { return static_cast<double>(done) / static_cast<double>(n); };
    std::vector<std::pair<ArrayView, ArrayView>> written;  // where it belongs, and where it is
    for (std::size_t k = 0; k < n; ++k) {
      const Array value = value_of(k, turns, share(k), share(k + 1));
      if (n > 1) copy_operand(s_.compiled->slot_name[output_of(graph_, k).slot]);
      written.push_back(targets_of(k));
      store(written.back().second, value.view());
    }
    if (n > 1)
      for (const auto& [target, copy] : written) store(target, copy);
  }

 private:
  static void store(const ArrayView& target, const ArrayView& value) {
    execute("target[...] = value", {{"target", target}, {"value", value}});
  }

  bool reads_latest(std::size_t k, const std::vector<std::uint32_t>& versions) const {
    std::vector<bool> is_read(graph_.nodes.size(), false);
    const ir::NodeId value = graph_[graph_.output_nodes[k]].args[0];
    is_read[value] = true;
    for (ir::NodeId id = value + 1; id-- > 0;) {
      const ir::Node& node = graph_[id];
      if (!is_read[id]) continue;
      if (node.kind == ir::NodeKind::Input && node.version != versions[node.payload]) return false;
      for (const ir::NodeId arg : graph_.args(node)) is_read[arg] = true;
    }
    return true;
  }

  /// The statement alone.
  ir::Graph only(std::size_t k) const {
    ir::Graph graph = graph_;
    graph.output_nodes.assign(1, graph_.output_nodes[k]);
    return graph;
  }

  /// What statement k stores, before it is stretched over its target.
  Array value_of(std::size_t k, const Turns& turns, double before, double after) const {
    ir::Graph graph = only(k);
    graph.slots[output_of(graph, 0).slot].written = false;
    output_of(graph, 0) = {};
    const plan::Plan plan = plan::make_plan(graph, nullptr, s_.program->options, std::pmr::get_default_resource());
    const auto executable = run::find_backend(BackendChoice::Cuda)->compile(graph, plan, kHost);
    Array value;
    plan::Binding binding(std::pmr::get_default_resource());
    bind(graph, plan, operands_.data(), {&allocate_array, &value}, binding);
    const Work work{s_, operands_.data(), graph, plan, *executable, binding.result, true};
    if (const Parts parts(work); parts.exist())
      run_parts(parts, turns, before, after);
    else
      turns.run(before, after, [&](const RunOptions& options) { executable->execute(binding, options); });
    return value;
  }

  /// The region that statement k writes, of the caller's operands and of those it finds.
  std::pair<ArrayView, ArrayView> targets_of(std::size_t k) const {
    ir::Graph graph = only(k);
    output_of(graph, 0).returns_target = true;
    const plan::Plan plan = plan::make_plan(graph, nullptr, s_.program->options, std::pmr::get_default_resource());
    const auto target = [&](const Operand* operands) {
      plan::Binding binding(std::pmr::get_default_resource());
      bind(graph, plan, operands, {&allocate_nothing, nullptr}, binding);
      return binding.result;
    };
    return {target(s_.operands), target(operands_.data())};
  }

  void bind(const ir::Graph& graph, const plan::Plan& plan, const Operand* operands, Allocator allocator, plan::Binding& binding) const {
    const auto slots = slots_of(*s_.compiled, operands, std::pmr::get_default_resource());
    plan::bind(graph, plan, slots, nullptr, Order::C, s_.program->options.limits, allocator, binding);
  }

  void copy_operand(std::uint32_t name) {
    if (copies_[name]) return;
    ArrayView& array = operands_[name].array;
    copies_[name].emplace(array.dtype, array.shape);
    evaluate_into(copies_[name]->view(), "a", {{"a", array}});
    array = copies_[name]->view();
  }

  const Execution::State& s_;
  const ir::Graph& graph_;
  std::vector<Operand> operands_;  ///< as the statement whose turn it is finds them
  std::vector<std::optional<Array>> copies_;
};

}  // namespace

bool run_by_rows(Execution::State& s, const run::Executable& executable, const RunOptions& how) {
  const Compiled& c = *s.compiled;
  if (s.binding.device != kHost || c.plan.finds) return false;
  const Turns turns(how);
  if (c.plan.result == plan::kNone) {
    Statements statements(s);
    if (!statements.are_apart()) return false;
    statements.run(turns);
    return true;
  }
  const Work work{s, s.operands, c.graph, c.plan, executable, s.binding.result, s.binding.is_fresh};
  Parts parts(work);
  if (!parts.exist()) return false;
  parts.begin();
  run_parts(parts, turns, 0, 1);
  parts.finish();
  return true;
}

}  // namespace engine
