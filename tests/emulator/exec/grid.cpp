// exec/grid.cpp - blocks and their turns, barriers, and the end of a launch that does not end by itself.
#include <algorithm>
#include <bit>
#include <random>

#include "tests/emulator/exec/warp.hpp"

namespace standin {
namespace {

constexpr std::uint64_t kQuantum = 4096;  // instructions a warp runs before others get a turn, in order

/// The value of a special register for one lane.
std::uint64_t value_of(Special special, const Warp& warp, std::uint32_t lane) {
  const Launch& launch = *warp.launch;
  const std::uint32_t thread = warp.index * 32 + lane;
  switch (special) {
    case Special::TidX: return thread % launch.block.x;
    case Special::TidY: return thread / launch.block.x % launch.block.y;
    case Special::TidZ: return thread / (launch.block.x * launch.block.y);
    case Special::NtidX: return launch.block.x;
    case Special::NtidY: return launch.block.y;
    case Special::NtidZ: return launch.block.z;
    case Special::CtaidX: return warp.block->position.x;
    case Special::CtaidY: return warp.block->position.y;
    case Special::CtaidZ: return warp.block->position.z;
    case Special::NctaidX: return launch.grid.x;
    case Special::NctaidY: return launch.grid.y;
    case Special::NctaidZ: return launch.grid.z;
    case Special::Laneid: return lane;
    case Special::Warpid: return warp.index;
    case Special::Nwarpid: return launch.n_warps;
    case Special::Smid: return warp.block->index % static_cast<std::uint64_t>(launch.n_multiprocessors);
    case Special::Nsmid: return static_cast<std::uint64_t>(launch.n_multiprocessors);
    case Special::Gridid: return launch.id;
    case Special::LanemaskEq: return std::uint32_t{1} << lane;
    case Special::LanemaskLt: return (std::uint32_t{1} << lane) - 1;
    case Special::LanemaskLe: return (std::uint64_t{2} << lane) - 1;
    case Special::LanemaskGe: return ~((std::uint32_t{1} << lane) - 1) & kAllLanes;
    case Special::LanemaskGt: return ~((std::uint64_t{2} << lane) - 1) & kAllLanes;
    case Special::DynamicShared: return launch.dynamic_shared;
    case Special::TotalShared: return launch.program.shared_bytes + launch.dynamic_shared;
    default: return 0;
  }
}

template <class T>
void fill(Warp& warp, const SpecialSlot& slot) {
  for (std::uint32_t lane = 0; lane < 32; ++lane) lanes<T>(warp, slot.slot)[lane] = static_cast<T>(value_of(slot.special, warp, lane));
}

void fill_specials(Warp& warp) {
  for (const SpecialSlot& slot : warp.launch->program.specials) {
    if (slot.bytes == 2) fill<std::uint16_t>(warp, slot);
    else if (slot.bytes == 4) fill<std::uint32_t>(warp, slot);
    else fill<std::uint64_t>(warp, slot);
  }
}

void fill_constants(Warp& warp) {
  for (const Constant& constant : warp.launch->program.constants) {
    switch (constant.bytes) {
      case 0: predicate(warp, constant.slot) = static_cast<std::uint32_t>(constant.bits); break;
      case 1: std::fill_n(lanes<std::uint8_t>(warp, constant.slot), 32, static_cast<std::uint8_t>(constant.bits)); break;
      case 2: std::fill_n(lanes<std::uint16_t>(warp, constant.slot), 32, static_cast<std::uint16_t>(constant.bits)); break;
      case 4: std::fill_n(lanes<std::uint32_t>(warp, constant.slot), 32, static_cast<std::uint32_t>(constant.bits)); break;
      default: std::fill_n(lanes<std::uint64_t>(warp, constant.slot), 32, constant.bits);
    }
  }
}

std::byte* aligned(std::byte* bytes) { return reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(bytes) + 63) / 64 * 64); }

}  // namespace

Block::Block(Launch& launch)
    : launch(launch), warps(launch.n_warps), shared(launch.program.dynamic_shared_at + launch.dynamic_shared), shared_shadow(shared.size()) {
  for (std::uint32_t i = 0; i < launch.n_warps; ++i) {
    Warp& warp = warps[i];
    warp.index = i;
    warp.block = this;
    warp.launch = &launch;
    warp.frame_bytes.reset(new std::byte[launch.program.frame_bytes + 64]());
    warp.frame = aligned(warp.frame_bytes.get());
    warp.local.resize(launch.program.local_bytes * 32);
    fill_constants(warp);
  }
}

