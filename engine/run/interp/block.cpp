// run/interp/block.cpp - the block loop. See block.hpp.
#include "engine/run/interp/block.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include <unistd.h>

#include "engine/run/interp/scratch.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::interp {
namespace {

/// Rows at least this long are walked one by one; shorter ones are gathered into whole blocks.
constexpr std::int64_t kLongRow = 96;

/// Columns of a panel in bytes: two lines, which memory delivers as a pair; one where rows are very long.
constexpr std::int64_t kPanelColumn = 128;
constexpr std::int64_t kMostPanelBytes = std::int64_t{1} << 20;
/// Below so many bytes all lines stay in the first-level cache while they are gathered item by item.
constexpr std::int64_t kWorthPanels = std::int64_t{32} << 10;

std::uint8_t number_size(DType dtype) { return static_cast<std::uint8_t>(is_complex(dtype) ? item_size(dtype) / 2 : item_size(dtype)); }

/// The last elements of a block, fewer than the machine's lanes. It reads whole vectors where they lie, if that is within a page:
/// what is behind the operand may be anything, and is computed for nothing. Across pages it reads copies, filled up with the first
/// of these elements.
template <std::size_t kMost>
void run_rest(const Machine& machine, void** table, std::size_t first, std::size_t n) {
  constexpr std::size_t kRegister = 128, kPage = 4096;  // of complex numbers, a vector is of both parts
  alignas(kRegister) char copies[kMost][kRegister];
  void* kept[kMost];
  std::size_t k = 0;
  for (const Machine::Reach& in : machine.ins) {
    kept[k] = table[in.value];
    const std::ptrdiff_t stride = in.stride(), last = stride * static_cast<std::ptrdiff_t>(machine.lanes - 1);
    char* const from = static_cast<char*>(kept[k]) + static_cast<std::ptrdiff_t>(first) * stride;
    table[in.value] = from;
    const std::ptrdiff_t lowest = std::min<std::ptrdiff_t>(last, 0), reach = std::abs(last) + in.item;
    if (reinterpret_cast<std::uintptr_t>(from + lowest) % kPage > kPage - static_cast<std::size_t>(reach)) {
      char* const copy = copies[k] - lowest;
      for (std::size_t i = 0; i < machine.lanes; ++i)
        std::memcpy(copy + static_cast<std::ptrdiff_t>(i) * stride, from + (i < n ? static_cast<std::ptrdiff_t>(i) * stride : 0), in.item);
      table[in.value] = copy;
    }
    ++k;
  }
  for (const Machine::Reach& out : machine.outs) {
    kept[k] = table[out.value];
    table[out.value] = copies[k++];
  }
  machine.function(table, machine.lanes);
  k = 0;
  for (const Machine::Reach& in : machine.ins) table[in.value] = kept[k++];
  for (const Machine::Reach& out : machine.outs) {
    std::memcpy(static_cast<char*>(kept[k]) + first * out.item, copies[k], n * out.item);
    table[out.value] = kept[k++];
  }
}

/// Elements [n - n % lanes, n), the ones before them being done. Where nothing is read that has been written since, the last whole
/// vector is computed, of which some are done again.
void run_end(const Machine& machine, void** table, std::size_t n, bool is_apart) {
  const std::size_t whole = n - n % machine.lanes;
  const auto is_read = [&](const Machine::Reach& out) {
    return std::any_of(machine.ins.begin(), machine.ins.end(),
                       [&](const Machine::Reach& in) { return table[in.value] == table[out.value]; });
  };
  if (whole && is_apart && std::none_of(machine.outs.begin(), machine.outs.end(), is_read)) {
    const auto skipped = static_cast<std::ptrdiff_t>(n - machine.lanes);
    move_on(machine, table, skipped);
    machine.function(table, machine.lanes);
    return move_on(machine, table, -skipped);
  }
  if (machine.ins.size() + machine.outs.size() <= 16)
    run_rest<16>(machine, table, whole, n - whole);
  else
    run_rest<kMostReaches>(machine, table, whole, n - whole);
}

}  // namespace

void move_on(const Machine& machine, void** table, std::ptrdiff_t n) {
  for (const Machine::Reach& in : machine.ins) table[in.value] = static_cast<char*>(table[in.value]) + n * in.stride();
  for (const Machine::Reach& out : machine.outs) table[out.value] = static_cast<char*>(table[out.value]) + n * out.item;
}

void run_machine(const Machine& machine, void** table, std::size_t n, bool is_apart) {
  const std::size_t rest = n % machine.lanes;
  if (n > rest) machine.function(table, n - rest);
  if (rest) run_end(machine, table, n, is_apart);
}

std::int64_t last_level_cache() noexcept {
  static const std::int64_t bytes = [] {
    std::int64_t size = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    size = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    // What virtual machines show of a shared cache is not theirs alone.
    constexpr std::int64_t kLeast = std::int64_t{4} << 20, kMost = std::int64_t{16} << 20;
    return size > 0 ? std::clamp(size, kLeast, kMost) : kMost;
  }();
  return bytes;
}

