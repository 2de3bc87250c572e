"""Edges of a photograph: Sobel's filter by offsets, and the same by engine.ndimage."""

from pathlib import Path

import engine.ndimage
import matplotlib.cbook as cbook
import numpy as np
from PIL import Image

import engine

EDGES = """
down = a[1,-1] + 2*a[1,0] + a[1,1] - a[-1,-1] - 2*a[-1,0] - a[-1,1]
right = a[-1,1] + 2*a[0,1] + a[1,1] - a[-1,-1] - 2*a[0,-1] - a[1,-1]
hypot(down, right)
"""


def main(folder: Path) -> None:
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        photograph = np.asarray(Image.open(file).convert("L"), dtype=np.float64)
    edges = engine.stencil(EDGES, a=photograph)
    along = {name: engine.ndimage.sobel(photograph, axis) for axis, name in enumerate(("down", "right"))}
    assert np.array_equal(edges, engine.evaluate("hypot(down, right)", along))
    print(f"edges of {photograph.shape[1]} by {photograph.shape[0]} pixels, up to {edges.max():.0f}")
    shown = Image.fromarray(engine.evaluate("uint8(255 - minimum(edges, 255))", {"edges": edges}))
    shown.resize((256, 300)).save(folder / "sobel.png")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "docs" / "pictures")
