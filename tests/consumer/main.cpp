// What a C++ user writes first: an expression over arrays of their own, an error with its caret.
#include <cstdio>
#include <engine/engine.hpp>
#include <vector>

int main() {
  std::vector<double> a{1, 2, 3}, b{10, 20, 30}, d(3);
  const auto view = [](std::vector<double>& v) {
    engine::ArrayView array;
    array.data = v.data();
    array.dtype = engine::DType::Float64;
    array.shape.push_back(static_cast<std::int64_t>(v.size()));
    array.strides.push_back(sizeof(double));
    return array;
  };
  const auto program = engine::Program::compile("2*a + b");
  engine::Operand operands[2];
  for (std::size_t i = 0; i < program->n_names(); ++i) {
    operands[i].present = true;
    operands[i].array = view(program->name(i) == "a" ? a : b);
  }
  const engine::ArrayView out = view(d);
  engine::Execution execution(*program, operands, &out, engine::Order::K, {nullptr, nullptr});
  execution.run();
  try {
    engine::Program::compile("2*(a");
    return 2;
  } catch (const engine::ParseError& error) {
    std::printf("%s\n", error.what());
  }
  std::printf("%s %g %g %g\n", engine::version().data(), d[0], d[1], d[2]);
  return d[0] == 12 && d[1] == 24 && d[2] == 36 ? 0 : 1;
}
