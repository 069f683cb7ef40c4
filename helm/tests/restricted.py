"""Does a pod pass the Pod Security Standard "restricted"? The standard's list, written as a function."""

from collections.abc import Iterator
from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def violations(spec: Any) -> Iterator[str]:
    """Each rule the pod spec breaks, as a sentence."""
    pod = spec.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"{name} is set"
    for volume in spec.get("volumes", []):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']} is of a forbidden kind"
    if pod.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "there is no seccomp profile"
    if pod.get("runAsNonRoot") is not True or pod.get("runAsUser") == 0:
        yield "it may run as root"
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        yield from _of_container(container)


def _of_container(container: Any) -> Iterator[str]:
    own = container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{container['name']} may gain privileges"
    if own.get("privileged") or own.get("runAsUser") == 0 or own.get("runAsNonRoot") is False:
        yield f"{container['name']} is privileged or root"
    if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield f"{container['name']} keeps capabilities"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield f"{container['name']} takes a port of the node"
