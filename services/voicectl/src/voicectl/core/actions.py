"""What can a plan do? One frozen dataclass per action; the operator reads `sentence` before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from voicectl.core.release_state import Track


@dataclass(frozen=True, slots=True)
class Change:
    """Set image, replicas and annotations of a track's Deployment in one patch; None leaves a field as it is."""

    track: Track
    image: str | None = None
    replicas: int | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    """None takes an annotation away."""

    @property
    def sentence(self) -> str:
        parts = []
        if self.image is not None:
            parts.append(f"image {self.image}")
        if self.replicas is not None:
            parts.append(f"replicas {self.replicas}")
        if parts:
            return f"{self.track}: set {' and '.join(parts)}"
        kept = any(value is not None for value in self.annotations.values())
        return "note the stable's image, for a rollback" if kept else "remove the notes of the promote"


@dataclass(frozen=True, slots=True)
class AwaitRollout:
    """Wait until every wanted pod of the track has the newest template and is available, no older one takes calls."""

    track: Track
    timeout_s: float

    @property
    def sentence(self) -> str:
        return f"{self.track}: wait for the pods, at most {self.timeout_s:g} s"


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the canary this percent of new calls by the GRPCRoute, the stable the rest, and wait until it holds."""

    canary: int

    @property
    def sentence(self) -> str:
        return f"route: {self.canary} % of new calls to the canary, {100 - self.canary} % to the stable"


@dataclass(frozen=True, slots=True)
class DropFieldOwnership:
    """Give up the ownership of every field this program set, so that Helm's next upgrade meets no conflict."""

    @property
    def sentence(self) -> str:
        return "give the ownership of the changed fields back to Helm"


Action = Change | AwaitRollout | SetWeight | DropFieldOwnership


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders, to be done one after the other, each only after the one before succeeded."""

    actions: tuple[Action, ...]
    notes: tuple[str, ...]
    """Sentences to say first."""
    outcome: str
    """The sentence to end with when all is done."""
    record: str = ""
    """The stable's image where Helm's record may say otherwise now; empty where it does not."""
