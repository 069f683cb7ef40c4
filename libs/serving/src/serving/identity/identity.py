"""What is known of who calls? A name, and what its token allows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from serving.identity.errors import OutOfScope
from serving.identity.usage_limits import UsageLimits

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls."""

    name: str = ""
    """Of the token's holder; "" = everybody may call, and nobody asks."""
    scopes: frozenset[str] | None = None
    """What its token allows; None = everything."""
    limits: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    """What its token says in place of some of the operator's limits (`UsageLimits.overridden`)."""
    session: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What a client secret says of the calls that it begins; empty = nothing."""
    is_client_secret: bool = False

    def check(self, scope: str) -> None:
        """Raises OutOfScope unless the token has this scope; "" = none is needed."""
        if scope and self.scopes is not None and scope not in self.scopes:
            raise OutOfScope(scope)

    def limits_over(self, operators: UsageLimits) -> UsageLimits:
        """What holds for this caller."""
        return operators.overridden(self.limits)
