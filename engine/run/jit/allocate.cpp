// run/jit/allocate.cpp - virtual registers -> the processor's, for one basic block that is a loop's body.
#include <algorithm>

#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {
namespace {

constexpr std::uint32_t kNever = 0xffffffffu;
constexpr std::uint8_t kNowhere = 0xff;

class Allocator {
 public:
  Allocator(const Target& target, const Program& program, std::pmr::memory_resource* memory)
      : program_(program),
        out_(memory),
        values_(program.n_registers, Value{}, memory),
        after_(program.body.size() * 3, kNever, memory),
        files_{File(target.n_vectors), File(target.n_masks)},
        separate_masks_(target.n_masks > 0) {}

  Allocation run() {
    for (std::uint32_t i = 0; i < program_.head.size(); ++i) define(program_.head[i], i | kHead);
    for (std::uint32_t i = 0; i < program_.body.size(); ++i)
      if (program_.body[i].out != kNone) define(program_.body[i], i);
    find_uses();
    place_head();
    for (std::uint32_t at = 0; at < program_.body.size(); ++at) place(at);
    return std::move(out_);
  }

 private:
  struct Value {
    std::uint32_t made_by = 0;
    std::uint32_t next_use = kNever;
    std::uint32_t slot = kNever;
    std::uint32_t n_uses = 0;
    std::uint8_t place = kNowhere;
    bool is_mask = false;
    bool is_made_again = false;  ///< rather than spilled
    bool stays = false;          ///< in its register, for the whole loop
  };
  struct File {
    explicit File(int n) : size(n) { owners.fill(kNone); }
    int size;
    std::array<Register, 32> owners;
  };

  void define(const Instruction& instruction, std::uint32_t made_by) {
    Value& value = values_[instruction.out];
    value.made_by = made_by;
    value.is_mask = gives_mask(instruction.code);
    value.is_made_again = (made_by & kHead) != 0 || is_load(instruction.code);
  }

  File& file_of(const Value& value) { return files_[value.is_mask && separate_masks_ ? 1 : 0]; }

  void find_uses() {
    for (std::size_t at = program_.body.size(); at-- > 0;) {
      const Instruction& instruction = program_.body[at];
      const auto n = static_cast<std::size_t>(arguments(instruction.code));
      // All arguments see the uses behind this instruction, also where one of them comes twice.
      for (std::size_t k = 0; k < n; ++k) after_[at * 3 + k] = values_[instruction.in[k]].next_use;
      for (std::size_t k = 0; k < n; ++k) {
        values_[instruction.in[k]].next_use = static_cast<std::uint32_t>(at);
        ++values_[instruction.in[k]].n_uses;
        // A store before it may have changed what it was loaded from.
        if (is_store(instruction.code) && !(values_[instruction.in[k]].made_by & kHead)) values_[instruction.in[k]].is_made_again = false;
      }
    }
  }

  /// Values of the body that are alive at once, at most.
  std::array<int, 2> pressure() const {
    std::array<int, 2> now{}, most{};
    const auto file = [&](const Value& v) { return v.is_mask && separate_masks_ ? 1u : 0u; };
    for (std::size_t at = 0; at < program_.body.size(); ++at) {
      const Instruction& instruction = program_.body[at];
      if (instruction.out != kNone) {
        const Value& value = values_[instruction.out];
        most[file(value)] = std::max(most[file(value)], ++now[file(value)]);
      }
      const auto n = static_cast<std::size_t>(arguments(instruction.code));
      for (std::size_t k = 0; k < n; ++k) {
        const Value& value = values_[instruction.in[k]];
        const bool again = std::find(instruction.in.begin(), instruction.in.begin() + k, instruction.in[k]) != instruction.in.begin() + k;
        if (after_[at * 3 + k] == kNever && !(value.made_by & kHead) && !again) --now[file(value)];
      }
    }
    return most;
  }

