// ptx/module.hpp - a PTX module as text says it: names resolved, nothing decoded yet.
// Holds after parsing: every register, variable and label an operand names exists; scopes are gone.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace standin::ptx {

enum class Type : std::uint8_t { Pred, B8, B16, B32, B64, B128, U8, U16, U32, U64, S8, S16, S32, S64, F16, F16x2, F32, F64 };

/// Bytes of one value; 0 for a predicate, whose 32 lanes are one mask.
int size_of(Type type);
bool is_signed(Type type);
bool is_float(Type type);
/// False where the word, without its point, names no type.
bool type_of(std::string_view word, Type& type);

enum class Space : std::uint8_t { Generic, Global, Const, Shared, Local, Param };

/// What is wrong with the text, and where.
struct Error : std::runtime_error {
  Error(int line, const std::string& what) : std::runtime_error("line " + std::to_string(line) + ": " + what), line(line) {}
  int line;
};

struct Register {
  std::string name;
  Type type;
};

/// A reference to another variable inside an initialiser.
struct Relocation {
  std::uint64_t at;  // byte within the variable
  std::string name;
  std::int64_t addend;
  bool generic;
};

/// A variable of a module or of a function. `space` Param stands for parameters, in and out, of this function and of its calls.
struct Variable {
  std::string name;
  Space space;
  Type type;
  std::uint64_t align;
  std::uint64_t size;
  bool is_extern = false;  // of unknown size: dynamic shared memory
  std::vector<std::byte> content;
  std::vector<Relocation> relocations;
};

enum class OperandKind : std::uint8_t { Register, Integer, Float32, Float64, Local, Global, Special, Vector, Address, Label, Sink, List, Name };

struct Operand {
  OperandKind kind;
  bool negated = false;         // !%p
  std::uint32_t index = 0;      // of a register, of a variable of the function (Local) or module (Global), of a label's statement
  std::uint32_t predicate = 0;  // r|p: the register after the bar, plus one
  std::uint64_t bits = 0;       // of an immediate
  std::int64_t offset = 0;      // of an address
  std::string_view name;        // of a special register or a function
  std::vector<Operand> items;   // of a vector, a list; the one base of an address
};

struct Instruction {
  std::string_view opcode;
  std::vector<std::string_view> modifiers;
  std::vector<Operand> operands;
  std::uint32_t guard = 0;  // register plus one
  bool guard_negated = false;
  int line = 0;
};

struct Function {
  std::string name;
  bool is_entry = false;
  bool is_defined = false;
  int line = 0;
  std::vector<Register> registers;
  std::vector<Variable> variables;
  std::vector<std::uint32_t> parameters, results;  // variables
  std::vector<Instruction> body;
  std::vector<std::vector<std::uint32_t>> branch_targets;  // statements, by the index that brx.idx names
  int max_threads[3] = {0, 0, 0};
  int required_threads[3] = {0, 0, 0};
  int min_blocks = 0;
  int max_registers = 0;
};

struct Module {
  std::string text;  // the views of the instructions point into it
  std::string target;
  int version = 0;  // 90 for 9.0
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

}  // namespace standin::ptx
