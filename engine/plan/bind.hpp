// plan/bind.hpp - plan + arrays -> kernels with addresses, extents and strides. Runs on every call; every shape error is
// found here, before anything is written.
#pragma once

#include <engine/evaluate.hpp>

#include "engine/base/pages.hpp"
#include "engine/plan/hazard.hpp"
#include "engine/plan/plan.hpp"

namespace engine::plan {

/// A base address with a shape and byte strides.
struct Layout {
  char* base = nullptr;
  Shape shape;
  Strides strides;
};

/// Memory a kernel walks over: base + sum of index * stride, over the kernel's (ordered, merged) axes.
/// Of a position the base is null and strides count positions instead of bytes.
struct BoundAccess {
  char* base = nullptr;
  const std::int64_t* strides = nullptr;
  DType dtype = DType::Float64;
  bool swapped = false;
  bool is_constant = false;  ///< a value of the program's, beyond a side: in the host's memory wherever operands are
};

inline Touched touched(const BoundAccess& access) noexcept {
  return {access.base, access.strides, static_cast<std::int64_t>(item_size(access.dtype))};
}

/// Address arithmetic that also serves positions, whose "address" is a number.
inline char* advance(char* base, std::int64_t offset) noexcept {
  return reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(base) + static_cast<std::uintptr_t>(offset));
}

/// Memory that takes a store's values when the target overlaps what the kernel still has to read.
struct Detour {
  std::uint32_t access;  ///< index among the kernel's accesses
  Layout target;         ///< where the values go afterwards
};

struct BoundKernel {
  const Kernel* kernel = nullptr;
  int rank = 0;  ///< after dropping axes of length one, ordering and merging
  const std::int64_t* extents = nullptr;
  std::int64_t total = 1;           ///< elements of the space
  std::span<BoundAccess> accesses;  ///< the plan's, in its order, then one per Position instruction
  bool isolated = true;             ///< no store shares memory with any load, or with another store
  bool goes_on = false;             ///< a further box of the kernel before it
  bool ordered = false;             ///< a store meets loads of elements still to come or already done: one pass, in order
  std::span<Detour> detours;
  // Folds: the axes come in three groups, outermost first: `kept` cells, `rows` reduced in groups of eight, and `length`
  // elements that are the reduced trailing axes (lanes_kept false) or the kept trailing axes (lanes_kept true).
  bool lanes_kept = false;
  std::int64_t kept = 1, rows = 1, length = 1;
};

/// An extent that is not known yet.
inline constexpr std::int64_t kUnknown = -1;

class Binder;

/// Everything one call needs, in one arena.
struct Binding {
  explicit Binding(std::pmr::memory_resource* memory)
      : shapes(memory), buffers(memory), swapped(memory), steps(memory), memory(memory), on_device(memory) {}
  struct Step {
    const Action* action = nullptr;
    std::span<BoundKernel> kernels;
  };
  std::pmr::vector<Shape> shapes;
  std::pmr::vector<Layout> buffers;
  std::pmr::vector<bool> swapped;
  std::pmr::vector<Step> steps;
  std::pmr::memory_resource* memory;
  ArrayView result;                  ///< the program's value
  bool is_fresh = false;             ///< its memory is new: nobody has seen it
  int device = kHost;                ///< where the operands of rank > 0, out and the result are
  std::pmr::vector<bool> on_device;  ///< of a device: for each slot, whether its operand is there
  std::vector<Block> scratch;        ///< temporaries
  Binder* rest = nullptr;            ///< what has to wait until found() is told an extent; null: all is bound
};

/// slots[i] is the operand of slot i (nullptr for locals). Fills `binding`. Where a plan finds shapes only while it runs, what
/// depends on them is bound by found(), and what `allocator` needs and the operands point at has to live until then.
void bind(const ir::Graph& graph, const Plan& plan, std::span<const Operand* const> slots, const ArrayView* out, Order order,
          const Limits& limits, Allocator allocator, Binding& binding, const Rows* rows = nullptr);

/// Tells how many elements an action of unknown extent has found: its memory is there afterwards, and all is bound that waits for no
/// other. Throws what bind() throws.
void found(Binding& binding, const Action& action, std::int64_t count);

/// Whether an array that is not empty has C order without gaps, and the host's byte order.
bool is_plain(const ArrayView& array) noexcept;

/// Whether two operands, at least one of them written, may share memory: then plans are made for aliased slots.
bool may_share(const ArrayView& a, const ArrayView& b) noexcept;

}  // namespace engine::plan
