"""Stencils against plain loops: boundaries, offsets, fields, steps, and what each may be given."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import engine

WORDS = ("reflect", "mirror", "nearest", "wrap", "constant")


def place(i: int, n: int, low: str, high: str) -> int | None:
    """Where a read at position i of an axis of n elements lands: one side after the other, until it is inside."""
    while not 0 <= i < n:
        side, is_low = (low, True) if i < 0 else (high, False)
        if side == "constant":
            return None
        if side == "wrap":
            return i % n
        if side == "nearest":
            return 0 if is_low else n - 1
        if n == 1 and low == high == "mirror":
            return 0
        repeats = side == "reflect"
        i = (-1 if repeats else 0) - i if is_low else 2 * n - (1 if repeats else 2) - i
    return i


def read(a: np.ndarray, offsets: tuple[int, ...], sides: list[tuple[str, str]], cval: object = 0) -> np.ndarray:
    """Each element's neighbour at those offsets."""
    out = np.empty_like(a)
    for index in np.ndindex(*a.shape):
        at = [place(i + o, n, *side) for i, o, n, side in zip(index, offsets, a.shape, sides, strict=True)]
        out[index] = cval if None in at else a[tuple(at)]
    return out


def same(got: np.ndarray, wanted: np.ndarray) -> None:
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    assert got.tobytes() == np.ascontiguousarray(wanted).tobytes()


@pytest.mark.parametrize("backend", ["interp", "auto"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (20,), (1, 1), (1, 4), (3, 5), (8, 2), (2, 1, 3), (4, 3, 5)])
def test_a_read_beyond_a_side_finds_what_the_boundary_says(shape, word, backend):
    rng = np.random.default_rng(0)
    for dtype, cval in (
        (np.float64, 2.5),
        (np.float32, -1),
        (np.int8, 7),
        (np.uint16, 9),
        (np.complex64, 1 - 2j),
        (np.bool_, 1),
    ):
        a = (rng.random(shape) * 20).astype(dtype)
        for offsets in [tuple(int(o) for o in rng.integers(-5, 6, len(shape))) for _ in range(6)]:
            text = f"a[{', '.join(map(str, offsets))}]"
            got = engine.stencil(text, a=a, boundary=word, cval=cval, backend=backend)
            same(got, read(a, offsets, [(word, word)] * len(shape), dtype(cval)))


@pytest.mark.parametrize("seed", range(40))
def test_several_steps_are_single_steps_one_after_another(seed):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    a = rng.integers(-9, 9, tuple(int(n) for n in rng.integers(1, 9, rank))).astype(
        rng.choice(["f8", "f4", "i4", "i1", "c16"])
    )
    sides = [(str(rng.choice(WORDS)), str(rng.choice(WORDS))) for _ in range(rank)]
    reads = [tuple(int(o) for o in rng.integers(-4, 5, rank)) for _ in range(int(rng.integers(1, 5)))]
    text = " + ".join(f"a[{', '.join(map(str, offsets))}]" for offsets in reads)
    steps = int(rng.integers(1, 7))
    wanted = a
    for _ in range(steps):
        total = read(wanted, reads[0], sides, 3)
        for offsets in reads[1:]:
            total = total + read(wanted, offsets, sides, 3)
        wanted = total
    threads = int(rng.integers(1, 4))
    source = a.copy()
    if rng.integers(2) and rank > 1:
        source = np.asfortranarray(source)
    same(engine.stencil(text, a=source, boundary=sides, cval=3, steps=steps, threads=threads), wanted)
    assert np.array_equal(source, a)
    result = engine.stencil(text, a=source, boundary=sides, cval=3, steps=steps, out=source, threads=threads)
    assert result is source
    same(np.ascontiguousarray(source), wanted)


BLOCKED = "0.25*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1]) + 0.001*u[-2,1]"


