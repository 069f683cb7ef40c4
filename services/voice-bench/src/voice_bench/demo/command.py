"""`voice-bench demo`: does it talk? A whole conversation with the stack on this machine, told, judged and saved."""

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pcm import write_wav
from rich.console import Console
from voice_client import VoiceError

from voice_bench import stack_config
from voice_bench.demo import script
from voice_bench.demo.caller import CallResult, run_call
from voice_bench.demo.caller_behaviour import PATIENCE_S, CallerBehaviour
from voice_bench.demo.console import CallPrinter, latencies, timeline
from voice_bench.demo.verdict import failures
from voice_bench.exit_codes import exit_with, to_stderr
from voice_bench.options import Engine, Tts
from voice_bench.process import StackFailed
from voice_bench.stack import running
from voice_bench.stack_config import RECOGNISER, SYNTHESISER, Part, StackConfig

Lines = Callable[[str, str], Awaitable[list[script.Line]]]
"""(address of a synthesiser, its voice) -> what the caller says."""
AGENT_VOICE = "English-US.Female-1"
"""Not the caller's, so that they can be told apart. An engine with other voices takes one of the same sex."""


def _folder(envvar: str, help: str) -> Any:
    return typer.Option(envvar=envvar, exists=True, file_okay=False, help=help)


def demo(
    out: Annotated[Path, typer.Option(envvar="OUT", file_okay=False, help="Folder for recording and picture.")] = Path(
        "out/demo"
    ),
    caller: Annotated[
        Path | None, _folder("CALLER", "Folder of recordings to play, in the order of their names.")
    ] = None,
    recordings: Annotated[
        Path | None, _folder("VOICE_AUDIO", "Folder of scripts/fetch_recordings.py, to play two of.")
    ] = None,
    barge_in: Annotated[
        int | None,
        typer.Option(min=0, help="Line that interrupts a reply; 0 = none.", show_default="4; none with --caller"),
    ] = None,
    barge_in_after: Annotated[float, typer.Option(min=0.2, help="Seconds of the reply that are heard first.")] = 2.0,
    timeout: Annotated[
        float, typer.Option(min=1, help="Hang up after so many seconds without any event.")
    ] = PATIENCE_S,
    engine: Engine = RECOGNISER,
    tts: Tts = SYNTHESISER,
) -> None:
    """Hold a conversation with the stack and show what happened. Exit status 0 = all went well."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        recorded = script.recorded(caller, barge_in or 0) if caller else []
        after = script.people(recordings) if recordings and not caller else []
    except (script.NothingToSay, OSError) as error:
        to_stderr(str(error))
        raise typer.Exit(1) from None
    barging = script.SCRIPT_BARGE_IN if barge_in is None else barge_in

    async def lines(target: str, voice: str) -> list[script.Line]:
        return recorded or await script.spoken(target, script.SCRIPT, barging, voice) + after

    config = stack_config.with_environment(stack_config.with_engines(stack_config.embedded(), engine, tts))
    exit_with(_demo(config, out, lines, CallerBehaviour(barge_in_after, timeout)))


async def _demo(config: StackConfig, out: Path, lines: Lines, behaviour: CallerBehaviour) -> bool:
    console = Console(highlight=False)
    try:
        result, count = await _run_call(console, config, lines, behaviour)
        _save(console, result, out)
    except (StackFailed, script.NothingToSay, VoiceError, OSError) as error:
        to_stderr(str(error))
        return False
    console.print(timeline(result.summary), latencies(result.summary, console.width))
    wrong = failures(result, count)
    for sentence in wrong:
        to_stderr(f"{sentence}.")
    if not wrong:
        console.print(f"[bold green]All {count} lines were heard and answered.[/]")
    return not wrong


async def _run_call(
    console: Console, config: StackConfig, lines: Lines, behaviour: CallerBehaviour
) -> tuple[CallResult, int]:
    """The call, and how many lines there were to say."""
    ours = config.runs(Part.SPEECH)
    if ours:
        config = replace(config, gateway={"TTS_VOICE": os.environ.get("TTS_VOICE") or AGENT_VOICE})
    starting = console.status("starting speech server, language model and gateway")
    starting.start()
    try:
        async with running(config) as stack:
            said = await lines(stack.speech_target, script.VOICE if ours else "")
            starting.stop()
            printer = CallPrinter(console)
            call = run_call(stack.target, said, behaviour, on_event=printer.on_event, on_line=printer.on_line)
            return await stack.beside(call), len(said)
    finally:
        starting.stop()


def _save(console: Console, result: CallResult, out: Path) -> None:
    wav, png = out / "call.wav", out / "call.png"
    write_wav(wav, [bytes(result.tracks.caller), bytes(result.tracks.agent)], script.RATE_HZ)
    # Its import takes a second, which every command would wait for; and it logs about its font cache.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from voice_bench.demo.plot import draw

    draw(result, png)
    told = f"recording (left: caller, right: agent): {wav}\npicture: {png}"
    console.print(told, soft_wrap=True, markup=False)
