"""How is the chart's own speech server set up: which model from where, how encrypted, spread, watched?"""

from typing import Any

import pytest
from rendering import PARAKEET, Chart, Rendered
from speech_server.settings import Settings


def test_a_streaming_model_is_taken_from_its_folder_in_the_volume(chart: Chart) -> None:
    env = chart.set("streaming").env("voice-speech")

    assert env["SPEECH_ASR_ENGINE"] == "streaming"
    assert env["STREAMING_MODEL_PATH"] == "/models/streaming/en-80ms"
    assert (env["STREAMING_MODEL_NAME"], env["STREAMING_PRECISION"]) == ("fastconformer-en-80ms", "int8")


@pytest.mark.parametrize("name", ["streaming", "parakeet-offline", "speech-tls"])
def test_the_speech_server_understands_every_variable_of_its_models(
    chart: Chart, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = chart.set(name).env("voice-speech")
    for variable, value in env.items():
        if isinstance(value, str):
            monkeypatch.setenv(variable, value)

    settings = Settings()

    groups = (
        settings.server,
        settings.voice,
        settings.requests,
        settings.offline,
        settings.parakeet,
        settings.streaming,
        settings.kokoro,
    )
    known = {variable.upper() for group in groups for variable in type(group).model_fields}
    assert set(env) - known <= {"GRPC_ENABLE_FORK_SUPPORT", "HF_HUB_DISABLE_TELEMETRY", "HF_TOKEN", "POD_NAME"}


def test_offline_nothing_is_fetched_and_both_models_come_from_the_claim(chart: Chart) -> None:
    rendered = chart.set("parakeet-offline")

    env = rendered.env("voice-speech")
    assert (env["PARAKEET_PULL"], env["KOKORO_PULL"]) == ("false", "false")
    assert env["PARAKEET_MODEL_PATH"] == "/models/parakeet-tdt-0.6b-v3"
    assert env["KOKORO_MODEL_PATH"] == "/models/kokoro"
    assert env["PARAKEET_LANGUAGES"] == "en-US,de-DE"


def test_the_loader_waits_on_the_same_claim_where_the_speech_server_may_run(chart: Chart) -> None:
    places = {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}
    cache = {"existingClaim": "mine", "accessMode": "ReadOnlyMany", "pull": False, "loader": True}
    rendered = chart.render(
        {
            "speechServer": {
                "enabled": True,
                "engine": "parakeet",
                "modelCache": cache,
                "env": {"HF_ENDPOINT": "http://hub"},
                **places,
            }
        }
    )

    pod = rendered.get("StatefulSet/voice-loader")["spec"]["template"]["spec"]
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "mine"}} in pod["volumes"]
    assert (pod["nodeSelector"], pod["tolerations"]) == (places["nodeSelector"], places["tolerations"])
    (loader,) = pod["containers"]
    assert {"name": "models", "mountPath": "/models"} in loader["volumeMounts"]
    assert {"name": "HF_ENDPOINT", "value": "http://hub"} in loader["env"]
    assert loader["image"] == rendered.container("voice-speech")["image"]


def test_without_being_asked_for_there_is_no_loader(chart: Chart) -> None:
    assert not chart.set("parakeet").has("StatefulSet/voice-loader")


def test_pods_that_share_a_claim_can_only_read_it(chart: Chart) -> None:
    rendered = chart.set("streaming")

    (models,) = [one for one in rendered.pod("voice-speech")["volumes"] if one["name"] == "models"]
    assert models["persistentVolumeClaim"] == {"claimName": "speech-models", "readOnly": True}
    mounts = rendered.container("voice-speech")["volumeMounts"]
    assert {"name": "models", "mountPath": "/models", "readOnly": True} in mounts


