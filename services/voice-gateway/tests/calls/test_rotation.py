"""Certificates and keys change while calls run: none of them drops, new ones use the new, and nobody else gets in.

Each edge that callers have is one `Edge` here; what is asserted knows none of them.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import grpc
import pytest
import trustme
from certificates import Pki
from lab import Lab, lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

RUNNING = 20
LONG_AGO = datetime.now(UTC) - timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller trusts, shows and sends."""

    trusted: bytes
    shown: trustme.LeafCert | None
    token: str

    @property
    def header(self) -> str:
        """Where the token stands."""
        return f"Bearer {self.token}"

    @property
    def chain(self) -> bytes | None:
        """Of the certificate."""
        return b"".join(pem.bytes() for pem in self.shown.cert_chain_pems) if self.shown else None

    def grpc(self) -> grpc.ChannelCredentials:
        """For a channel."""
        key = self.shown.private_key_pem.bytes() if self.shown else None
        return grpc.ssl_channel_credentials(self.trusted, key, self.chain)

    def ssl(self) -> ssl.SSLContext:
        """For a WebSocket."""
        context = ssl.create_default_context(cadata=self.trusted.decode())
        if self.shown is not None:
            self.shown.configure_cert(context)
        return context


class Conversation(Protocol):
    """One call."""

    async def turn(self, text: str) -> None:
        """Type it and hear the whole reply."""

    async def end(self) -> None:
        """Hang up; raises AssertionError unless the call ends as the caller wanted."""


class Edge(Protocol):
    """One way to call."""

    async def call(self, there: Lab, credentials: Credentials) -> Conversation:
        """Begin one."""

    async def refusal(self, there: Lab, credentials: Credentials) -> str:
        """Why none begins: "tls", or "token"."""


class ContractConversation:
    """Of voice_workflow.v1, whatever carries it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._turns = 0

    async def turn(self, text: str) -> None:
        self._turns += 1
        await self._caller.type(text)
        await self._caller.turn(pb.TurnEvent.REPLY_ENDED, self._turns)

    async def end(self) -> None:
        assert not self._caller.of("error")
        await self._caller.hang_up()
        assert await self._caller.over() == pb.SessionEnded.CALLER_ENDED


class GrpcEdge:
    async def call(self, there: Lab, credentials: Credentials) -> ContractConversation:
        caller = there.caller(tls=credentials.grpc(), authorization=credentials.header)
        await caller.start()
        return ContractConversation(caller)

    async def refusal(self, there: Lab, credentials: Credentials) -> str:
        caller = there.caller(tls=credentials.grpc(), authorization=credentials.header)
        await caller.over()
        assert caller.code is not None
        return {grpc.StatusCode.UNAVAILABLE: "tls", grpc.StatusCode.UNAUTHENTICATED: "token"}.get(caller.code, "none")


class WebSocketEdge:
    async def call(self, there: Lab, credentials: Credentials) -> ContractConversation:
        caller = there.caller(wire="json", websocket_tls=credentials.ssl(), authorization=credentials.header)
        await caller.start()
        return ContractConversation(caller)

    async def refusal(self, there: Lab, credentials: Credentials) -> str:
        caller = there.caller(
            wire="json", websocket_tls=credentials.ssl(), authorization=credentials.header, reads=False
        )
        assert caller.websocket is not None
        try:
            await caller.websocket.open()
        except aiohttp.ClientConnectionError:
            return "tls"
        with suppress(StopAsyncIteration):
            await anext(aiter(caller.websocket))
            await anext(aiter(caller.websocket))
        return "token" if await caller.websocket.code() is grpc.StatusCode.UNAUTHENTICATED else "none"


class RealtimeConversation:
    """Of OpenAI's Realtime protocol."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket

    async def turn(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self._socket.send_json({"type": "conversation.item.create", "item": item})
        await self._socket.send_json({"type": "response.create"})
        done = await self.event("response.done")
        assert done["response"]["status"] == "completed", done

    async def end(self) -> None:
        await self._socket.close()
        assert self._socket.close_code == aiohttp.WSCloseCode.OK
        await self._http.close()

    async def event(self, name: str) -> dict[str, Any]:
        """The next of this name; an error is none that was asked for."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                event: dict[str, Any] = await self._socket.receive_json()
                assert event["type"] != "error", event
                if event["type"] == name:
                    return event


class RealtimeEdge:
    async def call(self, there: Lab, credentials: Credentials) -> RealtimeConversation:
        http = aiohttp.ClientSession(headers={"Authorization": credentials.header})
        try:
            url = f"https://127.0.0.1:{there.web_port}/v1/realtime?model=voice"
            conversation = RealtimeConversation(http, await http.ws_connect(url, ssl=credentials.ssl()))
            await conversation.event("session.created")
        except BaseException:
            await http.close()
            raise
        return conversation

    async def refusal(self, there: Lab, credentials: Credentials) -> str:
        try:
            await (await self.call(there, credentials)).end()
        except aiohttp.WSServerHandshakeError as error:
            return "token" if error.status == HTTPStatus.UNAUTHORIZED else "none"
        except aiohttp.ClientConnectionError:
            return "tls"
        return "none"


EDGES: list[Edge] = [GrpcEdge(), WebSocketEdge(), RealtimeEdge()]


class Operator:
    """Who holds the files of a gateway."""

    def __init__(self, folder: Path) -> None:
        self.pki = Pki(folder)
        self.callers = trustme.CA()
        self.client_ca, self.tokens, self.key = folder / "callers.crt", folder / "tokens", folder / "key"
        self.write("old")

    def write(self, which: str) -> None:
        """The files that are not the gateway's own pair."""
        self.client_ca.write_bytes(self.callers.cert_pem.bytes())
        self.tokens.write_text(f"{which}-token")
        self.key.write_text(f"{which}-key")

    def rotate(self) -> None:
        """Everything at once, authorities included."""
        self.callers = trustme.CA()
        self.pki.renew(same_authority=False)
        self.write("new")

    def credentials(self, which: str, *, shows: bool = True, **how: Any) -> Credentials:
        """Of a caller of the present."""
        shown = self.callers.issue_cert("caller", **how) if shows else None
        return Credentials(self.pki.authority.read_bytes(), shown, f"{which}-token")

    @property
    def settings(self) -> dict[str, Any]:
        """Of the gateway."""
        return {
            "gateway_tls_cert_file": self.pki.certificate,
            "gateway_tls_key_file": self.pki.key,
            "gateway_tls_client_ca_file": self.client_ca,
            "gateway_tokens_file": self.tokens,
            "llm_api_key_file": self.key,
        }


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """With files of the first generation."""
    return Operator(tmp_path)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: type(edge).__name__)
