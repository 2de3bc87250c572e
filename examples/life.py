"""Conway's Game of Life on a torus: integers, and a rule by comparison."""

from pathlib import Path

import numpy as np
from PIL import Image

import engine

RULE = """
n = a[-1,-1] + a[-1,0] + a[-1,1] + a[0,-1] + a[0,1] + a[1,-1] + a[1,0] + a[1,1]
a = uint8((n == 3) | ((n == 2) & (a == 1)))
"""


def main(folder: Path) -> None:
    glider = np.zeros((24, 24), np.uint8)
    glider[1, 2] = glider[2, 3] = glider[3, 1:4] = 1
    moved = engine.stencil(RULE, a=glider, boundary="wrap", steps=4 * 24)
    assert np.array_equal(moved, glider)  # once around the torus
    soup = np.random.default_rng(1).integers(0, 2, (180, 260)).astype(np.uint8)
    late = engine.stencil(RULE, a=soup, boundary="wrap", steps=400)
    print(f"a glider went around in 96 steps; of {soup.sum()} cells {late.sum()} live after 400 steps")
    Image.fromarray(255 - 255 * np.repeat(np.repeat(late, 3, 0), 3, 1)).save(folder / "life.png")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "docs" / "pictures")
