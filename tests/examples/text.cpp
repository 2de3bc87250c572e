// An expression as text: arrays and numbers by name, a program kept for many calls, an error with its caret.
#include <cstdio>
#include <engine/engine.hpp>
#include <vector>

#include "check.hpp"

int main() {
  std::vector<double> a{1, 2, 3}, b{10, 20, 30};

  const engine::Array d = engine::evaluate("2*a + b*t", {{"a", engine::view(a)}, {"b", engine::view(b)}, {"t", 0.5}});
  for (double x : d.span<double>()) std::printf("%g ", x);  // 7 14 21
  check(d.at<double>(1) == 14);

  const auto program = engine::compile("sum((a - mean(a))**2)");
  for (auto* data : {&a, &b}) std::printf("%g\n", program.run({{"a", engine::view(*data)}}).item<double>());  // 2, 200
  check(program.run({{"a", engine::view(b)}}).item<double>() == 200);

  try {
    engine::evaluate("2*a + c", {{"a", engine::view(a)}});
    check(false);
  } catch (const engine::UnknownName& error) {
    std::puts(error.what());
  }

  engine::execute("b[1:-1] = (a[:-2] + a[2:]) / 2", {{"a", engine::view(a)}, {"b", engine::view(b)}});
  check(b == std::vector<double>{10, 2, 30});
  return failures();
}
