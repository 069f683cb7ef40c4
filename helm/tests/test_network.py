"""Who may talk to whom, and who asks for metrics?"""

from typing import Any

from rendering import Chart


def _ports(rule: Any) -> list[Any]:
    return [port["port"] for port in rule["ports"]]


def test_callers_and_metrics_get_in_and_nothing_else(chart: Chart) -> None:
    policy = chart.set("networkpolicy").get("NetworkPolicy/voice-gateway")["spec"]

    calls, metrics = policy["ingress"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert _ports(calls) == ["grpc"]
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


def test_the_charts_own_backends_are_named_by_their_labels(chart: Chart) -> None:
    _, riva, llm, _ = chart.set("networkpolicy-embedded").get("NetworkPolicy/voice-gateway")["spec"]["egress"]

    assert riva["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "speech-server"
    assert llm["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "mini-llm"
    assert (_ports(riva), _ports(llm)) == ([50051], [8000])


def test_an_empty_list_is_everybody_on_that_port_only(chart: Chart) -> None:
    policy = chart.render({"networkPolicy": {"enabled": True}}).get("NetworkPolicy/voice-gateway")["spec"]

    assert all("from" not in rule and rule["ports"] for rule in policy["ingress"])
    assert all("to" not in rule and rule["ports"] for rule in policy["egress"])


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
