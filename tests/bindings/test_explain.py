"""engine.explain(): the same facts in words and as data, and that they are what happens."""

import json

import numpy as np
import pytest

import engine

A = np.ones((3, 4))


def facts(text, names=None, **options):
    return engine.explain(text, names or {"a": A, "b": np.ones(4)}, **options).to_dict()


def test_json_and_dict_agree():
    explanation = engine.explain("2*a + b", {"a": A, "b": A})
    assert json.loads(explanation.json()) == explanation.to_dict()
    for name in ("expression", "operands", "stages", "passes", "kernels", "buffers", "totals", "backend"):
        assert getattr(explanation, name) == explanation.to_dict()[name]
    assert str(explanation) == explanation.text == repr(explanation) and explanation.text.startswith("2*a + b\n")


def test_stages_stand_in_order_and_took_time():
    stages = facts("2*a")["stages"]
    assert [stage["name"] for stage in stages] == ["parse", "build", "optimise", "plan", "code"]
    assert all(0 < stage["seconds"] < 1 for stage in stages)


@pytest.mark.parametrize(
    "text, changed",
    (
        ("a + b", set()),
        ("a + (2.0*3.0 + float64(1))", {"fold", "prune"}),
        ("a*1", {"algebra", "prune"}),
        ("a**2", {"power", "prune"}),
        ("c = a*b; a", {"prune"}),
    ),
)
def test_passes_say_whether_they_changed_anything(text, changed):
    passes = facts(text)["passes"]
    assert [p["name"] for p in passes] == ["power", "fold", "algebra", "relax", "prune"]
    assert {p["name"] for p in passes if p["changed"]} == changed
    assert all(p["nodes_before"] == q["nodes_after"] for q, p in zip(passes, passes[1:]))


def test_the_pass_of_relaxed_programs_says_so():
    passes = facts("a*b + a", {"a": np.ones(3), "b": np.ones(3)}, exactness="relaxed")["passes"]
    assert {p["name"] for p in passes if p["changed"]} == {"relax", "prune"}


def test_kernels_list_what_they_do():
    (kernel,) = facts("a[:, ::-1] + 2*b")["kernels"]
    kinds = [step["kind"] for step in kernel["instructions"]]
    assert sorted(kinds) == ["apply", "apply", "constant", "load", "load"] and kernel["elements"] == 12
    assert kernel["instructions"][0]["from"] == "a[:, ::-1]" and kernel["stores"][0]["to"] == "result"
    steps = kernel["instructions"]
    assert all(argument < i for i, step in enumerate(steps) for argument in step.get("arguments", ()))


def test_buffers_have_shapes_and_kinds():
    buffers = {b["name"]: b for b in facts("a - mean(a, axis=0)*b")["buffers"]}
    assert buffers["a"]["shape"] == [3, 4] and buffers["a"]["kind"] == "operand"
    assert buffers["result"] == {"name": "result", "kind": "result", "dtype": "float64", "shape": [3, 4]}
    assert [b["shape"] for b in buffers.values() if b["kind"] == "temporary"] == [[4]]


def test_operands_are_as_they_were_seen():
    operands = {o["name"]: o for o in facts("a += s*n", {"a": A.copy(), "s": 2.5, "n": np.int8(3)})["operands"]}
    assert operands["s"] == {"name": "s", "dtype": "float", "shape": [], "python_scalar": True, "written": False}
    assert operands["n"]["dtype"] == "int8" and not operands["n"]["python_scalar"]
    assert operands["a"]["written"] and operands["a"]["shape"] == [3, 4]


@pytest.mark.parametrize(
    "text",
    (
        "2*a + b",
        "a + b[::-1]",
        "sum(a*b, axis=1)",
        "(a - mean(a))/std(a)",
        "a.T[0] + 1",
        "t = a*b; t + t[::-1]",
        "1 + 1",
    ),
)
@pytest.mark.parametrize("order", ("K", "F"))
def test_totals_are_those_of_the_run(text, order):
    names = {"a": A, "b": np.arange(4.0)}
    totals = engine.explain(text, names, order=order).totals
    engine.evaluate(text, names, order=order)
    last = engine.last_run()
    assert totals == {name: getattr(last, name) for name in totals}
    kernels = facts(text, names, order=order)["kernels"]
    assert len(kernels) == totals["kernels"]
    for name in set(totals) - {"kernels"}:
        assert sum(kernel[name] for kernel in kernels) == totals[name]


