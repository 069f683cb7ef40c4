"""Does the stack come up, say what failed, and leave nothing behind?"""

import asyncio
import audioop
import json
import os
import re
import runpy
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from mini_llm.settings import Settings as LlmSettings
from speech_server.settings import ServerSettings as SpeechSettings
from voice_bench.process import StackFailed
from voice_bench.stack import running
from voice_bench.stack_config import Part, StackConfig, embedded, scripted, with_environment
from voice_client import CallOptions, connect, server_info
from voice_client.events import ReplyAudio, Turn, TurnEvent
from voice_gateway.config import Settings as GatewaySettings

WAIT_S = 20.0
LEVEL = 0.25
"""Of full scale: a voice that no other engine has."""


def alive(pid: int) -> bool:
    """Is there such a process, and is it more than a name in a table?"""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def first_audio(target: str) -> None:
    """A typed turn is answered with audio."""
    async with asyncio.timeout(WAIT_S), connect(target, CallOptions()) as call:
        await call.say("hello")
        async for event in call:
            if isinstance(event, ReplyAudio):
                return
        raise AssertionError("the call ended without audio")


async def loudest_of_a_reply(target: str) -> int:
    """The largest sample of the reply to a typed turn."""
    loudest = 0
    async with asyncio.timeout(WAIT_S), connect(target, CallOptions()) as call:
        await call.say("hello")
        async for event in call:
            if isinstance(event, ReplyAudio):
                loudest = max(loudest, audioop.max(event.pcm16, 2))
            if isinstance(event, TurnEvent) and event.kind is Turn.REPLY_ENDED:
                return loudest
        raise AssertionError("the call ended within a reply")


async def statuses_until_ready(run: asyncio.subprocess.Process) -> bytes:
    """What `voice-bench run` writes until it says what to try."""
    assert run.stdout is not None
    told = b""
    async with asyncio.timeout(WAIT_S):
        while b"voice ask" not in told:
            line = await run.stdout.readline()
            assert line, told
            told += line
    return told


async def test_the_stack_answers_and_every_process_ends_with_it() -> None:
    async with running(scripted()) as stack:
        pids = [server.pid for server in stack.servers.values()]
        assert len(pids) == 3
        assert all(alive(pid) for pid in pids)
        await first_audio(stack.target)
        folder = stack.folder
        assert stack.timeline(Part.LLM).exists()
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("command", "variable", "config"),
    [
        ("speech-server", "SPEECH_MAX_STREAMS", StackConfig(speech={"SPEECH_MAX_STREAMS": "-7"})),
        ("mini-llm", "MINI_LLM_DRAIN_S", replace(scripted(), llm={"MINI_LLM_DRAIN_S": "-7"})),
        ("voice-gateway", "LLM_TEMPERATURE", replace(scripted(), gateway={"LLM_TEMPERATURE": "-7"})),
    ],
)
async def test_a_part_that_can_not_start_is_named_with_its_log(
    command: str, variable: str, config: StackConfig
) -> None:
    with pytest.raises(StackFailed, match=f"(?s){command} ended with exit status .*{variable}"):
        async with running(config):
            pass
    assert not [child for child in psutil.Process().children() if alive(child.pid)]


async def test_a_part_that_is_never_ready_is_named() -> None:
    others = {Part.SPEECH: "not needed", Part.GATEWAY: "not needed"}  # they may be slow to start, too
    config = StackConfig(llm={"MINI_LLM_READY_AFTER_MS": "60000"}, external=others, start_timeout_s=1.5)
    with pytest.raises(StackFailed, match=r"mini-llm was not ready after 1\.5 s"):
        async with running(config):
            pass


async def test_work_is_cancelled_when_a_part_dies() -> None:
    async def for_ever() -> None:
        os.kill(stack.servers[Part.LLM].pid, signal.SIGKILL)
        await asyncio.Event().wait()

    with pytest.raises(StackFailed, match="mini-llm died with exit status -9"):
        async with asyncio.timeout(WAIT_S), running(scripted()) as stack:
            await stack.beside(for_ever())


async def test_a_part_can_be_killed_started_frozen_and_thawed_on_its_port(tmp_path: Path) -> None:
    async with running(scripted(folder=tmp_path / "kept")) as stack:
        target, before = stack.target, stack.servers[Part.GATEWAY].pid
        await stack.servers[Part.GATEWAY].kill()
        assert not alive(before)
        await stack.servers[Part.GATEWAY].start()
        assert (stack.target, alive(stack.servers[Part.GATEWAY].pid)) == (target, True)
        await first_audio(target)
        stack.servers[Part.LLM].signal(signal.SIGSTOP)
        stopped = await asyncio.to_thread(os.waitid, os.P_PID, stack.servers[Part.LLM].pid, os.WSTOPPED | os.WNOWAIT)
        assert stopped is not None
        stack.servers[Part.LLM].signal(signal.SIGCONT)
        await first_audio(target)
        stack.servers[Part.LLM].signal(signal.SIGSTOP)  # and leaves all the same at the end
        frozen = stack.servers[Part.LLM].pid
    assert not alive(frozen)
    assert (tmp_path / "kept" / "voice-gateway.log").read_text().count("serving gRPC") == 2


