"""How do callers reach the gateway, in the cluster and from outside?"""

from typing import Any

import pytest
from grpc_health.v1.health_pb2 import DESCRIPTOR as HEALTH
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION
from rendering import Chart
from voice_workflow.v1.voice_workflow_pb2 import DESCRIPTOR as CONTRACT

SERVICE = CONTRACT.services_by_name["VoiceGateway"].full_name
STANDARD = (HEALTH.services_by_name["Health"].full_name, REFLECTION)
ROUTED: dict[str, Any] = {"enabled": True, "parentRefs": [{"name": "edge"}]}
SELECTOR = {"app.kubernetes.io/name": "voice-gateway", "app.kubernetes.io/instance": "voice"}


@pytest.mark.parametrize(
    ("service", "track"),
    [("gateway", None), ("gateway-headless", None), ("gateway-stable", "stable"), ("gateway-canary", "canary")],
)
def test_a_service_of_calls_has_all_pods_or_those_of_one_track(chart: Chart, service: str, track: str | None) -> None:
    spec = chart.render().get(f"Service/voice-{service}")["spec"]

    assert spec["selector"] == SELECTOR | ({"voice-workflow/track": track} if track else {})
    assert spec["ports"][0] == {
        "name": "grpc", "port": 50050, "targetPort": "grpc", "appProtocol": "kubernetes.io/h2c",
    }  # fmt: skip


def test_metrics_are_on_no_address_that_callers_are_given(chart: Chart) -> None:
    rendered = chart.render({"service": {"type": "LoadBalancer"}})

    services = {one["metadata"]["name"]: one["spec"] for one in rendered if one["kind"] == "Service"}
    with_metrics = {name for name, spec in services.items() if any(port["name"] == "http" for port in spec["ports"])}
    assert with_metrics == {"voice-gateway-headless", "voice-gateway-http"}
    assert [name for name, spec in services.items() if spec.get("type") == "LoadBalancer"] == ["voice-gateway"]


def test_one_service_is_headless_for_clients_that_balance(chart: Chart) -> None:
    rendered = chart.render()

    assert rendered.get("Service/voice-gateway-headless")["spec"]["clusterIP"] == "None"
    assert "clusterIP" not in rendered.get("Service/voice-gateway")["spec"]


def test_the_callers_service_can_be_a_load_balancer(chart: Chart) -> None:
    rendered = chart.set("tls")

    assert rendered.get("Service/voice-gateway")["spec"]["type"] == "LoadBalancer"
    assert rendered.get("Service/voice-gateway")["metadata"]["annotations"] == {"example.com/internal": "true"}
    assert "type" not in rendered.get("Service/voice-gateway-stable")["spec"]


def test_with_tls_the_service_says_so(chart: Chart) -> None:
    assert chart.set("tls").get("Service/voice-gateway")["spec"]["ports"][0]["appProtocol"] == "https"


@pytest.mark.parametrize(("weight", "shares"), [(0, (100, 0)), (25, (75, 25)), (100, (0, 100))])
def test_the_route_shares_new_calls_by_weight(chart: Chart, weight: int, shares: tuple[int, int]) -> None:
    gateways = {"enabled": True, "parentRefs": [{"name": "lab", "namespace": "traefik"}]}

    route = chart.render({"gatewayApi": gateways, "canary": {"weight": weight, "replicas": 1}}).get(
        "GRPCRoute/voice-gateway"
    )

    assert route["spec"]["parentRefs"] == [{"name": "lab", "namespace": "traefik"}]
    assert route["spec"]["rules"][0]["backendRefs"] == [
        {"name": "voice-gateway-stable", "port": 50050, "weight": shares[0]},
        {"name": "voice-gateway-canary", "port": 50050, "weight": shares[1]},
    ]
    assert "hostnames" not in route["spec"]


def test_without_canary_the_route_has_one_backend(chart: Chart) -> None:
    gateways = {"enabled": True, "parentRefs": [{"name": "lab"}]}

    route = chart.render({"gatewayApi": gateways, "canary": {"enabled": False}}).get("GRPCRoute/voice-gateway")

    assert [one["name"] for one in route["spec"]["rules"][0]["backendRefs"]] == ["voice-gateway-stable"]


def test_health_has_a_route_of_its_own_and_metrics_stay_inside(chart: Chart) -> None:
    rendered = chart.set("gateway-api")

    route = rendered.get("HTTPRoute/voice-gateway-http")["spec"]
    assert [match["path"]["value"] for match in route["rules"][0]["matches"]] == ["/livez", "/readyz"]
    assert set(route["hostnames"]).isdisjoint(rendered.get("GRPCRoute/voice-gateway")["spec"]["hostnames"])


