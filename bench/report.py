"""Tables of what bench/compare.py measured: bench/report.py [build/bench.json] [--markdown]."""

import argparse
import json
from pathlib import Path

# What the engine set out to do: (words, value of the results or None where not measured, limit, unit). At most `limit`.
MOST = (
    ("warm engine.evaluate, 10 items", lambda r: r["latency"]["engine.evaluate"] * 1e9, 500, "ns"),
    ("import engine over import numpy", lambda r: r["import_seconds_over_numpy"] * 1e3, 15, "ms"),
    (
        "seed, 3e7 items: peak above operands and result",
        lambda r: r["peak_bytes_above_operands_and_result"] / 2**20,
        8,
        "MiB",
    ),
)
LEAST_OVER_NUMEXPR = (("seed", 100_000, 3), ("seed", 1_000_000, 3))


def duration(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def ratio(row, who):
    """How many times longer `who` takes than the engine, by medians; None where not measured."""
    if who not in row["times"]:
        return None
    return row["times"][who]["median"] / row["times"]["engine"]["median"]


def heading(machine):
    return (
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']:.1f}; Python {machine['python']}, "
        f"NumPy {machine['numpy']}, numexpr {machine['numexpr']}, engine {machine['engine']}; one thread each\n"
    )


COLUMNS = ("case", "items", "engine", "quartiles", "min", "NumPy", "numexpr", "to NumPy", "to numexpr")
WIDTHS = (16, 7, 9, 19, 9, 9, 9, 9, 11)


def cells(row):
    ours = row["times"]["engine"]
    spread = " - ".join(duration(q) for q in ours["quartiles"])
    peers = [duration(row["times"][who]["median"]) if who in row["times"] else "-" for who in ("numpy", "numexpr")]
    ratios = [f"{ratio(row, who):.2f}x" if who in row["times"] else "-" for who in ("numpy", "numexpr")]
    items = f"{row['n']:.0e}".replace("e+0", "e")
    return [row["case"], items, duration(ours["median"]), spread, duration(ours["min"]), *peers, *ratios]


def aligned(values):
    return f"{values[0]:{WIDTHS[0]}}" + "".join(f"{v:>{w}}" for v, w in zip(values[1:], WIDTHS[1:], strict=True))


def case_header():
    return aligned(COLUMNS)


def case_row(row):
    return aligned(cells(row))


def goals(results):
    """Lines that say which goals are met and which are missed, of those that were measured."""
    lines = []
    for words, value, limit, unit in MOST:
        try:
            got = value(results)
        except KeyError:
            continue
        lines.append(f"{'met' if got <= limit else 'MISSED':7} {words}: {got:.3g} {unit}, at most {limit}")
    for case, n, least in LEAST_OVER_NUMEXPR:
        for row in results["cases"]:
            if row["case"] == case and row["n"] == n:
                got = ratio(row, "numexpr")
                verdict = "met" if got >= least else "MISSED"
                lines.append(f"{verdict:7} {case}, {n} items: {got:.2f}x numexpr, at least {least}x")
    return lines


def rest(results):
    lines = []
    if "latency" in results:
        lines += ["", "one warm call, 10 items"]
        lines += [f"  {who:34}{duration(seconds):>10}" for who, seconds in results["latency"].items()]
    met = goals(results)
    if met:
        lines += ["", "goals", *("  " + line for line in met)]
    return "\n".join(lines)


def markdown(results):
    lines = [heading(results["machine"]), "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in results["cases"]]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parent.parent / "build" / "bench.json"
    parser.add_argument("results", nargs="?", type=Path, default=default)
    parser.add_argument("--markdown", action="store_true", help="a table for a document")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    if options.markdown:
        print(markdown(results))
    else:
        print("\n".join([heading(results["machine"]), case_header(), *map(case_row, results["cases"])]))
    print(rest(results))


if __name__ == "__main__":
    main()
