// ir/weak.hpp - Python's scalars, as they are before they meet an array: arithmetic on them follows Python.
#pragma once

#include <engine/error.hpp>

#include "engine/catalog/op.hpp"
#include "engine/ir/graph.hpp"

namespace engine::ir {

__extension__ typedef __int128 Int128;

/// A literal, or a scalar operand whose value is known. Integers are in [-2^63, 2^64).
struct WeakValue {
  Weak kind = Weak::No;
  bool is_given = false;  ///< an operand has part in it: another call may have another value
  Int128 integer = 0;     ///< Bool, Int
  double re = 0, im = 0;  ///< Float, Complex

  double real() const { return kind == Weak::Float || kind == Weak::Complex ? re : static_cast<double>(integer); }
};

/// op(args) as Python's operators have it, staying weak. Throws RangeError (zero division, overflow), LimitError (an
/// integer beyond 64 bits), DTypeError (types Python does not combine). `text` and spans are for messages.
WeakValue weak_apply(catalog::Op op, std::span<const WeakValue> args, Span span, std::string_view text);

/// The value in a dtype, as NumPy converts a Python scalar that meets it. False where an integer does not fit.
bool weak_convert(const WeakValue& value, DType dtype, Value& out);

/// bool, int64 (uint64 where it does not fit), float64 or complex128.
DType weak_strong_dtype(const WeakValue& value);

}  // namespace engine::ir
