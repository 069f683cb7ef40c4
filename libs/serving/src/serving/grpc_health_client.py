"""Does a gRPC server serve? What its grpc.health.v1 says."""

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

_Check = grpc.aio.UnaryUnaryMultiCallable


def check(channel: grpc.aio.Channel) -> "_Check[HealthCheckRequest, HealthCheckResponse]":
    """The method. Riva, its NIMs, the speech server and the gateway all have it."""
    return channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )


async def trouble(channel: grpc.aio.Channel, timeout_s: float = 5.0) -> str:
    """Why the server does not serve; "" = it serves."""
    try:
        answer = await check(channel)(HealthCheckRequest(), timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    return "" if answer.status == HealthCheckResponse.SERVING else status_name(answer.status)


def status_name(status: int) -> str:
    """NOT_SERVING for 2; a number that has no name stays one."""
    known = HealthCheckResponse.ServingStatus
    return known.Name(status) if status in known.values() else str(status)
