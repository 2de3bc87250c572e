// bindings/cli/scalars.hpp - numbers on the command line, as Python writes them: 3, -0x1f, 1_000, 2.5e-3, inf, 1+2j, True.
#pragma once

#include <engine/evaluate.hpp>
#include <string>
#include <string_view>

namespace engine::cli {

/// The operand a number stands for; its dtype yields to that of the arrays it meets. Throws UsageFailure.
Operand read_scalar(std::string_view text, const std::string& name);

}  // namespace engine::cli
