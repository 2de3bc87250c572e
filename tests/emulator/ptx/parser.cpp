// ptx/parser.cpp - the grammar of PTX (PTX ISA 9.0, chapters 4 to 6 and 11), as far as NVRTC and inline assembly use it.
#include "tests/emulator/ptx/parser.hpp"

#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "tests/emulator/ptx/cursor.hpp"
#include "tests/emulator/ptx/scope.hpp"

namespace standin::ptx {
namespace {

struct TypeRow {
  std::string_view name;
  Type type;
  int size;
  char kind;  // b(its), u(nsigned), s(igned), f(loat), p(redicate)
};

constexpr TypeRow kTypes[] = {
    {"pred", Type::Pred, 0, 'p'}, {"b8", Type::B8, 1, 'b'},      {"b16", Type::B16, 2, 'b'}, {"b32", Type::B32, 4, 'b'},
    {"b64", Type::B64, 8, 'b'},   {"b128", Type::B128, 16, 'b'}, {"u8", Type::U8, 1, 'u'},   {"u16", Type::U16, 2, 'u'},
    {"u32", Type::U32, 4, 'u'},   {"u64", Type::U64, 8, 'u'},    {"s8", Type::S8, 1, 's'},   {"s16", Type::S16, 2, 's'},
    {"s32", Type::S32, 4, 's'},   {"s64", Type::S64, 8, 's'},    {"f16", Type::F16, 2, 'f'}, {"f16x2", Type::F16x2, 4, 'f'},
    {"f32", Type::F32, 4, 'f'},   {"f64", Type::F64, 8, 'f'},
};

const TypeRow& row(Type type) { return kTypes[static_cast<int>(type)]; }

class Parser {
 public:
  explicit Parser(Module& module) : module_(module), in_(module.text) {}

  void run() {
    while (!in_.at_end()) directive();
    link();
  }

 private:
  void directive();
  void function(bool is_entry, bool is_extern);
  void variable(Space space, bool is_extern);
  void block();
  void statement();
  void registers();
  void body_directive(std::string_view name);
  void branch_targets(std::string_view name);
  void instruction();
  void limits(std::string_view name, Function& function);
  std::vector<std::uint32_t> parameters();
  Variable declaration(Space space);
  void dimensions(Variable& variable);
  void initialiser(Variable& variable);
  void initial_value(Variable& variable, std::uint64_t& at);
  Operand operand(std::string_view opcode);
  Operand named(std::string_view name);
  Operand vector();
  Operand address();
  void call(Instruction& instruction);
  Operand list();
  void link();

