"""What is seen of a release? Facts as the API server reports them, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from voicectl.names import LIVE_KEY, Names


class Track(StrEnum):
    """Which of the two Deployments a pod belongs to."""

    STABLE = "stable"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """One Deployment. The counts are of pods; pods that are ending are in none of them."""

    image: str
    """Of the container `gateway`."""
    wanted: int
    """spec.replicas"""
    replicas: int
    """All that there are, of the newest template and of older ones."""
    updated: int
    """Of the newest template."""
    ready: int
    available: int
    settled: bool
    """The counts above already speak of the newest spec."""
    stalled: str = ""
    """Why Kubernetes gave up on the rollout; empty while it has not."""
    refused: str = ""
    """Why Kubernetes may not make pods, such as a quota; empty while it may."""
    annotations: Mapping[str, str] | None = None

    def noted(self, annotation: str) -> str:
        """The annotation's value, or an empty string."""
        return (self.annotations or {}).get(annotation, "")


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the GRPCRoute's two backends."""

    stable: int
    canary: int


@dataclass(frozen=True, slots=True)
class Release:
    """Both tracks and what divides new calls between them; `weights` is None where no GRPCRoute exists."""

    names: Names
    stable: DeploymentState
    canary: DeploymentState
    weights: Weights | None


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of the gateway."""

    name: str
    track: Track
    image: str
    ready: bool
    ending: bool
    http_port: int
    hindrance: str = ""
    """Why it is not ready: the container's waiting reason and message, or why it cannot be scheduled."""
    reason: str = ""
    """The bare waiting reason, as in `ImagePullBackOff`."""
    restarts: int = 0
    """How often its containers were started again."""
    live_key: str = LIVE_KEY
    """Which of the live ConfigMap's files it reads."""
