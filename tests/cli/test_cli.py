"""The program `engine`: .npy files in and out, printed values, errors and exit codes, held against NumPy and Python."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import engine
from tests.kernels_cuda import nvrtc

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("ENGINE_PROGRAM", ROOT / "build" / "dev" / "bindings" / "cli" / "engine"))
DTYPES = ("bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 complex64 complex128").split()
FILE, USAGE = 1, 2
PARSE, UNKNOWN, DTYPE, SHAPE, RANGE, LIMIT, BACKEND, MEMORY, INTERNAL = range(11, 20)


def run(*arguments, cwd=None, code=0, stdin="", **settings) -> subprocess.CompletedProcess:
    assert PROGRAM.exists(), f"{PROGRAM} is not there: ./dev build, or set ENGINE_PROGRAM"
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, input=stdin, timeout=120, **settings
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert bool(done.stderr) == (code != 0), done.stderr
    return done


def value(*arguments, **settings):
    """What `engine eval --json` gives as data."""
    return json.loads(run("eval", "--json", *arguments, **settings).stdout)["result"]["data"]


def samples(dtype, shape):
    rng = np.random.default_rng(11)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return (rng.normal(size=shape) * 50 + (1j * rng.normal(size=shape) if dtype.startswith("c") else 0)).astype(dtype)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3.0))
    np.save(tmp_path / "b.npy", np.full(3, 10.0))
    np.save(tmp_path / "m.npy", np.ones((3, 4)))
    np.save(tmp_path / "t.npy", np.ones((4, 3)))
    return tmp_path


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# ---- files in and out -----------------------------------------------------------------------------------------------


def test_the_example_of_the_readme(folder):
    run("eval", "2*a + b", "-i", "a=a.npy", "-i", "b=b.npy", "-o", "d.npy", cwd=folder)
    np.testing.assert_array_equal(np.load(folder / "d.npy"), [10, 12, 14])
    assert not left_over(folder)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("order", "CF")
def test_every_dtype_byte_order_and_order_is_read_and_written_as_numpy_does(tmp_path, dtype, byte_order, order):
    a = np.asarray(samples(dtype, (5, 3)).astype(np.dtype(dtype).newbyteorder(byte_order)), order=order)
    np.save(tmp_path / "a.npy", a)
    run("eval", "a[::-1].T", "-i", "a=a.npy", "-o", "d.npy", "--order", "C", cwd=tmp_path)
    got = np.load(tmp_path / "d.npy")
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(got, a[::-1].T)
    np.save(tmp_path / "expected.npy", np.ascontiguousarray(a[::-1].T.astype(dtype)))
    assert (tmp_path / "d.npy").read_bytes() == (tmp_path / "expected.npy").read_bytes()


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3, 4), (1,) * 32], ids=str)
@pytest.mark.parametrize("order", "CF")
def test_files_are_byte_for_byte_those_of_numpy_save(tmp_path, shape, order):
    a = samples("float32", shape)
    np.save(tmp_path / "a.npy", a)
    run("eval", "a + a", "-i", "a=a.npy", "-o", "d.npy", "--order", order, cwd=tmp_path)
    np.save(tmp_path / "expected.npy", np.asarray(a + a, order=order))
    assert (tmp_path / "d.npy").read_bytes() == (tmp_path / "expected.npy").read_bytes()


def test_an_order_that_npy_lacks_becomes_c(tmp_path):
    a = samples("float64", (2, 3, 4)).transpose(1, 0, 2)
    np.save(tmp_path / "a.npy", np.ascontiguousarray(a))
    run("eval", "a.T[:, ::1] + 1", "-i", "a=a.npy", "-o", "d.npy", cwd=tmp_path)  # K order: Fortran's
    assert np.load(tmp_path / "d.npy").flags.f_contiguous
    np.save(tmp_path / "v.npy", np.asfortranarray(samples("float64", (4, 2))))
    # (4, 2) in Fortran order, with a new axis at the end, against C order: neither order suits all.
    run("eval", "v[:, None, :] + w", "-i", "v=v.npy", "-i", "w=a.npy", "-o", "e.npy", cwd=tmp_path, code=SHAPE)
    np.save(tmp_path / "w.npy", samples("float64", (4, 3, 2)))
    run("eval", "v[:, None, :] * w[:, :1]", "-i", "v=v.npy", "-i", "w=w.npy", "-o", "e.npy", cwd=tmp_path)
    v, w = np.load(tmp_path / "v.npy"), np.load(tmp_path / "w.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "e.npy"), v[:, None, :] * w[:, :1])


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(tmp_path, version):
    a = samples("int32", (4, 5))
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array(file, a, version=version)
    assert value("a - 1", "-i", "a=a.npy", cwd=tmp_path) == (a - 1).tolist()


def header(text: str | bytes, data=b"\0" * 64, version=(1, 0), length=None) -> bytes:
    text = text.encode("latin1") if isinstance(text, str) else text
    n = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", n) + text + data


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        '{"descr": "<f8", "fortran_order": False, "shape": (2,)}',
        "{'shape':(2,),'fortran_order':False,'descr':'<f8'}",
        "{'descr': 'f8', 'fortran_order': False, 'shape': (2L,), }     \n",
        " { 'descr' : '=f8' , 'fortran_order' : True , 'shape' : ( 2 , ) , } ",
    ],
)
def test_headers_that_numpy_reads_are_read(tmp_path, text):
    (tmp_path / "a.npy").write_bytes(header(text, struct.pack("<2d", 3, 4) + b"trailing bytes are another's"))
    assert value("a", "-i", "a=a.npy", cwd=tmp_path) == [3, 4]


HOSTILE = {
    "empty": b"",
    "no magic": b"hello, this is not an array at all",
    "magic alone": b"\x93NUMPY",
    "magic and version": b"\x93NUMPY\x01\x00",
    "version 0": header(GOOD, version=(0, 0)),
    "version 1.1": header(GOOD, version=(1, 1)),
    "version 4": header(GOOD, version=(4, 0)),
    "version 255": header(GOOD, version=(255, 255)),
    "header longer than file": header(GOOD, length=60000),
    "header of 4 GiB": header(GOOD, version=(2, 0), length=2**32 - 1),
    "header of 1 MiB": header(GOOD, b"\0" * 2**20, (2, 0), 2**20),
    "version 2 cut off": b"\x93NUMPY\x02\x00\x10\x00",
    "no dictionary": header("[1, 2, 3]"),
    "nothing": header(""),
    "open": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)"),
    "open string": header("{'descr': '<f8"),
    "two dictionaries": header(GOOD + GOOD),
    "code": header("{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}"),
    "missing key": header("{'descr': '<f8', 'shape': (2,)}"),
    "unknown key": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}"),
    "key twice": header("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"),
    "order as a number": header("{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}"),
    "shape as a number": header("{'descr': '<f8', 'fortran_order': False, 'shape': 2}"),
    "shape in brackets": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2)}"),
    "shape as a list": header("{'descr': '<f8', 'fortran_order': False, 'shape': [2]}"),
    "shape of floats": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2.0,)}"),
    "negative extent": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
    "extent beyond 64 bits": header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
    "product beyond 64 bits": header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
    "product beyond 64 bits beside 0": header(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}"
    ),
    "wraps to a small size": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693953,)}"),
    "data missing": header(GOOD, b"\0" * 15),
    "much data missing": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
    "escapes": header("{'de\\x73cr': '<f8', 'fortran_order': False, 'shape': (2,)}"),
    "zeros": header("\0" * 128),
    "an archive": b"PK\x03\x04" + b"\0" * 64,
    "terminal escapes": header("{'\x1b[31mdescr': '<f8'}"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused_with_a_message(tmp_path, case):
    (tmp_path / "a.npy").write_bytes(HOSTILE[case])
    done = run("eval", "a", "-i", "a=a.npy", cwd=tmp_path, code=FILE)
    assert done.stderr.startswith("FileError: a.npy "), done.stderr
    assert done.stderr.isascii() and "\x1b" not in done.stderr and len(done.stderr) < 200


@pytest.mark.parametrize(
    "descr",
    ["'|O'", "'<U5'", "'|S5'", "'<M8[s]'", "'<f16'", "'|V8'", "[('x', '<f8')]", "''", "'f8f8'", "'<'", "'i3'", "'>?8'"],
)
def test_what_is_not_numbers_is_refused_by_its_dtype(tmp_path, descr):
    (tmp_path / "a.npy").write_bytes(header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (2,)}}"))
    done = run("eval", "a", "-i", "a=a.npy", cwd=tmp_path, code=DTYPE)
    assert done.stderr.startswith("DTypeError: a.npy has dtype ")


def test_more_than_32_axes_are_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 33}}}"))
    assert "more than 32 axes" in run("eval", "a", "-i", "a=a.npy", cwd=tmp_path, code=SHAPE).stderr


def test_random_damage_to_a_file_is_an_array_or_a_message(tmp_path):
    rng = np.random.default_rng(3)
    good = header(GOOD, b"\0" * 16)
    codes = set()
    for _ in range(60):
        damaged = bytearray(good)
        for at in rng.integers(6, len(GOOD) + 10, rng.integers(1, 4)):
            damaged[at] = rng.integers(0, 256)
        (tmp_path / "a.npy").write_bytes(damaged)
        done = subprocess.run([PROGRAM, "eval", "a", "-i", "a=a.npy"], cwd=tmp_path, capture_output=True)
        codes.add(done.returncode)
    assert codes <= {0, FILE, DTYPE, SHAPE} and FILE in codes


@pytest.mark.parametrize("path", ["missing.npy", ".", "/dev/zero", "a.npy/b", ""])
def test_files_that_cannot_be_mapped_are_named(folder, path):
    done = run("eval", "a", "-i", f"a={path}", cwd=folder, code=FILE)
    assert done.stderr.startswith(f"FileError: {path} ")


def test_a_pipe_is_refused_without_waiting(folder):
    os.mkfifo(folder / "pipe")
    assert "not a regular file" in run("eval", "a", "-i", "a=pipe", cwd=folder, code=FILE).stderr


# ---- files larger than memory ---------------------------------------------------------------------------------------

SPARSE_BYTES = 1 << 30
ALLOWED_BYTES = 64 << 20


def limit_memory():
    """Of its own, as malloc gives it: mapped files do not count."""
    resource.setrlimit(resource.RLIMIT_DATA, (ALLOWED_BYTES, ALLOWED_BYTES))


def sparse(path: Path, n_bytes: int) -> None:
    array = np.lib.format.open_memmap(path, "w+", "float64", (n_bytes // 8,))
    array[:2] = 3, 4
    array[-1] = 5
    array.flush()


def test_files_larger_than_memory_are_reduced(tmp_path):
    sparse(tmp_path / "a.npy", SPARSE_BYTES)
    done = run("eval", "sum(a*a)", "-i", "a=a.npy", "--threads", 1, cwd=tmp_path, preexec_fn=limit_memory)
    assert done.stdout == "50.0\n"


def test_files_larger_than_memory_are_written(tmp_path):
    n = 4 * ALLOWED_BYTES
    sparse(tmp_path / "a.npy", n)
    arguments = ("eval", "2*a + 1", "-i", "a=a.npy", "--threads", 1)
    run(*arguments, "-o", "d.npy", cwd=tmp_path, preexec_fn=limit_memory)
    got = np.load(tmp_path / "d.npy", mmap_mode="r")
    assert got.shape == (n // 8,) and got[0] == 7 and got[1] == 9 and got[-1] == 11 and got[12345] == 1
    del got
    (tmp_path / "d.npy").unlink()
    # The limit does hold: the same value does not fit into memory.
    done = run(*arguments, cwd=tmp_path, preexec_fn=limit_memory, code=MEMORY)
    assert "give -o FILE.npy" in done.stderr


def test_files_larger_than_memory_are_changed_in_a_copy(tmp_path):
    sparse(tmp_path / "a.npy", 4 * ALLOWED_BYTES)
    arguments = ("eval", "a[...] = 7", "-i", "a=a.npy", "--threads", 1)
    run(*arguments, "-o", "d.npy", cwd=tmp_path, preexec_fn=limit_memory)
    run(*arguments, "--in-place", cwd=tmp_path, preexec_fn=limit_memory)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "d.npy").read_bytes()


PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)  # KiB
"""


