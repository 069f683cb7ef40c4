"""Do the gateway's pods start, answer, drain and take their settings as they should?"""

import pytest
from rendering import Chart, Object, nested


def test_the_stable_and_the_canary_pods_differ_in_track_and_image_only(chart: Chart) -> None:
    rendered = chart.render({"canary": {"image": "elsewhere/gateway:2"}})

    canary, stable = rendered.pod("voice-gateway-canary"), rendered.pod("voice-gateway")

    assert canary["containers"][0].pop("image") == "elsewhere/gateway:2"
    assert stable["containers"][0].pop("image") == "voice-workflow/gateway:0.1.0"
    for pod in (canary, stable):
        assert pod["containers"][0]["env"].pop()["name"] == "GATEWAY_LIVE_FILE"
    spread = canary["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert spread["voice-workflow/track"] == "canary"
    spread["voice-workflow/track"] = "stable"
    assert canary == stable


def test_a_canary_without_an_image_of_its_own_runs_the_stable_one(chart: Chart) -> None:
    rendered = chart.render()

    assert rendered.container("voice-gateway-canary")["image"] == rendered.container("voice-gateway")["image"]


def test_without_canary_there_is_neither_its_deployment_nor_its_service(chart: Chart) -> None:
    rendered = chart.render({"canary": {"enabled": False}})

    assert [name for name in rendered.names if "canary" in name] == []


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ({}, "voice-workflow/gateway:0.1.0"),
        ({"registry": "registry.local"}, "registry.local/voice-workflow/gateway:0.1.0"),
        ({"tag": "7", "repository": "ours"}, "ours/gateway:7"),
        ({"tag": "7@sha256:abc"}, "voice-workflow/gateway:7@sha256:abc"),
        ({"tag": "7", "gateway": "elsewhere:5000/gateway:8"}, "elsewhere:5000/gateway:8"),
    ],
)
def test_the_image_is_registry_repository_name_and_tag(chart: Chart, image: Object, name: str) -> None:
    assert chart.render({"image": image}).container("voice-gateway")["image"] == name


