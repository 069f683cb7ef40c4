"""How does the gateway show a speech server its token? As `authorization: Bearer …` in every RPC.

The token is in a file that may be replaced while the gateway runs.

In the RPC's own metadata, and not as call credentials: gRPC sends those over TLS only, and a speech server in the same
pod or cluster has none. Not with interceptors either, which wrap every stream in tasks of their own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from serving.renewed_files import BadFiles
from serving.secret_file import SecretFile
from serving.settings import BadSettings


class RivaToken:
    """The token of a file. Raises BadSettings when there is none at the start; later a bad file changes nothing."""

    def __init__(self, file: Path, setting: str) -> None:
        try:
            self._file = SecretFile(file, "the token for the speech server")
        except BadFiles as error:
            raise BadSettings(f"{setting}: {error}") from None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What an RPC that begins now sends."""
        return (("authorization", f"Bearer {self._file.secret}"),)


class TokenChannel:
    """A channel whose RPCs carry the token; everything else is the channel's own."""

    def __init__(self, channel: grpc.aio.Channel, token: RivaToken) -> None:
        self._channel = channel
        self._token = token

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def unary_unary(self, *path: Any, **options: Any) -> Callable[..., Any]:
        """An RPC of one message each way."""
        return self._with_token(self._channel.unary_unary(*path, **options))

    def unary_stream(self, *path: Any, **options: Any) -> Callable[..., Any]:
        """An RPC that answers with a stream."""
        return self._with_token(self._channel.unary_stream(*path, **options))

    def stream_stream(self, *path: Any, **options: Any) -> Callable[..., Any]:
        """An RPC of two streams."""
        return self._with_token(self._channel.stream_stream(*path, **options))

    def _with_token(self, rpc: Callable[..., Any]) -> Callable[..., Any]:
        def call(*messages: Any, metadata: Any = None, **options: Any) -> Any:
            return rpc(*messages, metadata=(*(metadata or ()), *self._token.metadata), **options)

        return call
