"""What does the gateway say about itself?"""

import asyncio
import json
from importlib.metadata import version
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from lab import lab
from raw_caller import Caller
from voice_gateway.app.main import serve
from voice_gateway.config import Settings
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

SERVICE = "voice_workflow.v1.VoiceGateway"


def checks(caller: Caller) -> Any:
    """The standard health service, as `caller` reaches it."""
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    return stub.Check


async def test_the_server_info_needs_no_call_and_says_what_is_served() -> None:
    async with lab(llm_model="some/llama", tts_voice="Ada", gateway_max_session_s=99) as there:
        info = await there.caller().stub.GetServerInfo(pb.GetServerInfoRequest())
        assert (info.llm_model, info.voice, list(info.languages)) == ("some/llama", "Ada", ["en-US"])
        assert (info.ready, info.not_ready_reason) == (True, "")
        assert (info.resume, info.tools) == (True, True)
        assert info.input_encodings == [pb.AUDIO_ENCODING_PCM16, pb.AUDIO_ENCODING_MULAW, pb.AUDIO_ENCODING_ALAW]
        assert info.limits.max_session_s == 99
        assert info.version


async def test_the_server_info_says_why_no_call_can_start() -> None:
    async with lab(gateway_max_sessions=1) as there:
        caller = await there.call()
        info = await caller.stub.GetServerInfo(pb.GetServerInfoRequest())
        assert not info.ready
        assert "all 1 calls" in info.not_ready_reason


async def test_the_standard_health_service_answers_and_follows_the_drain() -> None:
    async with lab(gateway_drain_s=60) as there:
        caller = await there.call()
        check = checks(caller)
        for name in ("", SERVICE):
            answer = await check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        there.stop.ask()
        await caller.expect("go_away")
        for name in ("", SERVICE):
            answer = await check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await caller.hang_up()
        assert there.serving
        await asyncio.wait_for(there.serving, LIMIT_S)


async def test_the_standard_health_service_follows_the_backends() -> None:
    async with lab(gateway_probe_every_s=0.05, gateway_down_after_s=0.1) as there:
        check = checks(there.caller())

        async def status() -> float:
            return float((await check(health_pb2.HealthCheckRequest(service=SERVICE))).status)

        await there.eventually(status, health_pb2.HealthCheckResponse.SERVING)
        await there.tts.stop()
        await there.eventually(status, health_pb2.HealthCheckResponse.NOT_SERVING)
        await there.tts.start()
        await there.eventually(status, health_pb2.HealthCheckResponse.SERVING)


async def test_reflection_lists_the_service() -> None:
    async with lab() as there:
        channel: Any = there.caller().channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        assert isinstance(answer, reflection_pb2.ServerReflectionResponse)
        names = {service.name for service in answer.list_services_response.service}
        assert {SERVICE, "grpc.health.v1.Health"} <= names
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF


async def test_a_taken_port_is_an_error_that_names_the_variable() -> None:
    async with lab() as there:
        settings = Settings(
            gateway_host="127.0.0.1", gateway_port=there.grpc_port, gateway_http_port=0, gateway_web_port=0, vad="none"
        )
        with pytest.raises(ExceptionGroup) as taken:
            await serve(settings, there.stop)
        assert taken.group_contains(OSError, match="set GATEWAY_PORT")


async def test_a_scrape_tells_which_gateway_this_is_and_that_all_is_well() -> None:
    async with lab() as there:
        assert await there.metric(f'voice_gateway_info{{version="{version("voice-workflow-gateway")}"}}') == 1
        _, page = await there.get("/metrics")
        assert "voice_config_refused 0.0" in page
        assert "voice_draining 0.0" in page
        assert "voice_sessions_active 0.0" in page


async def test_ready_is_told_with_what_a_cluster_wants_to_know() -> None:
    async with lab() as there:
        status, page = await there.get("/readyz")
        assert status == 200
        assert json.loads(page) == {
            "status": "ready",
            "reasons": {},
            "draining": False,
            "config": {"taken": "", "refused": ""},
        }
