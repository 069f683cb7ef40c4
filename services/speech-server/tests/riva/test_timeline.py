"""The timeline: what a benchmark computes the programmed path of a turn from."""

import json
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from speech_server.app import Server
from speech_server.engines.asr.scripted import recogniser as scripted
from speech_server.engines.pacing import sleep_until
from speech_server.engines.tts import tone
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, config, finals, hum, hush, pieces

StartServer = Callable[..., Awaitable[Server]]
Line = dict[str, Any]


class DueTimes:
    """What `engine` waits for, noted: a busy machine is late, the due times are the programmed ones all the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: ModuleType) -> None:
        self.of_waits: list[float] = []
        self._wait = sleep_until
        monkeypatch.setattr(engine, "sleep_until", self._noted)

    async def _noted(self, due: float) -> None:
        self.of_waits.append(due)
        await self._wait(due)
        assert time.monotonic() >= due


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
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = DueTimes(monkeypatch, scripted)
    lines = await record(start_server, tmp_path / "t", 3, SCRIPT_FINAL_DELAY_MS="50")
    silences = [line for line in lines if line["event"] == "asr.silence"]
    written = [line for line in lines if line["event"] == "asr.final"]
    assert [(line["stream"], line["utterance"]) for line in written] == [(1, 1), (1, 2), (1, 3)]
    assert due.of_waits == pytest.approx([line["t"] + 0.05 for line in silences], abs=1e-5)
    assert all(line["t"] >= moment for line, moment in zip(written, due.of_waits, strict=True))
    assert all(line["t"] <= time.monotonic() for line in lines)


async def test_a_text_is_noted_when_it_comes_and_when_its_first_audio_leaves(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = DueTimes(monkeypatch, tone)
    lines = await record(start_server, tmp_path / "t", 1, TONE_FIRST_CHUNK_MS="60")
    asked, left = [line for line in lines if line["event"].startswith("tts.")]
    assert (asked["event"], asked["text"], left["event"]) == ("tts.request", "hello", "tts.first_chunk")
    assert due.of_waits[0] == pytest.approx(asked["t"] + 0.06, abs=1e-5)
    assert left["t"] >= due.of_waits[0]


async def test_paced_chunks_keep_their_due_times(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    due = DueTimes(monkeypatch, tone)
    server = await start_server(TONE_RTF="0.5")
    caller = Caller(server.grpc_port)
    request = tts.SynthesizeSpeechRequest(text="hello there")
    lengths = [len(one.audio) / 2 / 22_050 async for one in caller.tts.SynthesizeOnline(iter([request]))]
    # A chunk that is late makes the next one wait less: delays do not add up.
    waits = [later - earlier for earlier, later in pairwise(due.of_waits)]
    assert waits == pytest.approx([0.5 * length for length in lengths[:-1]], abs=1e-6)
    await caller.channel.close()
