"""Do a microphone thread, a loudspeaker thread and the call work together? With a device that is played by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from rich.console import Console
from voice_client import Call, CallOptions, Event, Turn, TurnEvent, connect
from voice_client.cli.talk import converse, render
from voice_client.devices import NoAudio
from voice_client.interfaces import FillPlayback, OnCaptured
from voice_client.live_caller import FRAMES_WAITING, LiveCaller, Microphone
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import OUTPUT_HZ, FakeGateway, Script, Session, serving, silent, tone

FRAME = (8000).to_bytes(2, "little") * 320


class HandPlayed:
    """A sound device without sound: the test calls its threads' callbacks, from another thread as PortAudio does."""

    def __init__(self) -> None:
        self.on_captured: OnCaptured
        self.fill: FillPlayback
        self.opened = asyncio.Event()
        self.rates = (0, 0)

    def check(self) -> None:
        pass

    @contextmanager
    def open(self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback) -> Iterator[None]:
        self.on_captured, self.fill, self.rates = on_captured, fill, (input_hz, output_hz)
        self.opened.set()
        yield

    async def speak(self, frames: int) -> None:
        for _ in range(frames):
            await asyncio.to_thread(self.on_captured, FRAME)

    async def hear(self, samples: int) -> bytes:
        return await asyncio.to_thread(self.fill, samples, 0.01)


class NoDevice(HandPlayed):
    def check(self) -> None:
        raise NoAudio("no device; use: voice say FILE.wav")


async def received(session: Session, enough: Callable[[Session], bool]) -> None:
    async with asyncio.timeout(10):
        while not enough(session):
            session.heard.clear()
            await session.heard.wait()


@asynccontextmanager
async def talking(
    script: Script = silent, *, push_to_talk: bool = False
) -> AsyncIterator[tuple[FakeGateway, Call, LiveCaller, HandPlayed, "asyncio.Queue[Event]"]]:
    events: asyncio.Queue[Event] = asyncio.Queue()
    async with (
        serving(script) as gateway,
        connect(gateway.target, CallOptions(push_to_talk=push_to_talk)) as call,
    ):
        device = HandPlayed()
        caller = LiveCaller(call, push_to_talk=push_to_talk, on_event=events.put_nowait)
        holding = asyncio.create_task(caller.run(device))
        await device.opened.wait()
        yield gateway, call, caller, device, events
        await call.end()
        await asyncio.wait_for(holding, 5)


async def event_of_kind(events: "asyncio.Queue[Event]", kind: Turn) -> None:
    async with asyncio.timeout(10):
        while True:
            event = await events.get()
            if isinstance(event, TurnEvent) and event.kind is kind:
                return


async def test_what_the_microphone_hears_reaches_the_gateway_and_the_meter() -> None:
    async with talking() as (gateway, _, caller, device, _):
        await device.speak(10)
        await received(gateway.sessions[0], lambda session: session.samples == 3200)
        assert device.rates == (16000, OUTPUT_HZ)
        assert caller.view.level_dbfs == pytest.approx(-12.25, abs=0.1)
        assert gateway.sessions[0].of_kind("audio")[0].audio.data == FRAME


async def test_a_reply_is_played_and_reported_as_really_written() -> None:
    async with talking() as (gateway, _, _, device, events):
        session = gateway.sessions[0]
        session.reply(1, "hello there", tone(0.5))
        await event_of_kind(events, Turn.REPLY_ENDED)
        assert await device.hear(1000) == tone(0.5)[:2000]
        await device.speak(1)
        await received(session, lambda session: len(session.of_kind("playout")) == 1)
        assert await device.hear(4000) == tone(0.5)[2000:] + bytes(2000)
        await device.speak(1)
        await received(session, lambda session: len(session.of_kind("playout")) == 2)
        told = [(m.playout.samples_played, m.playout.final) for m in session.of_kind("playout")]
        assert told == [(1000, False), (4000, True)]