BlockRunner::BlockRunner(const Code& code, const plan::BoundKernel& kernel, char* scratch, std::pmr::memory_resource* memory)
    : code_(code),
      kernel_(kernel),
      scratch_(scratch),
      table_(allocate<void*>(memory, code.offsets.size())),
      reach_(allocate<Reach>(memory, kernel.accesses.size())),
      inner_(kernel.rank ? kernel.extents[kernel.rank - 1] : 1) {
  for (std::size_t v = 0; v < table_.size(); ++v) table_[v] = scratch_ + code_.offsets[v];
  for (std::size_t k = 0; k < reach_.size(); ++k) {
    const plan::BoundAccess& access = kernel_.accesses[k];
    Reach& r = reach_[k];
    r.item = static_cast<std::uint8_t>(item_size(access.dtype));
    const std::uint8_t number = number_size(access.dtype);
    r.swap = access.swapped && number > 1 ? number : 0;
    std::uintptr_t low = reinterpret_cast<std::uintptr_t>(access.base);
    r.flat = true;
    std::int64_t expected = r.item;
    for (int axis = kernel_.rank - 1; axis >= 0; --axis) {
      low |= static_cast<std::uintptr_t>(access.strides[axis]);
      r.flat = r.flat && access.strides[axis] == expected;
      expected *= kernel_.extents[axis];
    }
    const bool aligned = (low & (number - 1u)) == 0 && !r.swap;  // sizes are powers of two
    r.contiguous = aligned && (kernel_.rank == 0 || access.strides[kernel_.rank - 1] == r.item);
    r.flat = r.flat && aligned;
    r.detour = r.stream = r.cell = r.steps = false;
    r.panel = 0;
  }
  for (const plan::Detour& detour : kernel_.detours) reach_[detour.access].detour = true;
  if (kernel_.total > kFetchAhead / 64) plan_ahead(memory);
  plan_panels(memory);
  if (kernel_.total > last_level_cache() / 64) plan_stream();
  plan_machine(memory);
  if (streams_ && code_.stores[0].direct && code_.steps.back().kind == Step::Kind::Machine)
    streaming_ = (machine_ ? *machine_ : code_.machines[code_.steps.back().access]).streaming.get();

  for (const Code::Constant& constant : code_.constants) std::memcpy(table_[constant.value], constant.bits.bytes.data(), 16);
  for (const Step& step : code_.uniform_loads) {
    const plan::BoundAccess& access = kernel_.accesses[step.access];
    pack(table_[step.out], access.base, 0, 1, reach_[step.access].item, reach_[step.access].swap);
  }
  for (const Step& step : code_.once) {
    const void* in[3] = {table_[step.in[0]], table_[step.in[1]], table_[step.in[2]]};
    step.kernel(table_[step.out], in, 1);
  }
  const auto width = static_cast<std::size_t>(std::min<std::int64_t>(kernel_.total, kBlock));
  for (const Splat& s : code_.splats) splat(table_[s.out], table_[s.in], width, s.item);
}

/// Finds the loads whose neighbours in memory lie on the next outer axis.
BlockRunner::Panels BlockRunner::find_panels(const Code& code, const plan::BoundKernel& kernel) noexcept {
  Panels found;
  if (kernel.rank < 2 || kernel.total < kWorthPanels / 16) return found;
  const int last = kernel.rank - 1;
  const std::int64_t inner = kernel.extents[last];
  for (const Step& step : code.steps) {
    if (step.kind != Step::Kind::Load || found.n == kMostPanels) continue;
    const plan::BoundAccess& access = kernel.accesses[step.access];
    const auto item = static_cast<std::int64_t>(item_size(access.dtype));
    if (access.strides[last - 1] != item || (access.swapped && number_size(access.dtype) > 1)) continue;
    if (std::any_of(kernel.detours.begin(), kernel.detours.end(), [&](const plan::Detour& d) { return d.access == step.access; })) continue;
    if (std::abs(access.strides[last]) < std::int64_t{kLine} || kernel.extents[last - 1] < 4 || inner < 8) continue;
    if (kernel.total * item < kWorthPanels || inner * static_cast<std::int64_t>(kLine) > kMostPanelBytes) continue;
    const auto end = found.access.begin() + static_cast<std::ptrdiff_t>(found.n);
    if (std::find(found.access.begin(), end, step.access) == end) found.access[found.n++] = step.access;
  }
  return found;
}

/// Rows of a panel at most.
std::int64_t BlockRunner::panel_rows(const plan::BoundKernel& kernel, std::uint32_t access) noexcept {
  const std::int64_t inner = kernel.extents[kernel.rank - 1];
  const std::int64_t column = inner * kPanelColumn <= kMostPanelBytes ? kPanelColumn : static_cast<std::int64_t>(kLine);
  return column / static_cast<std::int64_t>(item_size(kernel.accesses[access].dtype));
}

std::size_t BlockRunner::panel_bytes(const plan::BoundKernel& kernel, std::uint32_t access) noexcept {
  const std::int64_t rows = std::min(panel_rows(kernel, access), kernel.extents[kernel.rank - 2]);
  return static_cast<std::size_t>(kernel.extents[kernel.rank - 1] * rows) * item_size(kernel.accesses[access].dtype);
}

