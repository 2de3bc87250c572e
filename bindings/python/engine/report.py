"""What this engine is and where it runs: engine.doctor()."""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import Any

from . import _core

_WITHOUT_FMA = ", without fused multiply-add: elementary functions give the same bits many times slower"


@dataclasses.dataclass(frozen=True, slots=True)
class Backend:
    """A backend, whether it can be used here, and why."""

    name: str
    usable: bool
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What doctor() found; str() gives it in words, to_dict() as plain data.

    version         : of the engine.
    compiler        : that built it.
    instruction_set : that its kernels use here: the best of the build that the CPU and ENGINE_ISA allow.
    fused_multiply_add : whether those have it as an instruction; where not, elementary functions give the same bits
                      many times slower.
    python, numpy   : versions in use.
    platform        : operating system and architecture.
    cpu             : model.
    caches          : bytes of each cache of the first CPU, by name ("L1d", "L2", "L3").
    cpus            : "online" in the machine, "affinity" (allowed to this process), "quota" (CPUs' worth of time that
                      its control groups grant; None: no quota).
    threads         : that an evaluation may use.
    backends        : each with a reason.
    cuda            : what the backend "cuda" found: "driver", "device 0" …, "NVRTC", "headers", "cache";
                      where something is missing, what to install.
    environment     : variables ENGINE_* that are set.
    """

    version: str
    compiler: str
    instruction_set: str
    fused_multiply_add: bool
    python: str
    numpy: str
    platform: str
    cpu: str
    caches: dict[str, int]
    cpus: dict[str, float | None]
    threads: int
    backends: tuple[Backend, ...]
    cuda: dict[str, str]
    environment: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As dicts, lists, strings and numbers, ready for json."""
        return {**dataclasses.asdict(self), "backends": [dataclasses.asdict(backend) for backend in self.backends]}

    def __str__(self) -> str:
        quota = self.cpus["quota"]
        rows = [
            ("engine", f"{self.version}, built by {self.compiler}"),
            ("instruction set", self.instruction_set + ("" if self.fused_multiply_add else _WITHOUT_FMA)),
            ("Python, NumPy", f"{self.python}, {self.numpy}"),
            ("platform", self.platform),
            ("CPU", self.cpu),
            ("caches", ", ".join(f"{name} {_size(n_bytes)}" for name, n_bytes in self.caches.items()) or "unknown"),
            (
                "CPUs",
                f"{self.cpus['online']} online, {self.cpus['affinity']} by affinity, "
                + ("no quota" if quota is None else f"quota of {quota:g}"),
            ),
            ("threads", str(self.threads)),
            *(
                (f"backend {backend.name}", f"{'yes' if backend.usable else 'no'}: {backend.reason}")
                for backend in self.backends
            ),
            *((f"cuda {name}", value) for name, value in self.cuda.items()),
            ("environment", ", ".join(f"{name}={value}" for name, value in self.environment.items()) or "nothing set"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {value}" for name, value in rows)

    def __repr__(self) -> str:
        return str(self)


def doctor() -> Report:
    """What this engine is and where it runs, for bug reports and for finding out why a backend is not used.

    >>> import engine
    >>> report = engine.doctor()
    >>> [backend.name for backend in report.backends if backend.usable]
    ['interp'...]
    >>> print(report)
    engine ... built by ...
    """
    import numpy as np

    return Report(
        **_core._build_info(),
        python=sys.version.split()[0],
        numpy=np.__version__,
        platform="{0.sysname} {0.release}, {0.machine}".format(os.uname()),
        cpu=_cpu(),
        caches=_caches(),
        cpus={"online": os.cpu_count(), "affinity": _affinity(), "quota": _quota()},
        threads=_core.num_threads(),
        backends=tuple(Backend(*row) for row in _core._backends()),
        cuda=_core._facts(),
        environment={name: value for name, value in sorted(os.environ.items()) if name.startswith("ENGINE_")},
    )


def _size(n_bytes: int) -> str:
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if n_bytes >= size:
            return f"{n_bytes / size:g} {unit}"
    return f"{n_bytes} bytes"


def _text(*path: str | os.PathLike[str]) -> str:
    """The text of a file of the kernel's, empty where there is none."""
    try:
        with open(os.path.join(*path), errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _cpu(cpuinfo: str | os.PathLike[str] = "/proc/cpuinfo") -> str:
    for line in _text(cpuinfo).splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return os.uname().machine


def _caches(folder: str | os.PathLike[str] = "/sys/devices/system/cpu/cpu0/cache") -> dict[str, int]:
    found = {}
    for index in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        size = _text(folder, index, "size")
        kind = {"Data": "d", "Instruction": "i"}.get(_text(folder, index, "type"), "")
        if size.endswith("K") and size[:-1].isdigit():
            found[f"L{_text(folder, index, 'level')}{kind}"] = int(size[:-1]) << 10
    return found


def _affinity() -> int | None:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _quota(
    root: str | os.PathLike[str] = "/sys/fs/cgroup", membership: str | os.PathLike[str] = "/proc/self/cgroup"
) -> float | None:
    """The smallest quota of this process's control groups and those around them, in CPUs; of version 2, then 1."""
    quotas = []
    for line in _text(membership).splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = os.path.join(root, "cpu") if controllers else os.fspath(root)
        names = [name for name in group.split("/") if name]
        for depth in range(len(names) + 1):
            folder = os.path.join(base, *names[:depth])
            if controllers:
                quota, period = _text(folder, "cpu.cfs_quota_us"), _text(folder, "cpu.cfs_period_us")
            else:
                quota, _, period = _text(folder, "cpu.max").partition(" ")
            if quota.isdigit() and period.isdigit() and int(period) > 0:
                quotas.append(int(quota) / int(period))
    return min(quotas, default=None)