void Block::start(std::uint64_t where) {
  index = where;
  position = {static_cast<std::uint32_t>(where % launch.grid.x), static_cast<std::uint32_t>(where / launch.grid.x % launch.grid.y),
              static_cast<std::uint32_t>(where / launch.grid.x / launch.grid.y)};
  first_thread = static_cast<std::uint32_t>(where * launch.block_threads);
  start_time = sync_time = launch.clock.advance();
  next_warp = 0;
  shared_shadow.set_uninitialised();
  for (Barrier& barrier : barriers) barrier = {};
  for (Warp& warp : warps) {
    const std::uint32_t n = std::min<std::uint32_t>(32, launch.block_threads - warp.index * 32);
    warp.live = n == 32 ? kAllLanes : (1u << n) - 1;
    warp.waiting = warp.at_barrier = warp.active = 0;
    warp.first_thread = first_thread + warp.index * 32;
    warp.sync_time = sync_time;
    std::fill(warp.pc, warp.pc + 32, launch.program.entry);
    fill_specials(warp);
  }
}

bool Block::is_finished() const {
  return std::all_of(warps.begin(), warps.end(), [](const Warp& warp) { return warp.live == 0; });
}

std::uint32_t Block::n_live() const {
  std::uint32_t n = 0;
  for (const Warp& warp : warps) n += static_cast<std::uint32_t>(std::popcount(warp.live));
  return n;
}

bool Block::step(std::uint32_t choice, std::uint64_t quantum) {
  for (std::uint32_t i = 0; i < warps.size(); ++i) {
    Warp& warp = warps[(choice + i) % warps.size()];
    if (!warp.is_runnable()) continue;
    const std::uint32_t before = warp.live & ~warp.at_barrier & ~warp.waiting;
    if (before == 0 && warp.at_barrier) continue;  // its free lanes wait for those at the barrier
    warp.run(quantum);
    return true;
  }
  return false;
}

/// The option of a barrier: 0 sync, 1 arrive, 2 red.popc, 3 red.and, 4 red.or; saturate means aligned: all of a warp, together.
void Block::arrive(Warp& warp, const Instruction& instruction) {
  const std::uint32_t* number = lanes<std::uint32_t>(warp, instruction.reg[1]);
  const std::uint32_t lane = static_cast<std::uint32_t>(std::countr_zero(warp.mask));
  if (instruction.saturate && warp.mask != warp.live)
    warp.fail(Defect::DivergentBarrier, static_cast<int>(lane), "only " + std::to_string(std::popcount(warp.mask)) + " of the " +
                                                                  std::to_string(std::popcount(warp.live)) + " threads of its warp reach the barrier together");
  if (number[lane] > 15) warp.fail(Defect::DivergentBarrier, static_cast<int>(lane), "there are 16 barriers, not " + std::to_string(number[lane]));
  Barrier& barrier = barriers[number[lane]];
  const std::uint32_t wanted = instruction.n_items == 2 ? lanes<std::uint32_t>(warp, instruction.reg[2])[lane] : launch.block_threads;
  if (wanted == 0 || (wanted % 32 && wanted != launch.block_threads)) warp.fail(Defect::DivergentBarrier, static_cast<int>(lane), "a barrier of " + std::to_string(wanted) + " threads");
  if (barrier.arrived && barrier.expected != wanted) warp.fail(Defect::DivergentBarrier, static_cast<int>(lane), "others wait at this barrier for another number of threads");
  barrier.expected = wanted;
  // A barrier counts warps: one that is not full counts as 32 threads where a number is given.
  const bool counts_warps = instruction.n_items == 2 && instruction.saturate && wanted % 32 == 0;
  barrier.arrived += counts_warps ? 32 : static_cast<std::uint32_t>(std::popcount(warp.mask));
  if (instruction.option >= 2) barrier.n_true += static_cast<std::uint32_t>(std::popcount(predicate(warp, instruction.reg[3]) & warp.mask));
  if (instruction.option != 1) {
    warp.at_barrier |= warp.mask;
    barrier.waiters.push_back({&warp, warp.mask, &instruction});
  }
  if (barrier.arrived > barrier.expected) warp.fail(Defect::DivergentBarrier, static_cast<int>(lane), "more threads come than the barrier is for");
  if (barrier.arrived == barrier.expected) release(barrier);
}