@pytest.mark.parametrize(
    "boundary", [*WORDS, "keep", ("wrap", "reflect"), ("reflect", "wrap"), [("keep", "constant"), "mirror"]]
)
@pytest.mark.parametrize("steps", [2, 3, 8, 21])
def test_steps_taken_several_at_a_time_have_the_bits_of_single_steps(boundary, steps):
    u = np.random.default_rng(1).random((300, 2000))  # more than stays in the caches: see expr/stencil_test.cpp
    wanted = u
    for _ in range(steps):
        wanted = engine.stencil(BLOCKED, u=wanted, boundary=boundary, cval=0.5)
    for threads in (1, 2, 5):
        same(engine.stencil(BLOCKED, u=u, boundary=boundary, cval=0.5, steps=steps, threads=threads), wanted)


PADS = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


@pytest.mark.parametrize("backend", ["interp", "auto"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("shape", [(700, 403), (1201, 130), (131, 41, 67), (9, 70, 20, 33), (5, 90001)])
def test_large_grids_are_computed_in_bands_and_have_every_element(shape, word, backend):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(*shape[:-1], 2 * shape[-1]))
    reach = 2
    zeros = (0,) * (len(shape) - 1)
    places = [(-reach, *zeros), (*zeros, 1), (1, *zeros)]
    before, right, below = (f"u[{', '.join(map(str, p))}]" for p in places)
    text = f"2*{before} - {right}*{below}"

    def wanted(u):
        wide = np.pad(u, reach, PADS[word])
        inside = tuple(slice(reach, reach + n) for n in shape)
        before = wide[(slice(0, shape[0]), *inside[1:])]
        right = wide[(*inside[:-1], slice(reach + 1, reach + 1 + shape[-1]))]
        below = wide[(slice(reach + 1, reach + 1 + shape[0]), *inside[1:])]
        return 2 * before - right * below

    columns = a[..., ::2]
    for u in (np.ascontiguousarray(columns), columns, columns[..., ::-1], np.asfortranarray(columns)):
        made = engine.compile_stencil(text, boundary=word, backend=backend, threads=3)
        around = np.full((shape[0] + 2, *shape[1:-1], shape[-1] + 8), np.nan)
        out = around[1:-1, ..., 4:-4]
        made(u=u, out=out)
        same(np.ascontiguousarray(out), wanted(u))
        assert np.isnan(around).sum() == around.size - out.size
        same(np.ascontiguousarray(made(u=u)), wanted(u))


def test_fields_are_updated_at_once_from_what_they_were():
    rng = np.random.default_rng(2)
    u, v = rng.random((5, 6)), rng.random((5, 6))
    got = engine.stencil(
        "lap = u(i-1, j) + u(i+1, j) + u(i, j-1) + u(i, j+1) - 4*u\nu = u + 0.1*(lap - v)\nv += u - v[0, 1]",
        u=u,
        v=v,
        boundary="wrap",
        steps=3,
    )
    for _ in range(3):
        lap = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
        u, v = u + 0.1 * (lap - v), v + (u - np.roll(v, -1, 1))
    assert list(got) == ["u", "v"]
    same(got["u"], u)
    same(got["v"], v)


def test_each_field_may_have_boundaries_of_its_own():
    a, b = np.arange(5.0), np.arange(5.0) * 10
    got = engine.stencil("a[-1] + b[-1] + b[1]", a=a, b=b, boundary={"a": "constant", None: "wrap"}, cval={"a": 100})
    same(got, read(a, (-1,), [("constant", "constant")], 100) + np.roll(b, 1) + np.roll(b, -1))


def test_parts_with_names_of_their_own_are_read_at_offsets_too():
    a = np.random.default_rng(3).random(9)
    got = engine.stencil("d = a[1] - a[0]\nd[0] - d[-1]", a=a, boundary="wrap")
    d = np.roll(a, -1) - a
    same(got, d - np.roll(d, 1))


def test_a_constant_stands_beyond_the_part_and_not_beyond_what_it_is_made_of():
    a = np.arange(1.0, 5)
    same(engine.stencil("d = a*a + 1\nd[-1]", a=a, boundary="constant", cval=-1), np.array([-1.0, 2, 5, 10]))


def test_valid_leaves_out_what_would_read_beyond():
    a = np.random.default_rng(4).random((6, 7))
    same(engine.stencil("a + a[-1, 2]", a=a, boundary="valid"), a[1:, :-2] + a[:-1, 2:])
    same(engine.stencil("a = a + a[-1, 2]", a=a, boundary="valid"), a[1:, :-2] + a[:-1, 2:])
    same(engine.stencil("a + a[-1, 2]", a=a, boundary=["valid", "wrap"]), a[1:] + np.roll(a, -2, 1)[:-1])


def test_what_broadcasts_is_no_smaller_than_a_footprint():
    a, column = np.random.default_rng(11).random((6, 7)), np.arange(7.0)[None, :]
    same(engine.stencil("a[-1, 0]*column + a[1, 0]", boundary="valid"), a[:-2] * column + a[2:])


def test_keep_leaves_the_rim_as_it_is():
    a = np.random.default_rng(5).random((6, 7))
    wanted = a.copy()
    for _ in range(3):
        new = wanted.copy()
        new[1:, :-2] = wanted[1:, :-2] + wanted[:-1, 2:]
        wanted = new
    same(engine.stencil("a + a[-1, 2]", a=a, boundary="keep", steps=3), wanted)
    out = np.full((6, 7), np.nan)
    same(engine.stencil("a + a[-1, 2]", a=a, boundary="keep", steps=3, out=out), wanted)


def test_the_filter_of_the_seed_leaves_borders_of_its_output_untouched():
    a = np.random.default_rng(6).random((9, 8))
    b = np.full((9, 8), 7.0)
    engine.evaluate(
        "b[1:-1,1:-1] = a[1:-1,1:-1] + 0.5*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])"
        " + 0.25*(a[:-2,:-2] + a[:-2,2:] + a[2:,:-2] + a[2:,2:])"
    )
    edges = a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]
    corners = a[:-2, :-2] + a[:-2, 2:] + a[2:, :-2] + a[2:, 2:]
    same(b[1:-1, 1:-1].copy(), a[1:-1, 1:-1] + 0.5 * edges + 0.25 * corners)
    assert (b[0] == 7).all() and (b[-1] == 7).all() and (b[:, 0] == 7).all() and (b[:, -1] == 7).all()
    text = "a + 0.5*(a[-1,0] + a[1,0] + a[0,-1] + a[0,1]) + 0.25*(a[-1,-1] + a[-1,1] + a[1,-1] + a[1,1])"
    same(engine.stencil(text, a=a, boundary="valid"), b[1:-1, 1:-1].copy())


