"""What does a person see and do in `voice talk`? The real command in a real terminal, against a scripted gateway."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import FakeGateway, Script, Session, serving, silent, tone
from .terminal import Terminal, terminal

HEADSET_AND_LOUD = json.dumps(
    [
        {"name": "headset", "in": 1, "out": 1, "hz": 48000, "only": True},
        {"name": "loud", "in": 2, "out": 2, "hz": 44100},
    ]
)
HEADSET_AND_HDMI = json.dumps(
    [
        {"name": "headset", "in": 1, "out": 0, "hz": 48000, "only": True},
        {"name": "HDMI", "in": 0, "out": 2, "hz": 44100},
    ]
)
REFUSAL = "this token is not accepted; ask the operator for one"
LOUD = '[{"name": "loud", "in": 1, "out": 1, "hz": 16000}]'


def answering_typed(session: Session, message: pb.ClientMessage) -> None:
    """Half of a long reply plays, and the rest never comes: it is heard as long as the test likes."""
    if message.WhichOneof("message") == "text":
        session.turn += 1
        session.turn_event(pb.TurnEvent.TURN_ENDED, turn=session.turn, text=message.text.text)
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=session.turn, turn=session.turn)
        session.tell(reply_text=pb.ReplyText(reply=session.turn, delta="It is noon, and the sun is high. " * 9))
        session.tell(reply_audio=pb.ReplyAudio(reply=session.turn, data=tone(10)))
    if message.WhichOneof("message") == "interrupt":
        fields = {"reply": session.turn, "turn": session.turn}
        session.turn_event(pb.TurnEvent.REPLY_INTERRUPTED, heard_text="It is noon,", heard_ms=700, **fields)
        session.tell(latency=pb.TurnLatency(**fields, gateway_response_latency=0.84, llm_ttft=0.12, tts_ttfb=0.1))


async def received(session: Session, kind: str, count: int = 1) -> list[pb.ClientMessage]:
    async with asyncio.timeout(20):
        while len(session.of_kind(kind)) < count:
            session.heard.clear()
            await session.heard.wait()
    return session.of_kind(kind)


@asynccontextmanager
async def talk(
    *arguments: str, script: Script = silent, width: int = 100, environment: dict[str, str] | None = None
) -> AsyncIterator[tuple[Terminal, FakeGateway, Session]]:
    """A call that has begun."""
    async with (
        serving(script) as gateway,
        terminal("talk", "--target", gateway.target, *arguments, width=width, environment=environment) as there,
    ):
        await asyncio.wait_for(gateway.called.wait(), 30)
        yield there, gateway, gateway.sessions[0]


@pytest.mark.parametrize("width", [40, 200])
async def test_a_call_on_the_screen_from_the_first_partial_to_the_latency(width: int) -> None:
    async with talk(script=answering_typed, width=width) as (there, _, session):
        await there.shows("connected", "mic", "speaker", "interrupt", "quit")
        session.tell(transcript=pb.Transcript(turn=9, utterance=1, text="what ti"))
        await there.shows("what ti …")
        session.tell(transcript=pb.Transcript(turn=9, utterance=1, text="what time", final=True))
        await there.shows("you what time ─")
        there.press("tHow are you?x\x7f\r")
        assert (await received(session, "text"))[0].text.text == "How are you?"
        await there.shows("you How are you?", "reply", "▸")
        picture = await there.shows("It is ▸ noon") if width == 200 else ""
        there.press("i")
        await there.shows("reply It is noon, — interrupted", "sent after 0.84 s", "voice 0.10")
        there.press("q")
        assert await there.ends() == 0
        assert await received(session, "end")
        left = there.text[there.text.rindex("you    How are you?") :]
        assert "It is noon, — interrupted" in left, "what was said is not left behind"
    assert "\x1b[2m" in there.written
    assert all(len(row) <= width for row in picture.splitlines())


async def test_keys_do_what_the_screen_says() -> None:
    async with talk(environment={"FAKE_DEVICES": LOUD}) as (there, _, session):
        await there.shows("-12 dBFS")
        there.press("m")
        await there.shows("muted")
        await there.shows("muted")
        muted = len(session.of_kind("audio"))
        await received(session, "audio", muted + 3)
        assert session.of_kind("audio")[-1].audio.data == bytes(640)
        there.press("mh")
        await there.shows("half-duplex loud")
        there.press("t" + "no\x1b")
        there.press("\x1b[A\x1bOP")
        there.press("x")
        there.press("tgrüße\r")
        assert (await received(session, "text"))[0].text.text == "grüße"
        there.press("\x04")
        assert await there.ends() == 0


async def test_push_to_talk_by_taps() -> None:
    async with talk("--push-to-talk", environment={"FAKE_DEVICES": LOUD}) as (there, _, session):
        await there.shows("silent: press space to talk", "space talk")
        assert session.start.turn_detection == pb.TURN_DETECTION_PUSH_TO_TALK
        there.press(" ")
        await there.shows("talking")
        there.press(" ")  # within the time of a key that repeats: it is held, and released when no more comes
        await received(session, "commit")
        await there.shows("silent: press space to talk")
        heard = [any(m.audio.data) for m in session.of_kind("audio")]
        assert True in heard
        assert not heard[0]
        there.press("q")
        assert await there.ends() == 0


async def test_a_dropped_stream_is_shown_and_resumed_and_the_audio_goes_on() -> None:
    async with serving(silent) as gateway:
        gateway.drop_after = [1]
        gateway.refuse = []
        async with terminal("talk", "--target", gateway.target) as there:
            await there.shows("connected")
            session = gateway.sessions[0]
            gateway.refuse = [(grpc.StatusCode.UNAVAILABLE, "not yet", None)] * 2
            session.tell(transcript=pb.Transcript(turn=1, utterance=1, text="hello", final=True))
            await there.shows("! ", "connection lost", "resumed", "the call goes on", "you hello")
            before = session.samples
            await received(session, "audio", before // 320 + 10)
            there.press("q")
            assert await there.ends() == 0
            assert gateway.streams == 4
        assert len(gateway.sessions) == 1


async def test_a_call_that_can_not_be_resumed_is_begun_anew() -> None:
    async with talk() as (there, gateway, session):
        await there.shows("connected")
        gateway.drop_after = []
        session.token = "forgotten"
        gateway.sessions[0].tell(go_away=pb.GoAway(reason=pb.GoAway.DRAINING, deadline_s=1, resume_token="token-0"))
        text = await there.shows("the call is lost", "calling again", "connected")
        assert "no such call" in text
        assert len(gateway.sessions) == 2
        there.press("q")
        assert await there.ends() == 0


async def test_a_gateway_that_shuts_down_is_called_again() -> None:
    async with talk("--plain") as (there, gateway, session):
        await there.writes("connected to")
        session.tell(ended=pb.SessionEnded(reason=pb.SessionEnded.DRAINED, message="connect again"))
        await there.writes("Warning: the call is lost (the gateway has shut down); calling again")
        async with asyncio.timeout(20):
            while len(gateway.sessions) < 2:
                gateway.called.clear()
                await gateway.called.wait()
        there.press("q")
        assert await there.ends() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_a_signal_ends_it_cleanly(number: signal.Signals, code: int) -> None:
    async with talk() as (there, _, session):
        await there.shows("connected")
        there.process.send_signal(number)
        assert await there.ends() == code
        assert await received(session, "end")


async def test_a_microphone_that_is_pulled_out_is_told_and_the_call_goes_on(tmp_path: Path) -> None:
    unplug = tmp_path / "unplug"
    environment = {"FAKE_DEVICES": HEADSET_AND_LOUD, "FAKE_UNPLUG": str(unplug)}
    async with talk(environment=environment) as (there, _, session):
        await there.shows("headset")
        unplug.touch()
        await there.shows("the audio device has stopped; the call goes on with loud", "-12 dBFS")
        assert max(len(m.audio.data) for m in session.of_kind("audio")) == 640
        there.press("q")
        assert await there.ends() == 0


async def test_plain_lines_hold_what_is_final_and_no_control_characters() -> None:
    async with talk("--plain", script=answering_typed) as (there, _, session):
        await there.writes("Keys: i = interrupt", "connected to 127.0.0.1")
        session.tell(transcript=pb.Transcript(turn=9, utterance=1, text="half a wor"))
        there.press("thello\r")
        await there.writes("You: hello")
        there.press("m")
        await there.writes("Microphone muted.")
        there.press("i")
        await there.writes("Reply, interrupted, heard: It is noon,", "Latency: reply sent after 0.84 s")
        there.press("q")
        assert await there.ends() == 0
    assert "\x1b" not in there.written
    assert "half a wor" not in there.written


async def test_without_colours_nothing_is_coloured() -> None:
    async with talk(environment={"NO_COLOR": "1"}, script=answering_typed) as (there, _, _):
        await there.shows("connected")
        there.press("thello\r")
        await there.shows("▸")
        there.press("q")
        assert await there.ends() == 0
    assert not any(f"\x1b[3{colour}m" in there.written for colour in range(8))


async def test_what_can_not_work_is_one_sentence() -> None:
    async with terminal("talk", "--target", "127.0.0.1:1") as there:
        assert await there.ends() == 3
        assert "nothing listens there; start a gateway" in there.text
    async with serving(silent) as gateway:
        gateway.refuse = [(grpc.StatusCode.UNAUTHENTICATED, REFUSAL, None)]
        async with terminal("talk", "--target", gateway.target, width=200) as there:
            assert await there.ends() == 1
            assert (
                "this token is not accepted; ask the operator for one (voice sends the one of --token-file"
                in there.text
            )
        async with terminal("talk", "--target", gateway.target, "--input", "nothing", width=200) as there:
            assert await there.ends() == 2
            assert "--input nothing: there is no such device; take one of: 0 test device (Fake API)" in there.text
    async with terminal("talk", environment={"FAKE_DEVICES": "[]"}, width=200) as there:
        assert await there.ends() == 2
        assert "this machine has no microphone; plug one in" in there.text


async def test_devices_are_listed_with_rates_and_defaults() -> None:
    async with terminal("devices", environment={"FAKE_DEVICES": HEADSET_AND_HDMI}) as there:
        assert await there.ends() == 0
    rows = [[cell.strip() for cell in row.split("│")[1:-1]] for row in there.text.splitlines() if "Fake API" in row]
    assert rows == [
        ["*", "0", "headset", "microphone", "Fake API", "48"],
        ["*", "1", "HDMI", "loudspeaker", "Fake API", "8 16 22.05 24 44.1 48"],
    ]
    async with terminal("devices", environment={"FAKE_DEVICES": "[]"}) as there:
        assert await there.ends() == 2
        assert "this machine has no microphone and no loudspeaker" in there.text
