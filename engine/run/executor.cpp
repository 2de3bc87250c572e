// run/executor.cpp - see executor.hpp.
#include "engine/run/executor.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <memory_resource>
#include <new>

#include "engine/catalog/evaluate.hpp"
#include "engine/run/interp/block.hpp"

namespace engine::run {
namespace {

constexpr std::size_t kAlignment = 64;

/// Registers of the interpreter: one block per thread, kept while it is small.
class Scratch {
 public:
  char* get(std::size_t bytes) {
    if (bytes > size_) {
      memory_.reset(new char[bytes + kAlignment]);
      size_ = bytes;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    return memory_.get() + (kAlignment - address % kAlignment) % kAlignment;
  }
  void trim() noexcept {
    if (size_ <= kKeep) return;
    memory_.reset();
    size_ = 0;
  }

 private:
  static constexpr std::size_t kKeep = std::size_t{1} << 20;
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

[[noreturn]] void out_of_memory(const ir::Graph& graph, std::size_t bytes) {
  throw OutOfMemory({.what = fmt::format("cannot allocate {} bytes of working memory", bytes),
                     .labels = {},
                     .help = "free some memory, or give an out that does not overlap the operands",
                     .text = std::string(graph.text)});
}

void check(const ir::Graph& graph, const plan::Plan& plan, const plan::Action& action, const plan::Binding& binding) {
  std::int64_t lowest = 0;
  catalog::cast_scalar(plan.buffers[action.buffer].dtype, DType::Int64, binding.buffers[action.buffer].base, &lowest);
  if (lowest >= 0) return;
  throw RangeError({.what = "integers to negative integer powers are not allowed",
                    .labels = {{action.span, fmt::format("the smallest exponent is {}", lowest)}},
                    .help = "make the base a float: float64(x) ** y",
                    .text = std::string(graph.text)});
}

void run_kernel(const ir::Graph& graph, const plan::Plan& plan, const interp::Code& code, plan::BoundKernel& kernel,
                const plan::Binding& binding, Scratch& scratch) {
  std::array<std::byte, 4096> small;
  std::pmr::monotonic_buffer_resource memory(small.data(), small.size());
  char* registers = scratch.get(code.scratch_bytes);
  if (kernel.kernel->n_folds) {
    const std::span<const plan::Fold> folds = plan.folds_of(*kernel.kernel);
    std::pmr::vector<char*> results(&memory);
    for (const plan::Fold& fold : folds) results.push_back(binding.buffers[fold.buffer].base);
    interp::run_folds(code, plan, kernel, results, registers, &memory);
    return;
  }
  std::pmr::vector<std::unique_ptr<char[]>> detours(&memory);
  for (plan::Detour& detour : kernel.detours) {
    const std::size_t bytes = static_cast<std::size_t>(kernel.total) * item_size(kernel.accesses[detour.access].dtype);
    detours.emplace_back(new (std::nothrow) char[bytes]);
    if (!detours.back()) out_of_memory(graph, bytes);
    detour.target.base = detours.back().get();
  }
  interp::run_stores(code, kernel, registers, &memory);
}

}  // namespace

void execute(const ir::Graph& graph, const plan::Plan& plan, std::span<const interp::Code> codes, plan::Binding& binding) {
  static thread_local Scratch scratch;
  try {
    for (plan::Binding::Step& step : binding.steps) {
      if (step.action->kind == plan::Action::Kind::Check) {
        check(graph, plan, *step.action, binding);
        continue;
      }
      for (plan::BoundKernel& kernel : step.kernels) {
        const auto index = static_cast<std::size_t>(kernel.kernel - plan.kernels.data());
        run_kernel(graph, plan, codes[index], kernel, binding, scratch);
      }
    }
  } catch (const std::bad_alloc&) {
    scratch.trim();
    out_of_memory(graph, 0);
  }
  scratch.trim();
}

double work(const plan::Plan& plan, std::span<const interp::Code> codes, const plan::Binding& binding) noexcept {
  double sum = 0;
  for (const plan::Binding::Step& step : binding.steps)
    for (const plan::BoundKernel& kernel : step.kernels) {
      const auto index = static_cast<std::size_t>(kernel.kernel - plan.kernels.data());
      sum += static_cast<double>(kernel.total) * (codes[index].cost + 1);
    }
  return sum;
}

}  // namespace engine::run