void BlockRunner::plan_panels(std::pmr::memory_resource* memory) {
  const Panels found = find_panels(code_, kernel_);
  if (found.n == 0) return;
  panels_ = allocate<Panel>(memory, found.n);
  for (std::size_t i = 0; i < found.n; ++i) {
    Panel& panel = panels_[i];
    panel.access = found.access[i];
    Reach& r = reach_[panel.access];
    panel.most = panel_rows(kernel_, panel.access);
    panel.phase =
        static_cast<std::int64_t>((kLine - reinterpret_cast<std::uintptr_t>(kernel_.accesses[panel.access].base) % kLine) % kLine) / r.item;
    panel.bytes = panel_bytes(kernel_, panel.access);
    panel.memory = static_cast<char*>(memory->allocate(panel.bytes, kLine));
    r.panel = static_cast<std::uint8_t>(i + 1);
  }
}

const char* BlockRunner::operand_of_fold(std::size_t i) const noexcept {
  for (const Step& step : code_.steps)
    if (step.kind == Step::Kind::Load && step.out == code_.fold_values[i] && reach_[step.access].flat)
      return kernel_.accesses[step.access].base;
  return nullptr;
}

bool BlockRunner::in_panel(const void* at) const noexcept {
  return std::any_of(panels_.begin(), panels_.end(),
                     [&](const Panel& panel) { return at >= panel.memory && at < panel.memory + panel.bytes; });
}

/// Packs the rows around `row`.
void BlockRunner::fill(Panel& panel, std::int64_t row) const {
  const plan::BoundAccess& access = kernel_.accesses[panel.access];
  const int last = kernel_.rank - 1;
  const std::int64_t extent = kernel_.extents[last - 1], r = row % extent;
  const std::int64_t begin = r < panel.phase ? 0 : r - (r - panel.phase) % panel.most;
  const std::int64_t end = std::min(extent, r < panel.phase ? panel.phase : begin + panel.most);
  panel.first = row - r + begin;
  panel.rows = end - begin;
  std::int64_t offset = 0, rest = panel.first;
  for (int axis = last - 1; axis >= 0; --axis) {
    offset += rest % kernel_.extents[axis] * access.strides[axis];
    rest /= kernel_.extents[axis];
  }
  interp::panel(panel.memory, access.base + offset, access.strides[last], static_cast<std::size_t>(inner_),
                static_cast<std::size_t>(panel.rows), reach_[panel.access].item);
}

void* BlockRunner::from_panel(const Step& step, const Reach& r, std::size_t n) {
  Panel& panel = panels_[r.panel - 1u];
  std::int64_t at = first_;
  char* const out = scratch_ + code_.offsets[step.out];
  for (std::size_t done = 0; done < n;) {
    const std::int64_t row = at / inner_;
    if (row < panel.first || row >= panel.first + panel.rows) fill(panel, row);
    char* const from = panel.memory + (at - panel.first * inner_) * r.item;
    const auto there = static_cast<std::size_t>((panel.first + panel.rows) * inner_ - at);
    if (done == 0 && n <= there) return from;
    const std::size_t count = std::min(there, n - done);
    std::memcpy(out + done * r.item, from, count * r.item);
    done += count;
    at += static_cast<std::int64_t>(count);
  }
  return out;
}

/// Operands that are the same along a row need not be spread over a register each time: the machine does that.
void BlockRunner::plan_machine(std::pmr::memory_resource* memory) {
  if (code_.machines.size() != 1) return;
  machine_ = &code_.machines[0];
  const bool stays = lies_in_rows();  // what is short, too, if all of it is in rows
  // Of folds, blocks that go on from one row to the next: see fold.cpp.
  const std::int64_t longest_crossed = static_cast<std::int64_t>(kernel_.lanes_kept ? kBlock : kLanes);
  const bool is_crossed = kernel_.kernel->n_folds && (kernel_.length != inner_ || inner_ <= longest_crossed);
  Lie lie;
  const bool by_rows = kernel_.rank == 1 || (kernel_.rank > 1 && inner_ >= kLongRow && !is_crossed) || stays;
  if (by_rows && machine_->variants && machine_->ins.size() <= 64) lie = plan_forms();
  const auto in_row = [&](const Step& step) {
    if (step.kind != Step::Kind::Load) return true;
    const Reach& r = reach_[step.access];
    return r.contiguous || r.cell || r.steps || r.panel;
  };
  walks_rows_ = stays && std::all_of(code_.steps.begin(), code_.steps.end(), in_row);
  if (const Variants* const variants = code_.machines[0].variants.get(); walks_rows_ && variants)
    row_by_row_ = variants->count(kernel_.total);
  if (walks_rows_) plan_walk(lie, memory);
  if (!panels_.empty()) walks_rows_ = walker_ != nullptr;
  if (walks_rows_) {
    rows_ = allocate<char*>(memory, kernel_.accesses.size());
    if (panels_.empty()) plan_rows(lie, memory);
  } else if (kernel_.rank > 1 && inner_ < kLongRow) {  // rows that are gathered together have forms of their own
    drop_forms();
  }
}

void BlockRunner::drop_forms() noexcept {
  machine_ = &code_.machines[0];
  for (Reach& r : reach_) r.cell = r.steps = false;
}

