"""`speech-server warmup`: wait until a server serves, then have it speak and recognise once, before callers do."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import grpc
from pcm import Clip, silence
from serving.grpc_health_client import trouble

from speech_server.cli.realtime_stream import StreamOptions, transcripts
from speech_server.cli.server_connection import connect, parser, sentences
from speech_server.cli.verbs import CommandFailed
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

_BETWEEN_S = 0.5
_RATE_HZ = 16_000


def main(arguments: Sequence[str]) -> int:
    """The command; gives the exit status. Raises CommandFailed."""
    options = parser("warmup", __doc__)
    options.add_argument("--wait", type=float, default=120.0, help="seconds until the server must serve")
    options.add_argument("--text", default="The server is warm.", help="what it says, and hears")
    asyncio.run(_warm(options.parse_args(arguments)))
    return 0


async def _warm(given: argparse.Namespace) -> None:
    async with connect(given) as channel:
        await _until_serving(channel, given.wait)
        with sentences():
            began = time.monotonic()
            request = tts.SynthesizeSpeechRequest(text=given.text, sample_rate_hz=_RATE_HZ, encoding=audio.LINEAR_PCM)
            spoken = await RivaSpeechSynthesisStub(channel).Synthesize(request)
            speaking_s = time.monotonic() - began
            clip = Clip(spoken.audio + silence(1.0, _RATE_HZ), _RATE_HZ)
            results = [result async for result in transcripts(channel, clip, StreamOptions(pace=0))]
    transcript = " ".join(result.text for result in results if result.is_final)
    sys.stdout.write(
        f"spoke {clip.duration_s - 1:.2f} s of audio in {speaking_s:.2f} s, heard: {transcript or '(nothing)'}\n"
    )


async def _until_serving(channel: grpc.aio.Channel, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while why := await trouble(channel):
        if time.monotonic() > deadline:
            raise CommandFailed(f"the server does not serve after {longest_s:g} s: {why}")
        await asyncio.sleep(_BETWEEN_S)
