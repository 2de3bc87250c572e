// exec/assembler.hpp - lays out the frame and emits code, function by function.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/emulator/exec/program.hpp"
#include "tests/emulator/ptx/module.hpp"

namespace standin {

class Assembler {
 public:
  Assembler(const ptx::Module& module, const Addresses& addresses) : module_(module), addresses_(addresses) {}

  Program run(const ptx::Function& kernel);

  std::uint32_t slot_of(std::uint32_t reg) const { return slots_[reg]; }
  std::uint32_t temporary(ptx::Type type);
  std::uint32_t constant(std::uint64_t bits, int bytes);
  /// The carry of add.cc and its like.
  std::uint32_t carry();
  /// The slot of an operand as a value of the type: what is wider is cut first, by a hidden instruction under the same guard.
  std::uint32_t source(const ptx::Operand& operand, ptx::Type type, const Instruction& guard);
  /// The slot to write: where the register is wider, the value is extended into it afterwards.
  std::uint32_t destination(const ptx::Operand& operand, ptx::Type type, const Instruction& guard);
  /// Splits an address into space, register and offset.
  void address(const ptx::Operand& operand, Instruction& out);
  ptx::Type declared(const ptx::Operand& operand) const { return function_->registers[operand.index].type; }
  void emit(const Instruction& instruction);
  void call(const ptx::Instruction& text, Instruction& out);
  void branch(std::uint32_t statement, Instruction& out);
  void branch_list(std::uint32_t list, Instruction& out);
  void leave(Instruction& out);

 private:
  struct Placed {  // a function's share of the program
    std::uint32_t first = 0;        // instruction
    std::uint32_t return_slot = 0;  // in the frame
    std::vector<std::uint64_t> variable_at;
    bool is_open = false;
  };

  void place(const ptx::Function& function);
  void place_variables(const ptx::Function& function, Placed& placed);
  std::uint32_t allocate(std::uint64_t bytes);
  void convert(std::uint32_t to, int to_bytes, std::uint32_t from, int from_bytes, bool is_signed, const Instruction& guard, bool after);
  std::uint32_t special(const ptx::Operand& operand, ptx::Type type);
  std::uint64_t address_of(const ptx::Operand& operand, ptx::Space& space);
  std::uint64_t shared_address(const ptx::Variable& variable);
  void copy(std::uint64_t to, std::uint64_t from, std::uint64_t bytes, const Instruction& guard, bool after);
  const ptx::Function& callee(std::string_view name, int line) const;

  const ptx::Module& module_;
  const Addresses& addresses_;
  Program program_;
  const ptx::Function* function_ = nullptr;
  Placed* placed_ = nullptr;
  int line_ = 0;
  std::vector<std::uint32_t> slots_;  // of the registers of the function at hand
  std::map<std::pair<std::uint64_t, int>, std::uint32_t> constants_;
  std::map<std::pair<int, int>, std::uint32_t> special_slots_;
  std::map<std::string, Placed> functions_;
  std::map<std::string, std::uint64_t> shared_;
  std::vector<Instruction> after_;
  std::vector<std::uint32_t> started_;  // statement -> instruction
  std::vector<std::size_t> branches_;   // instructions whose target is still a statement
  std::uint32_t carry_ = Instruction::kNone;
  bool is_dynamic_ = false;
};

}  // namespace standin
