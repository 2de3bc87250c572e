// engine/options.hpp - how an expression is to be evaluated.
//
//     Options options;
//     options.order = Order::F;
//     options.limits.result_bytes = 1 << 20;
#pragma once

#include <cstdint>
#include <engine/export.hpp>

namespace engine ENGINE_API {

/// Budgets against hostile or mistaken text (contract §8).
struct Limits {
  std::uint32_t depth = 256;       ///< nesting of brackets, calls and prefix operators
  std::uint32_t nodes = 100'000;   ///< syntax tree nodes
  std::uint32_t names = 4'096;     ///< distinct names
  std::int64_t result_bytes = -1;  ///< bytes of one result; -1: no limit
  double seconds = 0;              ///< for parsing, and for preparing and running one call; 0: no limit
  friend bool operator==(const Limits&, const Limits&) = default;
};

enum class Order : std::uint8_t { K, C, F, A };                           ///< memory order of a fresh result
enum class Casting : std::uint8_t { No, Equiv, Safe, SameKind, Unsafe };  ///< NumPy's casting rules
enum class Exactness : std::uint8_t { Strict, Relaxed };                  ///< contract §3
enum class BackendChoice : std::uint8_t { Auto, Interp, Jit, Cuda };      ///< contract §9

struct Options {
  Order order = Order::K;
  Casting casting = Casting::SameKind;
  Exactness exactness = Exactness::Strict;
  BackendChoice backend = BackendChoice::Auto;
  bool blitz = false;  ///< `name = …` writes into the operand of that name (weave's form)
  int threads = 0;     ///< 0: as many as the machine gives
  Limits limits;
  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace engine ENGINE_API
