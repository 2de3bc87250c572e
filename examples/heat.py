"""Heat in a plate by explicit steps: the order of the scheme, and a picture.

The exact solution is known for a sine on a periodic plate: it keeps its shape and decays. Halving the grid's distance
(and quartering the time step with it) must divide the error by four; the script fails where it does not.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import engine

STEP = "u += r*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1] - 4*u)"
RATE = 0.2  # diffusivity * time step / distance**2; stable up to 0.25


def error(n: int) -> float:
    """Largest error at time 0.02 on a grid of n by n points over the unit square, diffusivity 1."""
    x = np.arange(n) / n
    start = engine.evaluate("sin(2*pi*x[:, None]) * cos(2*pi*x)", {"x": x})
    steps = round(0.02 / (RATE / n**2))
    computed = engine.stencil(STEP, u=start, r=RATE, boundary="wrap", steps=steps)
    given = {"computed": computed, "start": start, "t": steps * RATE / n**2}
    return float(engine.evaluate("max(abs(computed - start*exp(-8*pi**2*t)))", given))


def picture(path: Path) -> None:
    """A plate that a hot letter was pressed on, its rim kept cold."""
    u = np.zeros((160, 240))
    u[40:120, 60:80] = u[40:55, 60:140] = u[72:86, 60:120] = u[105:120, 60:140] = 1.0
    frames = [u]
    for steps in (60, 600):
        frames.append(engine.stencil(STEP, u=u, r=RATE, boundary="keep", steps=steps))
    Image.fromarray(engine.evaluate("uint8(255*x)", {"x": np.hstack(frames)})).save(path)


def main(folder: Path) -> None:
    errors = [error(n) for n in (16, 32, 64)]
    orders = [np.log2(errors[k] / errors[k + 1]) for k in range(2)]
    print("largest error on 16, 32, 64 points:", ", ".join(f"{e:.2e}" for e in errors), f"(order {orders[-1]:.2f})")
    assert all(1.9 < order < 2.1 for order in orders), orders
    picture(folder / "heat.png")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "docs" / "pictures")
