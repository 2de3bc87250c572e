"""What the engine does with an expression: the answers of engine.explain() and Program.predict()."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """What a static model says of a program on a GPU that need not be there: no measurement. str() gives it in words.

    device           : whose data sheet the rates are from.
    seconds          : of the kernels, operands and results being on the device.
    bytes            : that they move.
    bytes_per_second : the device's.
    text             : a line for each kernel: what an element takes, and what decides.

    >>> import numpy as np, engine
    >>> prediction = engine.compile("2*a + b").predict("sm_90", a=np.ones(10**6), b=np.ones(10**6))
    >>> prediction.device, prediction.bytes
    ('NVIDIA H100 SXM', 24000000.0)
    """

    device: str
    seconds: float
    bytes: float
    bytes_per_second: float
    text: str

    def __str__(self) -> str:
        return self.text


class Explanation:
    """What the engine does with an expression over operands like those given; str() gives it in words.

    text       : str, in words.
    stages     : what prepared it, in order, each a dict with name and seconds.
    passes     : of the optimiser, each with name, changed, nodes_before and nodes_after.
    kernels    : passes over memory in the order they run, each with elements, instructions, stores, reductions,
                 operations, bytes_read, bytes_written, copies and bytes_copied.
    buffers    : memory they read and write, each with name, kind ("operand", "temporary", "result"), dtype and shape.
    operands   : as they were seen, each with name, dtype, shape, python_scalar and written.
    totals     : kernels, operations, bytes_read, bytes_written, copies and bytes_copied, as engine.last_run() has them.
    backend    : name, and why.
    expression : the text.

    >>> import numpy as np, engine
    >>> explanation = engine.explain("sum(2*a*1)", {"a": np.ones(1000)})
    >>> [step["operation"] for step in explanation.kernels[0]["instructions"] if step["kind"] == "apply"]
    ['multiply']
    >>> [p["name"] for p in explanation.passes if p["changed"]]
    ['algebra', 'prune']
    >>> explanation.totals["bytes_read"]
    8008
    """

    __slots__ = ("_json", "text")

    def __init__(self, text: str, json: str) -> None:
        self.text = text
        self._json = json

    def json(self) -> str:
        """All of it as the text of a JSON object."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers, made anew on each call."""
        import json  # takes a while, and most who import engine never ask

        facts: dict[str, Any] = json.loads(self._json)
        return facts

    @property
    def expression(self) -> str:
        return str(self.to_dict()["expression"])

    @property
    def operands(self) -> list[dict[str, Any]]:
        return list(self.to_dict()["operands"])

    @property
    def stages(self) -> list[dict[str, Any]]:
        return list(self.to_dict()["stages"])

    @property
    def passes(self) -> list[dict[str, Any]]:
        return list(self.to_dict()["passes"])

    @property
    def kernels(self) -> list[dict[str, Any]]:
        return list(self.to_dict()["kernels"])

    @property
    def buffers(self) -> list[dict[str, Any]]:
        return list(self.to_dict()["buffers"])

    @property
    def totals(self) -> dict[str, int]:
        return dict(self.to_dict()["totals"])

    @property
    def backend(self) -> dict[str, str]:
        return dict(self.to_dict()["backend"])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text
