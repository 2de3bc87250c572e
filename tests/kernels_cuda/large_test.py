"""More elements than 32 bits count, by kernels given to g++ (host/driver.cpp): the stand-in would take an hour."""

from tests.kernels_cuda.nvrtc import HOST
from tests.kernels_cuda.process import lines

# 2,147,909,635 elements of one byte each, in rows of an odd length.
BROADCAST = """
import numpy as np, engine

row = np.arange(2**16 + 1).astype("i1")
column = (7 * np.arange(2**15 + 3)).astype("i1")[:, None]
made = engine.evaluate("r + k*3", {"r": engine.to_device(row), "k": engine.to_device(column)})
assert engine.last_run().backend == "cuda" and made.shape == (2**15 + 3, 2**16 + 1)
given = made.numpy()
print(sum((values == row + k * np.int8(3)).all() for values, k in zip(given, column)))
"""


def test_a_kernel_of_more_than_two_to_the_31_elements_computes_all_of_them(tmp_path):
    found = lines(tmp_path, "-c", BROADCAST, ENGINE_CUDA_DRIVER=HOST, ENGINE_NVRTC=HOST)
    assert found == [str(2**15 + 3)]
