"""`speech-server bench FILE`: the same recording on many streams at once, in real time; how late is what comes back?

The first partial counts from the stream's beginning, silence at the start of the recording included; the last final
from the moment the last audio was due to be sent.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

import grpc
from pcm import Clip

from speech_server.cli.realtime_stream import Result, StreamOptions, read_recording, transcripts
from speech_server.cli.server_connection import connect, parser
from speech_server.cli.verbs import CommandFailed


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it; times in milliseconds."""

    streams: int
    served: int
    refused: int
    partials: int
    first_partial_p50_ms: float
    first_partial_p95_ms: float
    final_after_end_p50_ms: float
    """Last audio sent to last final: below 0 when the final came before, at a pause in the recording."""
    final_after_end_p95_ms: float
    audio_s: float
    wall_s: float


def main(arguments: Sequence[str]) -> int:
    """The command; gives the exit status. Raises CommandFailed."""
    options = parser("bench", __doc__)
    options.add_argument("file", type=Path, help="WAV, FLAC, Ogg Opus, Ogg Vorbis, MP3 or AIFF")
    options.add_argument("--count", type=int, default=10, help="streams at once")
    options.add_argument("--chunk-ms", type=int, default=100, help="audio in a message")
    options.add_argument("--pace", type=float, default=1.0, help="times real time")
    options.add_argument("--json", action="store_true", help="the report as JSON")
    given = options.parse_args(arguments)
    report = asyncio.run(_bench(given))
    fields = asdict(report)
    sys.stdout.write(json.dumps(fields) + "\n" if given.json else "".join(f"{n:24} {v}\n" for n, v in fields.items()))
    return 0 if report.served == report.streams else 1


async def _bench(given: argparse.Namespace) -> Report:
    clip = read_recording(given.file)
    stream_options = StreamOptions(chunk_ms=given.chunk_ms, pace=max(0.0, given.pace))
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with connect(given) as channel, asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(_one(channel, clip, stream_options, number), name=f"stream {number}")
            for number in range(given.count)
        ]
    return summary([task.result() for task in running], clip.duration_s, stream_options.pace, loop.time() - began)


async def _one(channel: grpc.aio.Channel, clip: Clip, stream_options: StreamOptions, number: int) -> list[Result] | str:
    """The results of one stream, or why it was refused. Streams begin 20 ms apart, as callers never come at once."""
    await asyncio.sleep(0.02 * number)
    try:
        return [result async for result in transcripts(channel, clip, stream_options)]
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"


def summary(streams: Sequence[list[Result] | str], audio_s: float, pace: float, wall_s: float) -> Report:
    """The figures. Raises CommandFailed when no stream was served."""
    served = [results for results in streams if isinstance(results, list) and results]
    if not served:
        why = next((refusal for refusal in streams if isinstance(refusal, str)), "nothing came back")
        raise CommandFailed(f"no stream was served: {why}")
    firsts = [next((1000 * result.at_s for result in results if not result.is_final), 0.0) for results in served]
    sent_at_s = audio_s / pace if pace else 0.0
    finals = [1000 * (max(result.at_s for result in results if result.is_final) - sent_at_s) for results in served]
    return Report(
        len(streams),
        len(served),
        len(streams) - len(served),
        sum(not result.is_final for results in served for result in results),
        *_p50_p95(firsts),
        *_p50_p95(finals),
        round(audio_s, 3),
        round(wall_s, 3),
    )


def _p50_p95(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return round(values[0], 1), round(values[0], 1)
    cuts = quantiles(values, n=100, method="inclusive")
    return round(cuts[49], 1), round(cuts[94], 1)