def test_overlap_within_a_program_shows():
    a = np.arange(10.0)
    explanation = engine.explain("x[:] = x[::-1]*2", {"x": a})
    assert explanation.totals["copies"] == 1 and explanation.totals["bytes_copied"] == 80
    assert "1 copy of 80 bytes because of overlap" in explanation.text
    assert a.tolist() == list(range(10))


def test_nothing_is_computed_allocated_or_written():
    huge = np.broadcast_to(1.0, (1 << 20, 1 << 20))
    totals = engine.explain("2*a + 1", {"a": huge}).totals
    assert totals["bytes_written"] == 8 << 40 and totals["bytes_read"] == 8


def test_what_would_fail_fails_when_explained():
    with pytest.raises(engine.ShapeError):
        engine.explain("a + b", {"a": np.ones(3), "b": np.ones(4)})
    with pytest.raises(engine.DTypeError):
        engine.explain("a & b", {"a": np.ones(3), "b": np.ones(3)})


def test_the_backend_has_a_reason():
    assert facts("a")["backend"] == {"name": "interp", "why": "the operands are in the host's memory"}
    assert facts("a", backend="interp")["backend"] == {"name": "interp", "why": "asked for"}
    assert "backend: interp" in str(engine.explain("a", {"a": 1}))


@pytest.mark.parametrize("text", ('a + 1 # "quoted\\" and \t tab', "größe = a; größe + 1", "a +(\n 1)"))
def test_any_text_is_valid_json(text):
    assert facts(text)["expression"] == text


HAS_MODEL = "part of this build" not in str(engine.doctor().backends)


def test_a_prediction_counts_what_a_gpu_would_move_of_operands_that_need_not_exist():
    program = engine.compile("a[1:] - a[:-1] + b")
    names = {"a": np.broadcast_to(1.0, 1 << 20), "b": 3.0}
    if not HAS_MODEL:
        with pytest.raises(engine.BackendError, match="no backend"):
            program.predict("sm_90", names)
        return
    a = np.ones(1 << 20)
    hopper, turing = program.predict("sm_90", a=a, b=3.0), program.predict("sm_75", {"a": a, "b": 3.0})
    assert hopper.bytes == 8 * ((1 << 20) + 1 + (1 << 20) - 1)
    assert "H100" in hopper.device and hopper.device in hopper.text and str(hopper) == hopper.text
    assert hopper.seconds >= hopper.bytes / hopper.bytes_per_second and turing.seconds > hopper.seconds
    assert program.predict("sm_90", names).bytes == 8 * (1 + 1 + (1 << 20) - 1)  # what is repeated is read once
    assert program.stats.calls == 0


@pytest.mark.skipif(not HAS_MODEL, reason="this build has no CUDA backend, whose model it is")
def test_a_prediction_needs_a_data_sheet_and_sizes():
    with pytest.raises(engine.BackendError, match="(?s)sm_91.*help: there are sm_75, "):
        engine.compile("2*a").predict("sm_91", a=A)
    program = engine.compile("unique(a)")
    with pytest.raises(engine.BackendError, match="follows from values"):
        program.predict("sm_90", a=A)
    with pytest.raises(TypeError, match="the architecture of a GPU first"):
        program.predict({"a": A})
    with pytest.raises(engine.UnknownName):
        program.predict("sm_90", {})


def test_explaining_is_no_call_and_no_run():
    program = engine.compile("a*2 + 999001")
    engine.evaluate("a*3", {"a": np.ones(5)})
    before = engine.last_run()
    program.explain(a=A)
    assert program.stats.calls == 0 and engine.last_run() == before


def test_the_order_is_that_of_the_configuration():
    program = engine.compile("a*2 + 999002")
    with engine.config(order="F"):
        assert program.explain(a=A).totals == engine.explain("a*2 + 999002", {"a": A}, order="F").totals
