"""Real data through engine.evaluate: terrain, a photograph, and one polynomial.

Every computation is one engine expression. Its result is held against NumPy's bit for bit, and its time against
NumPy's and numexpr's, one thread each. Run it by ./dev demo; the pictures go to build/demo/.
"""

import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import matplotlib.cbook as cbook
import numexpr
import numpy as np
from PIL import Image

import engine

PICTURES = Path(__file__).resolve().parent.parent / "build" / "demo"
METRES_PER_DEGREE = 111_200

# Rise per metre to the east and to the north, by central differences; row 0 of the grid is the northernmost.
EAST = "(z[1:-1,2:] - z[1:-1,:-2]) / (2*dx)"
NORTH = "(z[:-2,1:-1] - z[2:,1:-1]) / (2*dy)"
SLOPE = f"sqrt(({EAST})**2 + ({NORTH})**2)"

# Cosine of the angle between the sun and the normal of the ground, which is (-east, -north, 1) before scaling.
SHADE = f"maximum(0, up - sun_e*({EAST}) - sun_n*({NORTH})) / sqrt(1 + ({EAST})**2 + ({NORTH})**2)"

FILTER = """
b[1:-1,1:-1] = (a[1:-1,1:-1]
    + 0.5*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])
    + 0.25*(a[:-2,:-2] + a[:-2,2:] + a[2:,:-2] + a[2:,2:])) / 4
"""

SEED = "4*a + 5*a*b + 6*b*c"


class Study(NamedTuple):
    """One computation: what the engine is given, and the same by hand in NumPy and in numexpr."""

    title: str
    text: str
    names: dict
    numpy: callable
    numexpr: callable
    result: callable  # the array to compare, from what the call returned


def terrain():
    """The elevations of the Jacksboro fault, in metres, with the sizes of a cell, and a sun in the north-west."""
    data = cbook.get_sample_data("jacksboro_fault_dem.npz")
    latitude = math.radians(float(data["ymin"]))
    azimuth, altitude = math.radians(315), math.radians(45)
    return {
        "z": data["elevation"],
        "dx": METRES_PER_DEGREE * float(data["dx"]) * math.cos(latitude),
        "dy": METRES_PER_DEGREE * float(data["dy"]),
        "sun_e": math.cos(altitude) * math.sin(azimuth),
        "sun_n": math.cos(altitude) * math.cos(azimuth),
        "up": math.sin(altitude),
    }


def photograph():
    """The green channel of the portrait of Grace Hopper: every third float32 of the picture, in 0..1."""
    with Image.open(cbook.get_sample_data("grace_hopper.jpg")) as image:
        return (np.asarray(image, dtype=np.float32) / np.float32(255))[:, :, 1]


def slope_study(land):
    z, dx, dy = land["z"], land["dx"], land["dy"]

    def by_numpy():
        east = (z[1:-1, 2:] - z[1:-1, :-2]) / (2 * dx)
        north = (z[:-2, 1:-1] - z[2:, 1:-1]) / (2 * dy)
        return np.sqrt(east**2 + north**2)

    views = {"e": z[1:-1, 2:], "w": z[1:-1, :-2], "n": z[:-2, 1:-1], "s": z[2:, 1:-1], "dx": dx, "dy": dy}
    return Study(
        "slope of the elevations",
        SLOPE,
        {"z": z, "dx": dx, "dy": dy},
        by_numpy,
        lambda: numexpr.evaluate("sqrt(((e - w)/(2*dx))**2 + ((n - s)/(2*dy))**2)", views),
        lambda returned: returned,
    )


def shade_study(land):
    z, dx, dy, sun_e, sun_n, up = (land[name] for name in ("z", "dx", "dy", "sun_e", "sun_n", "up"))

    def by_numpy():
        east = (z[1:-1, 2:] - z[1:-1, :-2]) / (2 * dx)
        north = (z[:-2, 1:-1] - z[2:, 1:-1]) / (2 * dy)
        return np.maximum(0, up - sun_e * east - sun_n * north) / np.sqrt(1 + east**2 + north**2)

    views = land | {"e": z[1:-1, 2:], "w": z[1:-1, :-2], "n": z[:-2, 1:-1], "s": z[2:, 1:-1]}
    east, north = "((e - w)/(2*dx))", "((n - s)/(2*dy))"
    text = f"maximum(0, up - sun_e*{east} - sun_n*{north}) / sqrt(1 + {east}**2 + {north}**2)"
    return Study("hill-shade", SHADE, land, by_numpy, lambda: numexpr.evaluate(text, views), lambda returned: returned)