/// Which loads the machine does itself, though their elements do not lie one after another.
Lie BlockRunner::plan_forms() noexcept {
  const auto is_read_elsewhere = [&](std::uint32_t value) {
    for (const Step& step : code_.steps)
      if (step.kind == Step::Kind::Call && std::find(step.in.begin(), step.in.begin() + step.n_in, value) != step.in.begin() + step.n_in)
        return true;
    return std::any_of(code_.stores.begin(), code_.stores.end(), [&](const StoreSlot& slot) { return slot.value == value; }) ||
           std::find(code_.fold_values.begin(), code_.fold_values.end(), value) != code_.fold_values.end();
  };
  Lie lie;
  for (const Step& step : code_.steps) {
    if (step.kind != Step::Kind::Load) continue;
    const plan::BoundAccess& access = kernel_.accesses[step.access];
    Reach& r = reach_[step.access];
    const std::int64_t stride = access.strides[kernel_.rank - 1];
    // Numbers of 4 and 8 bytes, vectors of which are vectors to the processor.
    const bool picks = (r.item == 4 || r.item == 8) && !is_complex(access.dtype) && machine_->lanes * r.item >= 16 &&
                       (stride == 2 * r.item || stride == -std::int64_t{r.item});
    if ((stride != 0 && !picks) || r.swap || r.detour || r.panel || is_read_elsewhere(step.out)) continue;
    for (std::size_t i = 0; i < machine_->ins.size(); ++i)
      if (machine_->ins[i].value == step.out) {
        (stride == 0 ? lie.cells : stride > 0 ? lie.others : lie.backward) |= std::uint64_t{1} << i;
        (stride == 0 ? r.cell : r.steps) = true;
      }
  }
  if (lie.is_plain()) return lie;
  machine_ = machine_->variants->with(lie);
  if (machine_) return lie;
  drop_forms();
  return {};
}

/// One store, after which nothing is left to do, of more than any cache holds.
void BlockRunner::plan_stream() noexcept {
  if (code_.stores.size() != 1) return;
  Reach& r = reach_[code_.stores[0].access];
  if (!r.contiguous || r.detour || (!r.flat && inner_ < static_cast<std::int64_t>(kBlock))) return;
  // Neighbours that are read at several places of one array are one array.
  const auto is_counted = [&](std::size_t k) {
    const plan::BoundAccess& access = kernel_.accesses[k];
    const std::int64_t size = kernel_.total * reach_[k].item;
    for (std::size_t other = 0; other < k; ++other) {
      const plan::BoundAccess& before = kernel_.accesses[other];
      if (reach_[other].contiguous && reach_[other].item == reach_[k].item && std::abs(access.base - before.base) < size / 2 &&
          std::equal(access.strides, access.strides + kernel_.rank, before.strides))
        return true;
    }
    return false;
  };
  const auto elements_of = [&](const plan::BoundAccess& access) {
    std::int64_t n = 1;
    for (int axis = 0; axis < kernel_.rank; ++axis) n *= access.strides[axis] ? kernel_.extents[axis] : 1;
    return n;
  };
  std::int64_t bytes = 0;
  for (std::size_t k = 0; k < reach_.size(); ++k)
    if (reach_[k].contiguous && !is_counted(k)) bytes += elements_of(kernel_.accesses[k]) * reach_[k].item;
  r.stream = streams_ = bytes > last_level_cache();
}

void BlockRunner::run_machine(const Machine& machine, std::span<void*> table, std::size_t n) {
  const bool stores_last = streaming_ && (streaming_ == machine.streaming.get() || (&machine == together_.machine && together_.is_aligned));
  const Streaming* const streaming = stores_last ? machine.streaming.get() : nullptr;
  if (streaming) {
    const auto target = reinterpret_cast<std::uintptr_t>(table[machine.outs[0].value]);
    const std::size_t item = machine.outs[0].item, line = kLine / item, beyond = target % kLine;
    // Rows of an inside begin and end where they like. A line of which only a part goes past the caches costs more than it saves: the
    // parts of lines at both ends are stored as ever, by vectors, of which some elements are done twice.
    if (walks_rows_ && kernel_.isolated && (beyond || n % line) && beyond % item == 0 && line % machine.lanes == 0 && n >= 8 * line) {
      if (const MachineFunction function = streaming->function()) {
        std::size_t head = beyond ? (kLine - beyond) / item : 0;
        if (head && head < machine.lanes) head += line;
        std::size_t body = (n - head) / line * line, tail = n - head - body;
        if (tail && tail < machine.lanes) body -= line, tail += line;
        const auto moved = [&](std::size_t first, auto run) {
          move_on(machine, table.data(), static_cast<std::ptrdiff_t>(first));
          run();
          move_on(machine, table.data(), -static_cast<std::ptrdiff_t>(first));
        };
        if (head) interp::run_machine(machine, table.data(), head, true);
        moved(head, [&] { function(table.data(), body); });
        if (tail) moved(head + body, [&] { interp::run_machine(machine, table.data(), tail, true); });
        return;
      }
    }
    const std::size_t whole = n - n % machine.lanes;
    const MachineFunction function = whole && target % streaming->alignment == 0 ? streaming->function() : nullptr;
    if (function) {
      function(table.data(), whole);
      if (whole < n) run_end(machine, table.data(), n, kernel_.isolated);
      return;
    }
  }
  interp::run_machine(machine, table.data(), n, kernel_.isolated);
}

void BlockRunner::widen_stores() noexcept {
  if (!machine_ || !ahead_.empty() || (streams_ && !streaming_)) return;
  const auto lies = [&](std::uint32_t access) {
    const Reach& r = reach_[access];
    return (r.flat || ((r.cell || r.steps) && kernel_.rank == 1)) && !r.detour;
  };
  for (const Step& step : code_.steps)
    if (step.kind != Step::Kind::Machine && (step.kind != Step::Kind::Load || !lies(step.access))) return;
  for (const StoreSlot& slot : code_.stores)
    if (!slot.direct || !lies(slot.access)) return;
  if (code_.stores.size() == machine_->outs.size()) most_ = kMostBlock;
}

