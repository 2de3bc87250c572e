// exec/memory_words.hpp - the modifiers that ld, st, atom and red share: order, scope, space, caching.
#pragma once

#include "tests/emulator/exec/decoder.hpp"

namespace standin::decode {

/// Reads every such modifier that comes next, in whatever order.
void memory_words(Decoder& d);

}  // namespace standin::decode
