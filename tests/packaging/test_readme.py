"""The documents show what really happens."""

import doctest
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("heat", "wave", "life", "sobel", "fdtd")


@pytest.mark.parametrize("page", ["README.md", "docs/stencils.md"])
def test_the_examples_of_a_document_run(page):
    failed, tried = doctest.testfile(str(ROOT / page), module_relative=False)
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_checks_itself_and_draws_the_picture_of_the_document(name, tmp_path):
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"](tmp_path)
    drawn = (tmp_path / f"{name}.png").read_bytes()
    assert drawn.startswith(b"\x89PNG") and f"pictures/{name}.png" in (ROOT / "docs/stencils.md").read_text()
    assert (ROOT / "docs" / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