@pytest.mark.parametrize(
    "arguments", (("2*a + 1", "-o", "d.npy"), ("sum(sqrt(a))",), ("a[...] = 2*a + 1", "--in-place"))
)
@pytest.mark.parametrize("threads", (1, 4))
def test_pages_of_files_are_let_go_as_the_work_goes_on(tmp_path, arguments, threads):
    sparse(tmp_path / "a.npy", SPARSE_BYTES // 2)
    words = [PROGRAM, "eval", *arguments, "-i", "a=a.npy", "--threads", threads]
    # By way of a small process, whose own memory at the time of the fork counts as its child's.
    done = subprocess.run(
        [sys.executable, "-S", "-c", PEAK, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr) << 10 < 256 << 20
    if len(arguments) > 1:
        got = np.load(tmp_path / ("d.npy" if "-o" in arguments else "a.npy"), mmap_mode="r")
        assert got[0] == 7 and got[1] == 9 and got[-1] == 11 and (got[2:-1] == 1).all()


def test_progress_is_shown_on_standard_error_alone(tmp_path):
    sparse(tmp_path / "a.npy", 64 << 20)
    words = [PROGRAM, "eval", "sum(sqrt(a))", "-i", "a=a.npy", "--progress", "--threads", "1"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "5.9681187850686666\n"
    shown = [int(word) for word in done.stderr.replace("%", "").split()]
    assert len(shown) > 3 and shown == sorted(set(shown)) and shown[-1] == 100
    assert done.stderr.endswith("%\n     \n")  # which text=True makes of carriage returns


# ---- outputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression, code",
    [
        ("a +", PARSE),
        ("a + q", UNKNOWN),
        ("m + t", SHAPE),
        ("m & 1", DTYPE),
        ("int64(a)**int64(a-2)", RANGE),
        ("2**100", LIMIT),
    ],
)
def test_an_error_leaves_an_existing_output_untouched(folder, expression, code):
    (folder / "d.npy").write_bytes(b"precious")
    inputs = [f"-i{name}={name}.npy" for name in "abmt"]
    run("eval", expression, *inputs, "-o", "d.npy", cwd=folder, code=code)
    assert (folder / "d.npy").read_bytes() == b"precious"
    assert not left_over(folder)


def test_an_output_replaces_what_was_there_and_keeps_its_permissions(folder):
    (folder / "d.npy").write_bytes(b"x" * 10_000)
    (folder / "d.npy").chmod(0o640)
    (folder / "link.npy").symlink_to("d.npy")
    run("eval", "a+1", "-i", "a=a.npy", "-o", "link.npy", cwd=folder)
    assert (folder / "link.npy").is_symlink()
    assert (folder / "d.npy").stat().st_mode & 0o777 == 0o640
    np.testing.assert_array_equal(np.load(folder / "d.npy"), [1, 2, 3])


def test_a_new_output_has_the_permissions_that_umask_leaves(folder):
    run("eval", "a", "-i", "a=a.npy", "-o", "d.npy", cwd=folder, umask=0o027)
    assert (folder / "d.npy").stat().st_mode & 0o777 == 0o640


def test_an_output_may_be_its_own_input(folder):
    run("eval", "a[::-1]*2", "-i", "a=a.npy", "-o", "a.npy", cwd=folder)
    np.testing.assert_array_equal(np.load(folder / "a.npy"), [4, 2, 0])


@pytest.mark.parametrize("path", ["pipe", ".", "missing/d.npy", "d.npy/", "/proc/d.npy"])
def test_outputs_that_cannot_be_are_refused(folder, path):
    os.mkfifo(folder / "pipe")
    assert run("eval", "a", "-i", "a=a.npy", "-o", path, cwd=folder, code=FILE).stderr.startswith("FileError: ")
    assert (folder / "pipe").is_fifo() and not left_over(folder)


def test_a_limit_on_file_sizes_is_an_error_that_leaves_nothing(folder):
    np.save(folder / "large.npy", np.zeros(1 << 16))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    done = run("eval", "large+1", "-i", "large=large.npy", "-o", "d.npy", cwd=folder, preexec_fn=limit, code=FILE)
    assert "d.npy cannot be written" in done.stderr
    assert not (folder / "d.npy").exists() and not left_over(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_an_existing_output_untouched_and_nothing_beside_it(folder, number):
    sparse(folder / "large.npy", 1 << 28)
    (folder / "d.npy").write_bytes(b"precious")
    # Terms that differ: equal ones are computed once, and then all is done before a busy machine has sent the signal.
    expression = "+".join(f"sin(exp(large + {k}))**2" for k in range(40))
    process = subprocess.Popen(
        [PROGRAM, "eval", expression, "-ilarge=large.npy", "-o", "d.npy", "--threads", "1"], cwd=folder
    )
    for _ in range(1000):
        if left_over(folder):
            break
        time.sleep(0.01)
    assert left_over(folder)
    process.send_signal(number)
    assert process.wait(timeout=20) == -number
    assert (folder / "d.npy").read_bytes() == b"precious"
    assert not left_over(folder)


# ---- assignment in place --------------------------------------------------------------------------------------------

STENCIL = "b[1:-1] = (a[:-2] + a[2:]) / 2"


def test_assignment_needs_a_word_about_where_it_goes(folder):
    before = (folder / "b.npy").read_bytes()
    done = run("eval", STENCIL, "-ia=a.npy", "-ib=b.npy", cwd=folder, code=USAGE)
    assert "writes into 'b'" in done.stderr and "--in-place" in done.stderr
    assert (folder / "b.npy").read_bytes() == before


def test_assignment_with_an_output_changes_a_copy(folder):
    before = (folder / "b.npy").read_bytes()
    done = run("eval", STENCIL, "-ia=a.npy", "-ib=b.npy", "-o", "d.npy", "--json", cwd=folder)
    np.testing.assert_array_equal(np.load(folder / "d.npy"), [10, 1, 10])
    assert (folder / "b.npy").read_bytes() == before
    assert json.loads(done.stdout)["result"] == {"dtype": "float64", "shape": [3], "file": "d.npy"}


def test_assignment_in_place_changes_the_file(folder):
    run("eval", STENCIL, "-ia=a.npy", "-ib=b.npy", "--in-place", cwd=folder)
    np.testing.assert_array_equal(np.load(folder / "b.npy"), [10, 1, 10])
    np.testing.assert_array_equal(np.load(folder / "a.npy"), [0, 1, 2])


def test_a_copy_keeps_the_byte_order_and_the_order_of_its_file(tmp_path):
    b = np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3))
    np.save(tmp_path / "b.npy", b)
    run("eval", "b += 1", "-ib=b.npy", "-o", "d.npy", cwd=tmp_path)
    got = np.load(tmp_path / "d.npy")
    assert got.dtype == b.dtype and got.flags.f_contiguous
    np.testing.assert_array_equal(got, b + 1)


def test_a_program_may_assign_and_still_have_another_value(folder):
    arguments = ("eval", "b[0] = 5; sum(b)", "-ib=b.npy")
    before = (folder / "b.npy").read_bytes()
    run(*arguments, "-o", "d.npy", cwd=folder)
    assert np.load(folder / "d.npy") == 25 and (folder / "b.npy").read_bytes() == before
    assert run(*arguments, "--in-place", cwd=folder).stdout == "25.0\n"
    np.testing.assert_array_equal(np.load(folder / "b.npy"), [5, 10, 10])


def test_an_output_has_no_use_where_the_file_itself_is_changed(folder):
    run("eval", "b += 1", "-ib=b.npy", "--in-place", "-o", "d.npy", cwd=folder, code=USAGE)
    assert not (folder / "d.npy").exists() and not left_over(folder)
    np.testing.assert_array_equal(np.load(folder / "b.npy"), [10, 10, 10])


@pytest.mark.parametrize("how", [("--in-place",), ("-o", "d.npy")])
@pytest.mark.parametrize("other", ["a.npy", "./a.npy", "link.npy", "hard.npy"])
def test_one_file_under_two_names_overlaps_itself(tmp_path, how, other):
    """Two mappings of one file would hide that what is written is still to be read."""
    a = np.arange(100_000.0)
    np.save(tmp_path / "a.npy", a)
    (tmp_path / "link.npy").symlink_to("a.npy")
    os.link(tmp_path / "a.npy", tmp_path / "hard.npy")
    for names in ("-ib=a.npy", f"-ia={other}"), (f"-ia={other}", "-ib=a.npy"):
        np.save(tmp_path / "fresh.npy", a)
        (tmp_path / "a.npy").write_bytes((tmp_path / "fresh.npy").read_bytes())
        run("eval", "b[1:] = a[:-1]", *names, *how, cwd=tmp_path)
        got = np.load(tmp_path / ("a.npy" if how[0] == "--in-place" else "d.npy"))
        np.testing.assert_array_equal(got, np.concatenate([a[:1], a[:-1]]))


def test_a_file_that_may_not_be_written_is_not_changed_in_place(folder):
    if os.geteuid() == 0:
        folder.joinpath("b.npy").unlink()
        folder.joinpath("b.npy").mkdir()  # root may write everything else
    else:
        (folder / "b.npy").chmod(0o400)
    run("eval", "b += 1", "-ib=b.npy", "--in-place", cwd=folder, code=FILE)


def test_casting_forbids_and_allows_what_numpy_does(tmp_path):
    np.save(tmp_path / "n.npy", np.arange(3))
    run("eval", "n[...] = 1.5", "-in=n.npy", "--in-place", cwd=tmp_path, code=DTYPE)
    np.testing.assert_array_equal(np.load(tmp_path / "n.npy"), [0, 1, 2])
    run("eval", "n[...] = 1.5", "-in=n.npy", "--in-place", "--casting", "unsafe", cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "n.npy"), [1, 1, 1])


