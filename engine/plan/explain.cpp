// plan/explain.cpp - the plan in words and figures.
#include <fmt/format.h>

#include <utility>

#include "engine/base/boundary.hpp"
#include "engine/base/json.hpp"
#include "engine/catalog/op.hpp"
#include "engine/plan/explain.hpp"

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
    case Buffer::Kind::Passing:
      return fmt::format("t{}", index);
  }
  return {};
}

std::string slice_text(const ir::ViewItem& item) {
  if (item.kind == ir::ViewItem::Kind::New) return "None";
  if (item.kind == ir::ViewItem::Kind::Integer) return fmt::format("{}", item.start);
  if (item.is_shift())
    return item.start == 0
               ? ":"
               : fmt::format("{:+} {}", item.start,
                             item.low == item.high ? std::string(word(item.low)) : fmt::format("{}|{}", word(item.low), word(item.high)));
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

/// "cumsum along axis 1", "sort along all elements".
std::string order_text(const Action& action) {
  const catalog::OrderedInfo& row = catalog::info(action.ordered);
  if (catalog::info(row.form).extent != catalog::Extent::Same) return std::string(row.name);
  return fmt::format("{}{} along {}", row.name, action.spec.exclusive ? ", exclusive," : "",
                     action.spec.is_flat() ? "all elements" : fmt::format("axis {}", action.spec.axis()));
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
    const bool passes = plan.buffers[access.buffer].kind == Buffer::Kind::Passing;
    text += fmt::format("    {} %{} -> {}\n", passes ? "pass on" : "store", store.value, access_text(graph, plan, access));
    if (!passes) written += item_size(plan.buffers[access.buffer].dtype);
  }
  for (const Fold& fold : plan.folds_of(kernel))
    text += fmt::format("    {} of %{} -> {}\n", catalog::info(fold.reduction).name, fold.value, buffer_name(graph, plan, fold.buffer));
  text += fmt::format("    per element: {} operations, {} bytes read, {} bytes written\n", operations, read, written);
}

}  // namespace

std::string explain(const ir::Graph& graph, const Plan& plan) {
  std::string text = fmt::format("{}\n", graph.text);
  std::size_t passes = 0;
  for (const Action& action : plan.actions) {
    if (action.kind == Action::Kind::Run) passes += action.fused != kNone ? 1 : action.count;
    for (const Action::Source& source : action.all_sources()) passes += source.kernel != kNone;
  }
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
    if (action.kind == Action::Kind::Order) {
      std::string sources;
      for (const Action::Source& source : action.all_sources()) {
        sources += (sources.empty() ? "" : ", ") + buffer_name(graph, plan, source.buffer);
        if (source.kernel == kNone) continue;
        const Kernel& kernel = plan.kernels[source.kernel];
        text += fmt::format("  pass {}: rank {}\n", ++number, plan.shapes[kernel.space].rank);
        explain_kernel(graph, plan, kernel, text);
      }
      text += fmt::format("  {} of {} -> {}\n", order_text(action), sources, buffer_name(graph, plan, action.buffer));
      continue;
    }
    const bool fused = action.fused != kNone;
    for (std::uint32_t k = 0; k < (fused ? 1 : action.count); ++k) {
      const Kernel& kernel = plan.kernels[fused ? action.fused : action.first + k];
      text += fmt::format("  pass {}: rank {}", ++number, plan.shapes[kernel.space].rank);
      if (fused) text += fmt::format(", {} statements at once where their targets have one shape and are disjoint", action.count);
      text += "\n";
      explain_kernel(graph, plan, kernel, text);
    }
  }
  return text;
}

KernelWork work_of(const Plan& plan, const Kernel& kernel) {
  KernelWork work;
  bool only_loads = true;
  for (const Instr& instr : plan.body(kernel)) {
    only_loads = only_loads && instr.kind == Instr::Kind::Load;
    if (instr.kind == Instr::Kind::Apply) ++(instr.uniform ? work.once : work.per_element);
  }
  work.is_copy = only_loads && kernel.n_stores > 0 && kernel.n_folds == 0;
  for (const Store& store : plan.stores_of(kernel))
    work.is_copy = work.is_copy && plan.buffers[plan.accesses[store.access].buffer].kind == Buffer::Kind::Temporary;
  return work;
}

SimpleWork simple_work_of(const Plan& plan) {
  const Kernel& kernel = plan.kernels[0];
  const KernelWork work = work_of(plan, kernel);
  SimpleWork simple{.operations = work.per_element + kernel.n_folds, .operations_once = work.once};
  for (const Fold& fold : plan.folds_of(kernel)) {  // into a temporary, which is copied to the result
    const auto item = static_cast<std::uint32_t>(item_size(plan.buffers[fold.buffer].dtype));
    ++simple.kernels;
    simple.bytes_read_once += item;
    simple.bytes_written_once += 2 * item;
  }
  for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
    const Buffer& buffer = plan.buffers[plan.accesses[kernel.first_access + k].buffer];
    const auto item = static_cast<std::uint32_t>(item_size(buffer.dtype));
    if (buffer.kind == Buffer::Kind::Result) {
      simple.bytes_written += item;
    } else if (plan.shapes[buffer.shape].rank == 0) {
      simple.bytes_read_once += item;
    } else {
      simple.bytes_read += item;
    }
  }
  return simple;
}

