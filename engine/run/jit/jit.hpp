// run/jit/jit.hpp - machine code of what the interpreter would do step by step.
#pragma once

#include <string>
#include <string_view>

#include "engine/run/interp/compile.hpp"

namespace engine::run::jit {

#ifdef ENGINE_WITH_JIT
/// For "avx2" or "avx512". Null where this CPU is without it. Of functions it knows those of the interpreter's instruction set.
const interp::MachineCompiler* compiler(std::string_view isa) noexcept;
/// For the interpreter's instruction set. Null where none can be made: then reason() says why.
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

/// Code as text, its virtual registers and then its real ones. `isa`: "avx2" or "avx512".
std::string print(std::string_view isa, const interp::Segment& segment);

}  // namespace engine::run::jit
