// exec/warp.cpp - runs a warp. Of the lanes that can run, those with the lowest address go first, so that lanes which parted
// at a branch meet again at the first instruction that both reach.
#include "tests/emulator/exec/warp.hpp"

#include <bit>

namespace standin {

/// Chooses `active` among the lanes that can run; `next` is where lanes that are ahead stand. False where all must wait.
bool Warp::pick(std::uint32_t& next) {
  const std::uint32_t here = live & ~at_barrier;
  std::uint32_t lowest = Instruction::kNone;
  for (std::uint32_t rest = here & ~waiting; rest; rest &= rest - 1) lowest = std::min(lowest, pc[std::countr_zero(rest)]);
  if (lowest == Instruction::kNone) return false;
  active = 0;
  next = Instruction::kNone;
  for (std::uint32_t rest = here; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if (pc[lane] == lowest)
      active |= 1u << lane;
    else if (pc[lane] > lowest)
      next = std::min(next, pc[lane]);
  }
  waiting &= ~active;
  return true;
}

void Warp::move_to(std::uint32_t lanes, std::uint32_t where) {
  if (lanes == kAllLanes) {
    std::fill(pc, pc + 32, where);
    return;
  }
  for (; lanes; lanes &= lanes - 1) pc[std::countr_zero(lanes)] = where;
}

/// Runs a .sync instruction for every group of lanes whose mask is complete; the others wait. True where some ran.
bool Warp::synchronise(const Instruction& instruction) {
  const std::uint32_t* masks = lanes<std::uint32_t>(*this, instruction.reg[Instruction::kMask]);
  const std::uint32_t here = mask;
  std::uint32_t done = 0;
  for (std::uint32_t rest = here; rest;) {
    const int lane = std::countr_zero(rest);
    const std::uint32_t wanted = masks[lane];
    if (!(wanted >> lane & 1)) fail(Defect::BadMask, lane, "runs with a mask that leaves it out");
    std::uint32_t group = 0;
    for (std::uint32_t more = rest; more; more &= more - 1)
      if (const int other = std::countr_zero(more); masks[other] == wanted) group |= 1u << other;
    rest &= ~group;
    for (std::uint32_t others = here & wanted & ~group; others; others &= others - 1)
      fail(Defect::BadMask, std::countr_zero(others), "is named in the mask of lane " + std::to_string(lane) + " and has another one");
    if ((wanted & live) != group) continue;
    mask = group;
    if (instruction.run) instruction.run(*this, instruction);
    done |= group;
  }
  waiting |= here & ~done;
  mask = here;
  const auto where = static_cast<std::uint32_t>(&instruction - launch->program.code.data());
  move_to(active & ~(here & ~done), where + 1);
  return done != 0;
}

/// The active lanes come to a barrier. One that is for whole warps has first let the others go on: code of a branch may lie behind it.
void Warp::reach(const Instruction& instruction) {
  mask = guarded(instruction);
  move_to(active, static_cast<std::uint32_t>(&instruction - launch->program.code.data()) + 1);
  if (mask) block->arrive(*this, instruction);
}

/// The active lanes whose predicate lets them run it.
std::uint32_t Warp::guarded(const Instruction& instruction) {
  if (instruction.guard == Instruction::kNone) return active;
  const std::uint32_t guard = predicate(*this, instruction.guard);
  return active & (instruction.guard_negated ? ~guard : guard);
}

void Warp::stuck() const {
  const int lane = std::countr_zero(waiting);
  fail(Defect::BadMask, lane, "waits for lanes of its mask that never come");
}

void Warp::run(std::uint64_t quantum) {
  const Instruction* code = launch->program.code.data();
  StandinCounters& counters = launch->counters;
  std::uint32_t next = Instruction::kNone;
  while (live & ~at_barrier) {
    if (!pick(next)) {
      // Those a mask names may have ended in the meantime.
      const std::uint32_t asleep = waiting;
      bool moved = false;
      for (std::uint32_t rest = asleep; rest && !moved;) {
        const std::uint32_t where = pc[std::countr_zero(rest)];
        active = 0;
        for (std::uint32_t all = asleep; all; all &= all - 1)
          if (const int lane = std::countr_zero(all); pc[lane] == where) active |= 1u << lane;
        rest &= ~active;
        mask = active;
        at = code + where;
        waiting &= ~active;
        if (at->flow == Flow::Barrier) {
          reach(*at);
          moved = true;
        } else {
          moved = synchronise(*at);
        }
      }
      if (!moved) {
        if (at_barrier) return;  // the block sees that nobody moves
        stuck();
      }
      continue;
    }
    std::uint32_t place = pc[std::countr_zero(active)];
    for (bool together = true; together;) {
      const Instruction& instruction = code[place];
      at = &instruction;
      mask = guarded(instruction);
      if (!instruction.is_hidden) {
        if (quantum-- == 0) return move_to(active, place);
        ++counters.warp_instructions;
        counters.lane_instructions += mask == kAllLanes ? 32 : static_cast<std::uint64_t>(std::popcount(mask));
      }
      switch (instruction.flow) {
        case Flow::Next:
          if (mask) instruction.run(*this, instruction);
          if (++place == next) move_to(active, place), together = false;
          break;
        case Flow::Branch:
          if (mask == active && next == Instruction::kNone) {
            place = instruction.target;
          } else if (mask == 0) {
            if (++place == next) move_to(active, place), together = false;
          } else {
            move_to(active & ~mask, place + 1);
            move_to(mask, instruction.target);
            together = false;
          }
          break;
        case Flow::Indexed: {
          const auto& targets = launch->program.branch_targets[instruction.target];
          const std::uint32_t* index = lanes<std::uint32_t>(*this, instruction.reg[0]);
          move_to(active & ~mask, place + 1);
          for (std::uint32_t rest = mask; rest; rest &= rest - 1) {
            const int lane = std::countr_zero(rest);
            if (index[lane] >= targets.size())
              fail(Defect::BadBranch, lane, "branches to index " + std::to_string(index[lane]) + " of " + std::to_string(targets.size()));
            pc[lane] = targets[index[lane]];
          }
          together = false;
          break;
        }
        case Flow::Call: {
          std::uint32_t* back = lanes<std::uint32_t>(*this, instruction.reg[0]);
          for (std::uint32_t rest = mask; rest; rest &= rest - 1) back[std::countr_zero(rest)] = place + 1;
          move_to(active & ~mask, place + 1);
          move_to(mask, instruction.target);
          together = false;
          break;
        }
        case Flow::Return: {
          const std::uint32_t* back = lanes<std::uint32_t>(*this, instruction.reg[0]);
          for (std::uint32_t rest = mask; rest; rest &= rest - 1) pc[std::countr_zero(rest)] = back[std::countr_zero(rest)];
          move_to(active & ~mask, place + 1);
          together = false;
          break;
        }
        case Flow::Exit:
          live &= ~mask;
          launch->writes += mask != 0;
          move_to(active & ~mask, place + 1);
          together = false;
          break;
        case Flow::WarpSync:
          move_to(active, place);
          synchronise(instruction);
          together = false;
          break;
        case Flow::Barrier:
          if (instruction.saturate && active != (live & ~at_barrier)) {
            waiting |= active;
            move_to(active, place);
          } else {
            reach(instruction);
          }
          together = false;
          break;
      }
    }
  }
}

std::string Warp::thread_name(int lane) const {
  const std::uint32_t linear = index * 32 + static_cast<std::uint32_t>(lane);
  const Dim& shape = launch->block;
  const std::uint32_t x = linear % shape.x, y = linear / shape.x % shape.y, z = linear / (shape.x * shape.y);
  auto triple = [](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    return "(" + std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c) + ")";
  };
  return "block " + triple(block->position.x, block->position.y, block->position.z) + " thread " + triple(x, y, z);
}

void Warp::fail(Defect defect, int lane, const std::string& what) const {
  throw Finding{defect, std::string(name_of(defect)) + " in kernel '" + launch->program.name + "', " + thread_name(lane) + ", PTX line " +
                            std::to_string(at ? at->line : 0) + ": " + what};
}

}  // namespace standin
