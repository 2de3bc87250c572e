"""The harness of ./dev bench --compare: what it takes for a right result, its statistics, and what its tables say."""

import functools
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import cases  # noqa: E402
import native  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
import versus  # noqa: E402

CASE = {case.name: case for case in cases.CASES}


def peer(name, form):
    return peers.Peer(name, "1", "", form)


def right(case, names):
    return lambda: case.numpy(**names)


ENGINE = peer("engine", right)


# How long a turn is


def test_a_slow_first_call_does_not_shorten_the_turns():
    slow = iter([True] + [False] * 10**6)
    assert versus.enough(lambda: next(slow) and time.sleep(2e-3), wanted=1e-3) > 10


def test_a_long_call_is_made_once():
    calls = []
    assert versus.enough(lambda: (calls.append(1), time.sleep(0.02)), wanted=1e-4) == 1 and len(calls) == 1


# What counts as NumPy's result


def test_a_value_beyond_the_accuracy_of_its_dtype_disagrees():
    versus.agree(np.array([1, 1 + 1e-12]), np.array([1.0, 1.0]))
    with pytest.raises(versus.Disagreement, match="values"):
        versus.agree(np.array([1, 1 + 1e-6]), np.array([1.0, 1.0]))


def test_another_dtype_or_shape_disagrees():
    with pytest.raises(versus.Disagreement, match="dtype float64, NumPy has float32"):
        versus.agree(np.ones(3), np.ones(3, np.float32))
    with pytest.raises(versus.Disagreement, match="shape"):
        versus.agree(np.ones((3, 1)), np.ones(3))


def test_a_wrong_peer_is_named_and_not_timed():
    wrong = peer("other", lambda case, names: lambda: case.numpy(**names) + 1e-3)
    timed, absent, *_ = versus.checked(CASE["seed"], 10, [ENGINE, wrong])
    assert list(timed) == ["engine"]
    assert absent == {"other": "wrong: values that are not NumPy's"}


def test_a_peer_that_raises_is_named_with_its_words():
    def raises(case, names):
        raise ValueError("no such thing")

    _, absent, *_ = versus.checked(CASE["seed"], 10, [ENGINE, peer("other", raises)])
    assert absent == {"other": "failed: no such thing"}


def test_a_wrong_engine_ends_the_run():
    wrong = peer("engine", lambda case, names: lambda: case.numpy(**names) * 2)
    with pytest.raises(SystemExit, match="seed, 10 items: engine: Disagreement"):
        versus.checked(CASE["seed"], 10, [wrong])


def test_cases_that_write_are_checked_on_operands_nobody_has_written_to():
    # The second peer would start from the hundred steps of the first.
    timed, absent, *_ = versus.checked(CASE["100 Jacobi steps"], 100, [ENGINE, peer("other", right)])
    assert not absent
    assert set(timed) == {"engine", "other"}


@functools.cache
def quick_peers(threads):
    """Those that are here, but for numba and jax, which take seconds to compile."""
    slow = ("numba", "numba parallel", "jax")
    makers = [(maker, name) for maker, name in zip(peers.ALL, peers.NAMES, strict=True) if name not in slow]
    return [p for p in peers.present(threads, *zip(*makers, strict=True)) if p.version]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_every_form_of_the_peers_that_are_here_gives_numpys_result(case, threads):
    _, absent, *_ = versus.checked(case, 1000, quick_peers(threads))
    assert {who: why for who, why in absent.items() if why != "no such expression"} == {}


def test_a_peer_that_cannot_be_imported_is_reported_missing_with_the_reason():
    def maker(threads):
        raise ModuleNotFoundError("No module named 'fast'")

    (found,) = peers.present(1, (maker,), ("fast",))
    assert (found.name, found.version, found.reason) == ("fast", "", "No module named 'fast'")
    _, absent, *_ = versus.checked(CASE["seed"], 10, [ENGINE, found])
    assert absent == {"fast": "missing: No module named 'fast'"}


# Statistics


