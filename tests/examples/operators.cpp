// The same expressions built with C++ operators.
#include <engine/engine.hpp>
#include <vector>

#include "check.hpp"

using engine::Array;
using engine::Expr;
using engine::Slice;

// One step of the heat equation, as a function of expressions: nothing is computed here.
Expr step(const Expr& u, const Expr& rate) {
  const Slice inner{1, -1}, left{std::nullopt, -2}, right{2};
  return u(inner, inner) + rate * (u(left, inner) + u(right, inner) + u(inner, left) + u(inner, right) - 4 * u(inner, inner));
}

int main() {
  std::vector<float> field(25, 0.0f);
  field[12] = 1.0f;
  const Expr u = engine::view(field, {5, 5});

  // C++ numbers are Python's: the result is float32, as the array is.
  const Array v = evaluate(step(u, 0.25));
  check(v.dtype() == engine::DType::Float32 && v.at<float>(1, 1) == 0.0f && v.at<float>(0, 1) == 0.25f);

  // Functions are found by their arguments, reductions take their keywords in braces.
  const Array share = evaluate(u / sum(u, {.axis = 0, .keepdims = true}) > 0.5);
  const Array level = evaluate(where(u > 0, sqrt(u), -1.0));
  check(share.at<bool>(2, 2) && level.at<float>(0, 0) == -1.0f);

  // Names get their meaning at the call, and the text is there to be read.
  const Expr line = 2 * engine::named("x") + engine::named("y");
  check(line.text() == "2 * x + y");
  check(evaluate(line, {{"x", 3.0}, {"y", engine::view(field)}}).size() == 25);
  return failures();
}
