"""The backend "cuda" gives the interpreter's bits: by g++ (host/driver.cpp), and as PTX on the stand-in driver."""

import re

import pytest

from tests.conformance.operations import DTYPE_NAMES
from tests.kernels_cuda.nvrtc import HOST, STANDIN
from tests.kernels_cuda.process import lines


def walk(driver, nvrtc, cache, *groups, **environment):
    *complaints, last = lines(
        cache, "-m", "tests.kernels_cuda.table", *groups, ENGINE_CUDA_DRIVER=driver, ENGINE_NVRTC=nvrtc, **environment
    )
    assert not complaints
    return int(re.fullmatch(r"(\d+) compared", last)[1])


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_stand_in_gives_the_bits_of_the_interpreter(shared, dtype):
    """Blocks in order, and interleaved by two seeds, with streams that run at once and when somebody waits."""
    in_order = walk(STANDIN, "", shared, dtype)
    assert in_order >= 200
    for seed in (1, 2):
        assert walk(STANDIN, "", shared, dtype, STANDIN_SEED=seed, STANDIN_DEFER=seed % 2) == in_order


def test_long_scans_give_the_bits_of_the_interpreter_by_columns_too(shared):
    """A device of one multiprocessor is full with few columns: a thread each walks them, spans of the tree included."""
    assert walk(STANDIN, "", shared, "long", "float32", STANDIN_MULTIPROCESSORS=1) >= 8


def test_the_text_as_ordinary_code_gives_the_bits_of_the_interpreter(tmp_path):
    assert walk(HOST, str(HOST), tmp_path, "overlaps", "float64") >= 8


def test_the_text_of_blocks_that_wait_as_ordinary_code_gives_the_bits_of_the_interpreter(tmp_path):
    assert walk(HOST, str(HOST), tmp_path, "squares", "int16") >= 40
