"""What does a server process hold at a moment? Memory, files, threads, children; our own connections apart."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

SETTLE_S = 5.0
"""Once we have hung up: so long may the server need to notice."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class ProcessStats:
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


def process_stats(process: psutil.Process, requests: int) -> ProcessStats:
    """What it holds now."""
    with process.oneshot():
        rss_mb, threads = process.memory_info().rss / _MIB, process.num_threads()
    established = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
    files = process.num_fds() - len(established)
    return ProcessStats(requests, rss_mb, files, len(established), threads, len(process.children(recursive=True)))


async def stats_when_idle(process: psutil.Process, requests: int) -> ProcessStats:
    """What is held once the server has noticed that nobody is connected, or has had its time to."""
    due = time.monotonic() + SETTLE_S
    # One that we have closed is no connection any more, but a file until the server closes it, too.
    peers = process.net_connections("tcp")
    while any(one.status != psutil.CONN_LISTEN for one in peers) and time.monotonic() < due:
        await asyncio.sleep(0.1)
        peers = process.net_connections("tcp")
    return process_stats(process, requests)


async def taken_slots(session: aiohttp.ClientSession) -> float:
    """Places for requests that are taken, or waited for, by the server's own count."""
    async with session.get("/metrics") as got:
        families = text_string_to_metric_families(await got.text())
    return sum(
        sample.value
        for family in families
        if family.name in ("speech_admission_active", "speech_admission_waiting")
        for sample in family.samples
    )
