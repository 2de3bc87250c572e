"""The stubs agree with the module, the package is typed throughout, and the examples in docstrings are true."""

import doctest
import os
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
        "engine.evaluate('2*a', order='Z')\n"
        "engine.evaluate('2*a', threads='two')\n"
    )
    checked = mypy("mypy", "--strict", "--cache-dir", str(tmp_path), "calls.py", cwd=tmp_path)
    wrong = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[1] for line in wrong] == ["9", "10"], checked.stdout


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file() and (PACKAGE / "_core.pyi").is_file()


@pytest.mark.parametrize("module", (engine, _core), ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    result = doctest.testmod(
        module,
        extraglobs={"np": np, "engine": engine},
        optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert result.attempted and not result.failed


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
