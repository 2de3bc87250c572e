"""Measures the engine against every peer: ./dev bench --compare [--threads 1,2] [--quick].

Each number of threads is a process of its own, since some peers read theirs once, at start. In it, all peers take
turns in rounds whose order is drawn anew each time; a turn is one untimed call, so that nobody starts from another's
caches or sleeping threads, then enough calls to fill a millisecond. Ratios are of medians, their spread a paired
bootstrap over the rounds. Each result is compared with NumPy's before it is timed. The first call of each expression is
timed on ten items, so it is compilation, not computation. The least traffic of a case over its time, as a share of what
memory can do on a working set of that size, is measured in the same process.
"""

import ctypes
import gc
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cases
import native
import numpy as np
import peers
import report

OUTPUT = Path(__file__).resolve().parent.parent / "build" / "compare.json"
ROUND = 1e-3  # seconds that one turn is to take at least: threads that slept are awake for most of it
BRIEF = 1e-3  # calls above this need no untimed one
SETTLE = 1e-3  # seconds in which the threads of the peer before stop spinning
PATIENCE = 15.0  # seconds after which three rounds are enough
QUICK_SIZES = "1e3,1e5,1e6"


class Disagreement(Exception):
    """A result that is not NumPy's."""


def agree(got, expected):
    """Raises Disagreement unless `got` is NumPy's result: its dtype, its shape, its values to the dtype's accuracy."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.dtype != expected.dtype:
        raise Disagreement(f"dtype {got.dtype}, NumPy has {expected.dtype}")
    if got.shape != expected.shape:
        raise Disagreement(f"shape {got.shape}, NumPy has {expected.shape}")
    rtol = 1e-5 if expected.dtype in (np.float32, np.complex64) else 1e-10
    if not np.allclose(got, expected, rtol=rtol, atol=rtol, equal_nan=True):
        raise Disagreement("values that are not NumPy's")


def span(array):
    """Bytes of memory that reading `array` moves: from its first byte to its last, or a line of 64 per item."""
    low, high = np.lib.array_utils.byte_bounds(array)
    return min(high - low, 64 * array.size)


def traffic(case, operands, result):
    """The least bytes that the case moves: each operand read once, the result written once, per pass."""
    read = sum(span(array) for name, array in operands.items() if name != case.written)
    return read + np.asarray(result).nbytes


def limit(limits, threads, moved, is_reduction):
    """Bytes per second that memory moves on a working set of `moved` bytes, by the best of the kinds that fit."""
    best = None
    for kind in native.KINDS:
        if (kind == "read") != is_reduction:
            continue
        points = {}
        for p in limits:  # fewer threads than allowed may be the faster ones
            if p["kind"] == kind and p["threads"] <= threads:
                points[p["bytes"]] = max(p["rate"], points.get(p["bytes"], 0))
        if points:
            sizes, rates = zip(*sorted(points.items()))
            rate = float(np.interp(math.log(moved), np.log(sizes), rates))
            best = rate if best is None else max(best, rate)
    return best


def spread(peer, engine, seed=7, draws=400):
    """5 % and 95 % of the ratio of medians, rounds drawn with replacement, the same ones for both."""
    peer, engine = np.asarray(peer), np.asarray(engine)
    chosen = np.random.default_rng(seed).integers(0, len(peer), (draws, len(peer)))
    ratios = np.median(peer[chosen], axis=1) / np.median(engine[chosen], axis=1)
    return [float(q) for q in np.quantile(ratios, [0.05, 0.95])]


def summary(logs):
    """{who: median, min, and, over the engine, ratio and its spread}."""
    ours = logs["engine"]
    return {
        who: {
            "median": statistics.median(log),
            "min": min(log),
            "rounds": len(log),
            "ratio": statistics.median(log) / statistics.median(ours),
            "spread": spread(log, ours),
            "ratio of minima": min(log) / min(ours),
        }
        for who, log in logs.items()
    }


def enough(call, wanted=ROUND):
    """How many warm calls in a row take `wanted` seconds; the first call, which is not warm, would say too few."""
    start = time.perf_counter()
    call()
    if time.perf_counter() - start > 100 * wanted:
        return 1
    n = 1
    while True:
        start = time.perf_counter()
        for _ in range(n):
            call()
        spent = time.perf_counter() - start
        if spent >= wanted or n >= 1_000_000:
            return n
        n = max(n + 1, min(10 * n, int(n * wanted / max(spent, 1e-9))))


def rounds(timed, seconds, least=7, most=300, rng=None, settle=SETTLE, patience=PATIENCE):
    """{who: seconds per call of each round}, everybody once a round, in an order drawn anew."""
    rng = rng or random.Random(7)
    repeats = {who: enough(call) for who, call in timed.items()}
    logs = {who: [] for who in timed}
    order, done = list(timed), 0
    begin = time.perf_counter()
    while done < most:
        spent = time.perf_counter() - begin
        if spent >= seconds and done >= (least if spent < patience else 3):
            break
        rng.shuffle(order)
        for who in order:
            call, n = timed[who], repeats[who]
            if settle:
                time.sleep(settle)
            if not logs[who] or logs[who][-1] < BRIEF:
                call()
            start = time.perf_counter()
            for _ in range(n):
                call()
            logs[who].append((time.perf_counter() - start) / n)
        done += 1
    return logs


def first_calls(case, present):
    """{who: seconds of the first call of this expression}, on ten items; the making of the form counts."""
    found = {}
    for peer in present:
        operands = case.operands(10)
        try:
            start = time.perf_counter()
            call = peer.form(case, operands)
            if call is None:
                continue
            call()
            found[peer.name] = time.perf_counter() - start
        except Exception:  # whatever a peer raises: measure() says it where the case is measured
            continue
    return found


def checked(case, n, present):
    """The forms that take part, the words for those that do not, operands and NumPy's result.

    A case that writes into its operands gets fresh ones for each check. The engine itself has to be right.
    """
    operands = case.operands(n)
    expected = np.array(case.numpy(**(case.operands(n) if case.written else operands)))
    timed, absent = {}, {}
    for peer in present:
        if not peer.version:
            absent[peer.name] = "missing: " + peer.reason
            continue
        try:
            if case.written:
                call = peer.form(case, case.operands(n))
                if call is not None:
                    agree(call(), expected)
            call = peer.form(case, operands)
            if call is None:
                absent[peer.name] = "no such expression"
                continue
            if not case.written:
                agree(call(), expected)
            timed[peer.name] = call
        except Exception as error:  # a peer may raise anything; the table says what
            if peer.name == "engine":
                raise SystemExit(f"{case.name}, {n} items: engine: {type(error).__name__}: {error}") from error
            absent[peer.name] = ("wrong: " if isinstance(error, Disagreement) else "failed: ") + " ".join(
                str(error).split()
            )[:120]
    return timed, absent, operands, expected


def measure(case, n, present, limits, threads, seconds):
    timed, absent, operands, expected = checked(case, n, present)
    moved = traffic(case, operands, expected)
    is_reduction = expected.nbytes * 8 < moved
    size = int(next(iter(operands.values())).size)
    del expected
    row = {
        "case": case.name,
        "n": n,
        "items": size,
        "threads": threads,
        "functions": case.functions,
        "times": summary(rounds(timed, seconds)),
        "absent": absent,
        "bytes": moved * case.passes,
    }
    rate = limit(limits, threads, moved, is_reduction)
    if rate:
        row["limit"] = moved * case.passes / rate
    return row


def first_line(path, word):
    try:
        with open(path) as lines:
            return next((line.split(":")[1].strip() for line in lines if line.startswith(word)), "unknown")
    except OSError:
        return "unknown"


def read(path, otherwise="unknown"):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return otherwise


def caches():
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(read(folder / "type"), "")
        found.append(f"L{read(folder / 'level')}{kind} {read(folder / 'size')}")
    return found


def machine():
    return {
        "cpu": first_line("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "caches": caches(),
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "not told"),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "huge pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def environment(threads):
    """What makes each peer use `threads` threads; these are read once, when it starts."""
    words = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS")
    words += ("NUMBA_NUM_THREADS", "BLOSC_NTHREADS", "NPROC", "PJRT_NPROC")
    changed = dict.fromkeys(words, str(threads))
    # libgomp (C, numba parallel) spins for many milliseconds, and where both its threads land on one core it spins away
    # the time slice that its own helper waits for. Some 0.4 ms, then asleep, serves it best on a shared machine.
    changed["GOMP_SPINCOUNT"] = os.environ.get("GOMP_SPINCOUNT", "30000")
    # So do those of OpenBLAS, by 2**26 cycles: 2**20 are as long.
    changed["OPENBLAS_THREAD_TIMEOUT"] = os.environ.get("OPENBLAS_THREAD_TIMEOUT", "20")
    # The pool of jax is as large as NPROC says.
    if threads == 1:
        changed["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false").strip()
    return os.environ | changed


def chosen(wanted, sizes, quick):
    """(case, size) to measure, and what is left out with the reason."""
    todo, left = [], []
    for case in cases.CASES:
        if wanted and case.name not in wanted:
            continue
        for n in case.sizes or sizes:
            if quick and n * case.passes > 1_000_000:
                left.append(f"{case.name} at {n:.0e}: not in --quick")
            else:
                todo.append((case, n))
    return todo, left


def trim():
    """Memory that was freed goes back to the system, so that one case does not leave pages for the next."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:
        pass


