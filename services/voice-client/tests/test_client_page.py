"""Do the programs of docs/client.md run as they stand? Each as a program of its own, against a scripted gateway."""

import asyncio
import re
import sys
from pathlib import Path

from pcm import read_wav, write_wav
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import OUTPUT_HZ, Session, conversing, serving, tone
from .test_cli import pause, speech
from .test_secure import Files, files

__all__ = ["files"]

PAGE = (Path(__file__).parents[3] / "docs" / "client.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


async def run(title: str, target: str, folder: Path) -> str:
    """What the program below `title` prints."""
    program = PROGRAMS[title].replace("localhost:50050", target)
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await asyncio.wait_for(running.communicate(), 30)
    assert (running.returncode, stderr.decode()) == (0, "")
    return stdout.decode()


def answering(session: Session, message: pb.ClientMessage) -> None:
    """As a gateway does: a tool first where the weather is asked for, and latencies at the end."""
    if "weather" in message.text.text:
        session.turn_event(pb.TurnEvent.REPLY_STARTED, reply=1, turn=1)
        call = pb.ToolCall(id="1", reply=1, name="get_weather", timeout_s=5)
        call.arguments.update({"city": "Paris"})
        session.tell(tool_call=call)
    elif message.HasField("tool_result"):
        session.reply(1, f"told {message.tool_result.content}", tone(0.2), turn=1)
    else:
        conversing(session, message)
        if message.HasField("text"):
            session.tell(latency=pb.TurnLatency(turn=1, reply=1, gateway_response_latency=0.5))


def test_every_program_of_the_page_is_run_here() -> None:
    assert PAGE.count("```python") == len(PROGRAMS) == 6


async def test_a_typed_turn_tools_and_threads(tmp_path: Path) -> None:
    async with serving(answering) as gateway:
        typed, tools, threads = await asyncio.gather(
            run("A typed turn", gateway.target, tmp_path),
            run("Tools", gateway.target, tmp_path),
            run("Threads and loops", gateway.target, tmp_path),
        )
    assert typed == "what is your name \nthe reply began after 0.5 s\n"
    assert tools == 'told {"city": "Paris", "degrees": 21}\n'
    assert int(threads.split()[0]) > 5


async def test_a_recording_goes_in_and_what_was_heard_comes_out(tmp_path: Path) -> None:
    write_wav(tmp_path / "question.wav", [speech(0.5, 44100) + pause(0.2, 44100)], 44100)
    async with serving(answering) as gateway:
        await run("Audio in and out", gateway.target, tmp_path)
        reports = [m.playout for m in gateway.sessions[0].of_kind("playout")]
    assert read_wav(tmp_path / "answer.wav").pcm16 == tone(0.25)
    assert (reports[-1].samples_played, reports[-1].final) == (OUTPUT_HZ // 4, True)


async def test_a_dropped_stream_is_resumed_and_an_error_is_a_sentence(tmp_path: Path) -> None:
    async with serving(answering) as gateway:
        gateway.drop_after = [3]
        dropped, unreachable = await asyncio.gather(
            run("Reconnecting, and what can go wrong", gateway.target, tmp_path),
            run("Reconnecting, and what can go wrong", "127.0.0.1:1", tmp_path),
        )
    assert "it is resumed\nthe call goes on\n" in dropped
    assert dropped.endswith("what is your name\n")
    assert unreachable.startswith("no call: no voice gateway answers at 127.0.0.1:1: nothing listens there")


async def test_tls_with_a_token(tmp_path: Path, files: Files) -> None:
    for name, source in (("ca.pem", files.ca), ("caller.pem", files.certificate), ("caller.key", files.key)):
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "token").write_text("secret\n")
    async with serving(answering, credentials=files.choosy_gateway) as gateway:
        assert await run("TLS and tokens", gateway.target, tmp_path) == "what is your name\n"
        assert gateway.tokens == ["Bearer secret"]
