#include "tests/emulator/exec/decoder.hpp"

#include <algorithm>

namespace standin {

bool Decoder::take(std::string_view modifier) {
  if (next_ >= text.modifiers.size() || text.modifiers[next_] != modifier) return false;
  ++next_;
  return true;
}

Type Decoder::type() {
  Type found;
  if (next_ >= text.modifiers.size() || !ptx::type_of(text.modifiers[next_], found)) refuse("a type is missing");
  ++next_;
  return found;
}

int Decoder::choice(std::span<const std::string_view> words) {
  int index = 0;
  for (const std::string_view word : words) {
    if (take(word)) return index;
    ++index;
  }
  refuse(next_ < text.modifiers.size() ? "'." + std::string(text.modifiers[next_]) + "' is not known here" : "a modifier is missing");
}

void Decoder::rounding() {
  if (take("rz")) out.rounding = Rounding::Zero;
  else if (take("rm")) out.rounding = Rounding::Down;
  else if (take("rp")) out.rounding = Rounding::Up;
  else take("rn");
}

void Decoder::ftz_and_saturate() {
  out.ftz = take("ftz");
  out.saturate = take("sat");
}

void Decoder::finish(std::size_t n_operands) {
  if (next_ < text.modifiers.size()) refuse("'." + std::string(text.modifiers[next_]) + "' is not known here");
  if (text.operands.size() != n_operands) refuse("has " + std::to_string(text.operands.size()) + " operands");
}

std::uint64_t Decoder::immediate(std::size_t operand) {
  if (text.operands.at(operand).kind != ptx::OperandKind::Integer) refuse("expected an integer");
  return text.operands[operand].bits;
}

std::string Decoder::name() const {
  std::string found(text.opcode);
  for (const std::string_view modifier : text.modifiers) found.append(".").append(modifier);
  return found;
}

void Decoder::refuse(const std::string& why) const { throw ptx::Error(text.line, "'" + name() + "': " + why); }

}  // namespace standin
