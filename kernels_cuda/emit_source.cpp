// kernels_cuda/emit_source.cpp - kernels that read what a body computes wherever they want it: steps of operations along an axis,
// whose argument then needs no memory. See device/ordered.cuh.
#include "kernels_cuda/cub.hpp"
#include "kernels_cuda/prelude.hpp"
#include "kernels_cuda/writer.hpp"

namespace engine::cuda {
namespace {

using Kind = Parameter::Kind;

class SourceEmitter : KernelWriter {
 public:
  SourceEmitter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout, const StepText& step)
      : KernelWriter(graph, plan, kernel, layout), step_(step) {}

  KernelText emit() {
    stride_parameters();
    for (int axis = 1; axis < layout_.rank; ++axis) divisor_parameters(axis);
    for (std::uint32_t i = 0; i < step_.parameters.size(); ++i)
      parameter(Kind::Argument, step_.parameters[i].first, step_.parameters[i].second, 8, i);
    const int last = std::max(layout_.rank - 1, 0);
    line("  const auto source = [&](long at) {{");
    line("    [[maybe_unused]] {0} i{1} = static_cast<{0}>(at);", index_type(), last);
    take_apart(0, layout_.rank, "    ");
    for (std::size_t i = 0; i < load_access_.size(); ++i) {
      const std::uint32_t k = load_access_[i];
      if (is_single(k)) continue;
      const std::string at = place(k, fmt::format("p{}", k), 0, layout_.rank);
      line("    const {} v{} = {};", lane(k), i, is_position(k) ? at : loaded(k, at));
    }
    line("    {} value;", lane(store_access_[0]));
    line("    {};", element([](std::size_t i, std::uint32_t) { return fmt::format("v{}", i); }, [](std::size_t) { return "value"; }));
    line("    return value;\n  }};");
    line("{}", step_.body);
    return assemble(step_.types);
  }

 private:
  const StepText& step_;
};

}  // namespace

KernelText emit_source(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout,
                       const StepText& step) {
  return SourceEmitter(graph, plan, kernel, layout, step).emit();
}

KernelText emit_step(const StepText& step) {
  KernelText result;
  std::string list;
  for (std::uint32_t i = 0; i < step.parameters.size(); ++i) {
    const auto& [type, name] = step.parameters[i];
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", type, name);
    result.parameters.push_back({Kind::Argument, i, 0, 8});
  }
  const std::string text = framed(step.types, list, step.body + "\n");
  if (step.needs_cub) result.text = kCubInclude;
  result.text += prelude_for(text, {.complex = step.has_complex}) + text;
  return result;
}

}  // namespace engine::cuda
