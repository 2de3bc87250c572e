// kernels_cuda/cost.cpp - see cost.hpp.
#include "kernels_cuda/cost.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/catalog/op.hpp"
#include "engine/plan/traffic.hpp"
#include "kernels_cuda/device.hpp"

namespace engine::cuda {
namespace {

/// Instructions of one function call, of which so many are FP64's where it is of float64: those that bench/gates.json counts.
struct Call {
  double slots, fp64;
};
Call call_of(catalog::Op op) {
  using catalog::Op;
  switch (op) {
    case Op::Power:
    case Op::Erf:
    case Op::Erfc:
    case Op::Gamma:
    case Op::Lgamma:
    case Op::Logaddexp:
    case Op::Logaddexp2:
      return {125, 85};
    default:
      return {45, 25};
  }
}

}  // namespace

Cost cost_of(const plan::Plan& plan, const plan::Kernel& kernel) {
  Cost cost;
  const auto add = [&](double slots, double fp64, DType dtype) {
    const double parts = is_complex(dtype) ? 3 : 1;  // a product has four, a sum has two
    const bool is_double = dtype == DType::Float64 || dtype == DType::Complex128;
    cost.slots += slots * parts;
    if (is_double) cost.fp64 += fp64 * parts;
  };
  for (const plan::Instr& instr : plan.body(kernel)) {
    if (instr.uniform) continue;
    if (instr.kind == plan::Instr::Kind::Load) {
      add(1, 0, instr.dtype);
    } else if (instr.kind == plan::Instr::Kind::Cast) {
      add(1, 1, instr.dtype);
    } else if (instr.kind == plan::Instr::Kind::Apply) {
      const auto op = static_cast<catalog::Op>(instr.op);
      const Call call = catalog::info(op).lowering.kind == catalog::Lowering::ByCall ? call_of(op) : Call{1, 1};
      add(call.slots, call.fp64, instr.dtype);
    }
  }
  for (const plan::Store& store : plan.stores_of(kernel)) {
    add(1, 0, plan.buffers[plan.accesses[store.access].buffer].dtype);
  }
  for (const plan::Fold& fold : plan.folds_of(kernel)) add(2, 1, plan.buffers[fold.buffer].dtype);
  return cost;
}

namespace {

/// Bytes that an operation along an axis moves besides those of the kernels that compute what it reads.
double bytes_of_order(const plan::Action& action, const plan::Plan& plan, const plan::Binding& binding) {
  const std::uint32_t source = action.sources[0].buffer;
  const auto item = static_cast<double>(item_size(plan.buffers[source].dtype)),
             n = static_cast<double>(n_items(binding.buffers[source].shape));
  using catalog::Form;
  switch (catalog::info(action.ordered).form) {
    case Form::Sort:
    case Form::Median:
    case Form::Quantile:
      return n * 2 * item * (item + 1);  // a pass for each byte of a key
    case Form::Argsort:
    case Form::Topk:
    case Form::Argtopk:
    case Form::Partition:
    case Form::Argpartition:
      return n * 2 * (item + 8) * (item + 1);
    default:
      return n * 3 * item;
  }
}

/// Data sheets, one device of each architecture.
struct Sheet {
  int architecture;
  std::string_view name;
  int multiprocessors;
  double hertz, bytes_per_second;
  int ratio;  ///< of float32's rate to float64's
};
constexpr Sheet kSheets[] = {
    {75, "NVIDIA T4", 40, 1.59e9, 320e9, 32},
    {80, "NVIDIA A100 SXM 80 GB", 108, 1.41e9, 2039e9, 2},
    {86, "NVIDIA A40", 84, 1.74e9, 696e9, 64},
    {89, "NVIDIA L40S", 142, 2.52e9, 864e9, 64},
    {90, "NVIDIA H100 SXM", 132, 1.98e9, 3352e9, 2},
    {100, "NVIDIA B200", 148, 1.965e9, 8000e9, 2},
    {120, "NVIDIA GeForce RTX 5090", 170, 2.407e9, 1792e9, 64},
};

/// What the kernels take of a device with these rates, and what copies of operands and results would.
run::Estimate estimate(const plan::Plan& plan, const plan::Binding& binding, const DeviceInfo& rates, std::string place) {
  /// Bytes a second between pageable memory and the device, in each direction, and what a launch takes.
  constexpr double kLink = 20e9, kLaunch = 4e-6;
  /// Of an operation along an axis, about.
  constexpr double kLaunches = 4;
  run::Estimate found;
  found.place = std::move(place);
  found.bytes_per_second = rates.bytes_per_second;
  double up = 0, down = 0;
  std::size_t number = 0;
  for (const plan::Binding::Step& step : binding.steps) {
    if (step.action->kind == plan::Action::Kind::Order) {
      const double bytes = bytes_of_order(*step.action, plan, binding);
      const double seconds = bytes / rates.bytes_per_second + kLaunches * kLaunch;
      found.seconds += seconds;
      found.bytes += bytes;
      found.text += fmt::format("  {} on {}: {:.3g} us\n", catalog::info(step.action->ordered).name, found.place, seconds * 1e6);
    }
    for (const plan::BoundKernel& kernel : step.kernels) {
      ++number;
      const Cost cost = cost_of(plan, *kernel.kernel);
      double bytes = 0;
      const auto add = [&](std::uint32_t buffer, std::uint64_t n, double& copied) {
        bytes += static_cast<double>(n);
        if (plan.buffers[buffer].kind != plan::Buffer::Kind::Temporary) copied += static_cast<double>(n);
      };
      plan::each_read(plan, kernel, [&](std::uint32_t buffer, std::uint64_t n) { add(buffer, n, up); });
      for (const plan::Store& store : plan.stores_of(*kernel.kernel)) {
        const plan::BoundAccess& access = kernel.accesses[store.access - kernel.kernel->first_access];
        add(plan.accesses[store.access].buffer, plan::bytes_under(kernel, access), down);
      }
      const auto total = static_cast<double>(kernel.total);
      const double times[] = {bytes / rates.bytes_per_second, cost.fp64 * total / rates.fp64_per_second,
                              cost.slots * total / rates.instructions_per_second};
      static constexpr std::string_view kNames[] = {"memory", "FP64", "instructions"};
      const double* const most = std::max_element(times, times + 3);
      found.seconds += *most + kLaunch;
      found.bytes += bytes;
      found.text +=
          fmt::format("  kernel {} on {}: {:.4g} bytes, {:.4g} FP64 operations, {:.4g} instructions an element; {} decide{}: {:.3g} us\n",
                      number, found.place, total > 0 ? bytes / total : 0, cost.fp64, cost.slots, kNames[most - times],
                      most == times + 2 ? "" : "s", (*most + kLaunch) * 1e6);
    }
  }
  found.copy_seconds = std::max(up, down) / kLink;
  return found;
}

}  // namespace

run::Estimate estimate(const plan::Plan& plan, const plan::Binding& binding, int device) {
  const int ordinal = std::max(device, 0);
  run::Estimate found = estimate(plan, binding, info_of(ordinal), fmt::format("cuda:{}", ordinal));
  if (device != kHost) found.copy_seconds = 0;
  return found;
}

run::Estimate predict(const plan::Plan& plan, const plan::Binding& binding, std::string_view architecture) {
  std::string known;
  for (const Sheet& sheet : kSheets) {
    const std::string name = fmt::format("sm_{}", sheet.architecture);
    if (name == architecture) {
      DeviceInfo rates;
      rates.bytes_per_second = sheet.bytes_per_second;
      rates.instructions_per_second = sheet.hertz * sheet.multiprocessors * 128;
      rates.fp64_per_second = fp64_rate(sheet.architecture, rates.instructions_per_second, sheet.ratio);
      return estimate(plan, binding, rates, std::string(sheet.name));
    }
    known += (known.empty() ? "" : ", ") + name;
  }
  throw BackendError({.what = fmt::format("there is no data sheet of \"{}\" to predict from", architecture),
                      .labels = {},
                      .help = fmt::format("there are {}", known),
                      .text = {}});
}

int bytes_at_once(const Cost& cost, int architecture) {
  if (cost.slots > 30 && cost.slots <= 100) return 64;
  return architecture / 10 == 10 ? 32 : 16;
}

}  // namespace engine::cuda
