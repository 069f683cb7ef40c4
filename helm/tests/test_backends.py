"""Which backends does the chart bring, and how are they set up?"""

import pytest
from rendering import PARAKEET, Chart, Object
from speech_server.settings import ServerSettings


def test_by_default_it_brings_none(chart: Chart) -> None:
    assert [name for name in chart.render().names if "speech" in name or "llm" in name] == []


def test_embedded_brings_speech_and_language_model(chart: Chart) -> None:
    rendered = chart.set("embedded")

    env = rendered.env("voice-speech")
    assert (env["SPEECH_ASR_ENGINE"], env["SPEECH_TTS_ENGINE"]) == ("moonshine", "espeak")
    speech = rendered.get("Service/voice-speech")["spec"]["ports"]
    assert {port["name"]: port["port"] for port in speech} == {"grpc": 50051, "http": 8001}
    llm = rendered.get("Service/voice-llm")["spec"]["ports"]
    assert {port["name"]: port["port"] for port in llm} == {"http": 8000}
    assert rendered.env("voice-llm")["MINI_LLM_PORT"] == "8000"


def test_scripted_backends_play_what_they_are_told(chart: Chart) -> None:
    rendered = chart.set("scripted")

    speech = rendered.env("voice-speech")
    assert (speech["SPEECH_ASR_ENGINE"], speech["SPEECH_TTS_ENGINE"]) == ("scripted", "tone")
    assert speech["SCRIPT_TRANSCRIPT"] == "what is seven times eight"
    assert rendered.env("voice-llm")["MINI_LLM_SCRIPT"] == "You said: {last}"


def test_the_speech_server_is_given_the_time_it_takes_to_drain(chart: Chart) -> None:
    rendered = chart.set("embedded")

    env = rendered.env("voice-speech")
    drain_s = int(env["SPEECH_DRAIN_NOTICE_S"]) + int(env["SPEECH_DRAIN_GRACE_S"])
    assert drain_s < rendered.pod("voice-speech")["terminationGracePeriodSeconds"]


