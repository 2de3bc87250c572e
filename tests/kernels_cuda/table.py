"""Every elementwise function, operator and cast of the catalog, and every reduction, on the backend "cuda" against the
interpreter: the same bits, NaN aside.

Run as a program, for which ENGINE_CUDA_DRIVER says what a device is: `python -m tests.kernels_cuda.table [group …]`.
Prints what differs and how much was compared. Many operations make one kernel, so that few are compiled.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import permutations

import numpy as np

import engine
from tests.conformance.operations import DTYPES, INFIX, PREFIX, special

PER_KERNEL = 24


def samples(dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of special and of ordinary values, of a length that leaves packs a rest."""
    few = special(dtype)
    rng = np.random.default_rng(5)
    x, y = np.repeat(few, few.size), np.tile(few, few.size)
    if few.size > 30:
        kept = rng.choice(x.size, 301, replace=False)
        x, y = x[kept], y[kept]
    if dtype.kind in "fc":
        more = rng.uniform(-20, 20, (2, 200)) + (1j * rng.uniform(-20, 20, (2, 200)) if dtype.kind == "c" else 0)
    else:
        more = rng.integers(0, 2 if dtype.kind == "b" else 100, (2, 200))
    return np.append(x, more[0].astype(dtype))[: x.size + 199], np.append(y, more[1].astype(dtype))[: x.size + 199]


def elementwise_texts() -> list[str]:
    calls = [row for row in engine.functions if row.kind in ("elementwise", "cast")]
    one = [f"{row.name}(x)" for row in calls if len(row.required) == 1] + [f"{symbol} x" for symbol in PREFIX]
    two = [f"{row.name}(x, y)" for row in calls if len(row.required) == 2] + [f"x {symbol} y" for symbol in INFIX]
    three = [f"{row.name}(y == x, x, y)" for row in calls if len(row.required) == 3]
    return one + two + three + ["clip(x, y, 3)", "x * x + y", "x.real", "x.imag"]


def differs(got: np.ndarray, want: np.ndarray) -> bool:
    if got.dtype != want.dtype or got.shape != want.shape:
        return True
    if got.dtype.kind == "c":
        return differs(got.real, want.real) or differs(got.imag, want.imag)
    bits = got.view(f"u{got.dtype.itemsize}") == want.view(f"u{got.dtype.itemsize}")
    if got.dtype.kind == "f":
        bits |= np.isnan(got) & np.isnan(want)
    return not bits.all()


def accepted(texts: list[str], names: dict) -> dict[str, np.ndarray]:
    """What the interpreter makes of those that it does not refuse."""
    results = {}
    for text in texts:
        try:
            results[text] = np.array(engine.evaluate(text, names, backend="interp"))
        except engine.Error:
            continue
    return results


def elementwise(dtype: np.dtype) -> Iterator[str | None]:
    """A complaint or nothing for each operation."""
    x, y = samples(dtype)
    results = accepted(elementwise_texts(), {"x": x, "y": y})
    results = {text: value for text, value in results.items() if value.shape == x.shape}
    texts = list(results)
    for first in range(0, len(texts), PER_KERNEL):
        group = texts[first : first + PER_KERNEL]
        outputs = {f"o{i}": np.zeros(x.shape, results[text].dtype) for i, text in enumerate(group)}
        program = "\n".join(f"o{i}[...] = {text}" for i, text in enumerate(group))
        engine.evaluate(program, {"x": x, "y": y, **outputs}, backend="cuda")
        assert engine.last_run().backend == "cuda"
        for i, text in enumerate(group):
            if differs(outputs[f"o{i}"], results[text]):
                at = next(k for k in range(x.size) if differs(outputs[f"o{i}"][k : k + 1], results[text][k : k + 1]))
                yield f"{text} of {dtype}({x[at]!r}, {y[at]!r}): {outputs[f'o{i}'][at]!r}, not {results[text][at]!r}"
            else:
                yield None


