"""What is a model that can be fetched, and is it pinned?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from speech_server.errors import EngineUnavailable

_PINNED = re.compile(r"[0-9a-f]{40}|\d+(\.\d+)+")


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A model on the hub, or in a package."""

    name: str
    repo: str
    revision: str
    """A commit, or the version of a package; never a branch: it can change under us. Empty: the operator names one."""
    languages: tuple[str, ...] = ("en-US",)
    sums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file name, of this revision."""
    setting: str = "PARAKEET"
    """What the names of its settings begin with, for sentences."""


def check_revision(model: PinnedModel) -> None:
    """Raises EngineUnavailable unless a commit or a version is named."""
    if not _PINNED.fullmatch(model.revision):
        raise EngineUnavailable(
            f"{model.name} needs a revision: set {model.setting}_REVISION (or --revision) to a full commit of "
            f"{model.repo}, 40 hexadecimal digits, so that what is loaded can't change."
        )
