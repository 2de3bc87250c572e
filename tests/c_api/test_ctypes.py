"""The C interface from Python by ctypes alone: NumPy's numbers, and codes for whatever a caller gets wrong."""

from __future__ import annotations

import ctypes
import random
from ctypes import byref, c_void_p

import numpy as np
import pytest

from tests.c_api import capi
from tests.c_api.capi import LIB, Array, EngineError, Operand, Program, describe

RANDOM = np.random.default_rng(4)


def samples(dtype: str, shape=(5, 7)) -> np.ndarray:
    if dtype == "bool":
        return RANDOM.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind in "iu":
        return RANDOM.integers(0, 100, shape).astype(dtype)
    values = RANDOM.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * RANDOM.normal(size=shape)
    return values.astype(dtype)


def same(got: np.ndarray, expected) -> None:
    expected = np.asarray(expected)
    assert got.dtype.newbyteorder("=") == expected.dtype
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", capi.DTYPES)
def test_every_dtype_computes_what_numpy_does(dtype):
    a, b = samples(dtype), samples(dtype)
    same(Program("a + b")({"a": a, "b": b}), a + b)
    same(Program("where(a < b, a, b)")({"a": a, "b": b}), np.where(a < b, a, b))
    if dtype != "bool":
        same(Program("a*3 - b")({"a": a, "b": b}), a * np.dtype(dtype).type(3) - b)
        same(
            Program("sum(a[::2], axis=1)")({"a": np.ones((4, 3), dtype)}),
            np.full(2, 3).astype(np.ones(1, dtype).sum().dtype),
        )


@pytest.mark.parametrize("dtype", capi.DTYPES)
def test_the_librarys_dtypes_are_numpys(dtype):
    code = capi.DTYPES.index(dtype)
    assert LIB.engine_dtype_name(code).decode() == dtype
    assert LIB.engine_dtype_size(code) == np.dtype(dtype).itemsize


@pytest.mark.parametrize(
    "layout",
    [
        lambda a: a,
        lambda a: a[::-1, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.broadcast_to(a[:1], a.shape),
        lambda a: a.astype(a.dtype.newbyteorder("S")),
        lambda a: np.repeat(a, 3, axis=1)[:, ::3],
        lambda a: a[:0],
        lambda a: a[2, 3, ...].reshape(()),
    ],
    ids=["C", "reversed", "F", "broadcast", "swapped", "strided", "empty", "0-d"],
)
def test_every_layout_computes_what_numpy_does(layout):
    a = layout(samples("float64"))
    expected = 2 * a + 1
    same(Program("2*a + 1")({"a": a}), expected)
    out = np.full_like(a, 7, dtype=a.dtype, subok=False)
    Program("2*a + 1")({"a": a}, out=out)
    same(out, expected)


def test_out_may_be_unaligned_strided_and_swapped():
    a = samples("float64", (6,))
    room = np.zeros(6 * 16 + 1, np.uint8)
    out = np.ndarray((6,), ">f8", room, 1, (16,))
    assert Program("a/3")({"a": a}, out=out) is None
    same(out.astype("f8"), a / 3)


def test_numbers_yield_to_arrays():
    a = samples("float32")
    same(Program("a*x + n")({"a": a, "x": 0.1, "n": 2}), a * 0.1 + 2)
    same(Program("n + 0")({"n": 2**64 - 1}), np.uint64(2**64 - 1))
    same(Program("z * 2")({"z": 1 + 2j}), np.complex128(2 + 4j))
    same(Program("f & (a > 0)")({"a": a, "f": True}), a > 0)


def test_results_do_not_depend_on_the_number_of_threads():
    a = RANDOM.normal(size=1_000_003)
    program = Program("sum(a*a) + a")
    one = program({"a": a}, threads=1)
    assert (program({"a": a}, threads=7) == one).all()


def test_memory_may_come_from_numpy():
    made = []

    @capi.ALLOCATE
    def allocate(context, dtype, ndim, shape, strides, n_bytes):
        made.append(np.empty(shape[:ndim], capi.DTYPES[dtype]))
        assert made[-1].nbytes == n_bytes
        return made[-1].ctypes.data

    a = samples("float64")
    Program("a*2")({"a": a}, allocate=allocate)
    same(made[0], a * 2)


def test_a_callback_that_gives_nothing_is_out_of_memory():
    @capi.ALLOCATE
    def allocate(*arguments):
        return None

    with pytest.raises(EngineError, match="cannot allocate 280 bytes") as caught:
        Program("a*2")({"a": samples("float64")}, allocate=allocate)
    assert caught.value.code == capi.MEMORY


def test_errors_carry_the_caret_and_the_spans():
    with pytest.raises(EngineError) as caught:
        Program("2*a + b")({"a": np.ones((3, 4)), "b": np.ones((4, 3))})
    assert caught.value.code == capi.SHAPE
    assert str(caught.value).splitlines() == [
        "cannot broadcast '2*a' with 'b'",
        "  | 2*a + b",
        "  | ^^^      shape (3, 4)",
        "  |       ^  shape (4, 3)",
        "  = help: axis 0 is 3 against 4: make them equal, or one of them 1",
    ]
    assert caught.value.spans == [(0, 3), (6, 7)]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"a +\0 b", b"(" * 100_000, b"a" * 1_000_000, bytes(range(256))])
def test_any_bytes_are_a_program_or_an_error(text):
    try:
        Program(text)
    except EngineError as error:
        assert error.code in (capi.PARSE, capi.LIMIT, capi.UNKNOWN)
        assert str(error)


