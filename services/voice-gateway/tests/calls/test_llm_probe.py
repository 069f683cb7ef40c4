"""Is the language model up, and does it serve the model that is wanted? Over real HTTP, whatever it answers."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from faults import Deed, ScriptedHttp
from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.backends.llm_probe import LlmProbe
from voice_gateway.backends.probes import Probe, Probes


class Model:
    """A server with models; other paths than the ones it knows are 404."""

    def __init__(self, ready: int = 404, models: int = 200, listed: Sequence[str] = (), chat: int = 404) -> None:
        self.status = {"health/ready": ready, "models": models, "chat/completions": chat}
        self.listed = listed
        self.asked: list[str] = []
        self.keys: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        """The status that was set for the path."""
        path = request.path.removeprefix("/v1/")
        self.asked.append(path)
        self.keys.add(request.headers.get("Authorization", ""))
        body = {"data": [{"id": name} for name in self.listed]} if path == "models" else {}
        return web.json_response(body, status=self.status[path])


@asynccontextmanager
async def probing(model: Model, wanted: str = "wanted") -> AsyncGenerator[LlmProbe, None]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", model.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            yield LlmProbe(
                LlmAccess(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/", lambda: "secret"), http, lambda: wanted
            )
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [401, 403, 404, 405, 302, 429])
async def test_an_answer_that_is_no_server_error_means_it_is_up(status: int) -> None:
    model = Model(ready=status, models=status)
    async with probing(model) as probe:
        await probe()
    assert model.keys == {"Bearer secret"}


@pytest.mark.parametrize(("ready", "models"), [(503, 200), (404, 500), (200, 503)])
async def test_a_server_error_means_it_is_down(ready: int, models: int) -> None:
    async with probing(Model(ready, models)) as probe:
        with pytest.raises(OSError, match="answered HTTP 50"):
            await probe()


async def test_a_model_that_is_listed_is_served_and_asked_for_no_token() -> None:
    model = Model(listed=["other", "wanted"])
    async with probing(model) as probe:
        await probe()
        await probe()
    assert model.asked == ["health/ready", "models", "health/ready"]


async def test_a_model_that_is_not_listed_and_not_answered_to_is_told_with_those_that_are() -> None:
    async with probing(Model(listed=["llama", "mistral"])) as probe:
        with pytest.raises(OSError, match="does not serve 'wanted'; it serves llama, mistral; set LLM_MODEL to one"):
            await probe()


@pytest.mark.parametrize("chat", [200, 401, 429, 503])
async def test_a_server_that_answers_to_every_name_serves_it(chat: int) -> None:
    async with probing(Model(listed=["llama"], chat=chat)) as probe:
        await probe()


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\xff\xfe{[]}..",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n" + json.dumps({"data": [1, {"x": None}]}).encode(),),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=nonsense\r\nContent-Length: 2\r\n\r\n[]",),
    ],
    ids=["undecodable", "no list of models", "null", "nonsense charset"],
)
async def test_a_list_of_models_that_can_not_be_read_is_none(answer: tuple[Deed, ...]) -> None:
    server = ScriptedHttp()
    server.answer = answer
    await server.start()
    async with aiohttp.ClientSession() as http:
        await LlmProbe(LlmAccess(f"http://127.0.0.1:{server.port}/v1", str), http, lambda: "any")()
    await server.stop()


@pytest.mark.parametrize(
    "error", [ValueError("77"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), RecursionError(), KeyError("x")]
)
async def test_whatever_a_probe_raises_means_down_and_never_more(error: Exception) -> None:
    told: list[tuple[str, bool]] = []

    async def ask() -> None:
        raise error

    probes = Probes([Probe("asr", ask, 60)], 15)
    await probes.ask_all(lambda name, up: told.append((name, up)))
    assert told == [("asr", False)]
    assert probes.troubles() == {"asr": f"its answer can't be used ({type(error).__name__})"}
    assert probes.never_answered() == ["asr"]