def test_until_ends_the_steps_and_callback_hears_of_them():
    u = np.zeros(9)
    u[4] = 1.0
    heard = []
    text, ends = "0.5*u + 0.25*(u[-1] + u[1])", "max(abs(u - u_old)) < 1e-3"
    got = engine.stencil(text, u=u, steps=1000, until=ends, every=5, callback=lambda *x: heard.append(x))
    wanted, steps = u, 0
    while True:
        before, wanted = wanted, engine.stencil("0.5*u + 0.25*(u[-1] + u[1])", u=wanted)
        steps += 1
        if steps % 5 == 0 and np.abs(wanted - before).max() < 1e-3:
            break
    same(got, wanted)
    assert [step for step, _ in heard] == list(range(5, steps + 1, 5))
    same(heard[-1][1], wanted)


def test_what_a_callback_raises_ends_the_steps():
    class StopError(Exception):
        pass

    def stop(step, field):
        raise StopError(step)

    with pytest.raises(StopError, match="2"):
        engine.stencil("u[1]", u=np.arange(4.0), steps=9, every=2, callback=stop)


def test_no_steps_copy_the_field():
    u = np.arange(4.0)
    got = engine.stencil("u[1]", u=u, steps=0)
    same(got, u)
    assert not np.shares_memory(got, u)


def test_coefficients_and_scalars_broadcast():
    a = np.random.default_rng(7).random((4, 5))
    row = np.arange(5.0)
    same(
        engine.stencil("a*row + k*a[1, 0]", a=a, row=row, k=0.5, boundary="nearest"),
        a * row + 0.5 * np.vstack([a[1:], a[-1:]]),
    )
    same(
        engine.stencil("where(row > 2, a[0, 1], a)", {"a": a, "row": row}, boundary="wrap"),
        np.where(row > 2, np.roll(a, -1, 1), a),
    )


