// run/interp/table.hpp - what one instruction set's translation units fill in, and dispatch.cpp chooses from.
#pragma once

#include "engine/catalog/type_rule.hpp"
#include "engine/run/interp/kernels.hpp"

namespace engine::run::interp {

/// + - *: the operations that fused_kernel pairs, by their place in its table; kFusable: not one of them.
inline constexpr std::size_t kFusable = 3;
constexpr std::size_t fusable(catalog::Op op) {
  return op == catalog::Op::Add ? 0 : op == catalog::Op::Subtract ? 1 : op == catalog::Op::Multiply ? 2 : kFusable;
}

/// Objects that share the functions written over lanes (functions.cpp).
inline constexpr std::size_t kFunctionParts = 4;

struct KernelTable {
  Kernel apply[catalog::kOps][catalog::kMaxLoops];
  Kernel scalar[catalog::kOps][catalog::kMaxLoops][2];
  Kernel fused[2][kFusable][kFusable][2][7];  ///< [float64?][first][second][reversed][scalars]
  Kernel cast[kDTypes][kDTypes];
  VectorFunction vector[catalog::kOps][2];  ///< [op][float64?]
  ReduceKernels reduce[catalog::kReductions][kDTypes];
  MomentKernels moments[2][2];  ///< [float64?][NaN skipped?]
  void (*iota)(std::int64_t*, std::int64_t, std::int64_t, std::size_t);
  void (*pack)(void*, const void*, std::ptrdiff_t, std::size_t, std::size_t, std::size_t);
  void (*unpack)(void*, std::ptrdiff_t, const void*, std::size_t, std::size_t, std::size_t);
  void (*panel)(void*, const void*, std::ptrdiff_t, std::size_t, std::size_t, std::size_t, std::size_t);
  void (*pack_rows)(void*, const void*, std::ptrdiff_t, std::size_t, std::ptrdiff_t, std::size_t, std::size_t);
  void (*unpack_rows)(void*, std::ptrdiff_t, std::size_t, std::ptrdiff_t, const void*, std::size_t, std::size_t);
  void (*stream)(void*, const void*, std::size_t);
  void (*end_stream)();
  void (*splat)(void*, const void*, std::size_t, std::size_t);
};

}  // namespace engine::run::interp
