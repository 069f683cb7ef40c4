"""How is a program kept below so much memory, as a container is? In a control group of its own, version 1 or 2."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A group with a memory limit; whoever writes its process number into `procs` is in it."""

    folder: Path
    version: int

    @property
    def procs(self) -> Path:
        """Where a program writes its process number."""
        return self.folder / "cgroup.procs"

    def peak_mb(self) -> float:
        """The most it has held so far, kernel memory of its sockets included; MB of 2**20 bytes."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        return int((self.folder / name).read_text()) / 2**20

    def kills(self) -> int:
        """Processes the kernel ended because they wanted more."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        lines = dict(line.split() for line in (self.folder / name).read_text().splitlines())
        return int(lines.get("oom_kill", 0))


@contextlib.contextmanager
def limited(limit_mb: int) -> Iterator[Cgroup | str]:
    """A group for the block, below that of this process; or the sentence why there can be none."""
    try:
        group = _made(limit_mb)
    except OSError as trouble:
        yield f"no control group can be made here ({trouble.strerror}: {trouble.filename}); run as root to limit memory"
        return
    try:
        yield group
    finally:
        with contextlib.suppress(OSError):
            group.folder.rmdir()


def _made(limit_mb: int) -> Cgroup:
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    name = f"voice-bench-{os.getpid()}"
    first = next((path for controllers, path in own.items() if "memory" in controllers.split(",")), None)
    if first is not None:
        group = Cgroup(_ROOT / "memory" / first.strip("/") / name, 1)
        limits = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    else:
        # A group with processes in it can't have limited ones below it: this one's neighbour is made.
        group = Cgroup((_ROOT / own.get("", "").strip("/")).parent / name, 2)
        limits = ("memory.max", "memory.swap.max")
    group.folder.mkdir()
    try:
        (group.folder / limits[0]).write_text(str(limit_mb * 2**20))
    except OSError:
        group.folder.rmdir()
        raise
    with contextlib.suppress(OSError):  # a system without swap has no such file
        (group.folder / limits[1]).write_text(str(limit_mb * 2**20 if group.version == 1 else 0))
    return group
