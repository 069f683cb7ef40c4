"""Does a change reach the calls? Live settings without a restart, others with one, bad ones never."""

import json
from collections.abc import Callable, Iterator

import pytest
from voice_client import connect

from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.pods import put_programs, serve
from e2e.support.poll import until
from e2e.support.port_forward import port_forward
from e2e.support.release import Release
from e2e.support.shell import run
from e2e.support.typed_turn import reply_on, reply_to

KUBELET_WITHIN_S = 150
"""A kubelet brings a changed ConfigMap into its pods within a sync period and a bit, a minute or two by default."""


@pytest.fixture(scope="module")
def release(cluster: Cluster, config: ClusterConfig) -> Iterator[Release]:
    """Its model answers with the temperature and the prompt it was given."""
    with cluster.namespace("change") as namespace:
        put_programs(cluster, namespace)
        model = serve(cluster, namespace, "echo-llm", config.image("mini-llm"), "echo_llm.py")
        settings = {
            "replicas": str(config.replicas),
            "miniLlm.enabled": "false",
            "config.llm.baseUrl": f"http://{model}/v1",
        }
        release = Release(namespace, "scripted", config, settings)
        release.install()
        yield release


async def test_temperature_and_prompt_show_in_the_next_call(
    release: Release, cluster: Cluster, figures: Figures
) -> None:
    pods = cluster.ready(release.namespace)
    taken_before = _applied_hashes(cluster, release)
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target:
        async with connect(target) as running:
            before = await reply_on(running, "hello")
            assert before.startswith("Temperature 0.5. Prompt: You are a voice agent")
            release.upgrade({"config.llm.temperature": "1.25", "config.llm.systemPrompt": "Speak like a pirate."})
            delay_s = until(
                lambda: _applied_hashes(cluster, release),
                is_so=lambda taken: len(taken) == 1 and taken.isdisjoint(taken_before),
                within_s=KUBELET_WITHIN_S,
                every_s=1,
            )
            figures.say("helm upgrade done to live settings taken by all pods (kubelet), s", delay_s)
            assert await reply_on(running, "hello again") == before
        assert await reply_to(target, "hello") == "Temperature 1.25. Prompt: Speak like a pirate."
    assert {pod.uid for pod in cluster.ready(release.namespace)} == {pod.uid for pod in pods}


def _applied_hashes(cluster: Cluster, release: Release) -> set[str]:
    pods = cluster.ready(release.namespace)
    return {cluster.readiness(release.namespace, pod.name).get("config", {}).get("taken", "") for pod in pods}


def test_a_bad_value_never_reaches_the_cluster(release: Release) -> None:
    revisions = len(json.loads(release.revision()))
    for key, value in (("config.llm.temperature", "9"), ("config.llm.maxTokens", "many"), ("config.llm.tempo", "1")):
        said = release.try_upgrade({key: value})
        assert said.status, f"{key}={value} was taken"
        assert key.rpartition(".")[2] in said.err, said.err
    assert len(json.loads(release.revision())) == revisions


def test_a_setting_that_needs_a_restart_rolls_the_pods(release: Release, cluster: Cluster, figures: Figures) -> None:
    before = {pod.uid for pod in cluster.ready(release.namespace)}
    with figures.timed("helm upgrade --wait that rolls the pods, s"):
        release.upgrade({"config.asr.chunkMs": "200"})
    cluster.wait_ready(release.namespace, release.config.replicas)
    assert before.isdisjoint(pod.uid for pod in cluster.ready(release.namespace))


def test_a_failed_upgrade_leaves_the_running_pods_and_their_live_settings_alone(
    release: Release, cluster: Cluster
) -> None:
    name, key = f"{release.gateway}-live", cluster.live_key(release.namespace, release.gateway)
    pods = {pod.uid for pod in cluster.ready(release.namespace)}
    good, taken = cluster.live_config(release.namespace, name)[key], _applied_hashes(cluster, release)
    release.upgrade({"image.tags.gateway": "not-there", "config.llm.systemPrompt": "Never."}, wait=False)
    until(
        lambda: cluster.live_config(release.namespace, name),
        is_so=lambda files: any("Never." in text for text in files.values()),
        within_s=30,
    )
    assert cluster.live_config(release.namespace, name)[key] == good
    release.upgrade({"config.asr.chunkMs": "200"})
    cluster.wait_ready(release.namespace, release.config.replicas)
    assert {pod.uid for pod in cluster.ready(release.namespace)} == pods
    assert _applied_hashes(cluster, release) == taken


async def test_a_bad_live_file_is_refused_and_the_old_one_stays(release: Release, cluster: Cluster) -> None:
    name, key = f"{release.gateway}-live", cluster.live_key(release.namespace, release.gateway)
    good = cluster.live_config(release.namespace, name)[key]
    taken_before = _applied_hashes(cluster, release)
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target:
        reply_before = await reply_to(target, "hello")
        _put_live(release, name, key, "LLM_TEMPERATURE: 9\n")
        _until_refused(cluster, release, lambda sentence: "LLM_TEMPERATURE" in sentence)
        assert _applied_hashes(cluster, release) == taken_before
        for pod in cluster.ready(release.namespace):
            assert cluster.metric(release.namespace, pod.name, "voice_config_refused") == 1
        assert await reply_to(target, "hello") == reply_before
    _put_live(release, name, key, good)
    _until_refused(cluster, release, lambda sentence: not sentence)


def _put_live(release: Release, name: str, key: str, text: str) -> None:
    """By hand, past the chart's schema; last in this file, for kubectl owns the text from then on, and helm minds."""
    patch = json.dumps({"data": {key: text}})
    run(["kubectl", "-n", release.namespace, "patch", "configmap", name, "-p", patch], timeout_s=30)


def _until_refused(cluster: Cluster, release: Release, is_so: Callable[[str], bool]) -> None:
    def sentences() -> list[str]:
        pods = cluster.ready(release.namespace)
        return [
            str(cluster.readiness(release.namespace, pod.name).get("config", {}).get("refused", "?")) for pod in pods
        ]

    until(sentences, is_so=lambda seen: bool(seen) and all(map(is_so, seen)), within_s=KUBELET_WITHIN_S, every_s=1)
