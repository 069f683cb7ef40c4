"""Does the chart fit into clusters with quotas, user ranges, proxies that check certificates, and odd release names?"""

from typing import Any

import pytest
from rendering import PARAKEET, Chart

TLS = {"tls": {"name": "gateway-tls"}}
MUTUAL = {"tls": {"name": "gateway-tls", "clientCa": True}}
ROUTED: dict[str, Any] = {"enabled": True, "parentRefs": [{"name": "edge"}]}
CHECKED: dict[str, Any] = ROUTED | {"backendTls": {"caConfigMap": "authority"}}


def test_every_container_can_have_a_cpu_limit_for_a_quota(chart: Chart) -> None:
    for name, spec in chart.set("quota").pod_specs.items():
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["resources"]["limits"]["cpu"], name


def test_the_loader_can_have_one_too(chart: Chart) -> None:
    cache = {"existingClaim": "mine", "loader": True, "loaderResources": {"limits": {"cpu": "1"}}}

    rendered = chart.render({"speechServer": {**PARAKEET, "modelCache": cache}})

    (loader,) = rendered.pod_specs["voice-loader"]["containers"]
    assert loader["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}


def test_the_cluster_can_choose_the_user_ids(chart: Chart) -> None:
    for spec in chart.set("quota").pod_specs.values():
        assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_user_ids_are_those_that_are_named(chart: Chart) -> None:
    ids = {"runAsUser": 1000700000, "fsGroup": 1000700001}

    for spec in chart.render(
        {"podSecurity": ids, "speechServer": {"enabled": True}, "miniLlm": {"enabled": True}}
    ).pod_specs.values():
        assert spec["securityContext"].items() >= {**ids, "runAsGroup": 10001}.items()


def test_user_root_is_refused(chart: Chart) -> None:
    assert "runAsUser" in chart.refusal({"podSecurity": {"runAsUser": 0}})


def test_a_gateway_release_leaves_the_speech_server_running(chart: Chart) -> None:
    before = chart.set("embedded")
    values = {"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}, "image": {"tags": {"gateway": "0.2.0"}}}
    after = chart.render(values)

    assert after.container("voice-gateway")["image"] == "voice-workflow/gateway:0.2.0"
    for name in ("voice-speech", "voice-llm"):
        assert after.container(name)["image"] == before.container(name)["image"]


@pytest.mark.parametrize(
    ("tag", "pod"), [("speechServer", "voice-speech"), ("miniLlm", "voice-llm"), ("client", "voice-check")]
)
def test_every_part_has_a_tag_of_its_own(chart: Chart, tag: str, pod: str) -> None:
    rendered = chart.render(
        {"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}, "image": {"tag": "1", "tags": {tag: "2"}}}
    )

    tags = {name: spec["containers"][0]["image"].rpartition(":")[2] for name, spec in rendered.pod_specs.items()}
    assert {name for name, used in tags.items() if used == "2"} == {pod}
    assert set(tags.values()) == {"1", "2"}


@pytest.mark.parametrize("container", ["voice-gateway", "voice-speech", "voice-llm"])
def test_who_hangs_is_killed_without_the_grace_of_the_calls(chart: Chart, container: str) -> None:
    probe = chart.set("embedded").container(container)["livenessProbe"]

    assert probe["terminationGracePeriodSeconds"] <= 10


def test_a_proxy_checks_the_certificate_of_the_gateway(chart: Chart) -> None:
    policy = chart.set("gateway-api-tls").get("BackendTLSPolicy/voice-gateway")["spec"]

    assert [one["name"] for one in policy["targetRefs"]] == ["voice-gateway-stable", "voice-gateway-canary"]
    assert policy["validation"]["hostname"] == "voice-gateway"
    (authority,) = policy["validation"]["caCertificateRefs"]
    assert (authority["kind"], authority["name"]) == ("ConfigMap", "gateway-authority")


@pytest.mark.parametrize(("named", "missing"), [([], "annotations"), (["annotations"], "webAnnotations")])
def test_an_nginx_that_shows_no_certificate_to_a_gateway_that_asks_for_one_is_refused(
    chart: Chart, named: list[str], missing: str
) -> None:
    own = {"nginx.ingress.kubernetes.io/proxy-ssl-secret": "calls/nginx"}
    ingress: dict[str, Any] = {"enabled": True, "controller": "nginx", "host": "a", "tlsSecret": "t"}

    said = chart.refusal({"ingress": ingress | dict.fromkeys(named, own), "secrets": MUTUAL})

    assert f"name its own in ingress.{missing} (" in said
    both = ingress | {"annotations": own, "webAnnotations": own}
    assert chart.render({"ingress": both, "secrets": MUTUAL}).has("Ingress/voice-gateway-web")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"gatewayApi": ROUTED, "secrets": TLS}, "name the ConfigMap whose ca.crt signed it"),
        ({"gatewayApi": CHECKED, "secrets": MUTUAL}, "the proxy is the caller and shows none"),
        ({"gatewayApi": CHECKED}, "set gatewayApi.enabled=true and secrets.tls.name"),
        ({"ingress": {"enabled": True, "host": "a"}, "secrets": TLS}, "make a ServersTransport with its authority"),
    ],
)  # fmt: skip
def test_a_proxy_that_could_not_check_it_is_refused(chart: Chart, values: Any, sentence: str) -> None:
    assert sentence in chart.refusal(values)


@pytest.mark.parametrize(
    ("release", "better"), [("voice.one", "voice-one"), ("1voice", "voice"), ("9.9", "voice"), ("a.b.c", "a-b-c")]
)
def test_a_release_name_that_no_service_can_have_is_refused_with_another(
    chart: Chart, release: str, better: str
) -> None:
    assert f'choose one such as "{better}"' in chart.refusal({}, release=release)


def test_a_failed_check_does_not_outlive_the_release_and_says_why(chart: Chart) -> None:
    annotations = chart.set("embedded").get("Pod/voice-check")["metadata"]["annotations"]

    assert "hook-failed" in annotations["helm.sh/hook-delete-policy"]
    assert annotations["helm.sh/hook-output-log-policy"] == "hook-failed"


def test_the_loader_is_changed_by_an_upgrade(chart: Chart) -> None:
    cache = {"existingClaim": "mine", "loader": True}

    rendered = chart.render({"speechServer": {**PARAKEET, "modelCache": cache}})

    found = {name for name in rendered.names if "loader" in name}
    assert found == {"NetworkPolicy/voice-loader", "StatefulSet/voice-loader"}
