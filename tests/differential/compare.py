"""Runs a program through the oracle and through the engine, and says what differs.

in: a Program, the pool of its buffers, and a door (`engine` or a stand-in)   out: None, or one complaint as text
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.differential.machine import Machine, k_order_strides
from tests.differential.operands import Pool, View
from tests.differential.oracle import BOUNDED, EXACT, Refused, Unspecified, Value, inexact
from tests.differential.program import Bind, Program, Store, program_text

NUMPY_ERRORS = (TypeError, ValueError, OverflowError, IndexError, ZeroDivisionError, Refused)


class NotAsked(Exception):
    """The program asks for something the contract leaves open."""


@dataclass(slots=True)
class Expected:
    machine: Machine
    value: Value | None  # of the last statement, if it has one
    error: Exception | None
    written: list  # of View


def copies(program: Program, pool: Pool) -> dict | list:
    """Buffers to run on: the pool itself, or copies of what the program uses if it writes."""
    if program.out is None and not any(map(writes, program.statements)) and program.door != "blitz":
        return pool.buffers
    views = [v for v in (*program.operands.values(), *program.hidden.values()) if type(v) is View]
    return {view.buffer: pool.buffers[view.buffer].copy() for view in views}


def writes(statement) -> bool:
    return type(statement) is Store


def expected(program: Program, pool: Pool) -> Expected:
    """What NumPy makes of it. Raises NotAsked where there is no one right answer."""
    machine = Machine(copies(program, pool))
    machine.casting = program.casting
    out = Expected(machine, None, None, [])
    try:
        for name, operand in program.operands.items():
            machine.add(name, operand)
        for statement in program.statements:
            if type(statement) is Store and type(program.operands.get(statement.name)) is View:
                out.written.append(program.operands[statement.name])
            out.value = machine.execute(statement)
        if program.out is not None:
            _write_out(program, machine, out)
    except Unspecified as reason:
        raise NotAsked(str(reason)) from None
    except KeyError as reason:
        raise NotAsked(f"no name {reason}") from None
    except NUMPY_ERRORS as error:
        out.error = error
    return out


def _write_out(program: Program, machine: Machine, out: Expected) -> None:
    if out.value is None or out.value.grade != EXACT or np.ndim(out.value.v) == 0:
        raise Unspecified("out= for what is not an exact array")
    view = {**program.operands, **program.hidden}[program.out]
    target = view.array(machine.buffers)
    v = np.array(out.value.v, copy=True)
    if v.shape != target.shape:
        raise Unspecified("out= of another shape")
    v = v.astype(v.dtype.newbyteorder("="))  # values have no byte order of their own
    if not np.can_cast(v.dtype, target.dtype, program.casting):
        raise TypeError(f"cannot cast {v.dtype} to {target.dtype}")
    if v.dtype.kind in "fc" and target.dtype.kind not in "fc" or v.dtype.kind == "c" and target.dtype.kind != "c":
        raise Unspecified("what a cast out of its range leaves")
    np.copyto(target, v, casting=program.casting)
    out.written.append(view)


def run(program: Program, pool: Pool, door):
    """The engine's result and the buffers it ran on. Raises what the engine raises, with `.buffers` attached."""
    buffers = copies(program, pool)
    names = {n: o.array(buffers) if type(o) is View else o for n, o in program.operands.items()}
    options = {}
    if program.out is not None:
        view = program.hidden.get(program.out)
        options["out"] = names[program.out] if view is None else view.array(buffers)
    if program.order != "K":
        options["order"] = program.order
    threads = {} if program.threads is None else {"threads": program.threads}
    text = program_text(program)
    try:
        if program.door == "blitz":
            return door.blitz(text, names, **threads), buffers, options
        if program.door == "compile":
            return door.compile(text, **threads)(names, **options), buffers, options
        if program.casting != "same_kind":
            options["casting"] = program.casting
        return door.evaluate(text, names, **options, **threads), buffers, options
    except Exception as error:
        error.buffers = buffers
        raise


def differs(program: Program, pool: Pool, door, known: Expected | None = None) -> str | None:
    """A complaint, or None if the engine answered as NumPy does."""
    want = known or expected(program, pool)
    try:
        result, buffers, options = run(program, pool, door)
    except door.Error as error:
        if want.error is None:
            return f"raised {type(error).__name__}: {error}"
        if isinstance(
            error, (door.InternalError, door.BackendError, door.OutOfMemory, door.ParseError, door.UnknownName)
        ):
            return f"raised {type(error).__name__} instead of NumPy's {want.error!r}: {error}"
        return _touched(program, pool, error.buffers)
    except Exception as error:
        return f"raised {type(error).__name__}, which is no engine.Error: {error}"
    if want.error is not None:
        return f"gave {result!r} where NumPy raises {want.error!r}"
    complaint = _memory_differs(want, buffers, pool)
    if complaint:
        return complaint
    if "out" in options:
        return None if result is options["out"] else "did not return out"
    return None if want.value is None else _result_differs(program, want, result)


def bits_differ(program: Program, pool: Pool, door, other: str) -> str | None:
    """A complaint where the backend `other` gives other bits than the one in use, in a result or in memory; NaN is NaN.

    For what the oracle knows within bounds alone, and for programs that gave no complaint: run once more, they use
    what is kept of the first time.
    """
    backend = door.config.backend
    try:
        given = _made(program, pool, door)
    except door.Error:
        return None  # as NumPy does
    try:
        door.config.backend = other
        wanted = _made(program, pool, door)
    except door.Error as error:
        return f"{other} raised {type(error).__name__}: {error}"
    finally:
        door.config.backend = backend
    for ours, theirs in zip(given, wanted, strict=True):
        complaint = values_differ(ours, Value(theirs))
        if complaint:
            return f"bits are not those of {other}: {complaint}"
    return None


