"""`voice-bench demo`: does it talk? A whole conversation with the stack on this machine, told, judged and saved."""

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from pcm import write_wav
from rich.console import Console
from voice_client import VoiceError

from voice_bench.demo.caller import CallResult, call_options, run_call
from voice_bench.demo.caller_behaviour import PATIENCE_S, CallerBehaviour
from voice_bench.demo.console import CallPrinter, latencies, timeline
from voice_bench.demo.script import (
    RATE_HZ,
    SCRIPT,
    SCRIPT_BARGE_IN,
    VOICE,
    Line,
    NothingToSay,
    people,
    recorded,
    spoken,
)
from voice_bench.demo.verdict import failures
from voice_bench.exit_codes import exit_with, to_stderr
from voice_bench.options import Engine, Tts
from voice_bench.process import StackFailed
from voice_bench.stack import running
from voice_bench.stack_config import (
    RECOGNISER,
    SYNTHESISER,
    Part,
    StackConfig,
    embedded,
    with_engines,
    with_environment,
)

AGENT_VOICE = "English-US.Female-1"
"""Not the caller's, so that they can be told apart. An engine with other voices takes one of the same sex."""


def demo(
    out: Annotated[
        Path, typer.Option(envvar="OUT", file_okay=False, help="Folder for the recording and the picture.")
    ] = Path("out/demo"),
    caller: Annotated[
        Path | None,
        typer.Option(
            envvar="CALLER",
            exists=True,
            file_okay=False,
            help="Folder of recordings that the caller plays instead, in the order of their names.",
        ),
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option(
            envvar="VOICE_AUDIO",
            exists=True,
            file_okay=False,
            help="Folder of scripts/fetch_recordings.py: after the script the caller plays two of them.",
        ),
    ] = None,
    barge_in: Annotated[
        int | None,
        typer.Option(
            min=0, help="Number of the line that interrupts a reply. 0 = none.", show_default="4; none with --caller"
        ),
    ] = None,
    barge_in_after: Annotated[
        float, typer.Option(min=0.2, help="Seconds of the reply that the caller hears before interrupting.")
    ] = 2.0,
    timeout: Annotated[
        float, typer.Option(min=1, help="Hang up after this many seconds in which nothing happened.")
    ] = PATIENCE_S,
    engine: Engine = RECOGNISER,
    tts: Tts = SYNTHESISER,
) -> None:
    """Hold a conversation with the stack and show what happened. Exit status 0 = all went well."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        said = recorded(caller, barge_in or 0) if caller else None
        after = people(recordings) if recordings and said is None else []
    except (NothingToSay, OSError) as error:
        to_stderr(str(error))
        raise typer.Exit(1) from None
    barge_in = SCRIPT_BARGE_IN if barge_in is None else barge_in
    config = with_environment(with_engines(embedded(), engine, tts))
    exit_with(_demo(config, out, said, after, barge_in, CallerBehaviour(barge_in_after, timeout)))


async def _demo(
    config: StackConfig,
    out: Path,
    said: list[Line] | None,
    after: list[Line],
    barge_in: int,
    behaviour: CallerBehaviour,
) -> bool:
    console = Console(highlight=False)
    try:
        result, lines = await _run_call(console, config, said, after, barge_in, behaviour)
        _save(console, result, out)
    except (StackFailed, NothingToSay, VoiceError, OSError) as error:
        to_stderr(str(error))
        return False
    console.print(timeline(result.summary), latencies(result.summary, console.width))
    wrong = failures(result, lines)
    for sentence in wrong:
        to_stderr(f"{sentence}.")
    if not wrong:
        console.print(f"[bold green]All {lines} lines were heard and answered.[/]")
    return not wrong


async def _run_call(
    console: Console,
    config: StackConfig,
    said: list[Line] | None,
    after: list[Line],
    barge_in: int,
    behaviour: CallerBehaviour,
) -> tuple[CallResult, int]:
    """The call, and how many lines there were to say; None = the script, spoken by the speech server, then `after`."""
    ours = config.runs(Part.SPEECH)
    if ours:
        config = replace(config, gateway={"TTS_VOICE": os.environ.get("TTS_VOICE") or AGENT_VOICE})
    starting = console.status("starting speech server, language model and gateway")
    starting.start()
    try:
        async with running(config) as stack:
            if said is None:
                said = await spoken(stack.speech_target, SCRIPT, barge_in, VOICE if ours else "") + after
            starting.stop()
            printer = CallPrinter(console)
            call = run_call(
                stack.target,
                said,
                behaviour,
                on_event=printer.on_event,
                on_line=printer.on_line,
                options=call_options(),
            )
            return await stack.beside(call), len(said)
    finally:
        starting.stop()


def _save(console: Console, result: CallResult, out: Path) -> None:
    wav, png = out / "call.wav", out / "call.png"
    write_wav(wav, [bytes(result.tracks.caller), bytes(result.tracks.agent)], RATE_HZ)
    # Its import takes a second, which would be waited for before every command; and it tells of its font cache.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from voice_bench.demo.plot import draw

    draw(result, png)
    told = f"recording (left: caller, right: agent): {wav}\npicture: {png}"
    console.print(told, soft_wrap=True, markup=False)
