// plan/plan.hpp - what runs, in which order, over which memory: plain data, no pointers to arrays.
//
// A plan belongs to a signature (dtypes, ranks, scalar values baked in). Everything that depends on sizes is a small
// program over shapes (ShapeStep) and views (AccessStep) that bind.cpp runs on every call.
#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <vector>

#include "engine/ir/graph.hpp"

namespace engine::plan {

using ShapeId = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xffffffffu;

/// One shape of the program, computed from earlier ones. Equal steps are one step.
struct ShapeStep {
  enum class Kind : std::uint8_t { Scalar, Slot, Broadcast, View, Reduce, Flat, Ones, Found, Number, Along };
  Kind kind = Kind::Scalar;
  std::uint8_t rank = 0;
  /// Broadcast: both; View, Reduce, Flat and Along: a; Found: a, whose last rank - 1 extents follow the first, and b, the shape of what a
  /// condition picks from, unless that are positions.
  ShapeId a = kNone, b = kNone;
  /// Slot: slot; View: Graph::views; Reduce, Number and Along: Graph::reduces; Broadcast: the argument b is of; Found: node.
  std::uint32_t payload = 0;
  ir::NodeId node = ir::kNone;  ///< whose spans an error labels
};

/// Memory that kernels read or write.
struct Buffer {
  enum class Kind : std::uint8_t {
    Slot,
    Temporary,
    Result,
    Passing,  ///< no memory: its values, in C order, are handed on as they are computed
  };
  Kind kind = Kind::Slot;
  DType dtype = DType::Float64;
  std::uint32_t slot = 0;  ///< Slot: an operand's; locals are Temporaries
  ShapeId shape = 0;
  std::uint32_t alias = kNone;       ///< Temporary: the earlier one whose memory it is, seen in another shape
  bool spare = false;                ///< Temporary: has memory only where a kernel's `instead` is done
  std::uint32_t hoisted_by = kNone;  ///< Temporary: the kernel that computes into it what would else be computed where it is loaded
};

/// Broadcast to the shape `from`, then take the view. Steps go from the buffer outwards.
struct AccessStep {
  ShapeId from;
  std::uint32_t view;
};

/// How a kernel reaches a buffer: its layout through the steps, then broadcast to the kernel's space.
struct Access {
  std::uint32_t buffer = 0;
  std::uint32_t first_step = 0, n_steps = 0;
};

/// One value of a kernel's body, in single assignment.
struct Instr {
  enum class Kind : std::uint8_t { Load, Constant, Position, Apply, Cast };
  Kind kind = Kind::Load;
  DType dtype = DType::Float64;
  bool uniform = false;                                    ///< the same for every element of the space
  std::uint16_t op = 0;                                    ///< Apply; Constant: 1 where an operand gave it
  std::uint16_t loop = 0;                                  ///< Apply
  std::array<std::uint32_t, 3> args{kNone, kNone, kNone};  ///< earlier instructions of the same body
  std::uint32_t payload = 0;  ///< Load: accesses; Constant: Graph::values; Position: axis from the end, 1 = last
};

struct Store {
  std::uint32_t value;  ///< instruction of the body, of the buffer's dtype
  std::uint32_t access;
};

/// A reduction of a body's value over the kernel's axes into a temporary, in the contract's tree.
struct Fold {
  std::uint32_t value;
  catalog::Reduction reduction;
  std::uint32_t buffer;  ///< contiguous, of the kept shape
  bool or_zero;          ///< over no elements: 0
  bool bounded;          ///< see ir::ReduceSpec
  std::int64_t ddof;     ///< Mean, Var, Nanvar: taken from the count
  Span span;
};

/// One pass over one iteration space.
struct Kernel {
  ShapeId space = 0;
  ShapeId value_shape = 0;  ///< of stores: what must broadcast to the space
  std::uint32_t axes = 0;   ///< reduced ones, if there are folds
  std::uint32_t first_instr = 0, n_instr = 0;
  std::uint32_t first_store = 0, n_stores = 0;
  std::uint32_t first_fold = 0, n_folds = 0;
  std::uint32_t first_access = 0, n_accesses = 0;
  std::uint32_t output = kNone;  ///< the first Output node's index in Graph::outputs, for messages
  bool shifts = false;           ///< some access has a shift: it runs over boxes (tile.hpp)
  /// Of one that shifts: two kernels to be done in its place where its target shares memory with what it reads, the value into a spare
  /// temporary and that to the target. The first one's index.
  std::uint32_t instead = kNone;
};

/// What happens, in order. A Run of several kernels that share their space may be done as one pass (`fused`) where the
/// memory they write is disjoint from all else they touch; that is known when arrays are bound.
struct Action {
  enum class Kind : std::uint8_t { Run, Check, Order };
  Kind kind = Kind::Run;
  std::uint32_t first = 0, count = 0;  ///< Run: kernels
  std::uint32_t fused = kNone;         ///< Run: the kernel that does all of them at once
  std::uint32_t buffer = 0;            ///< Check: a rank-0 temporary that must not be negative; Order: what is written
  Span span;                           ///< Check: what the RangeError points at
  /// Order: what is read, without gaps, and the kernel that computes it first, or kNone. The first may be `buffer` itself.
  struct Source {
    std::uint32_t buffer = kNone, kernel = kNone;
  };
  std::array<Source, 3> sources{};
  catalog::Ordered ordered{};   ///< Order
  ir::NodeId node = ir::kNone;  ///< Order: for messages
  ir::ReduceSpec spec{};        ///< Order: along which axis of the source's shape, and how
  std::span<const Source> all_sources() const {
    std::size_t n = 0;
    while (n < sources.size() && sources[n].buffer != kNone) ++n;
    return {sources.data(), n};
  }
};

struct Plan {
  explicit Plan(std::pmr::memory_resource* memory)
      : shapes(memory),
        buffers(memory),
        access_steps(memory),
        accesses(memory),
        instrs(memory),
        stores(memory),
        folds(memory),
        kernels(memory),
        actions(memory),
        slot_buffers(memory) {}
  std::pmr::vector<ShapeStep> shapes;
  std::pmr::vector<Buffer> buffers;
  std::pmr::vector<AccessStep> access_steps;
  std::pmr::vector<Access> accesses;
  std::pmr::vector<Instr> instrs;
  std::pmr::vector<Store> stores;
  std::pmr::vector<Fold> folds;
  std::pmr::vector<Kernel> kernels;
  std::pmr::vector<Action> actions;
  std::pmr::vector<std::uint32_t> slot_buffers;  ///< buffer of each slot of the graph
  std::uint32_t result = kNone;                  ///< the Result buffer, if the value is fresh
  std::uint32_t target_slot = kNone;             ///< else the slot whose region is the program's value
  std::uint32_t target_access = kNone;           ///< and the access that reaches it
  bool heeds_extents = false;                    ///< other KnownExtents might have given another plan
  bool spreads = false;                          ///< the text itself has axes of one element: its space may be larger than any operand
  bool finds = false;                            ///< some shapes follow from values: see plan::found()
  bool simple = false;                           ///< one kernel, one result, whole operands: contiguous equal shapes need no binding at all

  std::span<const Instr> body(const Kernel& k) const { return {instrs.data() + k.first_instr, k.n_instr}; }
  std::span<const Store> stores_of(const Kernel& k) const { return {stores.data() + k.first_store, k.n_stores}; }
  std::span<const Fold> folds_of(const Kernel& k) const { return {folds.data() + k.first_fold, k.n_folds}; }
};

/// What is known of extents before they are bound. It changes nothing but the time that a plan takes.
struct KnownExtents {
  std::span<const std::uint32_t> ones{};  ///< of each slot, for find_hoisted(); empty: all is computed anew for each element
  bool are_few = false;                   ///< elements: nothing is worth a pass of its own
  bool are_few_spread = false;            ///< the same where the text itself gives operands axes of one element
};

/// graph -> plan. `out` is the dtype of the caller's out, if there is one: the result is cast to it.
/// Throws LimitError where a hostile program would make the plan grow without bound, DTypeError for out's casting.
Plan make_plan(const ir::Graph& graph, const DType* out, const Options& options, std::pmr::memory_resource* memory,
               const KnownExtents& known = {});

/// The plan in words and figures, one kernel a paragraph.
std::string explain(const ir::Graph& graph, const Plan& plan);

}  // namespace engine::plan
