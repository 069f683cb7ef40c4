"""Who may call, and how much may each have? The holders of the operator's tokens, by every scheme that is set."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from serving.bearer_tokens import BadTokens, BearerTokens
from serving.identity.client_secrets import PREFIX, SecretClaims, minted, own_keys, parse
from serving.identity.errors import KeysMissing, NotIdentified, OutOfScope
from serving.identity.identities import Identities
from serving.identity.identity import Identity
from serving.identity.jwt_settings import jwt_scheme, read_from
from serving.identity.key_file import key_file
from serving.identity.sent_tokens import Headers
from serving.identity.usage_limits import Usage, UsageLimits
from serving.renewed_files import BadFiles
from serving.settings import BadSettings
from serving.tokens_file import digest

from speech_server.core.requests.request_stats import RequestRecord
from speech_server.core.requests.session_secret import opened, session_secret
from speech_server.errors import Busy, Forbidden, NotServing, Unauthorised
from speech_server.settings import Settings

_log = logging.getLogger(__name__)
_NO_SESSION = "This session secret is not accepted, or its time is over; open another session."
_LOOK_EVERY_S = 1.0
_current: ContextVar[Identity | None] = ContextVar("caller", default=None)
"""Whose request the running task serves."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a token must allow; "" = nothing of its own."""

    asr: str = ""
    tts: str = ""

    def of(self, route: str) -> str:
        """For a path of HTTP, or a method of gRPC."""
        if "RivaSpeechSynthesis" in route or route.startswith(_SYNTHESIS):
            return self.tts
        return self.asr if "RivaSpeechRecognition" in route or route.startswith(_RECOGNITION) else ""


_SYNTHESIS = ("/v1/audio/speech", "/v1/realtime/synthesis_sessions", "/v1/realtime?intent=synthesize")
_RECOGNITION = ("/v1/audio/transcriptions", "/v1/realtime")


class Callers:
    """Those who may call, and what each of them has now."""

    def __init__(
        self, identities: Identities, tokens: BearerTokens | None, scopes: Scopes, limits: UsageLimits
    ) -> None:
        """`tokens` are those of the file among the `identities`; `limits` hold for each caller."""
        self._identities = identities
        self._tokens = tokens
        self._scopes = scopes
        self._limits = limits
        self._usage = Usage()

    async def identify(self, headers: Headers, route: str) -> Identity:
        """Who sent these headers or this metadata, to do this. Raises Unauthorised, Forbidden, NotServing."""
        try:
            identity = await self._identities.identify(headers)
            identity.check(self._scopes.of(route))
        except NotIdentified as error:
            raise _told(error) from None
        return identity

    async def of_session(self, secret: str, route: str) -> Identity:
        """Whose realtime session has this secret. Raises Unauthorised, Forbidden."""
        try:
            if secret.startswith(PREFIX):
                identity = await self._identities.holder(secret)
                identity.check(self._scopes.of(route))
                return identity
        except NotIdentified as error:
            raise _told(error, _NO_SESSION) from None
        holders: Mapping[bytes, str] = self._tokens.holders if self._tokens is not None else {}
        token_digest = opened(secret, holders, time.time())
        if token_digest is None:
            raise Unauthorised(_NO_SESSION)
        return Identity(holders[token_digest])

    def session_secret(self, identity: Identity, token: str, expires_at: int) -> str:
        """What opens the socket of a session of this caller, whose `token` was accepted.

        Any pod with the same tokens file knows one of its tokens again; that of a JWT is signed with the keys of
        SPEECH_CLIENT_SECRET_KEYS_FILE."""
        if self._tokens is not None and self._tokens.holder(token) is not None:
            return session_secret(digest(token), expires_at)
        keys, now = self._identities.secret_keys, time.time()
        assert keys is not None, "the server has some"
        claims = SecretClaims(identity.name, identity.scopes, identity.limits, {})
        return minted(claims, keys, now, expires_at - int(now))[0]

    @contextmanager
    def holding(self, identity: Identity) -> Iterator[None]:
        """One request of this caller, for the length of the block. Raises Busy beyond what it may have."""
        limits = identity.limits_over(self._limits)
        exceeded = self._usage.begin(identity.name, limits, time.monotonic())
        if exceeded:
            sentence = f"{exceeded.sentence[0].upper()}{exceeded.sentence[1:]}."
            raise Busy(sentence, round(exceeded.retry_after_s * 1000))
        _current.set(identity)
        try:
            yield
        finally:
            self._usage.end(identity.name, time.monotonic())

    async def run(self) -> None:
        """Look at files that may change, and keep fetched keys fresh, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._identities.run(), name="keys of callers' tokens")
            while True:
                await asyncio.sleep(_LOOK_EVERY_S)
                try:
                    self._identities.look()
                except Exception:  # of one look; there is another in a second
                    _log.exception("looking at the files of callers failed; what was read before stays in force")

    def noted(self, record: RequestRecord) -> RequestRecord:
        """With the name of the caller whose request this task has served; its audio is counted."""
        if (identity := _current.get()) is None:
            return record
        self._usage.heard(identity.name, record.audio_s, identity.limits_over(self._limits), time.monotonic())
        return replace(record, caller=identity.name)


@dataclass(frozen=True, slots=True)
class SessionSecrets:
    """Makes what opens the sockets of one caller's sessions."""

    callers: Callers
    identity: Identity
    token: str

    def made(self, expires_at: int) -> str:
        """One that is good until this Unix time."""
        return self.callers.session_secret(self.identity, self.token, expires_at)


def known_callers(settings: Settings) -> Callers | None:
    """Those of the settings, their files read; None = everybody may call. Raises BadTokens, BadSettings."""
    server, of_callers = settings.server, settings.callers
    jwt = jwt_scheme(read_from(of_callers, "speech_jwt_"), "SPEECH_JWT_")
    tokens, keys_file = None, of_callers.speech_client_secret_keys_file
    try:
        if server.speech_tokens_file is not None:
            tokens = BearerTokens(server.speech_tokens_file)
        keys = key_file(keys_file, parse, "SPEECH_CLIENT_SECRET_KEYS_FILE") if keys_file else own_keys()
    except BadTokens as error:
        raise BadTokens(f"SPEECH_TOKENS_FILE: {error}") from None
    except BadFiles as error:
        raise BadSettings(f"SPEECH_CLIENT_SECRET_KEYS_FILE: {error}") from None
    if tokens is None and jwt is None:
        return None
    limits = UsageLimits(
        server.speech_max_per_token,
        of_callers.speech_requests_per_minute_per_token,
        of_callers.speech_audio_s_per_hour_per_token,
        of_callers.speech_audio_s_per_day_per_token,
    )
    scopes = Scopes(of_callers.speech_jwt_asr_scope, of_callers.speech_jwt_tts_scope)
    return Callers(Identities(tokens, jwt, keys), tokens, scopes, limits)


def _told(error: NotIdentified, instead: str = "") -> Unauthorised | Forbidden | NotServing:
    sentence = instead or f"{str(error)[0].upper()}{str(error)[1:]}."
    if isinstance(error, KeysMissing):
        return NotServing(sentence)
    return Forbidden(sentence) if isinstance(error, OutOfScope) else Unauthorised(sentence)
