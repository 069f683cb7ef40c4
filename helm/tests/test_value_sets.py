"""Is every value set of ci/ a chart that Kubernetes takes?"""

import json

import pytest
from rendering import CHART, VALUE_SETS, Chart, Rendered
from restricted import violations
from schemas import VERSIONS, complaint

EXPECTED_SETS = {
    "default", "embedded", "embedded-one-replica", "scripted", "gpu", "tls", "tokens", "autoscaling", "autoscaling-cpu",
    "keda", "gateway-api", "ingress-traefik", "ingress-nginx", "networkpolicy", "networkpolicy-embedded",
    "quota", "gateway-api-tls", "servicemonitor", "parakeet", "parakeet-cpu", "parakeet-offline", "streaming",
    "speech-tls", "jwt", "networkpolicy-models", "ingress-web",
}  # fmt: skip


@pytest.fixture(params=VALUE_SETS)
def rendered(chart: Chart, request: pytest.FixtureRequest) -> Rendered:
    """Each value set in turn."""
    return chart.set(request.param)


def test_the_value_sets_are_these() -> None:
    assert set(VALUE_SETS) == EXPECTED_SETS


@pytest.mark.parametrize("name", VALUE_SETS)
def test_helm_lint_finds_nothing(chart: Chart, name: str) -> None:
    found = chart.run("lint", "--strict", str(CHART), "--values", str(CHART / "ci" / f"{name}-values.yaml"))

    assert found.returncode == 0, found.stdout + found.stderr
    assert "[WARNING]" not in found.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object_of_every_set(chart: Chart, version: str) -> None:
    texts = {json.dumps(one, sort_keys=True) for name in VALUE_SETS for one in chart.set(name)}

    assert [said for text in sorted(texts) if (said := complaint(text, version))] == []


def test_no_object_is_there_twice(rendered: Rendered) -> None:
    assert len(set(rendered.names)) == len(rendered.names)


def test_every_pod_passes_the_restricted_standard(rendered: Rendered) -> None:
    broken = {name: list(violations(spec)) for name, spec in rendered.pod_specs.items()}

    assert [(name, rules) for name, rules in broken.items() if rules] == []


def test_every_container_has_a_read_only_root_and_says_what_it_needs(rendered: Rendered) -> None:
    for spec in rendered.pod_specs.values():
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["requests"]
            assert "memory" in container["resources"]["limits"]


def test_no_pod_gets_a_token_of_the_api_server_or_variables_of_other_services(rendered: Rendered) -> None:
    for spec in rendered.pod_specs.values():
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False


def test_nothing_gets_a_right_and_nothing_holds_a_secret(rendered: Rendered) -> None:
    kinds = {one["kind"] for one in rendered}

    assert kinds.isdisjoint({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret"})


def test_every_selector_finds_its_own_pods(rendered: Rendered) -> None:
    for one in rendered:
        if one["kind"] == "Deployment":
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_every_mount_has_its_volume(rendered: Rendered) -> None:
    for spec in rendered.pod_specs.values():
        volumes = {volume["name"] for volume in spec["volumes"]}
        containers = [*spec["containers"], *spec.get("initContainers", [])]
        mounted = {mount["name"] for container in containers for mount in container["volumeMounts"]}
        assert mounted == volumes


def test_every_backend_of_a_route_is_a_service_with_that_port(rendered: Rendered) -> None:
    ports = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]}
        for one in rendered
        if one["kind"] == "Service"
    }

    for one in rendered:
        if one["kind"] in ("GRPCRoute", "HTTPRoute"):
            for backend in one["spec"]["rules"][0]["backendRefs"]:
                assert backend["port"] in ports[backend["name"]]


def test_an_object_that_kubernetes_does_not_take_is_found() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"prots": []}}
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "m"},
        "spec": {"selector": {}, "endpoints": [{"prot": "http"}]},
    }

    assert "prots" in complaint(json.dumps(service), VERSIONS[0])
    assert "prot" in complaint(json.dumps(monitor), VERSIONS[0])
