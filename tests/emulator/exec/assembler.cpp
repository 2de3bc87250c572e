#include "tests/emulator/exec/assembler.hpp"

#include <algorithm>

#include "tests/emulator/exec/decoder.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin {
namespace {

using ptx::OperandKind;
using ptx::Space;
using ptx::Type;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return step == 0 ? value : (value + step - 1) / step * step; }

struct SpecialRow {
  std::string_view name;
  Special special;
  int bytes;
};

constexpr SpecialRow kSpecials[] = {
    {"%tid.x", Special::TidX, 4},
    {"%tid.y", Special::TidY, 4},
    {"%tid.z", Special::TidZ, 4},
    {"%ntid.x", Special::NtidX, 4},
    {"%ntid.y", Special::NtidY, 4},
    {"%ntid.z", Special::NtidZ, 4},
    {"%ctaid.x", Special::CtaidX, 4},
    {"%ctaid.y", Special::CtaidY, 4},
    {"%ctaid.z", Special::CtaidZ, 4},
    {"%nctaid.x", Special::NctaidX, 4},
    {"%nctaid.y", Special::NctaidY, 4},
    {"%nctaid.z", Special::NctaidZ, 4},
    {"%laneid", Special::Laneid, 4},
    {"%warpid", Special::Warpid, 4},
    {"%nwarpid", Special::Nwarpid, 4},
    {"%smid", Special::Smid, 4},
    {"%nsmid", Special::Nsmid, 4},
    {"%gridid", Special::Gridid, 8},
    {"%lanemask_eq", Special::LanemaskEq, 4},
    {"%lanemask_le", Special::LanemaskLe, 4},
    {"%lanemask_lt", Special::LanemaskLt, 4},
    {"%lanemask_ge", Special::LanemaskGe, 4},
    {"%lanemask_gt", Special::LanemaskGt, 4},
    {"%dynamic_smem_size", Special::DynamicShared, 4},
    {"%total_smem_size", Special::TotalShared, 4},
    {"%clock", Special::Clock, 4},
    {"%clock64", Special::Clock64, 8},
    {"%globaltimer", Special::GlobalTimer, 8},
    {"%globaltimer_lo", Special::GlobalTimerLow, 4},
    {"%globaltimer_hi", Special::GlobalTimerHigh, 4},
};

bool is_address(OperandKind kind) { return kind == OperandKind::Local || kind == OperandKind::Global; }

}  // namespace

std::uint32_t Assembler::allocate(std::uint64_t bytes) {
  const std::uint32_t slot = program_.frame_bytes;
  program_.frame_bytes += static_cast<std::uint32_t>(round_up(bytes * 32, 64));
  return slot;
}

/// A predicate's 32 lanes are one word, which takes a slot like any other.
std::uint32_t Assembler::temporary(Type type) {
  return type == Type::Pred ? allocate(1) : allocate(static_cast<std::uint64_t>(ptx::size_of(type)));
}

/// 0 bytes: of a predicate.
std::uint32_t Assembler::constant(std::uint64_t bits, int bytes) {
  const std::uint64_t kept = bytes >= 8 || bytes == 0 ? bits : bits & ((std::uint64_t{1} << 8 * bytes) - 1);
  const auto [found, is_new] = constants_.try_emplace({kept, bytes}, 0);
  if (is_new) {
    found->second = allocate(static_cast<std::uint64_t>(std::max(bytes, 1)));
    program_.constants.push_back({found->second, static_cast<std::uint8_t>(bytes), kept});
  }
  return found->second;
}

std::uint32_t Assembler::carry() {
  if (carry_ == Instruction::kNone) carry_ = temporary(Type::Pred);
  return carry_;
}

std::uint32_t Assembler::special(const ptx::Operand& operand, Type type) {
  for (const SpecialRow& row : kSpecials) {
    if (row.name != operand.name) continue;
    const int bytes = ptx::size_of(type);
    if (bytes != 4 && bytes != 8 && bytes != 2)
      throw ptx::Error(line_, "'" + std::string(operand.name) + "' read as " + std::to_string(bytes) + " bytes");
    const auto [found, is_new] = special_slots_.try_emplace({static_cast<int>(row.special), bytes}, 0);
    if (is_new) {
      found->second = allocate(static_cast<std::uint64_t>(bytes));
      program_.specials.push_back({row.special, static_cast<std::uint8_t>(bytes), found->second});
    }
    if (row.special >= Special::Clock) {  // filled anew at each reading
      Instruction read{.run = ops::read_clock,
                       .is_hidden = true,
                       .bytes = static_cast<std::uint8_t>(bytes),
                       .option = static_cast<std::uint8_t>(row.special),
                       .line = line_};
      read.reg[0] = found->second;
      emit(read);
    }
    return found->second;
  }
  throw ptx::Error(line_, "special register '" + std::string(operand.name) + "' is not known");
}

