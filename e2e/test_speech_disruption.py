"""What do callers notice when a speech server goes? Ten calls that talk on, and a new one every second."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from e2e.conftest import Installing
from e2e.support.callers import Callers, Outcome, calls, failures_text, slowest_answer_s, start, tally, unanswered
from e2e.support.cluster import Cluster, Pod
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.poll import until
from e2e.support.release import Release
from e2e.support.shell import run

SPEECH = "speech-server"
TURN_S = 3.0
"""Tone and silence of one turn in e2e/programs/calls.py."""
HELD, HELD_S = 10, 22 * TURN_S
NEW_FOR_S = 50
PLANNED_ANSWER_S = 2.0
"""No answer may be later when a speech server goes on purpose."""
NEW_HEALTHY_S = 15.0
"""After a node vanished new calls are answered again within this time."""
SETTINGS = {"speechServer.replicas": "2", "resources.requests.cpu": "50m"}


@pytest.fixture(scope="module")
def release(installing: Installing, cluster: Cluster) -> Iterator[Release]:
    with installing("scripted", "speech-gone", SETTINGS) as release:
        cluster.wait_ready(release.namespace, 2, name=SPEECH)
        yield release


@contextmanager
def running_calls(
    cluster: Cluster, config: ClusterConfig, release: Release, purpose: str
) -> Iterator[tuple[Callers, Callers]]:
    """Ten calls that are up, and the first of the new ones; what is disturbed in the block is disturbed under them."""
    image, target = config.image("client"), release.address()
    held = start(
        cluster, release.namespace, f"held-{purpose}", image, calls(target, count=HELD, hold_s=HELD_S, every_s=0.3)
    )
    held.wait_up(HELD)
    stream = calls(target, every_s=1, for_s=NEW_FOR_S, hold_s=TURN_S)
    new = start(cluster, release.namespace, f"new-{purpose}", image, stream)
    new.wait_up(4)
    yield held, new


def _restart(release: Release, cluster: Cluster, config: ClusterConfig) -> None:
    run(["kubectl", "-n", release.namespace, "rollout", "restart", f"deployment/{release.name}-speech"], timeout_s=30)
    _rolled_out(release)


def _upgrade(release: Release, cluster: Cluster, config: ClusterConfig) -> None:
    release.upgrade({"speechServer.env.E2E": "rolled"})
    _rolled_out(release)


def _drain(release: Release, cluster: Cluster, config: ClusterConfig) -> None:
    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name={SPEECH}"
    node = cluster.ready(release.namespace, SPEECH)[0].node
    order = ["kubectl", "drain", node, "--pod-selector", selector, "--ignore-daemonsets", "--delete-emptydir-data"]
    try:
        run([*order, "--timeout=90s"], timeout_s=100)
    finally:
        run(["kubectl", "uncordon", node], timeout_s=30)


def _crash(release: Release, cluster: Cluster, config: ClusterConfig) -> None:
    pod = cluster.ready(release.namespace, SPEECH)[0]
    order = ["kubectl", "-n", release.namespace, "delete", "pod", pod.name, "--grace-period=0", "--force"]
    run(order, timeout_s=30)


@pytest.mark.parametrize("disturb", [_restart, _upgrade, _drain])
def test_no_call_ends_and_no_answer_is_late_when_a_speech_server_goes_as_planned(
    release: Release,
    cluster: Cluster,
    config: ClusterConfig,
    figures: Figures,
    disturb: Callable[[Release, Cluster, ClusterConfig], None],
) -> None:
    purpose = disturb.__name__.strip("_")
    _settled(release, cluster, 2)
    with running_calls(cluster, config, release, purpose) as (held, new):
        disturb(release, cluster, config)
    outcomes = held.outcomes(within_s=HELD_S + 60) + new.outcomes(within_s=NEW_FOR_S + 60)
    _say(figures, f"speech server {purpose}", outcomes)
    assert tally(outcomes) == {"normal": HELD + NEW_FOR_S}, failures_text(outcomes)
    assert unanswered(outcomes) == 0, failures_text(outcomes)
    assert slowest_answer_s(outcomes) <= PLANNED_ANSWER_S


def test_no_call_ends_when_one_of_two_speech_servers_crashes(
    release: Release, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    _settled(release, cluster, 2)
    with running_calls(cluster, config, release, "crash") as (held, new):
        _crash(release, cluster, config)
    outcomes = held.outcomes(within_s=HELD_S + 60) + new.outcomes(within_s=NEW_FOR_S + 60)
    _say(figures, "speech server crash", outcomes)
    assert tally(outcomes) == {"normal": HELD + NEW_FOR_S}, failures_text(outcomes)
    assert unanswered(outcomes) == 0, failures_text(outcomes)


def test_running_calls_live_through_the_crash_of_the_only_speech_server(
    release: Release, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    cluster.scale(release.namespace, f"{release.name}-speech", 1)
    _settled(release, cluster, 1)
    image, target = config.image("client"), release.address()
    try:
        held = start(
            cluster, release.namespace, "held-only", image, calls(target, count=HELD, hold_s=HELD_S, every_s=0.3)
        )
        held.wait_up(HELD)
        began = time.monotonic()
        _crash(release, cluster, config)
        cluster.wait_ready(release.namespace, 1, name=SPEECH)
        figures.say("the only speech server crashed, its successor ready after, s", time.monotonic() - began)
        outcomes = held.outcomes(within_s=HELD_S + 60)
    finally:
        cluster.scale(release.namespace, f"{release.name}-speech", 2)
    _say(figures, "the only speech server crash", outcomes)
    assert tally(outcomes) == {"normal": HELD}, failures_text(outcomes)


@pytest.mark.power
def test_new_calls_are_healthy_soon_after_a_node_with_a_speech_server_vanished(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    assert config.power_off, (
        "nothing takes the power of a node here: name a shell command with E2E_POWER_OFF and one that brings it back "
        "with E2E_POWER_ON ({node} is its name), or leave this out with E2E_WITHOUT=power"
    )
    assert config.power_on, "E2E_POWER_OFF is set without E2E_POWER_ON: name the command that brings the node back"
    stays, goes = (node.metadata.name for node in cluster.core.list_node().items[:2])
    run(["kubectl", "cordon", goes], timeout_s=30)
    try:
        with installing("scripted", "node-gone", {**SETTINGS, "speechServer.replicas": "1"}) as release:
            _settled(release, cluster, 1)
            run(["kubectl", "uncordon", goes], timeout_s=30)
            run(["kubectl", "cordon", stays], timeout_s=30)
            cluster.scale(release.namespace, f"{release.name}-speech", 2)
            _settled(release, cluster, 2)
            run(["kubectl", "uncordon", stays], timeout_s=30)
            run(["kubectl", "cordon", goes], timeout_s=30)
            outcomes, new_asked = _calls_while_the_node_vanishes(release, cluster, config, figures, goes)
    finally:
        run(["kubectl", "uncordon", stays, goes], timeout_s=30)
    _say(figures, "node with a speech server gone", outcomes)
    running = [one for one in outcomes if one not in new_asked]
    late = [one for one in new_asked if one.end != "normal" or one.unanswered]
    figures.say("node gone: new calls not answered", len(late))
    assert tally(running) == {"normal": HELD}, failures_text(running)
    assert not late, failures_text(late)


def _calls_while_the_node_vanishes(
    release: Release, cluster: Cluster, config: ClusterConfig, figures: Figures, node: str
) -> tuple[list[Outcome], list[Outcome]]:
    """All outcomes, and those of new calls that were begun after NEW_HEALTHY_S."""
    with running_calls(cluster, config, release, "vanish") as (held, meanwhile):
        run(["bash", "-c", config.power_off.format(node=node)], timeout_s=60)
        try:
            time.sleep(NEW_HEALTHY_S)
            stream = calls(release.address(), every_s=1, for_s=20, hold_s=TURN_S)
            after = start(cluster, release.namespace, "after-vanish", config.image("client"), stream)
            new = after.outcomes(within_s=80)
            outcomes = held.outcomes(within_s=HELD_S + 60) + new
            first = meanwhile.outcomes(within_s=NEW_FOR_S + 60)
            bad = [one for one in first if one.end != "normal" or one.unanswered]
            figures.say(f"node gone: of {len(first)} calls a second from before it not answered", len(bad))
        finally:
            run(["bash", "-c", config.power_on.format(node=node)], timeout_s=120)
            run(["kubectl", "wait", f"node/{node}", "--for=condition=Ready", "--timeout=120s"], timeout_s=130)
    return outcomes, new


def _settled(release: Release, cluster: Cluster, count: int) -> None:
    """Only these speech servers are there, and every gateway pod is ready."""

    def pods() -> list[Pod]:
        return cluster.pods(release.namespace, SPEECH)

    until(pods, is_so=lambda seen: len(seen) == count and all(pod.ready for pod in seen), within_s=120)
    cluster.wait_ready(release.namespace, release.config.replicas)


def _rolled_out(release: Release) -> None:
    order = ["kubectl", "-n", release.namespace, "rollout", "status", f"deployment/{release.name}-speech"]
    run([*order, "--timeout=90s"], timeout_s=100)


def _say(figures: Figures, what: str, outcomes: list[Outcome]) -> None:
    figures.say(f"{what}: calls", str(tally(outcomes)))
    figures.say(f"{what}: turns unanswered", unanswered(outcomes))
    figures.say(f"{what}: slowest answer, s", slowest_answer_s(outcomes))
