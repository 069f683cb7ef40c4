"""On what was it measured? The machine, its load, and who runs on which core."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def facts(*, gateway: bool = True) -> dict[str, str]:
    """What a reader must know to compare numbers; `gateway`: one is measured."""
    load = " ".join(f"{part:.2f}" for part in os.getloadavg())
    found = {
        "cpu": f"{cpu_name()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in ("grpcio", "uvloop", "openai", "onnxruntime")),
        "load at start (1, 5, 15 min)": load,
    }
    return found | ({"gateway alone on a core": "yes" if can_pin() else "no"} if gateway else {})


def cpu_name() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def can_pin() -> bool:
    """Can processes be kept on cores, and is there a core for the gateway alone?"""
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1


def cores(*, gateway: bool = True) -> tuple[set[int], set[int]]:
    """The gateway's core, and those of everything else; the same set twice without a gateway, or where nothing can be
    pinned."""
    every = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    return ({every[0]}, set(every[1:])) if gateway and len(every) > 1 else (set(every), set(every))


def pin(pid: int, on: set[int]) -> None:
    """Keep a process and every thread it has on the cores `on`; nothing where the system can't."""
    if not hasattr(os, "sched_setaffinity"):
        return
    for thread in psutil.Process(pid).threads():
        try:
            os.sched_setaffinity(thread.id, on)
        except ProcessLookupError:
            continue  # a thread that has ended since


@contextmanager
def here_on(on: set[int]) -> Iterator[None]:
    """Keep this process on the cores `on` inside the block."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    pin(os.getpid(), on)
    try:
        yield
    finally:
        pin(os.getpid(), before)


def command() -> str:
    """How to run this again."""
    return " ".join(["voice-bench", *sys.argv[1:]])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "-"