def test_reductions_and_positions_stand_beside_neighbours():
    a = np.random.default_rng(8).random((4, 5))
    same(
        engine.stencil("a[1, 0] - max(a) + index(1)", a=a, boundary="wrap"), np.roll(a, -1, 0) - a.max() + np.arange(5)
    )


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_nothing_has_no_neighbours(shape):
    a = np.empty(shape)
    text = f"a[{', '.join(['1'] * len(shape))}]"
    for word in WORDS:
        assert engine.stencil(text, a=a, boundary=word).shape == shape
        assert engine.stencil(text, a=a, boundary=word, steps=3).shape == shape


@pytest.mark.parametrize("offset", [-(2**31), 2**31, 1000003, -1000003])
@pytest.mark.parametrize("word", WORDS)
def test_offsets_far_beyond_the_array_are_found_at_once(offset, word):
    a = np.arange(7.0)
    wanted = [place(i + offset, 7, word, word) for i in range(7)] if word in ("nearest", "wrap", "constant") else None
    got = engine.stencil(f"a[{offset}]", a=a, boundary=word)
    if wanted is None:  # periods of 2n, and of 2n - 2
        period = 14 if word == "reflect" else 12
        wanted = [
            p if p < 7 else (13 if word == "reflect" else 12) - p for p in ((i + offset) % period for i in range(7))
        ]
    same(got, np.array([0.0 if p is None else float(p) for p in wanted]))


def test_strided_swapped_and_readonly_fields_are_read_as_they_are():
    base = np.random.default_rng(9).random((12, 14))
    wanted = engine.stencil("a[-1, 1] + a", a=base[::2, ::-2].copy(), boundary="mirror", steps=2)
    views = [base[::2, ::-2], base[::2, ::-2].astype(">f8"), np.asfortranarray(base[::2, ::-2])]
    views.append(base[::2, ::-2].copy())
    views[-1].flags.writeable = False
    for view in views:
        got = engine.stencil("a[-1, 1] + a", a=view, boundary="mirror", steps=2)
        assert np.array_equal(got, wanted)


def test_names_are_looked_up_where_the_stencil_is_called():
    field = np.arange(4.0)
    same(engine.stencil("field[1]"), np.array([1.0, 2, 3, 3]))
    same(engine.compile_stencil("field[1]")(), np.array([1.0, 2, 3, 3]))
    same(engine.stencil("field[1]", {"field": field + 1}), np.array([2.0, 3, 4, 4]))


def test_a_stencil_is_called_from_many_threads_and_pickled():
    made = pickle.loads(pickle.dumps(engine.compile_stencil("u += 0.1*(u[-1] + u[1] - 2*u)", boundary="wrap")))
    assert made.names == ("u",) and made.text.startswith("u +=")
    fields = [np.random.default_rng(s).random(300 + s) for s in range(8)]
    wanted = [made(u=u, steps=20) for u in fields]
    results: list[np.ndarray | None] = [None] * 8

    def work(k: int) -> None:
        for _ in range(20):
            results[k] = made(u=fields[k], steps=20)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for got, want in zip(results, wanted, strict=True):
        same(got, want)


def test_the_plan_says_where_neighbours_are_read():
    text = (
        engine.compile_stencil("a[-1, 0] + a[1, 2]", boundary=["wrap", ("reflect", "nearest")])
        .explain(a=np.ones((4, 4)))
        .text
    )
    assert "a[-1 wrap, :]" in text and "a[+1 wrap, +2 reflect|nearest]" in text


