"""Measures engine against NumPy and numexpr, one thread each: rounds are interleaved, ratios are of medians.

    ./dev bench [--sizes 10 1000 …] [--cases NAME …] [--seconds 0.2] [--json FILE]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numexpr
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report
from cases import CASES

import engine

PEAK = """
import sys, numpy as np, engine
n = 30_000_000
a, b, c = (np.full(n, float(k)) for k in range(3))
engine.evaluate("4*a + 5*a*b + 6*b*c", {"a": a[:9], "b": b[:9], "c": c[:9]})
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
d = engine.evaluate("4*a + 5*a*b + 6*b*c")
print(peak() - before - d.nbytes // 1024)
"""


def one_round(functions, names, repeats):
    """Seconds per call of each function, in turn."""
    times = []
    for function in functions:
        start = time.perf_counter()
        for _ in range(repeats):
            function(names)
        times.append((time.perf_counter() - start) / repeats)
    return times


def measure(case, size, seconds):
    names = case.operands(size)
    has_numexpr = "[" not in case.text and (case.name != "sum(a*b)" or True)
    functions = [lambda d: engine.evaluate(case.text, d), case.numpy] + ([case.numexpr] if has_numexpr else [])
    for function in functions:
        function(names)
    start = time.perf_counter()
    functions[0](names)
    repeats = max(1, min(2000, int(0.002 / max(time.perf_counter() - start, 1e-7))))
    rounds, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(rounds) < 5:
        rounds.append(one_round(functions, names, repeats))
    columns = list(zip(*rounds, strict=True))
    result = {"case": case.name, "size": size, "engine": statistics.median(columns[0]), "engine_best": min(columns[0])}
    result["numpy"] = statistics.median(columns[1])
    if has_numexpr:
        result["numexpr"] = statistics.median(columns[2])
    return result


def latency():
    """Nanoseconds of a warm call at n = 10, result included: the best of several medians."""
    names = {name: np.ones(10) for name in "abc"}
    text = "4*a + 5*a*b + 6*b*c"
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(5000):
            engine.evaluate(text, names)
        best = min(best, (time.perf_counter() - start) / 5000)
    return best * 1e9


def import_ms():
    """Milliseconds that `import engine` adds to `import numpy`: median of ten processes."""
    code = "import numpy, time; t = time.perf_counter(); import engine; print((time.perf_counter() - t)*1e3)"
    return statistics.median(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(10))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 1000, 100_000, 1_000_000, 30_000_000])
    parser.add_argument("--cases", nargs="*", help="names of cases; all by default")
    parser.add_argument("--seconds", type=float, default=0.3, help="per case and size")
    parser.add_argument("--json", default="build/bench.json")
    options = parser.parse_args()
    numexpr.set_num_threads(1)
    rows = []
    for case in CASES:
        if options.cases and case.name not in options.cases:
            continue
        for size in options.sizes:
            rows.append(measure(case, size, options.seconds))
            print(report.line(rows[-1]), flush=True)
    extra = {"latency_ns": latency(), "import_ms": import_ms()}
    if max(options.sizes) >= 30_000_000:
        extra["peak_kib"] = int(subprocess.check_output([sys.executable, "-c", PEAK]))
    print()
    print(report.table(rows))
    print(f"\nwarm call at n = 10, result included: {extra['latency_ns']:.0f} ns")
    print(f"import engine, over import numpy: {extra['import_ms']:.1f} ms")
    if "peak_kib" in extra:
        print(f"peak memory above operands and result, seed at 3e7: {extra['peak_kib'] / 1024:.1f} MiB")
    Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    machine = {"cpus": os.cpu_count(), "numpy": np.__version__, "numexpr": numexpr.__version__, "engine": engine.__version__}
    Path(options.json).write_text(json.dumps({"machine": machine, "rows": rows, **extra}, indent=1))


if __name__ == "__main__":
    main()
