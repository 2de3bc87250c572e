// run/interp/kernels.hpp - the vector kernels of the interpreter: one pass over a block, chosen for this CPU at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/dtype.hpp"
#include "engine/catalog/op.hpp"

namespace engine::run::interp {

/// Elements per block: eight rows of 64 lanes, one group of the reduction tree (contract §3). 4 KiB of float64.
inline constexpr std::size_t kBlock = 512;
inline constexpr std::size_t kLanes = 64;

/// out[i] = op(in[0][i], in[1][i], …) for i < n. Contiguous, any alignment. `out` may be one of the inputs exactly.
using Kernel = void (*)(void* out, const void* const* in, std::size_t n);

/// Of the instruction set in use. Never null for a loop of the catalog, but for float16 ones: those are null, the caller
/// computes them in float32 between casts (one rounding more never shows: float32 holds twice float16's digits plus two).
Kernel apply_kernel(catalog::Op op, int loop) noexcept;
/// Arithmetic with one broadcast operand: in[scalar] points at ONE element. Null where only the general form exists.
Kernel scalar_kernel(catalog::Op op, int loop, int scalar) noexcept;
/// out[i] = (in[0][i] first in[1][i]) second in[2][i], `reversed`: in[2][i] second (…); each operation rounded on its own.
/// For + - * on float32 and float64; null otherwise. Saves the pass over memory between two steps. `scalars`: bit k says that
/// in[k] points at ONE element; never both of in[0] and in[1].
Kernel fused_kernel(catalog::Op first, catalog::Op second, bool reversed, DType dtype, unsigned scalars) noexcept;
/// Converts n elements; the C++ meaning of NumPy's astype (contract §3 for out-of-range floats). Null only if from == to.
Kernel cast_kernel(DType from, DType to) noexcept;
/// out[i] = first + i * step, int64.
void iota(std::int64_t* out, std::int64_t first, std::int64_t step, std::size_t n) noexcept;

/// Copies n items of `item` bytes (1, 2, 4, 8, 16) from base + i*stride, any stride and alignment, to contiguous memory.
/// `swap`: bytes of one number to be reversed (0: none; 2, 4, 8; for complex the size of one part).
void pack(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t item, std::size_t swap) noexcept;
/// The inverse: contiguous memory to base + i*stride.
void unpack(void* base, std::ptrdiff_t stride, const void* in, std::size_t n, std::size_t item, std::size_t swap) noexcept;
/// n copies of one item.
void splat(void* out, const void* value, std::size_t n, std::size_t item) noexcept;

/// The combination tree along a last axis (contract §3). `Reduction` is a primitive: Sum, Prod, Min, Max; the element
/// type is the accumulator's (bool, integers, float32, float64, complex64, complex128; for sum and prod only the 64-bit
/// integers and the inexact ones).
struct ReduceKernels {
  /// lanes[j] = in[j] o in[j+64] o … in order, j < min(n, 64); n <= kBlock: the value of one group of eight rows.
  void (*group)(void* lanes, const void* in, std::size_t n);
  /// a[i] = a[i] o b[i], i < n.
  void (*combine)(void* a, const void* b, std::size_t n);
  /// out[i] = rows[0][i] o rows[1][i] o … rows[7][i], in order, i < n: the value of one group of eight outer rows.
  void (*eight)(void* out, const void* const* rows, std::size_t n);
  /// *out = lanes folded by halves: j += j+32, 16, … 1, partners beyond n missing (the value is carried). Clobbers lanes.
  void (*fold)(void* out, void* lanes, std::size_t n);
  /// out[r] = the tree over in[r*length … r*length+length-1], r < rows; length <= kLanes. For short rows: vectors across rows.
  void (*rows)(void* out, const void* in, std::size_t rows, std::size_t length);
};
/// Null members never; a null pointer where the pair does not exist (float16).
const ReduceKernels* reduce_kernels(catalog::Reduction primitive, DType accumulator) noexcept;

/// Name of the instruction set in use: "sse4", "avx2", "avx512" or "generic". ENGINE_ISA=name lowers it (tests).
const char* instruction_set() noexcept;

}  // namespace engine::run::interp