def reductions(dtype: np.dtype) -> Iterator[str | None]:
    rng = np.random.default_rng(9)
    rows = [row.name for row in engine.functions if row.kind == "reduction" and row.required == ("a",)]
    # Rows of which a warp makes several; a tile of columns; then what is long enough for rows and columns in pieces.
    small = ((3, 700), (None, 0, 1)), ((4, 5, 6), ((0, 2), 1)), ((2, 40, 9), (1, 2))
    small += ((13, 64), (1,)), ((7, 200), (1,)), ((700, 40), (0,))
    # The forms are those of the lengths: what lies between the narrowest and the widest adds nothing to the short ones.
    short = () if (dtype.kind in "iu" and dtype.name not in ("int8", "int64")) or dtype == np.complex64 else small
    for shape, axes in (*short, ((300_007,), (None,)), ((2, 9000), (1,)), ((3000, 3), (0,))):
        a = special(dtype)[rng.integers(0, special(dtype).size, shape)]
        if dtype.kind in "fc":  # sums that are not all NaN
            a = np.where(np.isfinite(a) & (rng.random(shape) < 0.3), a, rng.uniform(-2, 2, shape).astype(dtype))
        for axis in axes:
            # As in NumPy, a position is along one axis or over all.
            asked = [name for name in rows if not ("arg" in name and isinstance(axis, tuple))]
            results = accepted([f"{name}(a, axis={axis!r})" for name in asked], {"a": a})
            results = {text: value for text, value in results.items() if value.ndim == np.ndim(a.sum(axis))}
            outputs = {f"o{i}": np.zeros(value.shape, value.dtype) for i, value in enumerate(results.values())}
            program = "\n".join(f"o{i}[...] = {text}" for i, text in enumerate(results))
            engine.evaluate(program, {"a": a, **outputs}, backend="cuda")
            for i, (text, want) in enumerate(results.items()):
                yield f"{text} of {dtype}{shape}" if differs(outputs[f"o{i}"], want) else None


def layouts(dtype: np.dtype) -> Iterator[str | None]:
    """One expression over operands that lie in every way, into an out that does too."""
    rng = np.random.default_rng(3)
    base = special(dtype)[rng.integers(0, special(dtype).size, 6 * 10 * 300)].reshape(6, 10, 300)
    packed = np.zeros(6 * 10 * 300 * dtype.itemsize + 1, np.uint8)[1:].view(dtype).reshape(6, 10, 300)
    packed[...] = base
    views = {
        "whole": base,
        "reversed": base[::-1, :, ::-1],
        "stepped": np.repeat(base, 2, axis=2)[:, :, ::2],
        "transposed": np.ascontiguousarray(base.T).T,
        "stretched": base[:1, :, :1],
        "shifted": np.append(base.ravel(), base.ravel()[:1])[1:].reshape(base.shape),
        "swapped": base.astype(dtype.newbyteorder(">")),
        "unaligned": packed,
        "short rows": base[:, :, :5],
        "scalar": base[0, 0, :1].reshape(()),
    }
    for name, x in views.items():
        for other in ("whole", "reversed", "transposed"):
            y = views[other][..., : x.shape[-1]] if x.ndim else views[other]
            want = engine.evaluate("where(x == y, x, y)", {"x": x, "y": y}, backend="interp")
            got = engine.evaluate("where(x == y, x, y)", {"x": x, "y": y}, backend="cuda")
            yield f"{name} with {other} of {dtype}" if differs(got, want) or got.strides != want.strides else None
        out = np.zeros((*base.shape[:2], 3 * base.shape[2]), dtype)[:, ::-1, ::3]
        engine.evaluate("x", {"x": x}, out=out[..., : x.shape[-1]] if x.ndim else out, backend="cuda")
        yield (
            f"{name} into strides of {dtype}"
            if differs(*np.broadcast_arrays(out[..., : x.shape[-1] if x.ndim else None], x.astype(dtype)))
            else None
        )


