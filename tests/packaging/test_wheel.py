"""What pip would install: a small wheel with nothing but the package, whose import leaves no trace."""

import email
import fcntl
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this tree, built in build/wheel, where a second run finds the objects of the first."""
    out = tmp_path_factory.mktemp("wheel")
    (ROOT / "build").mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with open(ROOT / "build" / "wheel.lock", "w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [*pip, "--no-build-isolation", "-C", "build-dir=build/wheel", "-w", out, ROOT]
        # By the compiler's name in the presets, under which ccache knows the objects of ./dev build.
        environment = os.environ | {"CXX": "c++"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds the unpacked wheel, as site-packages would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def run(installed, program):
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True)


def test_the_wheel_is_at_most_5_megabytes(wheel):
    assert wheel.stat().st_size <= 5_000_000


def test_the_wheel_holds_the_package_and_one_extension_module(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"engine"}
    assert len([name for name in names if name.endswith(".so")]) == 1
    assert {"engine/__init__.py", "engine/_core.pyi", "engine/py.typed"} <= set(names)
    assert not [name for name in names if name.endswith((".cpp", ".hpp", ".a", ".pyc"))]


def test_the_wheel_needs_numpy_alone(wheel):
    needs = metadata(wheel).get_all("Requires-Dist")
    assert [need for need in needs if "extra ==" not in need] == ["numpy>=2"]


def test_the_version_of_the_wheel_is_that_of_the_library(wheel, installed):
    done = run(installed, "import engine; print(engine.__version__)")
    assert done.stdout.strip() == metadata(wheel)["Version"]


def test_the_installed_package_computes(installed):
    program = """
import engine, numpy
print(engine.__file__)
print(engine.evaluate("2*a", {"a": numpy.arange(3)}))
"""
    done = run(installed, program)
    assert done.stdout.splitlines() == [str(installed / "engine" / "__init__.py"), "[0 2 4]"], done.stderr


def test_importing_prints_nothing(installed):
    done = run(installed, "import engine")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_starts_no_thread(installed):
    program = """
import os, numpy
before = os.listdir("/proc/self/task")
import engine
print(os.listdir("/proc/self/task") == before)
"""
    assert run(installed, program).stdout.strip() == "True"


def test_importing_opens_no_file_but_python_modules(installed):
    program = """
import sys, numpy
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import engine
print("\\n".join(opened))
"""
    opened = [Path(line) for line in run(installed, program).stdout.splitlines()]
    assert opened
    assert [path for path in opened if path.suffix not in (".py", ".pyc")] == []
