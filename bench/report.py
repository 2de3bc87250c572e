"""Tables of what was measured: bench/report.py [build/bench.json] [--markdown].

The file is that of ./dev bench, or build/compare.json of ./dev bench --compare.
"""

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


# ./dev bench --compare: one dict per number of threads, see bench/versus.py.


def peer_names(run):
    return [name for name in run["peers"] if name != "engine"]


def items_of(row):
    return f"{row['n']:.1e}".replace(".0e", "e").replace("e+0", "e").replace("e+", "e")


def share(row):
    """The part of memory's limit that the engine reaches; "-" below 1e5 items, where calls count, not memory."""
    if "limit" not in row or row["items"] < 90_000:
        return "-"
    return f"{100 * row['limit'] / row['times']['engine']['median']:.0f} %"


def best_peer(row):
    """The name of the fastest other than the engine, by medians; None where the engine was alone."""
    times = {who: t["median"] for who, t in row["times"].items() if who != "engine"}
    return min(times, key=times.get) if times else None


def with_spread(time):
    low, high = time["spread"]
    return f"{time['ratio']:.2f} ({low:.2f}-{high:.2f})"


def absence(words):
    """One word for why a cell has no number."""
    return {"no": "none"}.get(words.split()[0].rstrip(":"), words.split()[0].rstrip(":"))


def versus_columns(run):
    return ["case", "items", "engine", "min", "of limit", *peer_names(run), "best peer", "ratio to it (5-95 %)"]


def versus_cells(run, row):
    ours, times = row["times"]["engine"], row["times"]
    cells = [row["case"], items_of(row), duration(ours["median"]), duration(ours["min"]), share(row)]
    for who in peer_names(run):
        cells.append(f"{times[who]['ratio']:.2f}" if who in times else absence(row["absent"][who]))
    best = best_peer(row)
    return [*cells, best or "-", with_spread(times[best]) if best else "-"]


def versus_aligned(run, values):
    widths = [17, 7, 9, 9, 9, *(max(8, len(who) + 1) for who in peer_names(run)), 15, 22]
    return f"{values[0]:{widths[0]}}" + "".join(f"{v:>{w}}" for v, w in zip(values[1:], widths[1:], strict=True))


def versus_header(run):
    return versus_aligned(run, versus_columns(run))


def versus_row(run, row):
    return versus_aligned(run, versus_cells(run, row))


def versus_heading(run):
    machine = run["machine"]
    there = ", ".join(f"{name} {p['version']}" for name, p in run["peers"].items() if p["version"])
    lines = [
        f"{run['threads']} thread{'s' * (run['threads'] > 1)}: {machine['cpu']}, {machine['cores']} cores, "
        f"{', '.join(machine['caches'])}, governor {machine['governor']}, "
        f"load {' to '.join(f'{load:.1f}' for load in machine['load'])}, {machine['date']}",
        f"Python {machine['python']}, {there}",
    ]
    lines += [f"missing: {name} ({p['reason']})" for name, p in run["peers"].items() if not p["version"]]
    lines += [f"{name}: {p['note']}" for name, p in run["peers"].items() if p["note"]]
    lines += [f"left out: {words}" for words in run.get("left out", ())]
    return (
        "\n".join(lines) + "\npeers' columns: their time over the engine's, by medians; above 1 the engine is ahead\n"
    )


def misses(runs):
    """(words of a demand, rows that miss it): behind numexpr anywhere, then the leads that were asked for."""
    plain = {100_000: 2, 1_000_000: 2}
    demands = (
        ("behind numexpr", "numexpr", lambda row: 1),
        ("below 2x numexpr at 1e5 and 1e6, cases without functions", "numexpr",
         lambda row: 0 if row["functions"] else plain.get(row["n"], 0)),
        ("below 1.2x numexpr at 3e7", "numexpr", lambda row: 1.2 if row["n"] == 30_000_000 else 0),
    )  # fmt: skip
    found = []
    for words, who, least in demands:
        rows = [row for run in runs for row in run["cases"]]
        late = [row for row in rows if who in row["times"] and row["times"][who]["ratio"] < least(row)]
        found.append((words, [(row, row["times"][who]) for row in late]))
    behind = [(row, row["times"][best_peer(row)]) for run in runs for row in run["cases"] if best_peer(row)]
    found.append(("behind the best peer", [(row, time) for row, time in behind if time["ratio"] < 1]))
    return found


