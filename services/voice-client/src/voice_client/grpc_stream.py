"""How does one stream to a gateway open, carry messages and close?"""

from collections.abc import Sequence

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc as rpc

from voice_client.errors import BadRequest, CallLost, Unreachable, of_status
from voice_client.interfaces import ConverseCall
from voice_client.options import CallOptions

_CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    # A client that dials in a loop must reach a gateway that came back, not wait out gRPC's own backoff (2 min).
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Every GrpcStream is a new TCP connection: a shared one would be as broken as the stream that dropped.
    ("grpc.use_local_subchannel_pool", 1),
)


class GrpcStream:
    """One Converse stream over a connection of its own. After `close` it can't be used."""

    def __init__(self, target: str, options: CallOptions) -> None:
        self.target = target
        self._channel = open_channel(target, options)
        stub = rpc.VoiceGatewayStub(self._channel)
        self._is_up = False
        self._stream: ConverseCall = stub.Converse(metadata=call_metadata(options))

    async def write(self, message: pb.ClientMessage) -> None:
        """Waits while the gateway reads no further. Raises VoiceError when the stream is broken."""
        try:
            await self._stream.write(message)
        except grpc.aio.AioRpcError as error:
            raise of_status(error, self.target) from error
        except grpc.aio.UsageError as error:  # the stream is already closed; reading says why
            raise ConnectionResetError from error

    async def read(self) -> pb.ServerMessage | None:
        """The next message; None when the gateway closed with OK. Raises VoiceError on any other status."""
        try:
            message = await self._stream.read()
        except grpc.aio.AioRpcError as error:
            failure = of_status(error, self.target)
            if self._is_up and isinstance(failure, Unreachable):
                failure = CallLost(f"the connection to {self.target} broke ({error.details()})", dropped=True)
            raise failure from error
        self._is_up = True
        return message if isinstance(message, pb.ServerMessage) else None

    async def close(self) -> None:
        """Drops the stream. A call that was not ended with SessionEnd waits for a resume."""
        # Not a half-close: the contract reads that as the caller hanging up.
        self._stream.cancel()
        await self._channel.close()


def open_channel(target: str, options: CallOptions) -> grpc.aio.Channel:
    """A channel to `target`, plain or TLS. Raises BadRequest for files that can't be read."""
    if options.tls is None:
        return grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS)
    try:
        root_ca, key, certificate = (
            path.read_bytes() if path else None
            for path in (options.tls.root_ca, options.tls.key, options.tls.certificate)
        )
    except OSError as error:
        raise BadRequest(f"{error.filename} can't be read ({error.strerror}); name a PEM file") from error
    credentials = grpc.ssl_channel_credentials(root_ca, key, certificate)
    name = options.tls.server_name
    naming = (("grpc.ssl_target_name_override", name),) if name else ()
    return grpc.aio.secure_channel(target, credentials, options=(*_CHANNEL_OPTIONS, *naming))


def call_metadata(options: CallOptions) -> tuple[tuple[str, str], ...]:
    """The bearer token, where there is one. Raises BadRequest for a file that can't be read."""
    token = options.token
    if options.token_file is not None:
        try:
            token = options.token_file.read_text().strip()
        except OSError as error:
            raise BadRequest(f"token file {options.token_file} can't be read ({error.strerror})") from error
    if not token.isascii() or not token.isprintable():
        raise BadRequest("the token has characters that a header can't carry; it must be printable ASCII on one line")
    return (("authorization", f"Bearer {token}"),) if token else ()
