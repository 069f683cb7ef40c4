"""Has a Deployment's rollout come to its end, and if not, what is in the way?"""

from collections.abc import Iterable
from dataclasses import dataclass

from voicectl.core.release_state import DeploymentState, Pod

BLOCKED_REASONS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ImagePullBackOff",
        "InvalidImageName",
    }
)
"""Waiting reasons that waiting rarely heals. ErrImagePull is not among them: Kubernetes tries again first."""


@dataclass(frozen=True, slots=True)
class RolloutDone:
    """Every wanted pod runs the newest template and is available; older ones are gone or ending."""


@dataclass(frozen=True, slots=True)
class RolloutInProgress:
    """Not yet; `sentence` says how far."""

    sentence: str


@dataclass(frozen=True, slots=True)
class RolloutBlocked:
    """It will not end by waiting; `sentence` says why."""

    sentence: str


BLOCKED_WORDS = ("exceeded quota", "must specify", "violates PodSecurity", "maximum ")
"""Words of a refusal to make pods that stays until somebody changes the quota, the limits or the pod."""


def judge(deployed: DeploymentState, pods: Iterable[Pod]) -> RolloutDone | RolloutInProgress | RolloutBlocked:
    """The state of the rollout; `pods` are those of the Deployment's track."""
    if not deployed.settled:
        return RolloutInProgress("Kubernetes has not read the change yet")
    new = [pod for pod in pods if not pod.ending and pod.image == deployed.image]
    in_the_way = "; ".join(f"{pod.name}: {pod.hindrance}" for pod in new if pod.hindrance)
    if any(pod.reason in BLOCKED_REASONS for pod in new):
        return RolloutBlocked(in_the_way)
    if any(words in deployed.refused for words in BLOCKED_WORDS):
        return RolloutBlocked(deployed.refused)
    if deployed.stalled:
        return RolloutBlocked(in_the_way or deployed.refused or deployed.stalled)
    old = deployed.replicas - deployed.updated
    if deployed.replicas <= deployed.wanted <= min(deployed.updated, deployed.available):
        return RolloutDone()
    parts = [f"{min(deployed.available, deployed.updated)} of {deployed.wanted} ready"]
    if old > 0:
        parts.append(f"{old} older still running")
    parts += filter(None, (deployed.refused, in_the_way))
    return RolloutInProgress(", ".join(parts))
