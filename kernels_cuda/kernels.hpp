// kernels_cuda/kernels.hpp - the compiled kernels of one program on one device, and how they are run over a space.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/plan/stepped.hpp"
#include "kernels_cuda/launch.hpp"

namespace engine::cuda {

struct StepsShape;

/// A kernel, and what it is of.
struct PlannedKernel {
  const ir::Graph& graph;
  const plan::Plan& plan;
  const plan::Kernel& kernel;
};

/// A step of an operation along an axis with what it is called with.
struct StepCall {
  StepText text;
  std::vector<std::uint64_t> arguments;
  StepCall& with(std::string type, std::string name, std::uint64_t value);
  StepCall& with(std::string type, std::string name, std::int64_t value) {
    return with(std::move(type), std::move(name), static_cast<std::uint64_t>(value));
  }
};

/// Elements of one dtype on the device, with their strides in bytes.
struct Strided {
  DevicePointer memory;
  const std::int64_t* strides;
};

/// Used under the device's mutex with its context current; all throw BackendError, OutOfMemory.
class Kernels {
 public:
  explicit Kernels(DeviceState& device) : device_(device) {}

  struct Entry {
    const plan::Kernel* kernel;  ///< null of steps without a source
    Layout asked;
    StepText step;  ///< of Form::Source
    Layout layout;  ///< with less under way, if registers do not suffice for what was asked
    KernelText text;
    std::shared_ptr<const LoadedKernel> loaded;
  };
  /// The kernel for that layout, compiled at its first use.
  const Entry& find(const PlannedKernel& planned, const Layout& layout, const StepText& step = {});

  /// The same of one that makes several steps.
  const Entry& find_steps(const PlannedKernel& planned, const plan::Stepped& step, const StepsShape& shape, const Layout& layout);

  /// Runs a kernel that stores. `in_order`: one element after the other.
  void run(const PlannedKernel& planned, const Space& space, bool in_order = false);
  void copy(DType dtype, int rank, const std::int64_t* extents, Strided to, Strided from);
  /// The same of operands, which may be swapped or unaligned.
  void copy(DType dtype, int rank, const std::int64_t* extents, std::int64_t total, const Operand& from, const Operand& to, bool in_order);

  /// Runs a step by that many blocks: as it is, or over what a kernel computes. Throws BackendError where CUB is needed and missing.
  void run_step(const StepCall& call, std::int64_t blocks);
  void run_step(const StepCall& call, std::int64_t blocks, const PlannedKernel& planned, const Space& space);

 private:
  void load(const PlannedKernel& planned, Entry& entry) const;
  void load(Entry& entry) const;

  DeviceState& device_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<std::string, Entry> steps_;  ///< without a source
};

}  // namespace engine::cuda
