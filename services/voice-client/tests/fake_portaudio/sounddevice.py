"""Stands in for the library of this name in programs that tests start: devices that hear silence and play to nobody.

FAKE_DEVICES is a JSON list of devices, each {"name", "in", "out", "hz"}, with "only" for one that takes no other rate;
the first of each kind is the default. A device that is called "loud" hears a square wave. When the file FAKE_UNPLUG
exists, streams of the first device end, and it is gone.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_ALL = json.loads(os.environ.get("FAKE_DEVICES") or '[{"name": "test device", "in": 1, "out": 2, "hz": 48000}]')
_UNPLUG = Path(os.environ.get("FAKE_UNPLUG") or "/nonexistent")
_LOUD = (b"\x00\x20" * 16 + b"\x00\xe0" * 16) * 10


class PortAudioError(Exception):
    """As the library's."""


_listed = list(_ALL)


def _terminate() -> None:
    """The list of devices is read again by the next call."""


def _initialize() -> None:
    _listed[:] = _ALL[1:] if _UNPLUG.exists() else _ALL


def query_hostapis() -> list[dict[str, Any]]:
    """One."""
    return [{"name": "Fake API"}]


def query_devices(kind: str | None = None) -> Any:
    """All, or the default one of a kind."""
    devices = [
        {
            "index": _ALL.index(one),
            "name": one["name"],
            "hostapi": 0,
            "max_input_channels": one["in"],
            "max_output_channels": one["out"],
            "default_samplerate": float(one["hz"]),
        }
        for one in _listed
    ]
    if kind is None:
        return devices
    of_kind = [device for device in devices if device[f"max_{kind}_channels"]]
    if not of_kind:
        raise PortAudioError(f"no default {kind} device")
    return of_kind[0]


def check_input_settings(*, device: int, channels: int, dtype: str, samplerate: int) -> None:
    """Raises for another rate than the device's, where it has "only"."""
    if _ALL[device].get("only") and samplerate != _ALL[device]["hz"]:
        raise PortAudioError("Invalid sample rate")
    if channels > max(_ALL[device]["in"], _ALL[device]["out"]):
        raise PortAudioError("Invalid number of channels")


check_output_settings = check_input_settings


class _Stream:
    """A thread that calls back every block until it is closed or unplugged."""

    def __init__(
        self,
        *,
        device: int,
        samplerate: int,
        channels: int,
        blocksize: int,
        dtype: str,
        latency: str,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
    ) -> None:
        if _ALL[device] not in _listed:
            raise PortAudioError("Device unavailable")
        self._device = _ALL[device]
        self._block_s = blocksize / samplerate
        self._bytes = blocksize * channels * 2
        self._frames = blocksize
        self._callback = callback
        self._finished = finished_callback
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Stream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        for data in self._blocks():
            self._callback(data, self._frames, SimpleNamespace(outputBufferDacTime=0.02, currentTime=0.0), None)
        self._finished()

    def _blocks(self) -> Iterator[bytearray]:
        heard = bytes(self._bytes)
        if self._device["name"] == "loud":
            heard = (_LOUD * (self._bytes // len(_LOUD) + 1))[: self._bytes]
        while not self._closed.wait(self._block_s) and not (_UNPLUG.exists() and self._device is _ALL[0]):
            yield bytearray(heard)


class RawInputStream(_Stream):
    """A microphone."""


class RawOutputStream(_Stream):
    """A loudspeaker."""