# ---- printed values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scalar",
    "0 -0 3 -3 007 0x1f -0X1F 0b101 0o17 1_000 18446744073709551615 -9223372036854775808 2.5 -2.5e-3 1e400 1e-400 "
    ".5 5. +4 inf -inf infinity True False 2j 1+2j -1.5e-3-2e+4j infj".split(),
)
def test_scalars_are_those_of_python(scalar):
    expected = {"007": 7, "infinity": float("inf"), "infj": complex(0, float("inf"))}.get(scalar)
    if expected is None:
        expected = float(scalar) if scalar.strip("+-") == "inf" else eval(scalar)
    got = value("x", "-s", f"x={scalar}")
    number = engine.evaluate("x", {"x": expected})
    if isinstance(expected, complex):
        parts = [float(part) if isinstance(part, str) else part for part in got]
        assert complex(*parts) == expected
    else:
        assert type(got) is type(expected) or isinstance(got, str)
        assert float(got) == expected if isinstance(got, str) else got == expected
    printed = run("eval", "x", "-s", f"x={scalar}").stdout.strip()
    assert printed == repr(number.item())


@pytest.mark.parametrize(
    "scalar", ["", "x", "1__0", "_1", "1_", "0x", "1e", "--1", "+-1", "1+2", "j", "nan(0)", "1 2", "١", "1+2jj", "true"]
)
def test_what_is_no_number_is_refused(scalar):
    assert "no number" in run("eval", "x", "-s", f"x={scalar}", code=USAGE).stderr


