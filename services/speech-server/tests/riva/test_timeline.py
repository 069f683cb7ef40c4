"""The timeline: what a benchmark computes the programmed path of a turn from."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from speech_server.app import Server
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, config, finals, hum, hush, pieces

StartServer = Callable[..., Awaitable[Server]]
Line = dict[str, Any]


async def record(start_server: StartServer, path: Path, turns: int, **settings: str) -> list[Line]:
    """The timeline of a stream of `turns` utterances and of one text."""
    server = await start_server(SPEECH_TIMELINE=str(path), **settings)
    caller = Caller(server.grpc_port)
    synthesise = pieces((hum(0.5) + hush(0.4)) * turns)
    assert len(finals(await caller.hear(config(), *synthesise))) == turns
    assert [one async for one in caller.tts.SynthesizeOnline(iter([tts.SynthesizeSpeechRequest(text="hello")]))]
    await caller.channel.close()
    await server.stop()
    return [json.loads(line) for line in path.read_text().splitlines()]  # noqa: ASYNC240 - all is over


async def test_a_final_leaves_its_delay_after_the_silence_was_complete(
    start_server: StartServer, tmp_path: Path
) -> None:
    lines = await record(start_server, tmp_path / "t", 3, SCRIPT_FINAL_DELAY_MS="50")
    silences = [line for line in lines if line["event"] == "asr.silence"]
    written = [line for line in lines if line["event"] == "asr.final"]
    assert [(line["stream"], line["utterance"]) for line in written] == [(1, 1), (1, 2), (1, 3)]
    delays = [late["t"] - early["t"] for early, late in zip(silences, written, strict=True)]
    assert all(delay >= 0.05 for delay in delays)
    assert min(delays) < 0.06
    assert all(line["t"] <= time.monotonic() for line in lines)


async def test_a_text_is_noted_when_it_comes_and_when_its_first_audio_leaves(
    start_server: StartServer, tmp_path: Path
) -> None:
    lines = await record(start_server, tmp_path / "t", 1, TONE_FIRST_CHUNK_MS="60")
    asked, left = [line for line in lines if line["event"].startswith("tts.")]
    assert (asked["event"], asked["text"], left["event"]) == ("tts.request", "hello", "tts.first_chunk")
    assert 0.06 <= left["t"] - asked["t"] < 0.12


async def test_paced_chunks_keep_their_due_times(start_server: StartServer) -> None:
    server = await start_server(TONE_RTF="0.5")
    caller = Caller(server.grpc_port)
    request = tts.SynthesizeSpeechRequest(text="hello there")
    began = time.monotonic()
    lengths = [len(one.audio) / 2 / 22_050 async for one in caller.tts.SynthesizeOnline(iter([request]))]
    took = time.monotonic() - began
    assert 0.5 * sum(lengths[:-1]) <= took < 0.5 * sum(lengths) + 0.25
    await caller.channel.close()
