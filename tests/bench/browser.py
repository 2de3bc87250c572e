"""A page as Chromium shows it: a picture of it, and what is wrong with how it is laid out."""

from __future__ import annotations

import html
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np
from PIL import Image

# Texts that are cut off or lie on each other, marks outside their picture, a page wider than its window.
CHECKS = """
<pre id="found"></pre><script>
const found = [], slack = 1.5;
const name = e => e.textContent.trim() || e.outerHTML.slice(0, 60);
const within = (a, b) => a.left >= b.left - slack && a.right <= b.right + slack &&
  a.top >= b.top - slack && a.bottom <= b.bottom + slack;
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll("text")];
  const dots = [...svg.querySelectorAll("circle")];
  for (const mark of svg.querySelectorAll("text, circle, path, rect, line"))
    if (!within(mark.getBoundingClientRect(), frame)) found.push("outside of its picture: " + name(mark));
  for (const [i, a] of texts.entries())
    for (const b of [...texts.slice(i + 1), ...dots]) {
      const p = a.getBoundingClientRect(), q = b.getBoundingClientRect();
      if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > slack &&
          Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > slack)
        found.push("on each other: " + name(a) + ", " + name(b));
    }
}
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) found.push("wider than its window");
document.getElementById("found").textContent = JSON.stringify(found);
</script>
"""


def _chromium(*words: str) -> str:
    with tempfile.TemporaryDirectory() as profile:  # of its own: another one may be running
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
            + [f"--user-data-dir={profile}", *words],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def complaints(page: pathlib.Path, width: int = 1100) -> list[str]:
    checked = page.with_name("checked-" + page.name)
    checked.write_text(page.read_text().replace("</body>", CHECKS + "</body>"))
    shown = _chromium(f"--window-size={width},2000", "--dump-dom", checked.as_uri())
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', shown, re.S)[1]))


def picture(page: pathlib.Path, width: int = 1100, height: int = 2000) -> np.ndarray:
    """(height, width, 3), uint8. Kept beside the page, as a .png."""
    path = page.with_suffix(".png")
    _chromium(f"--window-size={width},{height}", f"--screenshot={path}", page.as_uri())
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