void BlockRunner::finish() const noexcept {
  if (streams_) end_stream();
}

std::size_t BlockRunner::table_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept {
  std::size_t bytes = (std::max<std::size_t>(code.offsets.size(), 1)) * sizeof(void*) +
                      std::max<std::size_t>(kernel.accesses.size(), 1) * (sizeof(Reach) + sizeof(Ahead) + sizeof(char*)) +
                      6 * alignof(std::max_align_t);
  if (code.machines.size() == 1 && kernel.rank > 1)
    bytes += code.offsets.size() * sizeof(std::ptrdiff_t) + 2 * alignof(std::max_align_t) +
             kMostRows * (code.offsets.size() * (sizeof(void*) + sizeof(std::ptrdiff_t)) +
                          (code.machines[0].ins.size() + code.stores.size()) * sizeof(Together::At));
  const Panels panels = find_panels(code, kernel);
  if (panels.n) bytes += panels.n * sizeof(Panel) + alignof(Panel);
  for (std::size_t i = 0; i < panels.n; ++i) bytes += panel_bytes(kernel, panels.access[i]) + kLine;
  return bytes;
}

/// Finds the accesses worth fetching ahead: those that meet every line of a stretch of memory, where the whole does not stay
/// in the cache.
void BlockRunner::plan_ahead(std::pmr::memory_resource* memory) {
  ahead_ = allocate<Ahead>(memory, reach_.size());
  std::int64_t bytes = 0;
  std::size_t n = 0;
  for (std::size_t k = 0; k < reach_.size(); ++k) {
    const std::int64_t stride = kernel_.rank ? std::abs(kernel_.accesses[k].strides[kernel_.rank - 1]) : 0;
    if (stride == 0 || stride > std::int64_t{kLine} || reach_[k].detour || (!reach_[k].flat && inner_ < kLongRow)) continue;
    ahead_[n++].access = static_cast<std::uint32_t>(k);
    bytes += kernel_.total * stride;
  }
  std::size_t calls = 0;
  for (const Step& step : code_.steps) calls += step.kind == Step::Kind::Call;
  if (bytes <= kFetchAhead || calls < 2) n = 0;
  ahead_ = ahead_.first(n);
  calls_ = calls;
}

/// The next block's lines, to be fetched in equal shares before each of this block's calls. Between a block's first touch of
/// its operands and the next block's the memory would stand idle, and calls that all hit the first-level cache would wait
/// for nothing: interleaving the two took the seed expression at 10^6 items from 2.3 to 1.1 ns an item.
void BlockRunner::look_ahead(std::int64_t next) noexcept {
  const std::size_t n = next < kernel_.total ? block_at(next, kernel_.total) : 0;
  if (n) locate(next);
  for (Ahead& ahead : ahead_) {
    const plan::BoundAccess& access = kernel_.accesses[ahead.access];
    const Reach& r = reach_[ahead.access];
    const std::int64_t stride = access.strides[kernel_.rank - 1], last = stride * (static_cast<std::int64_t>(n) - 1);
    if (n) ahead.at = access.base + (r.flat ? next * r.item : offset_of(access)) + std::min<std::int64_t>(last, 0);
    ahead.lines = n ? (static_cast<std::size_t>(std::abs(last)) + r.item + kLine - 1) / kLine : 0;
    ahead.share = (ahead.lines + calls_ - 1) / calls_;
  }
}

void BlockRunner::fetch_share() noexcept {
  for (Ahead& ahead : ahead_) {
    const std::size_t share = std::min(ahead.share, ahead.lines);
    for (std::size_t i = 0; i < share; ++i) __builtin_prefetch(ahead.at + i * kLine, 0, 2);
    ahead.at += share * kLine;
    ahead.lines -= share;
  }
}

std::size_t BlockRunner::first_block(std::int64_t first) const noexcept {
  if (streams_ && reach_[code_.stores[0].access].flat) {
    const Reach& r = reach_[code_.stores[0].access];
    const std::size_t skew = reinterpret_cast<std::uintptr_t>(kernel_.accesses[code_.stores[0].access].base + first * r.item) % kLine;
    return kBlock - skew / r.item;
  }
  for (std::size_t k = 0; k < reach_.size(); ++k) {
    if (!reach_[k].flat) continue;
    const std::size_t skew = reinterpret_cast<std::uintptr_t>(kernel_.accesses[k].base + first * reach_[k].item) % kLine;
    return kBlock - (skew ? skew / reach_[k].item : 0);
  }
  return kBlock;
}

std::size_t BlockRunner::block_at(std::int64_t first, std::int64_t end) const noexcept {
  std::int64_t n = std::min<std::int64_t>(static_cast<std::int64_t>(most_), end - first);
  if (most_ == kBlock && kernel_.rank > 1 && inner_ >= kLongRow) n = std::min(n, inner_ - first % inner_);
  return static_cast<std::size_t>(n);
}