def one_process(threads, wanted, sizes, seconds, quick, output):
    """Everything for one number of threads, in this process."""
    present = peers.present(threads)
    results = {
        "machine": machine() | {"load": [os.getloadavg()[0]]},
        "threads": threads,
        "peers": {p.name: {"version": p.version, "reason": p.reason, "note": p.note} for p in present},
        "cases": [],
        "first": {},
    }
    try:
        lengths = native.LENGTHS[:: 2 if quick else 1]
        results["limits"] = native.limits(sorted({1, threads}), lengths, 0.02 if quick else 0.15)
    except (OSError, native.Missing, subprocess.CalledProcessError) as error:
        results["limits"] = []
        print(f"no limits of memory: {error}")
    todo, results["left out"] = chosen(wanted, sizes, quick)
    print(report.versus_heading(results))
    for peer in present:
        warm_up = peer.form(cases.CASES[0], cases.vectors("abc")(10)) if peer.version else None
        if warm_up:
            warm_up()  # what a peer sets up once is not part of any first call
    print(report.versus_header(results))
    for case, n in todo:
        if case.name not in results["first"]:
            results["first"][case.name] = first_calls(case, present)
        row = measure(case, n, present, results["limits"], threads, seconds)
        results["cases"].append(row)
        print(report.versus_row(results, row), flush=True)
        for who, why in row["absent"].items():
            if why.startswith(("wrong", "failed")):
                print(f"    {who}: {why}")
        output.write_text(json.dumps(results, indent=1) + "\n")
        trim()
    results["machine"]["load"].append(os.getloadavg()[0])
    output.write_text(json.dumps(results, indent=1) + "\n")


def main(options):
    wanted = [name.strip() for name in options.cases.split(",") if name.strip()]
    sizes = [int(float(size)) for size in options.sizes.split(",")]
    seconds = options.seconds
    if options.child:
        one_process(int(options.threads), wanted, sizes, seconds, options.quick, options.output)
        return
    output = options.output
    output.parent.mkdir(parents=True, exist_ok=True)
    runs = []
    for threads in [int(word) for word in options.threads.split(",")]:
        part = output.with_suffix(f".{threads}.json")
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("compare.py")), "--compare", "--child"]
        command += ["--threads", str(threads), "--cases", options.cases, "--sizes", options.sizes]
        command += ["--seconds", str(seconds), "--output", str(part)] + ["--quick"] * options.quick
        subprocess.run(command, check=True, env=environment(threads))
        runs.append(json.loads(part.read_text()))
        part.unlink()
        output.write_text(json.dumps({"runs": runs}, indent=1) + "\n")
    print(report.versus_rest(runs))
    print(f"\nwritten to {os.path.relpath(output)}; bench/report.py makes tables of it")