  Module& module_;
  Cursor in_;
  Function* function_ = nullptr;
  Scopes scopes_;
  std::unordered_map<std::string_view, std::uint32_t> branch_lists_;
  std::unordered_map<std::string, std::uint32_t> globals_;
};

void Parser::directive() {
  bool is_extern = false;
  for (;;) {
    const std::string_view name = in_.directive();
    if (name == ".version") {
      const std::string version(in_.dotted());
      const std::size_t point = version.find('.');
      if (point == std::string::npos) in_.fail("version '" + version + "' is not understood");
      module_.version = std::atoi(version.c_str()) * 10 + std::atoi(version.c_str() + point + 1);
      return;
    }
    if (name == ".target") {
      module_.target = in_.word();
      while (in_.accept(',')) in_.word();
      return;
    }
    if (name == ".address_size") {
      if (in_.integer() != 64) in_.fail("only 64-bit addresses are executed");
      return;
    }
    if (name == ".visible" || name == ".weak" || name == ".common") continue;
    if (name == ".extern") {
      is_extern = true;
      continue;
    }
    if (name == ".entry") return function(true, is_extern);
    if (name == ".func") return function(false, is_extern);
    if (name == ".global") return variable(Space::Global, is_extern);
    if (name == ".const") return variable(Space::Const, is_extern);
    if (name == ".shared") return variable(Space::Shared, is_extern);
    if (name == ".file") return in_.skip_line();
    if (name == ".section") return in_.skip_past('}');
    if (name == ".pragma") return in_.skip_past(';');
    in_.fail("directive '" + std::string(name) + "' is not known");
  }
}

/// A variable outside functions.
void Parser::variable(Space space, bool is_extern) {
  do {
    Variable found = declaration(space);
    found.is_extern = is_extern;
    if (in_.accept('=')) initialiser(found);
    globals_[found.name] = static_cast<std::uint32_t>(module_.variables.size());
    module_.variables.push_back(std::move(found));
  } while (in_.accept(','));
  in_.expect(';');
}

/// [.align n] [.attribute(...)] .type name[dimensions]; the space is read already.
Variable Parser::declaration(Space space) {
  Variable found{.space = space, .align = 0};
  std::uint64_t vector = 1;
  bool is_pointer = false;  // then what follows speaks of what it points to
  for (;;) {
    const std::string_view name = in_.directive();
    if (name == ".align") {
      const auto align = static_cast<std::uint64_t>(in_.integer());
      if (!is_pointer) found.align = align;
    } else if (name == ".ptr") {
      is_pointer = true;
    } else if (name == ".v2" || name == ".v4") {
      vector = static_cast<std::uint64_t>(name[2] - '0');
    } else if (name == ".global" || name == ".const" || name == ".shared" || name == ".local") {
      continue;  // of `.param .u64 .ptr .global .align 8`
    } else if (name[0] == '.') {
      if (!type_of(name.substr(1), found.type)) in_.fail("declaration '" + std::string(name) + "' is not known");
      found.size = vector * static_cast<std::uint64_t>(row(found.type).size);
    } else {
      found.name = name;
      break;
    }
  }
  if (found.align == 0) found.align = found.size;
  dimensions(found);
  return found;
}

void Parser::dimensions(Variable& variable) {
  while (in_.accept('[')) {
    if (in_.accept(']')) {
      variable.size = 0;
      continue;
    }
    variable.size *= static_cast<std::uint64_t>(in_.integer());
    in_.expect(']');
  }
}

void Parser::initialiser(Variable& variable) {
  std::uint64_t at = 0;
  variable.content.resize(variable.size);
  initial_value(variable, at);
}

/// number | name [+ n] | generic(name) [+ n] | { value, ... }
void Parser::initial_value(Variable& variable, std::uint64_t& at) {
  if (in_.accept('{')) {
    if (in_.accept('}')) return;
    do initial_value(variable, at);
    while (in_.accept(','));
    return in_.expect('}');
  }
  const auto bytes = static_cast<std::uint64_t>(row(variable.type).size);
  if (at + bytes > variable.size) in_.fail("initialiser is longer than '" + variable.name + "'");
  if (in_.at_number()) {
    const std::uint64_t bits = in_.number().bits;
    std::memcpy(variable.content.data() + at, &bits, std::min<std::uint64_t>(bytes, 8));
  } else {
    Relocation found{.at = at, .name = std::string(in_.word()), .addend = 0, .generic = false};
    if (found.name == "generic" && in_.accept('(')) {
      found.generic = true;
      found.name = in_.word();
      in_.expect(')');
    }
    if (in_.accept('+')) found.addend = in_.integer();
    if (bytes != 8) in_.fail("an address is 8 bytes");
    variable.relocations.push_back(std::move(found));
  }
  at += bytes;
}

void Parser::limits(std::string_view name, Function& function) {
  auto three = [&](int(&to)[3]) {
    to[0] = static_cast<int>(in_.integer());
    to[1] = to[2] = 1;
    for (int i = 1; i < 3 && in_.accept(','); ++i) to[i] = static_cast<int>(in_.integer());
  };
  if (name == ".maxntid") return three(function.max_threads);
  if (name == ".reqntid") return three(function.required_threads);
  if (name == ".minnctapersm") return void(function.min_blocks = static_cast<int>(in_.integer()));
  if (name == ".maxnreg") return void(function.max_registers = static_cast<int>(in_.integer()));
  if (name == ".noreturn") return;
  if (name == ".pragma") return in_.skip_past(';');
  in_.fail("directive '" + std::string(name) + "' is not known");
}

std::vector<std::uint32_t> Parser::parameters() {
  std::vector<std::uint32_t> found;
  in_.expect('(');
  if (in_.accept(')')) return found;
  do {
    if (const auto space = in_.directive(); space != ".param") in_.fail("parameters in '" + std::string(space) + "' are not executed");
    found.push_back(static_cast<std::uint32_t>(function_->variables.size()));
    function_->variables.push_back(declaration(Space::Param));
    scopes_.add_variable(function_->variables.back().name, found.back());
  } while (in_.accept(','));
  in_.expect(')');
  return found;
}

/// .entry name (parameters) limits body   |   .func [(results)] name (parameters) limits (body | ;)
void Parser::function(bool is_entry, bool is_extern) {
  Function found;
  function_ = &found;
  found.is_entry = is_entry;
  found.line = in_.line();
  scopes_.open();
  if (in_.peek() == '(') found.results = parameters();
  found.name = in_.word();
  if (in_.peek() == '(') found.parameters = parameters();
  while (in_.peek() == '.') limits(in_.directive(), found);
  if (!in_.accept(';')) {
    if (is_extern) in_.fail("an external function with a body");
    found.is_defined = true;
    branch_lists_.clear();
    block();
  }
  scopes_.close(found, true);
  function_ = nullptr;
  for (Function& known : module_.functions) {  // the forward declaration gives way
    if (known.name != found.name) continue;
    if (found.is_defined) known = std::move(found);
    return;
  }
  module_.functions.push_back(std::move(found));
}

void Parser::block() {
  in_.expect('{');
  while (!in_.accept('}')) {
    if (in_.at_end()) in_.fail("'{' without its '}'");
    if (in_.peek() == '{') {
      scopes_.open();
      block();
      scopes_.close(*function_, false);
    } else {
      statement();
    }
  }
}

void Parser::statement() {
  if (in_.accept(';')) return;
  if (in_.peek() == '.') return body_directive(in_.directive());
  if (in_.peek() == '@' || !in_.at_word()) return instruction();
  Cursor ahead = in_;
  const std::string_view name = ahead.word();
  if (!ahead.accept(':')) return instruction();
  in_ = ahead;
  if (Cursor targets = in_; in_.peek() == '.' && targets.directive() == ".branchtargets") return branch_targets(name);
  if (!scopes_.add_label(name, static_cast<std::uint32_t>(function_->body.size()))) in_.fail("label '" + std::string(name) + "' twice");
}

void Parser::branch_targets(std::string_view name) {
  in_.directive();
  branch_lists_[name] = static_cast<std::uint32_t>(function_->branch_targets.size());
  auto& list = function_->branch_targets.emplace_back();
  do {
    list.push_back(0);
    scopes_.refer_from_list(in_.word(), static_cast<std::uint32_t>(function_->branch_targets.size() - 1),
                            static_cast<std::uint32_t>(list.size() - 1), in_.line());
  } while (in_.accept(','));
  in_.expect(';');
}

void Parser::body_directive(std::string_view name) {
  if (name == ".reg") return registers();
  if (name == ".loc") return in_.skip_line();
  if (name == ".pragma") return in_.skip_past(';');
  const std::pair<std::string_view, Space> kSpaces[] = {
      {".local", Space::Local}, {".shared", Space::Shared}, {".param", Space::Param}, {".global", Space::Global}, {".const", Space::Const}};
  for (const auto& [word, space] : kSpaces) {
    if (name != word) continue;
    do {
      Variable found = declaration(space);
      if (in_.accept('=')) initialiser(found);
      if (space == Space::Global || space == Space::Const) {
        scopes_.add_global(found.name, static_cast<std::uint32_t>(module_.variables.size()));
        module_.variables.push_back(std::move(found));
      } else {
        scopes_.add_variable(found.name, static_cast<std::uint32_t>(function_->variables.size()));
        function_->variables.push_back(std::move(found));
      }
    } while (in_.accept(','));
    return in_.expect(';');
  }
  in_.fail("directive '" + std::string(name) + "' is not known");
}

/// .reg .type name<n>, name, ... ;
void Parser::registers() {
  Type type;
  const std::string_view word = in_.directive();
  if (word[0] != '.' || !type_of(word.substr(1), type)) in_.fail("register type '" + std::string(word) + "' is not known");
  do {
    const std::string name(in_.word());
    const auto first = static_cast<std::uint32_t>(function_->registers.size());
    if (in_.accept('<')) {
      const auto n = static_cast<std::uint32_t>(in_.integer());
      in_.expect('>');
      scopes_.add_registers(name, n, first);
      for (std::uint32_t i = 0; i < n; ++i) function_->registers.push_back({name + std::to_string(i), type});
    } else {
      scopes_.add_register(name, first);
      function_->registers.push_back({name, type});
    }
  } while (in_.accept(','));
  in_.expect(';');
}

void Parser::instruction() {
  Instruction found;
  found.line = in_.line();
  if (in_.accept('@')) {
    found.guard_negated = in_.accept('!');
    const Operand guard = named(in_.word());
    if (guard.kind != OperandKind::Register || function_->registers[guard.index].type != Type::Pred) in_.fail("the guard is no predicate");
    found.guard = guard.index + 1;
    found.line = in_.line();
  }
  std::string_view rest = in_.dotted();
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t point = rest.find('.');
    const std::string_view part = rest.substr(0, point);
    if (first)
      found.opcode = part;
    else
      found.modifiers.push_back(part);
    rest = point == std::string_view::npos ? std::string_view{} : rest.substr(point + 1);
  }
  if (found.opcode == "call") {
    call(found);
  } else if (in_.peek() != ';') {
    do found.operands.push_back(operand(found.opcode));
    while (in_.accept(','));
  }
  in_.expect(';');
  function_->body.push_back(std::move(found));
}

/// call [(results),] name [, (parameters)]
void Parser::call(Instruction& instruction) {
  Operand results{.kind = OperandKind::List};
  if (in_.peek() == '(') {
    results = list();
    in_.expect(',');
  }
  Operand name{.kind = OperandKind::Name};
  name.name = in_.word();
  if (scopes_.find(name.name)) in_.fail("calls through a register are not executed");
  Operand arguments{.kind = OperandKind::List};
  if (in_.accept(',')) arguments = list();
  if (in_.peek() == ',') in_.fail("calls through a prototype are not executed");
  instruction.operands = {std::move(results), std::move(name), std::move(arguments)};
}

Operand Parser::list() {
  Operand found{.kind = OperandKind::List};
  in_.expect('(');
  if (in_.accept(')')) return found;
  do found.items.push_back(named(in_.word()));
  while (in_.accept(','));
  in_.expect(')');
  return found;
}

Operand Parser::operand(std::string_view opcode) {
  if (in_.peek() == '{') return vector();
  if (in_.peek() == '[') return address();
  if (in_.at_number()) {
    const Number number = in_.number();
    return {.kind = number.kind, .bits = number.bits};
  }
  if (in_.accept('!')) {
    Operand found = named(in_.word());
    found.negated = true;
    return found;
  }
  const std::string_view name = in_.word();
  if (opcode == "bra") {
    scopes_.refer_from_operand(name, static_cast<std::uint32_t>(function_->body.size()), in_.line());
    return {.kind = OperandKind::Label, .name = name};
  }
  if (const auto found = branch_lists_.find(name); opcode == "brx" && found != branch_lists_.end())
    return {.kind = OperandKind::Label, .index = found->second, .name = name};
  Operand found = named(name);
  if (in_.accept('|')) {
    const Operand second = named(in_.word());
    if (second.kind != OperandKind::Register && second.kind != OperandKind::Sink) in_.fail("expected a predicate after '|'");
    if (second.kind == OperandKind::Register) found.predicate = second.index + 1;
  }
  if (in_.accept('+')) found.offset = in_.integer();  // of a variable: mov %r, name+4
  return found;
}

Operand Parser::vector() {
  Operand found{.kind = OperandKind::Vector};
  in_.expect('{');
  do {
    found.items.push_back(operand(""));
  } while (in_.accept(','));
  in_.expect('}');
  return found;
}

/// [register + n], [variable + n], [n]
Operand Parser::address() {
  Operand found{.kind = OperandKind::Address};
  in_.expect('[');
  if (in_.at_number())
    found.offset = in_.integer();
  else
    found.items.push_back(named(in_.word()));
  if (in_.accept('+'))
    found.offset += in_.integer();
  else if (in_.peek() == '-')
    found.offset += in_.integer();
  in_.expect(']');
  return found;
}

Operand Parser::named(std::string_view name) {
  if (name == "_") return {.kind = OperandKind::Sink};
  if (const auto found = scopes_.find(name)) return *found;
  if (const auto found = globals_.find(std::string(name)); found != globals_.end())
    return {.kind = OperandKind::Global, .index = found->second, .name = name};
  if (name == "WARP_SZ") return {.kind = OperandKind::Integer, .bits = 32};
  if (name[0] != '%') in_.fail("'" + std::string(name) + "' is not declared");
  Operand found{.kind = OperandKind::Special, .name = name};
  if (in_.peek() == '.') {
    const std::string_view part = in_.dotted();
    found.name = std::string_view(name.data(), static_cast<std::size_t>(part.data() + part.size() - name.data()));
  }
  return found;
}

/// Every address in an initialiser names a variable of the module.
void Parser::link() {
  for (const Variable& variable : module_.variables)
    for (const Relocation& relocation : variable.relocations)
      if (!globals_.count(relocation.name))
        in_.fail("'" + relocation.name + "', in the initialiser of '" + variable.name + "', is not declared");
}

}  // namespace

int size_of(Type type) { return row(type).size; }
bool is_signed(Type type) { return row(type).kind == 's'; }
bool is_float(Type type) { return row(type).kind == 'f'; }

bool type_of(std::string_view word, Type& type) {
  for (const TypeRow& known : kTypes) {
    if (known.name != word) continue;
    type = known.type;
    return true;
  }
  return false;
}

Module parse(std::string text) {
  Module module;
  module.text = std::move(text);
  while (!module.text.empty() && module.text.back() == '\0') module.text.pop_back();
  // The views of the instructions must live as long as the module: its text is on the heap and never moves.
  module.text.reserve(64);
  Parser(module).run();
  return module;
}

}  // namespace standin::ptx