void BlockRunner::locate(std::int64_t first) noexcept {
  first_ = first;
  for (int axis = kernel_.rank - 1; axis > 0; --axis) {
    const std::int64_t outer = first / kernel_.extents[axis];
    at_[axis] = first - outer * kernel_.extents[axis];
    first = outer;
  }
  at_[0] = first;
}

std::int64_t BlockRunner::offset_of(const plan::BoundAccess& access) const noexcept {
  std::int64_t offset = 0;
  for (int axis = 0; axis < kernel_.rank; ++axis) offset += at_[axis] * access.strides[axis];
  return offset;
}

/// Calls visit(offset, done, n) for each run of elements that lie on one row, in order.
template <class Visit>
void BlockRunner::rows(const plan::BoundAccess& access, std::size_t n, Visit visit) const {
  const int last = kernel_.rank - 1;
  std::int64_t at[kMaxRank];
  std::copy(at_, at_ + kernel_.rank, at);
  std::int64_t offset = offset_of(access);
  std::size_t done = 0;
  while (true) {
    const auto run = std::min<std::size_t>(n - done, static_cast<std::size_t>(inner_ - at[last]));
    visit(offset, done, run);
    done += run;
    if (done == n) return;
    offset -= at[last] * access.strides[last];
    at[last] = 0;
    for (int axis = last - 1; axis >= 0; --axis) {
      offset += access.strides[axis];
      if (++at[axis] < kernel_.extents[axis]) break;
      offset -= at[axis] * access.strides[axis];
      at[axis] = 0;
    }
  }
}

/// The same where rows are short: whole(offset, done, n_rows) for as many whole rows as follow each other on the axis outside,
/// part(offset, done, n) for the pieces at the ends. The rank is at least 2.
template <class Whole, class Part>
void BlockRunner::short_rows(const plan::BoundAccess& access, std::size_t n, Whole whole, Part part) const {
  const int last = kernel_.rank - 1, outer = last - 1;
  std::int64_t at[kMaxRank];
  std::copy(at_, at_ + kernel_.rank, at);
  std::int64_t offset = offset_of(access);
  const auto left = [&](std::size_t done) { return static_cast<std::int64_t>(n - done); };
  for (std::size_t done = 0; done < n;) {
    if (at[last] == 0 && left(done) >= inner_) {
      const std::int64_t count = std::min(left(done) / inner_, kernel_.extents[outer] - at[outer]);
      whole(offset, done, static_cast<std::size_t>(count));
      done += static_cast<std::size_t>(count * inner_);
      at[outer] += count;
      offset += count * access.strides[outer];
    } else {
      const std::int64_t count = std::min(left(done), inner_ - at[last]);
      part(offset, done, static_cast<std::size_t>(count));
      done += static_cast<std::size_t>(count);
      offset += access.strides[outer] - at[last] * access.strides[last];
      at[last] = 0;
      ++at[outer];
    }
    for (int axis = outer; axis > 0 && at[axis] == kernel_.extents[axis]; --axis) {
      offset += access.strides[axis - 1] - at[axis] * access.strides[axis];
      at[axis] = 0;
      ++at[axis - 1];
    }
  }
}

void BlockRunner::gather(void* out, const plan::BoundAccess& access, const Reach& reach, std::size_t n) const {
  if (kernel_.rank == 0) return pack(out, access.base, 0, 1, reach.item, reach.swap);
  const std::int64_t stride = access.strides[kernel_.rank - 1];
  const auto part = [&](std::int64_t offset, std::size_t done, std::size_t run) {
    pack(static_cast<char*>(out) + done * reach.item, access.base + offset, stride, run, reach.item, reach.swap);
  };
  if (kernel_.rank == 1 || inner_ >= kLongRow || reach.swap) return rows(access, n, part);
  const auto whole = [&](std::int64_t offset, std::size_t done, std::size_t n_rows) {
    pack_rows(static_cast<char*>(out) + done * reach.item, access.base + offset, access.strides[kernel_.rank - 2], n_rows, stride,
              static_cast<std::size_t>(inner_), reach.item);
  };
  short_rows(access, n, whole, part);
}

void BlockRunner::scatter(const plan::BoundAccess& access, const Reach& reach, const void* in, std::size_t n) const {
  if (kernel_.rank == 0) return unpack(access.base, 0, in, 1, reach.item, reach.swap);
  const std::int64_t stride = access.strides[kernel_.rank - 1];
  const auto part = [&](std::int64_t offset, std::size_t done, std::size_t run) {
    unpack(access.base + offset, stride, static_cast<const char*>(in) + done * reach.item, run, reach.item, reach.swap);
  };
  if (kernel_.rank == 1 || inner_ >= kLongRow || reach.swap) return rows(access, n, part);
  const auto whole = [&](std::int64_t offset, std::size_t done, std::size_t n_rows) {
    unpack_rows(access.base + offset, access.strides[kernel_.rank - 2], n_rows, stride, static_cast<const char*>(in) + done * reach.item,
                static_cast<std::size_t>(inner_), reach.item);
  };
  short_rows(access, n, whole, part);
}

void BlockRunner::positions(std::int64_t* out, const plan::BoundAccess& access, std::size_t n) const {
  const auto base = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(access.base));
  if (kernel_.rank == 0) {
    *out = base;
    return;
  }
  const std::int64_t stride = access.strides[kernel_.rank - 1];
  rows(access, n, [&](std::int64_t offset, std::size_t done, std::size_t run) { iota(out + done, base + offset, stride, run); });
}

