"""Where wheels have put libraries that the engine opens at run time."""

from __future__ import annotations

import importlib.util
import os


def folders() -> list[str]:
    """Folders of NVRTC, beside which CUB's headers may be.

    The extras engine[cuda13] and engine[cuda12] install both into the namespace package `nvidia`.
    """
    spec = importlib.util.find_spec("nvidia")
    found = []
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("cu13", "cuda_nvrtc", "cuda_cccl"):
            if os.path.isdir(os.path.join(place, name)):
                found.append(os.path.join(place, name, "lib"))
    return found
