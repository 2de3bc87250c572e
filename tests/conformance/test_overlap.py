"""Overlap swept, not sampled: operands and targets that share memory in every way that small strides and offsets allow.

The result is always as if the right side had been finished first. Lengths lie below and beyond the interpreter's block.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import engine

STRIDES = (1, 2, 3, -1, -2, -3)


def view(buffer: np.ndarray, offset: int, stride: int, length: int) -> np.ndarray:
    """`length` elements from `offset` on, or backwards to `offset`, `stride` apart."""
    span = buffer[offset : offset + abs(stride) * (length - 1) + 1 : abs(stride)]
    return span if stride > 0 else span[::-1]


def numbers(length: int, dtype: str = "f8") -> np.ndarray:
    return (np.arange(length) * 7 % 101 + 1).astype(dtype)


def differs(text: str, offsets, strides, length: int, write) -> bool:
    """Runs `write` over one buffer and NumPy over a copy; true if any byte of the two differs."""
    room = 3 * length + max(offsets) + 1
    ours, theirs = numbers(room), numbers(room)
    views = [[view(b, at, step, length) for at, step in zip(offsets, strides)] for b in (ours, theirs)]
    target, *operands = views[1]
    target[...] = eval(text, dict(zip("xyz", (operand.copy() for operand in operands))))
    write(text, views[0])
    return ours.tobytes() != theirs.tobytes()


def write_out(text: str, views: list) -> None:
    engine.evaluate(text, dict(zip("xyz", views[1:])), out=views[0])


def write_target(text: str, views: list) -> None:
    engine.evaluate(f"t[...] = {text}", {"t": views[0], **dict(zip("xyz", views[1:]))})


@pytest.mark.parametrize("write", (write_out, write_target))
@pytest.mark.parametrize("length", (2, 5, 16, 17))
def test_one_operand_at_every_small_offset_and_stride(length, write):
    wrong = [
        (offset, *strides)
        for strides in itertools.product(STRIDES, STRIDES)
        for offset in range(-5, 6)
        if differs("2*x + 1", (5, 5 + offset), strides, length, write)
    ]
    assert not wrong, f"(offset, stride of target, stride of operand): {wrong[:20]}"


@pytest.mark.parametrize("write", (write_out, write_target))
@pytest.mark.parametrize("length", (511, 513, 1300))
def test_one_operand_across_blocks(length, write):
    wrong = [
        (offset, *strides)
        for strides in itertools.product((1, 2, -1), (1, 2, -1))
        for offset in (-513, -512, -511, -64, -1, 0, 1, 63, 512, 700)
        if differs("2*x + 1", (700, 700 + offset), strides, length, write)
    ]
    assert not wrong, f"(offset, stride of target, stride of operand): {wrong[:20]}"


def test_two_operands_that_pull_both_ways():
    """No single order of elements is right for x[i - 1] + x[i + 1]: only a buffer is."""
    wrong = [
        (offsets, strides)
        for offsets in itertools.product((0, 1, 2), repeat=3)
        for strides in itertools.product((1, -1, 2), repeat=3)
        if differs("x - 3*y", offsets, strides, 40, write_out)
    ]
    assert not wrong, wrong[:20]


@pytest.mark.parametrize("function", ("x.T", "x[::-1]", "x[:, ::-1]", "x[::-1, ::-1]", "x.T[::-1]"))
@pytest.mark.parametrize("side", (3, 16, 70))
def test_a_square_written_over_its_own_turn(function, side):
    for text in (function, f"{function} + x", f"x - {function}*2"):
        x = numbers(side * side).reshape(side, side)
        expected = eval(text, {"x": x.copy()})
        engine.evaluate(f"x[...] = {text}", {"x": x})
        assert np.array_equal(x, expected), text


@pytest.mark.parametrize("kind", ("f4", "i2", "c16"))
def test_another_type_over_the_same_bytes(kind):
    """The target has the memory of its operand, but not its item size: element i overwrites others than i."""
    buffer = np.zeros(800, "u1")
    x = np.ndarray((50,), "f8", buffer, 0)
    x[...] = np.arange(50)
    expected = (x + 1).astype(kind)
    out = np.ndarray((50,), kind, buffer, 0)
    engine.evaluate("x + 1", {"x": x}, out=out, casting="unsafe")
    assert np.array_equal(out, expected)


def test_a_reduction_over_what_is_written():
    x = numbers(1300)
    expected = x - x.max()
    engine.evaluate("x[...] = x - max(x)", {"x": x})
    assert np.array_equal(x, expected)


def test_an_average_of_neighbours_in_place():
    grid = numbers(40 * 60).reshape(40, 60)
    expected = grid.copy()
    expected[1:-1, 1:-1] = (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]) / 4
    engine.evaluate("g[1:-1, 1:-1] = (g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:])/4", {"g": grid})
    assert np.array_equal(grid, expected)


def test_a_broadcast_row_of_the_target():
    grid = numbers(30 * 7).reshape(30, 7)
    expected = grid + grid[3]
    engine.evaluate("g[...] = g + g[3]", {"g": grid})
    assert np.array_equal(grid, expected)


def test_a_temporary_keeps_the_values_from_before_the_write():
    x = numbers(900)
    before = x.copy()
    result = engine.evaluate("t = x + 1; x[:-1] = x[1:]; t*x", {"x": x})
    after = np.concatenate([before[1:], before[-1:]])
    assert np.array_equal(x, after)
    assert np.array_equal(result, (before + 1) * after)


def test_a_write_is_seen_through_another_operand():
    x = numbers(900)
    y = x[::-1]
    result = engine.evaluate("x += 1; y*2", {"x": x, "y": y})
    assert np.array_equal(result, x[::-1] * 2)


def test_each_statement_finishes_before_the_next():
    x = numbers(900)
    expected = x.copy()
    expected[1:] = expected[:-1] * 2
    expected[::-1] += expected.copy()
    engine.evaluate("x[1:] = x[:-1]*2; x[::-1] += x", {"x": x})
    assert np.array_equal(x, expected)
