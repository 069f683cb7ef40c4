"""Do ten minutes of silence break a call? In virtual time, with a recognition channel that only listens."""

import asyncio
from typing import Any, cast

import pytest
from fake_riva import BYTES_PER_S
from riva.client.proto import riva_asr_pb2 as riva
from voice_gateway.backends.endpoint import Link
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.backends.riva_asr import RivaRecogniser
from voice_gateway.backends.riva_config import AsrSettings
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options, gate_policies
from voice_gateway.core.events import Caller, CallerAudio, CallerEnded, EndReason
from voice_gateway.core.language import Languages
from voice_gateway.metrics import Metrics
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.session import CallResources, Session
from voice_gateway.session.turn_log_file import NoTurnLog

pytestmark = pytest.mark.looptime
TEN_MINUTES_S = 600.0


class ListeningChannel:
    """A channel whose streams take everything and say nothing."""

    def __init__(self) -> None:
        self.audio = bytearray()
        self.heard_at: list[float] = []
        self.streams = 0

    def stream_stream(self, *path: str, **how: Any) -> Any:
        """A call that is answered by this object."""
        return self.open

    unary_unary = stream_stream

    def open(self) -> "ListeningChannel":
        """A stream."""
        self.streams += 1
        return self

    def add_done_callback(self, done: object) -> None:
        """It is never done."""

    async def write(self, request: riva.StreamingRecognizeRequest) -> None:
        """Listen."""
        self.audio += request.audio_content
        self.heard_at.append(asyncio.get_running_loop().time())

    def __aiter__(self) -> "ListeningChannel":
        return self

    async def __anext__(self) -> None:
        await asyncio.Event().wait()

    def cancel(self) -> None:
        """The gateway has gone."""


async def call_over(channel: ListeningChannel) -> Session:
    """A call whose recognition is `channel`; nothing else of it is ever asked."""
    settings = Settings()
    asr = AsrSettings(400, 0, 0.1, 60.0, settings.asr_keepalive_s, 5.0, 3)
    servers = Endpoints("asr", "127.0.0.1:50051", lambda address: Link(lambda: cast(Any, channel)), 1.0)
    await servers.ask_all()
    nobody = ReplySetup(cast(Any, None), cast(Any, None), 0.2, 0.1, 6.0)
    equipment = CallResources(
        recogniser=RivaRecogniser(servers, asr),
        detector=None,
        gate_policies=gate_policies(settings),
        final_after_s=(0.4,),
        reply=nobody,
        metrics=Metrics(),
        clock=asyncio.get_running_loop().time,
        max_session_s=3600,
        go_away_before_s=30,
        resume_grace_s=15,
        history=50,
        languages=Languages({}),
    )
    return Session("call", call_options(settings), equipment, NoTurnLog(), Caller())


async def test_ten_minutes_of_silent_audio_reach_recognition_whole() -> None:
    channel = ListeningChannel()
    session = await call_over(channel)
    running = asyncio.create_task(session.run())
    for _ in range(round(TEN_MINUTES_S / 0.1)):
        session.take(CallerAudio(bytes(3_200)))
        await asyncio.sleep(0.1)
    assert session.age_s >= TEN_MINUTES_S
    assert not running.done()
    session.take(CallerEnded())
    assert await running is EndReason.CALLER_ENDED
    assert len(channel.audio) == TEN_MINUTES_S * BYTES_PER_S
    assert channel.streams == 1


async def test_a_caller_who_sends_nothing_for_ten_minutes_stays_connected_to_recognition() -> None:
    channel = ListeningChannel()
    session = await call_over(channel)
    running = asyncio.create_task(session.run())
    await asyncio.sleep(TEN_MINUTES_S)
    session.take(CallerAudio(b"\1\2" * 320))
    await asyncio.sleep(1)
    assert not running.done()
    session.take(CallerEnded())
    assert await running is EndReason.CALLER_ENDED
    assert max(later - sooner for sooner, later in zip(channel.heard_at, channel.heard_at[1:], strict=False)) <= 15.1
    assert len(channel.heard_at) >= TEN_MINUTES_S / 15
    assert bytes(channel.audio).count(b"\1\2" * 320) == 1
    assert not any(channel.audio.replace(b"\1\2" * 320, b""))
    assert channel.streams == 1
