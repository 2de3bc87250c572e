// What a C++ user writes first: an expression over arrays of their own, as text and with operators, an error with its caret.
#include <cstdio>
#include <engine/engine.hpp>
#include <vector>

int main() {
  std::vector<double> a{1, 2, 3}, b{10, 20, 30}, d(3);
  const engine::Array text = engine::evaluate("2*a + b", {{"a", engine::view(a)}, {"b", engine::view(b)}});

  const engine::Expr x = engine::view(a), y = engine::view(b);
  const engine::Array operators = evaluate(2 * x + y);
  const engine::Array total = evaluate(sum(where(x > 1, hypot(x, y), 0.0)));
  evaluate_into(engine::view(d), 2 * x + y);

  // The longer way, with control over memory and threads.
  const auto program = engine::compile("2*a + b");
  const engine::Operand operands[] = {engine::view(a), engine::view(b)};
  const engine::ArrayView out = engine::view(d);
  engine::Execution execution(program, operands, &out, engine::Order::K, {nullptr, nullptr});
  execution.run({.threads = 1});

  try {
    evaluate(engine::call("hypo", {x, y}));
    return 2;
  } catch (const engine::UnknownName& error) {
    std::printf("%s\n", error.what());
  }
  std::printf("%s %g %g %g %g\n", engine::version().data(), d[0], d[1], d[2], total.item<double>());
  for (int i = 0; i < 3; ++i)
    if (d[static_cast<std::size_t>(i)] != 12.0 * (i + 1) || text.at<double>(i) != 12.0 * (i + 1) ||
        operators.at<double>(i) != 12.0 * (i + 1))
      return 1;
  return 0;
}
