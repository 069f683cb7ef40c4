"""What do browsers and WebSocket clients ask of voice_workflow.v1? WS /v1/converse and GET /v1/server-info."""

import asyncio
import logging

from aiohttp import hdrs, web
from google.protobuf.json_format import MessageToDict

from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.callers import Callers
from voice_gateway.edges.contract.opening import StreamOpening
from voice_gateway.edges.contract.server_messages import server_info
from voice_gateway.edges.contract.stream import StreamBroken
from voice_gateway.edges.contract.trace import trace_id
from voice_gateway.edges.converse_ws.closing import closing
from voice_gateway.edges.converse_ws.credentials import with_offered
from voice_gateway.edges.converse_ws.frames import FORMS, Frames
from voice_gateway.edges.converse_ws.stream import WebSocketStream
from voice_gateway.edges.web.certificate_name import certificate_name
from voice_gateway.edges.web.kernel_buffer import bound_kernel_buffer
from voice_gateway.errors import BadRequest, VoiceError

log = logging.getLogger(__name__)

_PING_EVERY_S = 20.0
"""A link that answers no ping within half of that is broken: the call waits for its caller."""


class ConverseRoutes:
    """Both routes, in front of the registry."""

    def __init__(self, registry: CallRegistry, callers: Callers) -> None:
        self._registry = registry
        self._callers = callers
        self._opening = StreamOpening(registry)
        self._lines = TokenBucket(per_s=2.0, burst=50)

    @property
    def routes(self) -> list[web.RouteDef]:
        """For an application."""
        return [web.get("/v1/converse", self._converse), web.get("/v1/server-info", self._server_info)]

    async def _server_info(self, request: web.Request) -> web.Response:
        """ServerInfo in protobuf's JSON mapping. Raises Unauthorised."""
        await self._callers.identify(request.headers.items(), certificate=certificate_name(request))
        return web.json_response(MessageToDict(server_info(self._registry)), headers={"Cache-Control": "no-store"})

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        """One stream of one call. What is refused is told on the accepted WebSocket: a browser reads no other answer.
        Raises BadRequest for a request that is for no WebSocket of this contract."""
        offered = _offered(request)
        frames = _frames(offered)
        ws = web.WebSocketResponse(
            protocols=[frames.subprotocol],
            max_msg_size=self._registry.limits.max_message_bytes,
            heartbeat=_PING_EVERY_S,
            compress=False,
        )
        if not ws.can_prepare(request):
            raise BadRequest("/v1/converse is a WebSocket; open it with the subprotocol voice_workflow.v1.json")
        await ws.prepare(request)
        bound_kernel_buffer(request)
        stream = WebSocketStream(ws, frames)
        try:
            headers = with_offered(request.headers.items(), offered)
            identity = await self._callers.identify(headers, certificate=certificate_name(request))
            await self._opening.converse(
                stream, identity, trace_id([("traceparent", request.headers.get("traceparent", ""))])
            )
            await stream.close()
        except StreamBroken:
            log.debug("a WebSocket of %s broke before its call began", request.remote)
        except VoiceError as error:
            await self._refuse(request, stream, error)
        except Exception:
            log.exception("a WebSocket of %s failed", request.remote)
            await stream.close(closing(VoiceError("the gateway failed; connect again")))
        return ws

    async def _refuse(self, request: web.Request, stream: WebSocketStream, error: VoiceError) -> None:
        if not self._lines.take(asyncio.get_running_loop().time()):
            log.info("a WebSocket ends with an error", extra={"peer": request.remote, "sentence": str(error)})
        await stream.close(closing(error))


def _offered(request: web.Request) -> list[str]:
    """The subprotocols that the client knows."""
    headers = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    return [name.strip() for header in headers for name in header.split(",")]


def _frames(offered: list[str]) -> Frames:
    """The form that the client wants; names of others, such as those of tokens, say nothing. Raises BadRequest."""
    for frames in FORMS:
        if frames.subprotocol in offered:
            return frames
    if any(name.startswith("voice_workflow.") for name in offered):
        raise BadRequest(
            f"no such form of the contract is served; offer {' or '.join(frames.subprotocol for frames in FORMS)}"
        )
    return FORMS[0]
