"""Draws typed programs: operands in every layout, expressions by `expressions`, statements, targets and `out=`.

in: a seed and the pool   out: a Program whose text, operands and options depend on the seed alone
Statements are executed as they are drawn, so that later ones see what earlier ones wrote.
"""

from __future__ import annotations

import random

import numpy as np

from tests.differential import oracle
from tests.differential.compare import NUMPY_ERRORS, NotAsked, expected
from tests.differential.expressions import KEEP_ERROR, N_TRIES, Dead, Drawing, expression, items
from tests.differential.machine import Machine
from tests.differential.operands import DTYPES, Pool, View, draw
from tests.differential.oracle import BOUNDED, Unspecified, Value
from tests.differential.program import Binary, Bind, Call, Literal, Program, Range, Store

SHAPES = (
    (), (0,), (1,), (2,), (7,), (17,), (64,), (65,), (300,), (513,), (3, 4), (3, 4), (5, 7), (5, 7), (1, 6), (4, 0),
    (6, 1), (2, 3, 4), (2, 3, 4), (3, 1, 5), (33, 20), (130, 7), (3, 129), (2, 2, 2, 2, 2), (1, 2, 1, 3, 1, 2, 2, 1),
    (6, 6), (8, 9),
)  # fmt: skip
RARE_SHAPES = ((1100,), (2049,), (20, 110), (9, 13, 11))
SCALARS = (True, 1, 2, 3, 5, -1, -2, -7, 0.5, 2.0, -1.25, 3.75, 2j, 1 - 0.5j)


def generate(seed: int, pool: Pool) -> Program:
    """The program of this seed. Seeds whose first draws lead nowhere go on drawing, so each has a program."""
    rng = random.Random(seed)
    while True:
        program = _attempt(rng, pool)
        if program is not None:
            return program


def _attempt(rng: random.Random, pool: Pool) -> Program | None:
    shape = rng.choice(RARE_SHAPES) if rng.random() < 0.03 else rng.choice(SHAPES)
    writes = rng.random() < 0.3
    machine = Machine(None)
    d = Drawing(
        rng,
        pool,
        machine,
        shape,
        rng.random() < 0.4,
        tuple(rng.sample(DTYPES, rng.choice((1, 1, 2, 2, 3)))),
        writes=writes,
    )
    machine.buffers = _Copies(pool.buffers) if writes else pool.buffers
    for name in "abcd"[: rng.choice((1, 2, 2, 3, 3, 4))]:
        _add_array(d, name)
    if rng.random() < 0.3:
        _add(d, "n", rng.choice((1, 2, 3, -1, -2, 5)))
    if rng.random() < 0.25:
        _add(d, "s", _scalar(d))
    door = "blitz" if writes and rng.random() < 0.12 else "compile" if rng.random() < 0.1 else "evaluate"
    program = Program([], d.operands, door=door)
    try:
        _statements(d, program)
    except Dead:
        pass
    if not program.statements or not d.operands:
        return None
    if program.statements and not writes and rng.random() < 0.04:
        program.order = rng.choice("CFA")
    if not d.broken and rng.random() < 0.12:
        _add_out(d, program)
    program.threads = rng.choice((None, 1, 2, 3, 5))
    return program


class _Copies(dict):
    """Buffers of the oracle's run, copied from the pool when first used."""

    def __init__(self, buffers):
        super().__init__()
        self.originals = buffers

    def __missing__(self, number):
        self[number] = self.originals[number].copy()
        return self[number]


# --- operands ---------------------------------------------------------------------------------------------------------


def _add(d: Drawing, name: str, operand) -> None:
    d.operands[name] = operand
    d.machine.add(name, operand)


def _dtype(d: Drawing) -> str:
    return d.rng.choice(d.tame_dtypes) if d.rng.random() < 0.85 else d.rng.choice(DTYPES)


def _add_array(d: Drawing, name: str) -> None:
    rng = d.rng
    others = [view for view in d.operands.values() if type(view) is View and view.shape]
    if others and rng.random() < (0.35 if d.writes else 0.15):
        _add(d, name, _overlapping(d, rng.choice(others)))
        return
    shape = list(d.shape)
    if shape and d.operands:
        if rng.random() < 0.15:
            shape = shape[rng.randrange(len(shape) + 1) :]
        for axis in range(len(shape)):
            if rng.random() < 0.08:
                shape[axis] = 1
    plain = d.writes and rng.random() < 0.7
    _add(d, name, draw(rng, d.pool, _dtype(d), tuple(shape), d.wild and rng.random() < 0.7, plain))


def _overlapping(d: Drawing, view: View) -> View:
    """The same memory, moved by some elements, reversed or transposed, where that stays inside the buffer."""
    rng = d.rng
    size = np.dtype(view.dtype).itemsize
    strides, origin, shape = list(view.strides), view.origin, view.shape
    style = rng.random()
    if style < 0.3:
        axis = rng.randrange(len(shape))
        origin += strides[axis] * max(shape[axis] - 1, 0)
        strides[axis] = -strides[axis]
    elif style < 0.45:
        strides.reverse()  # a transposed reading, of the same shape
    elif style < 0.9:
        axis = rng.randrange(len(shape))
        origin += rng.choice((-2, -1, 1, 1, 2)) * (strides[axis] or size)
    moved = View(view.buffer, origin, view.dtype, shape, tuple(strides))
    low = origin + sum(min(stride * max(length - 1, 0), 0) for stride, length in zip(strides, shape))
    high = origin + sum(max(stride * max(length - 1, 0), 0) for stride, length in zip(strides, shape)) + size
    return moved if low >= 0 and high <= d.pool.buffers[view.buffer].size else view


