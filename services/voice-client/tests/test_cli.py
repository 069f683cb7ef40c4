"""What does the `voice` command print and exit with? Run as a user runs it, against a gateway on a real socket."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import soundfile
from pcm import read_wav, write_wav
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import OUTPUT_HZ, Session, answering, listening, serving, silent, tone

VOICE = [sys.executable, "-c", "from voice_client.cli import main; main()"]
ENVIRONMENT = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


async def voice(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    running = await asyncio.create_subprocess_exec(
        *VOICE,
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**ENVIRONMENT, **(environment or {})},
    )
    try:
        out, err = await asyncio.wait_for(running.communicate(), 30)
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    assert running.returncode is not None
    assert "Traceback" not in err.decode()
    return running.returncode, out.decode(), err.decode()


def events(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def speech(seconds: float, rate_hz: int) -> bytes:
    half = rate_hz // 1000  # a square wave of about 500 Hz
    period = b"\x00\x20" * half + b"\x00\xe0" * half
    return period * int(seconds * rate_hz / (2 * half))


def pause(seconds: float, rate_hz: int) -> bytes:
    return bytes(2 * int(seconds * rate_hz))


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """Half a second of speech at 44.1 kHz."""
    path = tmp_path / "question.wav"
    write_wav(path, [speech(0.5, 44100) + pause(0.2, 44100)], 44100)
    return path


async def test_say_prints_what_was_said_answered_and_measured_and_saves_the_reply(
    question: Path, tmp_path: Path
) -> None:
    async with serving(listening) as gateway:
        out = tmp_path / "reply.wav"
        code, stdout, stderr = await voice("say", str(question), "--out", str(out), "--target", gateway.target)
        session = gateway.sessions[0]
    assert (code, stderr) == (0, "")
    for words in ("words 1", "answer 1", "llm_ttft", "0.125", "voice_to_voice"):
        assert words in stdout
    assert read_wav(out).pcm16 == tone(0.25)
    assert read_wav(out).rate_hz == OUTPUT_HZ
    reports = [m.playout for m in session.of_kind("playout")]
    assert (reports[-1].samples_played, reports[-1].final) == (2000, True)
    assert session.of_kind("end")


async def test_say_in_json_holds_nothing_but_json_and_measures_voice_to_voice(question: Path) -> None:
    began = time.monotonic()
    async with serving(listening) as gateway:
        code, stdout, _ = await voice("say", str(question), "--json", "--target", gateway.target)
    took_s = time.monotonic() - began
    told = events(stdout)
    assert code == 0
    assert told[0]["event"] == "started"
    summary = told[-1]
    assert (summary["event"], summary["transcript"], summary["reply"]) == ("summary", "words 1", "answer 1")
    (row,) = summary["turns"]
    # 300 ms of silence end a turn of the fake, and 60 ms are buffered before it is heard. It counts from the end of the
    # half second of speech, which is played in real time.
    assert 0.25 < row["voice_to_voice"] < took_s - 0.5
    assert row["endpointing_delay"] == pytest.approx(0.3)


async def test_a_file_with_two_utterances_is_heard_to_the_end_of_the_second_reply(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    one = speech(0.3, 16000) + pause(1.2, 16000)
    write_wav(path, [one + one], 16000)
    async with serving(listening) as gateway:
        code, stdout, _ = await voice("say", str(path), "--json", "--target", gateway.target)
    summary = events(stdout)[-1]
    assert code == 0
    assert summary["transcript"] == "words 1 words 2"
    assert [row["turn"] for row in summary["turns"]] == [1, 2]
    assert all(0.25 < row["voice_to_voice"] < 1.0 for row in summary["turns"])
    assert summary["heard_s"] == pytest.approx(0.5)


async def test_several_files_are_calls_of_their_own_at_once_in_another_format(question: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    write_wav(other, [speech(0.4, 8000)], 8000)
    async with serving(silent) as gateway:
        code, _, stderr = await voice(
            *("say", str(question), str(other), "--concurrency", "2", "--timeout", "0.5"),
            *("--rate", "8000", "--encoding", "mulaw", "--target", gateway.target),
        )
        formats = {(s.start.input.encoding, s.start.input.sample_rate_hz) for s in gateway.sessions}
    assert code == 1
    assert len(gateway.sessions) == 2
    assert formats == {(2, 8000)}
    assert "nothing happened for 0.5 s: no final transcript came" in stderr


async def test_say_survives_a_dropped_stream(question: Path) -> None:
    async with serving(listening) as gateway:
        gateway.drop_after = [9]
        code, stdout, _ = await voice("say", str(question), "--json", "--target", gateway.target)
    told = events(stdout)
    assert code == 0
    assert [event["event"] for event in told].count("dropped") == 1
    assert told[-1]["heard_s"] == pytest.approx(0.25)
    assert told[-1]["reply"] == "answer 1"


async def test_ask_prints_the_reply_and_saves_its_sound(tmp_path: Path) -> None:
    out = tmp_path / "reply.wav"
    async with serving(answering) as gateway:
        code, stdout, _ = await voice(
            "ask", "what now?", "--out", str(out), environment={"VOICE_TARGET": gateway.target}
        )
    assert code == 0
    assert "you typed what now?" in stdout
    assert read_wav(out).pcm16 == tone(0.5)


def unspoken(session: Session, message: pb.ClientMessage) -> None:
    """The model answers, and the voice is refused: with "half" at the second sentence."""
    if message.WhichOneof("message") == "text":
        text, spoken = "First this. Then that.", "First this." if message.text.text == "half" else ""
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1, turn=1)
        session.tell(reply_text=pb.ReplyText(reply=1, delta=text + " "))
        if spoken:
            session.tell(reply_audio=pb.ReplyAudio(reply=1, data=tone(0.2)))
        session.tell(error=pb.Error(code=pb.Error.TTS_BROKEN, message="there is no such voice"))
        session.turn_event(pb.TurnEvent.REPLY_ENDED, reply=1, turn=1, text=spoken)


@pytest.mark.parametrize(
    ("typed", "shown", "said"),
    [
        ("all", "First this. Then that. (not spoken)", "no audio of the reply"),
        ("half", "First this. Then that. (spoken as far as: First this.)", "the gateway reported an error"),
    ],
)
async def test_a_reply_that_is_not_spoken_is_shown_and_is_no_success(typed: str, shown: str, said: str) -> None:
    async with serving(unspoken) as gateway:
        code, stdout, stderr = await voice("ask", typed, "--target", gateway.target)
        json_code, lines, _ = await voice("ask", typed, "--json", "--target", gateway.target)
    assert (code, json_code) == (1, 1)
    assert shown in stdout
    assert said in stderr
    assert "there is no such voice" in stderr
    summary = events(lines)[-1]
    assert (summary["complete"], summary["reply"]) == (False, "First this. Then that.")


async def test_a_recording_whose_answer_is_not_spoken_is_no_success(question: Path) -> None:
    def answer(session: Session, message: pb.ClientMessage) -> None:
        before = session.turn
        listening(session, message)
        if session.turn > before:
            session.tell(error=pb.Error(code=pb.Error.LLM_TIMEOUT, message="the model is slow"))

    async with serving(answer) as gateway:
        code, stdout, stderr = await voice("say", str(question), "--target", gateway.target)
    assert code == 1
    assert "answer 1" in stdout
    assert "the model is slow" in stderr


async def test_info_tells_what_is_served_to_people_and_machines() -> None:
    async with serving(silent) as gateway:
        code, stdout, _ = await voice("info", "--target", gateway.target)
        assert (code, "en-US" in stdout) == (0, True)
        code, stdout, _ = await voice("info", "--json", "--target", gateway.target)
    (info,) = events(stdout)
    assert (code, info["asr_model"], info["ready"], info["tools"]) == (0, "script", True, False)


@pytest.mark.parametrize("verb", [("say", "question.wav"), ("ask", "hello"), ("info",)])
async def test_no_gateway_is_one_sentence_and_exit_3(verb: tuple[str, ...], question: Path) -> None:
    arguments = [str(question) if word == "question.wav" else word for word in verb]
    code, stdout, stderr = await voice(*arguments, "--target", "127.0.0.1:1")
    assert (code, stdout) == (3, "")
    assert "no voice gateway answers at 127.0.0.1:1: nothing listens there" in stderr
    assert len(stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "OPUS"), ("WAV", "PCM_24"), ("WAV", "FLOAT")],
)
async def test_say_takes_what_the_library_reads(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "question.audio"
    samples = np.frombuffer(speech(0.5, 48_000) + pause(0.2, 48_000), "<i2") / 32768
    soundfile.write(str(path), np.repeat(samples[:, None], 2, axis=1), 48_000, format=kind, subtype=subtype)
    async with serving(listening) as gateway:
        code, stdout, stderr = await voice("say", str(path), "--target", gateway.target)
    assert (code, stderr) == (0, "")
    assert "words 1" in stdout


async def test_a_busy_gateway_is_told_with_the_time_to_come_back() -> None:
    async with serving(silent) as gateway:
        gateway.refuse = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "all lines are busy", 2500)] * 20
        code, stdout, stderr = await voice("ask", "hello", "--json", "--target", gateway.target)
    assert code == 1
    assert stderr == "all lines are busy; try again in 2.5 s\n"
    (failure,) = events(stdout)
    assert (failure["event"], failure["kind"], failure["retry_after_s"]) == ("failure", "Busy", 2.5)


async def test_a_file_that_is_no_recording_is_refused_with_a_sentence(tmp_path: Path) -> None:
    noise, empty = tmp_path / "noise.wav", tmp_path / "empty.wav"
    noise.write_bytes(b"no audio at all")
    with wave.open(str(empty), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    for path, sentence in ((noise, "send WAV, FLAC"), (empty, "record something first")):
        code, _, stderr = await voice("say", str(path))
        assert code == 2
        assert sentence in " ".join(stderr.replace("│", " ").split())


async def test_ctrl_c_hangs_up_and_exits_130(question: Path) -> None:
    async with serving(silent) as gateway:
        running = await asyncio.create_subprocess_exec(
            *VOICE, "say", str(question), "--target", gateway.target, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        async with asyncio.timeout(30):
            await gateway.called.wait()
            session = gateway.sessions[0]
            while not session.of_kind("audio"):
                session.heard.clear()
                await session.heard.wait()
            running.send_signal(signal.SIGINT)
            _, stderr = await running.communicate()
    assert running.returncode == 130
    assert b"Traceback" not in stderr
    assert session.of_kind("end")


async def test_talk_without_portaudio_says_what_to_do_instead(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    code, stdout, stderr = await voice("talk", environment={"PYTHONPATH": str(tmp_path)})
    assert (code, stdout) == (2, "")
    assert stderr == ("PortAudio library not found; install PortAudio (libportaudio2), or use: voice say FILE.wav\n")