namespace {

std::string json_instruction(const ir::Graph& graph, const Plan& plan, const Instr& instr) {
  std::string text;
  switch (instr.kind) {
    case Instr::Kind::Load:
      text = fmt::format("\"kind\": \"load\", \"from\": {}", json_string(access_text(graph, plan, plan.accesses[instr.payload])));
      break;
    case Instr::Kind::Constant:
      text = "\"kind\": \"constant\"";
      break;
    case Instr::Kind::Position:
      text = fmt::format("\"kind\": \"position\", \"axis\": -{}", instr.payload);
      break;
    case Instr::Kind::Cast:
      text = fmt::format("\"kind\": \"cast\", \"arguments\": [{}]", instr.args[0]);
      break;
    case Instr::Kind::Apply: {
      text = fmt::format("\"kind\": \"apply\", \"operation\": {}, \"arguments\": [",
                         json_string(catalog::info(static_cast<catalog::Op>(instr.op)).name()));
      const char* comma = "";
      for (std::uint32_t arg : instr.args)
        if (arg != kNone) text += fmt::format("{}{}", std::exchange(comma, ", "), arg);
      text += "]";
      break;
    }
  }
  return fmt::format("{{{}, \"dtype\": \"{}\", \"once\": {}}}", text, name(instr.dtype), instr.uniform);
}

std::string json_kernel(const ir::Graph& graph, const Plan& plan, const Binding& binding, const BoundKernel& bound) {
  const Kernel& kernel = *bound.kernel;
  std::string text = fmt::format("{{\"elements\": {}, \"rank\": {}, \"instructions\": [", bound.total, plan.shapes[kernel.space].rank);
  const char* comma = "";
  for (const Instr& instr : plan.body(kernel)) text += std::exchange(comma, ", ") + json_instruction(graph, plan, instr);
  text += "], \"stores\": [";
  comma = "";
  for (const Store& store : plan.stores_of(kernel))
    text += fmt::format("{}{{\"value\": {}, \"to\": {}}}", std::exchange(comma, ", "), store.value,
                        json_string(access_text(graph, plan, plan.accesses[store.access])));
  text += "], \"reductions\": [";
  comma = "";
  for (const Fold& fold : plan.folds_of(kernel))
    text += fmt::format("{}{{\"operation\": {}, \"value\": {}, \"to\": {}}}", std::exchange(comma, ", "),
                        json_string(catalog::info(fold.reduction).name), fold.value, json_string(buffer_name(graph, plan, fold.buffer)));
  Traffic traffic;
  add_traffic(plan, binding, bound, work_of(plan, kernel), traffic);
  return text + fmt::format("], {}}}", json_traffic(traffic));
}

}  // namespace

std::string json_traffic(const Traffic& t) {
  return fmt::format("\"operations\": {}, \"bytes_read\": {}, \"bytes_written\": {}, \"copies\": {}, \"bytes_copied\": {}", t.operations,
                     t.bytes_read, t.bytes_written, t.copies, t.bytes_copied);
}

std::string json_kernels(const ir::Graph& graph, const Plan& plan, const Binding& binding) {
  std::string text = "[";
  const char* comma = "";
  for (const Binding::Step& step : binding.steps)
    for (const BoundKernel& bound : step.kernels) text += std::exchange(comma, ", ") + json_kernel(graph, plan, binding, bound);
  return text + "]";
}

std::string json_buffers(const ir::Graph& graph, const Plan& plan, std::span<const Operand* const> slots, const Binding& binding) {
  static constexpr std::string_view kKinds[] = {"operand", "temporary", "result", "passing"};
  std::string text = "[";
  const char* comma = "";
  for (std::uint32_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    Shape shape;
    if (buffer.kind == Buffer::Kind::Result) {
      shape = binding.result.shape;
    } else if (buffer.kind != Buffer::Kind::Slot) {
      shape = binding.buffers[i].shape;
    } else if (slots[buffer.slot]->weak == Weak::No) {
      shape = slots[buffer.slot]->array.shape;
    }
    std::string extents;
    for (std::int64_t extent : shape)
      extents += (extents.empty() ? "" : ", ") + (extent == kUnknown ? std::string("null") : fmt::format("{}", extent));
    text +=
        fmt::format("{}{{\"name\": {}, \"kind\": \"{}\", \"dtype\": \"{}\", \"shape\": [{}]}}", std::exchange(comma, ", "),
                    json_string(buffer_name(graph, plan, i)), kKinds[static_cast<std::size_t>(buffer.kind)], name(buffer.dtype), extents);
  }
  return text + "]";
}

}  // namespace engine::plan
