"""What does the gRPC service answer? Converse and GetServerInfo; every refusal has a status and a sentence."""

import logging
from typing import TYPE_CHECKING

import grpc
from serving import peer_certificate
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.callers import Callers
from voice_gateway.edges.contract.opening import StreamOpening
from voice_gateway.edges.contract.serialised import decoder
from voice_gateway.edges.contract.server_messages import server_info
from voice_gateway.edges.contract.trace import trace_id
from voice_gateway.edges.grpc.status_reporter import StatusReporter
from voice_gateway.edges.grpc.stream import GrpcStream
from voice_gateway.errors import VoiceError

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[pb.ClientMessage, pb.ServerMessage]
    InfoContext = grpc.aio.ServicerContext[pb.GetServerInfoRequest, pb.ServerInfo]

log = logging.getLogger(__name__)

SERVICE = pb.DESCRIPTOR.services_by_name["VoiceGateway"].full_name


class VoiceGateway:
    """The service, in front of the registry, for those who may call. Nothing of what a peer sends is read before its
    token is accepted."""

    def __init__(self, registry: CallRegistry, callers: Callers) -> None:
        self._registry = registry
        self._callers = callers
        self._ending = StatusReporter()
        self._opening = StreamOpening(registry)

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
            shown = peer_certificate.of_grpc(context.auth_context())
            identity = await self._callers.identify(context.invocation_metadata() or (), certificate=shown)
            await self._opening.converse(GrpcStream(context), identity, trace_id(context.invocation_metadata()))
        except VoiceError as error:
            self._ending.end(context, error)
        except Exception:
            log.exception("a stream of %s failed", context.peer())
            self._ending.end(context, VoiceError("the gateway failed; connect again"))

    async def _get_server_info(self, _: object, context: "InfoContext") -> pb.ServerInfo:
        """What is served here."""
        try:
            await self._callers.identify(context.invocation_metadata() or ())
            await self._opening.first(GrpcStream(context), pb.GetServerInfoRequest, "send GetServerInfoRequest")
        except VoiceError as error:
            self._ending.end(context, error)
            return pb.ServerInfo()
        return server_info(self._registry)
