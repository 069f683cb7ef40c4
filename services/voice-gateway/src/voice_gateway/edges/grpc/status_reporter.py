"""How does an RPC end that is refused? With a status, and a line in the log."""

import asyncio
import logging
from typing import Any

import grpc

from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.grpc.status import status
from voice_gateway.errors import VoiceError

log = logging.getLogger(__name__)


class StatusReporter:
    """How RPCs end that are refused: with a status, and a line in the log, of a flood a few."""

    def __init__(self) -> None:
        self._lines = TokenBucket(per_s=2.0, burst=50)

    def end(self, context: "grpc.aio.ServicerContext[Any, Any]", error: VoiceError) -> None:
        """The status the RPC ends with. Not `abort`: gRPC keeps its exception, and with it the call's frames."""
        if not self._lines.take(asyncio.get_running_loop().time()):
            log.info("an RPC ends with an error", extra={"peer": context.peer(), "sentence": str(error)})
        code, trailer = status(error)
        context.set_code(code)
        context.set_details(str(error))
        context.set_trailing_metadata(trailer)