@pytest.mark.parametrize("scalar", ["18446744073709551616", "-9223372036854775809", "1" * 100])
def test_integers_beyond_64_bits_are_refused(scalar):
    assert "beyond 64 bits" in run("eval", "x", "-s", f"x={scalar}", code=LIMIT).stderr


def test_scalars_yield_to_the_dtype_of_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2, np.float32))
    result = json.loads(run("eval", "a*x + n", "-ia=a.npy", "-sx=0.1", "-sn=2", "--json", cwd=tmp_path).stdout)[
        "result"
    ]
    assert result["dtype"] == "float32" and result["data"] == (np.ones(2, np.float32) * 0.1 + 2).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_printed_elements_are_those_of_python(tmp_path, dtype):
    a = samples(dtype, (40,))
    if a.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            extremes = [
                0,
                -0.0,
                1,
                1e16,
                1e15,
                1e-4,
                1e-5,
                1e23,
                np.inf,
                -np.inf,
                np.nan,
                np.finfo(dtype).max,
                np.finfo(dtype).tiny,
            ]
            a = np.concatenate([a, np.array(extremes).astype(dtype), [np.finfo(dtype).smallest_subnormal]]).astype(
                dtype
            )
    np.save(tmp_path / "a.npy", a)
    printed = run("eval", "a", "-ia=a.npy", cwd=tmp_path).stdout.strip()
    assert printed.startswith("[") and printed.endswith("]")
    elements = printed[1:-1].split(", ")
    for text, number in zip(elements, a, strict=True):
        if a.dtype.kind in "bui":
            assert text == repr(number.item())
        else:
            read = np.dtype(dtype).type(complex(text) if a.dtype.kind == "c" else float(text))
            assert read == number or (np.isnan(read) and np.isnan(number)), (text, number)
            assert np.signbit(read.real) == np.signbit(number.real) or np.isnan(number)
        if dtype == "float64":
            assert text == repr(number.item())
        if dtype in ("float16", "float32") and np.isfinite(number):  # the fewest digits
            digits = np.format_float_scientific(number, unique=True, trim="-")
            assert float(text) == float(digits), (text, digits)
    back = value("a", "-ia=a.npy", cwd=tmp_path)
    if a.dtype.kind == "c":
        back = [complex(float(re), float(im)) for re, im in back]
    np.testing.assert_array_equal(np.array(back, dtype), a)