def test_everybody_gets_one_turn_a_round_and_the_order_of_turns_changes():
    seen = []

    def slow(who):  # so slow that a turn is one call
        seen.append(who)
        time.sleep(1.1 * versus.BRIEF)

    timed = {"engine": lambda: slow("engine"), "other": lambda: slow("other")}
    logs = versus.rounds(timed, seconds=0, least=9, most=9, rng=random.Random(1), settle=0)
    assert len(logs["engine"]) == len(logs["other"]) == 9
    turns = seen[-16:]  # the first round also has an untimed call each
    assert set(zip(turns[::2], turns[1::2])) == {("engine", "other"), ("other", "engine")}


def test_slow_rounds_end_at_three_once_patience_is_gone():
    timed = {"engine": lambda: time.sleep(0.002)}
    assert len(versus.rounds(timed, seconds=0, least=50, settle=0, patience=0)["engine"]) == 3


def test_the_spread_holds_the_ratio_and_is_nothing_where_nothing_varies():
    assert versus.spread([2.0] * 9, [1.0] * 9) == [2.0, 2.0]
    rng = np.random.default_rng(3)
    low, high = versus.spread(3 + rng.random(200), 1 + rng.random(200) / 3)
    assert 2.7 < low < 3.0 < high < 3.3


def test_the_spread_pairs_rounds_so_that_a_busy_moment_of_both_cancels():
    busy = np.random.default_rng(5).lognormal(size=60)
    low, high = versus.spread(2 * busy, busy)
    assert low == pytest.approx(2) and high == pytest.approx(2)


def test_a_summary_has_the_median_the_minimum_and_the_ratio_to_the_engine():
    found = versus.summary({"engine": [1.0, 2.0, 9.0], "other": [6.0, 5.0, 7.0]})
    assert (found["other"]["median"], found["other"]["min"], found["other"]["ratio"]) == (6, 5, 3)
    assert found["other"]["ratio of minima"] == 5
    assert found["engine"]["ratio"] == 1


# Memory


def test_traffic_counts_each_operand_once_and_no_operand_that_is_only_written():
    seed = CASE["seed"]
    operands = seed.operands(1000)
    assert versus.traffic(seed, operands, np.empty(1000)) == 32_000
    filter_ = CASE["9-point filter"]
    operands = filter_.operands(10_000)
    assert versus.traffic(filter_, operands, np.empty(9604)) == 80_000 + 9604 * 8


def test_strided_operands_move_what_lies_between_but_no_more_than_their_lines():
    a = np.empty(64_000)
    assert versus.span(a[::2]) == 64_000 * 8 - 8
    assert versus.span(a[::64]) == 64 * 1000
    assert versus.span(a[::-1]) == a.nbytes


def test_the_limit_is_the_best_kind_between_the_measured_sizes():
    def point(kind, threads, moved, rate):
        return {"kind": kind, "threads": threads, "bytes": moved, "rate": rate}

    limits = [
        point("copy", 1, 100, 10),
        point("copy", 1, 10_000, 20),
        point("triad", 1, 100, 12),
        point("triad", 1, 10_000, 12),
        point("read", 1, 100, 99),
        point("copy", 2, 10_000, 40),
    ]
    assert versus.limit(limits, 1, 1000, False) == pytest.approx(15)
    assert versus.limit(limits, 1, 1000, True) == 99
    assert versus.limit(limits, 2, 10_000, False) == 40
    assert versus.limit([], 1, 1000, False) is None


def test_memory_is_measured_by_every_kind():
    try:
        native.compiler()
    except native.Missing:
        pytest.skip("no gcc")
    found = native.limits([1], [1000], seconds=0)
    assert {"copy", "triad", "read"} <= {point["kind"] for point in found}
    assert all(point["rate"] > 0 for point in found)


# What is measured and what the tables say


def test_cases_left_out_of_the_quick_run_are_named():
    todo, left = versus.chosen([], [1000], quick=True)
    assert left == ["9-point filter at 2e+07: not in --quick", "100 Jacobi steps at 4e+06: not in --quick"]
    assert len(todo) + len(left) == len(cases.CASES) + 1  # the filter has two sizes
    assert not versus.chosen([], [1000], quick=False)[1]


def test_each_process_tells_its_peers_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    assert versus.environment(2)["OMP_NUM_THREADS"] == "2"
    assert versus.environment(1)["XLA_FLAGS"] == "--mine --xla_cpu_multi_thread_eigen=false"