def test_the_halo_is_how_far_neighbours_are_read():
    a, b = np.ones((5, 6)), np.ones((5, 6))
    made = engine.compile_stencil("d = a[-1, 2] + a\nd[-1, 0] - b + max(b, axis=0)", boundary="wrap")
    assert made.halo(a=a, b=b) == {"a": ((2, 0), (0, 2)), "b": (None, None)}
    program = engine.compile("b[1:-1, :] = a[:-2, :] + a[2:, :]*2")
    assert program.halo(a=a, b=b) == {"a": ((1, 1), (0, 0))}
    assert engine.compile("a[:-2] + a[1:-1] + a[2:]").halo(a=a) == {"a": ((1, 1), (0, 0))}
    assert engine.compile("a[1:] - a[:-1]").halo(a=a) == {"a": ((0, 1), (0, 0))}
    assert engine.compile("shift(a, 3, axis=1) + a[0] + a[::2, 0][0]").halo(a=a) == {"a": (None, None)}
    assert "halo of a: (2, 0), (0, 2)" in made.explain(a=a, b=b).text


BAD = [
    ("a[1, 0]", {}, engine.ShapeError, "2 offsets for 1 axis"),
    ("a[1:2]", {}, engine.ShapeError, "offsets: whole numbers"),
    ("a[b]", {"b": np.arange(4)}, engine.DTypeError, "subscripts are slices and integers"),
    ("a[0.5]", {}, engine.DTypeError, "a subscript must be an integer"),
    ("a(i-1, j)", {}, engine.ShapeError, "2 offsets for 1 axis"),
    ("a(i-1) + a(j)", {}, engine.ParseError, "has the index 'i'"),
    ("a(1)", {}, engine.ParseError, "an index and an offset"),
    ("a(i*2)", {}, engine.ParseError, "not expected|expected an operator"),
    ("a.T[1]", {}, engine.ShapeError, "keeps the axes"),
    ("a[1] + c", {}, engine.UnknownName, "no operand 'c'"),
    ("a = a[1]; a = a[-1]", {}, engine.ParseError, "updated twice"),
    ("a[1] = a", {}, engine.ShapeError, "makes the element it stands at"),
    ("a = a[1]; a*2", {}, engine.ParseError, "no other value"),
    ("k = a[1]", {"k": 2.0}, engine.DTypeError, "is no field"),
    ("a[9999999999]", {}, engine.ShapeError, "further than any"),
]


@pytest.mark.parametrize(("text", "more", "error", "words"), BAD)
def test_bad_texts_are_refused_with_a_caret(text, more, error, words):
    a = np.arange(4.0)
    with pytest.raises(error, match=words) as info:
        engine.stencil(text, a=a, **more)
    assert "^" in str(info.value)
    assert np.array_equal(a, np.arange(4.0))


def test_bad_boundaries_and_targets_are_refused():
    a, b = np.arange(4.0), np.arange(4.0)
    with pytest.raises(ValueError, match="boundary must be"):
        engine.stencil("a[1]", a=a, boundary="mirrored")
    with pytest.raises(engine.ShapeError, match="boundaries of 2 axes"):
        engine.stencil("a[1]", a=a, boundary=["wrap", "wrap"])
    with pytest.raises(engine.ShapeError, match="footprint needs 5"):
        engine.stencil("a[-2] + a[3]", a=a, boundary="valid")
    with pytest.raises(engine.ShapeError, match="footprint needs 5"):
        engine.stencil("a[-2] + a[3]", a=a, boundary="keep")
    with pytest.raises(engine.ShapeError, match="keeps its rim"):
        engine.stencil("a[-1] + a[1]", a=a, boundary="keep", out=a)
    with pytest.raises(engine.ShapeError, match="smaller with every step"):
        engine.stencil("a[-1] + a[1]", a=a, boundary="valid", steps=2)
    with pytest.raises(engine.ParseError, match="which field"):
        engine.stencil("a[-1] + b[1]", a=a, b=b, steps=2)
    with pytest.raises(engine.DTypeError, match="cval does not fit"):
        engine.stencil("a[-1]", a=np.arange(4), boundary="constant", cval=0.5)
    with pytest.raises(engine.ShapeError, match="two targets share"):
        engine.stencil("a = a[1]; b = b[1]", a=a, b=b, out={"a": a, "b": a})
    with pytest.raises(TypeError, match="no field that is updated"):
        engine.stencil("a[1]", a=a, out={"a": b})
    with pytest.raises(engine.ShapeError, match="of another shape"):
        engine.stencil("a[1]", a=a, steps=2, out=np.empty(5))
    with pytest.raises(engine.DTypeError, match="cannot write"):
        engine.stencil("0.5*a[1]", a=np.arange(4), steps=2)
    with pytest.raises(engine.ShapeError, match="until is one truth value"):
        engine.stencil("a[1]", a=a, steps=2, until="a > 3")
    assert np.array_equal(a, np.arange(4.0)) and np.array_equal(b, np.arange(4.0))


