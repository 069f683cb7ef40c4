"""`speech-server client FILE`: stream a recording to a server; a line PART or FINAL for every transcript."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from speech_server.cli.realtime_stream import Result, StreamOptions, read_recording, transcripts
from speech_server.cli.server_connection import connect, parser, sentences


def main(arguments: Sequence[str]) -> int:
    """The command; gives the exit status. Raises CommandFailed."""
    options = parser("client", __doc__)
    options.add_argument("file", type=Path, help="WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3 or AIFF")
    options.add_argument("--language", default="", help="like en-US; empty = the server's choice")
    options.add_argument("--model", default="", help="a listed model; empty = the server's choice")
    options.add_argument("--chunk-ms", type=int, default=100, help="audio in a message")
    options.add_argument("--pace", type=float, default=1.0, help="times real time; 0 = as fast as it goes")
    options.add_argument("--words", action="store_true", help="word times under each FINAL")
    asyncio.run(_stream(options.parse_args(arguments)))
    return 0


async def _stream(given: argparse.Namespace) -> None:
    clip = read_recording(given.file)
    stream_options = StreamOptions(given.language, given.model, given.chunk_ms, max(0.0, given.pace), given.words)
    with sentences():
        async with connect(given) as channel:
            async for result in transcripts(channel, clip, stream_options):
                sys.stdout.write(line(result))
                sys.stdout.flush()


def line(result: Result) -> str:
    """The line of a transcript, word times under it."""
    kind = "FINAL" if result.is_final else "PART "
    words = "".join(f"        {start_s:7.2f} {end_s:7.2f}  {word}\n" for word, start_s, end_s in result.words)
    return f"{kind} {result.at_s:7.2f} s  {result.text}\n{words}"