def test_alive_means_the_loop_answers_and_ready_means_calls_may_come(chart: Chart) -> None:
    gateway = chart.render().container("voice-gateway")

    assert gateway["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert gateway["startupProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert gateway["readinessProbe"]["grpc"] == {"port": 50050}


def test_with_tls_on_the_grpc_port_readiness_is_asked_over_http(chart: Chart) -> None:
    readiness = chart.set("tokens").container("voice-gateway")["readinessProbe"]

    assert readiness["httpGet"] == {"path": "/readyz/pod", "port": "http"}
    assert "grpc" not in readiness


@pytest.mark.parametrize(("propagation_s", "seconds"), [(5, 300), (3, 0), (20, 3600)])
def test_a_pod_has_time_for_its_notice_its_calls_and_a_rest(chart: Chart, propagation_s: int, seconds: int) -> None:
    rendered = chart.render({"drain": {"propagationSeconds": propagation_s, "seconds": seconds}})

    assert rendered.pod("voice-gateway")["terminationGracePeriodSeconds"] == propagation_s + seconds + 15
    stop = rendered.container("voice-gateway")["lifecycle"]["preStop"]
    assert stop == {"sleep": {"seconds": propagation_s}}
    assert rendered.restart["GATEWAY_DRAIN_S"] == str(seconds)


def test_an_upgrade_takes_no_pod_away_before_a_new_one_is_ready(chart: Chart) -> None:
    strategy = chart.render().get("Deployment/voice-gateway")["spec"]["strategy"]

    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_ports_are_named_and_settings_stand_in_the_pod(chart: Chart) -> None:
    gateway = chart.render().container("voice-gateway")

    assert gateway["name"] == "gateway"
    assert {port["name"]: port["containerPort"] for port in gateway["ports"]} == {
        "grpc": 50050, "http": 8080, "web": 8090,
    }  # fmt: skip
    assert {"name": "ASR_CHUNK_MS", "value": "100"} in gateway["env"]
    assert "envFrom" not in gateway


def test_prometheus_finds_the_pods_by_their_annotations(chart: Chart) -> None:
    annotations = chart.render().get("Deployment/voice-gateway")["spec"]["template"]["metadata"]["annotations"]

    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/port"] == "8080"
    assert annotations["prometheus.io/path"] == "/metrics"


def test_the_live_file_is_mounted_as_a_folder_so_that_changes_arrive(chart: Chart) -> None:
    rendered = chart.render()

    (mount,) = [one for one in rendered.container("voice-gateway")["volumeMounts"] if one["name"] == "live"]
    assert mount == {"name": "live", "mountPath": "/etc/voice-gateway/live", "readOnly": True}
    assert rendered.env("voice-gateway")["GATEWAY_LIVE_FILE"] == f"/etc/voice-gateway/live/{rendered.live_key()}"


def test_secrets_are_referred_to_by_name_and_mounted_where_the_gateway_looks(chart: Chart) -> None:
    rendered = chart.set("tls")

    env = rendered.env("voice-gateway")
    assert env["GATEWAY_TLS_CERT_FILE"] == "/etc/voice-gateway/tls/tls.crt"
    assert env["GATEWAY_TLS_KEY_FILE"] == "/etc/voice-gateway/tls/tls.key"
    assert env["GATEWAY_TLS_CLIENT_CA_FILE"] == "/etc/voice-gateway/tls/ca.crt"
    assert env["RIVA_CA_FILE"] == "/etc/voice-gateway/riva-ca/ca.crt"
    secrets = {one["name"]: one["secret"] for one in rendered.pod("voice-gateway")["volumes"] if "secret" in one}
    assert secrets["tls"] == {"secretName": "gateway-tls", "defaultMode": 0o440}
    assert secrets["riva-ca"]["secretName"] == "riva-ca"


def test_tokens_come_from_the_key_that_is_named(chart: Chart) -> None:
    rendered = chart.render({"secrets": {"tokens": {"name": "who", "key": "callers"}}})

    assert rendered.env("voice-gateway")["GATEWAY_TOKENS_FILE"] == "/etc/voice-gateway/tokens/callers"


def test_the_models_key_authority_and_certificate_are_files_that_may_change(chart: Chart) -> None:
    secrets = {"llmApiKey": {"name": "key", "key": "k"}, "llmCa": {"name": "ca"}, "llmClient": {"name": "mine"}}
    rendered = chart.render({"secrets": secrets, "config": {"llm": {"baseUrl": "https://m.example/v1"}}})

    env = rendered.env("voice-gateway")
    assert "LLM_API_KEY" not in env
    assert env["LLM_API_KEY_FILE"] == "/etc/voice-gateway/llm-key/k"
    assert env["LLM_CA_FILE"] == "/etc/voice-gateway/llm-ca/ca.crt"
    assert env["LLM_CLIENT_CERT_FILE"] == "/etc/voice-gateway/llm-client/tls.crt"
    assert env["LLM_CLIENT_KEY_FILE"] == "/etc/voice-gateway/llm-client/tls.key"
    mounted = {one["name"]: one["secret"] for one in rendered.pod("voice-gateway")["volumes"] if "secret" in one}
    assert mounted["llm-key"] == {"secretName": "key", "defaultMode": 0o440, "items": [{"key": "k", "path": "k"}]}
    assert mounted["llm-ca"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
    assert mounted["llm-client"]["secretName"] == "mine"


def test_without_secrets_none_is_mounted(chart: Chart) -> None:
    rendered = chart.render()

    assert set(rendered.env("voice-gateway")) - set(rendered.restart) == {"GATEWAY_LIVE_FILE"}
    assert [one["name"] for one in rendered.pod("voice-gateway")["volumes"]] == ["tmp", "live"]


def test_pods_of_a_track_are_spread_and_go_where_they_are_told(chart: Chart) -> None:
    pod = chart.set("gpu").pod("voice-gateway")

    (spread,) = pod["topologySpreadConstraints"]
    assert (spread["maxSkew"], spread["topologyKey"], spread["whenUnsatisfiable"]) == (
        1, "topology.kubernetes.io/zone", "DoNotSchedule",
    )  # fmt: skip
    assert spread["labelSelector"]["matchLabels"]["voice-workflow/track"] == "stable"
    assert pod["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert pod["tolerations"][0]["key"] == "voice"
    assert "nodeAffinity" in pod["affinity"]
    assert pod["priorityClassName"] == "calls"
    assert pod["imagePullSecrets"] == [{"name": "registry"}]


def test_labels_and_annotations_of_ones_own_stand_beside_those_of_the_chart(chart: Chart) -> None:
    metadata = chart.set("gpu").get("Deployment/voice-gateway")["spec"]["template"]["metadata"]

    assert metadata["labels"]["team"] == "voice"
    assert metadata["labels"]["voice-workflow/track"] == "stable"
    assert metadata["annotations"]["example.com/owner"] == "voice"
    assert metadata["annotations"]["prometheus.io/scrape"] == "true"


@pytest.mark.parametrize("path", ["nodeSelector", "tolerations", "affinity", "resources", "podLabels"])
def test_what_is_taken_away_by_null_is_left_out(chart: Chart, path: str) -> None:
    assert chart.render(nested(path, None)).has("Deployment/voice-gateway")


def test_resources_are_those_measured_and_the_cpu_is_never_throttled(chart: Chart) -> None:
    resources = chart.render().container("voice-gateway")["resources"]

    assert resources == {"requests": {"cpu": "500m", "memory": "192Mi"}, "limits": {"memory": "384Mi"}}


def test_the_service_account_has_no_token(chart: Chart) -> None:
    account = chart.set("gpu").get("ServiceAccount/voice-gateway")

    assert account["automountServiceAccountToken"] is False
    assert account["metadata"]["annotations"] == {"example.com/role": "none"}
    assert chart.set("gpu").pod("voice-gateway")["serviceAccountName"] == "voice-gateway"
