// run/interp/compile.hpp - a plan's kernel -> bytecode of the blocked register machine.
#pragma once

#include <memory_resource>
#include <string>
#include <vector>

#include "engine/plan/plan.hpp"
#include "engine/run/interp/kernels.hpp"

namespace engine::run::interp {

inline constexpr std::uint32_t kNone = 0xffffffffu;

/// One step on one block. Values are entries of a table of addresses: a register, a cell (one element), or memory itself.
struct Step {
  enum class Kind : std::uint8_t { Call, Load, Position };
  Kind kind = Kind::Call;
  std::uint8_t n_in = 0;
  std::uint32_t out = 0;
  std::array<std::uint32_t, 3> in{};
  Kernel kernel = nullptr;   ///< Call
  std::uint32_t access = 0;  ///< Load, Position: index among the bound kernel's accesses
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
        constants(memory) {}
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
  std::size_t scratch_bytes = 0;
  std::size_t fold_part = 0;  ///< bytes of the largest accumulator of one of the folds' elements
  double cost = 0;            ///< element-operations per element, for the caller's decisions
};

Code compile(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory);

/// The code as text, a step a line, for explain() and tests.
std::string print(const Code& code);

}  // namespace engine::run::interp