def test_arrays_are_nested_as_python_nests_lists(tmp_path):
    a = np.arange(12).reshape(2, 3, 2)
    np.save(tmp_path / "a.npy", a)
    printed = run("eval", "a", "-ia=a.npy", "--order", "F", cwd=tmp_path).stdout
    assert eval(printed) == a.tolist()
    assert printed.splitlines()[0] == "[[[0, 1]," and printed.splitlines()[1] == "  [2, 3],"
    np.save(tmp_path / "e.npy", np.zeros((2, 0)))
    assert run("eval", "e", "-ie=e.npy", cwd=tmp_path).stdout == "[[],\n []]\n"


def test_long_arrays_are_cut_short_when_printed(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(1_000_000).reshape(1000, 1000))
    printed = run("eval", "a", "-ia=a.npy", cwd=tmp_path).stdout
    assert printed.startswith("[[0, 1, 2, ..., 997, 998, 999],\n [1000, ") and printed.endswith(
        "999997, 999998, 999999]]\n"
    )
    assert len(printed) < 400
    assert "give -o" in run("eval", "a", "-ia=a.npy", "--json", cwd=tmp_path, code=USAGE).stderr


# ---- JSON -----------------------------------------------------------------------------------------------------------


def test_json_tells_what_was_computed_and_how(folder):
    done = run("--json", "eval", "2*a + b", "-ia=a.npy", "-ib=b.npy", "--threads", 1, cwd=folder)
    told = json.loads(done.stdout)
    assert told["result"] == {"dtype": "float64", "shape": [3], "data": [10, 12, 14]}
    assert told["run"]["threads"] == 1 and told["run"]["kernels"] == 1 and told["run"]["operations"] == 6
    assert told["run"]["bytes_read"] == 48 and told["run"]["bytes_written"] == 24
    assert set(told["run"]["stages"]) == {"parse", "build", "optimise", "plan", "code"}


def test_errors_in_json_are_objects(folder):
    done = run("eval", "2*m + t", "-im=m.npy", "-it=t.npy", "--json", cwd=folder, code=SHAPE)
    error = json.loads(done.stderr)["error"]
    assert not done.stdout
    assert error["class"] == "ShapeError" and error["exit_code"] == SHAPE and error["expression"] == "2*m + t"
    assert error["spans"] == [
        {"begin": 0, "end": 3, "label": "shape (3, 4)"},
        {"begin": 6, "end": 7, "label": "shape (4, 3)"},
    ]
    assert json.loads(run("eval", "--json", code=USAGE).stderr)["error"]["class"] == "UsageError"
    assert json.loads(run("eval", "--json", "--no-such-flag", code=USAGE).stderr)["error"]["exit_code"] == USAGE
    assert json.loads(run("eval", "--json", "a", "-ia=missing.npy", code=FILE).stderr)["error"]["class"] == "FileError"


