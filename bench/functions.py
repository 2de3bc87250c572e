"""Measures the elementary functions against NumPy's or SciPy's: bench/functions.py [--isa avx2] [NAME...].

Operands and result lie in the first-level cache; one thread; the two take turns in rounds, on the same data. What is
compared is the time an item takes: the least time of a call less the least time of a call on one item. `--isa avx2`
keeps both sides from AVX-512: the engine by ENGINE_ISA, NumPy by NPY_DISABLE_CPU_FEATURES. SciPy's functions are not
dispatched at run time. The table goes to the terminal, all numbers to build/functions.json.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import engine

try:
    import scipy.special as scipy_special
except ImportError:
    scipy_special = None

OUTPUT = Path(__file__).resolve().parent.parent / "build" / "functions.json"
BYTES = 8192  # of each operand and of the result
SECONDS_A_ROUND = 20e-6


class Function(NamedTuple):
    name: str  # in the catalog, whose oracle it is measured against
    ranges: tuple  # one (low, high) for each operand: float64's
    float32: tuple | None = None  # the same for float32, where other
    least: float = 1.5  # goals: how many times as fast as NumPy with AVX-512, float64
    least32: float = 1.5

    @property
    def oracle(self):
        """NumPy's name of it, or scipy.special's with those words before it."""
        return next(row.oracle for row in engine.functions if row.name == self.name)

    @property
    def of_scipy(self):
        return self.oracle.startswith("scipy.special.")

    @property
    def rival(self):
        """The ufunc; None where SciPy is not there."""
        module = scipy_special if self.of_scipy else np
        return module and getattr(module, self.oracle.removeprefix("scipy.special."))


FUNCTIONS = (
    Function("exp", ((-700, 700),), ((-80, 80),), least=1.2, least32=4),
    Function("exp2", ((-1000, 1000),), ((-120, 120),)),
    Function("expm1", ((-30, 30),), least=1.2),
    Function("log", ((0, 100),), least=1.2, least32=1),
    Function("log2", ((0, 100),)),
    Function("log10", ((0, 100),)),
    Function("log1p", ((-1, 10),), least=1.2),
    Function("sin", ((-30, 30),), least=6, least32=1),
    Function("cos", ((-30, 30),), least=6, least32=0.8),
    Function("tan", ((-30, 30),), least=3),
    Function("fast_tan", ((-30, 30),), least=3),
    Function("arcsin", ((-1, 1),), least=3),
    Function("arccos", ((-1, 1),), least=3),
    Function("arctan", ((-8, 8),), least=3),
    Function("arctan2", ((-8, 8), (-8, 8)), least=3),
    Function("sinh", ((-20, 20),)),
    Function("cosh", ((-20, 20),)),
    Function("tanh", ((-5, 5),), least=0.9, least32=0.9),
    Function("arcsinh", ((-20, 20),)),
    Function("arccosh", ((1, 20),)),
    Function("arctanh", ((-1, 1),)),
    Function("power", ((0.01, 10), (-10, 10)), least=0.8, least32=1.2),
    Function("cbrt", ((-100, 100),)),
    Function("hypot", ((-100, 100), (-100, 100))),
    Function("logaddexp", ((-40, 40), (-40, 40))),
    Function("logaddexp2", ((-40, 40), (-40, 40))),
    Function("erf", ((-3, 3),)),
    Function("erfc", ((-3, 6),)),
    Function("gamma", ((-5, 30),)),
    Function("lgamma", ((-5, 30),)),
)
LEAST_AVX2 = 1.8  # for every function


def operands(function, dtype, n):
    """n items for each operand, uniform in its range, the same ones on every run."""
    generator = np.random.default_rng(7)
    ranges = function.float32 if function.float32 and dtype == np.float32 else function.ranges
    return [generator.uniform(low, high, n).astype(dtype) for low, high in ranges]


def calls(function, arrays):
    """(ours, theirs): the function on the arrays, as functions without arguments; theirs None where nobody has it."""
    names = dict(zip("xy", arrays, strict=False))
    text = f"{function.name}({', '.join(names)})"
    program = engine.compile(text)
    ours, result = np.empty_like(arrays[0]), np.empty_like(arrays[0])
    ufunc = function.rival
    return (
        lambda: program(names, out=ours),
        (lambda: ufunc(*arrays, out=result)) if ufunc else None,
    )


def least_times(timed, seconds):
    """The least seconds of one call of each, in rounds that take turns."""
    repeats = []
    for call in timed:
        call()
        start = time.perf_counter()
        call()
        repeats.append(max(1, int(SECONDS_A_ROUND / (time.perf_counter() - start))))
    least = [math.inf] * len(timed)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 20 or time.perf_counter() < end:
        rounds += 1
        for k, call in enumerate(timed):
            start = time.perf_counter()
            for _ in range(repeats[k]):
                call()
            least[k] = min(least[k], (time.perf_counter() - start) / repeats[k])
    return least


def measure(function, dtype, seconds):
    """Nanoseconds an item: {"engine": ..., "numpy": ...}, the latter left out where there is nobody to compare with."""
    n = BYTES // np.dtype(dtype).itemsize
    arrays = operands(function, dtype, n)
    many = calls(function, arrays)
    one = calls(function, [a[:1] for a in arrays])
    timed = [call for pair in zip(many, one, strict=True) for call in pair if call]
    with np.errstate(all="ignore"):
        times = least_times(timed, seconds)
    per_item = [(times[k] - times[k + 1]) / (n - 1) * 1e9 for k in range(0, len(times), 2)]
    return dict(zip(("engine", "numpy"), per_item, strict=False))


def goal(function, dtype, isa):
    if isa != "avx512":
        return LEAST_AVX2
    return function.least if dtype == np.float64 else function.least32


def avx512_of_numpy():
    """Names of NumPy's optional code that uses AVX-512, where this processor runs it."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if ("AVX512" in name or name == "X86_V4") and __cpu_features__[name]]


