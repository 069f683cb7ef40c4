"""What does an operator see: names, notes, the check of `helm test`, the reference of values?"""

import base64
import subprocess
import sys

import pytest
import yaml
from refresh_snapshot import SNAPSHOT, snapshot
from rendering import CHART, ROOT, Chart
from values_reference import read_values

NAMES = [
    "ConfigMap/voice-gateway-live", "Deployment/voice-gateway", "Deployment/voice-gateway-canary",
    "NetworkPolicy/voice-check", "NetworkPolicy/voice-gateway", "Pod/voice-check",
    "PodDisruptionBudget/voice-gateway", "Service/voice-gateway", "Service/voice-gateway-canary",
    "Service/voice-gateway-headless", "Service/voice-gateway-http", "Service/voice-gateway-stable",
    "ServiceAccount/voice-gateway",
]  # fmt: skip


def test_the_objects_have_these_names(chart: Chart) -> None:
    assert chart.render().names == NAMES


def test_the_default_rendering_is_the_snapshot(chart: Chart) -> None:
    assert snapshot(chart) == SNAPSHOT.read_text(encoding="utf-8")


def test_every_object_says_what_it_belongs_to(chart: Chart) -> None:
    for one in chart.set("embedded"):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "voice-workflow"
        assert labels["app.kubernetes.io/instance"] == "voice"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"].startswith("voice-workflow-")
        assert one["metadata"]["namespace"] == "calls"


def test_a_new_version_of_the_chart_alone_rolls_no_pod(chart: Chart) -> None:
    labels = chart.render().get("Deployment/voice-gateway")["spec"]["template"]["metadata"]["labels"]

    assert {"helm.sh/chart", "app.kubernetes.io/version"}.isdisjoint(labels)


def test_helm_test_holds_a_round_trip_through_the_callers_service(chart: Chart) -> None:
    pod = chart.set("embedded").get("Pod/voice-check")

    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (check,) = pod["spec"]["containers"]
    assert check["image"] == "voice-workflow/client:0.1.0"
    assert check["args"] == ["check", "--host=voice-gateway", "--port=50050"]
    assert pod["spec"]["activeDeadlineSeconds"] == 180


def test_helm_test_shows_the_token_and_trusts_the_certificate(chart: Chart) -> None:
    (check,) = chart.set("tokens").get("Pod/voice-check")["spec"]["containers"]

    assert check["args"][3:] == ["--tls", "--ca=/etc/voice-check/tls/ca.crt"]
    (token,) = check["env"]
    assert token["name"] == "VOICE_TOKEN"
    assert token["valueFrom"]["secretKeyRef"] == {"name": "gateway-tokens", "key": "check"}


def test_helm_test_shows_a_certificate_where_callers_must(chart: Chart) -> None:
    tls = {"name": "t", "clientCa": True, "checkName": "caller", "serverName": "voice.example.com"}

    pod = chart.render({"secrets": {"tls": tls}}).get("Pod/voice-check")["spec"]

    assert pod["containers"][0]["args"][5:] == [
        "--server-name=voice.example.com",
        "--cert=/etc/voice-check/client/tls.crt",
        "--key=/etc/voice-check/client/tls.key",
    ]
    assert {"name": "client", "secret": {"secretName": "caller", "defaultMode": 0o440}} in pod["volumes"]


@pytest.mark.parametrize(
    "values", [{"tests": {"enabled": False}}, {"secrets": {"tls": {"name": "t", "clientCa": True}}}]
)
def test_where_nothing_can_check_there_is_no_check(chart: Chart, values: dict[str, object]) -> None:
    assert not chart.render(values).has("Pod/voice-check")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("default", "Speech comes from riva-api:50051."),
        ("gpu", "Answers come from http://nim-llm.voice-models:8000/v1."),
        ("tls", "`helm test` has nothing to run"),
        ("ingress-traefik", "readTimeout=0s"),
    ],
)
def test_the_notes_say_the_next_commands_and_what_matters(chart: Chart, name: str, sentence: str) -> None:
    notes = _notes(chart, "--values", str(CHART / "ci" / f"{name}-values.yaml"))

    assert [line.split()[0] for line in notes.splitlines() if line.startswith("  ")] == [
        "kubectl", "helm", "kubectl", "kubectl",
    ]  # fmt: skip
    assert sentence in notes


def test_the_notes_warn_of_a_drain_that_takes_the_only_pod(chart: Chart) -> None:
    assert "a node drain leaves callers without a gateway" in _notes(chart, "--set", "replicas=1")
    assert "a node drain" not in _notes(chart, "--set", "replicas=2")


def test_the_notes_say_how_to_be_rid_of_the_loader(chart: Chart) -> None:
    filling = (
        "--set",
        "speechServer.enabled=true",
        "--set",
        "speechServer.engine=parakeet",
        "--set",
        "speechServer.modelCache.size=1Gi",
    )

    assert "set speechServer.modelCache.loader=false" in _notes(
        chart, *filling, "--set", "speechServer.modelCache.loader=true"
    )
    assert "loader" not in _notes(chart, *filling)


def test_the_schema_and_the_readme_are_fresh() -> None:
    command = [sys.executable, str(ROOT / "helm" / "values_reference.py"), "--check"]

    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert found.returncode == 0, found.stderr


def test_every_value_is_explained() -> None:
    values = read_values((CHART / "values.yaml").read_text(encoding="utf-8"))

    assert [value.path for value in values if value.path[0] != "config" and not value.meaning] == []


def test_a_schema_annotation_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.b: what stands behind @schema is no mapping"):
        read_values("a:\n  b: 1 # -- number @schema minimum\n")


@pytest.mark.parametrize(
    ("pattern", "most"),
    [("values.yaml", 360), ("templates/_helpers.tpl", 80), ("templates/*.yaml", 140), ("templates/_*", 140)],
)
def test_the_files_stay_short(pattern: str, most: int) -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in CHART.glob(pattern)}

    assert lengths
    assert {name: length for name, length in lengths.items() if length > most} == {}


def test_the_values_for_nvidias_chart_serve_speech_inside_the_cluster_and_hold_no_key() -> None:
    values = yaml.safe_load((ROOT / "helm" / "riva-api" / "values.yaml").read_text(encoding="utf-8"))

    assert values["riva"]["speechServices"] == {"asr": True, "nlp": False, "tts": True}
    assert base64.b64decode(values["modelRepoGenerator"]["modelDeployKey"]) == b"tlt_encode"
    assert values["service"]["type"] == "ClusterIP"
    assert values["ngcCredentials"]["password"] == ""


def _notes(chart: Chart, *options: str) -> str:
    nowhere = "--kubeconfig=/nonexistent"
    found = chart.run("install", "voice", str(CHART), "--dry-run=client", nowhere, *options)
    assert found.returncode == 0, found.stderr
    return found.stdout.partition("NOTES:\n")[2]
