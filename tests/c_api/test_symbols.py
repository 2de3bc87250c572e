"""What the shared library exports is what engine.h declares and what symbols.txt has kept: nothing lost or unsaid."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.c_api.capi import HEADER, LIBRARY

STORED = Path(__file__).with_name("symbols.txt")


def exported() -> set[str]:
    listing = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    found = {name for *_, kind, name in rows if kind == "T" and name.startswith("engine_")}
    assert not {name for *_, kind, name in rows if name.startswith("engine_")} - found, "only functions are exported"
    return found


def stored() -> list[str]:
    return STORED.read_text().split()


def declared() -> set[str]:
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    declarations = re.findall(r"^ENGINE_C_API\b[^;]*?\b(engine_\w+)\(", text, flags=re.MULTILINE)
    assert len(declarations) == len(re.findall("^ENGINE_C_API ", text, flags=re.MULTILINE))
    return set(declarations)


def test_no_symbol_of_the_stored_list_is_lost():
    assert not set(stored()) - exported()


def test_no_symbol_is_exported_that_the_stored_list_lacks():
    assert not exported() - set(stored())


def test_the_header_declares_exactly_what_is_exported():
    assert declared() == exported()


def test_the_stored_list_is_sorted_and_free_of_doubles():
    assert stored() == sorted(set(stored()))


def test_the_library_needs_no_more_than_the_system():
    """Whoever loads it needs no package of ours: libc, libm, the C++ runtime."""
    listing = subprocess.run(["objdump", "-p", LIBRARY], check=True, capture_output=True, text=True).stdout
    needed = {name.split(".so")[0] for name in re.findall(r"NEEDED\s+(\S+)", listing)}
    assert needed <= {"libstdc++", "libm", "libgcc_s", "libc", "ld-linux-x86-64", "libpthread"}
