// exec/instruction.hpp - one decoded instruction: a handler, and where in the warp's frame its operands lie.
#pragma once

#include <array>
#include <cstdint>

#include "tests/emulator/ptx/module.hpp"

namespace standin {

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&);

/// What happens to the lanes' place in the program.
enum class Flow : std::uint8_t {
  Next,      // the handler does all there is
  Branch,    // to `target`
  Indexed,   // to the list `target`, at the index in register 0
  Call,      // to `target`; the callee's return address is at register 0
  Return,    // to the address at register 0
  Exit,      //
  WarpSync,  // waits for the lanes in the mask at register kMask, then runs the handler
  Barrier,   // of the block
};

enum class Rounding : std::uint8_t { Nearest, Zero, Down, Up };

struct Instruction {
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr int kMask = 9;

  Handler run = nullptr;
  Flow flow = Flow::Next;
  bool is_hidden = false;  // ours, to bring an operand to the width the handler wants
  bool guard_negated = false;
  bool ftz = false, saturate = false;
  bool strong = false, block_scope = false, acquire = false, release = false, non_coherent = false;
  Rounding rounding = Rounding::Nearest;
  ptx::Space space = ptx::Space::Generic;
  std::uint8_t bytes = 0;     // of one item of a memory access
  std::uint8_t n_items = 1;   // of a vector access
  std::uint8_t option = 0;    // of the one handler that reads it
  std::uint32_t guard = kNone;
  std::uint32_t target = 0;
  std::int32_t line = 0;
  std::int64_t offset = 0;    // of an address
  std::array<std::uint32_t, 10> reg{};  // offsets into the frame, in the order of the text
};

}  // namespace standin
