"""The bar of progress=True."""

from __future__ import annotations

import importlib
import sys
from typing import Any


class Bar:
    """Told how much of an evaluation is done, from 0 to 1: tqdm's where that can be imported, else per cents."""

    def __init__(self) -> None:
        self._tqdm: Any = None
        self._shown = -1
        try:
            tqdm = importlib.import_module("tqdm.auto")
        except ImportError:
            return
        self._tqdm = tqdm.tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}<{remaining}", leave=False)

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if self._tqdm is not None:
            self._tqdm.update(percent - self._tqdm.n)
        elif percent > self._shown and sys.stderr is not None:
            self._shown = percent
            sys.stderr.write(f"\r{percent:3d} %")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the bar down."""
        if self._tqdm is not None:
            self._tqdm.close()
        elif self._shown >= 0 and sys.stderr is not None:
            sys.stderr.write("\r     \r")
            sys.stderr.flush()