def test_no_route_and_no_ingress_unless_asked_for(chart: Chart) -> None:
    kinds = {name.split("/")[0] for name in chart.render().names}

    assert kinds.isdisjoint({"GRPCRoute", "HTTPRoute", "Ingress", "ServiceMonitor", "ScaledObject"})


def test_traefik_speaks_http2_to_the_pods(chart: Chart) -> None:
    rendered = chart.set("ingress-traefik")

    annotations = rendered.get("Service/voice-gateway")["metadata"]["annotations"]
    assert annotations["traefik.ingress.kubernetes.io/service.serversscheme"] == "h2c"
    ingress = rendered.get("Ingress/voice-gateway")
    assert ingress["spec"]["ingressClassName"] == "traefik"
    assert ingress["metadata"]["annotations"] == {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}
    assert ingress["spec"]["tls"] == [{"hosts": ["voice.example.com"], "secretName": "voice-tls"}]


def test_traefik_without_a_certificate_takes_the_plain_entry_point(chart: Chart) -> None:
    ingress = chart.render({"ingress": {"enabled": True, "host": "voice.example.com"}}).get("Ingress/voice-gateway")

    assert ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.entrypoints"] == "web"
    assert "tls" not in ingress["spec"]


def test_nginx_lets_a_stream_be_silent_for_an_hour(chart: Chart) -> None:
    ingress = chart.set("ingress-nginx").get("Ingress/voice-gateway")

    prefix = "nginx.ingress.kubernetes.io"
    annotations = ingress["metadata"]["annotations"]
    assert annotations[f"{prefix}/backend-protocol"] == "GRPC"
    assert annotations[f"{prefix}/proxy-read-timeout"] == "3600"
    assert annotations[f"{prefix}/proxy-send-timeout"] == "3600"
    assert annotations[f"{prefix}/ssl-redirect"] == "true"
    assert ingress["spec"]["ingressClassName"] == "nginx-internal"


@pytest.mark.parametrize(("controller", "said"), [("nginx", "GRPCS"), ("traefik", "https")])
def test_a_proxy_in_front_of_a_gateway_with_tls_speaks_tls(chart: Chart, controller: str, said: str) -> None:
    ingress = {"enabled": True, "controller": controller, "host": "v.example.com", "tlsSecret": "t"}

    trusted = {"traefik.ingress.kubernetes.io/service.serverstransport": "calls-gateway@kubernetescrd"}
    values = {"ingress": ingress, "secrets": {"tls": {"name": "t"}}, "service": {"annotations": trusted}}
    rendered = chart.render(values)

    annotations = rendered.get("Ingress/voice-gateway")["metadata"]["annotations"]
    annotations |= rendered.get("Service/voice-gateway")["metadata"].get("annotations", {})
    assert said in annotations.values()


def test_annotations_of_ones_own_win(chart: Chart) -> None:
    mine = {"nginx.ingress.kubernetes.io/proxy-read-timeout": "7200"}
    ingress = {"enabled": True, "controller": "nginx", "host": "v.example.com", "tlsSecret": "t", "annotations": mine}

    made = chart.render({"ingress": ingress}).get("Ingress/voice-gateway")

    assert made["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "7200"


def test_the_ingress_leads_to_the_grpc_port_of_all_pods(chart: Chart) -> None:
    (rule,) = chart.set("ingress-traefik").get("Ingress/voice-gateway")["spec"]["rules"]

    assert rule["host"] == "voice.example.com"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "voice-gateway", "port": {"name": "grpc"}}


# ---------------------------------------------------------------------------------- browsers and WebSockets


@pytest.mark.parametrize("service", ["gateway", "gateway-headless", "gateway-stable", "gateway-canary"])
@pytest.mark.parametrize(("secrets", "protocol"), [({}, "http"), ({"tls": {"name": "t"}}, "https")])
def test_browsers_reach_every_service_of_calls(chart: Chart, service: str, secrets: Any, protocol: str) -> None:
    ports = chart.render({"secrets": secrets}).get(f"Service/voice-{service}")["spec"]["ports"]

    assert {"name": "web", "port": 8090, "targetPort": "web", "appProtocol": protocol} in ports


