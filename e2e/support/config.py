"""What is this run asked to do? Read from the environment; docs stand in e2e/README.md."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "voice-workflow"
VALUES = ROOT / "e2e" / "values"
PARTS = ("gateway", "hpa", "policies", "power")
"""What a cluster may lack, named in E2E_WITHOUT to leave its tests out."""


class BadConfig(Exception):
    """A variable can't be used; the sentence names it."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """The images to install and what the cluster offers."""

    registry: str
    tag: str
    canary_tag: str
    gateway: str
    """namespace/name of a Gateway; empty = none was named."""
    gateway_address: str
    """host:port of its listener inside the cluster; empty = what its status says."""
    storage_class: str
    """Of claims; empty = the cluster's default, and where it has none a folder on a node."""
    replicas: int
    power_off: str
    """Shell command that takes a node's power; {node} is its name. Empty = there is none."""
    power_on: str
    without: frozenset[str]

    @property
    def image_prefix(self) -> str:
        """What stands in front of every image's name."""
        return f"{self.registry}/voice-workflow" if self.registry else "voice-workflow"

    def image(self, name: str, tag: str = "") -> str:
        """Full name of one of ours: gateway, speech-server, mini-llm, client."""
        return f"{self.image_prefix}/{name}:{tag or self.tag}"


def read_config() -> ClusterConfig:
    """Raises BadConfig."""
    tag = os.environ.get("E2E_TAG") or (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    without = frozenset(part for part in os.environ.get("E2E_WITHOUT", "").split(",") if part)
    if unknown := without - set(PARTS):
        raise BadConfig(f"E2E_WITHOUT names {', '.join(sorted(unknown))}; it can hold {', '.join(PARTS)}")
    gateway = os.environ.get("E2E_GATEWAY", "")
    if gateway and not re.fullmatch(r"[^/]+/[^/]+", gateway):
        raise BadConfig("E2E_GATEWAY must be namespace/name of a Gateway, such as traefik/lab")
    replicas = os.environ.get("E2E_REPLICAS", "2")
    if replicas not in {"1", "2"}:
        raise BadConfig("E2E_REPLICAS must be 1 or 2")
    return ClusterConfig(
        registry=os.environ.get("E2E_REGISTRY", "").rstrip("/"),
        tag=tag,
        canary_tag=os.environ.get("E2E_CANARY_TAG") or f"{tag}-canary",
        gateway=gateway,
        gateway_address=os.environ.get("E2E_GATEWAY_ADDRESS", ""),
        storage_class=os.environ.get("E2E_STORAGE_CLASS", ""),
        replicas=int(replicas),
        power_off=os.environ.get("E2E_POWER_OFF", ""),
        power_on=os.environ.get("E2E_POWER_ON", ""),
        without=without,
    )
