// run/interp/dispatch.cpp - the kernels of the best instruction set this CPU and ENGINE_ISA allow.
#include <cstdlib>
#include <string_view>
#include <type_traits>

#include "engine/base/cpu_features.hpp"
#include "engine/run/interp/table.hpp"

namespace engine::run::interp {

#define ENGINE_DECLARE(ISA)              \
  namespace ISA {                        \
  void fill_0(KernelTable&);             \
  void fill_1(KernelTable&);             \
  void fill_2(KernelTable&);             \
  void fill_3(KernelTable&);             \
  void fill_4(KernelTable&);             \
  void fill_5(KernelTable&);             \
  void fill_6(KernelTable&);             \
  void fill_7(KernelTable&);             \
  void fill_reductions(KernelTable&);    \
  void fill_complex(KernelTable&);       \
  void fill_copies(KernelTable&);        \
  void fill_functions_0(KernelTable&);   \
  void fill_functions_1(KernelTable&);   \
  void fill_functions_2(KernelTable&);   \
  void fill_functions_3(KernelTable&);   \
  inline void fill(KernelTable& table) { \
    fill_0(table);                       \
    fill_1(table);                       \
    fill_2(table);                       \
    fill_3(table);                       \
    fill_4(table);                       \
    fill_5(table);                       \
    fill_6(table);                       \
    fill_7(table);                       \
    fill_reductions(table);              \
    fill_complex(table);                 \
    fill_copies(table);                  \
    fill_functions_0(table);             \
    fill_functions_1(table);             \
    fill_functions_2(table);             \
    fill_functions_3(table);             \
  }                                      \
  }
ENGINE_DECLARE(generic)
#ifdef ENGINE_X86_KERNELS
ENGINE_DECLARE(avx2)
ENGINE_DECLARE(avx512)
#endif
#undef ENGINE_DECLARE

namespace {

struct Chosen {
  KernelTable table{};
  const char* name = "generic";
#ifdef __FP_FAST_FMA
  bool fma = true;
#else
  bool fma = false;
#endif
};

void choose(Chosen& chosen) noexcept {
#ifdef ENGINE_X86_KERNELS
  const char* const wish = std::getenv("ENGINE_ISA");
  const std::string_view limit = wish ? wish : "avx512";
  if (limit == "avx512" && has_avx512()) {
    avx512::fill(chosen.table);
    chosen.name = "avx512";
    chosen.fma = true;
    return;
  }
  if ((limit == "avx2" || limit == "avx512") && has_avx2()) {
    avx2::fill(chosen.table);
    chosen.name = "avx2";
    chosen.fma = true;
    return;
  }
#endif
  generic::fill(chosen.table);
}

/// Filled at first use, in memory that is there from the start: nothing can fail. It has no destructor, for other threads'
/// last calls may outlive static destruction.
const Chosen& chosen() noexcept {
  static constinit Chosen the_one;
  static_assert(std::is_trivially_destructible_v<Chosen>);
  static const bool filled = (choose(the_one), true);
  static_cast<void>(filled);
  return the_one;
}

}  // namespace

Kernel apply_kernel(catalog::Op op, int loop) noexcept {
  return chosen().table.apply[static_cast<std::size_t>(op)][static_cast<std::size_t>(loop)];
}
Kernel scalar_kernel(catalog::Op op, int loop, int scalar) noexcept {
  return chosen().table.scalar[static_cast<std::size_t>(op)][static_cast<std::size_t>(loop)][static_cast<std::size_t>(scalar)];
}
VectorFunction vector_function(catalog::Op op, DType dtype) noexcept {
  if (dtype != DType::Float32 && dtype != DType::Float64) return nullptr;
  return chosen().table.vector[static_cast<std::size_t>(op)][dtype == DType::Float64];
}
Kernel fused_kernel(catalog::Op first, catalog::Op second, bool reversed, DType dtype, unsigned scalars) noexcept {
  const std::size_t a = fusable(first), b = fusable(second);
  if (a == kFusable || b == kFusable || (dtype != DType::Float32 && dtype != DType::Float64)) return nullptr;
  return chosen().table.fused[dtype == DType::Float64][a][b][reversed][scalars];
}
Kernel cast_kernel(DType from, DType to) noexcept {
  return chosen().table.cast[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}
void iota(std::int64_t* out, std::int64_t first, std::int64_t step, std::size_t n) noexcept { chosen().table.iota(out, first, step, n); }
void pack(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t item, std::size_t swap) noexcept {
  chosen().table.pack(out, base, stride, n, item, swap);
}
void unpack(void* base, std::ptrdiff_t stride, const void* in, std::size_t n, std::size_t item, std::size_t swap) noexcept {
  chosen().table.unpack(base, stride, in, n, item, swap);
}
void pack_rows(void* out, const void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n,
               std::size_t item) noexcept {
  chosen().table.pack_rows(out, base, row_stride, rows, stride, n, item);
}
void unpack_rows(void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, const void* in, std::size_t n,
                 std::size_t item) noexcept {
  chosen().table.unpack_rows(base, row_stride, rows, stride, in, n, item);
}
void panel(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t rows, std::size_t item,
           std::size_t n_after) noexcept {
  chosen().table.panel(out, base, stride, n, rows, item, n_after);
}
void stream(void* out, const void* in, std::size_t n_bytes) noexcept { chosen().table.stream(out, in, n_bytes); }
void end_stream() noexcept { chosen().table.end_stream(); }
void splat(void* out, const void* value, std::size_t n, std::size_t item) noexcept { chosen().table.splat(out, value, n, item); }
const ReduceKernels* reduce_kernels(catalog::Reduction primitive, DType accumulator) noexcept {
  const ReduceKernels& kernels = chosen().table.reduce[static_cast<std::size_t>(primitive)][static_cast<std::size_t>(accumulator)];
  return kernels.group ? &kernels : nullptr;
}
const MomentKernels* moment_kernels(catalog::Reduction primitive, DType accumulator) noexcept {
  if (accumulator != DType::Float32 && accumulator != DType::Float64) return nullptr;
  return &chosen().table.moments[accumulator == DType::Float64][primitive == catalog::Reduction::Nanvar];
}
const char* instruction_set() noexcept { return chosen().name; }
bool fused_multiply_add() noexcept { return chosen().fma; }

}  // namespace engine::run::interp
