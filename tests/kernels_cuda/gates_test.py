"""The static gates: bench/gates.json is what the kernels compile to now, and keeps within the bounds. See gates.py."""

import json

import pytest

from tests.kernels_cuda import gates

RECORDED = json.loads(gates.TABLE.read_text())
# Measured anew here: of each template one dtype, not always the first; the others are those of the record.
SAMPLED = {
    gates.LEADING: [f"{case} {row[2][i % len(row[2])]}" for i, (case, row) in enumerate(gates.CASES.items())],
    **{
        architecture: ["add float32", "seed float64", "exp float64", "transposed float64", "sum float64"]
        for architecture in gates.ARCHITECTURES
        if architecture != gates.LEADING
    },
}
# An argmax begins with the kernel of a max, which the record has made before it.
_argmax = next(name for name in SAMPLED[gates.LEADING] if name.startswith("argmax"))
SAMPLED[gates.LEADING].insert(SAMPLED[gates.LEADING].index(_argmax), _argmax.removeprefix("arg"))
ARITHMETIC = ("add", "logical_and", "copy", "select", "seed", "two_results", "broadcast_row")
FUNCTIONS = ("exp", "log", "sin", "power", "erf", "complex_abs")


def rows(*cases):
    """(name, architecture, figures) of the record."""
    return [
        (name, architecture, row[f"sm_{architecture}"])
        for name, row in RECORDED.items()
        for architecture in gates.ARCHITECTURES
        if name.split()[0] in cases
    ]


def breaches(cases, is_met):
    found = rows(*cases)
    assert found
    return [(name, architecture, row) for name, architecture, row in found if not is_met(name, architecture, row)]


@pytest.mark.parametrize("architecture", gates.ARCHITECTURES)
def test_the_record_is_what_the_kernels_compile_to(architecture):
    """After a change that is meant: ./dev gates."""
    measured = gates.measure(architecture, SAMPLED[architecture])
    key = f"sm_{architecture}"
    differing = {}
    for name, row in measured.items():
        run = {k: row.pop(k) for k in gates.RUN}
        if architecture == gates.LEADING:
            row, recorded = row | run, RECORDED[name][key] | {k: RECORDED[name][k] for k in gates.RUN}
        else:
            recorded = RECORDED[name][key]
        if row != recorded:
            differing[name] = (row, recorded)
    assert not differing


def test_the_record_has_every_case_on_every_architecture():
    assert list(RECORDED) == gates.names()
    assert all(f"sm_{architecture}" in row for row in RECORDED.values() for architecture in gates.ARCHITECTURES)


def test_kernels_have_no_local_memory():
    """But for sin's path for large arguments, of which ptxas for sm_75 and sm_100 spills two registers: there the
    driver tells, and less is put under way (see Kernels::find).
    """
    spilled = ("sin float16", "sin float64")
    assert not breaches(gates.CASES, lambda name, a, row: row["local"] <= (16 if name in spilled else 0))


def test_arithmetic_has_wide_loads_and_stores_alone():
    assert not breaches(
        ARITHMETIC, lambda n, a, row: row["wide"] > 0 and row["narrow"] == 0 and row["calls"] == row["mufu"] == 0
    )


def test_registers_leave_the_multiprocessor_full():
    """Small numbers, of which a pack has many, and float16, computed in float32, need some more; some with much
    arithmetic what fills a multiprocessor that has fewer threads.
    """
    small = ("int8", "uint8", "float16")
    fuller = ("select bool", "two_results float16", *(f"seed {d}" for d in (*small, "int16", "uint16", "complex64")))

    def most(name, architecture, registers):
        return max(registers, 65536 // gates.THREADS[architecture] // 8 * 8 if name in fuller else 0)

    assert not breaches(
        ("add", "copy", "seed", "logical_and", "two_results"),
        lambda name, a, row: row["registers"] <= most(name, a, 46 if name.endswith(small) else 32),
    )
    assert not breaches(("select", "broadcast_row"), lambda name, a, row: row["registers"] <= most(name, a, 46))
    assert not breaches(FUNCTIONS, lambda n, a, row: row["registers"] <= 64)


def test_instructions_for_each_element_are_few():
    assert all(row["per_element"] <= 16 for name, _, row in rows("seed") if name == "seed float64")
    assert all(row["per_element"] <= 50 for name, _, row in rows("exp") if name == "exp float64")


def test_scans_and_sorts_keep_their_elements_in_registers_and_touch_whole_sectors():
    """Passes of a sort have two blocks on a multiprocessor, whose 32 KiB each are what an H100 wants under way."""
    assert not breaches(
        ("cumsum", "cumsum_of_product"),
        lambda name, a, row: row["registers"] <= (96 if name.endswith("complex128") else 64),
    )
    assert not breaches(("sort",), lambda n, a, row: row["registers"] <= 128)
    several_words = ("float16", "complex64", "complex128")  # and what is computed in another type
    scans = {name: row["sectors"] for name, row in RECORDED.items() if name.startswith("cumsum")}
    assert all(scans[name] <= (1.35 if name.endswith(several_words) else 1.0) for name in scans)
    sorts = {name: row["sectors"] for name, row in RECORDED.items() if name.startswith("sort")}
    assert all(sorts[name] <= (1.25 if name == "sort float16" else 1.1) for name in sorts)


def test_steps_of_stencils_take_few_instructions_and_whole_sectors():
    """Halos and the first and last planes of tiles among them."""
    most = {"steps_five float64": 30, "steps_nine float64": 35, "steps_line float64": 40, "steps_seven float64": 50}
    assert all(RECORDED[name]["executed"] <= bound for name, bound in most.items())
    assert all(
        row["sectors"] <= 1.1 for name, row in RECORDED.items() if name.startswith(("steps", "filter_wide float64"))
    )


def test_enough_bytes_are_under_way():
    assert not breaches(ARITHMETIC, lambda n, a, row: row["in_flight"] >= gates.NEEDED[a])


def test_memory_is_touched_by_whole_sectors():
    assert all(row["sectors"] == 1.0 for name, row in RECORDED.items() if name.split()[0] in ("add", "copy", "seed"))
    assert all(row["sectors"] <= 1.05 for name, row in RECORDED.items() if name.startswith(("broadcast", "transposed")))
