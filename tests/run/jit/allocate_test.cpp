#include <gtest/gtest.h>

#include <map>
#include <memory_resource>
#include <random>
#include <set>

#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {
namespace {

/// A random body: loads, arithmetic, comparisons and selects, calls, and stores at the end.
Program random_program(unsigned seed, std::size_t n, bool with_calls, std::pmr::memory_resource* memory) {
  std::mt19937 random(seed);
  Program program(memory);
  std::vector<Register> numbers, masks;
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random()) % bound; };
  const auto any_of = [&](const std::vector<Register>& list) { return list[below(list.size())]; };
  for (std::uint32_t k = 0; k < 40; ++k) {
    program.head.push_back({Code::Splat, 8, 100 + k, program.n_registers, {}});
    numbers.push_back(program.n_registers++);
  }
  const auto add = [&](Code code, std::array<Register, 3> in, std::uint32_t payload = 0) {
    program.body.push_back({code, 8, payload, program.n_registers, in});
    (gives_mask(code) ? masks : numbers).push_back(program.n_registers++);
  };
  add(Code::Load, {kNone, kNone, kNone}, 0);
  add(Code::LoadMask, {kNone, kNone, kNone}, 1);
  for (std::size_t k = 0; k < n; ++k) {
    switch (below(with_calls ? 7 : 6)) {
      case 0:
        add(Code::Load, {kNone, kNone, kNone}, static_cast<std::uint32_t>(2 + below(20)));
        break;
      case 1:
        add(Code::CompareF, {any_of(numbers), any_of(numbers), kNone});
        break;
      case 2:
        add(Code::Select, {any_of(masks), any_of(numbers), any_of(numbers)});
        break;
      case 3:
        add(Code::MaskAnd, {any_of(masks), any_of(masks), kNone});
        break;
      case 6:
        add(Code::Call, {any_of(numbers), kNone, kNone});
        break;
      default:
        add(Code::AddF, {any_of(numbers), any_of(numbers), kNone});
    }
  }
  for (std::size_t k = 0; k < 10; ++k)
    program.body.push_back({Code::Store, 8, static_cast<std::uint32_t>(50 + k), kNone, {any_of(numbers), kNone, kNone}});
  return program;
}

/// Follows which value is in which register and slot; every instruction has to find its arguments.
void expect_right(const Target& target, const Program& program, const Allocation& allocation) {
  std::map<std::pair<bool, int>, Register> registers;
  std::map<std::pair<bool, std::uint32_t>, Register> slots;
  std::vector<bool> is_mask(program.n_registers);
  for (const auto* list : {&program.head, &program.body})
    for (const Instruction& i : *list)
      if (i.out != kNone) is_mask[i.out] = gives_mask(i.code) && target.n_masks > 0;
  const auto instruction = [&](const Placed& p) -> const Instruction& {
    return p.at & kHead ? program.head[p.at & ~kHead] : program.body[p.at];
  };
  for (const Placed& p : allocation.head) registers[{is_mask[instruction(p).out], p.out}] = instruction(p).out;
  const auto staying = registers;
  std::set<std::uint32_t> stored;
  for (const Placed& p : allocation.body) {
    switch (p.kind) {
      case Placed::Kind::Spill:
        slots[{p.mask, p.at}] = registers.at({p.mask, p.in[0]});
        break;
      case Placed::Kind::Reload:
        registers[{p.mask, p.out}] = slots.at({p.mask, p.at});
        break;
      case Placed::Kind::Code: {
        const Instruction& i = instruction(p);
        for (int k = 0; k < arguments(i.code); ++k) {
          const auto arg = static_cast<std::size_t>(k);
          ASSERT_EQ(registers.at({is_mask[i.in[arg]], p.in[arg]}), i.in[arg]);
        }
        if (is_call(i.code)) registers.clear();
        if (i.out == kNone)
          stored.insert(i.payload);
        else
          registers[{is_mask[i.out], p.out}] = i.out;
        ASSERT_LT(p.out, is_mask[i.out == kNone ? 0 : i.out] ? target.n_masks : target.n_vectors);
      }
    }
  }
  EXPECT_EQ(stored.size(), 10u);
  for (const auto& [place, value] : staying) {
    const auto found = registers.find(place);
    EXPECT_TRUE(found == registers.end() || found->second == value) << "the next turn finds another";
  }
}

TEST(Allocate, EachInstructionFindsItsArguments) {
  for (const Target* target : {&kAvx2, &kAvx512})
    for (unsigned seed = 0; seed < 200; ++seed) {
      std::pmr::monotonic_buffer_resource memory;
      const Program program = random_program(seed, 1 + seed, seed % 3 == 0, &memory);
      expect_right(*target, program, allocate(*target, program, &memory));
    }
}

TEST(Allocate, SpillsNothingWhileRegistersLast) {
  std::pmr::monotonic_buffer_resource memory;
  Program program(&memory);
  Register sum = program.n_registers++;
  program.body.push_back({Code::Load, 8, 0, sum, {}});
  for (std::uint32_t k = 1; k < 200; ++k) {
    program.body.push_back({Code::Load, 8, k, program.n_registers, {}});
    program.body.push_back({Code::AddF, 8, 0, program.n_registers + 1, {sum, program.n_registers, kNone}});
    sum = program.n_registers + 1;
    program.n_registers += 2;
  }
  program.body.push_back({Code::Store, 8, 200, kNone, {sum, kNone, kNone}});
  const Allocation allocation = allocate(kAvx2, program, &memory);
  EXPECT_EQ(allocation.n_slots, 0u);
  EXPECT_EQ(allocation.body.size(), program.body.size());
}

TEST(Allocate, LoadsNothingAgainAfterAStore) {
  std::pmr::monotonic_buffer_resource memory;
  Program program(&memory);
  program.body = {{Code::Load, 8, 0, 0, {}},
                  {Code::Call, 8, 0, 1, {0, kNone, kNone}},  // after which nothing is left in registers
                  {Code::Store, 8, 1, kNone, {1, kNone, kNone}},
                  {Code::Store, 8, 2, kNone, {0, kNone, kNone}}};
  program.n_registers = 2;
  bool stored = false;
  for (const Placed& p : allocate(kAvx512, program, &memory).body) {
    if (p.kind != Placed::Kind::Code) continue;
    stored = stored || is_store(program.body[p.at].code);
    EXPECT_FALSE(stored && is_load(program.body[p.at].code));
  }
}

TEST(Allocate, LoadsAgainInsteadOfSpillingWhatWasLoaded) {
  std::pmr::monotonic_buffer_resource memory;
  Program program(&memory);
  const std::uint32_t n = 40;
  for (std::uint32_t k = 0; k < n; ++k) program.body.push_back({Code::Load, 8, k, program.n_registers++, {}});
  Register sum = 0;
  for (std::uint32_t k = 1; k < n; ++k) {
    program.body.push_back({Code::AddF, 8, 0, program.n_registers, {sum, k, kNone}});
    sum = program.n_registers++;
  }
  program.body.push_back({Code::Store, 8, n, kNone, {sum, kNone, kNone}});
  EXPECT_EQ(allocate(kAvx2, program, &memory).n_slots, 0u);
}

}  // namespace
}  // namespace engine::run::jit
