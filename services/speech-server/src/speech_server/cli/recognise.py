"""`speech-server recognise FILE...`: what does the engine hear by itself, without a server around it?

The engine of the settings runs in this process and takes each recording whole: no wire, no voice activity of the
server, no endpointing. What a server does worse than this is the server's fault.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from pcm import SAMPLE_BYTES

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hints
from speech_server.engines.registry import Engines, build
from speech_server.errors import BadRequest, EngineError
from speech_server.process_abort import stop_at_once
from speech_server.recognition.audio_files import KNOWN, MORE, pcm16_of
from speech_server.settings import Settings
from speech_server.timeline import Timeline

_LONGEST_S = 86_400.0
"""A day; the whole recording is in memory."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """One recording. Either `text` or `trouble` says something; an empty `text` means that nothing was heard."""

    file: str
    text: str
    audio_s: float
    took_s: float
    trouble: str = ""


def main(arguments: Sequence[str]) -> int:
    """The `recognise` verb; 1 when a file could not be recognised. Raises BadSettings, EngineError, OSError."""
    parser = argparse.ArgumentParser(
        prog="speech-server recognise", description=__doc__, fromfile_prefix_chars="@",
        epilog="@LIST in place of files: their names, one a line.",
    )  # fmt: skip
    parser.add_argument("files", nargs="+", type=Path, help=f"{KNOWN}; {MORE}")
    parser.add_argument("--language", default="", help="like en-US; empty = the engine's first")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each file")
    parser.add_argument("--out", type=Path, help="write here instead of standard output")
    given = parser.parse_args(arguments)
    with stop_at_once("Stopped."), _output(given.out) as out:
        return asyncio.run(_recognise(given.files, given.language, given.json, out))


async def _recognise(files: Sequence[Path], language: str, as_json: bool, out: TextIO) -> int:
    engines, went_well = build(Settings(), Timeline(None)), True
    try:
        await engines.detector.start()
        await engines.recogniser.start()
        async for one in _each(engines, files, language):
            out.write(json.dumps(asdict(one)) + "\n" if as_json else _line(one))
            out.flush()
            if one.trouble:
                went_well = False
                sys.stderr.write(f"speech-server recognise: {one.file}: {one.trouble}\n")
    finally:
        await engines.recogniser.stop()
        await engines.detector.stop()
    return 0 if went_well else 1


async def _each(engines: Engines, files: Sequence[Path], language: str) -> AsyncIterator[Recognised]:
    hints = Hints(language or engines.recogniser.models[0].languages[0])
    for path in files:
        try:
            with path.open("rb") as file:
                async with aclosing(pcm16_of(file, _LONGEST_S)) as pieces:
                    pcm16 = b"".join([piece async for piece in pieces])
            began = time.monotonic()
            hypothesis = await engines.recogniser.transcribe(pcm16, hints)
        except (OSError, BadRequest, EngineError) as error:
            yield Recognised(str(path), "", 0.0, 0.0, str(error))
        else:
            audio_s = len(pcm16) / SAMPLE_BYTES / ASR_RATE_HZ
            yield Recognised(str(path), hypothesis.text, round(audio_s, 3), round(time.monotonic() - began, 3))


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as file:
        yield file


def _line(one: Recognised) -> str:
    return f"{one.file}: {one.text or '(nothing)'}\n" if not one.trouble else ""
