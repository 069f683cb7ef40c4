"""How does a browser get a token that may be seen by its user? Its server asks for a client secret of a few minutes.

    POST /v1/realtime/client_secrets   {"expires_after": {"anchor": "created_at", "seconds": 600}, "session": {...}}
    200                                {"value": "ek_...", "expires_at": 1756310470, "session": {...}}

The shapes are OpenAI's. The session stands in the secret, readable and signed: every call that the secret begins gets
it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from serving.identity.client_secrets import SecretClaims, SecretKeys, minted

from voice_gateway.edges.callers import Action, Callers
from voice_gateway.edges.web.certificate_name import certificate_name
from voice_gateway.errors import BadRequest, Unsupported

ROUTE = "/v1/realtime/client_secrets"
MIN_LIFE_S, LIFE_S, MAX_LIFE_S = 10, 600, 7200
_FIELDS = ("expires_after", "session")

Describe = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What a session with these fields is in full. Raises BadRequest or Unsupported for fields that can't be."""


@dataclass(frozen=True, slots=True)
class _Asked:
    life_s: int
    session: Mapping[str, Any]


class ClientSecrets:
    """The endpoint."""

    def __init__(
        self, callers: Callers, keys: Callable[[], SecretKeys | None], describe: Describe = lambda session: session
    ) -> None:
        self._callers = callers
        self._keys = keys
        self._describe = describe

    @property
    def route(self) -> web.RouteDef:
        """For the web port."""
        return web.post(ROUTE, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        identity = await self._callers.identify(
            request.headers.items(), Action.MINT, certificate=certificate_name(request)
        )
        asked = _asked(await request.read())
        described = self._describe(asked.session)
        keys = self._keys()
        if keys is None:
            raise Unsupported("this gateway gives no client secrets")
        claims = SecretClaims(identity.name, identity.scopes, identity.limits, asked.session)
        try:
            value, expires_at = minted(claims, keys, time.time(), asked.life_s)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        body = {"value": value, "expires_at": expires_at, "session": dict(described)}
        return web.json_response(body, headers={"Cache-Control": "no-store"})


def _asked(body: bytes) -> _Asked:
    """Raises BadRequest."""
    try:
        said = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise BadRequest("the body is no JSON; send an object, or nothing") from None
    if not isinstance(said, dict):
        raise BadRequest("the body must be an object with expires_after and session")
    if unknown := [name for name in said if name not in _FIELDS]:
        raise BadRequest(f"{unknown[0][:64]!r} is unknown here; send expires_after and session only")
    session = said.get("session") or {}
    if not isinstance(session, dict):
        raise BadRequest("session must be an object")
    return _Asked(_life_s(said.get("expires_after") or {}), session)


def _life_s(expires_after: object) -> int:
    if not isinstance(expires_after, dict) or not set(expires_after) <= {"anchor", "seconds"}:
        raise BadRequest("expires_after must be an object with anchor and seconds")
    if expires_after.get("anchor", "created_at") != "created_at":
        raise BadRequest("expires_after.anchor must be created_at")
    seconds = expires_after.get("seconds", LIFE_S)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not MIN_LIFE_S <= seconds <= MAX_LIFE_S:
        raise BadRequest(f"expires_after.seconds must be a whole number from {MIN_LIFE_S} to {MAX_LIFE_S}")
    return seconds