/// Shared variables of the module get their place when a kernel first names them; those of unknown size begin behind all others.
std::uint64_t Assembler::shared_address(const ptx::Variable& variable) {
  if (variable.is_extern || variable.size == 0) {
    is_dynamic_ = true;
    return 0;
  }
  const auto [found, is_new] = shared_.try_emplace(variable.name, 0);
  if (is_new) {
    found->second = round_up(program_.shared_bytes, variable.align);
    program_.shared_bytes = found->second + variable.size;
  }
  return found->second;
}

std::uint64_t Assembler::address_of(const ptx::Operand& operand, Space& space) {
  if (operand.kind == OperandKind::Local) {
    const ptx::Variable& variable = function_->variables[operand.index];
    space = variable.space;
    if (space == Space::Param && !(function_->is_entry && operand.index < program_.parameters.size())) space = Space::Local;
    return placed_->variable_at[operand.index];
  }
  const ptx::Variable& variable = module_.variables[operand.index];
  space = variable.space;
  if (space == Space::Shared)
    return variable.is_extern || variable.size == 0 ? (is_dynamic_ = true, program_.dynamic_shared_at) : shared_address(variable);
  const auto found = addresses_.find(variable.name);
  if (found == addresses_.end()) throw ptx::Error(line_, "'" + variable.name + "' has no address");
  return found->second;
}

std::uint32_t Assembler::source(const ptx::Operand& operand, Type type, const Instruction& guard) {
  const int bytes = ptx::size_of(type);
  switch (operand.kind) {
    case OperandKind::Register: {
      const Type declared = function_->registers[operand.index].type;
      const int width = ptx::size_of(declared);
      if ((declared == Type::Pred) != (type == Type::Pred))
        throw ptx::Error(line_, "register '" + std::string(operand.name) + "' has the wrong type");
      if (operand.negated) {
        Instruction negation{
            .run = ops::not_predicate, .is_hidden = true, .guard_negated = guard.guard_negated, .guard = guard.guard, .line = line_};
        negation.reg[0] = temporary(Type::Pred);
        negation.reg[1] = slots_[operand.index];
        emit(negation);
        return negation.reg[0];
      }
      if (width == bytes) return slots_[operand.index];
      if (width < bytes) throw ptx::Error(line_, "register '" + std::string(operand.name) + "' is too narrow");
      const std::uint32_t cut = temporary(type);
      convert(cut, bytes, slots_[operand.index], width, false, guard, false);
      return cut;
    }
    case OperandKind::Integer:
      if (type == Type::Pred) return constant(operand.bits ? 0xffffffff : 0, 0);
      return constant(operand.bits, bytes);
    case OperandKind::Float32:
      if (bytes != 4) throw ptx::Error(line_, "a 32-bit literal where " + std::to_string(bytes) + " bytes are read");
      return constant(operand.bits, 4);
    case OperandKind::Float64:
      if (bytes != 8) throw ptx::Error(line_, "a 64-bit literal where " + std::to_string(bytes) + " bytes are read");
      return constant(operand.bits, 8);
    case OperandKind::Special:
      return special(operand, type);
    case OperandKind::Local:
    case OperandKind::Global: {
      Space space;
      const std::uint64_t address = address_of(operand, space) + static_cast<std::uint64_t>(operand.offset);
      return constant(address, bytes);
    }
    default:
      throw ptx::Error(line_, "this operand is no value");
  }
}

std::uint32_t Assembler::destination(const ptx::Operand& operand, Type type, const Instruction& guard) {
  if (operand.kind == OperandKind::Sink) return temporary(type);
  if (operand.kind != OperandKind::Register) throw ptx::Error(line_, "the result must be a register");
  const Type declared = function_->registers[operand.index].type;
  if ((declared == Type::Pred) != (type == Type::Pred))
    throw ptx::Error(line_, "register '" + std::string(operand.name) + "' has the wrong type");
  const int width = ptx::size_of(declared);
  const int bytes = ptx::size_of(type);
  if (width == bytes) return slots_[operand.index];
  if (width < bytes) throw ptx::Error(line_, "register '" + std::string(operand.name) + "' is too narrow");
  const std::uint32_t narrow = temporary(type);
  convert(slots_[operand.index], width, narrow, bytes, ptx::is_signed(type), guard, true);
  return narrow;
}

