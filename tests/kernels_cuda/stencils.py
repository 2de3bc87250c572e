"""Stencils and shifts on the device against the interpreter, for stencil_test.py: the same bits."""

import itertools

import numpy as np

import engine

RNG = np.random.default_rng(0)
WORDS = ("reflect", "mirror", "nearest", "wrap", "constant")
TEXTS = (
    ("0.25*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1])", {}),
    ("u += k*(u[-1,0] - u)", {"k": 0.3}),
    ("lap = u[-1,0] + u[1,0] - 2*u; v += u - v[0,1]; u += 0.1*lap", {"v": RNG.random((9, 11))}),
    ("maximum(u[-2,0], minimum(u[0,3], u)) - max(u)", {}),
)


def same(got, wanted):
    got = got.numpy() if isinstance(got, engine.DeviceArray) else got
    assert got.dtype == wanted.dtype and got.tobytes() == wanted.tobytes(), (got, wanted)


def callbacks() -> int:
    """What is told of steps on a device: copies there, which later steps leave alone."""
    fields = "v += 0.5*(u[-1] + u[1] - 2*u); u += 0.5*v"
    u, v = RNG.random(20), RNG.random(20)
    told: dict[str, list] = {"cpu": [], "cuda": []}
    for device, values in told.items():
        arrays = {"u": u, "v": v} if device == "cpu" else {"u": engine.to_device(u), "v": engine.to_device(v)}
        engine.stencil(
            fields, **arrays, steps=7, every=2, boundary="wrap", callback=lambda *heard, to=values: to.append(heard)
        )
    assert [step for step, _ in told["cuda"]] == [step for step, _ in told["cpu"]] == [2, 4, 6]
    for (_, there), (_, here) in zip(told["cuda"], told["cpu"], strict=True):
        for name in ("u", "v"):
            assert isinstance(there[name], engine.DeviceArray)
            same(there[name], here[name])
    late = engine.to_device(u)
    try:
        engine.stencil("u[1]", u=late, steps=3, out=late, callback=lambda step, field: 1 / (step - 2))
        raise AssertionError("nobody was told")
    except ZeroDivisionError:
        same(late, u)
    return 7


class Elsewhere:
    """Memory of a device seen with other strides."""

    def __init__(self, array, shape, strides):
        self.array, self.shape, self.strides = array, shape, strides
        self.first = -sum((n - 1) * s for n, s in zip(shape, strides, strict=True) if s < 0)

    @property
    def __cuda_array_interface__(self):
        facts = self.array.__cuda_array_interface__
        start = (facts["data"][0] + self.first, False)
        return {**facts, "shape": self.shape, "strides": self.strides, "data": start}

    def numpy(self):
        return np.ndarray(self.shape, "f8", self.array.numpy().tobytes(), self.first, self.strides).copy()


def other_layouts() -> int:
    """Fields, targets and what lies between steps, each with another axis whose elements are neighbours."""
    shape, compared = (5, 40, 9), 0
    u = RNG.random(shape)
    text = "u + 0.1*(u[-1,0,0] + u[0,1,0] + u[0,-1,-1] + u[0,2,0] - 4*u)"
    wanted = engine.stencil(text, u=u, steps=9, boundary=("reflect", "wrap", "keep"))
    for strides in ((8, 40, 1600), (360 * 8, 8, 320), (8, 40 * 9 * 8, 40), (-2880, 72, 8)):
        out = Elsewhere(engine.to_device(np.zeros(5 * 40 * 9 * 9)), shape, strides)
        engine.stencil(text, u=engine.to_device(u), steps=9, boundary=("reflect", "wrap", "keep"), out=out)
        same(out.numpy(), wanted)
        compared += 1
    return compared


def main() -> None:
    compared = other_layouts()
    for shape, dtype, word in itertools.product(((7,), (5, 6), (2, 3, 4)), ("f8", "i4", "c16", ">f8", "?"), WORDS):
        a = (RNG.random(shape) * 9).astype(dtype)
        join = "|" if dtype == "?" else "+"
        text = f"shift(a, 1, axis=0, boundary='{word}') {join} shift(a, -2, axis=-1, boundary='{word}')"
        wanted = engine.evaluate(text, {"a": a}, backend="interp")
        same(engine.evaluate(text, {"a": a}, backend="cuda"), wanted)
        same(engine.evaluate(text, {"a": engine.to_device(a)}), wanted)
        assert engine.last_run().backend == "cuda"
        compared += 2
    for (text, others), boundary in itertools.product(TEXTS, (*WORDS, "keep", ("wrap", "mirror"))):
        u = RNG.random((9, 11))
        there = {k: engine.to_device(v) if isinstance(v, np.ndarray) else v for k, v in others.items()}
        for steps in (1, 2, 5):
            how = {"boundary": boundary, "steps": steps, "cval": 0.5}
            wanted = engine.stencil(text, u=u, backend="interp", **how, **others)
            here = engine.stencil(text, u=u, backend="cuda", **how, **others)
            device = engine.stencil(text, u=engine.to_device(u), **how, **there)
            for name in wanted if isinstance(wanted, dict) else (None,):
                same(here[name] if name else here, wanted[name] if name else wanted)
                same(device[name] if name else device, wanted[name] if name else wanted)
                compared += 2
    u = RNG.random(20)
    ends = "max(abs(u - u_old)) < 1e-3"
    wanted = engine.stencil("u + 0.25*(u[-1] + u[1] - 2*u)", u=u, steps=500, until=ends)
    same(engine.stencil("u + 0.25*(u[-1] + u[1] - 2*u)", u=engine.to_device(u), steps=500, until=ends), wanted)
    compared += callbacks()
    try:
        engine.stencil("u[1]", u=engine.to_device(u), steps=3, out=np.empty(20))
    except engine.ShapeError as error:
        print(str(error).splitlines()[0])
    print(compared + 1)


if __name__ == "__main__":
    main()
