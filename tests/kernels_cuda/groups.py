"""Kernels of generated programs, compiled in groups: `python -m tests.kernels_cuda.groups FOLDER --programs N …`.

in: PROXY_GROUPS=FOLDER, PROXY_STUBS=1 and a stand-in as device   out: FOLDER has the PTX of each text of a kernel
A third of what a kernel takes NVRTC is the start of a compilation. So programs are run twice: here with kernels that
do nothing, to learn the texts, and by who asks for the groups with what was made of them (proxy/nvrtc.cpp). What
programs ask for besides, where what they do follows from values, is compiled alone then.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import warnings

import numpy as np

from tests.differential import compare, generate
from tests.differential.operands import Pool
from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.process import run

GROUP = 48  # kernels; more gain nothing, and hold NVRTC's memory


def environment(folder: pathlib.Path) -> dict:
    """For processes whose kernels come from `folder`."""
    return {"ENGINE_NVRTC": nvrtc.PROXY, "PROXY_NVRTC": nvrtc.library()._name, "PROXY_GROUPS": folder}


def make(folder: pathlib.Path, programs: int, first: int) -> None:
    """Compiles what the programs of these seeds ask for."""
    folder.mkdir(exist_ok=True)
    words = f"-m tests.kernels_cuda.groups {folder} --programs {programs} --seed {first}".split()
    stubs = {"PROXY_STUBS": 1, "STANDIN_ZEROED": 1, "ENGINE_CACHE_DIR": folder / "stubs"}
    done = run(folder, *words, **environment(folder), **stubs)
    assert done.returncode == 0, done.stdout + done.stderr


def alone(folder: pathlib.Path) -> int:
    """How many kernels were asked for and in no group."""
    return sum(not text.with_suffix(".ptx").exists() for text in folder.glob("*.cu"))


def collect(programs: int, first: int) -> None:
    """Runs programs for the sake of their kernels: results are nobody's, errors neither."""
    import engine

    engine.config.backend = "cuda"
    pool = Pool()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(first, first + programs):
            try:
                compare.run(generate.generate(seed, pool), pool, engine)
            except engine.Error:
                pass


def compile_all(folder: pathlib.Path) -> None:
    by_options: dict[str, list[pathlib.Path]] = {}
    for path in sorted(folder.glob("*.cu")):
        with path.open() as file:
            by_options.setdefault(file.readline(), []).append(path)
    for options, paths in by_options.items():
        for i in range(0, len(paths), GROUP):
            compile_group(options.removeprefix("//").split(), paths[i : i + GROUP])


def compile_group(options: list[str], paths: list[pathlib.Path]) -> None:
    """Each text in a namespace of its own."""
    texts = [
        f"namespace k{i} {{\n{path.read_text().replace('engine_kernel', f'engine_kernel_{i}')}}}\n"
        for i, path in enumerate(paths)
    ]
    ptx = nvrtc.compile_with(options, "".join(texts), {})
    for i, path in enumerate(paths):
        path.with_suffix(".ptx").write_text(kernel_of(ptx, i))


def kernel_of(ptx: str, i: int) -> str:
    """The i-th kernel and the constants of its namespace, as a text of its own."""
    head = re.search(r"^\.version .*?^\.address_size \d+$", ptx, re.M | re.S)
    own = re.findall(rf"^\.(?:global|const) [^\n]*\b_ZZ?N{len(f'k{i}')}k{i}[^\n]*;$", ptx, re.M)
    kernel = re.search(rf"^\.visible \.entry engine_kernel_{i}\(.*?^\}}$", ptx, re.M | re.S)
    return "\n".join([head[0], *own, kernel[0].replace(f"engine_kernel_{i}", "engine_kernel"), ""])


def main() -> None:
    parser = argparse.ArgumentParser(prog="groups", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--programs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    collect(options.programs, options.seed)
    compile_all(options.folder)


if __name__ == "__main__":
    main()
