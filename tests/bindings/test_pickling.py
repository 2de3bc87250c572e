"""Programs as values: equal by text and options, and sent to other processes as these."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import engine

OPTIONS = {
    "casting": "unsafe",
    "exactness": "relaxed",
    "backend": "interp",
    "threads": 2,
    "limits": engine.Limits(depth=17, nodes=1000, names=3, result_bytes=80, time=2.5),
}


def call(program, n):
    """Runs in another process."""
    return program(a=np.arange(float(n))), program.options


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_program_is_its_text_and_options(protocol):
    program = engine.compile("größe*2 + 1", **OPTIONS)
    again = pickle.loads(pickle.dumps(program, protocol))
    assert again == program and again.text == program.text and again.options == OPTIONS
    assert again(größe=1.5) == 4


def test_no_code_is_in_a_pickle():
    program = engine.compile("a*2 + 888001")
    before = len(pickle.dumps(program))
    program(a=np.ones(1000))
    assert len(pickle.dumps(program)) == before < 600


def test_programs_work_in_other_processes():
    program = engine.compile("2*a + 1", **{**OPTIONS, "limits": None})
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result, options = pool.apply(call, (program, 4))
        several = pool.starmap(call, [(program, n) for n in range(1, 4)])
    assert result.tolist() == [1, 3, 5, 7] and options == program.options
    assert [len(value) for value, _ in several] == [1, 2, 3]


def test_configuration_where_a_pickle_is_read_has_no_say():
    data = pickle.dumps(engine.compile("a*2 + 888002"))
    with engine.config(casting="unsafe", limits=engine.Limits(nodes=1)):
        assert pickle.loads(data).options["casting"] == "same_kind"


def test_a_pickle_of_what_is_no_expression_is_a_parse_error():
    data = pickle.dumps(engine.compile("a + 888003")).replace(b"a + 888003", b"a + ) 8003")
    with pytest.raises(engine.ParseError):
        pickle.loads(data)


def test_copies_are_the_program_itself():
    program = engine.compile("a*2")
    assert copy.copy(program) is program and copy.deepcopy([program])[0] is program


def test_programs_are_equal_by_text_and_options():
    program = engine.compile("a*2 + 888004")
    assert program == engine.compile("a*2 + 888004") and hash(program) == hash(engine.compile("a*2 + 888004"))
    others = [engine.compile("a*2 + 888005"), engine.compile("a*2 +  888004")]
    others += [engine.compile("a*2 + 888004", **{name: OPTIONS[name]}) for name in OPTIONS]
    assert all(program != other for other in others) and program != "a*2 + 888004" and len({program, *others}) == 8


def test_options_are_those_that_compile_takes():
    assert engine.compile("a", **OPTIONS).options == OPTIONS
    assert engine.compile("a").options == {
        "casting": "same_kind",
        "exactness": "strict",
        "backend": "auto",
        "threads": None,
        "limits": engine.Limits(),
    }
