// run/ordered/select.cpp - the elements where a condition is true.
#include <algorithm>
#include <cstring>

#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

constexpr std::int64_t kWord = 8;  // conditions looked at together

std::int64_t count_true(const std::uint8_t* condition, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += condition[i] != 0;
  return count;
}

/// Those of `n` values whose condition is true: how many. At most `n` are written, none behind the last one that fits in `room`.
template <class T>
std::int64_t pick(const T* values, const std::uint8_t* condition, std::int64_t n, T* out, std::int64_t room) {
  std::int64_t i = 0, k = 0;
  // Written whether true or not, and written over where not: there must be room for one more.
  for (; i + kWord <= n && k + kWord < room; i += kWord) {
    std::uint64_t word;
    std::memcpy(&word, condition + i, sizeof word);
    if (word == 0) continue;
    for (std::int64_t j = i; j < i + kWord; ++j) {
      out[k] = values[j];
      k += condition[j] != 0;
    }
  }
  for (; i < n; ++i)
    if (condition[i]) out[k++] = values[i];
  return k;
}

struct Item16 {
  std::uint64_t parts[2];
};

template <class T>
class Picker {
 public:
  Picker(const Work& work, const Found& found)
      : work_(work), found_(found), condition_(static_cast<const std::uint8_t*>(work.second)), out_(static_cast<T*>(work.target)) {}

  void run() const {
    const auto pieces = static_cast<std::int64_t>(found_.before.size());
    parallel_for(work_.threads, pieces, [&](std::int64_t piece) {
      const std::int64_t first = piece * found_.piece, end = std::min(work_.rows.length, first + found_.piece);
      const std::int64_t at = found_.before[static_cast<std::size_t>(piece)];
      const std::int64_t next = piece + 1 < pieces ? found_.before[static_cast<std::size_t>(piece) + 1] : found_.count;
      if (next == at) return;
      if (work_.rows.inner == 1)
        elements(first, end, out_ + at, next - at);
      else
        rows(first, end, out_ + at * work_.rows.inner);
    });
  }

 private:
  void elements(std::int64_t first, std::int64_t end, T* out, std::int64_t count) const {
    std::int64_t done = 0;
    work_.stream(first, end, [&](const void* values, std::int64_t at, std::int64_t n) {
      done += pick(static_cast<const T*>(values), condition_ + at, n, out + done, count - done);
    });
  }

  /// Rows of `inner` elements for each condition: those that follow each other are computed in one go, the others not at all.
  void rows(std::int64_t first, std::int64_t end, T* out) const {
    const std::int64_t inner = work_.rows.inner;
    for (std::int64_t row = first; row < end; ++row) {
      if (!condition_[row]) continue;
      std::int64_t last = row + 1;
      while (last < end && condition_[last]) ++last;
      work_.stream(row * inner, last * inner, [&](const void* values, std::int64_t, std::int64_t n) {
        std::memcpy(static_cast<void*>(out), values, static_cast<std::size_t>(n) * sizeof(T));
        out += n;
      });
      row = last;
    }
  }

  const Work& work_;
  const Found& found_;
  const std::uint8_t* condition_;
  T* out_;
};

}  // namespace

Found find_selected(const Work& work) {
  const auto* condition = static_cast<const std::uint8_t*>(work.second);
  return find_in_pieces(work, work.rows.length,
                        [&](std::int64_t first, std::int64_t end) { return count_true(condition + first, end - first); });
}

void collect_selected(const Work& work, const Found& found) {
  switch (item_size(work.dtype)) {
    case 1:
      return Picker<std::uint8_t>(work, found).run();
    case 2:
      return Picker<std::uint16_t>(work, found).run();
    case 4:
      return Picker<std::uint32_t>(work, found).run();
    case 8:
      return Picker<std::uint64_t>(work, found).run();
    default:
      return Picker<Item16>(work, found).run();
  }
}

}  // namespace engine::run::ordered
