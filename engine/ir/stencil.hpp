// ir/stencil.hpp - what a text means where subscripts are offsets: boundaries of its fields, and what it updates.
#pragma once

#include <engine/stencil.hpp>

#include "engine/ir/graph.hpp"

namespace engine::ir {

struct StencilSpec {
  const StencilOptions* options = nullptr;
  bool repeats = false;  ///< a bare expression is the new value of the field it reads at offsets
};

/// What a graph of a stencil writes.
struct StencilTargets {
  struct Target {
    std::uint32_t symbol;  ///< the field
    std::uint32_t slot;    ///< its new value's
  };
  std::vector<Target> targets;
  /// Elements at the low and high end of each axis, counted from the last one, that the result lacks, or that keep what they have.
  struct Rim {
    std::int64_t low = 0, high = 0;
  };
  std::vector<Rim> lacking, kept;
  Span span;  ///< of the last read at offsets
};

}  // namespace engine::ir
