#include "tests/emulator/exec/access.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace standin {
namespace {

using ptx::Space;

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string words(std::uint32_t n, Use use) {
  return std::string(use == Use::Read ? "reads " : use == Use::Write ? "writes " : "updates ") + std::to_string(n) + " bytes at ";
}

/// The space a generic address lies in, and the address in it.
Space settle(const Warp& warp, Space space, std::uint64_t& address) {
  if (space != Space::Generic) return space;
  const Memory& memory = warp.launch->memory;
  const std::pair<std::uint64_t, Space> kWindows[] = {
      {memory.shared_window(), Space::Shared}, {memory.local_window(), Space::Local}, {memory.parameter_window(), Space::Param}};
  for (const auto& [window, of] : kWindows) {
    if (address - window >= Memory::kWindow) continue;
    address -= window;
    return of;
  }
  return Space::Global;
}

[[noreturn]] void fail_outside(Warp& warp, int lane, std::uint64_t address, std::uint32_t n, Use use, const Allocation* near) {
  std::string where = words(n, use) + hex(address);
  if (!near) warp.fail(Defect::OutOfBounds, lane, where + ", below every allocation");
  where += ", " + std::to_string(address - near->address) + " bytes into an allocation of " + std::to_string(near->size);
  if (near->state == State::Freed && address - near->address < near->size) warp.fail(Defect::UseAfterFree, lane, where + " that was freed");
  if (near->state == State::Pending) warp.fail(Defect::UseAfterFree, lane, where + " whose stream has not allocated it so far");
  warp.fail(Defect::OutOfBounds, lane, where);
}

Allocation& allocation_of(Warp& warp, const Instruction& in, int lane, std::uint64_t address, std::uint64_t n, Use use) {
  Launch& launch = *warp.launch;
  Allocation*& hint = launch.hints[static_cast<std::size_t>(&in - launch.program.code.data())];
  if (hint && hint->holds(address, n)) return *hint;
  Allocation* found = launch.memory.find(address);
  if (!found || found->state != State::Live || !found->holds(address, n))
    fail_outside(warp, lane, address, static_cast<std::uint32_t>(n), use, found);
  if (!(launch.visible_devices >> found->device & 1))
    warp.fail(Defect::OutOfBounds, lane,
              words(static_cast<std::uint32_t>(n), use) + hex(address) + ", memory of device " + std::to_string(found->device));
  if (found->read_only && use != Use::Read)
    warp.fail(Defect::ReadOnly, lane, words(static_cast<std::uint32_t>(n), use) + hex(address) + ", constant memory");
  hint = found;
  return *found;
}

/// Of shared memory only what its own block did counts.
Access access_of(const Warp& warp, const Instruction& in, int lane, Space space) {
  const Launch& launch = *warp.launch;
  return {.thread = warp.first_thread + static_cast<std::uint32_t>(lane),
          .time = launch.clock.now(),
          .launch = space == Space::Shared ? warp.block->start_time : launch.clock.launch(),
          .warp_first = warp.first_thread,
          .block_first = warp.block->first_thread,
          .block_threads = launch.block_threads,
          .strong = in.strong,
          .block_scope = in.block_scope,
          .non_coherent = in.non_coherent};
}

std::string other_thread(const Warp& warp, std::uint32_t thread) {
  const std::uint32_t n = warp.launch->block_threads;
  return "thread " + std::to_string(thread % n) + " of block " + std::to_string(thread / n);
}

}  // namespace

