"""A drop in a rectangular pond: the wave equation, two fields that are updated at once."""

from pathlib import Path

import numpy as np
from PIL import Image

import engine

STEP = """
lap = u(i-1, j) + u(i+1, j) + u(i, j-1) + u(i, j+1) - 4*u
u = 2*u - before + c2*lap
before = u
"""


def main(folder: Path) -> None:
    y, x = np.mgrid[:180, :260]
    drop = engine.evaluate("exp(-((x - 80)**2 + (y - 60)**2) / 40)", {"x": x, "y": y})
    fields = engine.stencil(STEP, u=drop, before=drop, c2=0.25, boundary="reflect", steps=330)
    u = fields["u"]
    # What a reflecting pond keeps is its water.
    assert abs(u.sum() / drop.sum() - 1) < 1e-9
    print(f"after 330 steps: {u.min():.3f} to {u.max():.3f}, water kept to {abs(u.sum() / drop.sum() - 1):.1e}")
    Image.fromarray(engine.evaluate("uint8(clip(128 + 700*u, 0, 255))", fields)).save(folder / "wave.png")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "docs" / "pictures")
