"""Is the language model there, and does it serve the model that LLM_MODEL names?

NIM answers /v1/health/ready; others list their models. An answer that is no server error means it is up: proxies and
clouds answer 401, 403, 404 or 405 there and chat well. Some servers list one name and answer to every name, so one
that does not list the model is asked for one token of it before it counts as wrong.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from voice_gateway.backends.llm_access import LlmAccess

log = logging.getLogger(__name__)

_NO_SUCH_MODEL = (400, 404, 422)
_RECHECK_S = 30.0
"""How long a model that was found served is believed to be."""
_MAX_BYTES = 1_000_000
_MAX_NAMED = 10
"""So many models are named in a sentence."""
_TRY_WITHIN_S = 2.0


class LlmProbe:
    """Asks one endpoint; `model` is the name that holds now."""

    def __init__(self, access: LlmAccess, http: aiohttp.ClientSession, model: Callable[[], str]) -> None:
        self._base_url = access.base_url.rstrip("/")
        self._access = access
        self._http = http
        self._model = model
        self._served: tuple[str, float] | None = None
        """The model that was last found served, and when (loop time)."""

    async def __call__(self) -> None:
        """Raises OSError with a sentence when it is down, or serves other models only."""
        try:
            await self._ask()
        except aiohttp.ClientConnectionError as error:
            raise OSError(await self._access.trouble() or str(error) or type(error).__name__) from None

    async def _ask(self) -> None:
        model, now = self._model(), asyncio.get_running_loop().time()
        await self._get("health/ready")
        if self._served and self._served[0] == model and now - self._served[1] < _RECHECK_S:
            return
        self._served = None
        listed = _listed(await self._get("models"))
        if listed and model not in listed:
            await self._answers_to(model, listed)
        self._served = model, now

    async def _get(self, path: str) -> bytes:
        """What it answers, at most so much of it. Raises OSError when that is a server error."""
        async with self._http.get(f"{self._base_url}/{path}", **self._how()) as answer:
            if answer.status >= 500:
                raise OSError(f"{path} answered HTTP {answer.status}")
            content = bytearray()
            async for piece in answer.content.iter_chunked(65_536):
                content += piece
                if len(content) > _MAX_BYTES:
                    break
            return bytes(content) if answer.status == 200 else b""

    async def _answers_to(self, model: str, listed: list[str]) -> None:
        """Raises OSError when a chat with `model` is refused for its name."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}
        with suppress(TimeoutError):  # busy, not wrong
            async with asyncio.timeout(_TRY_WITHIN_S):
                url = f"{self._base_url}/chat/completions"
                async with self._http.post(url, json=body, **self._how()) as answer:
                    if answer.status in _NO_SUCH_MODEL:
                        more = ", …" if len(listed) > _MAX_NAMED else ""
                        names = ", ".join(listed[:_MAX_NAMED]) + more
                        raise OSError(f"does not serve {model!r}; it serves {names}; set LLM_MODEL to one of them")
        log.info("the language model does not list %r, but answers to it", model)

    def _how(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._access.key()}"}
        return {"headers": headers, "ssl": self._access.tls, "allow_redirects": False}


def _listed(content: bytes) -> list[str]:
    """The names in a list of models; empty = it can't be read, or is none."""
    try:
        entries = json.loads(content)["data"]
        return [entry["id"] for entry in entries if isinstance(entry["id"], str)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
