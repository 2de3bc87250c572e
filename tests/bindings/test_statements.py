"""Programs of several statements that write: one pass where targets have one shape and memory of their own."""

import numpy as np
import pytest

import engine

TEXT = "x[...] = a + b; y[...] = a - 2*b"
A, B = np.arange(12.0).reshape(3, 4), np.arange(12.0, 24).reshape(3, 4)
BACKENDS = ("interp", "auto")


def run(text, backend="auto", **names):
    engine.evaluate(text, names, backend=backend)
    return engine.last_run().kernels


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ("f8", "f4"))
def test_targets_of_one_shape_are_written_in_one_pass(backend, dtype):
    x, y = np.zeros((3, 4)), np.zeros((3, 4), dtype)
    assert run(TEXT, backend, x=x, y=y, a=A, b=B) == 1
    assert (x == A + B).all() and (y == (A - 2 * B).astype(dtype)).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_are_stretched_to_their_targets(backend):
    x, y, z = (np.zeros((3, 4)) for _ in range(3))
    assert run("x[...] = a[0]; y[...] = a[:, :1] + 1; z[...] = a/2", backend, x=x, y=y, z=z, a=A + 1) == 1
    assert (x == A[0] + 1).all() and (y == A[:, :1] + 2).all() and (z == (A + 1) / 2).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_targets_of_several_shapes_are_written_one_by_one(backend):
    x, y = np.zeros((3, 4)), np.zeros((2, 4))
    assert run("x[...] = a + b; y[...] = a[:2] * 2", backend, x=x, y=y, a=A, b=B) == 2
    assert (x == A + B).all() and (y == A[:2] * 2).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_value_that_does_not_fit_says_so_before_anything_is_written(backend):
    x, y = np.zeros((3, 4)), np.zeros((3, 4))
    with pytest.raises(engine.ShapeError, match=r"value of shape \(3, 2\) into a target of shape \(3, 4\)"):
        run("x[...] = a + b; y[...] = a[:, :2]", backend, x=x, y=y, a=A, b=B)
    assert not x.any() and not y.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shift", range(-3, 4))
def test_targets_that_overlap_are_as_written_one_after_the_other(backend, shift):
    """x over what the second statement reads, y over what the first reads, and both over each other."""

    def operands():
        memory = np.arange(40.0)
        return {"x": memory[10:20], "y": memory[10 + shift : 20 + shift], "a": memory[12:22], "b": memory[5:15]}

    got, want = operands(), operands()
    run(TEXT, backend, **got)
    want["x"][...] = want["a"] + want["b"]
    want["y"][...] = want["a"] - 2 * want["b"]
    assert all((got[name] == want[name]).all() for name in got)


@pytest.mark.parametrize("backend", BACKENDS)
def test_slices_of_several_fields_are_one_pass(backend):
    """Two fields of a staggered grid, each half a step beside the other."""
    e, h, f = (np.random.default_rng(i).random((20, 30)) for i in range(3))
    want_h, want_f = h.copy(), f.copy()
    want_h[:-1, :] = 0.5 * (e[1:, :] - e[:-1, :])
    want_f[1:, :] = 0.25 * (e[1:, :] - e[:-1, :])
    text = "h[:-1, :] = 0.5*(e[1:, :] - e[:-1, :]); f[1:, :] = 0.25*(e[1:, :] - e[:-1, :])"
    assert run(text, backend, e=e, h=h, f=f) == 1
    assert (h == want_h).all() and (f == want_f).all()
