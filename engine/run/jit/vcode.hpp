// run/jit/vcode.hpp - what machine code does with one vector of lanes, in single assignment over virtual registers.
//
// A register holds `lanes` lanes of `bytes` bytes each, or a mask: one truth for each lane. Lanes of one program are as many as
// its widest numbers fit into a vector; narrower ones fill a part of theirs.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/interp/compile.hpp"

namespace engine::run::jit {

using Register = std::uint32_t;
inline constexpr Register kNone = 0xffffffffu;

// name, arguments, what the result is: N a number of `bytes` bytes, M a mask, V nothing
#define ENGINE_VCODES(X)                                                           \
  X(Load, 0, N)     /* of the address of value `payload`, at the loop's index */   \
  X(LoadMask, 0, M) /* the same of bools */                                        \
  X(LoadReal, 0, N) /* of complex numbers, of `bytes` bytes a part */              \
  X(LoadImag, 0, N)                                                                \
  X(LoadOther, 0, N)    /* every other element, of 4 or 8 bytes */                 \
  X(LoadBackward, 0, N) /* one element before another, of 4 or 8 bytes */          \
  X(Splat, 0, N)        /* the one number at the address of value `payload` */     \
  X(SplatImag, 0, N)    /* the second of two */                                    \
  X(SplatMask, 0, M)                                                               \
  X(Constant, 0, N)  /* of the pool, at `payload` */                               \
  X(Store, 1, V)     /* to the address of value `payload` */                       \
  X(StorePair, 2, V) /* real and imaginary parts */                                \
  X(StoreMask, 1, V)                                                               \
  X(Fold, 1, V) /* onto an accumulator; payload: the code that combines two */     \
  X(AddF, 2, N)                                                                    \
  X(SubF, 2, N)                                                                    \
  X(MulF, 2, N)                                                                    \
  X(DivF, 2, N)                                                                    \
  X(FmaF, 3, N) /* x * y + z; payload: signs */                                    \
  X(MaxF, 2, N) /* x > y ? x : y */                                                \
  X(MinF, 2, N) /* x < y ? x : y */                                                \
  X(SqrtF, 1, N)                                                                   \
  X(ScaleF, 2, N)   /* x * 2^y, y an integer: AVX-512's */                         \
  X(RoundF, 1, N)   /* payload: Rounding */                                        \
  X(CompareF, 2, M) /* payload: Predicate; `bytes`: of what is compared */         \
  X(AddI, 2, N)                                                                    \
  X(SubI, 2, N)                                                                    \
  X(MulI, 2, N) /* low half */                                                     \
  X(MaxS, 2, N)                                                                    \
  X(MinS, 2, N)                                                                    \
  X(MaxU, 2, N)                                                                    \
  X(MinU, 2, N)                                                                    \
  X(AbsI, 1, N)                                                                    \
  X(CompareS, 2, M)                                                                \
  X(CompareU, 2, M)                                                                \
  X(ShiftLeft, 2, N) /* by counts from 0 to beyond the width, as unsigned */       \
  X(ShiftRightU, 2, N)                                                             \
  X(ShiftRightS, 2, N)                                                             \
  X(ShiftLeftBy, 1, N) /* by `payload`, of 4 or 8 bytes */                         \
  X(ShiftRightBy, 1, N)                                                            \
  X(And, 2, N)                                                                     \
  X(Or, 2, N)                                                                      \
  X(Xor, 2, N)                                                                     \
  X(MaskAnd, 2, M)                                                                 \
  X(MaskOr, 2, M)                                                                  \
  X(MaskXor, 2, M)                                                                 \
  X(MaskAndNot, 2, M) /* ~x & y */                                                 \
  X(MaskNot, 1, M)                                                                 \
  X(Select, 3, N)     /* mask, where set, where not */                             \
  X(SignExtend, 1, N) /* payload: bytes of the argument's lanes, here and below */ \
  X(ZeroExtend, 1, N)                                                              \
  X(Truncate, 1, N)                                                                \
  X(SignedToF, 1, N) /* of integers as wide as the result, or half as wide */      \
  X(UnsignedToF, 1, N)                                                             \
  X(FToSigned, 1, N) /* int64; NaN and what is beyond it: the smallest */          \
  X(FToF, 1, N)                                                                    \
  X(HalfToF, 1, N)                                                                 \
  X(FToHalf, 1, N)                                                                 \
  X(Call, 1, N) /* payload: the operation, in the interpreter's vectors */         \
  X(CallTwo, 2, N)                                                                 \
  X(Guard, 3, N) /* mask, x, y: y, or `payload` of x if any is set */              \
  X(Pass, 1, V)  /* to memory, as argument `payload` of the next kernel */         \
  X(PassMask, 1, V)                                                                \
  X(PassPair, 2, V)                                                                \
  X(CallKernel, 0, V) /* payload: index among the kernels */                       \
  X(Take, 0, N)       /* its result */                                             \
  X(TakeMask, 0, M)                                                                \
  X(TakeReal, 0, N)                                                                \
  X(TakeImag, 0, N)

enum class Code : std::uint8_t {
#define X(NAME, ARGS, RESULT) NAME,
  ENGINE_VCODES(X)
#undef X
};

/// Payload of FmaF, either or both: what is taken with the other sign.
inline constexpr std::uint32_t kMinusProduct = 1, kMinusSummand = 2;
enum class Rounding : std::uint8_t { Even, Floor, Ceil, Trunc };
/// False beside NaN but for NotEqual and Unordered.
enum class Predicate : std::uint8_t { Equal, Less, LessEqual, Unordered, NotEqual };

struct Instruction {
  Code code;
  std::uint8_t bytes = 0;
  std::uint32_t payload = 0;
  Register out = kNone;
  std::array<Register, 3> in{kNone, kNone, kNone};
};

int arguments(Code code) noexcept;
inline bool is_load(Code code) noexcept { return code >= Code::Load && code <= Code::LoadBackward; }
inline bool is_splat(Code code) noexcept { return code >= Code::Splat && code <= Code::SplatMask; }
inline bool is_store(Code code) noexcept { return code == Code::Store || code == Code::StoreMask || code == Code::StorePair; }
inline bool is_call(Code code) noexcept { return code == Code::Call || code == Code::CallTwo || code == Code::CallKernel; }
bool gives_mask(Code code) noexcept;

/// What an instruction set has.
struct Target {
  std::string_view isa;  ///< as the interpreter calls it
  int vector_bytes;
  int n_vectors;       ///< for values; some more are the emitter's own
  int n_accumulators;  ///< vectors beside those, for what is folded
  int n_masks;         ///< 0: masks are vectors, whose lanes are as wide as the widest numbers
  bool has_avx512;
};
inline constexpr Target kAvx2{.isa = "avx2", .vector_bytes = 32, .n_vectors = 13, .n_accumulators = 0, .n_masks = 0, .has_avx512 = false};
inline constexpr Target kAvx512{
    .isa = "avx512", .vector_bytes = 64, .n_vectors = 29, .n_accumulators = 0, .n_masks = 7, .has_avx512 = true};
/// The same with accumulators.
constexpr Target folding(Target target) {
  target.n_accumulators = 8;
  target.n_vectors -= target.n_accumulators;
  return target;
}

struct Program {
  struct Kernel {
    interp::Kernel function;
    catalog::Op op;
  };
  explicit Program(std::pmr::memory_resource* memory) : head(memory), body(memory), pool(memory), ins(memory), kernels(memory) {}
  std::pmr::vector<Instruction> head;  ///< before the loop: Splat, SplatMask, Constant
  std::pmr::vector<Instruction> body;  ///< stores are last
  std::pmr::vector<std::uint64_t> pool;
  std::pmr::vector<std::uint32_t> ins;  ///< values of Load and LoadMask
  std::pmr::vector<Kernel> kernels;     ///< of CallKernel
  Register n_registers = 0;
  int widest = 1;                  ///< bytes
  std::uint32_t identity = kNone;  ///< in the pool, where the body folds: what accumulators start from
  int lanes(const Target& target) const { return target.vector_bytes / widest; }
};

/// Of the functions written over lanes, the one for the target's vectors: the interpreter has those of its own instruction set.
inline interp::VectorFunction function_of(const Target& target, catalog::Op op, DType dtype) noexcept {
  return target.isa == interp::instruction_set() ? interp::vector_function(op, dtype) : nullptr;
}
interp::Support support(const Target& target, const interp::Meaning& meaning, std::span<const DType> in, DType out) noexcept;
/// The calls of a segment, each of which is known.
Program select(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory);
/// The same for a group's accumulators instead of the elements. Without identity where there is no such code.
Program select_group(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory);

/// An instruction with its registers, and where they are.
struct Placed {
  enum class Kind : std::uint8_t { Code, Spill, Reload };
  Kind kind = Kind::Code;
  std::uint32_t at = 0;  ///< Code: index in the body, or in the head plus kHead; Spill, Reload: slot
  std::uint8_t out = 0;
  std::array<std::uint8_t, 3> in{};
  bool mask = false;  ///< Spill, Reload: of a mask register
};
inline constexpr std::uint32_t kHead = 0x80000000u;

struct Allocation {
  explicit Allocation(std::pmr::memory_resource* memory) : head(memory), body(memory) {}
  std::pmr::vector<Placed> head, body;
  std::uint32_t n_slots = 0;
};
/// Linear scan over the body; where registers run out, the value whose next use is farthest goes (Belady, IBM Systems Journal 1966).
/// What the head makes stays in registers as far as they reach; the rest of it, and loads, are made again where they are needed.
Allocation allocate(const Target& target, const Program& program, std::pmr::memory_resource* memory);

std::string print(const Program& program);
std::string print(const Program& program, const Allocation& allocation);

}  // namespace engine::run::jit