def filter_study(a):
    b, by_hand, by_peer = a.copy(), a.copy(), a.copy()

    def by_numpy():
        by_hand[1:-1, 1:-1] = (
            a[1:-1, 1:-1]
            + 0.5 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])
            + 0.25 * (a[:-2, :-2] + a[:-2, 2:] + a[2:, :-2] + a[2:, 2:])
        ) / 4
        return by_hand

    rows = {"n": slice(None, -2), "m": slice(1, -1), "s": slice(2, None)}
    columns = {"w": slice(None, -2), "m": slice(1, -1), "e": slice(2, None)}
    views = {r + c: a[rows[r], columns[c]] for r in rows for c in columns}
    # Literals are float64 to numexpr; these keep it in float32, as NumPy and the engine are.
    views |= {"half": np.float32(0.5), "quarter": np.float32(0.25), "four": np.float32(4)}
    text = "(mm + half*(nm + sm + mw + me) + quarter*(nw + ne + sw + se)) / four"
    return Study(
        "9-point filter of the photograph",
        FILTER,
        {"a": a, "b": b},
        by_numpy,
        lambda: numexpr.evaluate(text, views, out=by_peer[1:-1, 1:-1]),
        lambda _: b,
    )


def seed_study():
    a, b, c = np.random.default_rng(1).random((3, 1000, 1000))
    names = {"a": a, "b": b, "c": c}
    return Study(
        f"{SEED}, 1000 x 1000",
        SEED,
        names,
        lambda: 4 * a + 5 * a * b + 6 * b * c,
        lambda: numexpr.evaluate(SEED, names),
        lambda returned: returned,
    )


def medians(calls, seconds=1.0):
    """Median time of each call in seconds. The calls take turns, so that a busy machine slows all of them alike."""
    times = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(times[0]) < 7 or time.perf_counter() < end:
        for call, log in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            log.append(time.perf_counter() - start)
    return [float(np.median(log)) for log in times]


def agreement(got, expected):
    """In words: how far the engine's array is from NumPy's."""
    if got.dtype == expected.dtype and got.shape == expected.shape and got.tobytes() == expected.tobytes():
        return "same bits"
    return f"DIFFERS by up to {np.max(np.abs(got.astype(float) - expected)):.3g}"


def on_a_gpu(studies, expected):
    """The same expressions where their arrays are on a GPU, if there is one: what came out, in words."""
    backend = next(backend for backend in engine.doctor().backends if backend.name == "cuda")
    if not backend.usable:
        print(f'  not run: the backend "cuda" is {backend.reason}')
        return []
    verdicts = []
    for study in studies:
        there = {k: engine.to_device(v) if isinstance(v, np.ndarray) else v for k, v in study.names.items()}
        returned = engine.evaluate(study.text, there)
        result = there["b"] if study.text == FILTER else returned
        verdicts.append(agreement(result.numpy(), expected[study.title]))
        print(f"  {study.title:34}{verdicts[-1]}")
    return verdicts


def save(name, values):
    """Writes values in 0..1 as a PNG of 8 bits a channel."""
    path = PICTURES / name
    levels = engine.evaluate("uint8(rint(255*clip(values, 0, 1)))", {"values": values})
    Image.fromarray(levels).save(path)
    print(f"  {path.relative_to(PICTURES.parent.parent)}   {levels.shape[1]} x {levels.shape[0]}")


def main():
    numexpr.set_num_threads(1)
    PICTURES.mkdir(parents=True, exist_ok=True)
    land, portrait = terrain(), photograph()
    z = land["z"]
    print(f"elevations of the Jacksboro fault    {z.shape[0]} x {z.shape[1]} {z.dtype}, {z.min()} to {z.max()} m")
    height, width = portrait.shape
    print(f"green of a portrait of Grace Hopper  {height} x {width} {portrait.dtype}, strides {portrait.strides} bytes")

    studies = [slope_study(land), shade_study(land), filter_study(portrait), seed_study()]
    print("\nmedian time in ms, one thread each")
    print(f"{'':34}{'engine':>8}{'NumPy':>9}{'numexpr':>9}{'to NumPy':>11}{'to numexpr':>12}  against NumPy")
    results, verdicts = {}, []
    for study in studies:
        returned = engine.evaluate(study.text, study.names)
        results[study.title] = study.result(returned)
        verdicts.append(agreement(results[study.title], study.numpy()))
        ours, numpys, peers = medians(
            [lambda s=study: engine.evaluate(s.text, s.names, threads=1), study.numpy, study.numexpr]
        )
        print(
            f"{study.title:34}{ours * 1e3:8.3f}{numpys * 1e3:9.3f}{peers * 1e3:9.3f}"
            f"{numpys / ours:10.1f}x{peers / ours:11.1f}x  {verdicts[-1]}"
        )

    print("\nwhat the engine does for the slope")
    print("  " + str(engine.explain(SLOPE, land)).strip().replace("\n", "\n  "))
    print("\nthe same on a GPU, against the CPU's")
    verdicts += on_a_gpu(studies, results)
    print("\npictures")
    save("hillshade.png", results["hill-shade"])
    save("photograph.png", results["9-point filter of the photograph"])
    return 0 if all(verdict == "same bits" for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
