"""Generated slices of operands that are as large as a few pieces, against the interpreter: the same bits.

Run as a program, for which ENGINE_CUDA_DRIVER says what a device is:
`python -m tests.kernels_cuda.streaming_generated SEED COUNT`. Prints what differs, and how many were compared.
"""

from __future__ import annotations

import sys

import numpy as np

import engine

DTYPES = (np.float64, np.float64, np.float32, np.int16)


class Generator:
    """Programs over a, b and t, of one shape: sums of their slices as they are, reduced, or assigned to slices of t."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def n(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def operands(self) -> dict[str, np.ndarray]:
        leading = ((), (self.n(20, 2500),), (self.n(5, 60), self.n(3, 200)))[self.n(0, 3)]
        self.shape = (*leading, max(8, self.n(1_100_000, 2_000_000) // int(np.prod(leading))))
        names = {}
        for name in "abt":
            array = (self.rng.random(self.shape) * 100).astype(DTYPES[self.n(0, 2 if name == "t" else 4)])
            if self.rng.random() < 0.15:
                array = array.astype(array.dtype.newbyteorder())
            names[name] = array.copy(order="F") if self.rng.random() < 0.1 else array
        return names

    def program(self) -> str:
        steps = [int(self.rng.choice((1, 1, 1, 2))) for _ in self.shape]
        lengths = [
            max(1, (extent - self.n(0, 4)) // step - self.n(0, 3))
            for extent, step in zip(self.shape, steps, strict=True)
        ]

        def one(extent: int, step: int, length: int) -> str:
            span = (length - 1) * step + 1
            begin = self.n(0, min(extent - span, 5) + 1)
            if self.rng.random() < 0.08:
                return f"{begin + span - 1}:{begin - 1 if begin else ''}:-{step}"
            return f"{begin}:{begin + span}:{step}"

        def view(name: str) -> str:
            return f"{name}[{', '.join(map(one, self.shape, steps, lengths))}]"

        value = " + ".join(f"{self.n(1, 4)}*{view('abt'[self.n(0, 3)])}" for _ in range(self.n(1, 5)))
        if self.rng.random() < 0.2:
            value += f" + index({self.n(0, len(self.shape))})"
        kind = self.rng.random()
        if kind < 0.35:
            return value
        if kind < 0.55:
            axis = f", axis={self.n(0, len(self.shape))}" if kind < 0.5 else ""
            return f"{('sum', 'max', 'mean', 'argmin')[self.n(0, 4)]}({value}{axis})"
        return f"{view('t')} {'+' if self.rng.random() < 0.3 else ''}= {value}"


def main(seed: int, count: int) -> None:
    generator = Generator(seed)
    compared = 0
    for _ in range(count):
        names = generator.operands()
        text = generator.program()
        there, here = (names | {"t": names["t"].copy()} for _ in range(2))
        try:
            got = engine.evaluate(text, there, backend="cuda", casting="unsafe")
        except engine.OutOfMemory:
            if there["t"].tobytes() != names["t"].tobytes():
                print("written, and refused:", text)
            continue
        wanted = engine.evaluate(text, here, backend="interp", casting="unsafe")
        compared += 1
        if got.tobytes() != wanted.tobytes() or there["t"].tobytes() != here["t"].tobytes():
            layouts = {name: (str(array.dtype), array.strides) for name, array in names.items()}
            print("differs:", text, generator.shape, layouts)
    print(compared, "compared")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
