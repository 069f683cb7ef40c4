"""The token for the speech server: in every RPC, as the file says now."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from serving.settings import BadSettings
from voice_gateway.app.riva_token import RivaToken, TokenChannel


class _Echo(grpc.GenericRpcHandler):
    """Answers with the authorization that came."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        sent = dict(handler_call_details.invocation_metadata).get("authorization", "")

        async def answer(_: Any, context: Any) -> AsyncIterator[bytes]:
            yield str(sent).encode()

        return grpc.stream_stream_rpc_method_handler(answer)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(handlers=(_Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop(None)


async def test_every_rpc_carries_what_the_file_says_now(channel: grpc.aio.Channel, tmp_path: Path) -> None:
    file = tmp_path / "token"
    write = file.write_text
    write("one\n")
    sending: Any = TokenChannel(channel, RivaToken(file, "RIVA_TOKEN_FILE"))
    assert await sending.unary_unary("/a/b")(b"x", timeout=5) == b"Bearer one"
    assert [one async for one in sending.unary_stream("/a/b")(b"x", metadata=(("a", "b"),))] == [b"Bearer one"]
    write("two")
    assert [one async for one in sending.stream_stream("/a/b")(iter([b"x"]))] == [b"Bearer two"]
    write("")  # in the middle of being replaced
    assert await sending.unary_unary("/a/b")(b"x") == b"Bearer two"
    assert sending.get_state() is grpc.ChannelConnectivity.READY


@pytest.mark.parametrize("content", [None, "", "two words", "é"])
def test_a_file_without_a_token_is_named_at_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(BadSettings, match="RIVA_TOKEN_FILE"):
        RivaToken(file, "RIVA_TOKEN_FILE")