Place locate(Warp& warp, const Instruction& in, int lane, std::uint64_t address, std::uint32_t n, Use use) {
  const Space space = settle(warp, in.space, address);
  if (address % n) warp.fail(Defect::Misaligned, lane, words(n, use) + hex(address) + ", which is not a multiple of " + std::to_string(n));
  const auto check = [&](std::uint64_t size, const char* what) {
    if (n > size || address > size - n)
      warp.fail(Defect::OutOfBounds, lane, words(n, use) + hex(address) + " of " + std::to_string(size) + " bytes of " + what);
  };
  switch (space) {
    case Space::Shared:
      check(warp.block->shared.size(), "shared memory");
      return {warp.block->shared.data() + address, &warp.block->shared_shadow, address, space};
    case Space::Local:
      check(warp.launch->program.local_bytes, "local memory");
      return {warp.local.data() + static_cast<std::uint64_t>(lane) * warp.launch->program.local_bytes + address, nullptr, 0, space};
    case Space::Param:
      if (use != Use::Read) warp.fail(Defect::ReadOnly, lane, words(n, use) + "a parameter");
      check(warp.launch->parameters.size(), "parameters");
      return {warp.launch->parameters.data() + address, nullptr, 0, space};
    default: {
      Allocation& found = allocation_of(warp, in, lane, address, n, use);
      return {found.at(address), &found.shadow, address - found.address, Space::Global};
    }
  }
}

void touch(Warp& warp, const Instruction& in, int lane, const Place& place, std::uint64_t address, std::uint32_t n, Use use) {
  if (!place.shadow) return;
  const char* memory = place.space == Space::Shared ? "shared" : "global";
  if (use != Use::Write)
    if (const std::uint64_t first = place.shadow->first_uninitialised(place.at, n); first != place.at + n)
      warp.fail(Defect::Uninitialised, lane, words(n, use) + hex(address) + " of " + memory + " memory, which nobody has written");
  const Access access = access_of(warp, in, lane, place.space);
  const LaneOrder order(warp, lane);
  const Verdict verdict =
      use == Use::Read ? place.shadow->read(place.at, n, access, order) : place.shadow->write(place.at, n, access, order);
  if (verdict.conflict == Conflict::NonCoherent)
    warp.fail(Defect::NonCoherentLoad, lane,
              words(n, use) + hex(address) +
                  (in.non_coherent ? " by .nc, which " + other_thread(warp, verdict.other) + " wrote in this launch"
                                   : ", which " + other_thread(warp, verdict.other) + " read by .nc in this launch"));
  if (verdict.conflict == Conflict::Race)
    warp.fail(place.space == Space::Shared ? Defect::SharedRace : Defect::GlobalRace, lane,
              words(n, use) + hex(address) + ", which " + other_thread(warp, verdict.other) + (verdict.other_writes ? " wrote" : " read") +
                  " with nothing to order the two");
  if (use != Use::Read) {
    place.shadow->set_initialised(place.at, n);
    warp.launch->writes += use == Use::Write;  // an update counts where it changes the value
  }
}

void addresses(Warp& warp, const Instruction& in, std::uint32_t n, Addresses32& found) {
  const std::uint64_t* base = lanes<std::uint64_t>(warp, in.reg[0]);
  const auto offset = static_cast<std::uint64_t>(in.offset);
  std::uint64_t differs = 0;
  const std::uint64_t first = base[0] + offset;
  for (std::uint32_t i = 0; i < 32; ++i) {
    found.of[i] = base[i] + offset;
    differs |= found.of[i] ^ (first + std::uint64_t{n} * i);
  }
  found.is_row = differs == 0 && warp.mask == kAllLanes;
}

std::byte* locate_row(Warp& warp, const Instruction& in, std::uint64_t first, std::uint32_t n, Use use) {
  if (in.strong || first % n) return nullptr;
  const Space space = settle(warp, in.space, first);
  std::byte* bytes;
  Shadow* shadow;
  std::uint64_t at;
  if (space == Space::Global || space == Space::Const) {
    Allocation*& hint = warp.launch->hints[static_cast<std::size_t>(&in - warp.launch->program.code.data())];
    const std::uint64_t all = std::uint64_t{32} * n;
    if (!hint || !hint->holds(first, all)) {
      Allocation& found = allocation_of(warp, in, 0, first, n, use);
      if (!found.holds(first, all)) return nullptr;
    }
    bytes = hint->at(first);
    shadow = &hint->shadow;
    at = first - hint->address;
  } else if (space == Space::Shared) {
    const std::uint64_t size = warp.block->shared.size();
    if (std::uint64_t{32} * n > size || first > size - std::uint64_t{32} * n) return nullptr;
    bytes = warp.block->shared.data() + first;
    shadow = &warp.block->shared_shadow;
    at = first;
  } else {
    return nullptr;
  }
  if (use == Use::Read && !shadow->is_initialised(at, std::uint64_t{32} * n)) return nullptr;
  const Access access = access_of(warp, in, 0, space);
  if (use == Use::Read) return shadow->read_row(at, n, access) ? bytes : nullptr;
  if (!shadow->write_row(at, n, access)) return nullptr;
  shadow->set_initialised(at, std::uint64_t{32} * n);
  ++warp.launch->writes;
  return bytes;
}

