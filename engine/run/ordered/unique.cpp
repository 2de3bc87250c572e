// run/ordered/unique.cpp - one of each element, and where and how often: of sorted elements, or of elements and their argsort.
// An element begins a run of equal ones where it differs from the one before it; NaN is equal to NaN, as in np.unique.
#include <algorithm>

#include "engine/catalog/ordering.hpp"
#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

/// The elements in ascending order: as they lie, or through the argsort.
template <class T>
class Runs {
 public:
  explicit Runs(const Work& work)
      : work_(work), values_(static_cast<const T*>(work.source)), order_(static_cast<const std::int64_t*>(work.second)) {}

  Found find() const {
    return find_in_pieces(work_, work_.rows.length, [&](std::int64_t first, std::int64_t end) {
      std::int64_t count = 0;
      for (std::int64_t i = first; i < end; ++i) count += begins(i);
      return count;
    });
  }

  /// visit(i, k) where the k-th run begins at i.
  template <class Visit>
  void each(const Found& found, Visit visit) const {
    pieces(found, [&](std::int64_t i, std::int64_t k) {
      if (begins(i)) visit(i, k++);
      return k;
    });
  }

  void collect(const Found& found) const {
    auto* const places = static_cast<std::int64_t*>(work_.target);
    switch (catalog::info(work_.ordered).form) {
      case catalog::Form::Unique:
        each(found, [out = static_cast<T*>(work_.target), this](std::int64_t i, std::int64_t k) { out[k] = at(i); });
        return;
      case catalog::Form::Firsts:
        each(found, [&](std::int64_t i, std::int64_t k) { places[k] = order_[i]; });
        return;
      default:
        break;
    }
    each(found, [&](std::int64_t i, std::int64_t k) { places[k] = i; });
    for (std::int64_t k = 0; k < found.count; ++k) places[k] = (k + 1 < found.count ? places[k + 1] : work_.rows.length) - places[k];
  }

  void inverse() const {
    auto* const places = static_cast<std::int64_t*>(work_.target);
    pieces(find(), [&](std::int64_t i, std::int64_t k) {
      k += begins(i);
      places[order_[i]] = k - 1;
      return k;
    });
  }

 private:
  /// k = step(i, k) for all elements in order, k being how many runs have begun before.
  template <class Step>
  void pieces(const Found& found, Step step) const {
    parallel_for(work_.threads, static_cast<std::int64_t>(found.before.size()), [&](std::int64_t piece) {
      work_.watch->poll();
      std::int64_t k = found.before[static_cast<std::size_t>(piece)];
      const std::int64_t first = piece * found.piece, end = std::min(work_.rows.length, first + found.piece);
      for (std::int64_t i = first; i < end; ++i) k = step(i, k);
    });
  }

  T at(std::int64_t i) const { return values_[order_ ? order_[i] : i]; }
  bool begins(std::int64_t i) const {
    if (i == 0) return true;
    return !math::is_same_element(at(i - 1), at(i));
  }

  const Work& work_;
  const T* values_;
  const std::int64_t* order_;
};

}  // namespace

Found find_unique(const Work& work) {
  Found found;
  with_lane(work.dtype, [&]<class T>() { found = Runs<T>(work).find(); });
  return found;
}

void collect_unique(const Work& work, const Found& found) {
  with_lane(work.dtype, [&]<class T>() { Runs<T>(work).collect(found); });
}

void run_inverse(const Work& work) {
  with_lane(work.dtype, [&]<class T>() { Runs<T>(work).inverse(); });
}

}  // namespace engine::run::ordered