def miss_lines(runs, mark=""):
    lines = []
    for words, late in misses(runs):
        lines.append(f"{mark}{words}: {len(late) or 'none'}")
        by_threads = {}
        for row, time in late:
            best = f" {best_peer(row)}" if words.endswith("peer") else ""
            entry = f"{row['case']} {items_of(row)}{best} {with_spread(time)}"
            by_threads.setdefault(row["threads"], []).append(entry)
        for threads, entries in by_threads.items():
            lines.append(f"  {mark}{threads} thread{'s' * (threads > 1)}: " + "; ".join(entries))
    return lines


def table(columns, rows, markdown):
    if markdown:
        lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
        return lines + ["| " + " | ".join(row) + " |" for row in rows]
    widths = [max(map(len, column)) + 2 for column in zip(columns, *rows, strict=True)]
    return ["".join(f"{v:>{w}}" if i else f"{v:{w}}" for i, (v, w) in enumerate(zip(row, widths, strict=True)))
            for row in (columns, *rows)]  # fmt: skip


def limit_table(runs, markdown=False):
    """GB/s of each kind of pass: rows are kinds and threads, columns the length of each array."""
    arrays = {"copy": 2, "triad": 3, "read": 1}
    cells = {}
    for run in runs:
        for point in run["limits"]:
            length = point["bytes"] // 8 // arrays[point["kind"].partition(",")[0]]
            at = (point["kind"], point["threads"])
            cells.setdefault(at, {})[length] = max(point["rate"] / 1e9, cells.get(at, {}).get(length, 0))
    if not cells:
        return []
    lengths = sorted({length for found in cells.values() for length in found})
    rows = [[kind, str(threads), *(f"{found[n]:.0f}" if n in found else "-" for n in lengths)]
            for (kind, threads), found in cells.items()]  # fmt: skip
    return table(["GB/s", "threads", *(f"{n:.0e}".replace("e+0", "e") for n in lengths)], rows, markdown)


def first_table(run, markdown=False):
    names = ["engine", *peer_names(run)]
    rows = [[case, *(duration(found[who]) if who in found else "-" for who in names)]
            for case, found in run["first"].items()]  # fmt: skip
    return table(["first call of", *names], rows, markdown) if rows else []


def versus_rest(runs):
    lines = ["", "memory, by doubles per array, best pass", *limit_table(runs)]
    for run in runs[:1]:
        lines += ["", f"first call of an expression in a warm process, 10 items, {run['threads']} thread(s)"]
        lines += first_table(run)
    return "\n".join([*lines, "", *miss_lines(runs)])


def versus_markdown(runs):
    lines = []
    for run in runs:
        lines += [*versus_heading(run).strip().splitlines(), ""]
        lines += table(versus_columns(run), [versus_cells(run, row) for row in run["cases"]], markdown=True) + [""]
    lines += [*limit_table(runs, markdown=True), ""]
    for run in runs[:1]:
        lines += [*first_table(run, markdown=True), ""]
    return "\n".join(lines + miss_lines(runs, mark="- "))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent.parent / "build" / "bench.json"
    parser.add_argument("results", nargs="?", type=Path, default=default)
    parser.add_argument("--markdown", action="store_true", help="a table for a document")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    if "runs" in results:
        runs = results["runs"]
        if options.markdown:
            print(versus_markdown(runs))
            return
        for run in runs:
            print("\n".join([versus_heading(run), versus_header(run), *(versus_row(run, r) for r in run["cases"]), ""]))
        print(versus_rest(runs))
        return
    if options.markdown:
        print(markdown(results))
    else:
        print("\n".join([heading(results["machine"]), case_header(), *map(case_row, results["cases"])]))
    print(rest(results))


if __name__ == "__main__":
    main()
