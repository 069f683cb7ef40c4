"""What does the gRPC service answer? Converse and GetServerInfo; every refusal has a status and a sentence."""

import asyncio
from typing import TYPE_CHECKING

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc

from voice_gateway.core.events import Caller
from voice_gateway.edges.door import About, Door
from voice_gateway.edges.grpc import wire_in
from voice_gateway.edges.grpc.converse import Line, carry, started_message, wire_limits
from voice_gateway.edges.grpc.status import status
from voice_gateway.edges.grpc.tokens import Tokens
from voice_gateway.edges.grpc.trace import trace_id
from voice_gateway.errors import BadRequest, NotFound, VoiceError

if TYPE_CHECKING:
    from voice_gateway.edges.grpc.converse import Context

    InfoContext = grpc.aio.ServicerContext[pb.GetServerInfoRequest, pb.ServerInfo]

_FIRST = "the first message must be SessionStart, with the audio formats; everything else comes after SessionStarted"


class VoiceGateway(voice_workflow_pb2_grpc.VoiceGatewayServicer):
    """The service, in front of the registry's door; with `tokens`, for those who hold one."""

    def __init__(self, door: Door, tokens: Tokens | None = None) -> None:
        self._door = door
        self._tokens = tokens
        self._lines: dict[str, tuple[Line, About]] = {}
        """By resume token, each with what held when its call began."""

    async def Converse(self, request_iterator: object, context: "Context") -> None:  # type: ignore[override]
        """One stream of one call."""
        try:
            # Before the token: a status that overtakes the first message is INTERNAL to a caller who still writes.
            first = await self._first(context)
            if self._tokens:
                self._tokens.check(context.invocation_metadata())
            resumed = first.start.HasField("resume")
            caller = Caller(trace_id=trace_id(context.invocation_metadata()))
            line, about = self._take_up(first.start.resume) if resumed else self._begin(first, caller)
            await carry(line, context, started_message(line, about, resumed=resumed))
        except VoiceError as error:
            _end(context, error)

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: "InfoContext") -> pb.ServerInfo:
        """What is served here."""
        try:
            if self._tokens:
                self._tokens.check(context.invocation_metadata())
        except VoiceError as error:
            _end(context, error)
            return pb.ServerInfo()
        about, trouble = self._door.about, self._door.trouble()
        encodings = [code for code in wire_in.ENCODINGS if code != pb.AUDIO_ENCODING_UNSPECIFIED]
        return pb.ServerInfo(
            version=about.version,
            input_encodings=encodings,
            output_encodings=encodings,
            languages=about.languages,
            asr_model=about.asr_model,
            llm_model=about.llm_model,
            voice=about.voice,
            resume=True,
            tools=False,
            limits=wire_limits(about, self._door.limits, self._door.defaults.policy.max_turn),
            ready=not trouble,
            not_ready_reason=trouble,
        )

    async def _first(self, context: "Context") -> pb.ClientMessage:
        limit_s = self._door.about.start_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                message = await context.read()
        except TimeoutError:
            raise BadRequest(f"nothing came within {limit_s:g} s; {_FIRST}") from None
        if not isinstance(message, pb.ClientMessage) or message.WhichOneof("message") != "start":
            raise BadRequest(_FIRST)
        return message

    def _begin(self, first: pb.ClientMessage, caller: Caller) -> tuple[Line, About]:
        agreed = wire_in.agree(first.start, self._door.defaults, self._door.limits)
        session, token = self._door.open(agreed.options, caller)
        line = Line(session, agreed, token, self._door.limits)
        self._lines[token] = line, self._door.about
        session.when_over = lambda: self._lines.pop(token)
        line.last_seq = first.seq
        return self._lines[token]

    def _take_up(self, resume: pb.Resume) -> tuple[Line, About]:
        session = self._door.resume(resume.token)
        if not session.outbox.rewind(resume.last_server_seq):
            raise NotFound("what came after that message is not kept any more; start a new session")
        return self._lines[resume.token]


def _end(context: "Context | InfoContext", error: VoiceError) -> None:
    """The status the RPC ends with. Not `abort`: gRPC keeps its exception, and with it the call's frames."""
    code, trailer = status(error)
    context.set_code(code)
    context.set_details(str(error))
    context.set_trailing_metadata(trailer)