def test_json_is_utf8_whatever_the_expression_is(folder):
    done = subprocess.run([PROGRAM, "--json", "eval", b"a + \xff\xfe"], capture_output=True)
    assert done.returncode == PARSE
    json.loads(done.stderr.decode("utf-8"))


# ---- errors, usage, colour ------------------------------------------------------------------------------------------


def test_errors_show_the_caret_as_python_shows_it(folder):
    done = run("eval", "2*m + t", "-im=m.npy", "-it=t.npy", cwd=folder, code=SHAPE)
    with pytest.raises(engine.ShapeError) as caught:
        engine.evaluate("2*m + t", {"m": np.ones((3, 4)), "t": np.ones((4, 3))})
    assert done.stderr == f"ShapeError: {caught.value}\n"
    assert not done.stdout


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("eval", "a +"), PARSE),
        (("eval", "cosine(1.0)"), UNKNOWN),
        (("eval", "a"), UNKNOWN),
        (("eval", "1.5 & 1"), DTYPE),
        (("eval", "sum(m, axis=5)", "-im=m.npy"), SHAPE),
        (("eval", "1/0"), RANGE),
        (("eval", "(" * 1000 + "1" + ")" * 1000), LIMIT),
        (("eval", "1", "--backend", "cuda"), BACKEND),
        (("eval", "1", "-i", "a"), USAGE),
        (("eval", "1", "-i", "=a.npy"), USAGE),
        (("eval", "1", "-i", "a=a.npy", "-i", "a=b.npy"), USAGE),
        (("eval", "1", "-i", "a=a.npy", "-s", "a=3"), USAGE),
        (("eval",), USAGE),
        (("eval", "1", "2"), USAGE),
        (("eval", "1", "--threads", "0"), USAGE),
        (("eval", "1", "--threads", "many"), USAGE),
        (("eval", "1", "--order", "Z"), USAGE),
        (("eval", "1", "--casting", "wild"), USAGE),
        (("frobnicate",), USAGE),
        ((), USAGE),
        (("explain", "a + 1"), UNKNOWN),
        (("functions", "cosine"), UNKNOWN),
        (("functions", "no such"), UNKNOWN),
        (("doctor", "x"), USAGE),
        (("eval", "-f", "missing.txt"), FILE),
    ],
)
def test_exit_codes(folder, arguments, code):
    run(*arguments, cwd=folder, code=code)


def test_every_error_class_has_an_exit_code_in_the_help():
    text = run("--help").stdout
    for number, kind in enumerate(
        "Parse Unknown DType Shape Range Limit Backend OutOfMemory Internal".split(), start=PARSE
    ):
        assert f"{number} {kind}" in text
    assert "eval" in text and "--json" in text
    assert "exit codes" in run("eval", "--help").stdout.lower()


def test_an_operand_that_is_missing_is_asked_for(folder):
    done = run("eval", "a + bb", "-ia=a.npy", cwd=folder, code=UNKNOWN)
    assert done.stderr.splitlines() == [
        "UnknownName: there is no operand 'bb'",
        "  | a + bb",
        "  |     ^^  not among 'a'",
        "  = help: give it by -i bb=FILE.npy or -s bb=NUMBER",
    ]


def test_names_that_are_not_used_are_not_touched(folder):
    assert run("eval", "a[0]", "-ia=a.npy", "-iunused=missing.npy", cwd=folder).stdout == "0.0\n"


def test_expressions_come_from_files_and_standard_input_too(folder):
    (folder / "program.txt").write_text("d = a - b  # a comment\nsum(d*d)\n")
    inputs = ("-ia=a.npy", "-ib=b.npy")
    assert run("eval", "-f", "program.txt", *inputs, cwd=folder).stdout == "245.0\n"
    assert run("eval", "-f", "-", *inputs, cwd=folder, stdin="sum(b)").stdout == "30.0\n"
    assert run("eval", *inputs, "--", "-a[1]", cwd=folder).stdout == "-1.0\n"


def on_a_terminal(*arguments, **environment) -> str:
    """Standard error of a run whose standard error is a terminal."""
    master, slave = pty.openpty()
    settings = {**os.environ, "TERM": "xterm", **environment}
    settings = {name: text for name, text in settings.items() if text is not None}
    process = subprocess.Popen([PROGRAM, *arguments], stderr=slave, stdout=subprocess.DEVNULL, env=settings)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        text += piece
    os.close(master)
    process.wait()
    return text.decode().replace("\r\n", "\n")


