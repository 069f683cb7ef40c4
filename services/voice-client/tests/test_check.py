"""What does `voice check` hold for a working gateway, and what does it say of one that is not?"""

import pytest
from pcm import dbfs
from voice_client import CallFailed, CallOptions
from voice_client.check import check
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import Script, Session, conversing, leaving, listening, serving, silent, tone
from .test_cli import events, voice

PATIENCE_S = 5.0


async def test_a_gateway_that_converses_is_told_what_it_said_itself() -> None:
    async with serving(conversing) as gateway:
        checked = await check(gateway.target, CallOptions(), PATIENCE_S)
        asking, speaking = gateway.sessions
    assert (checked.asked, checked.heard, checked.reply) == ("what is your name", "words 1", "answer 1")
    assert checked.spoken_s == pytest.approx(0.7)
    assert checked.reply_s == pytest.approx(0.25)
    assert checked.voice_to_voice_s is not None
    assert "what is your name" in asking.of_kind("text")[0].text.text
    assert asking.start.system_prompt
    assert speaking.start.system_prompt == ""
    loud = [m for m in speaking.of_kind("audio") if dbfs(m.audio.data) > -40]
    assert len(loud) * 0.02 == pytest.approx(0.4, abs=0.06)
    assert all(session.of_kind("end") for session in gateway.sessions)


def greeting_first(session: Session, message: pb.ClientMessage) -> None:
    """Speaks before it is asked, as with GREETING."""
    if not session.sent[-1].HasField("turn") and len(session.received) == 1:
        session.turn += 1
        session.reply(1, "Welcome", tone(0.1))
    if message.WhichOneof("message") == "text":
        session.turn_event(pb.TurnEvent.TURN_ENDED, turn=1, text=message.text.text)
        session.reply(2, "what is your name", tone(0.4), turn=1)
    listening(session, message)


async def test_a_greeting_is_not_taken_for_the_question_or_the_answer() -> None:
    async with serving(greeting_first) as gateway:
        checked = await check(gateway.target, CallOptions(), PATIENCE_S)
    assert checked.spoken_s == pytest.approx(0.7)
    assert checked.reply == "answer 2"


def speaks_nothing(session: Session, message: pb.ClientMessage) -> None:
    """The model answers, and speech synthesis fails."""
    if message.WhichOneof("message") == "text":
        session.turn_event(pb.TurnEvent.TURN_ENDED, turn=1)
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1, turn=1)
        session.tell(error=pb.Error(code=pb.Error.TTS_BROKEN, message="no audio for a phrase; check TTS_VOICE"))
        session.turn_event(pb.TurnEvent.REPLY_ENDED, reply=1, turn=1)


def recognises_nothing(session: Session, message: pb.ClientMessage) -> None:
    """Speaks, and understands nothing."""
    if message.WhichOneof("message") == "text":
        conversing(session, message)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (silent, "no spoken reply to a typed turn within 0.5 s; look at the gateway's log"),
        (speaks_nothing, "spoke no reply to a typed turn; no audio for a phrase; check TTS_VOICE"),
        (recognises_nothing, "nothing happened for 0.5 s: no final transcript came"),
        (leaving, r"spoke no reply .*; the gateway ended the call \(drained\): shut down; connect again"),
    ],
)
async def test_a_gateway_that_does_not_converse_is_told_where_it_failed(script: Script, sentence: str) -> None:
    async with serving(script) as gateway:
        with pytest.raises(CallFailed, match=sentence):
            await check(gateway.target, CallOptions(), 0.5)


async def test_the_command_says_what_was_heard_and_exits_0() -> None:
    async with serving(conversing) as gateway:
        host, port = gateway.target.split(":")
        code, stdout, stderr = await voice("check", "--host", host, "--port", port)
        assert (code, stderr) == (0, "")
        assert f'{gateway.target} heard "words 1" and answered "answer 1"' in stdout
        code, stdout, _ = await voice("check", "--json", environment={"VOICE_TARGET": gateway.target})
    (told,) = events(stdout)
    assert (code, told["event"], told["ok"], told["heard"], told["reply"]) == (0, "check", True, "words 1", "answer 1")


async def test_the_command_says_in_one_sentence_what_is_wrong_and_exits_1() -> None:
    code, stdout, stderr = await voice("check", "--host", "127.0.0.1", "--port", "1")
    assert (code, stdout, len(stderr.splitlines())) == (1, "", 1)
    assert "no voice gateway answers at 127.0.0.1:1" in stderr
    async with serving(silent) as gateway:
        code, stdout, _ = await voice("check", "--target", gateway.target, "--timeout", "0.3", "--json")
    (told,) = events(stdout)
    assert (code, told["ok"], told["kind"]) == (1, False, "CallFailed")
    assert "no spoken reply to a typed turn within 0.3 s" in told["message"]
