// plan/explain.cpp - the plan in words and figures.
#include <fmt/format.h>

#include "engine/catalog/op.hpp"
#include "engine/plan/plan.hpp"

namespace engine::plan {
namespace {

std::string buffer_name(const ir::Graph& graph, const Plan& plan, std::uint32_t index) {
  const Buffer& buffer = plan.buffers[index];
  switch (buffer.kind) {
    case Buffer::Kind::Slot:
      return std::string(graph.slots[buffer.slot].name);
    case Buffer::Kind::Result:
      return "result";
    case Buffer::Kind::Temporary:
      return fmt::format("t{}", index);
  }
  return {};
}

std::string slice_text(const ir::ViewItem& item) {
  if (item.kind == ir::ViewItem::Kind::New) return "None";
  if (item.kind == ir::ViewItem::Kind::Integer) return fmt::format("{}", item.start);
  std::string text = item.has_start ? fmt::format("{}:", item.start) : ":";
  if (item.has_stop) text += fmt::format("{}", item.stop);
  if (item.step != 1) text += fmt::format(":{}", item.step);
  return text;
}

std::string access_text(const ir::Graph& graph, const Plan& plan, const Access& access) {
  std::string text = buffer_name(graph, plan, access.buffer);
  for (std::uint32_t s = 0; s < access.n_steps; ++s) {
    const ir::ViewSpec& spec = graph.views[plan.access_steps[access.first_step + s].view];
    if (spec.transpose) {
      text += ".T";
      continue;
    }
    text += "[";
    bool first = true;
    for (const ir::ViewItem& item : graph.items(spec)) {
      if (!first) text += ", ";
      text += slice_text(item);
      first = false;
    }
    text += "]";
  }
  return text;
}

void explain_kernel(const ir::Graph& graph, const Plan& plan, const Kernel& kernel, std::string& text) {
  std::size_t operations = 0, read = 0, written = 0;
  const std::span<const Instr> body = plan.body(kernel);
  for (std::size_t i = 0; i < body.size(); ++i) {
    const Instr& instr = body[i];
    text += fmt::format("    %{} = ", i);
    switch (instr.kind) {
      case Instr::Kind::Load:
        text += "load " + access_text(graph, plan, plan.accesses[instr.payload]);
        if (!instr.uniform) read += item_size(instr.dtype);
        break;
      case Instr::Kind::Constant:
        text += "constant";
        break;
      case Instr::Kind::Position:
        text += fmt::format("position along axis -{}", instr.payload);
        break;
      case Instr::Kind::Cast:
        text += fmt::format("cast %{}", instr.args[0]);
        break;
      case Instr::Kind::Apply: {
        text += std::string(catalog::info(static_cast<catalog::Op>(instr.op)).name());
        for (std::uint32_t arg : instr.args)
          if (arg != kNone) text += fmt::format(" %{}", arg);
        if (!instr.uniform) ++operations;
        break;
      }
    }
    text += fmt::format(" : {}{}\n", name(instr.dtype), instr.uniform ? " (once)" : "");
  }
  for (const Store& store : plan.stores_of(kernel)) {
    const Access& access = plan.accesses[store.access];
    text += fmt::format("    store %{} -> {}\n", store.value, access_text(graph, plan, access));
    written += item_size(plan.buffers[access.buffer].dtype);
  }
  for (const Fold& fold : plan.folds_of(kernel))
    text += fmt::format("    {} of %{} -> {}\n", catalog::info(fold.reduction).name, fold.value, buffer_name(graph, plan, fold.buffer));
  text += fmt::format("    per element: {} operations, {} bytes read, {} bytes written\n", operations, read, written);
}

}  // namespace

std::string explain(const ir::Graph& graph, const Plan& plan) {
  std::string text = fmt::format("{}\n", graph.text);
  std::size_t passes = 0;
  for (const Action& action : plan.actions) passes += action.kind == Action::Kind::Run ? (action.fused != kNone ? 1 : action.count) : 0;
  std::size_t temporaries = 0;
  for (const Buffer& buffer : plan.buffers) temporaries += buffer.kind == Buffer::Kind::Temporary;
  text += fmt::format("{} fused pass{} over memory, {} intermediate buffer{}\n", passes, passes == 1 ? "" : "es", temporaries,
                      temporaries == 1 ? "" : "s");
  std::size_t number = 0;
  for (const Action& action : plan.actions) {
    if (action.kind == Action::Kind::Check) {
      text += fmt::format("  check that t{} is not negative\n", action.buffer);
      continue;
    }
    const bool fused = action.fused != kNone;
    for (std::uint32_t k = 0; k < (fused ? 1 : action.count); ++k) {
      const Kernel& kernel = plan.kernels[fused ? action.fused : action.first + k];
      text += fmt::format("  pass {}: rank {}", ++number, plan.shapes[kernel.space].rank);
      if (fused) text += fmt::format(", {} statements at once where their targets are disjoint", action.count);
      text += "\n";
      explain_kernel(graph, plan, kernel, text);
    }
  }
  return text;
}

}  // namespace engine::plan
