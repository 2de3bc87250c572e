"""device/reduce.cuh by itself, on the stand-in: how parts are combined, by an operation that tells orders apart."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.emulator.standin import standin
from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.process import lines

CELLS, DEPTH = 30, 8

KERNELS = """
namespace engine::cuda {
struct Fold {
  using Value = unsigned long;
  using Part = Value;
  ENGINE_LANE static Part combine(Part x, Part y) { return (x * 6364136223846793005ul + y) ^ y >> 29; }
};

// Thread t: the first t + 1 of the parts.
extern "C" __global__ void in_order(unsigned long* result, const unsigned long* parts) {
  result[threadIdx.x] = combine_in_order<Fold>(parts, threadIdx.x + 1);
}
extern "C" __global__ void columns(unsigned long* result, const unsigned long* parts, long stride) {
  unsigned long both[2];
  combine_columns<Fold, 2>(both, parts, stride, threadIdx.x + 1);
  for (int j = 0; j < 2; ++j) result[2 * threadIdx.x + j] = both[j];
}
// Each of the cells, of n blocks' parts, by `depth` threads.
extern "C" __global__ void blocks(unsigned long* result, unsigned long* parts, unsigned cells, unsigned depth,
                                  unsigned n) {
  __shared__ char memory[256 * sizeof(Fold::Part)];
  const unsigned q = threadIdx.x / 32, slot = threadIdx.x % 32;
  const bool is_cell = slot < cells;
  unsigned long part[1];
  n = combine_blocks<Fold, 1>(part, parts + slot, cells, n, is_cell ? q : depth, depth);
  const unsigned long all = combine_in_block<Fold>(part[0], q, 32, slot, n, memory);
  if (is_cell && q == 0) result[slot] = all;
}
}
"""


@pytest.fixture(scope="module")
def kernels():
    names = ("elementwise.cuh", "tiles.hpp", "reduce.cuh")
    text = "".join(f'#include "kernels_cuda/device/{name}"\n' for name in names)
    return standin().load(nvrtc.compile('#include "engine/catalog/moments.hpp"\n' + text + KERNELS, "compute_75"))


def combined(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x * np.uint64(6364136223846793005) + y) ^ y >> np.uint64(29)


def tree(parts: np.ndarray) -> np.ndarray:
    """Rows of parts: neighbours become one, an odd one at the end moves up (contract 3)."""
    while len(parts) > 1:
        odd = parts[len(parts) - 1 :] if len(parts) % 2 else parts[:0]
        pairs = parts[: len(parts) - len(odd)]
        parts = np.concatenate([combined(pairs[0::2], pairs[1::2]), odd])
    return parts[0]


def some_parts(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 1 << 64, shape, np.uint64)


def test_one_to_eight_parts_are_combined_in_order(kernels):
    parts = some_parts(8)
    result = standin().empty(8 * 8)
    standin().launch(kernels, "in_order", 1, 8, result, standin().array(parts))
    assert result.read(np.uint64, 8).tolist() == [tree(parts[: n + 1]) for n in range(8)]


def test_a_thread_combines_up_to_64_parts_of_neighbouring_columns(kernels):
    parts = some_parts(64, 3)
    result = standin().empty(64 * 2 * 8)
    standin().launch(kernels, "columns", 1, 64, result, standin().array(parts), ctypes.c_long(3))
    expected = [tree(parts[: n + 1, :2]).tolist() for n in range(64)]
    assert result.read(np.uint64, (64, 2)).tolist() == expected


@pytest.mark.parametrize("n", (1, 2, 7, 8, 9, 511, 512, 513, 4097, 40_000))
def test_parts_of_any_number_of_blocks_are_combined_by_one(kernels, n):
    """More than 512 go round again: 40,000 become 625 and then 10."""
    parts = some_parts(n, CELLS)
    result = standin().empty(CELLS * 8)
    counts = (ctypes.c_uint(value) for value in (CELLS, DEPTH, n))
    standin().launch(kernels, "blocks", 1, 256, result, standin().array(parts), *counts)
    assert result.read(np.uint64, CELLS).tolist() == tree(parts).tolist()


TALL = """
import numpy as np
import engine

def same(x, y):
    return np.asarray(x).tobytes() == np.asarray(y).tobytes()

rng = np.random.default_rng(3)
for shape, axis in (((700, 1100), 0), ((2, 513, 1024), 1)):
    for dtype in ("int8", "float32", "float64"):
        a = (rng.standard_normal(shape) * 3).astype(dtype)
        for function in ("sum", "var", "argmax"):
            text = f"{function}(a, axis={axis})"
            print(same(engine.evaluate(text, {"a": engine.to_device(a)}).numpy(), engine.evaluate(text, {"a": a})))
"""


def test_many_columns_are_cut_as_well_where_they_have_more_rows_than_a_thread_combines(shared):
    """Of one multiprocessor 1,024 threads are enough not to cut columns for the sake of filling it."""
    assert lines(shared, "-c", TALL, STANDIN_MULTIPROCESSORS=1) == 18 * ["True"]
