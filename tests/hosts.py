"""Backends of the host that can be asked for on this machine: "interp", and "jit" where it has machine code."""

import engine

HOSTS = [backend.name for backend in engine.doctor().backends if backend.usable and backend.name != "cuda"]
