"""The documents and the public headers show code that is compiled and run in this folder."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = "\n".join(
    path.read_text() for path in [*sorted(Path(__file__).parent.glob("*.cpp")), ROOT / "tests/consumer/main.cpp"]
)
HEADERS = sorted((ROOT / "engine/include/engine").glob("*.hpp"))
EXAMPLE = re.compile(r"^\s*//+ {5,}(.*\S)", re.MULTILINE)
BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.MULTILINE | re.DOTALL)


def plain(text):
    return " ".join(text.split())


CODE = plain(PROGRAMS)


def quoted(lines):
    return [line for line in lines if plain(line) and plain(line) not in CODE]


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_the_examples_of_a_header_are_compiled(header):
    assert quoted(EXAMPLE.findall(header.read_text())) == []


@pytest.mark.parametrize("page", ["README.md", "docs/cpp.md"])
def test_the_programs_of_a_document_are_compiled(page):
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks
    for block in blocks:
        assert quoted(block.splitlines()) == []
        assert plain(block) in CODE  # in one piece, too


def test_the_c_program_of_the_readme_is_compiled():
    (block,) = re.findall(r"^```c\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert plain(block) in plain((ROOT / "tests/consumer/c/main.c").read_text())


def test_what_no_program_contains_is_noticed():
    assert quoted(['const Array d = evaluate(2 * named("a") + 1);'])


def test_every_public_header_shows_an_example():
    for header in HEADERS:
        if header.name not in ("engine.hpp", "export.hpp", "handle.hpp"):  # no calls in them
            assert EXAMPLE.findall(header.read_text()), header.name
