// run/ordered/ordered.cpp - see ordered.hpp.
#include "engine/run/ordered/ordered.hpp"

#include <algorithm>

#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {

using catalog::Form;

void run(const Work& work) {
  const Form form = catalog::info(work.ordered).form;
  switch (form) {  // those that give something of no elements, too
    case Form::Median:
    case Form::Quantile:
      return run_quantile(work);
    case Form::Searchsorted:
      return run_searchsorted(work);
    case Form::Histogram:
    case Form::Edges:
      return run_histogram(work);
    default:
      break;
  }
  if (work.rows.total() == 0) return;
  switch (form) {
    case Form::Scan:
      return run_scan(work);
    case Form::Inverse:
      return run_inverse(work);
    case Form::Partition:
    case Form::Argpartition:
    case Form::Topk:
    case Form::Argtopk:
      return run_partition(work);
    default:
      return run_sort(work);
  }
}

Found find(const Work& work) {
  const Form form = catalog::info(work.ordered).form;
  if (form == Form::Bincount) return find_bins(work);
  if (work.rows.length == 0) return {};
  return form == Form::Select ? find_selected(work) : find_unique(work);
}

void collect(const Work& work, const Found& found) {
  const Form form = catalog::info(work.ordered).form;
  if (found.count == 0) return;
  if (form == Form::Bincount) return collect_bins(work, found);
  if (work.rows.total() == 0) return;
  if (form == Form::Select)
    collect_selected(work, found);
  else
    collect_unique(work, found);
}

namespace {

/// The rows of an operation along an axis, or along all elements, of memory without gaps.
Rows rows_of(const plan::Layout& layout, DType dtype, const ir::ReduceSpec& spec) {
  const std::int64_t total = n_items(layout.shape);
  if (spec.is_flat()) return {.length = total};
  const int axis = spec.axis();
  Rows rows{.length = layout.shape[axis]};
  if (total == 0) {
    for (int k = 0; k < layout.shape.size(); ++k) rows.outer *= k == axis ? 1 : layout.shape[k];
    return rows;
  }
  if (rows.length > 1) rows.inner = layout.strides[axis] / static_cast<std::int64_t>(item_size(dtype));
  rows.outer = total / (rows.length * rows.inner);
  return rows;
}

}  // namespace

Work work_of(const plan::Action& action, const plan::Plan& plan, const plan::Binding& binding) {
  const plan::Action::Source& first = action.sources[0];
  const plan::Layout& source = binding.buffers[first.buffer];
  Work work{.ordered = action.ordered, .dtype = plan.buffers[first.buffer].dtype, .source = source.base};
  work.exclusive = action.spec.exclusive;
  work.number = action.spec.number;
  work.rows = rows_of(source, work.dtype, action.spec);
  if (action.sources[2].buffer != plan::kNone) work.third = binding.buffers[action.sources[2].buffer].base;
  if (action.sources[1].buffer != plan::kNone) {
    const plan::Layout& second = binding.buffers[action.sources[1].buffer];
    work.second = second.base;
    work.n_second = n_items(second.shape);
    if (catalog::info(action.ordered).form == Form::Select) {
      work.rows = {.length = work.n_second};
      for (int axis = source.shape.size() - action.spec.rest; axis < source.shape.size(); ++axis) work.rows.inner *= source.shape[axis];
    }
  }
  if (catalog::form_of(action.ordered).extent != catalog::Extent::Found) work.target = binding.buffers[action.buffer].base;
  return work;
}

Found find_in_pieces(const Work& work, std::int64_t n, const std::function<std::int64_t(std::int64_t first, std::int64_t end)>& count) {
  constexpr std::int64_t kLeast = 4096, kMost = 65536;  // elements, so that pieces are worth a claim and stay in a cache
  Found found;
  found.piece = std::clamp(n / (std::int64_t{work.threads} * 8), kLeast, kMost);
  const std::int64_t pieces = (n + found.piece - 1) / found.piece;
  found.before.resize(static_cast<std::size_t>(pieces));
  parallel_for(work.threads, pieces, [&](std::int64_t piece) {
    work.watch->poll();
    found.before[static_cast<std::size_t>(piece)] = count(piece * found.piece, std::min(n, (piece + 1) * found.piece));
  });
  for (std::int64_t& each : found.before) found.count += std::exchange(each, found.count);
  return found;
}

}  // namespace engine::run::ordered
