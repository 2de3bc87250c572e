"""Generated expressions as C++ operators: one library for many of them, and calls into it.

in: Programs of one expression   out: a compiled `Library`, whose `evaluate` gives what `engine::evaluate(Expr)` gives
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import numpy as np

import engine
from tests.differential.program import (
    Attribute,
    Binary,
    Call,
    Compare,
    Literal,
    Logic,
    Name,
    Program,
    Range,
    Subscript,
    Ternary,
    Unary,
)

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ROOT / "build" / "dev" / "engine" / "installed"
DTYPES = (
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
ERRORS = (
    None, engine.ParseError, engine.UnknownName, engine.DTypeError, engine.ShapeError, engine.RangeError,
    engine.LimitError, engine.BackendError, engine.OutOfMemory, engine.InternalError,
)  # fmt: skip


# --- expressions ------------------------------------------------------------------------------------------------------


def expression(node) -> str:
    """The node in C++. Every operand stands in brackets: C++'s precedence is not Python's."""
    return _WRITTEN[type(node)](node)


def _literal(node) -> str:
    value = node.value
    if isinstance(value, bool):
        return f"Expr({str(value).lower()})"
    if isinstance(value, int):
        return f"Expr({value}{'ull' if value >= 2**63 else 'll'})"
    if isinstance(value, complex):
        return f"Expr(std::complex<double>({value.real!r}, {value.imag!r}))"
    return f"Expr({value!r})"


def _unary(node) -> str:
    return f"({'!' if node.op == 'not' else node.op}{expression(node.operand)})"


def _binary(node) -> str:
    x, y = expression(node.left), expression(node.right)
    if node.op == "**":
        return f"{x}.pow({y})"
    if node.op == "//":
        return f"floor_divide({x}, {y})"
    return f"({x} {node.op} {y})"


def _compare(node) -> str:
    if len(node.ops) == 1:
        return f"({expression(node.first)} {node.ops[0]} {expression(node.rest[0])})"
    middle, last = node.rest
    return (
        f"[&] {{ const Expr y = {expression(middle)}; "
        f"return ({expression(node.first)} {node.ops[0]} y) & (y {node.ops[1]} {expression(last)}); }}()"
    )


def _call(node) -> str:
    name = "bool_" if node.function == "bool" else node.function
    if node.function == "index":
        return f"index({node.arguments[0].value})"
    arguments = [expression(argument) for argument in node.arguments]
    keywords = dict(node.keywords)
    if "right" in keywords:
        arguments.append(f"Expr({str(keywords.pop('right')).lower()})")
    if keywords:
        parts = []
        if "axis" in keywords:
            axis = keywords["axis"]
            parts.append(f".axis = {axis}" if isinstance(axis, int) else f".axis = {_axes(axis)}")
        if "boundary" in keywords:
            parts.append(f".boundary = Boundary::{keywords['boundary'].capitalize()}")
        if "keepdims" in keywords:
            parts.append(f".keepdims = {str(keywords['keepdims']).lower()}")
        arguments.append(f"{{{', '.join(parts)}}}")
    return f"{name}({', '.join(arguments)})"


def _axes(axes: tuple) -> str:
    return f"{{{', '.join(map(str, axes))}}}" if axes else "Axes(std::span<const int>{})"


def _attribute(node) -> str:
    x = expression(node.operand)
    return f"{x}.T()" if node.name == "T" else f"{node.name}({x})"


def _item(item) -> str:
    if item is None:
        return "newaxis"
    if item is Ellipsis:
        return "ellipsis"
    if type(item) is Range:
        bounds = ("{}" if bound is None else expression(bound) for bound in (item.start, item.stop, item.step))
        return f"Slice{{{', '.join(bounds)}}}"
    return expression(item)


_WRITTEN = {
    Literal: _literal,
    Name: lambda node: f'named("{node.name}")',
    Unary: _unary,
    Binary: _binary,
    Logic: lambda node: f"({expression(node.left)} {'&&' if node.op == 'and' else '||'} {expression(node.right)})",
    Compare: _compare,
    Ternary: lambda node: f"where({', '.join(map(expression, (node.condition, node.chosen, node.other)))})",
    Call: _call,
    Attribute: _attribute,
    Subscript: lambda node: f"{expression(node.operand)}({', '.join(map(_item, node.items))})",
}


# --- one library for all of them --------------------------------------------------------------------------------------

HEAD = """\
#include <algorithm>
#include <complex>
#include <cstring>
#include <engine/engine.hpp>
#include <iterator>
#include <vector>

using namespace engine;

namespace {
"""

TAIL = """\
}  // namespace

struct Given {
  const char* name;
  int weak, negative, swapped, dtype, rank;
  char scalar[16];
  void* data;
  std::int64_t shape[32], strides[32];
};
using Take = void (*)(int dtype, int rank, const std::int64_t* shape, const std::int64_t* strides, const void* data);

