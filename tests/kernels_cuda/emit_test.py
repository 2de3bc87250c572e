"""The CUDA C++ of each kernel template, character by character: golden/*.cu.

The prelude is left out: it is the catalog's own text. After a change that is meant:
`python -m tests.kernels_cuda.emit_test`, and read the diff.
"""

from __future__ import annotations

import pathlib
import tempfile

import pytest

from tests.kernels_cuda import gates

GOLDEN = pathlib.Path(__file__).with_name("golden")
NAMES = [
    f"{case} {'bool' if case == 'logical_and' else 'complex128' if case == 'complex_abs' else 'float64'}"
    for case in gates.CASES
] + ["copy int8", "compare float16", "add complex64", "transposed int8", "sum int8", "sum_first int8"]


def kernel(text: str) -> str:
    """From the body's functions on."""
    return text[text.rindex("namespace engine::cuda {") :]


def emitted() -> dict[str, str]:
    """By name: the kernels of the case, one after the other; of those that share all with an earlier case, nothing."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            row["name"]: "".join(kernel((pathlib.Path(folder) / f"{k}.cu").read_text()) for k in row["cubins"])
            for row in gates.evaluate(90, NAMES, folder)
        }


def path(name: str) -> pathlib.Path:
    return GOLDEN / f"{name.replace(' ', '_')}.cu"


@pytest.fixture(scope="module")
def texts():
    return emitted()


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_the_golden_one(texts, name):
    assert texts[name] == (path(name).read_text() if path(name).exists() else "")


def test_nothing_golden_is_left_over(texts):
    assert {p.name for p in GOLDEN.iterdir()} == {path(name).name for name in NAMES if texts[name]}


def test_the_same_kernel_is_the_same_text_again(texts):
    assert emitted() == texts


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, text in emitted().items():
        if text:
            path(name).write_text(text)
