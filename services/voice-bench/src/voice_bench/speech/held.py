"""What does a server process hold at a moment? Memory, files, threads, children; our own connections apart."""

from dataclasses import dataclass

import psutil

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """After so many requests."""

    requests: int
    rss_mb: float
    """MiB."""
    files: int
    """Open files without those of established connections: a client that keeps one makes one."""
    connections: int
    threads: int
    children: int
    """Processes it started, and those started."""


def look(process: psutil.Process, requests: int) -> Held:
    """What it holds now."""
    with process.oneshot():
        rss_mb, threads = process.memory_info().rss / _MIB, process.num_threads()
    established = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
    files = process.num_fds() - len(established)
    return Held(requests, rss_mb, files, len(established), threads, len(process.children(recursive=True)))
