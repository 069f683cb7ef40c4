"""`voice talk`: how does a person talk with a gateway? With microphone, loudspeaker and terminal."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer
from pcm.level import FLOOR_DBFS
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from voice_client.call import connect
from voice_client.call_record import LATENCIES
from voice_client.cli import common_options
from voice_client.cli.keys import keys_to
from voice_client.cli.output import call_output
from voice_client.cli.runner import USAGE, run, stderr
from voice_client.devices import NoAudio, PortAudio
from voice_client.errors import VoiceError
from voice_client.interfaces import AudioDevice
from voice_client.live_caller import LiveCaller, View
from voice_client.options import CallOptions

REFRESH_HZ = 12
METER_COLUMNS = 30


@common_options.with_call_options()
def talk(
    target: common_options.Target = common_options.DEFAULT_TARGET,
    push_to_talk: Annotated[
        bool, typer.Option("--push-to-talk", help="Start and end your turn with the space bar or enter.")
    ] = False,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Talk with the microphone and the loudspeaker of this machine. Wear headphones. Ctrl-C ends the call."""
    options = replace(options, push_to_talk=push_to_talk)
    try:
        run(converse(target, options, PortAudio(), as_json=as_json))
    except NoAudio as error:
        stderr.print(str(error))
        raise typer.Exit(USAGE) from None


async def converse(target: str, options: CallOptions, device: AudioDevice, *, as_json: bool) -> bool:
    """Holds one call with `device`; True when the gateway ended it properly. Raises NoAudio, VoiceError."""
    device.check()
    output = call_output(as_json=as_json)
    try:
        async with connect(target, options) as call:
            caller = LiveCaller(call, push_to_talk=options.push_to_talk, on_event=output.event)
            async with asyncio.TaskGroup() as keys:

                def on_key(key: str) -> None:
                    keys.create_task(caller.press(key), name="voice key")

                with keys_to(on_key), _shown(caller.view, options.push_to_talk, as_json=as_json):
                    ended = await _until_ended(caller, device)
            if ended is not None:
                raise ended
            return True
    except VoiceError as error:
        output.failure(error)
        raise


async def _until_ended(caller: LiveCaller, device: AudioDevice) -> Exception | None:
    """The failure as a value: raised inside a TaskGroup it would come out wrapped in a group."""
    try:
        await caller.run(device)
    except (VoiceError, NoAudio) as error:
        return error
    return None


@contextmanager
def _shown(view: View, push_to_talk: bool, *, as_json: bool) -> Iterator[None]:
    if as_json:
        yield
        return
    console = Console(highlight=False)
    # Live refreshes from a thread of its own: drawing must not hold up audio in the loop.
    with Live(get_renderable=lambda: render(view, push_to_talk), console=console, refresh_per_second=REFRESH_HZ):
        yield


def render(view: View, push_to_talk: bool) -> Group:
    """The whole screen: level, words, reply, latencies."""
    filled = round((view.level_dbfs - FLOOR_DBFS) / -FLOOR_DBFS * METER_COLUMNS)
    meter = Text("█" * filled + "░" * (METER_COLUMNS - filled), "green" if view.talking else "dim")
    state = "talking" if view.talking else "press space to talk"
    lines = [
        Text.assemble("   level  ", meter, f" {view.level_dbfs:4.0f} dBFS  ", state if push_to_talk else ""),
        Text.assemble(("  caller  ", "cyan"), (view.words, "" if view.words_are_final else "dim")),
        Text.assemble(("   reply  ", "green"), view.reply),
        Text(_latency_line(view), "dim"),
    ]
    if view.frames_dropped:
        lines.append(Text(f"{view.frames_dropped} microphone frames dropped: this machine is too busy", "yellow"))
    return Group(*lines)


def _latency_line(view: View) -> str:
    if view.latency is None:
        return ""
    measured = ((name, getattr(view.latency, name)) for name in LATENCIES)
    return "  ".join(f"{name} {value:.2f} s" for name, value in measured if value is not None)