def squares(dtype: np.dtype) -> Iterator[str | None]:
    """Operands that lie along another axis than the result, in several squares; what is the same along one."""
    rng = np.random.default_rng(4)
    for shape in ((70, 45), (66, 129), (20, 3, 40), (5, 33, 18)):
        x = special(dtype)[rng.integers(0, special(dtype).size, shape)]
        others = {f"as {axes}": np.ascontiguousarray(x.transpose(axes)) for axes in permutations(range(len(shape)))}
        for name, packed in others.items():
            y = packed.transpose(np.argsort([int(digit) for digit in name if digit.isdigit()]))
            names = {"x": x, "y": y[::-1], "row": x[..., :1, :], "column": x[..., :1]}
            for text in ("where(x == y, x, y)", "where(row == y, y, column)", "where(x == row, column, x)"):
                want = engine.evaluate(text, names, backend="interp")
                got = engine.evaluate(text, names, backend="cuda")
                yield f"{text} of {dtype}{shape} {name}" if differs(got, want) or got.strides != want.strides else None
        # Aligned as packs are, but one element short of them.
        want, got = np.zeros_like(x), np.zeros_like(x)
        for out, backend in ((want, "interp"), (got, "cuda")):
            engine.evaluate("out[..., :-1] = where(x == row, row, x)[..., :-1]", {**names, "out": out}, backend=backend)
        yield f"short of packs of {dtype}{shape}" if differs(got, want) else None


def neighbours(dtype: np.dtype) -> Iterator[str | None]:
    """Stencils by slices: rows that share what they read, in blocks that their number does not fill."""
    rng = np.random.default_rng(6)
    for shape in ((11, 300), (3, 7, 270), (2, 1000)):
        a = special(dtype)[rng.integers(0, special(dtype).size, shape)]
        inner = "1:-1" if shape[-2] > 2 else ":1"
        text = (
            f"where(a[..., {inner}, 1:-1] == a[..., :{shape[-2] - 2 or 1}, 1:-1], "
            f"a[..., -{shape[-2] - 2 or 1}:, 1:-1], a[..., {inner}, :-2])"
        )
        want = engine.evaluate(text, {"a": a}, backend="interp")
        got = engine.evaluate(text, {"a": a}, backend="cuda")
        yield f"{text} of {dtype}{shape}" if differs(got, want) else None


def overlaps(dtype: np.dtype) -> Iterator[str | None]:
    """Targets that share memory with what is read."""
    for text in (
        "a[1:] = a[:-1]",
        "a[:-1] = a[1:]",
        "a[::-1] = a",
        "a[1:-1] = where(a[:-2] == a[2:], a[:-2], a[2:])",
        "a[...] = a[::-1]",
        "b = a[::2]; a[:100] = b; a[1:101] = a[:100]",
        "a[0] = a[5]; a[1:] = a[0]",
    ):
        a = np.resize(special(dtype), 200)
        want, got = a.copy(), a.copy()
        engine.evaluate(text, {"a": want}, backend="interp")
        engine.evaluate(text, {"a": got}, backend="cuda")
        yield f"{text} of {dtype}" if differs(got, want) else None
    matrix = np.resize(special(dtype), (30, 30))
    want, got = matrix.copy(), matrix.copy()
    engine.evaluate("m[...] = m.T", {"m": want}, backend="interp")
    engine.evaluate("m[...] = m.T", {"m": got}, backend="cuda")
    yield f"m[...] = m.T of {dtype}" if differs(got, want) else None


ORDERED = (
    *(f"{name}(a, axis={{axis}})" for name in ("cumsum", "cumprod", "cummax", "cummin", "sort", "argsort")),
    "cumsum(a == a[..., :1], axis={axis}, exclusive=True)",
    "cummax(a, axis={axis}, exclusive=True)",
    *(f"{name}(a, 3, axis={{axis}})" for name in ("partition", "argpartition", "topk", "argtopk")),
    *(f"{text}, axis={{axis}})" for text in ("median(a", "quantile(a, 0.37", "percentile(a, 100")),
)
FLAT = (
    *(f"unique{name}(a)" for name in ("", "_counts", "_index", "_inverse")),
    "flatnonzero(a)",
    "nonzero(a != 1)[:-1]",
    "compress(a == a, a != 0)",
    "a[a[..., 0] == a[..., 0]]",
    "a[::-1][a == a]",
    "searchsorted(sort(a, axis=None), a)",
    "searchsorted(sort(a, axis=None), a[..., ::2], right=True)",
    "bincount(int64(a != 0) * 5)",
    "bincount(int64(a != 0) + int64(a == a), float64(a == a) / 3)",
    "histogram(where(isfinite(float64(a.real)), float64(a.real) % 7, 0), 9)",
    "histogram(a, 5, (-2.5, 7))",
    "histogram_edges(where(isfinite(a), a, 0) % 9, 4)",
)


