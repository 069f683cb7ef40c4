"""Which device did the caller mean? By number, by part of a name, or the machine's default one.

Pure: the list of devices comes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["input", "output"]
_PLAIN = {"input": "microphone", "output": "loudspeaker"}


class NoAudio(Exception):
    """There is no usable audio device; str() is a sentence that says what to do instead."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device as PortAudio lists it. `inputs` and `outputs` are channels; 0 = it is no such device."""

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    default_hz: int
    is_default_input: bool = False
    is_default_output: bool = False

    def is_default(self, kind: Kind) -> bool:
        """Whether the machine takes it where none is chosen."""
        return self.is_default_input if kind == "input" else self.is_default_output

    def can(self, kind: Kind) -> bool:
        """Whether it is such a device."""
        return bool(self.inputs if kind == "input" else self.outputs)


def choose(devices: Sequence[DeviceInfo], wish: str, kind: Kind) -> DeviceInfo:
    """The device for `wish`: "" = the default one, a number, or part of a name. Raises NoAudio."""
    usable = [device for device in devices if device.can(kind)]
    if not usable:
        raise NoAudio(f"this machine has no {_PLAIN[kind]}; plug one in, or use: voice say FILE.wav, voice ask TEXT")
    if not wish:
        return next((device for device in usable if device.is_default(kind)), usable[0])
    if wish.isdecimal():
        found = [device for device in usable if device.index == int(wish)]
    else:
        found = _by_name(usable, wish, kind)
    if len(found) == 1:
        return found[0]
    trouble = "several devices are called like that" if found else "there is no such device"
    raise NoAudio(f"--{kind} {wish}: {trouble}; take one of: {_listed(found or usable)}")


def _by_name(usable: Sequence[DeviceInfo], wish: str, kind: Kind) -> list[DeviceInfo]:
    """Those of the whole name come before those of a part, and the host API of the default device before the others:
    Windows lists each device once for MME, DirectSound and WASAPI."""
    name = wish.casefold()
    found = [device for device in usable if device.name.casefold() == name]
    found = found or [device for device in usable if name in device.name.casefold()]
    usual = {device.host_api for device in usable if device.is_default(kind)}
    return [device for device in found if device.host_api in usual] or found


def _listed(devices: Sequence[DeviceInfo]) -> str:
    return ", ".join(f"{device.index} {device.name} ({device.host_api})" for device in devices)
