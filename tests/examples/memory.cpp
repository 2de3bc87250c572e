// Arrays owned and borrowed: layouts, results in the caller's memory, overlap, the catalog as data.
#include <cstdio>
#include <engine/engine.hpp>
#include <vector>

#include "check.hpp"

int main() {
  std::vector<double> field{0, 1, 2, 3, 4, 5};
  const engine::ArrayView rows = engine::view(field, {2, 3});
  const engine::ArrayView columns = engine::view(field.data(), {3, 2}, {8, 24});  // the same memory, transposed
  check(engine::evaluate("all(a == b.T)", {{"a", rows}, {"b", columns}}).item<bool>());

  engine::Array total(engine::DType::Float64, {3});
  engine::evaluate_into(total.view(), "sum(a, axis=0)", {{"a", rows}});
  check(total.at<double>(2) == 7);

  // The result may overlap what is read: it is as if the right side had been finished first.
  engine::evaluate_into(engine::view(field.data() + 1, {5}), "a + 100", {{"a", engine::view(field.data(), {5})}});
  check(field == std::vector<double>{0, 100, 101, 102, 103, 104});

  const engine::Function* row = engine::find_function("hypot");
  std::printf("%s(%s): %s\n", row->name.data(), row->arguments.data(), row->sentence.data());
  check(row->arguments == "x, y");
  return failures();
}