async def test_a_server_that_is_named_in_the_environment_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(scripted()) as theirs:
        monkeypatch.setenv("LLM_BASE_URL", theirs.llm_base_url)
        host, _, port = theirs.speech_target.partition(":")
        monkeypatch.setenv("RIVA_HOST", host)
        monkeypatch.setenv("RIVA_PORT", port)
        async with running(with_environment(embedded())) as ours:
            assert set(ours.servers) == {Part.GATEWAY}
            assert (ours.speech_target, ours.llm_base_url) == (theirs.speech_target, theirs.llm_base_url)
            await first_audio(ours.target)


async def test_a_model_that_is_named_in_the_environment_is_asked_by_its_name_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str | None, str]] = []

    async def complete(request: web.Request) -> web.StreamResponse:
        asked.append((request.headers.get("Authorization"), (await request.json())["model"]))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        delta = {"choices": [{"index": 0, "delta": {"content": "I am a real model."}, "finish_reason": None}]}
        await response.write(f"data: {json.dumps(delta)}\n\ndata: [DONE]\n\n".encode())
        return response

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "org/real", "object": "model"}]})

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", complete), web.get("/v1/models", models)])
    async with TestServer(app) as server:
        monkeypatch.setenv("LLM_BASE_URL", str(server.make_url("/v1")))
        monkeypatch.setenv("LLM_MODEL", "org/real")
        monkeypatch.setenv("LLM_API_KEY", "a-key")
        async with running(with_environment(scripted())) as stack:
            assert set(stack.servers) == {Part.SPEECH, Part.GATEWAY}
            await first_audio(stack.target)
    assert asked == [("Bearer a-key", "org/real")]


async def test_the_real_engines_and_the_rules_answer(tmp_path: Path) -> None:
    async with running(embedded(folder=tmp_path)) as stack:
        assert (await server_info(stack.target, CallOptions())).ready
        async with asyncio.timeout(WAIT_S), connect(stack.target, CallOptions()) as call:
            await call.say("my name is anna")
            async for event in call:
                if isinstance(event, TurnEvent) and event.kind is Turn.REPLY_ENDED:
                    break
    assert isinstance(event, TurnEvent)
    assert "Anna" in event.text


async def test_the_servers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from voice_bench.stack import running\nfrom voice_bench.stack_config import scripted\n"
        "async def main():\n"
        "    async with running(scripted()) as stack:\n"
        "        print(*(server.pid for server in stack.servers.values()), flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await asyncio.wait_for(parent.stdout.readline(), WAIT_S)).split()]
    assert len(pids) == 3
    servers = [psutil.Process(pid) for pid in pids]
    parent.kill()
    await parent.wait()
    _, left = await asyncio.to_thread(psutil.wait_procs, servers, timeout=WAIT_S)
    assert left == []


async def test_ctrl_c_on_run_ends_every_process_and_is_no_failure() -> None:
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "voice-bench", "run", stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    await statuses_until_ready(run)
    children = [child.pid for child in psutil.Process(run.pid).children(recursive=True)]
    assert len(children) >= 4  # three servers and the orphan reaper
    run.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(run.wait(), WAIT_S) == 0
    assert not any(alive(pid) for pid in children)


async def test_run_speaks_with_the_voice_that_is_named(tmp_path: Path) -> None:
    tiny = runpy.run_path(str(Path(__file__).parents[2] / "speech-server/tests/engines/kokoro/tiny.py"))
    tiny["write_release"](tmp_path, {"af_heart": LEVEL})
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "voice-bench", "run", "--engine", "scripted", "--tts", "kokoro",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "KOKORO_MODEL_PATH": str(tmp_path), "KOKORO_PRECISION": "fp32"},
    )  # fmt: skip
    told = await statuses_until_ready(run)
    found = re.search(rb"voice-gateway +(\S+)", told)
    assert found is not None
    loudest = await loudest_of_a_reply(found[1].decode())
    assert loudest == pytest.approx(LEVEL * 32767, rel=0.02), "the level that the model was made with"
    run.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(run.wait(), WAIT_S) == 0


async def test_run_says_what_failed_and_exits_with_one() -> None:
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "voice-bench",
        "run",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MINI_LLM_FAULT": "bad luck"},
    )
    _, said = await asyncio.wait_for(run.communicate(), WAIT_S)
    assert run.returncode == 1
    assert b"mini-llm ended with exit status" in said
    assert b"MINI_LLM_FAULT" in said


def test_on_their_defaults_the_three_servers_meet() -> None:
    gateway, speech, llm = GatewaySettings(), SpeechSettings(), LlmSettings()
    assert gateway.riva_port == speech.speech_grpc_port
    assert gateway.llm_base_url == f"http://localhost:{llm.port}/v1"
    ports = {
        gateway.gateway_port,
        gateway.gateway_http_port,
        speech.speech_grpc_port,
        speech.speech_http_port,
        llm.port,
    }
    assert len(ports) == 5, "they run beside each other on one machine"