def _made(program: Program, pool: Pool, door) -> list:
    """The result, unless it is a target, and every operand that a statement may have written to."""
    result, buffers, options = run(program, pool, door)
    made = [] if "out" in options or result is None else [np.asarray(result)]
    if buffers is not pool.buffers:
        views = [v for v in (*program.operands.values(), *program.hidden.values()) if type(v) is View]
        made += [view.array(buffers) for view in views]
    return made


def _touched(program: Program, pool: Pool, buffers) -> str | None:
    if buffers is pool.buffers:
        return None
    for number, buffer in buffers.items():
        if not np.array_equal(buffer, pool.buffers[number]):
            return "wrote into an operand and then raised an error"
    return None


def _memory_differs(want: Expected, buffers, pool: Pool) -> str | None:
    """Written elements hold what NumPy wrote; every other byte is as it was."""
    if buffers is pool.buffers:
        return None
    ours, theirs = buffers, want.machine.buffers
    for number in ours:
        if np.array_equal(ours[number], theirs[number]):
            continue
        free = np.ones(ours[number].shape, "u1")
        for view in want.written:
            if view.buffer == number:
                complaint = values_differ(view.array(ours), Value(view.array(theirs)))
                if complaint:
                    return f"in memory: {complaint}"
                view.bytes_of(free)[...] = 0
        if not np.array_equal(ours[number] * free, theirs[number] * free):
            return "wrote to memory outside its target"
    return None


def _result_differs(program: Program, want: Expected, result) -> str | None:
    value = want.value
    reference = np.asarray(value.v)
    dtype = reference.dtype.newbyteorder("=")
    if reference.ndim == 0:
        if not isinstance(result, np.generic):
            return f"gave a {type(result).__name__} instead of a NumPy scalar: {result!r}"
    elif type(result) is not np.ndarray:
        return f"gave a {type(result).__name__} instead of an array"
    if result.dtype != dtype or not result.dtype.isnative:
        return f"has dtype {result.dtype}, not {dtype}"
    if result.shape != reference.shape:
        return f"has shape {result.shape}, not {reference.shape}"
    return values_differ(result, value) or (_layout_differs(program, want, result) if reference.ndim > 0 else None)


def _layout_differs(program: Program, want: Expected, result: np.ndarray) -> str | None:
    if program.order == "C" and not result.flags.c_contiguous or program.order == "F" and not result.flags.f_contiguous:
        return f"has strides {result.strides} for order {program.order}"
    if type(program.statements[-1]) in (Bind, Store) or program.order != "K" or result.ndim < 2:
        return None
    strides = k_order_strides(program, want.machine, result)
    if strides is None:
        return None
    for length, given, wanted in zip(result.shape, result.strides, strides):
        if length > 1 and given != wanted:
            return f"has strides {result.strides}, not {strides}"
    return None


def values_differ(result, value: Value) -> str | None:
    """Compares as the value's grade asks for."""
    reference = np.asarray(value.v)
    ours = np.asarray(result)
    if reference.dtype == ours.dtype and value.grade == EXACT and ours.tobytes() == reference.tobytes():
        return None
    with np.errstate(all="ignore"):
        wrong = np.asarray(_wrong(ours, reference, value))
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    bound = "" if value.error is None else f" ± {np.broadcast_to(value.error, wrong.shape)[at]!r}"
    return f"{int(wrong.sum())} of {wrong.size} values differ; at {at}: {ours[at]!r}, not {reference[at]!r}{bound}"


def _wrong(ours, reference, value: Value) -> np.ndarray:
    reference = reference.astype(reference.dtype.newbyteorder("="))
    if not inexact(reference.dtype):
        size = reference.dtype.itemsize
        ours, reference = (np.asarray(v, order="C").view(f"u{size}") for v in (ours, reference))
        return np.asarray(ours != reference)
    if value.grade == BOUNDED:
        return _outside(ours, reference, value.error)
    if reference.dtype.kind == "c":
        if value.grade != EXACT:  # which NaN of several min and max give is not promised
            loose = np.isnan(reference) & np.isnan(ours)
            return (
                _unequal(ours.real, reference.real, value.grade) | _unequal(ours.imag, reference.imag, value.grade)
            ) & ~loose
        return _unequal(ours.real, reference.real, value.grade) | _unequal(ours.imag, reference.imag, value.grade)
    return _unequal(ours, reference, value.grade)


def _unequal(ours, reference, grade) -> np.ndarray:
    both_nan = np.isnan(ours) & np.isnan(reference)
    same = ours == reference
    if grade == EXACT:
        same &= np.signbit(ours) == np.signbit(reference)
    return ~(same | both_nan)


def _outside(ours, reference, error) -> np.ndarray:
    """Further away than `error`; an error that is not finite forgives all."""
    wide = "c16" if reference.dtype.kind == "c" else "f8"
    a, b = ours.astype(wide), reference.astype(wide)
    limit = float(np.finfo(reference.dtype).max)
    edge = np.isinf(reference) & ~np.isnan(ours) & (np.abs(a) > 0.9 * limit) | np.isinf(ours) & (
        np.abs(b) > 0.9 * limit
    )
    near = (a == b) | (np.isnan(a) & np.isnan(b)) | edge | (np.abs(a - b) <= error)
    return ~(near | ~np.isfinite(error))


def same_as_before(pool: Pool, fingerprint: list) -> bool:
    """The pool's buffers are read by every program and written by none."""
    return all(buffer.tobytes() == before for buffer, before in zip(pool.buffers, fingerprint))
