// run/jit/jit.hpp - machine code of what the interpreter would do step by step.
#pragma once

#include <string>

#include "engine/run/interp/compile.hpp"

namespace engine::run::jit {

#ifdef ENGINE_WITH_JIT
/// Null where none can be made: then reason() says why.
const interp::MachineCompiler* compiler() noexcept;
/// What it makes code for, or why it makes none.
const std::string& reason() noexcept;
#else
inline const interp::MachineCompiler* compiler() noexcept { return nullptr; }
inline const std::string& reason() noexcept {
  static const std::string none = "not part of this build";
  return none;
}
#endif

/// Code as text, its virtual registers and then its real ones, for ENGINE_DUMP and tests. `isa`: "avx2" or "avx512".
std::string print(std::string_view isa, const interp::Segment& segment);

}  // namespace engine::run::jit