def test_a_free_keeps_the_last_error():
    kept = Program("a")
    assert LIB.engine_compile(b"a +", 3, None, byref(c_void_p())) == capi.PARSE
    del kept
    assert LIB.engine_last_error().contents.code == capi.PARSE
    assert LIB.engine_program_free(c_void_p(12345)) == capi.BAD_ARGUMENT
    assert LIB.engine_last_error().contents.code == capi.BAD_ARGUMENT


def test_readonly_arrays_are_not_written():
    a = np.ones(3)
    a.flags.writeable = False
    with pytest.raises(EngineError, match="'a' is read-only"):
        Program("a[0] = 2")({"a": a})
    with pytest.raises(EngineError, match="out is read-only"):
        Program("b*2")({"b": np.ones(3)}, out=a)
    assert (a == 1).all()


HOSTILE = {
    "dtype": [-1, 14, 255, 2**31 - 1, -(2**31)],
    "ndim": [-1, 33, 64, 2**31 - 1, -(2**31)],
    "shape": [[-1, 2], [2, -(2**63)], [2**62, 2**62], [2**63 - 1, 1], None],
    "strides": [[2**62, 8], [-(2**63), 8], [8, 2**63 - 1], [2**57, -(2**57)]],
    "device": [-1, -(2**31), 1, 2**31 - 1],
    "flags": [4, 2**31, 2**32 - 1],
    "data": [0],
}


@pytest.mark.parametrize("role", ["operand", "out"])
@pytest.mark.parametrize("field", HOSTILE)
def test_hostile_descriptors_are_refused(field, role):
    program = Program("a*2")
    for value in HOSTILE[field]:
        good = np.full((2, 2), 7.0)
        descriptor = describe(good)
        if field in ("shape", "strides") and value is not None:
            value = capi.int64s(value)
        setattr(descriptor, field, value)
        operands = (Operand * 1)(capi.operand(np.ones((2, 2))))
        out = descriptor if role == "out" else describe(np.ones((2, 2)))
        if role == "operand":
            operands[0].value.array = descriptor
        code = LIB.engine_run(program.handle, operands, 1, byref(out), None, None)
        assert code in (capi.DTYPE, capi.SHAPE, capi.BACKEND, capi.BAD_ARGUMENT), (field, value, code)
        assert LIB.engine_last_error().contents.code == code
        assert (good == 7).all()


def test_random_bytes_in_place_of_descriptors_are_answered_by_codes():
    """Data and the two pointers stay sound: those cannot be checked by anybody."""
    program = Program("a*2")
    rng = random.Random(7)
    refused = 0
    for _ in range(3000):
        memory = np.ones(64)
        descriptor = describe(memory[:4].reshape(2, 2))
        pick = [rng.choice([0, 1, 2, 3, -1, rng.getrandbits(31), -rng.getrandbits(31)]) for _ in range(3)]
        descriptor.dtype, descriptor.ndim, descriptor.device = pick[0], min(pick[1], 40), pick[2]
        shape = [rng.choice([0, 1, 2, rng.getrandbits(63), -rng.getrandbits(63)]) for _ in range(40)]
        # Where a descriptor holds, it must stay within the memory.
        strides = [rng.choice([0, 8, -(2**63), rng.getrandbits(62) | 2**58]) if n > 1 else 0 for n in shape]
        descriptor.flags = rng.choice([0, 1, 2, rng.getrandbits(32)])
        if rng.random() < 0.5:  # small, and so perhaps sound
            shape, strides = [rng.choice([0, 1, 2]) for _ in shape], [rng.choice([0, 8]) for _ in shape]
        if sum(8 for n, s in zip(shape[: max(descriptor.ndim, 0)], strides) if n > 1 and s == 8) > 200:
            continue
        descriptor.shape, descriptor.strides = capi.int64s(shape), capi.int64s(strides)
        operands = (Operand * 1)(Operand(rng.choice([1, 1, 1, 0, 9]), rng.choice([0, 0, 0, 5])))
        operands[0].value.array = descriptor
        result = c_void_p()
        code = LIB.engine_run(program.handle, operands, 1, None, None, byref(result))
        assert 0 <= code <= 10 and code != capi.INTERNAL
        assert (code == capi.OK) == bool(result)
        refused += code != capi.OK
        check = LIB.engine_result_free(result)
        assert check == capi.OK
    assert refused > 1000


def test_freed_handles_are_refused():
    program = c_void_p()
    assert LIB.engine_compile(b"a", capi.TERMINATED, None, byref(program)) == capi.OK
    assert LIB.engine_program_free(program) == capi.OK
    assert LIB.engine_program_free(program) == capi.BAD_ARGUMENT
    assert LIB.engine_program_n_names(program) == 0
    for number in (1, 8, 2**63, 2**64 - 1, program.value ^ 8):
        assert LIB.engine_program_free(c_void_p(number)) == capi.BAD_ARGUMENT
        assert LIB.engine_result_free(c_void_p(number)) == capi.BAD_ARGUMENT
        assert LIB.engine_result_array(c_void_p(number), byref(Array())) == capi.BAD_ARGUMENT


def test_a_million_bytes_of_results_are_given_back():
    """Results that are freed leave nothing behind."""
    program = Program("a + 1")
    a = np.zeros(1 << 20)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    for _ in range(10):
        program({"a": a})
    before = resident()
    for _ in range(100):
        program({"a": a})
    assert resident() - before < 64 << 20  # ten results; a leak would be a hundred


def test_sizes_of_structs_agree():
    """ctypes lays structs out as C does: the test of C holds the same numbers."""
    structs = (capi.Array, capi.Operand, capi.Options, capi.RunOptions, capi.GraphStats)
    assert [ctypes.sizeof(struct) for struct in structs] == [40, 48, 56, 56, 40]
