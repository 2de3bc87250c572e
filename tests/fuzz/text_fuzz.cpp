// Any bytes as a program over a few operands: a result or an engine::Error, never a crash, within bounded memory.
#include <engine/engine.hpp>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Result {
  std::unique_ptr<char[]> memory;
  static void* allocate(void* context, engine::DType, const engine::Shape&, const engine::Strides&, std::size_t bytes) {
    auto* self = static_cast<Result*>(context);
    self->memory.reset(new char[bytes + 1]);
    return self->memory.get();
  }
};

using namespace engine;

using Memory = std::array<std::array<double, 24>, 8>;

/// The name's first letter chooses what an operand is, so that the fuzzer can mix all kinds.
Operand operand_for(std::string_view name, std::array<double, 24>& memory) {
  Operand operand;
  operand.present = true;
  switch (name[0] % 6) {
    case 0:
      operand.weak = Weak::Int;
      operand.scalar[0] = std::byte{3};
      break;
    case 1:
      operand.array = {memory.data(), DType::Int64, false, true, {4, 6}, {48, 8}};
      break;
    case 2:
      operand.array = {memory.data(), DType::Bool, false, true, {6}, {8}};
      break;
    case 3:
      operand.array = {memory.data(), DType::Complex64, false, true, {4, 6}, {48, 8}};
      break;
    case 4:
      operand.array = {memory.data() + 23, DType::Int16, true, true, {4, 6}, {-48, -8}};
      break;
    default:
      operand.array = {memory.data(), DType::Float64, false, true, {4, 6}, {48, 8}};
      break;
  }
  return operand;
}

void run_program(std::string text, Memory& memory) {
  Options options;
  options.limits.result_bytes = 1 << 20;
  const auto program = Program::compile(std::move(text), options);
  std::array<Operand, 8> operands;
  if (program.n_names() > operands.size()) return;
  for (std::size_t i = 0; i < program.n_names(); ++i) operands[i] = operand_for(program.name(i), memory[i]);
  Result result;
  Execution execution(program, operands.data(), nullptr, Order::K, {&Result::allocate, &result});
  if (execution.work() < 1e7) execution.run();
}

/// `how`: boundaries and the number of steps.
void run_stencil(unsigned char how, std::string text, Memory& memory) {
  StencilOptions options;
  options.beyond = Beyond({Sides(static_cast<Boundary>(how % 7), static_cast<Boundary>(how / 7 % 7))}, 1);
  options.options.limits.result_bytes = 1 << 20;
  const auto stencil = Stencil::compile(std::move(text), options);
  std::array<Operand, 8> operands;
  if (stencil.n_names() > operands.size()) return;
  for (std::size_t i = 0; i < stencil.n_names(); ++i) operands[i] = operand_for(stencil.name(i), memory[i]);
  std::vector<std::unique_ptr<char[]>> made;
  std::vector<ArrayView> targets;
  for (const Stencil::Updated& updated : stencil.updates(operands.data(), true)) {
    const std::size_t item = item_size(updated.dtype);
    made.emplace_back(new char[static_cast<std::size_t>(n_items(updated.shape)) * item + 1]);
    targets.push_back({made.back().get(), updated.dtype, false, true, updated.shape, c_strides(updated.shape, item)});
  }
  stencil.run(operands.data(), targets, {.steps = how / 49});
}

}  // namespace

/// Programs; after '@' and a byte that chooses how, stencils.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  Memory memory{};
  for (std::size_t i = 0; i < memory.size(); ++i)
    for (std::size_t k = 0; k < 24; ++k) memory[i][k] = static_cast<double>(k * (i + 1)) - 20.5;
  const auto text = [&](std::size_t from) { return std::string(reinterpret_cast<const char*>(data) + from, size - from); };
  try {
    if (size > 2 && data[0] == '@')
      run_stencil(data[1], text(2), memory);
    else
      run_program(text(0), memory);
  } catch (const InternalError&) {
    __builtin_trap();
  } catch (const Error&) {
  }
  return 0;
}
