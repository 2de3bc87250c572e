"""Measures the engine against NumPy and numexpr: ./dev bench [--cases seed,max] [--sizes 1e5,1e6] [--seconds 0.5].

The three take turns, one thread each, in rounds; a round times each of them once, over enough calls to fill 50 µs.
So a busy moment of the machine meets all three alike. Medians, minima and quartiles go to build/bench.json, and
bench/report.py makes the tables. Every result is checked against NumPy's before it is timed.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cases
import numexpr
import numpy as np
import report
import versus

import engine

OUTPUT = Path(__file__).resolve().parent.parent / "build" / "bench.json"
SIZES = "1e1,1e3,1e5,1e6,3e7"


def calls(case, n):
    """The computation as {who: function without arguments}, on operands that all of them share."""
    names = case.operands(n)
    ours = {"engine": lambda: engine.evaluate(case.text, names), "numpy": lambda: case.numpy(**names)}
    if case.engine:
        ours["engine"] = lambda: case.engine(engine.evaluate, names)
    if case.numexpr:
        theirs = case.numexpr_operands(names)
        ours["numexpr"] = lambda: numexpr.evaluate(case.numexpr, theirs)
    return ours


def check(case, n, timed):
    """Every result is NumPy's, to the accuracy of the dtype; anything else ends the run."""
    if case.written:  # each starts from operands that nobody has written to yet
        timed = {who: (lambda who=who: calls(case, n)[who]()) for who in timed}
    expected = np.array(timed["numpy"]())
    rtol = 1e-5 if expected.dtype in (np.float32, np.complex64) else 1e-11
    for who, call in timed.items():
        got = np.asarray(call())
        if got.shape != expected.shape or not np.allclose(got, expected, rtol=rtol, equal_nan=True):
            raise SystemExit(f"{case.name}: {who} disagrees with NumPy")


def rounds(timed, seconds):
    """{who: seconds per call of each round}."""
    repeats = {who: versus.enough(call) for who, call in timed.items()}
    logs = {who: [] for who in timed}
    end = time.perf_counter() + seconds
    while len(logs["engine"]) < 5 or time.perf_counter() < end:
        for who, call in timed.items():
            n = repeats[who]
            start = time.perf_counter()
            for _ in range(n):
                call()
            logs[who].append((time.perf_counter() - start) / n)
    return logs


def summary(log):
    low, middle, high = statistics.quantiles(log, n=4)
    return {"median": middle, "min": min(log), "quartiles": [low, high], "rounds": len(log)}


def measure(case, n, seconds):
    timed = calls(case, n)
    check(case, n, timed)
    return {who: summary(log) for who, log in rounds(timed, seconds).items()}


def per_call(call, n=2000, repeats=25):
    """Median seconds of one call, over `repeats` runs of n calls."""
    log = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(n):
            call()
        log.append((time.perf_counter() - start) / n)
    return statistics.median(log)


def latency():
    """Seconds per call on ten items in a warm process: what a call costs when there is nothing to compute."""
    names = cases.vectors("abc")(10)
    a, b, c = names.values()
    out = np.empty(10)
    program = engine.compile(cases.SEED)
    fresh = iter(range(10**9))
    return {
        "engine.evaluate": per_call(lambda: engine.evaluate(cases.SEED, names)),
        "engine.evaluate, out=": per_call(lambda: engine.evaluate(cases.SEED, names, out=out)),
        "Program call": per_call(lambda: program(names)),
        "NumPy": per_call(lambda: 4 * a + 5 * a * b + 6 * b * c),
        "numexpr.evaluate": per_call(lambda: numexpr.evaluate(cases.SEED, names)),
        "numexpr.re_evaluate": per_call(lambda: numexpr.re_evaluate(local_dict=names)),
        "engine.evaluate, text never seen": per_call(
            lambda: engine.evaluate(f"4*a + 5*a*b + {next(fresh)}*b*c", names), n=200
        ),
    }


PEAK = """
import re, sys
import numpy as np
import engine
def kib(word):
    return int(re.search(word + r":\\s*(\\d+) kB", open("/proc/self/status").read())[1])
n = int(sys.argv[1])
names = {name: np.empty(n) for name in "abc"}
for array in names.values():
    np.random.default_rng(7).random(out=array)
few = {name: array[:10] for name, array in names.items()}
engine.evaluate(sys.argv[2], few)
open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew from here
before = kib("VmRSS")
result = engine.evaluate(sys.argv[2], names)
print((kib("VmHWM") - before) * 1024 - result.nbytes)
"""

IMPORT = """
import time, numpy
start = time.perf_counter()
import engine
print(time.perf_counter() - start)
"""


def in_a_process(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numexpr": numexpr.__version__,
        "engine": engine.__version__,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default="", help="names, separated by commas; all of them when left out")
    parser.add_argument("--sizes", default="", help=f"numbers of items; {SIZES} when left out")
    parser.add_argument("--seconds", type=float, help="time for the rounds of one case at one size; 0.5 when left out")
    parser.add_argument("--output", type=Path, help="the JSON file; build/bench.json when left out")
    parser.add_argument("--compare", action="store_true", help="against every peer; build/compare.json when left out")
    parser.add_argument("--threads", default="1,2", help="with --compare: numbers of threads; 1,2 when left out")
    parser.add_argument("--quick", action="store_true", help="with --compare: three sizes, no large cases, a minute")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.sizes = options.sizes or (versus.QUICK_SIZES if options.quick else SIZES)
    options.seconds = options.seconds or (0.02 if options.quick else 0.5)
    wanted = [name.strip() for name in options.cases.split(",") if name.strip()]
    unknown = set(wanted) - {case.name for case in cases.CASES}
    if unknown:
        parser.error(f"no case named {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in cases.CASES)}")
    if options.compare:
        options.output = options.output or versus.OUTPUT
        versus.main(options)
        return
    options.output = options.output or OUTPUT
    sizes = [int(float(size)) for size in options.sizes.split(",")]

    numexpr.set_num_threads(1)
    engine.set_num_threads(1)
    results = {"machine": machine(), "cases": []}
    print(report.heading(results["machine"]))
    print(report.case_header())
    for case in cases.CASES:
        if wanted and case.name not in wanted:
            continue
        for n in case.sizes or sizes:
            row = {"case": case.name, "source": case.source, "n": n, "times": measure(case, n, options.seconds)}
            results["cases"].append(row)
            print(report.case_row(row), flush=True)
    if not wanted:
        results["latency"] = latency()
        results["peak_bytes_above_operands_and_result"] = in_a_process(PEAK, "30000000", cases.SEED)
        results["import_seconds_over_numpy"] = statistics.median(in_a_process(IMPORT) for _ in range(9))
    print(report.rest(results))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {os.path.relpath(options.output)}; bench/report.py makes tables of it")


if __name__ == "__main__":
    main()
