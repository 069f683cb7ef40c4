"""`voice devices`: which microphones and loudspeakers are there, and which rates do they take?"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from voice_client.cli.output import write_line
from voice_client.cli.runner import USAGE, stderr
from voice_client.device_choice import DeviceInfo, Kind, NoAudio
from voice_client.devices import devices as list_devices
from voice_client.devices import usable_rates

_KINDS: tuple[tuple[Kind, str], ...] = (("input", "microphone"), ("output", "loudspeaker"))


def devices(
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line to stdout.")] = False,
) -> None:
    """List the microphones and loudspeakers of this machine. A star marks those that are taken where none is chosen.

    Take one by its number or by part of its name: voice talk --input 3 --output head.
    """
    try:
        found = list_devices()
        rows = [
            (kind, plain, device, usable_rates(device, kind))
            for kind, plain in _KINDS
            for device in found
            if device.can(kind)
        ]
    except NoAudio as error:
        stderr.print(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        for kind, _, device, rates in rows:
            write_line(_fields(kind, device, rates))
    elif rows:
        Console(highlight=False).print(_table(rows))
    missing = [plain for kind, plain in _KINDS if not any(row[0] == kind for row in rows)]
    if missing:
        stderr.print(f"this machine has no {' and no '.join(missing)}; plug one in, or use: voice say FILE.wav")
        raise typer.Exit(USAGE)


def _fields(kind: Kind, device: DeviceInfo, rates: tuple[int, ...]) -> dict[str, object]:
    return {
        "kind": kind,
        "index": device.index,
        "name": device.name,
        "default": device.is_default(kind),
        "host_api": device.host_api,
        "default_hz": device.default_hz,
        "usable_hz": list(rates),
    }


def _table(rows: list[tuple[Kind, str, DeviceInfo, tuple[int, ...]]]) -> Table:
    """A device whose list of rates is empty works at its default rate, if at all: audio is converted."""
    table = Table("", "number", "name", "kind", "system", "rates, kHz")
    for kind, plain, device, rates in rows:
        star = "*" if device.is_default(kind) else ""
        kilohertz = " ".join(f"{rate_hz / 1000:g}" for rate_hz in rates or (device.default_hz,))
        table.add_row(star, str(device.index), device.name, plain, device.host_api, kilohertz)
    return table
