"""What does an upgrade leave alone? The number of pods somebody else set, and the live files of pods that still run."""

from pathlib import Path
from typing import Any

import pytest
from live_cluster import serving
from rendering import CHART, Chart, Object, Rendered, parsed

APPS = "/apis/apps/v1/namespaces/calls"
LIVE = "/api/v1/namespaces/calls/configmaps/voice-gateway-live"


def owned(name: str) -> Object:
    """The metadata of an object that Helm made for this release."""
    annotations = {"meta.helm.sh/release-name": "voice", "meta.helm.sh/release-namespace": "calls"}
    return {"name": name, "labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": annotations}


def deployment(replicas: int, *owners: str, said: str = "2") -> Object:
    """As it runs: `owners` set the number of pods, beside helm; the last upgrade said `said`."""
    fields: Object = {"f:spec": {"f:replicas": {}}}
    managed = [{"manager": "helm", "operation": "Apply", "fieldsV1": fields}]
    managed += [{"manager": one, "operation": "Update", "fieldsV1": fields} for one in owners]
    metadata = owned("voice-gateway")
    metadata["annotations"]["voice-workflow/replicas"] = said
    metadata["managedFields"] = managed
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}


def upgrade(chart: Chart, folder: Path, objects: dict[str, Any], *options: str) -> tuple[int, str, str]:
    """`helm template` that asks the cluster; its status, what it renders, what it says."""
    with serving(objects, folder) as kubeconfig:
        place = (
            "--namespace",
            "calls",
            "--dry-run=server",
            "--disable-openapi-validation",
            f"--kubeconfig={kubeconfig}",
        )
        found = chart.run("template", "voice", str(CHART), *place, *options)
    return found.returncode, found.stdout, found.stderr


def rendered(chart: Chart, folder: Path, objects: dict[str, Any], *options: str) -> Rendered:
    status, out, said = upgrade(chart, folder, objects, *options)
    assert status == 0, said
    return Rendered(parsed(out))


SCALED = ("--set", "autoscaling.enabled=true")


@pytest.mark.parametrize(
    ("running", "options", "replicas"),
    [
        (deployment(4, said="4"), SCALED, 4),  # switched on: Helm alone owned the number, which would fall to 1
        (deployment(5, "kube-controller-manager", said="autoscaling"), SCALED, None),
        (deployment(5, "kube-controller-manager", said="autoscaling"), (), 5),  # switched off
        (deployment(7, "kubectl"), (), 7),  # scaled by hand, and the value is what it was
        (deployment(2), ("--set", "replicas=6"), 6),
        (deployment(6, "kubectl"), ("--set", "replicas=6"), 6),
    ],
)
def test_the_number_of_pods_that_run_is_kept(
    chart: Chart, tmp_path: Path, running: Object, options: tuple[str, ...], replicas: int | None
) -> None:
    made = rendered(chart, tmp_path, {f"{APPS}/deployments/voice-gateway": running}, *options)

    assert made.get("Deployment/voice-gateway")["spec"].get("replicas") == replicas


def test_a_number_that_helm_may_not_change_is_refused_with_what_to_say_first(chart: Chart, tmp_path: Path) -> None:
    objects = {f"{APPS}/deployments/voice-gateway": deployment(7, "kubectl")}

    status, _, said = upgrade(chart, tmp_path, objects, "--set", "replicas=3")

    assert status != 0
    assert "say `kubectl --namespace calls scale deployment voice-gateway --replicas=3` first" in said


def test_live_files_of_pods_that_still_run_stay(chart: Chart, tmp_path: Path) -> None:
    def replica_set(key: str, replicas: int) -> Object:
        labels = {"app.kubernetes.io/name": "voice-gateway", "app.kubernetes.io/instance": "voice"}
        env = [{"name": "GATEWAY_LIVE_FILE", "value": f"/etc/voice-gateway/live/{key}"}]
        spec = {"template": {"spec": {"containers": [{"name": "gateway", "env": env}]}}}
        metadata = {"name": key.removesuffix(".yaml"), "labels": labels}
        return {"metadata": metadata, "spec": spec, "status": {"replicas": replicas} if replicas else {}}

    items = [replica_set("live-older.yaml", 2), replica_set("live-gone.yaml", 0)]
    objects = {
        f"{APPS}/replicasets": {"kind": "ReplicaSetList", "apiVersion": "apps/v1", "items": items},
        LIVE: {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": owned("voice-gateway-live"),
            "data": {"live-older.yaml": 'GREETING: "old\\nwords"\n', "live-gone.yaml": "GREETING: gone\n"},
        },
    }

    made = rendered(chart, tmp_path, objects)

    data = made.get("ConfigMap/voice-gateway-live")["data"]
    assert set(data) == {"live-older.yaml", made.live_key()}
    assert data["live-older.yaml"] == 'GREETING: "old\\nwords"\n'
