"""Does the speech server serve models from a volume, keep them, and speak TLS with the gateway?"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from e2e.support.certificates import Authority
from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.models import make_models
from e2e.support.port_forward import port_forward
from e2e.support.release import Release
from e2e.support.shell import attempt, run
from e2e.support.storage import claim
from e2e.support.typed_turn import reply_to

SPEECH_SERVER = str(Path(sys.executable).with_name("speech-server"))
SPEECH = "speech-server"
"""The label of its pods."""
HTTP_PORT, GRPC_PORT = 8001, 50051
LOADER = "talk-loader-0"


@pytest.fixture(scope="module")
def release(
    cluster: Cluster, config: ClusterConfig, figures: Figures, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    """Parakeet over a claim that was filled as docs/operations.md says."""
    with cluster.namespace("parakeet") as namespace, claim(cluster, namespace, "models", config):
        release = Release(namespace, "parakeet", config)
        _fill(release, cluster, make_models(tmp_path_factory.mktemp("models")))
        with figures.timed("helm install with Parakeet (a tiny model) to ready, s"):
            release.install()
            cluster.wait_ready(namespace, 1, within_s=90)
        yield release


def _fill(release: Release, cluster: Cluster, models: Path) -> None:
    order = ["kubectl", "--namespace", release.namespace]
    pod = release.rendered("speech-loader", {"speechServer.modelCache.loader": "true"})
    run([*order, "apply", "--filename=-"], timeout_s=30, typed=pod)
    try:
        run([*order, "rollout", "status", "statefulset/talk-loader", "--timeout=60s"], timeout_s=70)
        run([*order, "cp", str(models), f"{LOADER}:/models/tiny"], timeout_s=60)
        # A claim of one node is mounted on that node again.
        node = cluster.core.read_namespaced_pod(LOADER, release.namespace).spec.node_name
        release.settings["speechServer.nodeSelector.kubernetes\\.io/hostname"] = node
    finally:
        run([*order, "delete", "--filename=-", "--now"], timeout_s=60, typed=pod)


def _engines(release: Release, cluster: Cluster) -> dict[str, str]:
    """What /readyz of the one speech pod says of its engines."""
    (pod,) = cluster.ready(release.namespace, SPEECH)
    status, body = cluster.ask(release.namespace, pod.name, "readyz", HTTP_PORT)
    assert status == 200, body
    return dict(json.loads(body)["engines"])


def _in_pod(release: Release, *command: str) -> Any:
    order = ["kubectl", "--namespace", release.namespace, "exec", f"deployment/{release.name}-speech", "--"]
    return attempt([*order, *command], timeout_s=60)


def _warm(release: Release) -> str:
    """Speaks and hears once by Riva's own messages; gives what the tool said."""
    with port_forward(release.namespace, f"svc/{release.name}-speech", GRPC_PORT) as target:
        return run([SPEECH_SERVER, "warmup", "--server", target, "--wait", "20"], timeout_s=60)


def test_parakeet_is_ready_from_a_volume_that_was_filled_by_hand(release: Release, cluster: Cluster) -> None:
    engines = _engines(release, cluster)
    assert "tiny-parakeet" in engines["asr"]
    assert "CPU" in engines["asr"].upper()


def test_a_riva_client_finds_the_model_and_is_heard(release: Release) -> None:
    service = f"svc/{release.name}-speech"
    with port_forward(release.namespace, service, GRPC_PORT) as target, grpc.insecure_channel(target) as channel:
        stub: Any = RivaSpeechRecognitionStub(channel)
        listed = stub.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest(), timeout=20)
    assert [one.model_name for one in listed.model_config] == ["tiny-parakeet"]
    # Random weights hear something in every speech, and nothing in silence.
    assert "(nothing)" not in _warm(release)


async def test_a_call_through_the_gateway_is_answered(release: Release) -> None:
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target:
        assert await reply_to(target, "what is seven times eight")


def test_the_request_log_is_reported(release: Release) -> None:
    _warm(release)
    said = _in_pod(release, "speech-server", "report", "--windows", "1h", "--json")
    assert said.status == 0, said.err
    assert sum(row["requests"] for row in json.loads(said.out)) > 0


def test_a_new_pod_finds_the_models_again(release: Release, cluster: Cluster, figures: Figures) -> None:
    (before,) = cluster.ready(release.namespace, SPEECH)
    run(["kubectl", "--namespace", release.namespace, "delete", "pod", before.name], timeout_s=90)
    with figures.timed("Parakeet's pod deleted and gone to its successor ready, s"):
        cluster.wait_ready(release.namespace, 1, name=SPEECH)
    (after,) = cluster.ready(release.namespace, SPEECH)
    assert after.uid != before.uid
    assert "tiny-parakeet" in _engines(release, cluster)["asr"]


async def test_streaming_and_neural_voices_are_served_from_a_volume_that_pods_only_read(
    release: Release, cluster: Cluster
) -> None:
    release.upgrade(
        {
            "speechServer.engine": "streaming",
            "speechServer.model.id": "tiny-streaming",
            "speechServer.model.path": "tiny/streaming",
            "speechServer.ttsEngine": "kokoro",
            "speechServer.kokoroPath": "tiny/kokoro",
            "speechServer.modelCache.accessMode": "ReadOnlyMany",
        }
    )
    cluster.wait_ready(release.namespace, 1, name=SPEECH)
    assert "tiny-streaming" in _engines(release, cluster)["asr"]
    assert "spoke" in _warm(release)
    assert "Read-only file system" in _in_pod(release, "touch", "/models/new").err
    cluster.wait_ready(release.namespace, 1)
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target:
        assert await reply_to(target, "hello")


async def test_gateway_and_speech_server_show_each_other_certificates(cluster: Cluster, config: ClusterConfig) -> None:
    authority = Authority()
    settings = {
        "replicas": "1",
        "secrets.speechTls.name": "speech-tls",
        "secrets.speechTls.clientCa": "true",
        "secrets.rivaClient.name": "gateway-client",
        "podDisruptionBudget.enabled": "false",
    }
    with cluster.namespace("speech-tls") as namespace:
        authority.put(cluster, namespace, "speech-tls", "talk-speech", "talk-speech-headless")
        authority.put(cluster, namespace, "gateway-client", "gateway")
        release = Release(namespace, "scripted", config, settings)
        release.install()
        with port_forward(namespace, f"svc/{release.gateway}", 50050) as target:
            assert await reply_to(target, "hello")
        with port_forward(namespace, f"svc/{release.name}-speech", GRPC_PORT) as target:
            assert _outcome(target, authority.credentials(shows=authority)) is grpc.StatusCode.OK
            for stranger in (None, Authority()):
                assert _outcome(target, authority.credentials(shows=stranger)) is grpc.StatusCode.UNAVAILABLE


def _outcome(target: str, credentials: grpc.ChannelCredentials) -> grpc.StatusCode:
    """How asking for the models ends."""
    named = (("grpc.ssl_target_name_override", "talk-speech"),)
    with grpc.secure_channel(target, credentials, named) as channel:
        stub: Any = RivaSpeechRecognitionStub(channel)
        try:
            stub.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest(), timeout=20)
        except grpc.RpcError as error:
            said: Any = error
            code: grpc.StatusCode = said.code()
            return code
    return grpc.StatusCode.OK