/// 0, or the number of the error's class; `text` then holds its message, else the expression's text.
extern "C" int run_expression(int which, int n, const Given* given, Take take, char* text, std::size_t size) {
  const auto say = [&](const char* what) { std::strncpy(text, what, size - 1); };
  try {
    std::vector<Named> names;
    for (int i = 0; i < n; ++i) {
      Operand operand;
      operand.present = true;
      operand.weak = static_cast<Weak>(given[i].weak);
      operand.negative = given[i].negative;
      std::memcpy(operand.scalar, given[i].scalar, 16);
      operand.array = {given[i].data, static_cast<DType>(given[i].dtype), given[i].swapped != 0, false, {}, {}};
      for (int axis = 0; axis < given[i].rank; ++axis) {
        operand.array.shape.push_back(given[i].shape[axis]);
        operand.array.strides.push_back(given[i].strides[axis]);
      }
      names.push_back({given[i].name, operand});
    }
    const Expr expression = kExpressions[which]();
    const Array value = evaluate(expression, names);
    const ArrayView seen = value.view();
    take(static_cast<int>(seen.dtype), value.rank(), seen.shape.begin(), seen.strides.begin(), seen.data);
    say(expression.text().c_str());
    return 0;
  } catch (const Error& error) {
    say(error.what());
    return static_cast<int>(error.kind());
  }
}
"""


class _Given(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("weak", ctypes.c_int),
        ("negative", ctypes.c_int),
        ("swapped", ctypes.c_int),
        ("dtype", ctypes.c_int),
        ("rank", ctypes.c_int),
        ("scalar", ctypes.c_char * 16),
        ("data", ctypes.c_void_p),
        ("shape", ctypes.c_int64 * 32),
        ("strides", ctypes.c_int64 * 32),
    ]


_INT64S = ctypes.POINTER(ctypes.c_int64)
_TAKE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, _INT64S, _INT64S, ctypes.c_void_p)


def source(programs: list[Program]) -> str:
    """A C++ file that holds the expression of each program."""
    functions = [
        f"Expr e{number}() {{ return {expression(program.statements[0])}; }}\n"
        for number, program in enumerate(programs)
    ]
    table = ", ".join(f"e{number}" for number in range(len(programs)))
    return HEAD + "".join(functions) + f"constexpr Expr (*kExpressions[])() = {{{table}}};\n" + TAIL


class Library:
    """Expressions compiled against the installed headers and the shared library of the build."""

    def __init__(self, programs: list[Program], folder: Path):
        text, library = folder / "expressions.cpp", folder / "expressions.so"
        text.write_text(source(programs))
        compiler = os.environ.get("CXX", "c++")
        subprocess.run(
            [compiler, "-std=c++20", "-O0", "-shared", "-fPIC", f"-I{ROOT / 'engine' / 'include'}", text, "-o", library,
             f"-L{LIBRARIES}", f"-Wl,-rpath,{LIBRARIES}", "-lengine"],
            check=True,
        )  # fmt: skip
        self._run = ctypes.CDLL(str(library)).run_expression
        self._run.argtypes = [
            ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Given), _TAKE, ctypes.c_char_p, ctypes.c_size_t,
        ]  # fmt: skip

    def evaluate(self, which: int, names: dict):
        """The value, and the expression's text. Raises what the library threw."""
        given = (_Given * len(names))()
        for place, (name, operand) in zip(given, names.items()):
            _fill(place, name, operand)
        result = []

        def take(dtype, rank, shape, strides, data):
            shape, strides = tuple(shape[:rank]), tuple(strides[:rank])
            item = np.dtype(DTYPES[dtype])
            span = item.itemsize + sum(stride * (length - 1) for stride, length in zip(strides, shape))
            raw = ctypes.string_at(data, 0 if 0 in shape else span) or bytes(item.itemsize)
            result.append(np.ndarray(shape, item, bytearray(raw), 0, strides))

        text = ctypes.create_string_buffer(1 << 16)
        code = self._run(which, len(names), given, _TAKE(take), text, len(text))
        if code:
            raise ERRORS[code](text.value.decode())
        return result[0], text.value.decode()


def _fill(place: _Given, name: str, operand) -> None:
    place.name = name.encode()
    if type(operand) in (bool, int, float, complex):
        place.weak = 1 + (bool, int, float, complex).index(type(operand))
        if type(operand) is int:
            place.negative = operand < 0
            raw = operand.to_bytes(8, "little", signed=operand < 0)
        else:
            raw = np.asarray(operand).tobytes()
        ctypes.memmove(ctypes.addressof(place) + _Given.scalar.offset, raw, len(raw))
        return
    array = np.asarray(operand)
    place.array = array  # kept alive for the call
    place.dtype = DTYPES.index(array.dtype.newbyteorder("=").name)
    place.swapped = not array.dtype.isnative
    place.rank = array.ndim
    place.data = array.ctypes.data
    place.shape[: array.ndim] = array.shape
    place.strides[: array.ndim] = array.strides
