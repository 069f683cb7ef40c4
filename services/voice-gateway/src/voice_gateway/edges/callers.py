"""Who calls, and may they do this? Whoever holds the credential that came with the request, at every edge."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from serving.identity.errors import KeysMissing, NotIdentified, OutOfScope
from serving.identity.identities import Identities
from serving.identity.identity import Identity
from serving.identity.sent_tokens import Headers

from voice_gateway.core.admission import Refusal, RefusalKind
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.refusal_delay import RefusalDelay
from voice_gateway.errors import Forbidden, Refused, Unauthorised

_RETRY_AFTER_S = 2.0


class Action(Enum):
    """What a caller wants to do. Each may need a scope of the caller's token."""

    CALL = "call"
    TRANSCRIBE = "transcribe"
    MINT = "client_secret"


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scope that each action needs; "" = none."""

    call: str = ""
    transcribe: str = ""
    client_secret: str = ""

    def of(self, action: Action) -> str:
        """Of this one."""
        return str(getattr(self, action.value))


_NONE = Scopes()


class Callers:
    """Those who may call."""

    def __init__(
        self,
        identities: Identities,
        limits: Limits,
        scopes: Scopes = _NONE,
        refused: Callable[[str], None] = lambda kind: None,
        *,
        names_certificates: bool = False,
    ) -> None:
        """`refused` is told why each caller was not let in, in a word. With `names_certificates` a caller of whom no
        token is asked has the name in its certificate."""
        self._identities = identities
        self._scopes = scopes
        self._refused = refused
        self._refusal_delay = RefusalDelay(limits)
        self._names_certificates = names_certificates and not identities.are_asked_for

    async def identify(self, headers: Headers, action: Action = Action.CALL, *, certificate: str = "") -> Identity:
        """Who sent these headers or this metadata (`request.headers.items()`, `context.invocation_metadata()`); its
        name is "" where everybody may call. `certificate` is the name in the one that the caller showed; "" = none.

        Raises Unauthorised and Forbidden, a moment after it was asked, or Refused."""
        try:
            identity = await self._identities.identify(headers)
            if identity.is_client_secret and action is Action.MINT:
                raise Forbidden("a client secret can't get another one; send the token that it was got with")
            identity.check(self._scopes.of(action))
        except KeysMissing as error:
            self._refused(error.kind)
            raise Refused(Refusal(RefusalKind.BACKEND_DOWN, str(error), _RETRY_AFTER_S)) from None
        except NotIdentified as error:
            self._refused(error.kind)
            await self._refusal_delay.pause()
            kind = Forbidden if isinstance(error, OutOfScope) else Unauthorised
            raise kind(str(error)) from None
        return replace(identity, name=certificate) if self._names_certificates else identity