# One for each way to walk tiles.
MANY_TILES = (20_000, 3)
OF_MANY_TILES = (
    "cumsum(a, axis=None)",
    "cummax(a, axis=0)",
    "sort(a, axis=None)",
    "argsort(a, axis=0)",
    "argpartition(a, 3, axis=None)",
    "median(a, axis=0)",
    "unique_inverse(a)",
    "compress(a == a, a != 0)",
    "searchsorted(sort(a, axis=None), a[..., ::2], right=True)",
)


def ordered(dtype: np.dtype) -> Iterator[str | None]:
    """What has an order: rows that blocks share, of one tile and of several, columns, and all elements."""
    rng = np.random.default_rng(8)
    few = special(dtype)
    # Between the narrowest and the widest, integers differ in their keys alone.
    is_plain = dtype.kind in "iu" and dtype.itemsize in (2, 4)
    shapes = ((7,), (3, 70), (40, 5, 6), (2, 5000), (4099,), (9001, 2), (1,), (3, 4, 0))
    for shape in ((3, 70), (4099,)) if is_plain else (*shapes, MANY_TILES) if dtype == np.float64 else shapes:
        a = few[rng.integers(0, few.size, shape)]
        if dtype.kind in "fc":
            a = np.where(rng.random(shape) < 0.5, a, rng.uniform(-20, 20, shape).astype(dtype))
        axes = (None, *range(len(shape)))
        texts = [text.format(axis=axis) for axis in axes for text in ORDERED] + list(FLAT)
        if shape == MANY_TILES:
            texts = list(OF_MANY_TILES)
        if is_plain:
            texts = [
                text
                for text in texts
                if text.startswith(("cummax", "sort", "argsort", "topk", "unique(", "searchsorted"))
            ]
        for text, want in accepted(texts, {"a": a}).items():
            got = engine.evaluate(text, {"a": a}, backend="cuda")
            assert engine.last_run().backend == "cuda"
            yield f"{text} of {dtype}{shape}" if differs(got, want) else None


def long(dtype: np.dtype) -> Iterator[str | None]:
    """What only length reaches: spans of a scan's tree, more tiles than a block adds up at once, columns by threads."""
    if dtype != np.float32:
        return
    rng = np.random.default_rng(10)
    texts = {
        (300_001,): ("cumsum(a)", "cumsum(a * 2, exclusive=True)", "cummax(a)"),
        (600_001,): ("a[a > 0]", "flatnonzero(a > 1)"),
        (2100, 1030): ("cumsum(a, axis=0)", "cummin(a, axis=0, exclusive=True)"),
        (131_200, 128): ("cumsum(a, axis=0)",),  # spans by threads, on a device of one multiprocessor
    }
    for shape, asked in texts.items():
        a = rng.standard_normal(shape).astype(dtype)
        for text in asked:
            want = engine.evaluate(text, {"a": a}, backend="interp")
            got = engine.evaluate(text, {"a": a}, backend="cuda")
            yield f"{text} of {dtype}{shape}" if differs(got, want) else None


GROUPS = {
    "elementwise": elementwise,
    "reductions": reductions,
    "layouts": layouts,
    "squares": squares,
    "neighbours": neighbours,
    "overlaps": overlaps,
    "ordered": ordered,
}
# Only where they are named.
LONG = {"long": long}


def main(names: list[str]) -> None:
    n_compared = 0
    groups = GROUPS | LONG
    wanted = [name for name in names if name in groups] or list(GROUPS)
    dtypes = [dtype for dtype in DTYPES if dtype.name in names] or DTYPES
    for name in wanted:
        for dtype in dtypes:
            with np.errstate(all="ignore"):
                for complaint in groups[name](dtype):
                    n_compared += 1
                    if complaint:
                        print(complaint, flush=True)
    print(f"{n_compared} compared")


if __name__ == "__main__":
    main(sys.argv[1:])
