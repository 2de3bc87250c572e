"""Cuts a failing program down to a small one that still fails, and writes it out so that a person can run it.

in: a Program and a predicate   out: a smaller Program for which the predicate still holds; a report as text
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tests.differential.operands import Pool, View, contiguous
from tests.differential.program import (
    EXPRESSIONS,
    Bind,
    Program,
    Range,
    Store,
    Subscript,
    children,
    program_text,
    with_children,
)

N_ROUNDS = 200  # reductions taken at most; each is found among at most some hundred candidates


def shrink(program: Program, pool: Pool, fails: Callable[[Program], bool]) -> Program:
    """Greedy: takes the first smaller program that still fails, until none does."""
    for _ in range(N_ROUNDS):
        smaller = next((candidate for candidate in _smaller(program, pool) if fails(candidate)), None)
        if smaller is None:
            break
        program = smaller
    return program


def _smaller(program: Program, pool: Pool) -> Iterator[Program]:
    statements = program.statements
    for number in range(len(statements)):
        if len(statements) > 1:
            yield replace(program, statements=statements[:number] + statements[number + 1 :])
    for number, statement in enumerate(statements):
        for smaller in _smaller_statement(statement):
            yield replace(program, statements=[*statements[:number], smaller, *statements[number + 1 :]])
    if program.out is not None:
        yield replace(program, out=None, hidden={}, casting="same_kind")
    if program.order != "K" or program.door == "compile":
        yield replace(program, order="K", door="evaluate")
    if program.threads is not None:
        yield replace(program, threads=None)
    for name in program.operands:
        rest = {other: operand for other, operand in program.operands.items() if other != name}
        if rest:
            yield replace(program, operands=rest)
    yield from _plainer_operands(program, pool)


def _smaller_statement(statement) -> Iterator:
    if type(statement) is Bind:
        yield statement.value
        for value in _smaller_expression(statement.value):
            yield Bind(statement.name, value)
    elif type(statement) is Store:
        for value in _smaller_expression(statement.value):
            yield replace(statement, value=value)
        if statement.op and statement.items is not None:
            yield replace(statement, op="")
        if statement.items is not None and statement.items != (...,):
            yield replace(statement, items=(...,))
    else:
        yield from _smaller_expression(statement)


def _smaller_expression(node) -> Iterator:
    """Each subtree in place of the whole, then the same one level down, anywhere."""
    below = children(node)
    yield from below
    for number, child in enumerate(below):
        for smaller in _smaller_expression(child):
            if isinstance(smaller, EXPRESSIONS):
                yield with_children(node, (*below[:number], smaller, *below[number + 1 :]))
    if type(node) is Subscript and len(node.items) > 1:
        for number in range(len(node.items)):
            yield Subscript(node.operand, node.items[:number] + node.items[number + 1 :])
    if type(node) is Subscript:
        for number, item in enumerate(node.items):
            if type(item) is Range and (item.start is not None or item.stop is not None or item.step is not None):
                for plainer in (replace(item, start=None), replace(item, stop=None), replace(item, step=None)):
                    if plainer != item:
                        yield Subscript(node.operand, (*node.items[:number], plainer, *node.items[number + 1 :]))


def _plainer_operands(program: Program, pool: Pool) -> Iterator[Program]:
    for name, view in program.operands.items():
        if type(view) is not View:
            continue
        plain = replace(view, strides=contiguous(view.shape, np.dtype(view.dtype).itemsize))
        plain.origin = pool.MARGIN + (view.origin - pool.MARGIN) % np.dtype(view.dtype).itemsize
        if plain != view:
            yield replace(program, operands={**program.operands, name: plain})
        for axis, length in enumerate(view.shape):
            if length > 1:
                shape = (*view.shape[:axis], length // 2, *view.shape[axis + 1 :])
                others = {
                    other: replace(v, shape=tuple(length // 2 if n == length else n for n in v.shape))
                    if type(v) is View
                    else v
                    for other, v in program.operands.items()
                }
                yield replace(program, operands={**program.operands, name: replace(view, shape=shape)})
                yield replace(program, operands=others)


def report(program: Program, pool: Pool, seed: int, complaint: str) -> str:
    """Seed, text, every operand with its layout and values, and what went wrong."""
    lines = [f"seed {seed}: {complaint}", f"  {program.door}({program_text(program)!r})"]
    for name, operand in {**program.operands, **program.hidden}.items():
        if type(operand) is View:
            array = operand.array(pool.buffers)
            values = np.array2string(array, threshold=12, separator=", ").replace("\n", "")
            lines.append(f"  {name} = {values}")
            layout = f"dtype {operand.dtype}, shape {operand.shape}, strides {operand.strides}"
            lines.append(f"      {layout}, buffer {operand.buffer}+{operand.origin}")
        else:
            lines.append(f"  {name} = {operand!r}")
    options = [f"out={program.out}"] * (program.out is not None) + [f"order={program.order}"] * (program.order != "K")
    options += [f"threads={program.threads}"] * (program.threads is not None)
    options += [f"casting={program.casting}"] * (program.casting != "same_kind")
    return "\n".join(lines + [f"  {' '.join(options)}"] * bool(options))