async def test_twenty_calls_go_on_while_certificates_and_keys_are_exchanged(edge: Edge, operator: Operator) -> None:
    async with lab(then_works=False, **operator.settings) as there:
        old = operator.credentials("old")
        calls = [await edge.call(there, old) for _ in range(RUNNING)]
        await asyncio.gather(*(call.turn("Before?") for call in calls))
        assert set(there.llm.keys) == {"Bearer old-key"}
        there.llm.keys.clear()

        operator.rotate()
        new = operator.credentials("new")

        async def taken() -> float:
            return float(await edge.refusal(there, Credentials(new.trusted, new.shown, "nobody")) == "token")

        await there.eventually(taken, 1)
        await asyncio.gather(*(call.turn("After?") for call in calls))
        calls.append(await edge.call(there, new))
        await calls[-1].turn("Am I in?")
        assert there.llm.keys == ["Bearer new-key"] * (RUNNING + 1)

        expired = operator.credentials("new", not_before=LONG_AGO, not_after=LONG_AGO)
        for refused in (
            Credentials(new.trusted, old.shown, new.token),
            operator.credentials("new", shows=False),
            expired,
        ):
            assert await edge.refusal(there, refused) == "tls"
        assert await edge.refusal(there, Credentials(new.trusted, new.shown, old.token)) == "token"

        for call in calls:
            await call.turn("Still there?")
            await call.end()


async def test_the_web_port_lets_the_same_callers_in_as_the_grpc_port(operator: Operator) -> None:
    async with lab(then_works=False, **operator.settings) as there:

        async def status(credentials: Credentials) -> int:
            """Of a page that is not there; 0 = the handshake fails."""
            url = f"https://localhost:{there.web_port}/nothing"
            try:
                async with aiohttp.ClientSession() as http, http.get(url, ssl=credentials.ssl()) as answer:
                    return answer.status
            except aiohttp.ClientConnectionError:
                return 0

        old = operator.credentials("old")
        assert await status(old) == 404
        assert await status(operator.credentials("old", shows=False)) == 0
        assert await status(operator.credentials("old", not_before=LONG_AGO, not_after=LONG_AGO)) == 0
        operator.rotate()
        new = operator.credentials("new")
        await there.eventually(lambda: status(new), 404)
        assert await status(Credentials(new.trusted, old.shown, new.token)) == 0
        assert await status(operator.credentials("new", shows=False)) == 0


@pytest.mark.parametrize("wire", ["grpc", "json"])
async def test_a_caller_of_whom_no_token_is_asked_has_the_name_in_its_certificate(
    wire: str, operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "voice_gateway")
    settings = {name: file for name, file in operator.settings.items() if name != "gateway_tokens_file"}
    async with lab(then_works=False, gateway_max_sessions_per_token=1, **settings) as there:

        def caller(credentials: Credentials) -> Caller:
            return there.caller(wire=wire, tls=credentials.grpc(), websocket_tls=credentials.ssl())

        mine, billing = operator.credentials(""), operator.credentials("", common_name="billing")
        callers = [caller(mine), caller(billing)]
        for one in callers:
            await one.start()
        again = caller(billing)
        await again.send(start=pb.SessionStart())
        await again.over()
        assert again.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        for one in callers:
            await one.hang_up()
    began = [record for record in caplog.records if record.message == "call began"]
    assert [vars(record)["caller"] for record in began] == ["caller", "billing"]