  /// The head's values that are used most get registers for the whole loop.
  void place_head() {
    constexpr int kForOthers = 3;  // the arguments of an instruction, where some of the head have to be made again
    // What is called keeps no register of these.
    if (std::any_of(program_.body.begin(), program_.body.end(), [](const Instruction& i) { return is_call(i.code); })) return;
    const std::array<int, 2> most = pressure();
    for (std::size_t f = 0; f < 2; ++f) {
      File& file = files_[f];
      std::array<Register, 64> candidates;
      std::size_t n = 0, all = 0;
      for (const Instruction& instruction : program_.head) {
        if (&file_of(values_[instruction.out]) != &file || values_[instruction.out].n_uses == 0) continue;
        ++all;
        if (n < candidates.size()) candidates[n++] = instruction.out;
      }
      const int room = file.size - most[f];
      std::size_t staying = all;
      if (static_cast<int>(all) > room) staying = static_cast<std::size_t>(std::max(0, room - kForOthers));
      staying = std::min(staying, n);
      std::stable_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(n),
                       [&](Register a, Register b) { return values_[a].n_uses > values_[b].n_uses; });
      for (std::size_t i = 0; i < staying; ++i) {
        Value& value = values_[candidates[i]];
        value.place = static_cast<std::uint8_t>(--file.size);
        value.stays = true;
        out_.head.push_back({.at = value.made_by, .out = value.place, .mask = value.is_mask});
      }
    }
  }

  /// A register of the value's file, of those that hold none of `busy`.
  std::uint8_t take(const Value& value, std::span<const Register> busy) {
    File& file = file_of(value);
    int farthest = -1;
    std::uint32_t use = 0;
    for (int r = 0; r < file.size; ++r) {
      const Register owner = file.owners[static_cast<std::size_t>(r)];
      if (owner == kNone) return static_cast<std::uint8_t>(r);
      if (std::find(busy.begin(), busy.end(), owner) != busy.end()) continue;
      if (farthest < 0 || values_[owner].next_use > use || (values_[owner].next_use == use && values_[owner].is_made_again)) {
        farthest = r;
        use = values_[owner].next_use;
      }
    }
    evict(file.owners[static_cast<std::size_t>(farthest)]);
    return static_cast<std::uint8_t>(farthest);
  }

  void evict(Register id) {
    Value& victim = values_[id];
    if (!victim.is_made_again && victim.slot == kNever) {
      victim.slot = out_.n_slots++;
      out_.body.push_back(
          {.kind = Placed::Kind::Spill, .at = victim.slot, .in = {victim.place, 0, 0}, .mask = victim.is_mask && separate_masks_});
    }
    file_of(victim).owners[victim.place] = kNone;
    victim.place = kNowhere;
  }

  void hold(Register id, std::uint8_t place) {
    values_[id].place = place;
    file_of(values_[id]).owners[place] = id;
  }
  void let_go(Register id) {
    Value& value = values_[id];
    if (value.stays || value.place == kNowhere) return;
    file_of(value).owners[value.place] = kNone;
    value.place = kNowhere;
  }

  void place(std::uint32_t at) {
    const Instruction& instruction = program_.body[at];
    const auto n = static_cast<std::size_t>(arguments(instruction.code));
    const std::span<const Register> in(instruction.in.data(), n);
    Placed placed{.at = at};
    for (std::size_t k = 0; k < n; ++k) {
      Value& value = values_[in[k]];
      if (value.place == kNowhere) {
        const std::uint8_t place = take(value, in);
        const bool is_spilled = value.slot != kNever;
        out_.body.push_back({.kind = is_spilled ? Placed::Kind::Reload : Placed::Kind::Code,
                             .at = is_spilled ? value.slot : value.made_by,
                             .out = place,
                             .mask = value.is_mask && separate_masks_});
        hold(in[k], place);
      }
      placed.in[k] = value.place;
    }
    for (std::size_t k = 0; k < n; ++k) values_[in[k]].next_use = after_[at * 3 + k];
    for (std::size_t k = 0; k < n; ++k)
      if (values_[in[k]].next_use == kNever) let_go(in[k]);
    if (is_call(instruction.code))
      for (const File& file : files_)
        for (const Register owner : file.owners)
          if (owner != kNone) evict(owner);
    if (instruction.out != kNone) {
      placed.out = take(values_[instruction.out], {});
      if (values_[instruction.out].next_use != kNever) hold(instruction.out, placed.out);
    }
    out_.body.push_back(placed);
  }

  const Program& program_;
  Allocation out_;
  std::pmr::vector<Value> values_;
  std::pmr::vector<std::uint32_t> after_;  ///< next use of each argument behind its instruction
  std::array<File, 2> files_;
  bool separate_masks_;
};

}  // namespace

Allocation allocate(const Target& target, const Program& program, std::pmr::memory_resource* memory) {
  return Allocator(target, program, memory).run();
}

}  // namespace engine::run::jit