def test_errors_are_coloured_on_a_terminal_alone():
    plain = run("eval", "2 * (3 + ^", code=PARSE).stderr
    assert "\x1b" not in plain
    coloured = on_a_terminal("eval", "2 * (3 + ^", NO_COLOR=None)
    assert "\x1b[1;31mParseError:\x1b[0m" in coloured
    lines = coloured.splitlines()
    assert lines[1] == "  | 2 * (3 + ^"  # the expression is never taken for a caret
    assert lines[2].startswith("  |          \x1b[1;31m^")
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[36m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain
    assert on_a_terminal("eval", "2 * (3 + ^", NO_COLOR="1") == plain
    assert "\x1b" in on_a_terminal("eval", "2 * (3 + ^", NO_COLOR="")  # no-color.org: when not an empty string
    assert on_a_terminal("eval", "2 * (3 + ^", NO_COLOR=None, TERM="dumb") == plain
    assert "\x1b" not in on_a_terminal("--json", "eval", "2 *", NO_COLOR=None)


# ---- explain, functions, doctor -------------------------------------------------------------------------------------


def test_explain_says_what_python_says(folder):
    told = run("explain", "2*a + b", "-ia=a.npy", "-ib=b.npy", cwd=folder).stdout
    arrays = {name: np.load(folder / f"{name}.npy") for name in "ab"}
    assert told == str(engine.explain("2*a + b", arrays))
    data = json.loads(run("explain", "2*a + b", "-ia=a.npy", "-ib=b.npy", "--json", cwd=folder).stdout)
    expected = engine.explain("2*a + b", arrays).to_dict()
    assert (
        data.keys() == expected.keys()
        and data["kernels"] == expected["kernels"]
        and data["totals"] == expected["totals"]
    )


def test_explain_writes_nothing(folder):
    before = (folder / "b.npy").read_bytes()
    run("explain", "b += 1", "-ib=b.npy", cwd=folder)
    assert (folder / "b.npy").read_bytes() == before


def test_functions_are_those_of_the_catalog():
    rows = json.loads(run("functions", "--json").stdout)
    assert {row["name"] for row in rows} == {function.name for function in engine.functions}
    listing = run("functions").stdout
    for row in rows:
        assert row["sentence"] in listing
    one = json.loads(run("functions", "hypot", "--json").stdout)
    assert one["arguments"] == "x, y" and one["kind"] == "elementwise"
    assert one in rows
    told = run("functions", "hypot").stdout
    assert told.startswith("hypot(x, y)\n") and one["sentence"] in told


def test_an_unknown_function_is_answered_with_the_nearest():
    assert "did you mean 'hypot'" in run("functions", "hypott", code=UNKNOWN).stderr


def test_doctor_says_what_python_says():
    ours, theirs = json.loads(run("doctor", "--json").stdout), engine.doctor().to_dict()
    for key in (
        "version",
        "compiler",
        "instruction_set",
        "fused_multiply_add",
        "platform",
        "cpu",
        "caches",
        "threads",
        "backends",
    ):
        assert ours[key] == theirs[key], key
    assert ours["cpus"]["affinity"] == theirs["cpus"]["affinity"]
    told = run("doctor", env={**os.environ, "ENGINE_NUM_THREADS": "3"}).stdout
    assert "threads" in told and "ENGINE_NUM_THREADS=3" in told


def test_version_is_the_librarys():
    assert run("--version").stdout.strip() == f"engine {engine.__version__}"


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "functions"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == FILE and "standard output" in done.stderr


def test_threads_do_not_change_the_value(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=300_001))
    results = {run("eval", "sum(a*a)", "-ia=a.npy", "--threads", n, cwd=tmp_path).stdout for n in (1, 2, 7)}
    assert len(results) == 1


# ---- cache ----------------------------------------------------------------------------------------------------------


def test_kernels_on_disk_are_listed_and_removed(tmp_path):
    folder = tmp_path / "kernels"
    env = {
        **os.environ,
        "ENGINE_CUDA_DRIVER": str(nvrtc.STANDIN),
        "ENGINE_NVRTC": nvrtc.library()._name,  # the wheel's, which only Python finds by itself
        "ENGINE_CACHE_DIR": str(folder),
    }
    assert run("cache", "path", env=env).stdout == f"{folder}\n"
    assert run("cache", "list", env=env).stdout == f"0 kernels, 0 bytes in {folder}\n"
    np.save(tmp_path / "a.npy", np.arange(3.0))
    for text in ("a + 1", "a * 2"):
        run("eval", text, "-i", f"a={tmp_path / 'a.npy'}", "--backend", "cuda", env=env)
    listed = json.loads(run("cache", "list", "--json", env=env).stdout)
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert {row["name"]: row["bytes"] for row in listed["kernels"]} == sizes and len(sizes) == 2
    assert listed["bytes"] == sum(sizes.values()) and listed["folder"] == str(folder) and listed["reason"] == ""
    assert all("NVRTC" in row["made_by"] and abs(row["used"] - time.time()) < 300 for row in listed["kernels"])
    next(folder.iterdir()).write_text("damaged")
    *rows, last = run("cache", "list", env=env).stdout.splitlines()
    assert len(rows) == 2 and sum("damaged" in row for row in rows) == 1 and last.startswith("2 kernels, ")
    assert json.loads(run("cache", "clear", "--json", env=env).stdout) == {"removed": 2}
    assert run("cache", "clear", env=env).stdout == "removed 0 kernels\n" and not any(folder.iterdir())
    folder.chmod(0o755)
    assert "not used: others may use it" in run("cache", "list", env=env).stdout
    run("cache", code=USAGE)


def test_stencils_make_their_steps_from_files_into_files(folder):
    u = np.random.default_rng(5).random((20, 30))
    np.save(folder / "u.npy", u)
    text = "u += k*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1] - 4*u)"
    run(
        "stencil",
        text,
        "-i",
        "u=u.npy",
        "-s",
        "k=0.1",
        "--boundary",
        "wrap,reflect:nearest",
        "--steps",
        7,
        "-o",
        "n.npy",
        cwd=folder,
    )
    wanted = engine.stencil(text, u=u, k=0.1, boundary=["wrap", ("reflect", "nearest")], steps=7)
    assert np.array_equal(np.load(folder / "n.npy"), wanted)
    both = (
        "u = u[1,0] + v; v = u[0,1]",
        "-i",
        "u=u.npy",
        "-i",
        "v=u.npy",
        "--boundary",
        "u=wrap",
        "--boundary",
        "constant",
    )
    run("stencil", *both, "--cval", 2, "-o", "u=x.npy", "-o", "v=y.npy", cwd=folder)
    wanted = engine.stencil(both[0], u=u, v=u, boundary={"u": "wrap", None: "constant"}, cval=2)
    assert np.array_equal(np.load(folder / "x.npy"), wanted["u"]) and np.array_equal(
        np.load(folder / "y.npy"), wanted["v"]
    )


def test_stencils_say_how_many_steps_they_made(folder):
    ends = ("--steps", 900, "--until", "max(abs(a - a_old)) < 1e-6", "--every", 25)
    done = json.loads(
        run("--json", "stencil", "0.5*a + 0.25*(a[-1] + a[1])", "-i", "a=a.npy", *ends, cwd=folder).stdout
    )
    assert 0 < done["steps"] < 900 and done["steps"] % 25 == 0
    assert np.allclose(done["results"]["a"]["data"], 1.0, atol=1e-4)


