"""first_calls.py on the stand-in, with streams that run at once and with streams that run when somebody waits; and
processes that end while kernels are compiled."""

import re

import pytest

from tests.kernels_cuda.process import lines, run


@pytest.mark.parametrize("defer", (0, 1))
def test_first_calls_on_the_stand_in(tmp_path, defer):
    words = "-m pytest -q --noconftest -p no:cacheprovider tests/kernels_cuda/first_calls.py".split()
    done = run(tmp_path, *words, STANDIN_DEFER=defer, ENGINE_WAIT="")
    passed = re.search(r"^(\d+) passed", done.stdout, re.M)
    assert done.returncode == 0 and "stand-in:" not in done.stderr, done.stdout[-4000:] + done.stderr
    assert passed and int(passed[1]) >= 44


ENDS = """
import os, sys
import numpy as np, engine
a = engine.to_device(np.ones(100))
engine.evaluate("sort(a)", {"a": a})
assert engine.last_run().pending
engine.evaluate("cumsum(a)", {"a": a})  # waits for the other
print(engine.last_run().pending)
ENDING
"""


@pytest.mark.parametrize("ending", ("", "sys.exit(0)", "os._exit(0)", "engine.trim(); del a"))
def test_a_process_may_end_while_kernels_are_compiled(tmp_path, ending):
    assert lines(tmp_path, "-c", ENDS.replace("ENDING", ending), ENGINE_WAIT=0) == ["True"]


FORKS = """
import os
import numpy as np, engine
a, host = engine.to_device(np.ones(100)), np.ones(100)
for text in ("sort(a)", "cumsum(a)", "argsort(a)", "median(a)"):
    engine.evaluate(text, {"a": a})
    child = os.fork()
    if not child:
        engine.wait_for_kernels()
        assert engine.evaluate("sum(a)", {"a": host}) == 100
        try:
            engine.evaluate("sort(a)", {"a": a})
        except engine.BackendError as error:
            os._exit(0 if "does not survive fork()" in str(error) else 2)
        os._exit(1)
    print(os.waitpid(child, 0)[1])
engine.wait_for_kernels()
engine.evaluate("sort(a)", {"a": a})
print(engine.last_run().backend, engine.last_run().kernels_compiled)
"""


def test_a_fork_while_kernels_are_compiled_hangs_nobody(tmp_path):
    assert lines(tmp_path, "-c", FORKS, ENGINE_WAIT=0) == ["0"] * 4 + ["cuda 0"]


WARM = """
import numpy as np, engine
a = engine.to_device(np.ones(100))
for text in ("a*2 + 1", "sort(a)"):
    engine.evaluate(text, {"a": a})
    run = engine.last_run()
    print(run.backend, run.pending, run.kernels_compiled)
engine.wait_for_kernels()
"""


def test_what_is_on_disk_is_not_waited_for(tmp_path):
    assert lines(tmp_path, "-c", WARM, ENGINE_WAIT=0) == ["interp True 0"] * 2
    assert lines(tmp_path, "-c", WARM, ENGINE_WAIT=0) == ["cuda False 0"] * 2


HOST = """
import numpy as np, engine
a = np.linspace(0, 1, 500_000)
text = "a"
for _ in range(10):
    text = f"tanh(exp({text}))"
want = engine.evaluate(text, {"a": a}, backend="interp").tobytes()
for _ in range(2):
    same = engine.evaluate(text, {"a": a}, threads=2).tobytes() == want
    print(same, engine.last_run().backend, engine.last_run().pending)
    engine.wait_for_kernels()
"""


def test_what_would_go_to_a_device_stays_on_the_host_until_kernels_are_there(tmp_path):
    done = lines(tmp_path, "-c", HOST, ENGINE_WAIT=0, ENGINE_AUTO_SECONDS=0)
    assert done == ["True interp True", "True cuda False"]