def without_avx512():
    """Starts this program again, with AVX-512 kept from both sides."""
    environment = os.environ | {"ENGINE_ISA": "avx2", "NPY_DISABLE_CPU_FEATURES": " ".join(avx512_of_numpy())}
    return subprocess.run([sys.executable, *sys.argv], env=environment).returncode


def processor():
    with open("/proc/cpuinfo") as lines:
        text = lines.read()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    return f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions; all of them when left out")
    parser.add_argument("--isa", choices=("avx2", "avx512"), help="what both sides may use; all when left out")
    parser.add_argument("--seconds", type=float, default=0.3, help="time for the rounds of one function and dtype")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    unknown = set(options.names) - {function.name for function in FUNCTIONS}
    if unknown:
        parser.error(f"no function named {', '.join(sorted(unknown))}")
    if options.isa == "avx2" and avx512_of_numpy():
        return without_avx512()
    isa = "avx512" if avx512_of_numpy() and os.environ.get("ENGINE_ISA", "avx512") == "avx512" else "avx2"
    if options.isa == "avx512" and isa != "avx512":
        parser.error("this processor or NumPy has no AVX-512, or ENGINE_ISA forbids it")
    engine.set_num_threads(1)
    report = {"machine": processor(), "isa": isa, "numpy": np.__version__, "load": os.getloadavg()[0], "functions": []}
    print(f"{report['machine']}, {isa}, NumPy {np.__version__}, load {report['load']:.1f}; ns an item, one thread\n")
    print("| function | float64 | NumPy | times as fast | float32 | NumPy | times as fast |")
    print("|---|---|---|---|---|---|---|")
    for function in FUNCTIONS:
        if options.names and function.name not in options.names:
            continue
        cells = [f"{function.name} (SciPy)" if function.of_scipy else function.name]
        for dtype in (np.float64, np.float32):
            times = measure(function, dtype, options.seconds)
            wanted = goal(function, dtype, isa)
            entry = {"function": function.name, "dtype": np.dtype(dtype).name, "ns": times, "goal": wanted}
            cells += [f"{times['engine']:.2f}", "-", "-"]
            if "numpy" in times:
                entry["ratio"] = times["numpy"] / times["engine"]
                ratio = f"{entry['ratio']:.2f}"
                cells[-2] = f"{times['numpy']:.2f}"
                cells[-1] = ratio if entry["ratio"] >= wanted else f"**{ratio}** of {wanted}"
            report["functions"].append(entry)
        print(f"| {' | '.join(cells)} |", flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten to {os.path.relpath(options.output)}; misses are bold, with their goal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