async def test_an_interrupted_reply_falls_silent_at_once() -> None:
    async with talking() as (gateway, _, _, device, events):
        session = gateway.sessions[0]
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1)
        session.tell(reply_audio=pb.ReplyAudio(reply=1, data=tone(0.5)))
        session.turn_event(pb.TurnEvent.SPEECH_STARTED)
        await event_of_kind(events, Turn.SPEECH_STARTED)
        assert await device.hear(100) == tone(0.5)[:200]
        session.turn_event(pb.TurnEvent.REPLY_INTERRUPTED, reply=1, heard_text="hel", heard_ms=12)
        await event_of_kind(events, Turn.REPLY_INTERRUPTED)
        assert await device.hear(100) == bytes(200)


async def test_push_to_talk_sends_silence_between_turns_and_commits_after_them() -> None:
    async with talking(push_to_talk=True) as (gateway, _, caller, device, events):
        session = gateway.sessions[0]
        await device.speak(1)
        await received(session, lambda session: session.samples == 320)
        await caller.press(" ")
        await device.speak(1)
        await received(session, lambda session: session.samples == 640)
        await caller.press("x")
        await caller.press("\n")
        await received(session, lambda session: bool(session.of_kind("commit")))
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1)
        await event_of_kind(events, Turn.REPLY_STARTED)
        await caller.press(" ")
        await received(session, lambda session: bool(session.of_kind("interrupt")))
        assert [m.audio.data for m in session.of_kind("audio")] == [bytes(640), FRAME]
        assert session.start.turn_detection == pb.TURN_DETECTION_PUSH_TO_TALK


async def test_a_stuck_loop_drops_frames_and_never_piles_them_up() -> None:
    microphone = Microphone(asyncio.get_running_loop())

    def thread() -> None:
        for index in range(FRAMES_WAITING + 20):
            microphone.add(bytes([index, 0]))

    portaudio = threading.Thread(target=thread)
    portaudio.start()
    portaudio.join()  # the loop is stuck here on purpose
    frames = [await microphone.frame() for _ in range(FRAMES_WAITING)]
    assert [frame[0] for frame in frames] == list(range(FRAMES_WAITING))
    assert microphone.dropped == 20
    microphone.add(b"\7\0")
    assert await microphone.frame() == b"\7\0"


async def test_the_screen_shows_level_words_reply_and_latency() -> None:
    async with talking() as (gateway, _, caller, device, events):
        session = gateway.sessions[0]
        session.tell(transcript=pb.Transcript(turn=1, utterance=1, text="what time is it", final=True))
        session.tell(latency=pb.TurnLatency(turn=1, reply=1, endpointing_delay=0.25))
        session.reply(1, "it is noon", tone(0.1))
        await device.speak(1)
        await event_of_kind(events, Turn.REPLY_ENDED)
        console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: ASYNC230, SIM115
        console.print(render(caller.view, push_to_talk=False))
        console.file.close()
        shown = console.export_text()
    for words in ("dBFS", "what time is it", "it is noon", "endpointing_delay 0.25 s"):
        assert words in shown


async def test_talk_ends_well_when_the_gateway_ends_the_call() -> None:
    def brief(session: Session, message: pb.ClientMessage) -> None:
        if message.WhichOneof("message") == "audio":
            session.tell(ended=pb.SessionEnded(reason=pb.SessionEnded.MAX_DURATION))

    device = HandPlayed()
    async with serving(brief) as gateway, asyncio.TaskGroup() as tasks:
        talk = tasks.create_task(converse(gateway.target, CallOptions(), device, as_json=True))
        await device.opened.wait()
        await device.speak(1)
        assert await asyncio.wait_for(talk, 5)


async def test_without_a_device_nobody_is_called() -> None:
    async with serving(silent) as gateway:
        with pytest.raises(NoAudio, match="use: voice say"):
            await converse(gateway.target, CallOptions(), NoDevice(), as_json=True)
        assert gateway.streams == 0
