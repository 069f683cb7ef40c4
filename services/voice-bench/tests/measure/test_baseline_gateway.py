"""Does the baseline gateway end a call in the middle of a reply? After a write that is cut off gRPC ends no stream."""

import asyncio
from typing import Any, cast

import grpc
from voice_bench.measure.baseline_gateway import BaselineGateway
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc

CALLS = 30


class Silence:
    """A recognition stream that takes everything and says nothing."""

    def StreamingRecognize(self) -> "Silence":
        return self

    async def write(self, request: object) -> None:
        """Nothing."""

    def cancel(self) -> None:
        """Nothing."""

    def __aiter__(self) -> "Silence":
        return self

    async def __anext__(self) -> None:
        await asyncio.Event().wait()


async def flood(call: Any) -> None:
    audio = pb.ServerMessage(reply_audio=pb.ReplyAudio(reply=1, data=bytes(3_200)))
    while True:
        await call._tell(audio)


async def test_a_call_that_is_ended_in_the_middle_of_a_reply_ends(monkeypatch: Any) -> None:
    async def listen(call: Any, asr: object) -> None:
        call._reply = asyncio.create_task(flood(call), name="reply")
        await asyncio.Event().wait()

    monkeypatch.setattr("voice_bench.measure.baseline_gateway._Call._listen", listen)
    server = grpc.aio.server()
    gateway = BaselineGateway(grpc.aio.insecure_channel("127.0.0.1:9"), cast(Any, None))
    gateway.recogniser = cast(Any, Silence())
    voice_workflow_pb2_grpc.add_VoiceGatewayServicer_to_server(gateway, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.timeout(20):
            for _ in range(CALLS):
                stream = voice_workflow_pb2_grpc.VoiceGatewayStub(channel).Converse()
                await stream.write(pb.ClientMessage(start=pb.SessionStart()))
                received = []
                async for message in stream:
                    received.append(message.WhichOneof("message"))
                    if len(received) == 20:
                        await stream.write(pb.ClientMessage(end=pb.SessionEnd()))
                assert received[-1] == "ended"
    finally:
        await server.stop(0)
