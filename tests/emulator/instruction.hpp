// instruction.hpp - runs one instruction over many operands and holds each result against a function of C++.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/emulator/machine.hpp"

namespace standin_test {

/// Bits in, bits out. Operand and result types are PTX words; "pred" as a result is stored as 0 or 1.
struct Instruction {
  std::string text;                   // "add.rn.f32"
  std::string result;                 // "f32"
  std::vector<std::string> operands;  // {"f32", "f32"}
  std::function<std::uint64_t(std::uint64_t, std::uint64_t, std::uint64_t)> expected;
  int tolerated_ulp = 0;              // of f32, for approximate functions
  std::string form = "";              // where operands need more than "d, a, b, c": "{d, a, b, 0x96}" with letters replaced
};

inline void PrintTo(const Instruction& instruction, std::ostream* out) { *out << instruction.text; }

/// Values at the edges of the type, and random ones: each operand sees every pairing with the others' at some index.
std::vector<std::uint64_t> values_of(const std::string& type, std::size_t n, unsigned seed);
int bytes_of(const std::string& type);
void check(const Instruction& instruction);

class InstructionTest : public ::testing::TestWithParam<Instruction> {};

/// A test's name from the instruction's text.
inline std::string name_of(const ::testing::TestParamInfo<Instruction>& info) {
  std::string name;
  for (const char c : info.param.text + (info.param.form.empty() ? "" : "_form" + std::to_string(info.index)))
    name += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '_';
  for (const std::string& operand : info.param.operands) name += "_" + operand;
  return name + "_to_" + info.param.result;
}

}  // namespace standin_test
