"""CUB's scan, reduction and radix sort, inside a block and across blocks, in order and interleaved, all checks on."""

from __future__ import annotations

import ctypes
import os
import pathlib

import numpy as np
import pytest

from tests.emulator.standin import standin
from tests.kernels_cuda import nvrtc

TOOLKIT = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "include"
pytestmark = pytest.mark.skipif(
    not (TOOLKIT / "cccl/cub").is_dir(), reason="CCCL's headers are missing: install a CUDA toolkit or nvidia-cuda-cccl"
)

BLOCK = r"""
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
extern "C" __global__ void scan(long long* a) {
  typedef cub::BlockScan<long long, 128> Scan;
  __shared__ typename Scan::TempStorage storage;
  long long x = a[threadIdx.x];
  Scan(storage).InclusiveSum(x, x);
  a[threadIdx.x] = x;
}
extern "C" __global__ void reduce(double* a, double* r) {
  typedef cub::BlockReduce<double, 128> Reduce;
  __shared__ typename Reduce::TempStorage storage;
  double s = Reduce(storage).Sum(a[threadIdx.x]);
  if (threadIdx.x == 0) *r = s;
}
extern "C" __global__ void sort(double* a) {
  typedef cub::BlockRadixSort<double, 128, 4> Sort;
  __shared__ typename Sort::TempStorage storage;
  double k[4];
  for (int i = 0; i < 4; ++i) k[i] = a[threadIdx.x * 4 + i];
  Sort(storage).Sort(k);
  for (int i = 0; i < 4; ++i) a[threadIdx.x * 4 + i] = k[i];
}
"""

# The scan of a whole array in one launch: blocks look back at what their predecessors have published.
DEVICE = r"""
#include <cub/agent/single_pass_scan_operators.cuh>
#include <cub/block/block_scan.cuh>
typedef cub::ScanTileState<int> State;
struct Sum { __device__ int operator()(int a, int b) const { return a + b; } };
extern "C" __global__ void start(void* storage, int n_tiles) {
  State state; size_t bytes;
  state.AllocationSize(n_tiles, bytes);
  state.Init(n_tiles, storage, bytes);
  state.InitializeStatus(n_tiles);
}
extern "C" __global__ void scan(void* storage, int n_tiles, const int* x, int* r) {
  typedef cub::BlockScan<int, 128> Scan;
  typedef cub::TilePrefixCallbackOp<int, Sum, State> Prefix;
  __shared__ typename Scan::TempStorage scan_storage;
  __shared__ typename Prefix::TempStorage prefix_storage;
  State state; size_t bytes;
  state.AllocationSize(n_tiles, bytes);
  state.Init(n_tiles, storage, bytes);
  const int i = blockIdx.x * 128 + threadIdx.x;
  int v = x[i], total;
  if (blockIdx.x == 0) {
    Scan(scan_storage).InclusiveScan(v, v, Sum(), total);
    if (threadIdx.x == 0) state.SetInclusive(0, total);
  } else {
    Prefix prefix(state, prefix_storage, Sum());
    Scan(scan_storage).InclusiveScan(v, v, Sum(), prefix);
  }
  r[i] = v;
}
"""


def compiled(source: str) -> str:
    return nvrtc.compile(source, "compute_90", f"-I{TOOLKIT}", f"-I{TOOLKIT / 'cccl'}")


@pytest.fixture(scope="module")
def block_ptx():
    return compiled(BLOCK)


@pytest.fixture(scope="module")
def device_ptx():
    return compiled(DEVICE)


@pytest.fixture(params=(0, 1, 2))
def machine(request):
    machine = standin()
    machine.set("seed", request.param)
    yield machine
    machine.set("seed", 0)
    assert machine.report() == ""


def test_a_block_scans_reduces_and_sorts(machine, block_ptx):
    rng = np.random.default_rng(3)
    module = machine.load(block_ptx)
    whole = rng.integers(-(2**40), 2**40, 128)
    array = machine.array(whole)
    machine.launch(module, "scan", 1, 128, array)
    assert np.array_equal(array.read(np.int64, 128), np.cumsum(whole))
    real, result = rng.integers(0, 1000, 128).astype(float), machine.empty(8)
    machine.launch(module, "reduce", 1, 128, machine.array(real), result)
    assert result.read(np.float64, 1)[0] == real.sum()
    keys = rng.normal(size=512)
    array = machine.array(keys)
    machine.launch(module, "sort", 1, 128, array)
    assert np.array_equal(array.read(np.float64, 512), np.sort(keys))


def test_blocks_look_back_in_one_launch(machine, device_ptx):
    module = machine.load(device_ptx)
    n_tiles = 23
    x = np.random.default_rng(4).integers(-100, 100, 128 * n_tiles).astype(np.int32)
    state, result = machine.empty(8 * (n_tiles + 64)), machine.empty(x.nbytes)
    machine.launch(module, "start", 1, 128, state, ctypes.c_int(n_tiles))
    machine.launch(module, "scan", n_tiles, 128, state, ctypes.c_int(n_tiles), machine.array(x), result)
    assert np.array_equal(result.read(np.int32, x.size), np.cumsum(x, dtype=np.int32))
