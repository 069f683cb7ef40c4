"""How does an action become a patch, and how does Helm get the changed fields back?

Helm 4 applies with field ownership: while this program owns a field, `helm upgrade` with another value is a conflict,
and that is right while a canary runs. `drop_field_ownership` takes our entries out of metadata.managedFields; the
fields keep their values and belong to nobody, so the next `helm upgrade` takes them.
"""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy

from voicectl.cluster.api import Cluster, Json, RouteKind
from voicectl.core.actions import Change
from voicectl.core.release_state import Track
from voicectl.errors import ConflictingChange, NotFound
from voicectl.names import CONTAINER, FIELD_MANAGER, Names

TRIES = 8
"""Reading and writing again when an object changed in between: Kubernetes itself writes a Deployment's status often."""


def change(cluster: Cluster, names: Names, action: Change) -> None:
    """Patches the track's Deployment."""
    spec: Json = {}
    if action.replicas is not None:
        spec["replicas"] = action.replicas
    if action.image is not None:
        spec["template"] = {"spec": {"containers": [{"name": CONTAINER, "image": action.image}]}}
    patch: Json = {}
    if spec:
        patch["spec"] = spec
    if action.annotations:
        patch["metadata"] = {"annotations": dict(action.annotations)}
    cluster.patch_deployment(names.stable if action.track is Track.STABLE else names.canary, patch)


def set_weight(cluster: Cluster, names: Names, canary: int) -> None:
    """Sets the weights in every rule of the routes that has both tracks as backends, unless they are so already.

    That of browsers comes first, so that what is read of the other one holds for both."""

    def patch(route: Json) -> Json | None:
        rules = with_weights(route["spec"].get("rules", []), names, canary)
        return None if rules == route["spec"].get("rules", []) else {"spec": {"rules": rules}}

    with suppress(NotFound):
        _patch_route(cluster, names.web_route, "HTTPRoute", patch)
    _patch_route(cluster, names.route, "GRPCRoute", patch)


def with_weights(rules: list[Json], names: Names, canary: int) -> list[Json]:
    """A copy of the rules with the canary's weight, out of 100. Pure."""
    wanted = {names.stable_service: 100 - canary, names.canary_service: canary}
    fresh = deepcopy(rules)
    for rule in fresh:
        backends = rule.get("backendRefs", [])
        if wanted.keys() <= {backend["name"] for backend in backends}:
            for backend in backends:
                backend["weight"] = wanted.get(backend["name"], backend.get("weight", 1))
    return fresh


def drop_field_ownership(cluster: Cluster, names: Names) -> None:
    """Takes our name off the fields of both Deployments and of the routes that there are."""
    for name in (names.stable, names.canary):
        _drop_deployment_ownership(cluster, name)
    routes: dict[str, RouteKind] = {names.route: "GRPCRoute", names.web_route: "HTTPRoute"}
    for name, kind in routes.items():
        with suppress(NotFound):
            _patch_route(cluster, name, kind, without_our_entries)


def without_our_entries(found: Json) -> Json | None:
    """The patch that takes our entries out of the object's managedFields; None where there are none. Pure."""
    entries = found["metadata"].get("managedFields", [])
    others = [each for each in entries if each.get("manager") != FIELD_MANAGER]
    if others == entries:
        return None
    # An empty list means "leave it" to the API server, a list of one empty entry means "nobody".
    return {"metadata": {"managedFields": others or [{}]}}


def _drop_deployment_ownership(cluster: Cluster, name: str) -> None:
    _read_and_patch(
        lambda: cluster.deployment(name), lambda body: cluster.patch_deployment(name, body), without_our_entries
    )


def _patch_route(cluster: Cluster, name: str, kind: RouteKind, patch: Callable[[Json], Json | None]) -> None:
    _read_and_patch(lambda: cluster.route(name, kind), lambda body: cluster.patch_route(name, body, kind), patch)


def _read_and_patch(
    read: Callable[[], Json], write: Callable[[Json], object], patch: Callable[[Json], Json | None]
) -> None:
    """Writes `patch(read())` only onto the very version that was read; reads again when it changed in between."""
    for attempt in range(TRIES):
        found = read()
        body = patch(found)
        if body is None:
            return
        body.setdefault("metadata", {})["resourceVersion"] = found["metadata"]["resourceVersion"]
        try:
            write(body)
            return
        except ConflictingChange:
            if attempt == TRIES - 1:
                raise
