"""What happens to values that cannot work? They are refused before anything reaches the cluster, with a sentence."""

from typing import Any

import pytest
from rendering import CHART, PARAKEET, Chart, nested

UNKNOWN = [
    "replicaCount", "image.name", "config.llm.temprature", "config.lllm.temperature", "config.turn.endSilence",
    "config.extra", "secrets.tls.secretName", "secrets.password", "drain.graceSeconds", "canary.tag",
    "autoscaling.maxPods", "autoscaling.scaleDown.pods", "autoscaling.keda.url", "podDisruptionBudget.minAvailable",
    "service.port", "gatewayApi.parents", "gatewayApi.http.paths", "ingress.hosts", "networkPolicy.ingress",
    "networkPolicy.to.nim", "serviceMonitor.path", "topologySpread.maxSkew", "serviceAccount.name",
    "speechServer.tag", "miniLlm.model", "speechServer.modelCache.path",
    "speechServer.model.device", "requestLog.path", "secrets.speechTls.key", "tests.image",
]  # fmt: skip
MISTYPED = [
    ("replicas", "two"), ("replicas", -1), ("replicas", 1.5), ("image.pullPolicy", "Sometimes"),
    ("image.pullSecrets", [{"name": "x"}]), ("image.repository", ""), ("secrets.tls.clientCa", "yes"),
    ("secrets.tokens.key", ""), ("drain.seconds", -1), ("drain.propagationSeconds", 0), ("canary.weight", 101),
    ("canary.weight", -1), ("canary.replicas", "one"), ("autoscaling.kind", "vpa"), ("autoscaling.metric", "memory"),
    ("autoscaling.minReplicas", 0), ("autoscaling.sessionsPerPod", 0), ("podDisruptionBudget.maxUnavailable", 0),
    ("podDisruptionBudget.maxUnavailable", "0%"),
    ("service.type", "ExternalName"), ("service.annotations", {"a": 1}), ("gatewayApi.hostnames", "voice.example.com"),
    ("gatewayApi.parentRefs", ["edge"]), ("ingress.controller", "haproxy"), ("ingress.streamSeconds", 10),
    ("serviceMonitor.interval", "often"), ("topologySpread.whenUnsatisfiable", "Never"), ("nodeSelector", {"a": True}),
    ("speechServer.engine", "whisper"), ("miniLlm.enabled", "true"), ("speechServer.env", {"SPEECH_MAX_STREAMS": 5}),
    ("speechServer.ttsEngine", "riva"), ("speechServer.model.precision", "int4"), ("speechServer.model.path", "/mine"),
    ("speechServer.model.revision", "main"), ("speechServer.modelCache.accessMode", "ReadWriteOncePod"),
    ("requestLog.enabled", "yes"), ("speechServer.env", ["A=b"]),
    ("speechServer.gpus", -1), ("speechServer.modelCache.size", "20 GB"),
    ("config.llm.baseUrl", "nim-llm:8000"), ("config.riva.asrUri", "riva"), ("config.vad", None), ("secrets", None),
    ("config.llm.temperature", None),
]  # fmt: skip
ROUTED: dict[str, Any] = {"enabled": True, "parentRefs": [{"name": "edge"}]}
INCOMPATIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "fewer pods at most than at least": (
        {"autoscaling": {"minReplicas": 5, "maxReplicas": 3}}, "raise the latter or lower the former"),
    "an authority of a model without TLS": (
        {"secrets": {"llmCa": {"name": "ca"}}}, "write config.llm.baseUrl=https://"),
    "neither plaintext nor a certificate": (
        {"config": {"gateway": {"plaintext": False}}}, "name one in secrets.tls.name"),
    "neither plaintext nor a certificate of speech": (
        {"speechServer": {"enabled": True, "plaintext": False}}, "name one in secrets.speechTls.name"),
    "keda without prometheus": (
        {"autoscaling": {"enabled": True, "kind": "keda"}}, "needs autoscaling.keda.serverAddress"),
    "pods that refuse before others come": (
        {"autoscaling": {"enabled": True, "sessionsPerPod": 80}}, "above config.gateway.maxSessions (60)"),
    "a weight without a canary": (
        {"canary": {"enabled": False, "weight": 5}, "gatewayApi": ROUTED}, "set canary.enabled=true"),
    "a weight on no pods": (
        {"canary": {"weight": 5}, "gatewayApi": ROUTED}, "set canary.replicas to 1 or more"),
    "a weight without a route": (
        {"canary": {"weight": 5, "replicas": 1}}, "without a Gateway the canary's share is canary.replicas"),
    "a route on no gateway": ({"gatewayApi": {"enabled": True}}, "needs gatewayApi.parentRefs"),
    "an http route for every name": (
        {"gatewayApi": ROUTED | {"hostnames": ["a"], "http": {"enabled": True}}}, "needs gatewayApi.http.hostnames"),
    "a grpc route for every name beside an http route": (
        {"gatewayApi": ROUTED | {"http": {"enabled": True, "hostnames": ["a"]}}}, "needs gatewayApi.hostnames too"),
    "two routes for one name": (
        {"gatewayApi": ROUTED | {"hostnames": ["a", "b"], "http": {"enabled": True, "hostnames": ["b"]}}},
        "b stands in gatewayApi.hostnames and in gatewayApi.http.hostnames"),
    "an ingress for nobody": ({"ingress": {"enabled": True}}, "needs ingress.host"),
    "nginx without a certificate": (
        {"ingress": {"enabled": True, "controller": "nginx", "host": "a"}}, "needs ingress.tlsSecret"),
    "certificates of callers without tls": ({"secrets": {"tls": {"clientCa": True}}}, "needs secrets.tls.name"),
    "a certificate nobody asks for": ({"secrets": {"tls": {"name": "t", "checkName": "c"}}}, "clear the name"),
    "an authority for a plain riva": ({"secrets": {"rivaCa": {"name": "ca"}}}, "set config.riva.ssl=true"),
    "two speech servers": (
        {"speechServer": {"enabled": True}, "config": {"riva": {"host": "riva"}}},
        "clear them, or set speechServer.enabled=false"),
    "values of an earlier release, for Parakeet": ({"parakeet": {"enabled": True}}, "write speechServer.enabled=true"),
    "values of an earlier release, for the stand-ins": (
        {"embedded": {"speech": {"replicas": 1}}}, "write speechServer.enabled=true and miniLlm.enabled=true"),
    "another port of the chart's own speech server": (
        {"speechServer": PARAKEET, "config": {"riva": {"port": 443}}}, "leave config.riva.port"),
    "tls towards a speech server without a certificate": (
        {"speechServer": PARAKEET, "config": {"riva": {"ssl": True}}}, "name one in secrets.speechTls.name"),
    "a certificate for no speech server": (
        {"secrets": {"speechTls": {"name": "t"}}}, "set speechServer.enabled=true"),
    "certificates asked for without tls": (
        {"speechServer": {"enabled": True}, "secrets": {"speechTls": {"clientCa": True}}},
        "needs secrets.speechTls.name"),
    "a gateway that its speech server turns away": (
        {"speechServer": {"enabled": True}, "secrets": {"speechTls": {"name": "t", "clientCa": True}}},
        "name its own in secrets.rivaClient.name"),
    "tokens of no speech server": ({"secrets": {"speechTokens": {"name": "t"}}}, "the chart brings no speech server"),
    "a gateway without the token its speech server wants": (
        {"speechServer": {"enabled": True}, "secrets": {"speechTokens": {"name": "t"}}},
        "name the Secret with its own in secrets.rivaToken.name"),
    "a certificate shown without tls": ({"secrets": {"rivaClient": {"name": "c"}}}, "set config.riva.ssl=true"),
    "a second recogniser first, and none is named": (
        {"config": {"asr": {"preferred": "fallback"}}}, "needs config.riva.asrFallbackUri"),
    "two second recognisers": (
        {"speechServer": {"enabled": True, "asFallback": True}, "config": {"riva": {"asrFallbackUri": "a.example:1"}}},
        "clear one of them"),
    "a second recogniser that the chart does not bring": (
        {"speechServer": {"asFallback": True}}, "set speechServer.enabled=true, too"),
    "a second recogniser that turns the gateway away": (
        {"speechServer": {"enabled": True, "asFallback": True}, "secrets": {"speechTokens": {"name": "t"}}},
        "with its own in secrets.rivaFallbackToken.name"),
    "a model of no second recogniser": (
        {"config": {"riva": {"asrFallbackModel": "m"}}}, "are for config.riva.asrFallbackUri: set it, or clear them"),
    "a token of a hub nobody asks": ({"secrets": {"hubToken": {"name": "t"}}}, "nothing is fetched, clear the name"),
    "a request log of no speech server": ({"requestLog": {"enabled": True}}, "set requestLog.enabled=false"),
    "a streaming model nowhere": (
        {"speechServer": {"enabled": True, "engine": "streaming", "modelCache": {"existingClaim": "c"}}},
        "needs speechServer.model.path"),
    "a model in a volume that begins empty": (
        {"speechServer": {**PARAKEET, "model": {"path": "mine"}}},
        "speechServer.model.path names a folder in a volume"),
    "voices in a volume that begins empty": (
        {"speechServer": {**PARAKEET, "kokoroPath": "mine"}}, "speechServer.kokoroPath names a folder in a volume"),
    "a model outside the volume": (
        {"speechServer": {**PARAKEET, "model": {"path": "a/../../b"}, "modelCache": {"existingClaim": "c"}}},
        "must lie below the models' volume"),
    "a commit of a model that is there": (
        {"speechServer": {**PARAKEET, "model": {"path": "a", "revision": "0" * 40}, "modelCache": {"size": "1Gi"}}},
        "clear one of them"),
    "a model that never comes": (
        {"speechServer": {**PARAKEET, "modelCache": {"pull": False}}}, "leaves no way to get a model"),
    "a loader of nothing": ({"speechServer": {**PARAKEET, "modelCache": {"loader": True}}}, "needs a claim"),
    "two pods on a claim of one node": (
        {"speechServer": {**PARAKEET, "replicas": 2, "modelCache": {"size": "1Gi"}}}, "ReadWriteMany or ReadOnlyMany"),
    "a claim that is only read and never filled": (
        {"speechServer": {**PARAKEET, "modelCache": {"existingClaim": "c", "accessMode": "ReadOnlyMany"}}},
        "speechServer.modelCache.pull=false"),
    "two language models": (
        {"miniLlm": {"enabled": True}, "config": {"llm": {"baseUrl": "http://nim:8000/v1"}}},
        "clear it, or set miniLlm.enabled=false"),
    "a cough that interrupts": (
        {"config": {"vad": {"overlapHangoverS": 0.2}}}, "must be below config.turn.bargeInAfterS"),
    "a scorer that nobody asks": (
        {"config": {"turn": {"scorer": "smart-turn"}, "vad": {"detector": "none"}}}, "set config.vad.detector=silero"),
}  # fmt: skip


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_value_is_refused_by_its_name(chart: Chart, path: str) -> None:
    said = chart.refusal(nested(path, "x"))

    assert any(name in said for name in path.split("."))
    assert "not allowed" in said