def test_the_speech_server_takes_the_variables_that_the_chart_sets(
    chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in chart.set("scripted").env("voice-speech").items():
        monkeypatch.setenv(name, value)

    settings = ServerSettings()

    assert (settings.speech_http_port, settings.speech_grpc_port) == (8001, 50051)
    assert (settings.speech_asr_engine, settings.speech_max_streams) == ("scripted", 500)


def test_a_setting_of_ones_own_wins(chart: Chart) -> None:
    values = {"speechServer": {"enabled": True, "env": {"SPEECH_DRAIN_GRACE_S": "120.5"}}}

    rendered = chart.render(values)
    assert rendered.env("voice-speech")["SPEECH_DRAIN_GRACE_S"] == "120.5"
    assert rendered.pod("voice-speech")["terminationGracePeriodSeconds"] == 5 + 121 + 10


def test_backends_are_ready_when_their_engines_are(chart: Chart) -> None:
    rendered = chart.set("embedded")

    assert rendered.container("voice-speech")["readinessProbe"]["grpc"] == {"port": 50051}
    assert rendered.container("voice-llm")["readinessProbe"]["httpGet"]["path"] == "/v1/health/ready"
    assert rendered.container("voice-speech")["livenessProbe"]["httpGet"]["path"] == "/livez"


@pytest.mark.parametrize(("without", "gone"), [("speechServer", "voice-speech"), ("miniLlm", "voice-llm")])
def test_either_can_be_left_out(chart: Chart, without: str, gone: str) -> None:
    rendered = chart.render({name: {"enabled": name != without} for name in ("speechServer", "miniLlm")})

    assert not rendered.has(f"Deployment/{gone}")
    assert not rendered.has(f"Service/{gone}")


def test_parakeet_takes_the_place_of_the_small_recogniser(chart: Chart) -> None:
    rendered = chart.set("parakeet")

    env = rendered.env("voice-speech")
    assert (env["SPEECH_ASR_ENGINE"], env["SPEECH_TTS_ENGINE"]) == ("parakeet", "espeak")
    assert rendered.container("voice-speech")["image"].endswith("-parakeet")
    assert rendered.has("Deployment/voice-llm")


@pytest.mark.parametrize(("gpus", "tag"), [(0, "0.1.0"), (1, "0.1.0-gpu")])
def test_parakeet_on_a_gpu_runs_the_image_with_cuda(chart: Chart, gpus: int, tag: str) -> None:
    rendered = chart.render({"speechServer": {**PARAKEET, "gpus": gpus}})

    assert rendered.container("voice-speech")["image"] == f"voice-workflow/speech-server:{tag}"


def test_parakeet_on_a_gpu_asks_for_one_where_there_is_one(chart: Chart) -> None:
    rendered = chart.set("parakeet")

    assert rendered.container("voice-speech")["resources"]["limits"] == {"memory": "12Gi", "nvidia.com/gpu": 1}
    pod = rendered.pod("voice-speech")
    assert pod["runtimeClassName"] == "nvidia"
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert rendered.get("Deployment/voice-speech")["spec"]["strategy"] == {"type": "Recreate"}
    assert rendered.container("voice-speech")["startupProbe"]["failureThreshold"] == 1800


def test_parakeet_on_cpus_asks_for_no_gpu(chart: Chart) -> None:
    rendered = chart.set("parakeet-cpu")

    assert rendered.container("voice-speech")["resources"]["limits"] == {"memory": "12Gi"}


@pytest.mark.parametrize(
    ("cache", "strategy"),
    [
        ({}, "RollingUpdate"),
        ({"size": "20Gi"}, "Recreate"),
        ({"existingClaim": "mine"}, "Recreate"),
        ({"existingClaim": "mine", "accessMode": "ReadWriteMany"}, "RollingUpdate"),
    ],
)
def test_a_claim_of_one_node_is_let_go_before_a_new_pod_takes_it(
    chart: Chart, cache: dict[str, str], strategy: str
) -> None:
    rendered = chart.render({"speechServer": {**PARAKEET, "gpus": 0, "modelCache": cache}})

    assert rendered.get("Deployment/voice-speech")["spec"]["strategy"]["type"] == strategy


@pytest.mark.parametrize(
    ("values", "replicas", "strategy"),
    [
        ({"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}}, 2, {"maxUnavailable": 0, "maxSurge": 1}),
        ({"speechServer": {**PARAKEET, "gpus": 0}}, 2, {"maxUnavailable": 0, "maxSurge": 1}),
        ({"speechServer": {**PARAKEET, "gpus": 0, "modelCache": {"size": "1Gi"}}}, 1, None),
        ({"speechServer": PARAKEET}, 1, None),
        (
            {"speechServer": {**PARAKEET, "replicas": 2}},
            2,
            {"maxUnavailable": 1, "maxSurge": 0},
        ),
        (
            {"speechServer": {**PARAKEET, "gpus": 0, "replicas": 1}},
            1,
            {"maxUnavailable": 0, "maxSurge": 1},
        ),
    ],
)
def test_more_than_one_speech_server_runs_where_the_cluster_allows(
    chart: Chart, values: Object, replicas: int, strategy: object
) -> None:
    spec = chart.render(values).get("Deployment/voice-speech")["spec"]

    assert spec["replicas"] == replicas
    assert spec["strategy"].get("rollingUpdate") == strategy
    assert ("topologySpreadConstraints" in spec["template"]["spec"]) == (replicas > 1)


@pytest.mark.parametrize(
    ("cache", "volume", "claims"),
    [
        ({}, {"emptyDir": {}}, []),
        ({"size": "20Gi"}, {"persistentVolumeClaim": {"claimName": "voice-models"}}, ["voice-models"]),
        ({"existingClaim": "mine", "size": "20Gi"}, {"persistentVolumeClaim": {"claimName": "mine"}}, []),
    ],
)
def test_the_weights_lie_in_a_claim_or_are_loaded_anew(
    chart: Chart, cache: dict[str, str], volume: dict[str, object], claims: list[str]
) -> None:
    rendered = chart.render({"speechServer": {**PARAKEET, "modelCache": cache}})

    assert {"name": "models", **volume} in rendered.pod("voice-speech")["volumes"]
    assert [one["metadata"]["name"] for one in rendered if one["kind"] == "PersistentVolumeClaim"] == claims
