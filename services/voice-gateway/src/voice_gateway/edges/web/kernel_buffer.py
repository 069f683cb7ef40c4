"""How much may be under way to a WebSocket client who does not read? Little, so that this is noticed."""

import socket

from aiohttp import web

_KERNEL_BUFFER_BYTES = 64 * 1024
"""What the system keeps for a caller who does not read; as much as gRPC's window."""


def bound_kernel_buffer(request: web.Request) -> None:
    """Keep no more than that for the client of this request."""
    transport = request.transport
    peer = transport.get_extra_info("socket") if transport else None
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER_BYTES)
