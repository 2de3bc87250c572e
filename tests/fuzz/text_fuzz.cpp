// Any bytes as a program over a few operands: a result or an engine::Error, never a crash, within bounded memory.
#include <engine/engine.hpp>

#include <array>
#include <memory>

namespace {

struct Result {
  std::unique_ptr<char[]> memory;
  static void* allocate(void* context, engine::DType, const engine::Shape&, const engine::Strides&, std::size_t bytes) {
    auto* self = static_cast<Result*>(context);
    self->memory.reset(new char[bytes + 1]);
    return self->memory.get();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace engine;
  try {
    Options options;
    options.limits.result_bytes = 1 << 20;
    const auto program = Program::compile(std::string(reinterpret_cast<const char*>(data), size), options);
    std::array<std::array<double, 24>, 8> memory{};
    for (std::size_t i = 0; i < memory.size(); ++i)
      for (std::size_t k = 0; k < 24; ++k) memory[i][k] = static_cast<double>(k * (i + 1)) - 20.5;
    std::array<Operand, 8> operands;
    if (program->n_names() > operands.size()) return 0;
    for (std::size_t i = 0; i < program->n_names(); ++i) {
      Operand& operand = operands[i];
      operand.present = true;
      // The name's first letter chooses what it is, so that the fuzzer can mix all kinds.
      switch (program->name(i)[0] % 6) {
        case 0:
          operand.weak = Weak::Int;
          operand.scalar[0] = std::byte{3};
          break;
        case 1:
          operand.array = {memory[i].data(), DType::Int64, false, true, {4, 6}, {48, 8}};
          break;
        case 2:
          operand.array = {memory[i].data(), DType::Bool, false, true, {6}, {8}};
          break;
        case 3:
          operand.array = {memory[i].data(), DType::Complex64, false, true, {4, 6}, {48, 8}};
          break;
        case 4:
          operand.array = {memory[i].data() + 23, DType::Int16, true, true, {4, 6}, {-48, -8}};
          break;
        default:
          operand.array = {memory[i].data(), DType::Float64, false, true, {4, 6}, {48, 8}};
          break;
      }
    }
    Result result;
    Execution execution(*program, operands.data(), nullptr, Order::K, {&Result::allocate, &result});
    if (execution.work() < 1e7) execution.run();
  } catch (const InternalError&) {
    __builtin_trap();
  } catch (const Error&) {
  }
  return 0;
}
