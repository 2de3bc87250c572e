// catalog/evaluate.hpp - operations on single values, with the meanings of the table: for folding constants and as the
// oracle of every vector kernel. All loops, float16 included (computed in float32, rounded once).
#pragma once

#include "engine/base/dtype.hpp"
#include "engine/catalog/op.hpp"

namespace engine::catalog {

/// out = op(*in[0], *in[1], …) by loop `loop` of the operation. Any alignment.
void apply_scalar(Op op, int loop, const void* const* in, void* out) noexcept;
/// out = astype(in). Any alignment; also from == to.
void cast_scalar(DType from, DType to, const void* in, void* out) noexcept;
/// The largest (`upper`) or smallest value of a dtype: infinities of floats, in both parts of complex numbers.
void limit_scalar(DType dtype, bool upper, void* out) noexcept;
/// The value that changes no other one it is combined with; of the extrema the largest or smallest there is.
void identity_scalar(Reduction reduction, DType accumulator, void* out) noexcept;
/// out = x o y for a primitive reduction over values of its accumulator's dtype.
void combine_scalar(Reduction primitive, DType accumulator, const void* x, const void* y, void* out) noexcept;

}  // namespace engine::catalog
