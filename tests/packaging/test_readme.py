"""The documents show what really happens."""

import doctest
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    document = ROOT / "docs" / "stencils.md"
    assert f"pictures/{name}.png" in document.read_text()
    drawn, shown = (np.asarray(Image.open(folder / f"{name}.png")) for folder in (tmp_path, ROOT / "docs" / "pictures"))
    assert np.array_equal(drawn, shown)