def test_pictures_are_arrays(folder):
    grey = np.random.default_rng(6).integers(0, 256, (7, 9)).astype(np.uint8)
    (folder / "g.pgm").write_bytes(b"P5\n# of a test\n9 7\n255\n" + grey.tobytes())
    run("stencil", "maximum(g[-1,0], g[1,0])", "-i", "g=g.pgm", "--boundary", "nearest", "-o", "m.pgm", cwd=folder)
    padded = np.pad(grey, ((1, 1), (0, 0)), "edge")
    assert (folder / "m.pgm").read_bytes() == b"P5\n9 7\n255\n" + np.maximum(padded[:-2], padded[2:]).tobytes()
    deep = (grey.astype(np.uint16) * 200).astype(">u2")
    (folder / "d.pgm").write_bytes(b"P5 9 7 65535\n" + deep.tobytes())
    assert np.array_equal(value("d", "-i", "d=d.pgm", cwd=folder), deep)
    run(
        "eval",
        "uint8(clip(x[:, :, None]*index(2), 0, 255))*(c >= 0)",
        "-i",
        "x=g.pgm",
        "-i",
        "c=c.npy",
        "-o",
        "c.ppm",
        cwd=folder,
        code=FILE,
    )
    np.save(folder / "c.npy", np.ones((1, 1, 3), np.uint8))
    run("eval", "x[:, :, None]*c", "-i", "x=g.pgm", "-i", "c=c.npy", "-o", "c.ppm", cwd=folder)
    assert (folder / "c.ppm").read_bytes() == b"P6\n9 7\n255\n" + np.repeat(grey[:, :, None], 3, 2).tobytes()


@pytest.mark.parametrize(("mode", "channels"), [("L", ()), ("LA", (2,)), ("RGB", (3,)), ("RGBA", (4,))])
def test_png_pictures_are_arrays(folder, mode, channels):
    pixels = np.random.default_rng(7).integers(0, 256, (7, 9, *channels)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "p.png")
    assert np.array_equal(value("p", "-i", "p=p.png", cwd=folder), pixels)
    run("eval", "(255 - p).T.T[::-1] + 0*q", "-i", "p=p.png", "-i", "q=p.png", "-o", "n.png", cwd=folder)
    with Image.open(folder / "n.png") as made:
        assert made.mode == mode and np.array_equal(np.asarray(made), (255 - pixels)[::-1])
    run("stencil", "maximum(p[-1,0], p[1,0])" if not channels else "maximum(p[-1,0,0], p[1,0,0])", "-i", "p=p.png",
        "--boundary", "nearest", "-o", "m.png", cwd=folder)  # fmt: skip
    padded = np.pad(pixels, ((1, 1), (0, 0)) + ((0, 0),) * len(channels), "edge")
    with Image.open(folder / "m.png") as made:
        assert np.array_equal(np.asarray(made), np.maximum(padded[:-2], padded[2:]))


def test_png_pictures_of_colour_tables_and_of_truths(folder):
    colours = np.random.default_rng(8).integers(0, 256, (7, 9, 3)).astype(np.uint8)
    table = Image.fromarray(colours).quantize(5)
    table.save(folder / "t.png")
    assert np.array_equal(value("t", "-i", "t=t.png", cwd=folder), np.asarray(table.convert("RGB")))
    run("eval", "t[:, :, 0] > 99", "-i", "t=t.png", "-o", "b.png", cwd=folder)
    with Image.open(folder / "b.png") as made:
        assert np.array_equal(np.asarray(made) == 255, np.asarray(table.convert("RGB"))[:, :, 0] > 99)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("p + 1", "-i", "p=bad.png"), FILE),
        (("p + 1", "-i", "p=cut.png"), FILE),
        (("p + 1", "-i", "p=deep.png"), FILE),
        (("a*2", "-i", "a=a.npy", "-o", "a.png"), FILE),
        (("uint8(a)[:0, None]", "-i", "a=a.npy", "-o", "a.png"), FILE),
        (("p[0] = 1", "-i", "p=p.png", "--in-place"), USAGE),
        (("p[0] = 1", "-i", "p=p.png", "-o", "q.png"), USAGE),
        (("a[0] = 1", "-i", "a=a.npy", "-o", "a.pgm"), USAGE),
    ],
)
def test_bad_png_pictures_are_refused(folder, words, code):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(folder / "p.png")
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(folder / "deep.png")
    whole = (folder / "p.png").read_bytes()
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    before = sorted(folder.iterdir())
    assert run("eval", *words, cwd=folder, code=code).stderr
    assert sorted(folder.iterdir()) == before and (folder / "p.png").read_bytes() == whole


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("u[1]", "-i", "u=a.npy", "--boundary", "warp"), USAGE),
        (("u[1]", "-i", "u=a.npy", "--steps", "-1"), USAGE),
        (("u[1]", "-i", "u=a.npy", "--steps", "2", "-o", "v=v.npy"), USAGE),
        (("u[1", "-i", "u=a.npy"), PARSE),
        (("u[1, 0]", "-i", "u=a.npy"), SHAPE),
        (("u[1]", "-i", "u=bad.pgm"), FILE),
        (("u[1]", "-i", "u=cut.pgm"), FILE),
        (("u[1]", "-i", "u=a.npy", "-o", "u.pgm"), FILE),
    ],
)
def test_bad_stencils_and_pictures_are_refused(folder, words, code):
    (folder / "bad.pgm").write_bytes(b"P5 x")
    (folder / "cut.pgm").write_bytes(b"P5 9 9 255\n123")
    before = sorted(folder.iterdir())
    run("stencil", *words, cwd=folder, code=code)
    assert sorted(folder.iterdir()) == before
