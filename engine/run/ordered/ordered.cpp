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