def test_a_claim_of_its_own_is_asked_for_as_many_pods_need_it(chart: Chart) -> None:
    cache = {"size": "20Gi", "accessMode": "ReadWriteMany"}
    rendered = chart.render({"speechServer": {**PARAKEET, "replicas": 2, "modelCache": cache}})

    claim = rendered.get("PersistentVolumeClaim/voice-models")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_weights_outlive_the_switch_of_engines_and_the_release(chart: Chart) -> None:
    claim = chart.set("parakeet").get("PersistentVolumeClaim/voice-models")

    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_calls_are_spread_over_several_speech_servers(chart: Chart) -> None:
    rendered = chart.set("streaming")

    assert rendered.restart["RIVA_HOST"] == "voice-speech-headless"
    assert rendered.get("Service/voice-speech-headless")["spec"]["clusterIP"] == "None"
    (spread,) = rendered.pod("voice-speech")["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == "speech-server"
    budget = rendered.get("PodDisruptionBudget/voice-speech")["spec"]
    assert budget["maxUnavailable"] == 1


def test_a_second_speech_server_rolls_no_gateway(chart: Chart) -> None:
    one, two = (chart.render({"speechServer": {"enabled": True, "replicas": count}}) for count in (1, 2))

    assert one.get("Deployment/voice-gateway") == two.get("Deployment/voice-gateway")


def test_one_speech_server_blocks_no_drain(chart: Chart) -> None:
    rendered = chart.set("embedded-one-replica")

    assert rendered.get("Deployment/voice-speech")["spec"]["replicas"] == 1
    assert not rendered.has("PodDisruptionBudget/voice-speech")


def test_without_budgets_the_speech_servers_have_none_either(chart: Chart) -> None:
    rendered = chart.render(
        {"speechServer": {"enabled": True, "replicas": 3}, "podDisruptionBudget": {"enabled": False}}
    )

    assert not rendered.has("PodDisruptionBudget/voice-speech")


# ------------------------------------------------------------------------------------------------- TLS


@pytest.fixture
def encrypted(chart: Chart) -> Rendered:
    """TLS and mTLS between gateway and speech server."""
    return chart.set("speech-tls")


def test_the_speech_server_shows_its_certificate_and_asks_for_one(encrypted: Rendered) -> None:
    env = encrypted.env("voice-speech")

    assert env["SPEECH_TLS_CERT_FILE"] == "/etc/speech-server/tls/tls.crt"
    assert env["SPEECH_TLS_KEY_FILE"] == "/etc/speech-server/tls/tls.key"
    assert env["SPEECH_TLS_CLIENT_CA_FILE"] == "/etc/speech-server/tls/ca.crt"
    (volume,) = [one for one in encrypted.pod("voice-speech")["volumes"] if one["name"] == "tls"]
    assert volume["secret"]["secretName"] == "speech-tls"


def test_every_probe_of_it_speaks_tls(encrypted: Rendered) -> None:
    container = encrypted.container("voice-speech")

    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["scheme"] == "HTTPS"


def test_the_gateway_trusts_its_authority_and_holds_no_key_of_it(encrypted: Rendered) -> None:
    assert encrypted.restart["RIVA_SSL"] == "true"
    env = encrypted.env("voice-gateway")
    assert env["RIVA_CA_FILE"] == "/etc/voice-gateway/riva-ca/ca.crt"
    (volume,) = [one for one in encrypted.pod("voice-gateway")["volumes"] if one["name"] == "riva-ca"]
    assert volume["secret"]["secretName"] == "speech-tls"
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_the_gateway_shows_a_certificate_of_its_own(encrypted: Rendered) -> None:
    env = encrypted.env("voice-gateway")

    assert env["RIVA_CLIENT_CERT_FILE"] == "/etc/voice-gateway/riva-client/tls.crt"
    assert env["RIVA_CLIENT_KEY_FILE"] == "/etc/voice-gateway/riva-client/tls.key"
    (volume,) = [one for one in encrypted.pod("voice-gateway")["volumes"] if one["name"] == "riva-client"]
    assert volume["secret"]["secretName"] == "gateway-client"


def test_a_riva_elsewhere_is_shown_a_certificate_too(chart: Chart) -> None:
    values = {"config": {"riva": {"host": "riva", "ssl": True}}, "secrets": {"rivaClient": {"name": "mine"}}}

    assert "RIVA_CLIENT_CERT_FILE" in chart.render(values).env("voice-gateway")


def test_an_authority_of_ones_own_wins(chart: Chart) -> None:
    secrets = {"speechTls": {"name": "speech-tls"}, "rivaCa": {"name": "company", "key": "root.pem"}}
    rendered = chart.render({"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}, "secrets": secrets})

    assert rendered.env("voice-gateway")["RIVA_CA_FILE"] == "/etc/voice-gateway/riva-ca/root.pem"
    assert "SPEECH_TLS_CLIENT_CA_FILE" not in rendered.env("voice-speech")


def test_the_speech_server_knows_its_tokens_and_the_gateway_shows_one(chart: Chart) -> None:
    secrets = {"speechTokens": {"name": "speech-tokens"}, "rivaToken": {"name": "gateway-token", "key": "mine"}}
    rendered = chart.render({"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}, "secrets": secrets})

    assert rendered.env("voice-speech")["SPEECH_TOKENS_FILE"] == "/etc/speech-server/tokens/tokens"
    assert rendered.env("voice-gateway")["RIVA_TOKEN_FILE"] == "/etc/voice-gateway/riva-token/mine"
    volumes = {one["name"]: one.get("secret") for one in rendered.pod("voice-gateway")["volumes"]}
    assert volumes["riva-token"]["items"] == [{"key": "mine", "path": "mine"}]


def test_metrics_are_asked_for_over_tls(encrypted: Rendered) -> None:
    template = encrypted.get("Deployment/voice-speech")["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/scheme"] == "https"
    (endpoint,) = encrypted.get("ServiceMonitor/voice-speech")["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["serverName"]) == ("https", "voice-speech")


def test_the_monitor_finds_each_speech_server_once(chart: Chart) -> None:
    values: dict[str, Any] = {
        "speechServer": {"enabled": True, "replicas": 2},
        "serviceMonitor": {"enabled": True},
    }
    rendered = chart.render(values)

    wanted = rendered.get("ServiceMonitor/voice-speech")["spec"]["selector"]["matchLabels"]
    services = [one for one in rendered if one["kind"] == "Service"]
    found = [one["metadata"]["name"] for one in services if wanted.items() <= one["metadata"]["labels"].items()]
    assert found == ["voice-speech"]


# ----------------------------------------------------------------------------------------- the request log


def test_each_pod_logs_requests_into_a_folder_of_its_own(chart: Chart) -> None:
    rendered = chart.set("streaming")

    names = [one["name"] for one in rendered.container("voice-speech")["env"]]
    assert names.index("POD_NAME") < names.index("SPEECH_REQUEST_LOG")
    env = rendered.env("voice-speech")
    assert env["SPEECH_REQUEST_LOG"] == "/var/log/speech-server/$(POD_NAME)/requests.jsonl"
    claim = {"name": "requests", "persistentVolumeClaim": {"claimName": "speech-requests"}}
    assert claim in rendered.pod("voice-speech")["volumes"]


def test_the_request_log_goes_with_its_pod_unless_a_claim_is_named(chart: Chart) -> None:
    rendered = chart.set("speech-tls")

    assert {"name": "requests", "emptyDir": {"sizeLimit": "512Mi"}} in rendered.pod("voice-speech")["volumes"]


def test_by_default_no_request_is_logged(chart: Chart) -> None:
    assert "SPEECH_REQUEST_LOG" not in chart.set("embedded").env("voice-speech")


def test_the_token_of_the_hub_comes_from_a_secret(chart: Chart) -> None:
    assert chart.set("speech-tls").env("voice-speech")["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "token"}}
