"""Do a microphone thread, a loudspeaker thread and the call work together? With a device that is played by hand."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from voice_client import Call, CallOptions, Event, Turn, TurnEvent, connect
from voice_client.cli.output import JsonOutput
from voice_client.cli.talk import converse
from voice_client.cli.talk_session import Calling
from voice_client.cli.talk_views import JsonView
from voice_client.device_choice import NoAudio
from voice_client.interfaces import FillPlayback, OnCaptured, OnLost, OpenedAudio
from voice_client.live.device_threads import FRAMES_WAITING, Microphone
from voice_client.live.live_caller import LiveCaller, LiveOptions, first_state
from voice_client.live.screen import Screen
from voice_client.live.screen_state import CallerLine, NoteLine, Phase, ReplyLine
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import OUTPUT_HZ, FakeGateway, Script, Session, serving, silent, tone

FRAME = (8000).to_bytes(2, "little") * 320
OPEN_MICROPHONE = LiveOptions()


class HandPlayed:
    """A sound device without sound: the test calls its threads' callbacks, from another thread as PortAudio does."""

    def __init__(self, name: str = "hand", instead: "HandPlayed | None" = None) -> None:
        self.name = name
        self.instead = instead
        self.on_captured: OnCaptured
        self.fill: FillPlayback
        self.on_lost: OnLost
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.rates = (0, 0)
        self._loop = asyncio.get_running_loop()

    def check(self) -> None:
        pass

    def default(self) -> "HandPlayed":
        if self.instead is None:
            raise NoAudio("this machine has no microphone")
        return self.instead

    @contextmanager
    def open(
        self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback, on_lost: OnLost
    ) -> Iterator[OpenedAudio]:
        self.on_captured, self.fill, self.on_lost, self.rates = on_captured, fill, on_lost, (input_hz, output_hz)
        self._loop.call_soon_threadsafe(self.opened.set)
        yield OpenedAudio(self.name, self.name)
        self._loop.call_soon_threadsafe(self.closed.set)

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


class Talking:
    """One call of a live caller, and both its ends."""

    def __init__(self, gateway: FakeGateway, call: Call, device: HandPlayed, options: LiveOptions) -> None:
        self.gateway = gateway
        self.call = call
        self.device = device
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self._changed = asyncio.Event()
        self.screen = Screen(first_state(gateway.target, options, 0.0), lambda before, after: self._changed.set())
        self.caller = LiveCaller(call, self.screen, options, self.events.put_nowait)

    @property
    def session(self) -> Session:
        return self.gateway.sessions[0]

    async def shows(self, enough: Callable[[], bool]) -> None:
        """Until the screen does."""
        async with asyncio.timeout(10):
            while not enough():
                self._changed.clear()
                await self._changed.wait()

    def line(self, index: int = -1) -> object:
        return self.screen.state.lines[index]


@asynccontextmanager
async def talking(
    script: Script = silent, device: HandPlayed | None = None, options: LiveOptions = OPEN_MICROPHONE
) -> AsyncIterator[Talking]:
    async with (
        serving(script) as gateway,
        connect(gateway.target, CallOptions(push_to_talk=options.push_to_talk)) as call,
    ):
        there = Talking(gateway, call, device or HandPlayed(), options)
        holding = asyncio.create_task(there.caller.run(there.device))
        await there.device.opened.wait()
        yield there
        await call.end()
        await asyncio.wait_for(holding, 5)


async def event_of_kind(events: "asyncio.Queue[Event]", kind: Turn) -> None:
    async with asyncio.timeout(10):
        while True:
            event = await events.get()
            if isinstance(event, TurnEvent) and event.kind is kind:
                return


async def test_what_the_microphone_hears_reaches_the_gateway_and_the_meter() -> None:
    async with talking() as there:
        await there.device.speak(10)
        await received(there.session, lambda session: session.samples == 3200)
        assert there.device.rates == (16000, OUTPUT_HZ)
        assert there.screen.state.audio.input_dbfs == pytest.approx(-12.25, abs=0.1)
        assert there.screen.state.audio.input_name == "hand"
        assert there.session.of_kind("audio")[0].audio.data == FRAME


async def test_a_reply_is_played_and_reported_as_really_written() -> None:
    async with talking() as there:
        session, device = there.session, there.device
        session.reply(1, "hello there", tone(0.5))
        await event_of_kind(there.events, Turn.REPLY_ENDED)
        assert await device.hear(1000) == tone(0.5)[:2000]
        await device.speak(1)
        await received(session, lambda session: len(session.of_kind("playout")) == 1)
        assert await device.hear(4000) == tone(0.5)[2000:] + bytes(2000)
        await device.speak(1)
        await received(session, lambda session: len(session.of_kind("playout")) == 2)
        told = [(m.playout.samples_played, m.playout.final) for m in session.of_kind("playout")]
        assert told == [(1000, False), (4000, True)]
        await there.shows(lambda: there.line() == ReplyLine(1, 0, "hello there", 11, Phase.ENDED))


async def test_an_interrupted_reply_falls_silent_at_once() -> None:
    async with talking() as there:
        session, device, events = there.session, there.device, there.events
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1)
        session.tell(reply_audio=pb.ReplyAudio(reply=1, data=tone(0.5)))
        session.turn_event(pb.TurnEvent.SPEECH_STARTED)
        await event_of_kind(events, Turn.SPEECH_STARTED)
        assert await device.hear(100) == tone(0.5)[:200]
        await there.caller.interrupt()
        await received(session, lambda session: bool(session.of_kind("interrupt")))
        session.turn_event(pb.TurnEvent.REPLY_INTERRUPTED, reply=1, heard_text="hel", heard_ms=12)
        await event_of_kind(events, Turn.REPLY_INTERRUPTED)
        assert await device.hear(100) == bytes(200)


