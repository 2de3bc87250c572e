// run/interp/compile.hpp - a plan's kernel -> bytecode of the blocked register machine.
#pragma once

#include <atomic>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/plan/plan.hpp"
#include "engine/run/interp/kernels.hpp"

namespace engine::run::interp {

inline constexpr std::uint32_t kNone = 0xffffffffu;

/// Steps that one machine does at most: more would gain nothing, and its code and what it reaches are bounded by it.
inline constexpr std::size_t kMostSteps = 128;
/// Values that it reads and writes, at most: three and one of each step.
inline constexpr std::size_t kMostReaches = 4 * kMostSteps;

/// Addresses in the table of a call that binds nothing, at most.
inline constexpr std::size_t kMostDirect = 48;

/// An elementary function: one written over lanes, and compiled ahead.
inline bool is_function(catalog::Op op) noexcept {
  const catalog::OpInfo& row = catalog::info(op);
  return has(row.flags, catalog::Flags::Lanes) && row.lowering.kind == catalog::Lowering::ByCall;
}

/// What a call computes.
struct Meaning {
  enum class Kind : std::uint8_t { None, Apply, Cast };
  Kind kind = Kind::None;
  catalog::Op op{};
  std::uint16_t loop = 0;
  friend bool operator==(const Meaning&, const Meaning&) = default;
};

/// One step on one block. Values are entries of a table of addresses: a register, a cell (one element), or memory itself.
struct Step {
  enum class Kind : std::uint8_t { Call, Load, Position, Machine };
  Kind kind = Kind::Call;
  std::uint8_t n_in = 0;
  bool is_called = false;  ///< Call: in machine code, too
  std::uint32_t out = 0;
  std::array<std::uint32_t, 3> in{};
  Kernel kernel = nullptr;   ///< Call
  std::uint32_t access = 0;  ///< Load, Position: index among the bound kernel's accesses; Machine: index among Code::machines
  Meaning meaning{};         ///< Call
};

/// Of the table's addresses, n elements; n is a multiple of the machine's lanes. Every address may be anything, but for cells.
using MachineFunction = void (*)(void* const* table, std::size_t n);

/// Machine code whose stores go past the caches, made when it is first wanted.
class Streaming {
 public:
  virtual ~Streaming() = default;
  /// The function, whose targets have to be multiples of `alignment`; null where there is no room for it.
  virtual MachineFunction function() const noexcept = 0;
  std::size_t alignment = 1;
};

struct Machine;

/// How operands lie along a row, where they do not lie one element after another. Bit i is of Machine::ins[i].
struct Lie {
  std::uint64_t cells = 0;     ///< one element, for the whole row
  std::uint64_t others = 0;    ///< every other element
  std::uint64_t backward = 0;  ///< the address is that of the last element in memory
  friend bool operator==(const Lie&, const Lie&) = default;
  bool is_plain() const noexcept { return !(cells | others | backward); }
};

/// Of an operand: that it is the memory of another one, so many rows further. What one row reads, a row that is computed with it
/// need not read again.
struct Neighbour {
  std::uint32_t of;   ///< index in Machine::ins; of the operand itself where there is none before it
  std::int32_t rows;  ///< from that one to this one; kStill of an operand that is the same in all rows
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};
inline constexpr std::int32_t kStill = INT32_MIN;
/// Rows that are computed together, at most.
inline constexpr int kMostRows = 4;

/// The same machine for operands that lie otherwise, made when it is first wanted.
class Variants {
 public:
  virtual ~Variants() = default;
  /// Null where there is no room for it.
  virtual const Machine* with(const Lie& lie) const noexcept = 0;
  /// For so many rows at once. Value v of row r has place r * n + v in the table, n being the values of one row; what is the same in
  /// all rows has that of row 0. `neighbours`: of each of Machine::ins. Null where there is no room for it.
  virtual const Machine* with_rows(const Lie& lie, int rows, std::span<const Neighbour> neighbours) const noexcept = 0;
  /// The same, to go from row to row without coming back: a machine that has `walk` instead of `function`.
  virtual const Machine* walking(const Lie& lie, int rows, std::span<const Neighbour> neighbours) const noexcept = 0;

  /// Elements that are computed row by row, these among them: what is wanted often is worth a form of its own, as what is large is.
  std::int64_t count(std::int64_t elements) const noexcept {
    constexpr std::int64_t kMany = std::int64_t{1} << 20;
    const std::int64_t before = counted_.load(std::memory_order_relaxed);
    if (before < kMany) counted_.fetch_add(elements, std::memory_order_relaxed);
    return before + elements;
  }

