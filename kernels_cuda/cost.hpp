// kernels_cuda/cost.hpp - a plan's kernel -> what one element takes of a device: FP64 operations, issue slots.
//
// An estimate, from the operations alone: for schedules, for placement, and for explain().
#pragma once

#include <string_view>

#include "engine/plan/plan.hpp"
#include "engine/run/backend.hpp"

namespace engine::cuda {

struct Cost {
  double fp64 = 0;   ///< additions, multiplications and fused ones of float64
  double slots = 0;  ///< instructions of one thread
};

/// Of one element of the kernel's space; what is the same for all of them is left out.
Cost cost_of(const plan::Plan& plan, const plan::Kernel& kernel);

/// See run::BackendEntry::estimate.
run::Estimate estimate(const plan::Plan& plan, const plan::Binding& binding, int device);

/// See run::BackendEntry::predict.
run::Estimate predict(const plan::Plan& plan, const plan::Binding& binding, std::string_view architecture);

/// Bytes that a thread should load at once. With the least, 2,048 threads on a multiprocessor have 32 KiB under way (CUB's table
/// for DeviceTransform: 12 KiB up to compute capability 7.x, 16 on 8.x, 32 to 48 on 9.0, 64 on 10.0): more made copies 3 % slower
/// on an H200. Where functions are called, more made exp 7 % faster, as their chains of operations mix; those so long that they
/// leave no registers (powers) became slower.
int bytes_at_once(const Cost& cost, int architecture);

}  // namespace engine::cuda