def row(case, n, threads=1, functions=False, **ratios):
    times = {"engine": {"median": 1e-3, "min": 9e-4, "ratio": 1.0, "spread": [1, 1]}}
    for who, ratio in ratios.items():
        times[who] = {"median": ratio * 1e-3, "min": 1e-3, "ratio": ratio, "spread": [ratio - 0.1, ratio + 0.1]}
    absent = {} if "blosc2" in ratios else {"blosc2": "missing: No module named 'blosc2'"}
    return {"case": case, "n": n, "items": n, "threads": threads, "functions": functions, "times": times,
            "absent": absent, "limit": 5e-4, "bytes": 8 * n}  # fmt: skip


def run(*rows):
    machine = {"cpu": "Test CPU", "cores": 2, "caches": ["L2 1M"], "governor": "performance", "load": [0.5, 1.5],
               "date": "2026-11-23", "python": "3.11"}  # fmt: skip
    named = {"engine": "1", "numexpr": "2", "jax": "3", "blosc2": ""}
    found = {name: {"version": v, "reason": "No module named 'blosc2'" * (not v), "note": ""}
             for name, v in named.items()}  # fmt: skip
    limits = [{"kind": "copy", "threads": 1, "bytes": 160_000, "rate": 2e10}]
    return {"machine": machine, "threads": rows[0]["threads"], "peers": found, "cases": list(rows), "limits": limits,
            "first": {"seed": {"engine": 2e-6, "jax": 0.03}}, "left out": ["x at 1e9: not in --quick"]}  # fmt: skip


def test_the_heading_names_the_machine_its_load_and_every_peer_that_is_missing():
    words = report.versus_heading(run(row("seed", 1000, numexpr=2, jax=3)))
    assert "1 thread: Test CPU, 2 cores, L2 1M, governor performance, load 0.5 to 1.5, 2026-11-23" in words
    assert "missing: blosc2 (No module named 'blosc2')" in words
    assert "left out: x at 1e9: not in --quick" in words


def test_a_row_has_ratios_the_best_peer_and_a_word_for_each_empty_cell():
    it = run(row("seed", 1_000_000, numexpr=2.5, jax=0.8))
    cells = dict(zip(report.versus_columns(it), report.versus_cells(it, it["cases"][0]), strict=True))
    assert cells == {"case": "seed", "items": "1e6", "engine": "1 ms", "min": "900 µs", "of limit": "50 %",
                     "numexpr": "2.50", "jax": "0.80", "blosc2": "missing", "best peer": "jax",
                     "ratio to it (5-95 %)": "0.80 (0.70-0.90)"}  # fmt: skip


def test_no_share_of_memorys_limit_is_claimed_for_few_items():
    assert report.share(row("seed", 1000)) == "-"


def test_misses_are_found_by_size_and_kind_of_case():
    found = dict(
        report.misses(
            [
                run(
                    row("slower", 10, numexpr=0.9, jax=2),
                    row("short", 100_000, numexpr=1.9, jax=2),
                    row("enough", 100_000, numexpr=2.1, jax=0.5),
                    row("functions", 1_000_000, functions=True, numexpr=1.1, jax=2),
                    row("large", 30_000_000, numexpr=1.1, jax=2),
                    row("large enough", 30_000_000, numexpr=1.3, jax=2),
                )
            ]
        )
    )
    names = {words: [late["case"] for late, _ in rows] for words, rows in found.items()}
    assert names == {
        "behind numexpr": ["slower"],
        "below 2x numexpr at 1e5 and 1e6, cases without functions": ["short"],
        "below 1.2x numexpr at 3e7": ["large"],
        "behind the best peer": ["slower", "enough"],
    }


def test_markdown_tables_have_as_many_cells_in_every_line():
    text = report.versus_markdown(
        [run(row("seed", 1000, numexpr=2, jax=3)), run(row("seed", 1000, 2, numexpr=2, jax=3))]
    )
    blocks = [block for block in text.split("\n\n") if block.lstrip().startswith("|")]
    assert len(blocks) == 4
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "| 20 |" in text  # GB/s of the copy
    assert "- behind numexpr: none" in text
