"""`voice say`: what does the gateway answer to recordings?"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from pcm import AudioFormat, Clip, Encoding

from voice_client.call import connect
from voice_client.cli import common_options
from voice_client.cli.output import call_output, conclude
from voice_client.cli.runner import exit_code, failure_sentence, run, stderr
from voice_client.end_of_call import EndOfCallDetector
from voice_client.errors import VoiceError
from voice_client.file_caller import frames_of, run_call
from voice_client.interfaces import CallOutput
from voice_client.options import INPUT_HZ, CallOptions


@dataclass(frozen=True, slots=True)
class _Recording:
    path: Path
    clip: Clip
    out: Path | None
    title: str


@common_options.with_call_options()
def say(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="WAV, FLAC, MP3, Ogg or AIFF. Each is a call.")
    ],
    target: common_options.Target = common_options.DEFAULT_TARGET,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            dir_okay=False,
            writable=True,
            help="WAV file to save the reply in. With several recordings: NAME-INPUT.wav for each.",
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Number of calls at the same time.")] = 1,
    rate: Annotated[int, typer.Option("--rate", min=8000, max=48000, help="Sample rate to send, hertz.")] = INPUT_HZ,
    encoding: Annotated[Encoding, typer.Option("--encoding", help="Encoding to send.")] = Encoding.PCM16,
    timeout: common_options.Timeout = common_options.PATIENCE_S,
    as_json: common_options.Json = False,
    *,
    options: CallOptions,
) -> None:
    """Send recordings in real time. Prints transcript, reply and latencies."""
    options = replace(options, input=AudioFormat(encoding, rate))
    recordings = [_read(path, rate, out, many=len(files) > 1) for path in files]
    run(_say_all(recordings, target, options, concurrency, timeout, as_json=as_json))


def _read(path: Path, rate_hz: int, out: Path | None, *, many: bool) -> _Recording:
    from pcm.compressed import read_recording  # libsndfile is loaded for recordings only

    try:
        clip = read_recording(path).at(rate_hz)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    if not clip.pcm16:
        raise typer.BadParameter(f"{path} holds no audio; record something first")
    if out is not None and many:
        out = out.with_name(f"{out.stem}-{path.stem}{out.suffix}")
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"--out: there is no folder {out.parent}; create it first")
    return _Recording(path, clip, out, path.name if many else "")


async def _say_all(
    recordings: list[_Recording], target: str, options: CallOptions, concurrency: int, patience_s: float, as_json: bool
) -> bool:
    lines = asyncio.Semaphore(concurrency)

    async def one(recording: _Recording) -> bool | VoiceError:
        async with lines:
            output = call_output(as_json=as_json, title=recording.title)
            try:
                return await _say_one(recording, target, options, patience_s, output)
            except VoiceError as error:
                output.failure(error)
                return error

    async with asyncio.TaskGroup() as calls:
        tasks = [calls.create_task(one(recording), name=f"voice say {recording.path.name}") for recording in recordings]
    return _judge(recordings, [task.result() for task in tasks])


async def _say_one(
    recording: _Recording, target: str, options: CallOptions, patience_s: float, output: CallOutput
) -> bool:
    async with connect(target, options) as call:
        rate_hz = call.started.output.rate_hz
        frames, ending = frames_of(recording.clip), EndOfCallDetector()
        record = await run_call(call, frames, on_event=output.event, patience_s=patience_s, end_of_call=ending)
    missing = conclude(output, record, rate_hz, recording.out, typed=False)
    if missing:
        stderr.print("; ".join([f"{recording.path}: {missing}", *record.troubles]))
    return not missing


def _judge(recordings: list[_Recording], results: list[bool | VoiceError]) -> bool:
    """True when every call was complete. Where all of them failed alike, the sentence is said once."""
    said: set[str] = set()
    errors = [result for result in results if isinstance(result, VoiceError)]
    for recording, result in zip(recordings, results, strict=True):
        if isinstance(result, VoiceError) and failure_sentence(result) not in said:
            said.add(failure_sentence(result))
            stderr.print(f"{recording.path}: {failure_sentence(result)}")
    if errors:
        raise typer.Exit(min(exit_code(error) for error in errors))
    return all(result is True for result in results)
