// exec/program.hpp - a kernel ready to run: its code and that of what it calls, and the layout of frames and memories.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/emulator/exec/instruction.hpp"

namespace standin {

/// A value that is the same for every block: filled once into a new frame.
struct Constant {
  std::uint32_t slot;
  std::uint8_t bytes;
  std::uint64_t bits;
};

enum class Special : std::uint8_t {
  TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ, Laneid, Warpid, Nwarpid, Smid, Nsmid, Gridid,
  LanemaskEq, LanemaskLe, LanemaskLt, LanemaskGe, LanemaskGt, DynamicShared, TotalShared, Clock, Clock64, GlobalTimer, GlobalTimerLow, GlobalTimerHigh,
};

/// A register that each block, or each warp of it, finds filled.
struct SpecialSlot {
  Special special;
  std::uint8_t bytes;
  std::uint32_t slot;
};

struct Parameter {
  std::uint64_t offset, size;
};

struct Program {
  std::string name;
  std::vector<Instruction> code;
  std::uint32_t entry = 0;  // what it calls stands before it, and so runs first where lanes part
  std::uint32_t frame_bytes = 0;
  std::vector<Constant> constants;
  std::vector<SpecialSlot> specials;
  std::vector<std::vector<std::uint32_t>> branch_targets;
  std::vector<Parameter> parameters;
  std::uint64_t parameter_bytes = 0, shared_bytes = 0, local_bytes = 0;
  std::uint64_t dynamic_shared_at = 0;
  int n_registers = 0;  // 32-bit ones, as many as the text declares: no allocation of registers is imitated
  int max_threads = 1024;
  int required_threads[3] = {0, 0, 0};
};

/// The address of each variable of the module that has one.
using Addresses = std::unordered_map<std::string, std::uint64_t>;

/// Throws ptx::Error on what is not known, naming the line.
Program assemble(const ptx::Module& module, const ptx::Function& kernel, const Addresses& addresses);

}  // namespace standin