@pytest.mark.parametrize(("path", "value"), MISTYPED)
def test_a_mistyped_value_is_refused_by_its_name(chart: Chart, path: str, value: Any) -> None:
    assert path.rpartition(".")[2] in chart.refusal(nested(path, value))


@pytest.mark.parametrize("case", INCOMPATIBLE)
def test_values_that_do_not_go_together_are_refused_with_what_to_do(chart: Chart, case: str) -> None:
    values, sentence = INCOMPATIBLE[case]

    assert sentence in chart.refusal(values)


def test_a_variable_of_a_backend_has_the_name_of_one(chart: Chart) -> None:
    assert "speech-max" in chart.refusal(nested("speechServer.env", {"speech-max": "5"}))


def test_a_long_release_name_is_refused_before_kubernetes_does(chart: Chart) -> None:
    assert "choose a shorter one" in chart.refusal({}, release="v" * 47)
    assert f"Service/{'v' * 46}-gateway-headless" in chart.render(release="v" * 46).names


def test_an_older_kubernetes_is_refused(chart: Chart) -> None:
    found = chart.run("template", "voice", str(CHART), "--kube-version", "1.29.5")

    assert found.returncode != 0
    assert "1.30" in found.stderr


def test_as_a_part_of_another_chart_it_takes_the_global_values(chart: Chart) -> None:
    assert chart.render({"global": {"anything": 1}}).names == chart.render().names