void* BlockRunner::reach(const Step& step, std::size_t n) {
  const plan::BoundAccess& access = kernel_.accesses[step.access];
  const Reach& r = reach_[step.access];
  const bool one_row = kernel_.rank == 0 || static_cast<std::int64_t>(n) <= inner_ - at_[kernel_.rank - 1];
  if (r.flat) return access.base + first_ * r.item;
  if ((r.contiguous && one_row) || r.cell || r.steps) return access.base + offset_of(access);
  if (r.panel) return from_panel(step, r, n);
  void* out = scratch_ + code_.offsets[step.out];
  gather(out, access, r, n);
  return out;
}

/// A load or a position.
void BlockRunner::read(const Step& step, std::size_t n) {
  if (step.kind == Step::Kind::Load)
    table_[step.out] = reach(step, n);
  else
    positions(static_cast<std::int64_t*>(table_[step.out]), kernel_.accesses[step.access], n);
}

std::size_t BlockRunner::run_groups(std::int64_t first, std::size_t most, void* accumulators) {
  locate(first);
  const auto lies = [&](const Step& step) {
    if (step.kind != Step::Kind::Load) return step.kind == Step::Kind::Machine;
    const Reach& r = reach_[step.access];
    return r.flat || r.contiguous || r.cell || r.steps;
  };
  const bool one_row = static_cast<std::int64_t>(most * kBlock) <= inner_ - at_[kernel_.rank - 1];
  const std::size_t n = most > 1 && one_row && std::ranges::all_of(code_.steps, lies) ? most : 1;
  for (const Step& step : code_.steps)
    if (step.kind != Step::Kind::Machine) read(step, n * kBlock);
  machine_->groups(table_.data(), accumulators, n);
  return n;
}

void BlockRunner::run(std::int64_t first, std::size_t n, bool store) {
  if (!ahead_.empty()) look_ahead(first + static_cast<std::int64_t>(n));
  locate(first);
  const bool one_row = kernel_.rank == 0 || static_cast<std::int64_t>(n) <= inner_ - at_[kernel_.rank - 1];
  if (store) {
    for (const StoreSlot& slot : code_.stores) {
      if (!slot.direct) continue;
      const plan::BoundAccess& access = kernel_.accesses[slot.access];
      const Reach& r = reach_[slot.access];
      if (r.detour || (r.stream && !streaming_))
        table_[slot.value] = scratch_ + code_.offsets[slot.value];
      else if (r.flat)
        table_[slot.value] = access.base + first_ * r.item;
      else if (r.contiguous && one_row)
        table_[slot.value] = access.base + offset_of(access);
      else
        table_[slot.value] = scratch_ + code_.offsets[slot.value];
    }
  }
  for (const Step& step : code_.steps) {
    switch (step.kind) {
      case Step::Kind::Call: {
        if (!ahead_.empty()) fetch_share();
        const void* in[3] = {table_[step.in[0]], table_[step.in[1]], table_[step.in[2]]};
        step.kernel(table_[step.out], in, n);
        break;
      }
      case Step::Kind::Load:
      case Step::Kind::Position:
        read(step, n);
        break;
      case Step::Kind::Machine:
        run_machine(machine_ ? *machine_ : code_.machines[step.access], table_, n);
        break;
    }
  }
  if (!store) return;
  for (const StoreSlot& slot : code_.stores) {
    const Reach& r = reach_[slot.access];
    if (r.detour) {
      for (const plan::Detour& detour : kernel_.detours)
        if (detour.access == slot.access) std::memcpy(detour.target.base + first_ * r.item, table_[slot.value], n * r.item);
    } else if (r.stream && !streaming_ && (r.flat || one_row)) {
      const plan::BoundAccess& access = kernel_.accesses[slot.access];
      stream(access.base + (r.flat ? first_ * r.item : offset_of(access)), table_[slot.value], n * r.item);
    } else if (!slot.direct || table_[slot.value] == scratch_ + code_.offsets[slot.value]) {
      scatter(kernel_.accesses[slot.access], r, table_[slot.value], n);
    }
  }
}

