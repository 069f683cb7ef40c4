"""Who may talk to whom, and who asks for metrics?"""

from typing import Any

import pytest
from rendering import PARAKEET, STAND_INS, VALUE_SETS, Chart


def _ports(rule: Any) -> list[Any]:
    return [port["port"] for port in rule["ports"]]


def test_callers_and_metrics_get_in_and_nothing_else(chart: Chart) -> None:
    policy = chart.set("networkpolicy").get("NetworkPolicy/voice-gateway")["spec"]

    calls, metrics = policy["ingress"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert _ports(calls) == ["grpc", "web"]
    assert calls["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "voice-check"
    assert calls["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "traefik"}
    assert _ports(metrics) == ["http"]
    assert metrics["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


def test_dns_riva_the_model_and_a_collector_can_be_reached(chart: Chart) -> None:
    dns, riva, llm, collector = chart.set("networkpolicy").get("NetworkPolicy/voice-gateway")["spec"]["egress"]

    assert [(port["port"], port["protocol"]) for port in dns["ports"]] == [(53, "UDP"), (53, "TCP")]
    assert _ports(riva) == [50051, 50052, 50053]
    assert riva["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "voice-models"}
    assert (_ports(llm), llm["to"]) == ([443], [{"ipBlock": {"cidr": "192.0.2.0/24"}}])
    assert (_ports(collector), collector["to"]) == (
        [4317, 4318],
        [{"podSelector": {"matchLabels": {"app": "collector"}}}],
    )


def test_several_addresses_of_one_service_are_reached(chart: Chart) -> None:
    riva = {"asrUri": "a.example:50061,b.example:50062", "ttsUri": "c.example:50063, d.example:50063"}
    rendered = chart.render({"networkPolicy": {"enabled": True}, "config": {"riva": riva}})

    _, egress, _, _ = rendered.get("NetworkPolicy/voice-gateway")["spec"]["egress"]
    assert _ports(egress) == [50051, 50061, 50062, 50063]
    assert rendered.restart["RIVA_ASR_URI"] == riva["asrUri"]


def test_a_second_recogniser_is_reached_also_beside_the_charts_own_speech_server(chart: Chart) -> None:
    riva = {"asrFallbackUri": "riva.example:50061,riva.example:50062", "asrFallbackSsl": True}
    secrets = {"rivaFallbackToken": {"name": "reserve", "key": "mine"}}
    own = {"speechServer": {"enabled": True}, "networkPolicy": {"enabled": True}}
    config = {"riva": riva, "asr": {"preferred": "fallback"}}
    rendered = chart.render({**own, "config": config, "secrets": secrets})

    _, own_speech, second, *_ = rendered.get("NetworkPolicy/voice-gateway")["spec"]["egress"]
    assert (_ports(own_speech), _ports(second)) == ([50051], [50061, 50062])
    assert "to" not in second
    assert rendered.live["ASR_PREFERRED"] == "fallback"
    assert rendered.restart["RIVA_ASR_FALLBACK_SSL"] == "true"
    pod = rendered.get("Deployment/voice-gateway")["spec"]["template"]["spec"]
    shown = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert shown["RIVA_ASR_FALLBACK_TOKEN_FILE"] == "/etc/voice-gateway/riva-fallback-token/mine"
    volume = next(one for one in pod["volumes"] if one["name"] == "riva-fallback-token")
    assert volume["secret"]["items"] == [{"key": "mine", "path": "mine"}]


def test_the_charts_own_speech_server_may_be_the_second_recogniser(chart: Chart) -> None:
    own = {"speechServer": {"enabled": True, "asFallback": True}, "networkPolicy": {"enabled": True}}
    rendered = chart.render({**own, "config": {"riva": {"host": "riva.example", "ssl": True}}})

    _, riva, second, *_ = rendered.get("NetworkPolicy/voice-gateway")["spec"]["egress"]
    assert (_ports(riva), "to" in riva) == ([50051], False)
    assert second["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "speech-server"
    assert rendered.restart["RIVA_HOST"] == "riva.example"
    assert rendered.restart["RIVA_ASR_FALLBACK_URI"] == "voice-speech-headless:50051"
    assert rendered.restart["RIVA_ASR_FALLBACK_SSL"] == "false"
    secrets = {"speechTls": {"name": "speech"}, "rivaCa": {"name": "ca"}}
    with_tls = chart.render({**own, "secrets": secrets, "config": {"riva": {"host": "riva.example"}}})
    assert (with_tls.restart["RIVA_SSL"], with_tls.restart["RIVA_ASR_FALLBACK_SSL"]) == ("false", "true")


def test_the_charts_own_backends_are_named_by_their_labels(chart: Chart) -> None:
    _, riva, llm, _ = chart.set("networkpolicy-embedded").get("NetworkPolicy/voice-gateway")["spec"]["egress"]

    assert riva["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "speech-server"
    assert llm["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "mini-llm"
    assert (_ports(riva), _ports(llm)) == ([50051], [8000])


def test_an_empty_list_is_everybody_on_that_port_only(chart: Chart) -> None:
    policy = chart.render({"networkPolicy": {"enabled": True}}).get("NetworkPolicy/voice-gateway")["spec"]

    assert all("from" not in rule and rule["ports"] for rule in policy["ingress"])
    assert all("to" not in rule and rule["ports"] for rule in policy["egress"])


def _names(peers: Any) -> list[str]:
    """What the peers of a rule are called: a part of the release, or the value of their only label."""
    labels = [next(iter(peer.values()))["matchLabels"] for peer in peers]
    return [one.get("app.kubernetes.io/name") or next(iter(one.values())) for one in labels]


@pytest.mark.parametrize("values", VALUE_SETS)
def test_every_pod_has_a_policy_for_both_ways_unless_it_is_switched_off(chart: Chart, values: str) -> None:
    rendered = chart.set(values)

    policies = [one["spec"] for one in rendered if one["kind"] == "NetworkPolicy"]
    for name, labels in rendered.pod_labels.items():
        own = [one for one in policies if one["podSelector"]["matchLabels"].items() <= labels.items()]
        assert [one["policyTypes"] for one in own] == [["Ingress", "Egress"]], name
        for rule in [*own[0]["ingress"], *own[0]["egress"]]:
            assert rule["ports"], "no rule opens every port"


def test_without_policies_there_are_none(chart: Chart) -> None:
    rendered = chart.render({**STAND_INS, "networkPolicy": {"enabled": False}})

    assert not [one for one in rendered if one["kind"] == "NetworkPolicy"]


def test_a_speech_server_is_reached_by_the_gateway_and_whom_values_name(chart: Chart) -> None:
    policy = chart.set("networkpolicy-models").get("NetworkPolicy/voice-speech")["spec"]

    grpc, http = policy["ingress"]
    assert (_ports(grpc), _names(grpc["from"])) == (["grpc"], ["voice-gateway", "dictation"])
    assert (_ports(http), _names(http["from"])) == (["http"], ["dictation", "monitoring"])


def test_a_speech_server_with_its_models_in_the_image_reaches_nobody(chart: Chart) -> None:
    rendered = chart.set("networkpolicy-embedded")

    policy = rendered.get("NetworkPolicy/voice-speech")["spec"]
    assert policy["egress"] == []
    (grpc,) = policy["ingress"]
    assert (_ports(grpc), _names(grpc["from"])) == (["grpc"], ["voice-gateway"])


def test_models_are_fetched_from_their_hub_only(chart: Chart) -> None:
    rendered = chart.set("networkpolicy-models")

    for pod in ("speech", "loader"):
        dns, hub = rendered.get(f"NetworkPolicy/voice-{pod}")["spec"]["egress"]
        assert (_ports(dns), "to" in dns) == ([53, 53], False)
        assert (_ports(hub), hub["to"]) == ([8081], [{"ipBlock": {"cidr": "192.0.2.0/24"}}])
    assert rendered.get("NetworkPolicy/voice-loader")["spec"]["ingress"] == []


@pytest.mark.parametrize(("pull", "ports"), [(True, [53, 53, 443]), (False, [])])
def test_a_speech_server_that_pulls_nothing_reaches_nobody(chart: Chart, pull: bool, ports: list[int]) -> None:
    cache = {"existingClaim": "mine", "pull": pull}
    rendered = chart.render({"speechServer": {**PARAKEET, "modelCache": cache}})

    egress = rendered.get("NetworkPolicy/voice-speech")["spec"]["egress"]
    assert [port for rule in egress for port in _ports(rule)] == ports


def test_the_keys_of_tokens_are_fetched_by_those_who_check_them(chart: Chart) -> None:
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    values = {
        "config": {"gateway": {"jwtIssuer": "i", "jwtAudience": "a", "jwtJwksUrl": "https://login.example:8443/keys"}},
        "speechServer": {"enabled": True, "env": {"SPEECH_JWT_JWKS_URL": "https://login.example/keys"}},
        "networkPolicy": {"to": {"issuer": peers}},
    }
    rendered = chart.render(values)

    gateway = rendered.get("NetworkPolicy/voice-gateway")["spec"]["egress"]
    assert [rule["to"] for rule in gateway if _ports(rule) == [8443]] == [peers]
    dns, keys = rendered.get("NetworkPolicy/voice-speech")["spec"]["egress"]
    assert (_ports(dns), _ports(keys), keys["to"]) == ([53, 53], [443], peers)


def test_the_mini_llm_answers_the_gateway_and_reaches_nobody(chart: Chart) -> None:
    policy = chart.set("networkpolicy-embedded").get("NetworkPolicy/voice-llm")["spec"]

    (asked,) = policy["ingress"]
    assert (_ports(asked), _names(asked["from"])) == (["http"], ["voice-gateway"])
    assert policy["egress"] == []


def test_the_check_reaches_the_gateway_and_dns_alone(chart: Chart) -> None:
    policy = chart.render({"networkPolicy": {"dnsPorts": [53, 5353]}}).get("NetworkPolicy/voice-check")["spec"]

    dns, calls = policy["egress"]
    assert policy["ingress"] == []
    assert _ports(dns) == [53, 53, 5353, 5353]
    assert (_ports(calls), _names(calls["to"])) == ([50050], ["voice-gateway"])


def test_a_proxy_that_shows_health_to_others_may_read_it(chart: Chart) -> None:
    _, health = chart.set("networkpolicy-models").get("NetworkPolicy/voice-gateway")["spec"]["ingress"]

    assert (_ports(health), _names(health["from"])) == (["http"], ["monitoring", "traefik"])


def test_without_browsers_their_port_stays_shut(chart: Chart) -> None:
    calls, _ = chart.render({"web": {"enabled": False}}).get("NetworkPolicy/voice-gateway")["spec"]["ingress"]

    assert _ports(calls) == ["grpc"]


def test_it_holds_for_both_tracks(chart: Chart) -> None:
    policy = chart.set("networkpolicy").get("NetworkPolicy/voice-gateway")["spec"]

    assert policy["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "voice-gateway",
        "app.kubernetes.io/instance": "voice",
    }


def test_each_pod_is_scraped_through_one_service_only(chart: Chart) -> None:
    rendered = chart.set("servicemonitor")

    monitor = rendered.get("ServiceMonitor/voice-gateway")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [one for one in rendered if one["kind"] == "Service"]
    assert [one["metadata"]["name"] for one in services if wanted <= one["metadata"]["labels"].items()] == [
        "voice-gateway-headless"
    ]
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "5s"}]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["calls"]}


def test_the_tools_can_be_reached_on_the_ports_of_their_addresses(chart: Chart) -> None:
    tools = {
        "tools": [
            {"name": "a", "description": "A.", "http": {"url": "https://a.example/x"}},
            {"name": "b", "description": "B.", "http": {"url": "http://b.example:8443/x"}},
        ],
        "mcp": [{"name": "c", "url": "http://c.example/mcp", "allow": "*"}],
    }
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    policy = {"enabled": True, "to": {"tools": peers}}
    rendered = chart.render({"tools": tools, "networkPolicy": policy})

    *_, rule, _ = rendered.get("NetworkPolicy/voice-gateway")["spec"]["egress"]
    assert (_ports(rule), rule["to"]) == ([443, 8443, 80], peers)
