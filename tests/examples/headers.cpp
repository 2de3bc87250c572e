// The examples of the public headers, each as it stands there.
#include <algorithm>
#include <array>
#include <cstdio>
#include <engine/engine.hpp>
#include <memory>
#include <string>
#include <vector>

#include "check.hpp"

namespace engine {
namespace {

template <class... Values>
void use(const Values&...) {}

void arrays() {
  std::vector<double> field(12, 1.0);
  const ArrayView a = view(field, {3, 4});
  Array zeros(DType::Float32, {3, 4});
  check(a.strides == Strides{32, 8} && zeros.at<float>(2, 3) == 0);
  check(name(DType::Float32) == "float32");
  check(to_float(to_float16(0.1)) == 0.0999755859375f);
  check(dtype_of<float> == DType::Float32);
  check(c_strides({3, 4}, 8) == Strides{32, 8});
  double data[6] = {0, 1, 2, 3, 4, 5};
  use(view(data, {2, 3}, {8, 16})  // Fortran order
  );
  use(view(data, {2, 3}), view(field), view(field, {3, 4}));
  const Array copy(view(field));
  check(copy.span<double>()[11] == 1.0);
  Array table({2, 2}, {1.0, 2.0, 3.0, 4.0});
  evaluate_into(zeros.view(), "2*a", {{"a", a}});
  check(zeros.at<float>(2, 3) == 2);
  double total = 0;
  for (double x : table.span<double>()) total += x;
  check(total == 10);
  check(table.at<double>(1, 0) == 3.0);
  check(evaluate("sum(a)", {{"a", a}}).item<double>() == 12);
}

void devices() {
  if (!probe(BackendChoice::Cuda).usable) return;
  double field[3] = {1, 2, 3};
  DeviceMemory memory(0, sizeof field);
  copy_to_device(memory.device(), memory.data(), field, sizeof field);
  std::puts(device_info(0).name.c_str());
  find_device(device_info(0).id);
  check(find_device(device_info(0).id) == 0);
  void* const stream = stream_of(0);
  start_after(0, stream);
  make_wait(0, stream);
  allow_background_compilation(true);
  wait_for_kernels();
  allow_background_compilation(false);
  ArrayView there = view(static_cast<double*>(memory.data()), {3});
  there.device = memory.device();
  execute("a[...] = 2*a", {{"a", there}});
  {
    const Program program = compile("x - max(x) / 2");
    const ArrayView x = there;
    DeviceMemory result(0, sizeof field);
    ArrayView out = view(static_cast<double*>(result.data()), {3});
    out.device = result.device();
    LaunchGraph graph;
    program.run_into(out, {{"x", x}}, {.graph = &graph});
    program.run_into(out, {{"x", x}}, {.graph = &graph});
    double values[3];
    copy_to_host(result.device(), values, result.data(), sizeof values);
    check(values[2] == 3 && graph.stats().replays == 2 && graph.stats().captures == 1);
  }
  copy_to_host(memory.device(), field, memory.data(), sizeof field);
  check(device_of(memory.data()) == 0);
  check(field[2] == 6);
}

void backends_and_functions() {
  add_library_folders(std::array<std::string, 1>{"/opt/nvrtc/lib"});
  for (const auto& [name, value] : facts(BackendChoice::Cuda)) std::printf("%s: %s\n", name.c_str(), value.c_str());
  setenv("ENGINE_CACHE_DIR", "/nowhere/engine", 1);  // not the user's
  for (const CachedKernel& kernel : kernel_cache(BackendChoice::Cuda).kernels) std::printf("%s\n", kernel.name.c_str());
  clear_kernel_cache(BackendChoice::Cuda);
  for (const Backend& backend : backends()) std::printf("%s\n", backend.name.data());
  check(probe(BackendChoice::Interp).usable);
  for (const Function& row : functions()) std::printf("%s\n", row.name.data());
  check(find_function("asin")->name == "arcsin");
  check(function(0).name == "add");
  check(gradient("sin(a)*b", "a") == "b * cos(a)");
  Options options;
  options.order = Order::F;
  options.limits.result_bytes = 1 << 20;
  use(options);
  set_num_threads(2);
  check(num_threads() == 2);
  set_num_threads(0);
}

void errors() {
  std::vector<double> field(3, 1.0);
  const ArrayView a = view(field);
  bool caught = false;
  try {
    evaluate("2*(a", {{"a", a}});
  } catch (const ParseError& error) {
    std::puts(error.what());
    caught = true;
  }
  check(caught);
  check(name(ErrorKind::Shape) == "ShapeError");
  std::vector<double> many(12);
  try {
    evaluate("2*a + b", {{"a", view(many, {3, 4})}, {"b", view(many, {4, 3})}});
    check(false);
  } catch (const ShapeError& error) {
    check(error.what() == std::string(R"(cannot broadcast '2*a' with 'b'
  | 2*a + b
  | ^^^      shape (3, 4)
  |       ^  shape (4, 3)
  = help: axis 0 is 3 against 4: make them equal, or one of them 1)"));
  }
}

void texts() {
  std::vector<double> field{1, 2, 3}, smooth(3);
  const Operand factor = 2.0;
  check(factor.weak == Weak::Float);
  check(evaluate("2*a + b", {{"a", view(field)}, {"b", 0.5}}).at<double>(2) == 6.5);
  {
    const auto program = Program::compile("2*a + b");
    std::puts(program.explain({{"a", view(field)}, {"b", 0.5}}).c_str());
    use(program.predict({{"a", view(field)}, {"b", 0.5}}, "sm_90").seconds);
    const Array d = program.run({{"a", view(field)}, {"b", 0.5}});
    const Operand operands[] = {view(field), 0.5};
    use(program.halo(operands)[0].axes);
    program.precompile(operands);
    check(d.at<double>(0) == 2.5);
    check(last_run().traffic.bytes_read == 32);  // three elements and the number
  }
  {
    const auto program = compile("2*a + b");
    const Operand operands[] = {view(field), 0.5};  // in the order of program.name(i)
    const ArrayView out = view(smooth);
    Execution execution(program, operands, &out, Order::K, {nullptr, nullptr});
    execution.run({.threads = 1});
    check(smooth[1] == 4.5);
  }
  {
    const Array d = evaluate("2*a + b", {{"a", view(field)}, {"b", 0.5}});
    check(d.at<double>(0) == 2.5);
  }
  evaluate_into(view(field), "2*a", {{"a", view(field)}});
  check(field[2] == 6);
  execute("b[1:-1] = (a[:-2] + a[2:]) / 2", {{"a", view(field)}, {"b", view(smooth)}});
  check(smooth[1] == 4);
}

void expressions() {
  std::vector<double> field(12, 2.0), smooth(12);
  {
    const Expr u = view(field, {3, 4}), dt = 0.5;
    const Array v = evaluate(u + dt * (u - mean(u, {.axis = 0})));
    check(v.at<double>(2, 3) == 2);
  }
  const Expr half = 0.5;
  check(half.text() == "0.5");
  {
    const Expr a = view(field);
    const Expr b = Array({3}, {1.0, 2.0, 3.0});
    check(evaluate(a.pow(2) + b[0]).at<double>(11) == 5);
    evaluate_into(view(smooth), (a + 1) / 2);
    check(smooth[0] == 1.5);
  }
  const Expr a = view(field, {3, 4}), x = 3.0, y = 4.0;
  use(a(Slice{1, -1}, 0), a[0], a(ellipsis, newaxis));
  check(evaluate(a.T()).shape() == Shape{4, 3});
  check((2 * named("a") + named("b")).text() == "2 * a + b");
  use(evaluate(2 * named("a"), {{"a", view(field)}}), named("t", 0.5));
  use(a(Slice{1, -1}), a(Slice{.step = 2}), a(Slice{}));
  use(Over{.axis = 0}, Over{.axis = {0, -1}});
  use(sum(a, {.axis = 0, .keepdims = true}), var(a, {.ddof = 1}), max(a, {.initial = 0.0, .where = a > 0}));
  use(hypot(x, y), sum(a, {.axis = 0}), where(a > 0, a, -a), float32(a));
  use(call("hypot", {named("x"), named("y")}));
  check(evaluate(cast(a, DType::Float32)).dtype() == DType::Float32);
  check(write(named("a") + 1).text == "a + 1");
  const Array d = evaluate(2 * named("a") + 1, {{"a", view(field)}});
  check(d.size() == 12);
}

void stencils() {
  std::vector<double> field(12, 1.0), line(5, 2.0);
  {
    const Array smooth = stencil("0.25*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1])", {{"u", view(field, {3, 4})}});
    check(smooth.at<double>(0, 0) == 1.0);
  }
  const auto heat = Stencil::compile("u += k*(u[-1] + u[1] - 2*u)", {.beyond = {Boundary::Wrap}});
  heat.run({{"u", view(field)}, {"k", 0.1}}, {.steps = 100});
  const std::vector<Array> fields = heat.run({{"u", view(field)}, {"k", 0.1}}, {.steps = 100});
  check(fields.size() == 1 && fields[0].at<double>(5) == 1.0);
  const auto life = Stencil::compile("(a[-1] + a[1]) & 1", {.beyond = Boundary::Wrap});
  check(life.n_names() == 1);
  const Array smooth = stencil("0.5*(a[-1] + a[1])", {{"a", view(field)}});
  check(smooth.size() == 12);
  check(word(Boundary::Wrap) == "wrap");
}

void memory() {
  void* pages = take_pages(kRecycledBytes);
  give_pages(pages);
  check(trim() >= kRecycledBytes);
}

}  // namespace
}  // namespace engine

int main() {
  engine::memory();
  engine::devices();
  engine::arrays();
  engine::backends_and_functions();
  engine::errors();
  engine::texts();
  engine::expressions();
  engine::stencils();
  return failures();
}