void count_row(Warp& warp, Space space, std::uint64_t first, std::uint32_t n) {
  const Space settled = settle(warp, space, first);
  StandinCounters& counters = warp.launch->counters;
  const std::uint64_t bytes = std::uint64_t{32} * n;
  if (settled == Space::Shared) {
    ++counters.shared_requests;
    counters.shared_cycles += std::max<std::uint64_t>(1, bytes / 128);
  } else {
    ++counters.global_requests;
    counters.global_bytes += bytes;
    counters.global_sectors += (first + bytes - 1) / 32 - first / 32 + 1;
    counters.global_ideal_sectors += (bytes + 31) / 32;
  }
}

namespace {

/// Distinct 4-byte words of each bank, the most of any: the passes that one group of lanes takes.
std::uint64_t bank_cycles(const std::uint64_t* address, std::uint32_t n, std::uint32_t group) {
  std::uint64_t words[32 * 4];
  std::size_t n_words = 0;
  for (std::uint32_t rest = group; rest; rest &= rest - 1) {
    const std::uint64_t first = address[std::countr_zero(rest)] / 4;
    for (std::uint64_t word = first; word <= (address[std::countr_zero(rest)] + n - 1) / 4 && n_words < std::size(words); ++word)
      words[n_words++] = word;
  }
  std::sort(words, words + n_words);
  const auto end = std::unique(words, words + n_words);
  std::uint64_t of_bank[32] = {};
  for (const std::uint64_t* word = words; word != end; ++word) ++of_bank[*word % 32];
  return *std::max_element(of_bank, of_bank + 32);
}

}  // namespace

void count_request(Warp& warp, Space space, const std::uint64_t* address, std::uint32_t n) {
  std::uint64_t settled[32];
  std::uint32_t shared = 0, global = 0;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    settled[i] = address[i];
    const Space of = settle(warp, space, settled[i]);
    if (of == Space::Shared)
      shared |= 1u << i;
    else if (of == Space::Global || of == Space::Const)
      global |= 1u << i;
  }
  StandinCounters& counters = warp.launch->counters;
  if (shared) {
    ++counters.shared_requests;
    // 8 bytes a lane go by half warps, 16 by quarters.
    const std::uint32_t step = n <= 4 ? 32 : n == 8 ? 16 : 8;
    for (std::uint32_t first = 0; first < 32; first += step) {
      const std::uint32_t group = shared & (step == 32 ? kAllLanes : ((1u << step) - 1) << first);
      if (group) counters.shared_cycles += bank_cycles(settled, n, group);
    }
  }
  if (!global) return;
  ++counters.global_requests;
  std::uint64_t first[32];
  std::size_t lanes = 0;
  for (std::uint32_t rest = global; rest; rest &= rest - 1) first[lanes++] = settled[std::countr_zero(rest)];
  counters.global_bytes += lanes * n;
  std::sort(first, first + lanes);
  std::uint64_t sectors = 0, distinct = 0, end = 0, last_sector = ~std::uint64_t{0};
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::uint64_t stop = first[i] + n;
    if (stop > end) distinct += stop - std::max(end, first[i]);
    end = std::max(end, stop);
    for (std::uint64_t sector = first[i] / 32; sector <= (stop - 1) / 32; ++sector) {
      if (last_sector != ~std::uint64_t{0} && sector <= last_sector) continue;
      ++sectors;
      last_sector = sector;
    }
  }
  counters.global_sectors += sectors;
  counters.global_ideal_sectors += (distinct + 31) / 32;
}

}  // namespace standin
