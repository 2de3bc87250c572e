"""Generated programs against NumPy, and proof that the comparison can fail.

The number of programs is `ENGINE_TEST_PROGRAMS` (50,000 when unset); the work is spread over the machine's cores.
"""

from __future__ import annotations

import math
import multiprocessing
import os

import numpy as np
import pytest

import engine
from tests.differential import compare, generate, soak
from tests.differential.operands import Pool, View
from tests.differential.program import Binary, Literal, Name, Program, Store, program_text

N_PROGRAMS = int(os.environ.get("ENGINE_TEST_PROGRAMS", "50000"))
N_PARTS = 5


# Machine code for each instruction set, and the interpreter where there is none.
ISAS = ("avx512", "avx512", "avx2", "avx2", "generic")


@pytest.mark.parametrize("part", range(N_PARTS))
def test_programs_mean_what_numpy_means(part):
    # A few programs ask what the contract leaves open, and do not count: hence the hundredth more.
    per_part = math.ceil(N_PROGRAMS * 1.01 / N_PARTS)
    total = soak.Tally()
    jobs = min(multiprocessing.cpu_count(), 8)
    for tally in soak.run(per_part, part * per_part, jobs, chunk=500, isa=ISAS[part]):
        total.add(tally)
    assert total.programs >= N_PROGRAMS // N_PARTS
    seeds = [seed for seed, _ in total.failures]
    shown = "\n".join(report for _, report in total.failures[:8])
    assert not seeds, f"{len(seeds)} of {total.programs} programs differ from NumPy; seeds {seeds[:50]}\n{shown}"


class Liar:
    """A door that answers as the engine does, but for one change."""

    def __init__(self, change):
        self._change = change

    def evaluate(self, text, names=None, **options):
        return self._change(engine.evaluate(text, names, **options), names)

    def __getattr__(self, name):
        return getattr(engine, name)


def _sum_program(dtype: str = "<f8", operator: str = "+") -> tuple[Program, Pool]:
    pool = Pool()
    views = {
        name: View(pool.of[dtype[1:], False, False, 0], pool.MARGIN + shift, dtype, (3, 4), (32, 8))
        for name, shift in (("a", 0), ("b", 96))
    }
    return Program([Binary(operator, Name("a"), Name("b"))], views), pool


def _flip_last_bit(result, names):
    result.view("u8")[1, 2] ^= 1
    return result


def _write_operand(result, names):
    names["a"][0, 0] += 1
    return result


LIES = {
    "one bit": _flip_last_bit,
    "another dtype": lambda result, names: result.astype("f4"),
    "another shape": lambda result, names: result[:, :3],
    "another order": lambda result, names: np.asfortranarray(result),
    "a list": lambda result, names: result.tolist(),
    "a byte order": lambda result, names: result.astype(">f8"),
}


def test_the_comparison_accepts_the_truth():
    program, pool = _sum_program()
    assert program_text(program) == "a + b"
    assert compare.differs(program, pool, engine) is None


@pytest.mark.parametrize("lie", LIES)
def test_the_comparison_notices(lie):
    program, pool = _sum_program()
    assert compare.differs(program, pool, Liar(LIES[lie]))


@pytest.mark.parametrize("text", ["a + b", "a[...] = a + b"])
def test_other_bits_of_another_backend_are_noticed(text):
    program, pool = _sum_program()
    if "=" in text:
        program.statements = [Store("a", None, "", program.statements[0])]

    def flip(result, names):
        if engine.config.backend == "interp":
            (names["a"] if "=" in text else result).view("u8")[1, 2] ^= 1
        return result

    assert compare.bits_differ(program, pool, engine, "interp") is None
    assert "bits are not those of interp" in compare.bits_differ(program, pool, Liar(flip), "interp")


def test_an_error_of_another_backend_alone_is_noticed():
    program, pool = _sum_program()

    def refuse(result, names):
        if engine.config.backend == "interp":
            raise engine.Error("refused")
        return result

    assert compare.bits_differ(program, pool, Liar(refuse), "interp") == "interp raised Error: refused"


def test_a_written_operand_is_noticed():
    program, pool = _sum_program()
    before = [buffer.tobytes() for buffer in pool.buffers]
    compare.differs(program, pool, Liar(_write_operand))
    assert not compare.same_as_before(pool, before)


def test_a_missing_error_is_noticed():
    program, pool = _sum_program("<f8", "&")
    always = Liar(lambda result, names: result)
    always.evaluate = lambda text, names=None, **options: np.zeros((3, 4))
    assert "NumPy raises" in compare.differs(program, pool, always)


def test_a_lie_in_many_programs_is_shrunk_to_a_few_words():
    def wrong_where_added(result, names):
        return result

    door = Liar(wrong_where_added)

    def evaluate(text, names=None, **options):
        result = engine.evaluate(text, names, **options)
        return np.asarray(result) + np.asarray(result).dtype.type(1) if "*" in text and "out" not in options else result

    door.evaluate = evaluate
    tally = soak.check(0, 300, door, n_shrunk=4)
    assert len(tally.failures) > 10
    assert all(len(report.splitlines()[1]) < 80 for _, report in tally.failures[:4])


def test_a_seed_is_one_program():
    pool = Pool()
    with np.errstate(all="ignore"):
        assert program_text(generate.generate(11, pool)) == program_text(generate.generate(11, Pool()))


def test_printing_brackets_by_precedence():
    product = Binary("*", Binary("+", Name("a"), Literal(1)), Binary("*", Name("b"), Name("c")))
    assert program_text(Program([product], {})) == "(a + 1)*(b*c)"