def test_without_browsers_nothing_of_them_is_left(chart: Chart) -> None:
    ingress = {"enabled": True, "host": "voice.example.com"}
    rendered = chart.render({"web": {"enabled": False}, "ingress": ingress})

    assert rendered.env("voice-gateway")["GATEWAY_WEB"] == "false"
    assert "web" not in [port["name"] for port in rendered.container("voice-gateway")["ports"]]
    assert not [one for one in rendered if "8090" in str(one)]
    assert not rendered.has("Ingress/voice-gateway-web")
    (path,) = rendered.get("Ingress/voice-gateway")["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/"


def test_on_one_host_browsers_get_every_path_but_those_of_the_grpc_services(chart: Chart) -> None:
    rendered = chart.set("ingress-traefik")

    (calls,) = rendered.get("Ingress/voice-gateway")["spec"]["rules"]
    (page,) = rendered.get("Ingress/voice-gateway-web")["spec"]["rules"]
    assert calls["host"] == page["host"] == "voice.example.com"
    assert [path["path"] for path in calls["http"]["paths"]] == [f"/{name}" for name in (SERVICE, *STANDARD)]
    (path,) = page["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "voice-gateway-web", "port": {"name": "web"}}


@pytest.mark.parametrize(("secrets", "scheme"), [({}, "http"), ({"tls": {"name": "t"}}, "https")])
def test_traefik_speaks_http_to_the_web_port(chart: Chart, secrets: Any, scheme: str) -> None:
    trusted = {"traefik.ingress.kubernetes.io/service.serverstransport": "calls-gateway@kubernetescrd"}
    values = {"ingress": {"enabled": True, "host": "v"}, "service": {"annotations": trusted}, "secrets": secrets}

    service = chart.render(values).get("Service/voice-gateway-web")

    annotations = service["metadata"]["annotations"]
    assert annotations["traefik.ingress.kubernetes.io/service.serversscheme"] == scheme
    assert annotations.items() >= trusted.items()
    assert [port["name"] for port in service["spec"]["ports"]] == ["web"]
    assert "type" not in service["spec"]


def test_nginx_lets_a_websocket_be_silent_and_speaks_tls_where_the_gateway_does(chart: Chart) -> None:
    rendered = chart.set("ingress-web")

    prefix = "nginx.ingress.kubernetes.io"
    annotations = rendered.get("Ingress/voice-gateway-web")["metadata"]["annotations"]
    assert annotations[f"{prefix}/backend-protocol"] == "HTTPS"
    assert annotations[f"{prefix}/proxy-send-timeout"] == "3600"
    assert annotations[f"{prefix}/proxy-read-timeout"] == "7200", "one's own"
    assert f"{prefix}/proxy-body-size" not in annotations
    calls = rendered.get("Ingress/voice-gateway")
    assert calls["metadata"]["annotations"][f"{prefix}/backend-protocol"] == "GRPCS"
    assert [path["path"] for path in calls["spec"]["rules"][0]["http"]["paths"]] == ["/"], "a host of its own"
    assert rendered.get("Ingress/voice-gateway-web")["spec"]["tls"] == [
        {"hosts": ["talk.example.com"], "secretName": "both"}
    ]


@pytest.mark.parametrize(("weight", "shares"), [(0, (100, 0)), (25, (75, 25))])
def test_browsers_are_shared_as_other_calls_are(chart: Chart, weight: int, shares: tuple[int, int]) -> None:
    gateways = {**ROUTED, "hostnames": ["voice.example.com"], "web": {"hostnames": ["talk.example.com"]}}

    rendered = chart.render({"gatewayApi": gateways, "canary": {"weight": weight, "replicas": 1}})

    route = rendered.get("HTTPRoute/voice-gateway-web")["spec"]
    assert route["hostnames"] == ["talk.example.com"]
    assert route["rules"][0]["timeouts"] == {"request": "0s"}
    assert route["rules"][0]["backendRefs"] == [
        {"name": "voice-gateway-stable", "port": 8090, "weight": shares[0]},
        {"name": "voice-gateway-canary", "port": 8090, "weight": shares[1]},
    ]
    grpc = rendered.get("GRPCRoute/voice-gateway")["spec"]["rules"][0]["backendRefs"]
    assert tuple(backend["weight"] for backend in grpc) == shares
    assert not chart.render({"gatewayApi": ROUTED}).has("HTTPRoute/voice-gateway-web")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"gatewayApi": {**ROUTED, "web": {"hostnames": ["a"]}}},
            "gatewayApi.web.hostnames needs gatewayApi.hostnames",
        ),
        ({"gatewayApi": {**ROUTED, "hostnames": ["a"], "web": {"hostnames": ["a"]}}}, "give them different ones"),
        (
            {"web": {"enabled": False}, "gatewayApi": {**ROUTED, "hostnames": ["a"], "web": {"hostnames": ["b"]}}},
            "set web.enabled=true",
        ),
        ({"web": {"enabled": False}, "ingress": {"webHost": "a"}}, "set web.enabled=true"),
    ],
)
def test_routes_of_browsers_that_can_not_work_are_refused(chart: Chart, values: Any, sentence: str) -> None:
    assert sentence in chart.refusal(values)
