// run/interp/rows.cpp - a BlockRunner's way from row to row: by the machine itself, by several rows at once, by tiles of what is packed.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/run/interp/block.hpp"

namespace engine::run::interp {
namespace {

/// Elements, of all runs, from which on the time pays that it takes to make code: for what goes from row to row, and for several rows at
/// once.
constexpr std::int64_t kWorthWalking = std::int64_t{1} << 12, kWorthJoining = std::int64_t{1} << 14;

}  // namespace

bool BlockRunner::lies_in_rows() const noexcept {
  constexpr std::int64_t kShortest = 16;
  if (!machine_ || kernel_.rank < 2 || inner_ < kShortest || !kernel_.detours.empty()) return false;
  for (const Step& step : code_.steps)
    if (step.kind == Step::Kind::Call || step.kind == Step::Kind::Position) return false;
  for (const StoreSlot& slot : code_.stores)
    if (!slot.direct || !reach_[slot.access].contiguous) return false;
  return code_.stores.size() == machine_->outs.size();
}

/// Elements of whole rows, those that are packed or computed together, unless there are too few for so many threads.
std::int64_t BlockRunner::unit_of(const Code& code, const plan::BoundKernel& kernel, int threads) noexcept {
  constexpr std::int64_t kFewest = 2 * kChunksPerThread, kBlockOf = kBlock;
  if (kernel.rank < 2) return kBlockOf;
  const Panels found = find_panels(code, kernel);
  std::int64_t unit = (found.n ? panel_rows(kernel, found.access[0]) : kMostRows) * kernel.extents[kernel.rank - 1];
  unit *= (kBlockOf + unit - 1) / unit;
  return kernel.total / unit >= kFewest * threads ? unit : kBlockOf;
}

/// Rows whose stores go into the caches are gone through by the machine itself.
void BlockRunner::plan_walk(const Lie& lie, std::pmr::memory_resource* memory) {
  const Machine& one = code_.machines[0];
  if (streams_ || !kernel_.isolated || row_by_row_ < kWorthWalking) return;
  if (inner_ < static_cast<std::int64_t>(machine_->lanes)) return;
  // Elements that are computed twice must not have been read in the meantime.
  for (const Step& step : code_.steps)
    for (const StoreSlot& slot : code_.stores)
      if (step.kind == Step::Kind::Load && kernel_.accesses[step.access].base == kernel_.accesses[slot.access].base &&
          inner_ % static_cast<std::int64_t>(machine_->lanes))
        return;
  walker_ = one.variants->walking(lie, 1, {});
  if (!walker_) return;
  row_steps_ = allocate<std::ptrdiff_t>(memory, table_.size());
  plan_tiles();
  for (const Step& step : code_.steps)
    if (step.kind == Step::Kind::Load) row_steps_[step.out] = kernel_.accesses[step.access].strides[kernel_.rank - 2];
  for (const StoreSlot& slot : code_.stores) row_steps_[slot.value] = kernel_.accesses[slot.access].strides[kernel_.rank - 2];
}

/// Columns of a tile, which takes a half of a first-level cache with those of the panels: what is packed is used at once.
void BlockRunner::plan_tiles() noexcept {
  constexpr std::int64_t kTile = 16 << 10, kNarrowest = 64;
  std::int64_t bytes = 0;
  for (const Panel& panel : panels_) bytes += panel.most * reach_[panel.access].item;
  if (bytes) tile_ = std::max(kNarrowest, kTile / bytes / kNarrowest * kNarrowest);
}

/// `count` whole rows from where rows_ points, of which those of panels are packed tile by tile.
void BlockRunner::run_tiles(std::int64_t count) {
  const int last = kernel_.rank - 1;
  const auto rows = static_cast<std::size_t>(count);
  for (Panel& panel : panels_) panel.rows = 0;  // of whole rows, which from_panel() looks for
  const auto lanes = static_cast<std::int64_t>(walker_->lanes);
  for (std::int64_t column = 0, n; column < inner_; column += n) {
    n = std::min(tile_, inner_ - column);
    if (inner_ - column - n < lanes) n = inner_ - column;  // the last one is of one vector at least
    point(column);
    for (const Step& step : code_.steps) {
      if (step.kind != Step::Kind::Load || !reach_[step.access].panel) continue;
      const Reach& r = reach_[step.access];
      char* const packed = panels_[r.panel - 1u].memory;
      interp::panel(packed, table_[step.out], kernel_.accesses[step.access].strides[last], static_cast<std::size_t>(n), rows, r.item,
                    static_cast<std::size_t>(inner_ - column - n));
      table_[step.out] = packed;
      row_steps_[step.out] = n * r.item;
    }
    walker_->walk(table_.data(), static_cast<std::size_t>(n), rows, row_steps_.data());
  }
}

/// Finds operands that are each other's neighbours on the next outer axis, or the same in all rows. Rows that are computed together read
/// what they share once, and compute once what depends on that alone.
void BlockRunner::plan_rows(const Lie& lie, std::pmr::memory_resource* memory) {
  constexpr std::int64_t kFarthest = 16, kLongEnoughToStream = 384;
  const Machine& one = code_.machines[0];
  const int last = kernel_.rank - 1;
  if (!kernel_.isolated || row_by_row_ < kWorthJoining || kernel_.extents[last - 1] < kMostRows) return;
  const std::size_t n_ins = one.ins.size(), n_values = code_.offsets.size();
  if (n_ins < 2 || n_ins > 64 || code_.calls * 2 > kMostSteps) return;
  const int rows = code_.calls * kMostRows <= kMostSteps ? kMostRows : 2;

  const auto access_of = [&](std::uint32_t value) -> std::uint32_t {
    for (const Step& step : code_.steps)
      if (step.kind == Step::Kind::Load && step.out == value) return step.access;
    for (const StoreSlot& slot : code_.stores)
      if (slot.value == value) return slot.access;
    return kNone;
  };
  std::array<Neighbour, 64> neighbours;
  std::size_t read = 0, apart = 0;  // by so many rows, one by one and together
  for (std::uint32_t i = 0; i < n_ins; ++i) {
    neighbours[i] = {i, 0};
    const std::uint32_t k = access_of(one.ins[i].value);
    if (k == kNone) return;
    if (lie.cells >> i & 1u) continue;
    const plan::BoundAccess& access = kernel_.accesses[k];
    const std::int64_t stride = access.strides[last - 1];
    if (stride == 0) {
      neighbours[i].rows = kStill;
      if (walker_) continue;  // near at hand in any case, and four rows that are written at once may be in each other's way
      read += static_cast<std::size_t>(rows);
      ++apart;
      continue;
    }
    for (std::uint32_t other = 0; other < i && neighbours[i].of == i; ++other) {
      const std::uint32_t with = access_of(one.ins[other].value);
      const plan::BoundAccess& before = kernel_.accesses[with];
      const std::int64_t between = access.base - before.base;
      if (neighbours[other].of != other || before.dtype != access.dtype || between % stride || std::abs(between / stride) > kFarthest ||
          !std::equal(access.strides, access.strides + kernel_.rank, before.strides))
        continue;
      neighbours[i] = {other, static_cast<std::int32_t>(between / stride)};
    }
    read += static_cast<std::size_t>(rows);
    for (int r = 0; r < rows; ++r) {
      const auto is_same = [&](const Neighbour& other, int row) { return other.rows + row == neighbours[i].rows + r; };
      bool is_new = true;
      for (std::uint32_t other = 0; other < i; ++other)
        for (int row = 0; neighbours[other].of == neighbours[i].of && row < rows; ++row)
          is_new = is_new && !is_same(neighbours[other], row);
      apart += is_new;
    }
  }
  if (read == 0 || 4 * apart > 3 * read) return;
  // What goes past the caches goes by whole lines, which are to begin where those of the first row do.
  bool is_aligned = true, is_large = false;
  for (const StoreSlot& slot : code_.stores) {
    is_aligned = is_aligned && kernel_.accesses[slot.access].strides[last - 1] % static_cast<std::int64_t>(kLine) == 0;
    is_large = is_large || kernel_.total * reach_[slot.access].item > last_level_cache() / 2;
  }
  if (is_large && (!is_aligned || inner_ < kLongEnoughToStream)) return;

  const std::span all(neighbours.data(), n_ins);
  const Machine* const machine = walker_ ? one.variants->walking(lie, rows, all) : one.variants->with_rows(lie, rows, all);
  if (!machine) return;
  together_.table = allocate<void*>(memory, n_values * static_cast<std::size_t>(rows));
  if (walker_) together_.steps = allocate<std::ptrdiff_t>(memory, together_.table.size());
  together_.at = allocate<Together::At>(memory, (n_ins + code_.stores.size()) * static_cast<std::size_t>(rows));
  std::copy(table_.begin(), table_.end(), together_.table.begin());
  std::size_t n = 0;
  for (int r = 0; r < rows; ++r) {
    const auto add = [&](std::uint32_t value) {
      const std::uint32_t access = access_of(value);
      together_.at[n++] = {static_cast<std::uint32_t>(r) * static_cast<std::uint32_t>(n_values) + value, access,
                           r * kernel_.accesses[access].strides[last - 1]};
      if (walker_) together_.steps[together_.at[n - 1].place] = rows * kernel_.accesses[access].strides[last - 1];
    };
    for (const Machine::Reach& in : one.ins) add(in.value);
    for (const StoreSlot& slot : code_.stores) add(slot.value);
  }
  together_.rows = rows;
  together_.is_aligned = is_aligned;
  together_.machine = machine;
}

/// `whole` > 0 rows from where rows_ points, or the first of them, as many as are best done at once. Gives how many.
std::int64_t BlockRunner::run_whole_rows(std::int64_t whole) {
  const int last = kernel_.rank - 1;
  const auto n = static_cast<std::size_t>(inner_);
  if (!panels_.empty()) {
    const Panel& panel = *std::ranges::min_element(panels_, {}, &Panel::most);
    const std::int64_t row = at_[last - 1];
    const std::int64_t band = row < panel.phase ? panel.phase - row : panel.most - (row - panel.phase) % panel.most;
    whole = std::min(whole, band);
    run_tiles(whole);
    return whole;
  }
  if (walker_) whole = std::min(whole, std::max(std::int64_t{kMostRows}, static_cast<std::int64_t>(kMostBlock) / inner_));
  if (together_.machine && whole >= together_.rows) {
    const std::int64_t times = walker_ ? whole / together_.rows : 1;
    for (const Together::At& at : together_.at) together_.table[at.place] = rows_[at.access] + at.offset;
    if (walker_)
      together_.machine->walk(together_.table.data(), n, static_cast<std::size_t>(times), together_.steps.data());
    else
      run_machine(*together_.machine, together_.table, n);
    return times * together_.rows;
  }
  point(0);
  if (walker_)
    walker_->walk(table_.data(), n, static_cast<std::size_t>(whole), row_steps_.data());
  else
    run_machine(*machine_, table_, n);
  return walker_ ? whole : 1;
}

/// Elements [first, first + n) of one row, which rows_ points to.
void BlockRunner::run_part_of_row(std::int64_t first, std::int64_t column, std::int64_t n) {
  if (panels_.empty()) {
    point(column);
    return run_machine(*machine_, table_, static_cast<std::size_t>(n));
  }
  for (std::int64_t done = 0, some; done < n; done += some) {
    some = std::min(n - done, static_cast<std::int64_t>(kBlock));
    run(first + done, static_cast<std::size_t>(some), true);
  }
}

/// Has the table point to that column of the row.
void BlockRunner::point(std::int64_t column) noexcept {
  const int last = kernel_.rank - 1;
  const auto put = [&](std::uint32_t value, std::uint32_t access) {
    table_[value] = rows_[access] + column * kernel_.accesses[access].strides[last];
  };
  for (const Step& step : code_.steps)
    if (step.kind == Step::Kind::Load) put(step.out, step.access);
  for (const StoreSlot& slot : code_.stores) put(slot.value, slot.access);
}

void BlockRunner::run_rows(std::int64_t first, std::int64_t end, Watch& watch) {
  const int last = kernel_.rank - 1;
  locate(first);
  std::int64_t column = at_[last];
  at_[last] = 0;
  const std::span<char*> rows = rows_;
  for (std::size_t k = 0; k < rows.size(); ++k) rows[k] = kernel_.accesses[k].base + offset_of(kernel_.accesses[k]);
  std::int64_t since = 0;
  while (true) {
    const std::int64_t whole = column == 0 ? std::min((end - first) / inner_, kernel_.extents[last - 1] - at_[last - 1]) : 0;
    std::int64_t n = std::min(inner_ - column, end - first), step_rows = 1;
    if (whole > 0) {
      step_rows = run_whole_rows(whole);
      n *= step_rows;
    } else {
      run_part_of_row(first, column, n);
      at_[last] = 0;
    }
    first += n;
    since += n;
    if (since >= std::int64_t{kBlocksPerLook} * static_cast<std::int64_t>(kBlock) || first == end) watch.poll(std::exchange(since, 0));
    if (first == end) return;
    column = 0;
    for (int axis = last - 1; axis >= 0; --axis) {
      for (std::size_t k = 0; k < rows.size(); ++k) rows[k] += step_rows * kernel_.accesses[k].strides[axis];
      if ((at_[axis] += step_rows) < kernel_.extents[axis]) break;
      for (std::size_t k = 0; k < rows.size(); ++k) rows[k] -= at_[axis] * kernel_.accesses[k].strides[axis];
      at_[axis] = 0;
      step_rows = 1;
    }
  }
}

}  // namespace engine::run::interp
