"""Which gRPC status is an error? The contract's, with its trailer."""

import grpc

from voice_gateway.edges.contract.status import status as contract_status
from voice_gateway.errors import VoiceError


def status(error: VoiceError) -> tuple[grpc.StatusCode, tuple[tuple[str, str], ...]]:
    """The code and the trailer of an error that ends an RPC."""
    code, retry_after_s = contract_status(error)
    trailer = () if retry_after_s is None else (("retry-after-ms", str(round(retry_after_s * 1000))),)
    return grpc.StatusCode[code.name], trailer
