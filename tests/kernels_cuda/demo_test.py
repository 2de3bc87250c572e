"""The demo on the stand-in: every expression over its real data has the CPU's bits on the device."""

from tests.kernels_cuda.process import run


def test_the_demo_runs_its_expressions_on_a_device_that_is_there(tmp_path):
    done = run(tmp_path, "examples/demo.py")
    _, _, part = done.stdout.partition("the same on a GPU, against the CPU's\n")
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert [line.endswith("same bits") for line in part.split("\n\n")[0].splitlines()] == [True] * 4
