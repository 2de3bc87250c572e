// engine/options.hpp - how an expression is to be evaluated.
//
//     Options options;
//     options.order = Order::F;
//     options.limits.result_bytes = 1 << 20;
#pragma once

#include <cstdint>
#include <engine/export.hpp>
#include <string_view>

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
/// Strict: NumPy's bits (contract §3). Relaxed: float32 and float64 may be computed in quicker ways, each within 4 ulp of its exact value
/// and with that one's infinities, NaN and signs of zero: whole powers up to the fifth and quotients by numbers of the text are products,
/// x*y + z is rounded once, tan is fast_tan. The bits are the same on every backend and instruction set.
enum class Exactness : std::uint8_t { Strict, Relaxed };
/// What a shifted read finds beyond one side of an axis (contract §5): SciPy's words with its index meaning, here for (a b c d).
enum class Boundary : std::uint8_t {
  Reflect,   ///< (d c b a | a b c d | d c b a)
  Mirror,    ///< (d c b | a b c d | c b a)
  Nearest,   ///< (a a a a | a b c d | d d d d)
  Wrap,      ///< (a b c d | a b c d | a b c d)
  Constant,  ///< (v v v v | a b c d | v v v v)
  Valid,     ///< nothing: the result lacks the elements that would read there
  Keep,      ///< nothing: elements that would read there keep the value they have
};
/// "reflect", "mirror", …; and back: false where no boundary has that name.
std::string_view word(Boundary boundary) noexcept;
bool find_boundary(std::string_view name, Boundary& boundary) noexcept;

enum class BackendChoice : std::uint8_t { Auto, Interp, Jit, Cuda };  ///< contract §9

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