void Assembler::convert(std::uint32_t to, int to_bytes, std::uint32_t from, int from_bytes, bool is_signed, const Instruction& guard,
                        bool after) {
  Instruction hidden{.run = ops::resize(to_bytes, from_bytes, is_signed),
                     .is_hidden = true,
                     .guard_negated = guard.guard_negated,
                     .guard = guard.guard,
                     .line = line_};
  hidden.reg[0] = to;
  hidden.reg[1] = from;
  if (after)
    after_.push_back(hidden);
  else
    emit(hidden);
}

void Assembler::address(const ptx::Operand& operand, Instruction& out) {
  if (operand.kind != OperandKind::Address) throw ptx::Error(line_, "expected an address");
  out.offset = operand.offset;
  if (operand.items.empty()) {
    out.reg[0] = constant(0, 8);
    return;
  }
  const ptx::Operand& base = operand.items[0];
  if (is_address(base.kind)) {
    Space space;
    out.reg[0] = constant(0, 8);
    out.offset += static_cast<std::int64_t>(address_of(base, space));
    if (out.space == Space::Param || out.space == Space::Generic) {
      if (out.space == Space::Generic && space != Space::Global && space != Space::Const)
        throw ptx::Error(line_, "a generic access to a variable of another space");
      out.space = space;
    } else if (out.space != space) {
      throw ptx::Error(line_, "'" + std::string(base.name) + "' lies in another space");
    }
    return;
  }
  // Addresses of the small spaces may be 32 bits wide.
  const Type declared = function_->registers.at(base.index).type;
  if (base.kind != OperandKind::Register) throw ptx::Error(line_, "the base of an address must be a register or a variable");
  if (ptx::size_of(declared) == 8) {
    out.reg[0] = slots_[base.index];
  } else {
    out.reg[0] = temporary(Type::B64);
    convert(out.reg[0], 8, slots_[base.index], ptx::size_of(declared), false, out, false);
  }
}

bool Assembler::is_parameter(const ptx::Operand& address, std::int64_t offset, int bytes) const {
  return !address.items.empty() && address.items[0].kind == OperandKind::Local && offset >= 0 &&
         static_cast<std::uint64_t>(offset) + static_cast<std::uint64_t>(bytes) <= program_.parameter_bytes;
}

void Assembler::emit(const Instruction& instruction) {
  program_.code.push_back(instruction);
  if (instruction.is_hidden) return;
  for (const Instruction& hidden : after_) program_.code.push_back(hidden);
  after_.clear();
}

void Assembler::branch(std::uint32_t statement, Instruction& out) {
  out.target = statement;
  branches_.push_back(program_.code.size());
}

void Assembler::branch_list(std::uint32_t list, Instruction& out) {
  out.target = static_cast<std::uint32_t>(program_.branch_targets.size());
  program_.branch_targets.push_back(function_->branch_targets[list]);
}

void Assembler::leave(Instruction& out) {
  out.flow = function_->is_entry ? Flow::Exit : Flow::Return;
  out.reg[0] = placed_->return_slot;
}

const ptx::Function& Assembler::callee(std::string_view name, int line) const {
  for (const ptx::Function& function : module_.functions)
    if (function.name == name && function.is_defined && !function.is_entry) return function;
  throw ptx::Error(line, "function '" + std::string(name) + "' is called and not defined");
}

/// Copies bytes of a lane's own memory, from a call's parameters to the function's and back.
void Assembler::copy(std::uint64_t to, std::uint64_t from, std::uint64_t bytes, const Instruction& guard, bool after) {
  Instruction hidden{.run = ops::copy_local,
                     .is_hidden = true,
                     .guard_negated = guard.guard_negated,
                     .guard = guard.guard,
                     .target = static_cast<std::uint32_t>(bytes),
                     .line = line_};
  hidden.reg[0] = static_cast<std::uint32_t>(to);
  hidden.reg[1] = static_cast<std::uint32_t>(from);
  if (after)
    after_.push_back(hidden);
  else
    emit(hidden);
}

void Assembler::call(const ptx::Instruction& text, Instruction& out) {
  const ptx::Function& function = callee(text.operands[1].name, text.line);
  const Placed& placed = functions_.at(function.name);
  const auto& results = text.operands[0].items;
  const auto& arguments = text.operands[2].items;
  if (results.size() != function.results.size() || arguments.size() != function.parameters.size())
    throw ptx::Error(text.line, "the call does not fit '" + function.name + "'");
  auto pass = [&](const ptx::Operand& here, std::uint32_t there, bool back) {
    if (here.kind != OperandKind::Local) throw ptx::Error(text.line, "only variables of .param space are passed");
    const std::uint64_t mine = placed_->variable_at[here.index];
    const std::uint64_t size = function.variables[there].size;
    if (function_->variables[here.index].size != size)
      throw ptx::Error(text.line, "'" + std::string(here.name) + "' has another size than the parameter");
    copy(back ? mine : placed.variable_at[there], back ? placed.variable_at[there] : mine, size, out, back);
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) pass(arguments[i], function.parameters[i], false);
  for (std::size_t i = 0; i < results.size(); ++i) pass(results[i], function.results[i], true);
  out.flow = Flow::Call;
  out.target = placed.first;
  out.reg[0] = placed.return_slot;
}

