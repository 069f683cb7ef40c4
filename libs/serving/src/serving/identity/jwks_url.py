"""Which keys does the issuer publish now? Its JWKS, fetched in the background and when a token names a new key.

A server that is slow, gone or answers nonsense changes nothing: the keys that were fetched last stay.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass

import aiohttp

from serving.identity.signing_keys import MAX_BYTES, BadKeys, SigningKey, from_jwks

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JwksTimes:
    """When the keys are fetched. All in seconds."""

    refresh_s: float = 300.0
    """After a fetch that went well."""
    retry_s: float = 10.0
    """After one that did not."""
    apart_s: float = 10.0
    """Between two fetches at least, however many tokens name keys that nobody knows."""
    deadline_s: float = 5.0
    """Of one fetch. Who waits for it waits no longer."""


MAX_WAITING = 512
"""Requests that wait for a fetch; more are refused at once. A stranger can make them, with tokens that name no key."""
_TIMES = JwksTimes()


class JwksUrl:
    """The keys behind a URL. `run` fetches them; without it there are none."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None, times: JwksTimes = _TIMES) -> None:
        self._url = url
        self._context = context
        self._times = times
        self._wanted = asyncio.Event()
        self._fetched = asyncio.Event()
        """Set when the fetch that is next, or runs, is over; then there is another one."""
        self._fetched_at = float("-inf")
        self._waiting = 0
        self._trouble = ""
        self.keys: tuple[SigningKey, ...] = ()
        self.is_known = False
        """Whether keys were ever fetched."""

    @property
    def trouble(self) -> str:
        """Why the last fetch gave no keys; "" = it did, or there was none yet."""
        return self._trouble

    async def run(self) -> None:
        """Fetch again and again, until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            self._wanted.clear()
            self._fetched_at = now()
            await self._fetch()
            fetched, self._fetched = self._fetched, asyncio.Event()
            fetched.set()
            try:
                async with asyncio.timeout(self._times.retry_s if self._trouble else self._times.refresh_s):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def renew(self) -> None:
        """A token names a key that is not known: fetch, unless that was done a moment ago, and wait for it."""
        now = asyncio.get_running_loop().time()
        is_fetching = not self.is_known and self._fetched_at == float("-inf")
        is_too_soon = not is_fetching and now - self._fetched_at < self._times.apart_s
        if is_too_soon or self._waiting >= MAX_WAITING:
            return
        self._wanted.set()
        fetched = self._fetched
        self._waiting += 1
        try:
            async with asyncio.timeout(self._times.deadline_s):
                await fetched.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._times.deadline_s):
                content = await self._get()
            keys = await asyncio.to_thread(from_jwks, content)
        except TimeoutError:
            self._note(f"nothing complete came within {self._times.deadline_s:g} s")
        except BadKeys as error:
            self._note(f"what came {error}")
        except Exception as error:  # whatever a server can do; what was fetched before stays
            self._note(" ".join(str(error).split())[:300] or type(error).__name__)
        else:
            if {repr(key) for key in keys} != {repr(key) for key in self.keys}:
                log.info("%d keys of %s verify tokens from now on", len(keys), self._url)
            self.keys, self.is_known, self._trouble = keys, True, ""

    async def _get(self) -> bytes:
        connector = aiohttp.TCPConnector(ssl=self._context if self._context is not None else True)
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=True) as session,
            session.get(self._url, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status != 200:
                raise BadKeys(f"has the status {answer.status}")
            content = bytearray()
            async for chunk in answer.content.iter_any():
                content += chunk
                if len(content) > MAX_BYTES:
                    break
            return bytes(content)

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            kept = "the keys that were fetched before stay" if self.is_known else "no token can be verified until then"
            log.warning("the keys at %s can't be fetched: %s; %s", self._url, trouble, kept)
        self._trouble = trouble
