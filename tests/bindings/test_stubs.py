"""The stubs agree with the module, the package is typed throughout, and the examples in docstrings are true."""

import doctest
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import _core

PACKAGE = Path(engine.__file__).parent


def mypy(module, *arguments, cwd):
    pytest.importorskip("mypy")
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent), "PYTHONPATH": str(PACKAGE.parent)},
    )


def test_the_stubs_are_those_of_the_module(tmp_path):
    checked = mypy("mypy.stubtest", "engine", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_package_passes_strict_type_checking(tmp_path):
    checked = mypy("mypy", "--strict", "--cache-dir", str(tmp_path), "-p", "engine", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_calls_are_checked_by_their_stubs(tmp_path):
    (tmp_path / "calls.py").write_text(
        "import numpy as np\n"
        "import engine\n"
        "a = np.ones(3)\n"
        "engine.evaluate('2*a', {'a': a}, out=a, order='C', limits=engine.Limits(depth=3))\n"
        "program: engine.Program = engine.compile('2*a')\n"
        "program(a=a); program({'a': a}, order='F'); str(program.explain(a=a))\n"
        "try: engine.evaluate('a +')\n"
        "except engine.ParseError as error: print(error.what, error.spans[0][0], error.lineno)\n"
        "limits: engine.Limits = engine.config.limits.replace(time=1.0)\n"
        "run = engine.last_run(); assert run is not None; n: int = run.operations; k: int = program.stats.calls\n"
        "d: dict[str, object] = engine.doctor().to_dict(); row: engine.Function = engine.functions['hypot']\n"
        "e: dict[str, object] = engine.explain('a').to_dict(); f: dict[str, int] = program.explain(a=a).totals\n"
        "with engine.config(exactness='relaxed'): engine.config.exactness = 'strict'\n"
        "engine.evaluate('2*a', order='Z')\n"
        "engine.evaluate('2*a', threads='two')\n"
    )
    checked = mypy("mypy", "--strict", "--cache-dir", str(tmp_path), "calls.py", cwd=tmp_path)
    wrong = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[1] for line in wrong] == ["14", "15"], checked.stdout


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file() and (PACKAGE / "_core.pyi").is_file()


MODULES = [importlib.import_module(f"engine.{info.name}") for info in pkgutil.iter_modules(engine.__path__)]
# The classes of engine.errors call themselves engine's, and doctest looks for them there.
ELSEWHERE = (_core, engine.errors)
WITH_EXAMPLES = [m for m in MODULES if m not in ELSEWHERE and ">>>" in Path(m.__file__).read_text()]


@pytest.mark.parametrize("module", (engine, _core, *WITH_EXAMPLES), ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    result = doctest.testmod(
        module,
        extraglobs={"np": np, "engine": engine},
        optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert result.attempted and not result.failed


def test_every_public_name_has_a_docstring_with_an_example():
    without = {"Function", "Report", "Error"} | {error.__name__ for error in engine.Error.__subclasses__()}
    for name in set(engine.__all__) - without - {"__version__", "num_threads", "functions"}:
        assert ">>>" in (inspect.getdoc(getattr(engine, name)) or ""), name


def test_examples_of_compiled_functions():
    finder = doctest.DocTestFinder()
    examples = [
        test
        for object in (engine.evaluate, engine.blitz, engine.compile, engine.explain, engine.Program)
        for test in finder.find(object, object.__name__, globs={"np": np, "engine": engine})
        if test.examples
    ]
    assert len(examples) == 5
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples:
        assert runner.run(test).failed == 0
