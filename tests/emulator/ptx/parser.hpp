// ptx/parser.hpp - PTX text -> Module.
#pragma once

#include <string>

#include "tests/emulator/ptx/module.hpp"

namespace standin::ptx {

/// Throws Error, with the line, on a directive or a form of it that is not known.
Module parse(std::string text);

}  // namespace standin::ptx
