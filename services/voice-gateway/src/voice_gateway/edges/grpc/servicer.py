"""What does the gRPC service answer? Converse and GetServerInfo; every refusal has a status and a sentence."""

import asyncio
import logging
from typing import TYPE_CHECKING

import grpc
from serving.bearer_tokens import BearerTokens
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import Caller
from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.grpc import decode
from voice_gateway.edges.grpc.converse import carry, started_message, wire_limits
from voice_gateway.edges.grpc.deserialiser import M, StatusReporter, Undecodable, decoder
from voice_gateway.edges.grpc.open_rpc_limit import OpenRpcLimit
from voice_gateway.edges.grpc.refusal_delay import RefusalDelay
from voice_gateway.edges.grpc.tokens import identity
from voice_gateway.edges.grpc.trace import trace_id
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.errors import BadRequest, NotFound, Unauthorised, VoiceError

if TYPE_CHECKING:
    from voice_gateway.edges.grpc.stream_writer import Context

    InfoContext = grpc.aio.ServicerContext[pb.GetServerInfoRequest, pb.ServerInfo]

log = logging.getLogger(__name__)

SERVICE = pb.DESCRIPTOR.services_by_name["VoiceGateway"].full_name
_FIRST = "the first message must be SessionStart, with the audio formats; everything else comes after SessionStarted"


class VoiceGateway:
    """The service, in front of the registry; with `tokens`, for those who hold one. Nothing of what a peer
    sends is read before its token is accepted."""

    def __init__(self, registry: CallRegistry, tokens: BearerTokens | None = None) -> None:
        self._registry = registry
        self._tokens = tokens
        self._ending = StatusReporter()
        self._waiting = OpenRpcLimit(registry.limits.max_waiting_streams, "streams that have sent nothing yet")
        self._refusal_delay = RefusalDelay(registry.limits)

    @property
    def handlers(self) -> grpc.GenericRpcHandler:
        """For `add_generic_rpc_handlers`. GetServerInfo is served as a stream of one message: gRPC would read that
        message before asking anybody."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Converse": grpc.stream_stream_rpc_method_handler(
                    self._converse,
                    request_deserializer=decoder(pb.ClientMessage),
                    response_serializer=pb.ServerMessage.SerializeToString,
                ),
                "GetServerInfo": grpc.stream_unary_rpc_method_handler(
                    self._get_server_info,
                    request_deserializer=decoder(pb.GetServerInfoRequest),
                    response_serializer=pb.ServerInfo.SerializeToString,
                ),
            },
        )

    async def _converse(self, _: object, context: "Context") -> None:
        """One stream of one call."""
        try:
            name = await self._caller(context)
            first = await self._first(context, pb.ClientMessage, _FIRST)
            if first.WhichOneof("message") != "start":
                raise BadRequest(_FIRST)
            caller = Caller(name, trace_id(context.invocation_metadata()), first.start.sends_heartbeats)
            resumed = first.start.HasField("resume")
            call = self._take_up(first.start.resume) if resumed else self._begin(first, caller)
            await carry(call, context, started_message(call, resumed=resumed))
        except VoiceError as error:
            self._ending.end(context, error)
        except Exception:
            log.exception("a stream of %s failed", context.peer())
            self._ending.end(context, VoiceError("the gateway failed; connect again"))

    async def _get_server_info(self, _: object, context: "InfoContext") -> pb.ServerInfo:
        """What is served here."""
        try:
            await self._caller(context)
            await self._first(context, pb.GetServerInfoRequest, "send GetServerInfoRequest")
        except VoiceError as error:
            self._ending.end(context, error)
            return pb.ServerInfo()
        server_info, trouble = self._registry.server_info, self._registry.trouble()
        encodings = [code for code in decode.ENCODINGS if code != pb.AUDIO_ENCODING_UNSPECIFIED]
        return pb.ServerInfo(
            version=server_info.version,
            input_encodings=encodings,
            output_encodings=encodings,
            languages=self._registry.languages,
            asr_model=server_info.asr_model,
            llm_model=server_info.llm_model,
            voice=server_info.voice,
            resume=True,
            tools=True,
            limits=wire_limits(server_info, self._registry.limits, self._registry.defaults("").policy.max_turn),
            ready=not trouble,
            not_ready_reason=trouble,
        )

    async def _caller(self, context: "Context | InfoContext") -> str:
        """The name of whoever holds the token that was sent; "" = everybody may call. Raises Unauthorised."""
        if self._tokens is None:
            return ""
        try:
            return identity(self._tokens, context.invocation_metadata())
        except Unauthorised:
            await self._refusal_delay.pause()
            raise

    async def _first(self, context: "Context | InfoContext", type_: type[M], wanted: str) -> M:
        limit_s = self._registry.server_info.start_timeout_s
        async with self._waiting:
            try:
                async with asyncio.timeout(limit_s):
                    message: object = await context.read()
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

    def _take_up(self, resume: pb.Resume) -> HeldCall:
        call = self._registry.resume(resume.token)
        if not call.session.outbox.rewind(resume.last_server_seq):
            raise NotFound("the events after that message are not kept any more; start a new session")
        return call
