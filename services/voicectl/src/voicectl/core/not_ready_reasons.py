"""Why does a release not become ready? What Kubernetes and the pods say, as sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicectl.core.release_state import DeploymentState, Pod

MOST_EVENTS = 8
"""Of the newest warnings; older ones say the same."""


@dataclass(frozen=True, slots=True)
class KubernetesWarning:
    """One warning of Kubernetes about an object."""

    about: str
    """Its name."""
    reason: str
    message: str
    at: str
    """When it was said last, in ISO 8601, which sorts by time."""


def reasons(
    deployments: Mapping[str, DeploymentState],
    pods: Sequence[Pod],
    unready: Mapping[str, Sequence[str]],
    warnings: Sequence[KubernetesWarning],
) -> list[str]:
    """Sentences, the likeliest cause first. `unready`: what a pod's own /readyz says, by the pod's name."""
    found = [_counted(name, each) for name, each in deployments.items() if is_incomplete(each)]
    for name, each in deployments.items():
        found += [f"{name}: {said}" for said in (each.refused, each.stalled) if said]
    for pod in pods:
        if pod.ready or pod.ending:
            continue
        own = "; ".join(unready.get(pod.name, ()))
        found.append(f"{pod.name}: {pod.hindrance or (f'not ready: {own}' if own else 'not ready')}")
    alive = {pod.name for pod in pods} | set(deployments)
    for said in sorted(warnings, key=lambda each: each.at)[-MOST_EVENTS:]:
        if any(said.about.startswith(name) for name in alive) or said.about in alive:
            found.append(f"{said.about}: {said.reason} ({' '.join(said.message.split())})")
    return list(dict.fromkeys(found))


def is_incomplete(found: DeploymentState) -> bool:
    """Not every wanted pod is of the newest template and ready, or an older one is still there."""
    return not found.replicas <= found.wanted <= min(found.updated, found.ready) or bool(found.refused)


def _counted(name: str, found: DeploymentState) -> str:
    older = max(0, found.replicas - found.updated)
    beside = f" beside {older} older" if older else ""
    return f"{name}: {max(0, found.ready - older)} of {found.wanted} new pods ready{beside}"