void Assembler::place_variables(const ptx::Function& function, Placed& placed) {
  for (std::uint32_t i = 0; i < function.variables.size(); ++i) {
    const ptx::Variable& variable = function.variables[i];
    const bool is_parameter = function.is_entry && i < function.parameters.size();
    if (variable.space == Space::Shared) {
      placed.variable_at.push_back(shared_address(variable));
    } else {
      std::uint64_t& end = is_parameter ? program_.parameter_bytes : program_.local_bytes;
      const std::uint64_t at = round_up(end, std::max<std::uint64_t>(variable.align, 1));
      placed.variable_at.push_back(at);
      end = at + variable.size;
      if (is_parameter) program_.parameters.push_back({at, variable.size});
    }
  }
}

/// What a function calls comes before it. A function has one set of registers a lane, so it cannot call itself.
void Assembler::place(const ptx::Function& function) {
  Placed& placed = functions_[function.name];
  placed.is_open = true;
  for (const ptx::Instruction& instruction : function.body) {
    if (instruction.opcode != "call") continue;
    const ptx::Function& called = callee(instruction.operands[1].name, instruction.line);
    const auto known = functions_.find(called.name);
    if (known == functions_.end())
      place(called);
    else if (known->second.is_open)
      throw ptx::Error(instruction.line, "recursion is not executed");
  }
  placed.is_open = false;

  function_ = &function;
  placed_ = &placed;
  placed.return_slot = allocate(4);
  place_variables(function, placed);
  slots_.clear();
  for (const ptx::Register& reg : function.registers) {
    slots_.push_back(temporary(reg.type));
    program_.n_registers += std::max(1, ptx::size_of(reg.type) / 4);
  }
  placed.first = static_cast<std::uint32_t>(program_.code.size());
  started_.clear();
  branches_.clear();
  const std::size_t first_list = program_.branch_targets.size();
  for (const ptx::Instruction& instruction : function.body) {
    started_.push_back(static_cast<std::uint32_t>(program_.code.size()));
    line_ = instruction.line;
    const Opcode* opcode = find_opcode(instruction.opcode);
    if (!opcode) throw ptx::Error(line_, "opcode '" + std::string(instruction.opcode) + "' is not known");
    Decoder decoder(*this, instruction);
    opcode->decode(decoder);
  }
  started_.push_back(static_cast<std::uint32_t>(program_.code.size()));
  Instruction end{.is_hidden = true, .line = line_};  // the text may end without a ret
  leave(end);
  emit(end);
  for (const std::size_t at : branches_) program_.code[at].target = started_[program_.code[at].target];
  for (std::size_t i = first_list; i < program_.branch_targets.size(); ++i)
    for (std::uint32_t& target : program_.branch_targets[i]) target = started_[target];
}

Program Assembler::run(const ptx::Function& kernel) {
  program_.name = kernel.name;
  // Static shared memory first: dynamic shared memory begins behind all of it.
  for (const ptx::Variable& variable : module_.variables)
    if (variable.space == Space::Shared && !variable.is_extern && variable.size) shared_address(variable);
  for (const ptx::Function& function : module_.functions)
    if (!function.is_entry || &function == &kernel)
      for (const ptx::Variable& variable : function.variables)
        if (variable.space == Space::Shared) shared_address(variable);
  program_.dynamic_shared_at = round_up(program_.shared_bytes, 16);
  place(kernel);
  program_.entry = functions_.at(kernel.name).first;
  if (!is_dynamic_) program_.dynamic_shared_at = program_.shared_bytes;
  for (int i = 0; i < 3; ++i) program_.required_threads[i] = kernel.required_threads[i];
  const int* limit = kernel.required_threads[0] ? kernel.required_threads : kernel.max_threads;
  if (limit[0]) program_.max_threads = std::min(1024, limit[0] * limit[1] * limit[2]);
  return std::move(program_);
}

Program assemble(const ptx::Module& module, const ptx::Function& kernel, const Addresses& addresses) {
  return Assembler(module, addresses).run(kernel);
}

}  // namespace standin
