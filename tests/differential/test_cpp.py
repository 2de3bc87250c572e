"""Expressions built with C++ operators against the same expressions as texts: the same bits, and the same errors."""

import numpy as np
import pytest

import engine
from tests.differential import cpp, generate
from tests.differential.operands import Pool, View
from tests.differential.program import EXPRESSIONS, Binary, Literal, Name, Program, program_text

N_EXPRESSIONS = 400


def of_one_expression(program: Program) -> bool:
    return len(program.statements) == 1 and type(program.statements[0]) in EXPRESSIONS


@pytest.fixture(scope="module")
def programs():
    pool, found, seed = Pool(), [], 0
    with np.errstate(all="ignore"):
        while len(found) < N_EXPRESSIONS:
            program = generate.generate(seed, pool)
            if of_one_expression(program):
                found.append((seed, program))
            seed += 1
    return pool, found


@pytest.fixture(scope="module")
def library(programs, tmp_path_factory):
    return cpp.Library([program for _, program in programs[1]], tmp_path_factory.mktemp("cpp"))


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except engine.Error as error:
        return error


def differs(ours, theirs) -> bool:
    if isinstance(ours, engine.Error) or isinstance(theirs, engine.Error):
        return type(ours) is not type(theirs)
    theirs = np.asarray(theirs)
    return (
        ours.dtype != theirs.dtype
        or ours.shape != theirs.shape
        or ours.tobytes() != theirs.tobytes()
        or (ours.size > 1 and [s for s, n in zip(ours.strides, ours.shape) if n > 1]
            != [s for s, n in zip(theirs.strides, theirs.shape) if n > 1])
    )  # fmt: skip


def test_operators_mean_what_the_text_means(programs, library):
    pool, found = programs
    wrong, n_values = [], 0
    for which, (seed, program) in enumerate(found):
        names = {
            name: operand.array(pool.buffers) if type(operand) is View else operand
            for name, operand in program.operands.items()
        }
        text = program_text(program)
        theirs = outcome(engine.evaluate, text, names)
        ours = outcome(library.evaluate, which, names)
        written = ""
        if not isinstance(ours, engine.Error):
            ours, written = ours
            n_values += 1
        if differs(ours, theirs):
            wrong.append(f"seed {seed}: {text}\n  written as {written}\n  gave {ours!r}\n  not  {theirs!r}")
    assert not wrong, f"{len(wrong)} of {len(found)} differ\n" + "\n".join(wrong[:8])
    assert n_values > 0.8 * len(found)


def test_a_lie_of_the_library_is_noticed(tmp_path):
    pool = Pool()
    view = View(pool.of["f8", False, False, 0], pool.MARGIN, "<f8", (3, 4), (32, 8))
    names = {"a": view.array(pool.buffers)}
    lying = cpp.Library([Program([Binary("-", Name("a"), Literal(1))], {})], tmp_path)
    value, text = lying.evaluate(0, names)
    assert text == "a - 1"
    assert not differs(value, engine.evaluate("a - 1", names))
    assert differs(value, engine.evaluate("a + 1", names))
    assert differs(value, engine.evaluate("a.T - 1", names))
    assert differs(value, outcome(engine.evaluate, "a - b", names))
