"""Is each server behind a target known for what it is? Over real sockets: serving, silent, leaving, down, and back."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import grpc
import pytest
from fake_riva import FakeRiva
from faults import Deed, ScriptedGrpc, Stall, Status, Switch
from grpc_health.v1 import health_pb2
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_tts_pb2 as tts
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub
from voice_gateway.backends import endpoint as timing
from voice_gateway.backends.endpoint import Endpoint, Health, Link
from voice_gateway.backends.endpoints import BalancedChannel, Endpoints
from voice_gateway.backends.targets import Address, Name, Opaque, parts

EVERY_S = 0.02


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order of things, in less time."""
    monkeypatch.setattr(timing, "SILENT_AFTER_S", 0.15)
    monkeypatch.setattr(timing, "DOWN_AFTER_S", 0.4)


def link_to(address: Address) -> Link:
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100))
    return Link(lambda: grpc.aio.insecure_channel(address.target, options=options))


@asynccontextmanager
async def watched(*servers: FakeRiva | ScriptedGrpc | Switch) -> AsyncGenerator[Endpoints, None]:
    """The servers, started where they are not, as one backend that is asked all the time."""
    async with AsyncExitStack() as stack:
        for server in servers:
            if not server.port:
                await server.start()
                stack.push_async_callback(server.stop)
        target = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        endpoints = Endpoints("asr", target, link_to, EVERY_S)
        stack.push_async_callback(endpoints.close)
        await endpoints.ask_all()
        running = asyncio.create_task(endpoints.run())
        try:
            yield endpoints
            assert not running.done(), running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def until(endpoints: Endpoints, happened: Callable[[], bool]) -> None:
    """Wait for a change of health that makes it so."""
    changed = asyncio.Event()
    with endpoints.notifying(changed.set):
        async with asyncio.timeout(8):
            while not happened():
                changed.clear()
                await changed.wait()


async def become(endpoints: Endpoints, place: int, *health: Health) -> Endpoint:
    """The endpoint at this place of the target, once it is so."""
    endpoint = endpoints.all[place]
    await until(endpoints, lambda: endpoint.health in health)
    return endpoint


async def test_calls_go_to_the_server_with_fewest_and_in_turn() -> None:
    async with watched(FakeRiva(), FakeRiva(), FakeRiva()) as endpoints:
        picked = [endpoints.pick() for _ in range(6)]
        assert [picked.count(endpoint) for endpoint in endpoints.all] == [2, 2, 2]
        endpoints.all[0].open_calls = endpoints.all[2].open_calls = 1
        assert endpoints.pick() is endpoints.all[1]


async def test_a_server_that_goes_is_left_out_and_one_that_comes_back_is_used_again() -> None:
    first, second = FakeRiva(), FakeRiva()
    async with watched(first, second) as endpoints:
        await first.stop()
        await become(endpoints, 0, Health.DOWN)
        assert {endpoints.pick() for _ in range(4)} == {endpoints.all[1]}
        assert endpoints.trouble == ""
        await first.start()
        await become(endpoints, 0, Health.SERVING)
        assert {endpoints.pick() for _ in range(4)} == set(endpoints.all)


async def test_a_server_whose_packets_are_dropped_is_silent_then_down_and_back_on_a_fresh_connection() -> None:
    riva, switch = FakeRiva(), Switch()
    await riva.start()
    await switch.start()
    switch.lead_to(riva.port)
    try:
        async with watched(switch, FakeRiva()) as endpoints:
            switch.black_hole()
            hung = await become(endpoints, 0, Health.SILENT)
            assert endpoints.pick() is endpoints.all[1]
            assert endpoints.elsewhere(hung, hung.connection)
            await become(endpoints, 0, Health.DOWN)
            assert hung.connection == 2
            switch.lead_to(riva.port)
            await become(endpoints, 0, Health.SERVING)
    finally:
        await switch.stop()
        await riva.stop()


async def test_with_another_certificate_new_calls_go_on_a_new_connection_and_running_ones_stay() -> None:
    riva = FakeRiva()
    await riva.start()
    opened: list[grpc.aio.Channel] = []
    certificate = object()

    def connect() -> grpc.aio.Channel:
        opened.append(grpc.aio.insecure_channel(f"127.0.0.1:{riva.port}"))
        return opened[-1]

    endpoint = Endpoint("asr", Link(connect, lambda: certificate), lambda: None)
    try:
        call = endpoint.stub(RivaSpeechRecognitionStub).StreamingRecognize()
        endpoint.count(call)
        await call.write(asr.StreamingRecognizeRequest(streaming_config=asr.StreamingRecognitionConfig()))
        for _ in range(6):
            certificate = object()
            await endpoint.ask()
        assert endpoint.health is Health.SERVING
        assert len(opened) == 7
        assert endpoint.connection == 1, "no reason to move a stream"
        assert [channel.get_state() for channel in opened[1:-1]] == [grpc.ChannelConnectivity.SHUTDOWN] * 5
        (await riva.stream()).partial("still heard")
        assert (await anext(aiter(call))).results[0].alternatives[0].transcript == "still heard"
        ended = asyncio.Event()
        call.add_done_callback(lambda _: ended.set())
        call.cancel()
        await ended.wait()
        await endpoint.ask()
        assert opened[0].get_state() is grpc.ChannelConnectivity.SHUTDOWN
    finally:
        await endpoint.close()
        await riva.stop()


async def test_a_server_that_says_it_leaves_takes_nothing_new() -> None:
    leaving = ScriptedGrpc()
    leaving.health = (health_pb2.HealthCheckResponse(status=2).SerializeToString(),)
    async with watched(leaving, FakeRiva()) as endpoints:
        assert endpoints.all[0].health is Health.NOT_SERVING
        assert endpoints.all[0].trouble == "health is NOT_SERVING"
        assert endpoints.pick() is endpoints.all[1]


