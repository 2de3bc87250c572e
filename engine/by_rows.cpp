// by_rows.cpp - see by_rows.hpp.
#include "engine/by_rows.hpp"

#include <algorithm>
#include <engine/evaluate.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "engine/ir/rows.hpp"

namespace engine {
namespace {

/// Fewer might fall together with other axes, along which reductions have an order.
constexpr std::int64_t kLeastRows = 2;

/// What a program of one statement stores into an operand, as a program of its own whose result that is.
class StoredValue {
 public:
  /// Of one that does nothing else: see exists().
  explicit StoredValue(const Execution::State& s) : graph_(s.compiled->graph) {
    if (graph_.output_nodes.size() != 1) return;
    ir::OutputSpec& output = graph_.outputs[graph_[graph_.output_nodes[0]].payload];
    if (output.kind != ir::OutputSpec::Kind::Store) return;
    graph_.slots[output.slot].written = false;
    output = {};
    plan_.emplace(plan::make_plan(graph_, nullptr, s.program->options, std::pmr::get_default_resource()));
    executable_ = run::find_backend(BackendChoice::Cuda)->compile(graph_, *plan_, kHost);
  }
  bool exists() const { return executable_ != nullptr; }
  const ir::Graph& graph() const { return graph_; }
  const plan::Plan& plan() const { return *plan_; }
  const run::Executable& executable() const { return *executable_; }

 private:
  ir::Graph graph_;
  std::optional<plan::Plan> plan_;
  std::unique_ptr<run::Executable> executable_;
};

/// The parts of a result, in memory that nobody knows: a failure in their midst leaves no trace.
class Parts {
 public:
  Parts(Execution::State& s, const run::Executable& executable)
      : s_(s), c_(*s.compiled), graph_(&c_.graph), plan_(&c_.plan), executable_(&executable), result_(s.binding.result) {
    if (s.binding.device != kHost || plan_->finds) return;
    if (plan_->result == plan::kNone && !take_stored_value()) return;
    if (result_.shape.empty() || n_rows() <= kLeastRows) return;
    const bool is_one_kernel = stores_by_one_kernel_alone();
    if (!is_one_kernel) axes_ = ir::row_axes(*graph_);
    exist_ = is_one_kernel || axes_;
  }
  bool exist() const { return exist_; }
  std::int64_t n_rows() const { return result_.shape[0]; }

  /// What the caller has already is written by finish(). Throws OutOfMemory.
  void begin() {
    if (s_.binding.is_fresh) return;
    apart_.emplace(result_.dtype, result_.shape);
    result_ = apart_->view();
  }
  void finish() const {
    if (apart_) execute("target[...] = value", {{"target", s_.binding.result}, {"value", result_}});
  }

  void run(const Rows& rows, const RunOptions& options) const {
    std::array<std::byte, 4096> stack;
    std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
    plan::Binding binding(&memory);
    const Allocator nowhere{&allocate_nothing, nullptr};
    if (!axes_) {  // slices and shifts find what a row needs
      const auto slots = slots_of(c_, s_.operands, &memory);
      plan::bind(*graph_, *plan_, slots, &result_, s_.order, s_.program->options.limits, nowhere, binding, &rows);
    } else {
      std::vector<Operand> operands(s_.operands, s_.operands + s_.program->names.size());
      for (std::size_t slot = 0; slot < axes_->size(); ++slot)
        if (const int axis = (*axes_)[slot]; axis != ir::kNoRows && operands[c_.slot_name[slot]].weak == Weak::No)
          operands[c_.slot_name[slot]].array = cut(operands[c_.slot_name[slot]].array, axis, rows);
      const ArrayView result = cut(result_, 0, rows);
      const auto slots = slots_of(c_, operands.data(), &memory);
      plan::bind(*graph_, *plan_, slots, &result, s_.order, s_.program->options.limits, nowhere, binding);
    }
    executable_->execute(binding, options);
  }

 private:
  /// The result is what a statement stores, before it is stretched over its target.
  bool take_stored_value() {
    stored_.emplace(s_);
    if (!stored_->exists()) return false;
    graph_ = &stored_->graph();
    plan_ = &stored_->plan();
    executable_ = &stored_->executable();
    plan::Binding binding(std::pmr::get_default_resource());
    const auto slots = slots_of(c_, s_.operands, std::pmr::get_default_resource());
    plan::bind(*graph_, *plan_, slots, nullptr, Order::C, s_.program->options.limits, {&allocate_nothing, nullptr}, binding);
    result_ = binding.result;
    return true;
  }
  bool stores_by_one_kernel_alone() const {
    const std::span<const plan::Action> actions = plan_->actions;
    if (actions.size() != 1 || actions[0].kind != plan::Action::Kind::Run || actions[0].count != 1) return false;
    const plan::Kernel& kernel = plan_->kernels[actions[0].first];
    const std::span<const plan::Store> stores = plan_->stores_of(kernel);
    return kernel.n_folds == 0 && std::all_of(stores.begin(), stores.end(), [&](const plan::Store& store) {
             return plan_->accesses[store.access].buffer == plan_->result;
           });
  }
  /// What is of extent one there is stretched, and stays.
  static ArrayView cut(ArrayView array, int axis, const Rows& rows) {
    if (array.shape[axis] == 1) return array;
    array.data = plan::advance(static_cast<char*>(array.data), rows.begin * array.strides[axis]);
    array.shape[axis] = rows.end - rows.begin;
    return array;
  }

  Execution::State& s_;
  const Compiled& c_;
  std::optional<StoredValue> stored_;
  const ir::Graph* graph_;
  const plan::Plan* plan_;
  const run::Executable* executable_;
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

}  // namespace

bool run_by_rows(Execution::State& s, const run::Executable& executable, const RunOptions& how) {
  Parts parts(s, executable);
  if (!parts.exist()) return false;
  parts.begin();
  const Clock::time_point start = Clock::now();
  const std::int64_t n_rows = parts.n_rows();
  std::int64_t at_once = std::max((n_rows + 1) / 2, kLeastRows);
  for (std::int64_t begin = 0; begin < n_rows;) {
    const std::int64_t left = n_rows - begin;
    const Rows rows{begin, begin + (left < at_once + kLeastRows ? left : at_once)};
    RunOptions options = how;
    ShareOfRows told{how, static_cast<double>(begin) / static_cast<double>(n_rows),
                     static_cast<double>(rows.end - begin) / static_cast<double>(n_rows)};
    told.put_into(options);
    if (how.seconds > 0) options.seconds = std::max(how.seconds - Seconds(Clock::now() - start).count(), 1e-9);
    try {
      parts.run(rows, options);
      begin = rows.end;
    } catch (const OutOfMemory&) {
      if (at_once == kLeastRows) throw;
      at_once = std::max(at_once / 2, kLeastRows);
    }
  }
  parts.finish();
  return true;
}

}  // namespace engine
