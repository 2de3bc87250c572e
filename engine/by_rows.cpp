// by_rows.cpp - see by_rows.hpp.
#include "engine/by_rows.hpp"

#include <algorithm>
#include <engine/evaluate.hpp>
#include <optional>
#include <vector>

#include "engine/ir/rows.hpp"

namespace engine {
namespace {

/// Fewer might fall together with other axes, along which reductions have an order.
constexpr std::int64_t kLeastRows = 2;

/// The parts of a result, in memory that nobody knows: a failure in their midst leaves no trace.
class Parts {
 public:
  Parts(Execution::State& s, const run::Executable& executable)
      : s_(s), executable_(executable), c_(*s.compiled), result_(s.binding.result) {
    const plan::Binding& b = s.binding;
    if (b.device != kHost || c_.plan.finds || result_.shape.empty() || n_rows() <= kLeastRows) return;
    const bool is_one_kernel = stores_by_one_kernel_alone();
    if (!is_one_kernel) axes_ = ir::row_axes(c_.graph);
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
    if (apart_) evaluate_into(s_.binding.result, "a", {{"a", result_}});
  }

  void run(const Rows& rows, const RunOptions& options) const {
    std::array<std::byte, 4096> stack;
    std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
    plan::Binding binding(&memory);
    const Allocator nowhere{&allocate_nothing, nullptr};
    if (!axes_) {  // slices and shifts find what a row needs
      const auto slots = slots_of(c_, s_.operands, &memory);
      plan::bind(c_.graph, c_.plan, slots, &result_, s_.order, s_.program->options.limits, nowhere, binding, &rows);
    } else {
      std::vector<Operand> operands(s_.operands, s_.operands + s_.program->names.size());
      for (std::size_t slot = 0; slot < axes_->size(); ++slot)
        if (const int axis = (*axes_)[slot]; axis != ir::kNoRows && operands[c_.slot_name[slot]].weak == Weak::No)
          operands[c_.slot_name[slot]].array = cut(operands[c_.slot_name[slot]].array, axis, rows);
      const ArrayView result = cut(result_, 0, rows);
      const auto slots = slots_of(c_, operands.data(), &memory);
      plan::bind(c_.graph, c_.plan, slots, &result, s_.order, s_.program->options.limits, nowhere, binding);
    }
    executable_.execute(binding, options);
  }

 private:
  bool stores_by_one_kernel_alone() const {
    const std::span<const plan::Action> actions = c_.plan.actions;
    if (actions.size() != 1 || actions[0].kind != plan::Action::Kind::Run || actions[0].count != 1) return false;
    const plan::Kernel& kernel = c_.plan.kernels[actions[0].first];
    const std::span<const plan::Store> stores = c_.plan.stores_of(kernel);
    return kernel.n_folds == 0 && std::all_of(stores.begin(), stores.end(), [&](const plan::Store& store) {
             return c_.plan.accesses[store.access].buffer == c_.plan.result;
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
  const run::Executable& executable_;
  const Compiled& c_;
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