bool run_block(const Code& code, const plan::BoundKernel& kernel) {
  const auto n = static_cast<std::size_t>(kernel.total);
  if (kernel.rank != 1 || n > kBlock || !kernel.detours.empty()) return false;
  for (const plan::BoundAccess& access : kernel.accesses) {
    const std::size_t item = item_size(access.dtype);
    if (access.swapped || (access.strides[0] != static_cast<std::int64_t>(item) && access.strides[0] != 0)) return false;
    if (reinterpret_cast<std::uintptr_t>(access.base) % number_size(access.dtype)) return false;
  }
  for (const Step& step : code.steps)
    if (step.kind == Step::Kind::Position || (step.kind == Step::Kind::Load && kernel.accesses[step.access].strides[0] == 0)) return false;
  if (n == 0) return true;

  const std::size_t n_values = code.offsets.size();
  char* const scratch = Scratch::of_thread().get(code.scratch_bytes + n_values * sizeof(void*));
  void** const table = reinterpret_cast<void**>(scratch + code.scratch_bytes);
  for (std::size_t v = 0; v < n_values; ++v) table[v] = scratch + code.offsets[v];
  for (const Code::Constant& constant : code.constants) std::memcpy(table[constant.value], constant.bits.bytes.data(), 16);
  for (const Step& step : code.uniform_loads) {
    const plan::BoundAccess& access = kernel.accesses[step.access];
    std::memcpy(table[step.out], access.base, item_size(access.dtype));
  }
  const auto call = [&](const Step& step, std::size_t count) {
    const void* in[3] = {table[step.in[0]], table[step.in[1]], table[step.in[2]]};
    step.kernel(table[step.out], in, count);
  };
  for (const Step& step : code.once) call(step, 1);
  for (const Splat& s : code.splats) splat(table[s.out], table[s.in], n, s.item);
  for (const StoreSlot& slot : code.stores)
    if (slot.direct) table[slot.value] = kernel.accesses[slot.access].base;
  for (const Step& step : code.steps) {
    if (step.kind == Step::Kind::Load)
      table[step.out] = kernel.accesses[step.access].base;
    else if (step.kind == Step::Kind::Machine)
      run_machine(code.machines[step.access], table, n, kernel.isolated);
    else
      call(step, n);
  }
  for (const StoreSlot& slot : code.stores) {
    const plan::BoundAccess& access = kernel.accesses[slot.access];
    if (!slot.direct) std::memcpy(access.base, table[slot.value], n * item_size(access.dtype));
  }
  return true;
}

void store_range(const Code& code, const plan::BoundKernel& kernel, std::int64_t first, std::int64_t end, Watch& watch, Stores stores) {
  char* scratch = Scratch::of_thread().get(working_bytes(code, kernel));
  std::pmr::monotonic_buffer_resource memory(scratch + code.scratch_bytes, BlockRunner::table_bytes(code, kernel));
  BlockRunner runner(code, kernel, scratch, &memory);
  if (stores == Stores::Near) runner.keep_near();
  if (runner.walks_rows()) {
    runner.run_rows(first, end, watch);
    return runner.finish();
  }
  runner.widen_stores();
  std::int64_t told = first;
  for (unsigned looks = 0; first < end; ++looks) {
    if (looks % kBlocksPerLook == 0 || runner.most() > kBlock) watch.poll(first - std::exchange(told, first));
    std::size_t n = runner.block_at(first, end);
    if (looks == 0 && n == runner.most()) n -= kBlock - runner.first_block(first);
    runner.run(first, n, true);
    first += static_cast<std::int64_t>(n);
  }
  watch.advance(end - told);
  runner.finish();
}

void visit_range(const Code& code, const plan::BoundKernel& kernel, std::int64_t first, std::int64_t end, Watch& watch, const Sink& sink) {
  char* scratch = Scratch::of_thread().get(working_bytes(code, kernel));
  std::pmr::monotonic_buffer_resource memory(scratch + code.scratch_bytes, BlockRunner::table_bytes(code, kernel));
  BlockRunner runner(code, kernel, scratch, &memory);
  std::int64_t told = first;
  for (unsigned looks = 0; first < end; ++looks) {
    if (looks % kBlocksPerLook == 0) watch.poll(first - std::exchange(told, first));
    const std::size_t n = runner.block_at(first, end);
    runner.run(first, n, false);
    sink(runner.store_value(), first, static_cast<std::int64_t>(n));
    first += static_cast<std::int64_t>(n);
  }
  watch.advance(end - told);
}

std::size_t working_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept {
  const std::size_t bytes = code.scratch_bytes + BlockRunner::table_bytes(code, kernel);
  return kernel.kernel->n_folds ? bytes + fold_bytes(code, kernel) : bytes;
}

void run_stores(const Code& code, const plan::BoundKernel& kernel, const Team& team) {
  if (kernel.total == 0) return;
  if (team.threads < 2 || kernel.ordered) {
    store_range(code, kernel, 0, kernel.total, *team.watch);
  } else {
    const Scratch* const callers = &Scratch::of_thread();  // which is kept until the last kernel has run
    const auto work = [&](std::int64_t first, std::int64_t end) {
      store_range(code, kernel, first, end, *team.watch);
      if (Scratch& mine = Scratch::of_thread(); &mine != callers) mine.trim();
    };
    in_chunks(team.threads, kernel.total, work, BlockRunner::unit_of(code, kernel, team.threads));
  }
  if (kernel.detours.empty()) return;
  // Now everything has been read: bring the finished values home, in iteration order.
  for (const plan::Detour& detour : kernel.detours) {
    const plan::BoundAccess& to = kernel.accesses[detour.access];
    const std::size_t item = item_size(to.dtype);
    const std::size_t number = number_size(to.dtype);
    const std::size_t swap = to.swapped && number > 1 ? number : 0;
    const std::int64_t inner = kernel.rank ? kernel.extents[kernel.rank - 1] : 1;
    const std::int64_t stride = kernel.rank ? to.strides[kernel.rank - 1] : 0;
    for (std::int64_t first = 0; first < kernel.total; first += inner) {
      std::int64_t rest = inner ? first / inner : 0, offset = 0;
      for (int axis = kernel.rank - 2; axis >= 0; --axis) {
        offset += rest % kernel.extents[axis] * to.strides[axis];
        rest /= kernel.extents[axis];
      }
      unpack(to.base + offset, stride, detour.target.base + first * static_cast<std::int64_t>(item), static_cast<std::size_t>(inner), item,
             swap);
    }
  }
}

}  // namespace engine::run::interp