def test_ctrl_c_ends_the_steps():
    code = """
import signal, sys, engine, numpy as np
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
for u, text in ((np.zeros(50), "u[-1] + u[1]"), (np.zeros((1500, 1500)), "u[-1, 0] + u[1, 0]")):
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        engine.stencil(text, u=u, steps=10**9)
    except KeyboardInterrupt:
        print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["stopped", "stopped"], done.stderr


def test_progress_goes_from_nothing_to_all():
    shares = []
    engine.stencil("u[-1] + u[1]", u=np.zeros(200_000), steps=60, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert shares[:3] == [1 / 60, 2 / 60, 3 / 60]


def test_time_limits_hold_for_all_steps_together():
    with pytest.raises(engine.LimitError, match="took longer"):
        engine.stencil("u[-1] + u[1]", u=np.zeros(2000), steps=10**9, limits=engine.Limits(time=0.2))


@pytest.mark.parametrize("backend", ["interp", "auto"])
@pytest.mark.parametrize("word", WORDS)
def test_shift_stands_in_any_expression(word, backend):
    rng = np.random.default_rng(10)
    for shape in [(1,), (5,), (3, 4), (1, 5), (2, 1, 3)]:
        a = rng.random(shape)
        for axis in range(len(shape)):
            sides = [(word, word)] * len(shape)
            for n in range(-6, 7):
                offsets = tuple(-n if x == axis else 0 for x in range(len(shape)))
                moved = read(a, offsets, sides, 2.0)
                text = f"shift(a, {n}, axis={axis}, boundary='{word}', cval=2)"
                run = functools.partial(engine.evaluate, names={"a": a}, backend=backend)
                same(run(f"({text} + a)[::-1]"), (moved + a)[::-1])
                wanted = engine.evaluate("sum(b*a, axis=0)", {"a": a, "b": moved})
                same(np.asarray(run(f"sum({text}*a, axis=0)")), np.asarray(wanted))
                same(run(f"cumsum({text}, axis={axis})"), engine.evaluate("cumsum(b, axis=x)", {"b": moved, "x": axis}))
                same(run(f"shift(a*2, {n}, axis={axis}, boundary='{word}', cval=4)"), moved * 2)


def test_shift_may_write_over_what_it_reads():
    a = np.arange(10.0)
    wanted = np.roll(a, 1) + a
    b = a.copy()
    engine.evaluate("b[...] = shift(b, 1, boundary='wrap') + b")
    same(b, wanted)
    b = a.copy()
    engine.evaluate("shift(b, 1, boundary='wrap') + b", out=b)
    same(b, wanted)
    b = a.copy()
    engine.evaluate("shift(b[:-1], -1, boundary='wrap')", out=b[1:])
    same(b, np.concatenate([[0.0], np.roll(a[:-1], -1)]))


def test_bad_shifts_are_refused():
    a = np.ones((3, 4))
    for text, words in [
        ("shift(a, 1)", "needs an axis"),
        ("shift(a, 1, axis=2)", "out of range"),
        ("shift(a, 1.5, axis=0)", "one whole number"),
        ("shift(a, 1, axis=0, boundary='warp')", "did you mean 'wrap'"),
        ("shift(a, 1, axis=0, boundary=a)", "no such boundary"),
        ("shift(a, 1, axis=0, boundary='keep')", "as many elements"),
        ("shift(a, 1, axis=0, cval=a)", "cval is one number"),
        ("shift(a, 1, axis=0, cval=2j)", "cval does not fit"),
        ("shift(2, 1)", "no axes"),
    ]:
        with pytest.raises(engine.Error, match=words) as info:
            engine.evaluate(text, {"a": a})
        assert "^" in str(info.value)
