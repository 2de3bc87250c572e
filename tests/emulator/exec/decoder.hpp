// exec/decoder.hpp - what a row of the opcode table uses to turn the text of one instruction into the decoded one.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tests/emulator/exec/assembler.hpp"
#include "tests/emulator/exec/instruction.hpp"

namespace standin {

using ptx::Type;

class Decoder {
 public:
  Decoder(Assembler& assembler, const ptx::Instruction& text) : assembler(assembler), text(text) {
    out.line = text.line;
    if (text.guard) {
      out.guard = assembler.slot_of(text.guard - 1);
      out.guard_negated = text.guard_negated;
    }
  }

  /// True, once, where the next modifier is this one.
  bool take(std::string_view modifier);
  /// The next modifier, which must be a type.
  Type type();
  /// One of the words; refused otherwise.
  int choice(std::span<const std::string_view> words);
  int choice(std::initializer_list<std::string_view> words) { return choice(std::span(words.begin(), words.size())); }
  /// .rn .rz .rm .rp, the nearest where none is written.
  void rounding();
  void ftz_and_saturate();
  /// Every modifier has been read, and there are n operands.
  void finish(std::size_t n_operands);

  void source(int reg, std::size_t operand, Type type) { out.reg[reg] = assembler.source(text.operands.at(operand), type, out); }
  void destination(int reg, std::size_t operand, Type type) { out.reg[reg] = assembler.destination(text.operands.at(operand), type, out); }
  std::size_t n_operands() const { return text.operands.size(); }
  std::uint64_t immediate(std::size_t operand);

  void emit(Handler run) {
    out.run = run;
    assembler.emit(out);
  }
  void emit(Flow flow, Handler run = nullptr) {
    out.flow = flow;
    emit(run);
  }

  [[noreturn]] void refuse(const std::string& why) const;
  /// "add.rn.f32", as the text has it.
  std::string name() const;

  Assembler& assembler;
  const ptx::Instruction& text;
  Instruction out;

 private:
  std::size_t next_ = 0;
};

using Decode = void (*)(Decoder&);

struct Opcode {
  std::string_view name;
  Decode decode;
};

/// Null where the table has no such row.
const Opcode* find_opcode(std::string_view name);

}  // namespace standin
