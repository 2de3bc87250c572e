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
/// Elements of a block of the reduction tree: four groups.
inline constexpr std::size_t kTreeBlock = 4 * kBlock;

/// out[i] = op(in[0][i], in[1][i], …) for i < n. Contiguous, any alignment. `out` may be one of the inputs exactly.
using Kernel = void (*)(void* out, const void* const* in, std::size_t n);

/// Of the instruction set in use. Never null for a loop of the catalog, but for float16 ones: those are null, the caller
/// computes them in float32 between casts (one rounding more never shows: float32 holds twice float16's digits plus two).
Kernel apply_kernel(catalog::Op op, int loop) noexcept;
/// Arithmetic with one broadcast operand: in[scalar] points at ONE element. Null where only the general form exists.
Kernel scalar_kernel(catalog::Op op, int loop, int scalar) noexcept;
/// One vector of a function written over lanes, as wide as the instruction set's: takes and gives it in vector registers, by the
/// convention of the compilers (System V); of one or two arguments, as the operation has. Null where there is none such.
using VectorFunction = void (*)();
VectorFunction vector_function(catalog::Op op, DType dtype) noexcept;
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
/// `rows` rows of n items of `item` bytes, rows row_stride and items stride bytes apart, to contiguous memory and back.
void pack_rows(void* out, const void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n,
               std::size_t item) noexcept;
void unpack_rows(void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, const void* in, std::size_t n,
                 std::size_t item) noexcept;
/// The transposed of n columns of `rows` items that follow each other in memory: out[r * n + c] = item r at base + c*stride. So many
/// columns more are wanted next.
void panel(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t rows, std::size_t item,
           std::size_t n_after = 0) noexcept;
/// Copies past the caches. Whoever has streamed calls end_stream() before another thread may read.
void stream(void* out, const void* in, std::size_t n_bytes) noexcept;
void end_stream() noexcept;
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
  /// *out = the value of n elements, a multiple of kBlock, where their order makes no difference: false where it may. Null of what is
  /// not picked.
  bool (*many)(void* out, const void* in, std::size_t n) = nullptr;
  /// *out = the tree over `n` blocks of the tree, a power of two up to kMostBlocks. Of sums and products; null of what is picked.
  void (*blocks)(void* out, const void* in, std::size_t n) = nullptr;
  /// *out = the value of one block of the tree of n elements, 0 < n <= kTreeBlock. Null where `blocks` is.
  void (*block)(void* out, const void* in, std::size_t n) = nullptr;
  /// out[r] = the same of in[r*length … r*length+length-1], r < rows. Null where `blocks` is.
  void (*cells)(void* out, const void* in, std::size_t rows, std::size_t length) = nullptr;
  /// The value of one block of the accumulators of its four groups, as group() gives them. Null where `blocks` is.
  void (*end_block)(void* out, const void* lanes) = nullptr;
  static constexpr std::size_t kMostBlocks = 16;
};
/// The same for variances, whose parts are Moments (catalog/moments.hpp): four planes of `width` accumulators each.
struct MomentKernels {
  /// One part of n <= kBlock elements: lanes and rows as above for the mean and again for the distances from it.
  void (*group)(void* part, const void* in, std::size_t n);
  /// parts[r] of in[r*length … r*length+length-1], r < rows = width; length <= kLanes.
  void (*rows)(void* parts, const void* in, std::size_t rows, std::size_t length);
  /// parts[i] of rows[0][i] … rows[n_rows-1][i], i < width; n_rows <= 8.
  void (*across)(void* parts, const void* const* rows, int n_rows, std::size_t width);
  /// a[i] = a[i] merged with b[i], i < width.
  void (*combine)(void* a, const void* b, std::size_t width);
  /// out[i] = squares / (n - ddof), at least 0; n is `count`, where NaN is skipped what was counted: then NaN over no more
  /// than ddof elements unless `bounded`. `out` may be `parts`.
  void (*finish)(void* out, const void* parts, std::size_t width, double count, double ddof, bool bounded);
};
/// `primitive`: Var or Nanvar; the accumulator float32 or float64, else null.
const MomentKernels* moment_kernels(catalog::Reduction primitive, DType accumulator) noexcept;
/// Null members never; a null pointer where the pair does not exist (float16).
const ReduceKernels* reduce_kernels(catalog::Reduction primitive, DType accumulator) noexcept;

/// Name of the instruction set in use: "sse4", "avx2", "avx512" or "generic". ENGINE_ISA=name lowers it (tests).
const char* instruction_set() noexcept;
bool fused_multiply_add() noexcept;

}  // namespace engine::run::interp
