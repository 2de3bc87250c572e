"""engine-bench, the benchmark program: what it prints and writes, and how it fails."""

import csv
import json
import os
import re
import subprocess

import numpy as np
import pytest

from tests.bench import browser
from tests.hosts import HOSTS
from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.nvrtc import ROOT, STANDIN

PROGRAMS = ROOT / "build/dev/bindings/cli"


def run(*words, program="engine-bench", status=0, **environment):
    done = subprocess.run(
        [PROGRAMS / program, *words],
        env={**os.environ, "ENGINE_CUDA_DRIVER": "none", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


QUICK = ("--sizes", "1e3,5e3", "--min-time", "0.005", "--noise", "10")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    words = [f"--{kind}={folder / kind}" for kind in ("json", "csv", "html")]
    printed = run("copy", "seed", "sum", *QUICK, "--dtypes", "float64,int32", *words)
    return printed, {kind: (folder / kind).read_text() for kind in ("json", "csv", "html")}


def test_every_case_is_measured_at_every_size_and_dtype(files):
    benchmarks = json.loads(files[1]["json"])["benchmarks"]
    expected = {
        f"{case}/{dtype}/{n}/{host}"
        for case in ("copy", "seed", "sum")
        for dtype in ("float64", "int32")
        for n in (1000, 5000)
        for host in HOSTS
    }
    assert {entry["name"] for entry in benchmarks} == expected
    seed = next(entry for entry in benchmarks if entry["name"] == "seed/float64/5000/interp")
    assert seed["bytes"] == 32 * 5000 and seed["operations"] == 7 * 5000
    assert seed["real_time"] >= seed["least_time"] > 0 and seed["time_unit"] == "ns"
    assert seed["bytes_per_second"] == pytest.approx(seed["bytes"] / seed["real_time"] * 1e9)


def test_the_table_and_the_csv_say_the_same(files):
    rows = list(csv.DictReader(files[1]["csv"].splitlines()))
    lines = [line.split() for line in files[0].splitlines()[2:]]
    assert [(row["case"], row["dtype"], row["n"], row["backend"]) for row in rows] == [
        tuple(line[:4]) for line in lines
    ]


def test_the_page_needs_nothing_from_elsewhere(files):
    html = files[1]["html"]
    assert html.count("<svg") == 2 * len(HOSTS) and html.count("<tr>") == 1 + 12 * len(HOSTS)
    assert not re.search(r"<script|https?://|<link|<img", html)


def test_the_page_shows_its_pictures_in_a_browser(tmp_path, files):
    page = tmp_path / "page.html"
    page.write_text(files[1]["html"])
    assert browser.complaints(page) == [] and browser.complaints(page, width=700) == []
    picture = browser.picture(page)
    assert picture.shape == (2000, 1100, 3) and (picture[:400] != 255).any(axis=2).mean() > 0.01
    colours = {match for match in re.findall(r'fill="#(\w{6})"', files[1]["html"])}
    assert len(colours) == 6  # a series each of three cases of two dtypes
    for colour in colours:
        there = (picture == np.frombuffer(bytes.fromhex(colour), np.uint8)).all(axis=2)
        assert there.sum() > 100, colour


def test_the_page_has_room_for_all_cases(tmp_path):
    page = tmp_path / "page.html"
    run(*QUICK, "--dtypes", "float64,float32", "--html", page)
    assert browser.complaints(page) == []


def test_a_page_that_is_laid_out_badly_is_noticed(tmp_path, files):
    page = tmp_path / "page.html"
    bad = '<text x="70" y="18">over the title</text><text x="-90" y="90">cut off</text>'
    bad += '<text x="200" y="394">under a dot</text><circle cx="220" cy="390" r="4"><title>dot</title></circle></svg>'
    page.write_text(files[1]["html"].replace("</svg>", bad, 1).replace("<table>", '<table style="width:3000px">'))
    assert browser.complaints(page) == [
        "outside of its picture: cut off",
        f"on each other: Roofline, {HOSTS[0]}, over the title",
        "on each other: under a dot, dot",
        "wider than its window",
    ]


def test_a_file_of_before_gives_ratios(tmp_path, files):
    before = json.loads(files[1]["json"])
    for entry in before["benchmarks"]:
        entry["real_time"] *= 1000
    (tmp_path / "before").write_text(json.dumps(before))
    printed = run("seed", *QUICK, "--compare", tmp_path / "before")
    ratios = [float(line.split()[-1]) for line in printed.splitlines()[2:]]
    assert len(ratios) == 2 * len(HOSTS) and min(ratios) > 10


def test_on_the_stand_in_the_device_is_counted_and_not_timed(tmp_path):
    words = ("copy", "seed", "sum", *QUICK, "--backends", "cuda", "--json", "-")
    found = run(
        *words,
        ENGINE_CUDA_DRIVER=str(STANDIN),
        ENGINE_NVRTC=nvrtc.library()._name,
        ENGINE_CACHE_DIR=str(tmp_path),
    )
    found = json.loads(found)
    assert found["context"]["device_is_stand_in"] is True
    assert len(found["benchmarks"]) == 6
    for entry in found["benchmarks"]:
        assert "real_time" not in entry and "bytes_per_second" not in entry
        assert entry["launches"] == 1 and entry["sectors_per_ideal_sector"] <= 1.05


@pytest.mark.parametrize("architecture", ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"))
def test_a_prediction_says_that_it_is_one(architecture):
    words = ("copy", "seed", "exp", "stencil", "--sizes", "1e6,4e6", "--predict", architecture)
    printed = run(*words)
    assert printed.startswith(f"A PREDICTION for {architecture} (NVIDIA ") and "nothing was measured" in printed
    found = json.loads(run(*words, "--json", "-"))
    assert found["context"]["is_prediction"] is True
    rows = {entry["name"]: entry for entry in found["benchmarks"]}
    assert len(rows) == 8 and len(printed.splitlines()) == 10
    for entry in rows.values():
        assert entry["is_prediction"] is True and "real_time" not in entry
        assert 0 < entry["predicted_of_limit"] <= 1
        rate = found["context"]["device_bytes_per_second"] * entry["predicted_of_limit"]
        assert entry["predicted_time"] == pytest.approx(entry["bytes"] / rate * 1e9)
    seed = [rows[f"seed/float64/{n}/{architecture}"] for n in (1_000_000, 4_000_000)]
    assert [entry["bytes"] for entry in seed] == [32e6, 128e6]
    stencil = rows[f"stencil/float64/1000000/{architecture}"]
    assert stencil["bytes"] == 8 * (1000**2 - 2 + 998**2)  # neighbours are read once, two corners are not
    # Four times the items take four times as long, but for the launch; what computes more takes no less.
    assert seed[1]["predicted_time"] == pytest.approx(4 * seed[0]["predicted_time"] - 3 * 4000, rel=1e-6)
    for n in (1_000_000, 4_000_000):
        copy, exp = (rows[f"{case}/float64/{n}/{architecture}"]["predicted_time"] for case in ("copy", "exp"))
        assert exp > copy if architecture in ("sm_75", "sm_86", "sm_89", "sm_120") else exp >= copy


@pytest.mark.parametrize(
    "words, status, said",
    (
        (["nosuch"], 2, "there is no case 'nosuch'; see engine-bench --list"),
        (["--dtypes", "complex64"], 2, "there is no dtype 'complex64'"),
        (["--backends", "gpu"], 2, "there is no backend 'gpu'"),
        (["--backends", "cuda"], 17, 'the backend "cuda" cannot be used'),
        (["--sizes", "0"], 2, "--sizes"),
        (["--predict", "sm_91"], 17, 'there is no data sheet of "sm_91" to predict from'),
        (["--predict", "sm_90", "--backends", "jit"], 2, "--backends excludes --predict"),
        (["--compare", "/nowhere"], 1, "/nowhere cannot be read"),
        (["copy", *QUICK, "--json", "/nowhere/file"], 1, "/nowhere/file cannot be written"),
    ),
)
def test_what_cannot_be_is_said(words, status, said):
    assert said in run(*words, status=status)


def test_a_file_that_is_no_measurement_is_refused(tmp_path):
    (tmp_path / "file").write_text("{}")
    assert "is no file of engine-bench --json" in run("--compare", tmp_path / "file", status=1)


def test_the_program_engine_starts_it():
    assert run("bench", "--list", program="engine") == run("--list")