void Block::release(Barrier& barrier) {
  const std::uint32_t n_true = barrier.n_true;
  for (const Barrier::Waiter& waiter : barrier.waiters) {
    Warp& warp = *waiter.warp;
    warp.at_barrier &= ~waiter.lanes;
    const std::uint8_t option = waiter.at->option;
    if (option == 2) {
      for (int lane = 0; lane < 32; ++lane)
        if (waiter.lanes >> lane & 1) lanes<std::uint32_t>(warp, waiter.at->reg[0])[lane] = n_true;
    } else if (option >= 3) {
      const bool value = option == 3 ? n_true == barrier.expected : n_true != 0;
      std::uint32_t& to = predicate(warp, waiter.at->reg[0]);
      to = value ? to | waiter.lanes : to & ~waiter.lanes;
    }
  }
  // A barrier for a part of the block orders all of it for the race check: that may hide a race, never invent one.
  launch.clock.barrier(warps[0], first_thread, launch.block_threads);
  sync_time = launch.clock.now();
  barrier = {};
}

void Block::report_deadlock() const {
  for (const Barrier& barrier : barriers) {
    if (barrier.waiters.empty()) continue;
    const Barrier::Waiter& waiter = barrier.waiters.front();
    Warp& warp = *waiter.warp;
    warp.at = waiter.at;
    warp.fail(Defect::DivergentBarrier, std::countr_zero(waiter.lanes),
              std::to_string(barrier.arrived) + " of " + std::to_string(barrier.expected) + " threads wait at the barrier, " +
                  std::to_string(launch.block_threads - n_live()) + " have ended");
  }
  throw Finding{Defect::DivergentBarrier, "divergent-barrier in kernel '" + launch.program.name + "': no warp can run"};
}

void run_grid(Launch& launch, const Schedule& schedule, std::uint32_t max_resident) {
  const std::uint64_t n_blocks = launch.grid.count();
  const bool in_order = schedule.seed == 0;
  std::uint32_t wanted = in_order ? 1 : std::min(schedule.n_resident, max_resident);
  std::mt19937_64 random(schedule.seed);
  std::vector<std::unique_ptr<Block>> resident, idle;
  std::uint64_t started = 0, seen_writes = launch.writes, quiet_since = launch.counters.warp_instructions;
  std::size_t turn = 0;
  while (started < n_blocks || !resident.empty()) {
    while (resident.size() < wanted && started < n_blocks) {
      if (idle.empty()) idle.push_back(std::make_unique<Block>(launch));
      idle.back()->start(started++);
      resident.push_back(std::move(idle.back()));
      idle.pop_back();
    }
    if (resident.empty()) break;
    turn = in_order ? turn % resident.size() : random() % resident.size();
    Block& block = *resident[turn];
    const std::uint64_t quantum = in_order ? kQuantum : 1 + random() % 64;
    const std::uint32_t choice = in_order ? block.next_warp : static_cast<std::uint32_t>(random() % block.warps.size());
    const std::uint64_t before = launch.writes;
    if (!block.step(choice, quantum) && !block.is_finished()) block.report_deadlock();
    if (block.is_finished()) {
      idle.push_back(std::move(resident[turn]));
      resident.erase(resident.begin() + static_cast<std::ptrdiff_t>(turn));
      continue;
    }
    block.next_warp = (choice + 1) % static_cast<std::uint32_t>(block.warps.size());
    // In order, a block that changes nothing may wait for one that has not begun.
    if (in_order && launch.writes == before && block.next_warp == 0) {
      ++turn;
      if (turn >= resident.size() && wanted < max_resident && started < n_blocks) ++wanted;
    }
    if (launch.writes != seen_writes) {
      seen_writes = launch.writes;
      quiet_since = launch.counters.warp_instructions;
    } else if (launch.counters.warp_instructions - quiet_since > schedule.spin_limit) {
      for (Warp& warp : block.warps)
        if (warp.live) warp.fail(Defect::EndlessSpin, std::countr_zero(warp.live), "nothing changed for " + std::to_string(schedule.spin_limit) + " instructions");
    }
  }
}

std::string_view name_of(Defect defect) {
  constexpr std::string_view kNames[] = {"out-of-bounds",     "use-after-free", "uninitialised",   "shared-race",       "global-race",
                                         "divergent-barrier", "bad-mask",       "non-coherent-load", "misaligned",      "endless-spin",
                                         "read-only",         "trap",           "bad-branch",      "bad-launch"};
  return kNames[static_cast<int>(defect)];
}

int status_of(Defect defect) {
  switch (defect) {
    case Defect::OutOfBounds:
    case Defect::UseAfterFree:
    case Defect::ReadOnly: return 700;  // CUDA_ERROR_ILLEGAL_ADDRESS
    case Defect::Misaligned: return 716;
    case Defect::EndlessSpin: return 702;  // CUDA_ERROR_LAUNCH_TIMEOUT
    case Defect::BadBranch: return 718;    // CUDA_ERROR_INVALID_PC
    default: return 719;                   // CUDA_ERROR_LAUNCH_FAILED
  }
}

}  // namespace standin
