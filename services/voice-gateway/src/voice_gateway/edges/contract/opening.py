"""Which call does a stream carry? Its first message opens one, or takes one up again."""

import asyncio
from typing import TypeVar

from google.protobuf.message import Message
from serving.identity.identity import Identity
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import Caller
from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.contract import decode
from voice_gateway.edges.contract.carry import carry
from voice_gateway.edges.contract.server_messages import started_message
from voice_gateway.edges.contract.stream import ContractStream, Undecodable
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.edges.open_stream_limit import OpenStreamLimit
from voice_gateway.errors import BadRequest, NotFound

M = TypeVar("M", bound=Message)
_FIRST = "the first message must be SessionStart, with the audio formats; everything else comes after SessionStarted"


class StreamOpening:
    """How streams of one wire begin, a bounded number of them at once."""

    def __init__(self, registry: CallRegistry) -> None:
        self._registry = registry
        self._waiting = OpenStreamLimit(registry.limits.max_waiting_streams, "streams that have sent nothing yet")

    async def converse(self, stream: ContractStream, identity: Identity, trace_id: str) -> None:
        """One stream of one call of this caller. Raises VoiceError: why the stream
        ends before its call does, or without one."""
        first = await self.first(stream, pb.ClientMessage, _FIRST)
        if first.WhichOneof("message") != "start":
            raise BadRequest(_FIRST)
        resumed = first.start.HasField("resume")
        if resumed:
            call = self._take_up(first.start.resume, identity)
        else:
            caller = Caller(identity.name, trace_id, first.start.sends_heartbeats, identity.limits)
            call = self._begin(first, caller)
        await carry(call, stream, started_message(call, resumed=resumed))

    async def first(self, stream: ContractStream, type_: type[M], wanted: str) -> M:
        """The first message, if it is of this type. Raises BadRequest with `wanted`, or Refused."""
        limit_s = self._registry.server_info.start_timeout_s
        async with self._waiting:
            try:
                async with asyncio.timeout(limit_s):
                    message = await stream.read()
            except TimeoutError:
                raise BadRequest(f"nothing came within {limit_s:g} s; {wanted}") from None
        if isinstance(message, Undecodable):
            raise message.error
        if not isinstance(message, type_):
            raise BadRequest(wanted)
        return message

    def _begin(self, first: pb.ClientMessage, caller: Caller) -> HeldCall:
        request = decode.agree(first.start, self._registry.defaults, self._registry.limits)
        call = self._registry.open(request, caller)
        call.last_seq = first.seq
        return call

    def _take_up(self, resume: pb.Resume, identity: Identity) -> HeldCall:
        call = self._registry.resume(resume.token)
        if call.session.caller.identity != identity.name:
            raise NotFound("no call of yours waits for this resume token; start a new session")
        if not call.session.outbox.rewind(resume.last_server_seq):
            raise NotFound("the events after that message are not kept any more; start a new session")
        return call