def _scalar(d: Drawing):
    if d.rng.random() < 0.5:
        return d.rng.choice(SCALARS)
    dtype = np.dtype(_dtype(d))
    return dtype.type(d.rng.choice((0, 1, 2, 3, 100)))


# --- statements -------------------------------------------------------------------------------------------------------


def _statements(d: Drawing, program: Program) -> None:
    rng = d.rng
    count = rng.choice((1, 2, 2, 3, 4)) if d.writes else rng.choice((1, 1, 1, 1, 2, 3))
    for number in range(count):
        last = number == count - 1
        if d.writes and rng.random() < 0.75:
            _append(d, program, _store(d, program.door))
        elif not last and program.door != "blitz":
            _append(d, program, _bind(d))
        elif last:
            _append(d, program, _final(d))


def _append(d: Drawing, program: Program, statement) -> None:
    """Executes and keeps the statement; one that the contract leaves open is dropped."""
    if statement is None:
        return
    try:
        d.machine.execute(statement)
    except (Unspecified, oracle.Refused):
        return
    except NUMPY_ERRORS:
        if not d.broken and d.rng.random() >= KEEP_ERROR:
            return
        d.broken = True
        program.statements.append(statement)
        raise Dead(None) from None
    program.statements.append(statement)


def _grown(d: Drawing):
    """An expression that holds an array; Dead's too."""
    try:
        node, value = expression(d, d.rng.choice((0, 1, 2, 2, 3, 3, 4)))
    except Dead as dead:
        return dead.node, None
    return None if oracle.is_weak(value.v) else (node, value)


def _final(d: Drawing):
    for _ in range(N_TRIES):
        made = _grown(d)
        if made is None:
            continue
        node, value = made
        if value is not None and np.ndim(value.v) and d.rng.random() < 0.05:
            index = Call("index", (Literal(d.rng.randrange(np.ndim(value.v))),))
            return Binary(d.rng.choice("+*-"), node, index) if _can_take_index(value) else node
        return node
    return None


def _can_take_index(value: Value) -> bool:
    return value.grade != BOUNDED and value.v.dtype.kind in "biuf" and value.v.dtype.itemsize < 8


def _bind(d: Drawing):
    made = _grown(d)
    if made is None:
        return None
    if d.rng.random() < 0.12:
        name = d.rng.choice([name for name in d.operands if type(d.operands[name]) is View])
    else:
        name = d.rng.choice(("t", "u", "v"))
    return Bind(name, made[0])


def _store(d: Drawing, door: str):
    """A write into an operand: whole or a slice, plain or augmented."""
    rng = d.rng
    targets = [
        name for name in d.machine.operands
        if type(d.operands[name]) is View and not _aliases_itself(d.operands[name])
    ]  # fmt: skip
    if not targets:
        return None
    name = rng.choice(sorted(targets))
    array = d.machine.names[name].v
    made = _grown(d)
    if made is None:
        made = expression(d, 0)
    node, value = made
    op = rng.choice(("+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", "**")) if rng.random() < 0.35 else ""
    if door == "blitz" and not op and value is not None and np.shape(value.v) == array.shape:
        return Store(name, None, "", node)
    if value is not None and np.shape(value.v) != array.shape and array.ndim == np.ndim(value.v) and rng.random() < 0.7:
        fitted = tuple(
            Range(None, None if want == have else Literal(have), None)
            for want, have in zip(array.shape, np.shape(value.v))
        )
        return Store(name, fitted, op, node)
    if op and rng.random() < 0.6:
        return Store(name, None, op, node)
    place = (Ellipsis,) if rng.random() < 0.4 or not array.ndim else items(d, array.shape)
    return Store(name, tuple(item for item in place if item is not None) or (Ellipsis,), op, node)


def _aliases_itself(view: View) -> bool:
    if 0 in view.shape:
        return False
    return any(stride == 0 and length > 1 for stride, length in zip(view.strides, view.shape)) or (
        len(view.shape) > 1 and np.unique(_offsets(view)).size != int(np.prod(view.shape))
    )


def _offsets(view: View) -> np.ndarray:
    total = np.zeros(view.shape, np.int64)
    for axis, (stride, length) in enumerate(zip(view.strides, view.shape)):
        shape = [1] * len(view.shape)
        shape[axis] = length
        total = total + np.arange(length).reshape(shape) * stride
    return total


def _add_out(d: Drawing, program: Program) -> None:
    """An `out=` for a program that ends in an exact array: an operand, a view overlapping one, or memory of its own."""
    last = program.statements[-1]
    if type(last) in (Bind, Store) or program.door == "blitz":
        return
    try:
        value = expected(program, d.pool).value
    except NotAsked:
        return
    if value is None or np.ndim(value.v) == 0 or value.grade != oracle.EXACT or np.size(value.v) > d.pool.N_ITEMS // 2:
        return
    shape = np.shape(value.v)
    fitting = [
        view for view in d.operands.values() if type(view) is View and view.shape == shape and not _aliases_itself(view)
    ]
    if fitting and d.rng.random() < 0.75:
        view = d.rng.choice(fitting)
        if d.rng.random() < 0.6:
            view = _overlapping(d, view)
    else:
        dtype = value.v.dtype.str.lstrip("<>|=")
        view = draw(d.rng, d.pool, dtype if dtype in DTYPES else "?", shape, False, plain=True)
    if _aliases_itself(view):
        return
    program.hidden["out"] = view
    program.out = "out"
    program.order = "K"
    if d.rng.random() < 0.1 and program.door == "evaluate":
        program.casting = d.rng.choice(("no", "equiv", "safe", "unsafe"))
    try:
        expected(program, d.pool)
    except NotAsked:
        program.out, program.casting, program.hidden = None, "same_kind", {}