@pytest.mark.parametrize(
    ("deeds", "health", "trouble"),
    [
        ((b"\x08\x4d",), Health.DOWN, "health is 77"),
        ((b"\x08\x00",), Health.DOWN, "health is UNKNOWN"),
        ((b"\xff\xff\xff",), Health.DOWN, "is no message"),
        ((b"\x08\x01", b"\x08\x01"), Health.DOWN, ""),
        ((), Health.DOWN, "is no message"),
        ((Status(grpc.StatusCode.INTERNAL),), Health.DOWN, "on purpose"),
        ((Status(grpc.StatusCode.UNIMPLEMENTED),), Health.SERVING, ""),
        ((Status(grpc.StatusCode.UNAUTHENTICATED),), Health.SERVING, ""),
        ((Stall(),), Health.DOWN, "no answer within"),
    ],
    ids=["unknown status", "unknown", "undecodable", "two answers", "none", "fails", "no health", "token", "stalls"],
)
async def test_any_answer_of_the_health_service_is_one(deeds: tuple[Deed, ...], health: Health, trouble: str) -> None:
    server = ScriptedGrpc()
    server.health = deeds
    async with watched(server) as endpoints:
        assert endpoints.all[0].health is health
        assert trouble in endpoints.trouble
        server.health = (health_pb2.HealthCheckResponse(status=1).SerializeToString(),)
        if health is not Health.SERVING:
            await become(endpoints, 0, Health.SERVING)


async def test_a_server_whose_streams_fail_is_left_out_for_a_while_though_its_health_is_well() -> None:
    async with watched(FakeRiva(), FakeRiva()) as endpoints:
        first, second = endpoints.all
        first.failed()
        assert {endpoints.pick() for _ in range(4)} == {second}
        assert not endpoints.elsewhere(second, second.connection)
        second.failed()
        second.failed()
        assert endpoints.pick() is first, "the one that failed less"
        first.answered()
        assert endpoints.elsewhere(second, second.connection)
        first.failed()
        assert not endpoints.elsewhere(second, second.connection)
        second.health = Health.SILENT
        assert endpoints.elsewhere(second, second.connection), "one that failed is better than one that says nothing"


async def test_a_server_whose_calls_fail_is_left_out_and_one_that_refuses_what_was_asked_is_not() -> None:
    failing, well = ScriptedGrpc(), FakeRiva()
    failing.health = (health_pb2.HealthCheckResponse(status=1).SerializeToString(),)
    async with watched(failing, well) as endpoints:
        stub = RivaSpeechSynthesisStub(BalancedChannel(endpoints))

        async def speak() -> grpc.StatusCode:
            call = stub.SynthesizeOnline()
            await call.write(tts.SynthesizeSpeechRequest(text="Yes.", sample_rate_hz=16_000))
            await call.done_writing()
            with suppress(grpc.aio.AioRpcError):
                async for _ in call:
                    pass
            code: grpc.StatusCode = await call.code()
            return code

        for code, spoken in ((grpc.StatusCode.INVALID_ARGUMENT, 3), (grpc.StatusCode.UNAVAILABLE, 5)):
            failing.streams = (Status(code),)
            codes = [await speak() for _ in range(6)]
            assert codes.count(grpc.StatusCode.OK) == spoken
            assert codes.count(code) == 6 - spoken


async def test_without_any_server_the_trouble_names_each() -> None:
    one, other = FakeRiva(), FakeRiva()
    async with watched(one, other) as endpoints:
        await one.stop()
        await other.stop()
        await become(endpoints, 0, Health.DOWN)
        await become(endpoints, 1, Health.DOWN)
        assert f"asr at 127.0.0.1:{one.port}: UNAVAILABLE" in endpoints.trouble
        assert f"asr at 127.0.0.1:{other.port}: UNAVAILABLE" in endpoints.trouble
        with pytest.raises(OSError, match="UNAVAILABLE"):
            await endpoints.probe()
        assert endpoints.pick() in endpoints.all


async def test_a_name_that_leads_nowhere_is_told_and_ends_nothing() -> None:
    endpoints = Endpoints("asr", "nowhere.invalid:50051", link_to, EVERY_S)
    try:
        await endpoints.ask_all()
        assert endpoints.trouble
        assert endpoints.pick().health is Health.DOWN
    finally:
        await endpoints.close()


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("riva:50051", [Name("riva", 50051)]),
        ("a:1,b:2", [Name("a", 1), Name("b", 2)]),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", [Name("127.0.0.1", 1), Name("127.0.0.1", 2)]),
        ("ipv6:[::1]:5", [Name("::1", 5)]),
        ("[::1]:5", [Name("::1", 5)]),
        ("dns:///riva:5", [Name("riva", 5)]),
        ("dns:riva:5", [Name("riva", 5)]),
        ("dns://192.0.2.1/riva:5", [Opaque("dns://192.0.2.1/riva:5")]),
        ("unix:/run/riva", [Opaque("unix:/run/riva")]),
        ("xds:///riva", [Opaque("xds:///riva")]),
        ("riva", [Name("riva", 443)]),
    ],
)
def test_every_target_of_grpc_is_understood(target: str, found: list[Name | Opaque]) -> None:
    assert list(parts(target)) == found


def test_a_name_behind_a_proxy_is_left_to_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert list(parts("riva.example:1,riva.inside.example:2")) == [
        Opaque("riva.example:1"),
        Name("riva.inside.example", 2),
    ]