 private:
  mutable std::atomic<std::int64_t> counted_ = 0;
};

/// Machine code in the place of calls that follow each other. What they hand to each other stays in the processor's registers.
struct Machine {
  struct Reach {
    std::uint32_t value;
    std::uint8_t item;
    std::int8_t step = 1;  ///< from one element to the next, in elements
    std::ptrdiff_t stride() const noexcept { return std::ptrdiff_t{step} * item; }
  };
  explicit Machine(std::pmr::memory_resource* memory) : ins(memory), outs(memory) {}
  MachineFunction function = nullptr;
  /// Where the calls make nothing but the value of a sum or product: of n * kBlock elements, the accumulators of n groups of the
  /// reduction's tree (ReduceKernels::group) one after another, without storing the elements. Else null.
  using Groups = void (*)(void* const* table, void* accumulators, std::size_t n);
  Groups groups = nullptr;
  /// Of one that Variants::walking() gives: n elements, at least its lanes, of each of `rows` > 0 rows, after which each address of the
  /// table is moved by its entry of `steps`, in bytes. Of the last n % lanes elements of a row, the ones before them are computed again.
  using Walk = void (*)(void** table, std::size_t n, std::size_t rows, const std::ptrdiff_t* steps);
  Walk walk = nullptr;
  std::size_t lanes = 1;
  std::pmr::vector<Reach> ins;                        ///< read, an element for each element that is computed
  std::pmr::vector<Reach> outs;                       ///< written; may be one of `ins` exactly
  std::shared_ptr<const void> memory, groups_memory;  ///< where the functions are
  std::shared_ptr<const Streaming> streaming;         ///< null where there is none such
  std::shared_ptr<const Variants> variants;           ///< null where there are none
};

/// A uniform value spread over a register once per run.
struct Splat {
  std::uint32_t out, in;
  std::uint8_t item;
};

struct StoreSlot {
  std::uint32_t value;
  std::uint32_t access;
  bool direct;  ///< the producing step may write the target itself
};

/// The code of one kernel. Immutable; addresses are made per run.
struct Code {
  explicit Code(std::pmr::memory_resource* memory)
      : steps(memory),
        once(memory),
        splats(memory),
        uniform_loads(memory),
        stores(memory),
        fold_values(memory),
        offsets(memory),
        constants(memory),
        machines(memory) {}
  std::pmr::vector<Step> steps;  ///< per block
  std::pmr::vector<Step> once;   ///< per run, on single elements
  std::pmr::vector<Splat> splats;
  std::pmr::vector<Step> uniform_loads;  ///< per run: copied to their cell
  std::pmr::vector<StoreSlot> stores;
  std::pmr::vector<std::uint32_t> fold_values;
  std::pmr::vector<std::uint32_t> offsets;  ///< per value: byte offset of its register or cell in the scratch memory
  struct Constant {
    std::uint32_t value;
    ir::Value bits;
  };
  std::pmr::vector<Constant> constants;
  std::pmr::vector<Machine> machines;
  std::size_t scratch_bytes = 0;
  std::size_t fold_part = 0;  ///< bytes of the largest accumulator of one of the folds' elements
  std::size_t calls = 0;      ///< per block, those in machine code among them
  std::size_t in_machines = 0;
  double cost = 0;  ///< element-operations per element, for the caller's decisions
};

/// Calls that machine code is to do at once.
struct Segment {
  std::span<const Step> steps;
  std::span<const DType> dtypes;               ///< of each value
  std::span<const bool> is_uniform;            ///< of each value: it is in a cell
  std::span<const std::int8_t> steps_between;  ///< of each value, if not all are 1: from one element to the next, in elements
  std::span<const std::uint32_t> outs;
  /// Of the only out, where that is what is folded, and read by nobody else.
  std::optional<catalog::Reduction> fold;
  bool walks = false;  ///< see Machine::Walk
};

/// What becomes of a call in machine code. A Call is that of something compiled ahead, vector by vector: what vectors have no
/// instructions for, and elementary functions, also where instructions that take as long stand in the place of the call.
enum class Support : std::uint8_t { None, Instructions, Call };

/// Who makes machine code of steps.
struct MachineCompiler {
  /// `in`: the dtypes of the arguments.
  Support (*support)(const Meaning& meaning, std::span<const DType> in, DType out) noexcept;
  /// Fills in the machine. False where there is no room for code.
  bool (*make)(const Segment& segment, Machine& machine);
  double cost;  ///< of a call in machine code, in the calls of the interpreter
};

/// `machines`: null for calls alone.
Code compile(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory,
             const MachineCompiler* machines = nullptr);

/// The code as text, a step a line, for explain() and tests.
std::string print(const Code& code);

}  // namespace engine::run::interp