async def test_push_to_talk_sends_silence_between_turns_and_commits_after_them() -> None:
    async with talking(options=LiveOptions(push_to_talk=True)) as there:
        session, device = there.session, there.device
        await device.speak(1)
        await received(session, lambda session: session.samples == 320)
        await there.caller.talk()
        await device.speak(1)
        await received(session, lambda session: session.samples == 640)
        await there.caller.talk()  # so soon after the first that the key repeats: it is held, and released
        await received(session, lambda session: bool(session.of_kind("commit")))
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1)
        await event_of_kind(there.events, Turn.REPLY_STARTED)
        await there.caller.talk()
        await received(session, lambda session: bool(session.of_kind("interrupt")))
        assert [m.audio.data for m in session.of_kind("audio")] == [bytes(640), FRAME]
        assert session.start.turn_detection == pb.TURN_DETECTION_PUSH_TO_TALK


async def test_a_muted_microphone_sends_silence_and_is_the_clock_all_the_same() -> None:
    async with talking() as there:
        there.caller.mute()
        await there.device.speak(1)
        await received(there.session, lambda session: session.samples == 320)
        there.caller.mute()
        await there.device.speak(1)
        await received(there.session, lambda session: session.samples == 640)
        assert [m.audio.data for m in there.session.of_kind("audio")] == [bytes(640), FRAME]


async def test_half_duplex_is_silent_from_the_first_sample_of_a_reply_on() -> None:
    async with talking(options=LiveOptions(half_duplex=True)) as there:
        session, device = there.session, there.device
        await device.speak(1)
        session.reply(1, "hello there", tone(0.5))
        await event_of_kind(there.events, Turn.REPLY_ENDED)
        await device.hear(1000)
        await device.speak(1)
        await received(session, lambda session: session.samples == 640)
        assert there.screen.state.audio.is_gated
        there.caller.switch_half_duplex()
        await device.speak(1)
        await received(session, lambda session: session.samples == 960)
        assert [m.audio.data for m in session.of_kind("audio")] == [FRAME, bytes(640), FRAME]


async def test_a_device_that_vanishes_is_replaced_by_the_default_one_and_the_call_goes_on() -> None:
    other = HandPlayed("speakers")
    async with talking(device=HandPlayed("headset", other)) as there:
        await there.device.speak(1)
        await asyncio.to_thread(there.device.on_lost)
        await asyncio.wait_for(other.opened.wait(), 5)
        await asyncio.wait_for(there.device.closed.wait(), 5)
        await other.speak(2)
        await received(there.session, lambda session: session.samples == 960)
        sentence = "the audio device has stopped; the call goes on with speakers"
        await there.shows(lambda: there.line() == NoteLine(sentence, is_trouble=True))
        assert there.screen.state.audio.output_name == "speakers"


async def test_a_call_without_any_device_left_goes_on_with_silence_and_says_so() -> None:
    async with talking(device=HandPlayed("headset")) as there:
        there.session.reply(1, "hello there", tone(0.5))
        await asyncio.to_thread(there.device.on_lost)
        # The silent loudspeaker plays the reply out, and the silent microphone is the clock of its reports.
        await received(there.session, lambda session: any(m.playout.final for m in session.of_kind("playout")))
        assert {m.audio.data for m in there.session.of_kind("audio")} == {bytes(640)}
        notes = [line for line in there.screen.state.lines if isinstance(line, NoteLine)]
        assert "there is no other (this machine has no microphone)" in notes[0].text
        assert there.screen.state.audio.input_name == "none"


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


async def test_what_is_said_reaches_the_screen() -> None:
    async with talking() as there:
        session = there.session
        session.tell(transcript=pb.Transcript(turn=1, utterance=1, text="what time", final=False))
        await there.shows(lambda: there.screen.state.lines == (CallerLine(1, (), "what time"),))
        session.tell(transcript=pb.Transcript(turn=1, utterance=1, text="what time is it", final=True))
        await there.shows(lambda: there.screen.state.lines == (CallerLine(1, ((1, "what time is it"),)),))


async def test_talk_ends_well_when_the_gateway_ends_the_call() -> None:
    def brief(session: Session, message: pb.ClientMessage) -> None:
        if message.WhichOneof("message") == "audio":
            session.tell(ended=pb.SessionEnded(reason=pb.SessionEnded.MAX_DURATION))

    device = HandPlayed()
    async with serving(brief) as gateway, asyncio.TaskGroup() as tasks:
        talk = tasks.create_task(
            converse(Calling(gateway.target, CallOptions(), LiveOptions(), device), JsonView(JsonOutput({})))
        )
        await device.opened.wait()
        await device.speak(1)
        assert await asyncio.wait_for(talk, 5)


async def test_without_a_device_nobody_is_called() -> None:
    async with serving(silent) as gateway:
        with pytest.raises(NoAudio, match="use: voice say"):
            await converse(Calling(gateway.target, CallOptions(), LiveOptions(), NoDevice()), JsonView(JsonOutput({})))
        assert gateway.streams == 0
