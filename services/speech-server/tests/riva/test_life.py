"""Health, metrics, settings, signals: what an operator sees."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from serving.settings import BadSettings
from speech_server.app import Server, main
from speech_server.settings import Settings, table

from .caller import Caller, config, hum, hush
from .conftest import QUICK
from .test_drain import draining

StartServer = Callable[..., Coroutine[None, None, Server]]
SERVICES = ("", "nvidia.riva.asr.RivaSpeechRecognition", "nvidia.riva.tts.RivaSpeechSynthesis")
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def health(caller: Caller) -> set[int]:
    stub = health_pb2_grpc.HealthStub(caller.channel)
    check = stub.Check  # type: ignore[attr-defined]
    return {(await check(health_pb2.HealthCheckRequest(service=name))).status for name in SERVICES}


async def get(server: Server, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.http_port}{path}") as got:
        return got.status, await got.text()


async def test_health_is_answered_for_the_server_and_both_services(start_server: StartServer) -> None:
    server = await start_server(SPEECH_DRAIN_NOTICE_S="60")
    caller = Caller(server.grpc_port)
    assert await health(caller) == {SERVING}
    async with draining(server):
        assert await health(caller) == {NOT_SERVING}
    await caller.channel.close()


async def test_reflection_lists_the_services(start_server: StartServer) -> None:
    caller = Caller((await start_server()).grpc_port)
    stub = reflection_pb2_grpc.ServerReflectionStub(caller.channel)  # type: ignore[arg-type]
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = [one async for one in stub.ServerReflectionInfo(iter([asked]))]  # type: ignore[operator]
    names = {service.name for service in answer.list_services_response.service}
    assert {*SERVICES[1:], "grpc.health.v1.Health"} <= names
    await caller.channel.close()


async def test_live_and_ready_are_said_at_our_paths_and_at_those_of_a_nim(start_server: StartServer) -> None:
    server = await start_server()
    for path in ("/livez", "/v1/health/live"):
        assert (await get(server, path))[0] == 200
    for path in ("/readyz", "/v1/health/ready"):
        status, body = await get(server, path)
        assert (status, json.loads(body)["status"]) == (200, "ready")


async def test_a_draining_server_is_live_and_not_ready(start_server: StartServer) -> None:
    server = await start_server()
    await server.drain()
    status, body = await get(server, "/readyz")
    assert status == 503
    assert "draining" in json.loads(body)["reasons"]
    assert (await get(server, "/livez"))[0] == 200


async def test_a_loading_server_says_what_it_waits_for_and_serves_nobody(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loading, loaded = asyncio.Event(), asyncio.Event()

    async def load(engine: object) -> None:
        loading.set()
        await loaded.wait()

    monkeypatch.setattr("speech_server.engines.asr.scripted.recogniser.ScriptedRecogniser.start", load)
    ports = tmp_path / "ports.json"
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(start_server(SPEECH_PORTS_FILE=str(ports)))
        await loading.wait()
        bound = json.loads(ports.read_text())
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{bound['http']}/readyz") as got,
        ):
            assert got.status == 503
            assert (await got.json())["reasons"] == {"asr": "loading", "tts": "loading"}
        caller = Caller(bound["grpc"])
        assert await health(caller) == {NOT_SERVING}
        with pytest.raises(grpc.aio.AioRpcError, match="The server is starting"):
            await caller.hear(config())
        loaded.set()
        server = await starting
    assert not server.waiting_for
    assert await caller.hear(config())
    await caller.channel.close()


async def test_metrics_count_what_was_served_and_refused(start_server: StartServer) -> None:
    server = await start_server()
    caller = Caller(server.grpc_port)
    await caller.hear(config(), hum(0.6) + hush(0.4))
    with pytest.raises(grpc.aio.AioRpcError):
        await caller.hear(config(sample_rate_hertz=1))
    status, page = await get(server, "/metrics")
    assert status == 200
    assert 'speech_requests_total{service="asr"} 2.0' in page
    assert 'speech_refusals_total{code="INVALID_ARGUMENT",rpc="StreamingRecognize"} 1.0' in page
    assert "speech_final_latency_seconds_count 1.0" in page
    assert 'speech_requests_active{service="asr"} 0.0' in page
    await caller.channel.close()


def test_every_setting_is_described(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    assert capsys.readouterr().out == table() + "\n"
    assert "None" not in table()
    assert all(" # " in line for line in table().splitlines() if not line.startswith("#"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPEECH_GRPC_PORT", "seventy"),
        ("SPEECH_ASR_ENGINE", "magic"),
        ("SPEECH_VOICE_ALIASES", "no json"),
        ("SCRIPT_TRANSCRIPT", "caller {nobody}"),
        ("SCRIPT_LINES", "/nowhere/at/all"),
        ("SPEECH_MAX_STREAMS", "0"),
    ],
)
def test_a_setting_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=rf"(?i){name}"):
        Settings()


@pytest.mark.parametrize("port", ["SPEECH_GRPC_PORT", "SPEECH_HTTP_PORT"])
def test_a_port_in_use_is_one_sentence_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        for name, value in {**QUICK, port: str(number)}.items():
            monkeypatch.setenv(name, value)
        assert main([]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("speech-server:")]
    assert said == [f"speech-server: can't listen on 127.0.0.1:{number} {said[0].split(' ', 5)[5]}"]


@pytest.mark.parametrize("name", ["SPEECH_TIMELINE", "SPEECH_PORTS_FILE"])
def test_a_file_that_cannot_be_written_is_one_sentence_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for variable, value in {**QUICK, name: "/nowhere/at/all"}.items():
        monkeypatch.setenv(variable, value)
    assert main([]) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("speech-server:")]
    assert "/nowhere/at/all" in said


def test_sigterm_ends_the_server_in_order(tmp_path: Path) -> None:
    ports = tmp_path / "ports.json"
    command = [sys.executable, "-m", "speech_server"]
    environment = {**QUICK, "SPEECH_PORTS_FILE": str(ports), "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        for line in server.stderr:
            if "ready: gRPC" in line:
                break
        assert json.loads(ports.read_text()).keys() == {"grpc", "http"}
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert "Traceback" not in server.stderr.read()
