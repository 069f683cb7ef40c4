"""Is a canary that fails its callers found, reported, and rolled back by itself?"""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result
from voicectl.cli import app
from voicectl.core.evidence import Counters, against
from voicectl.executor import Polling

from .conftest import CANARY, ROUTE, Clock, Run
from .fake_api import FakeApi, Json

NEW = "reg/gateway:2"

Watched = Callable[[Callable[[], None]], Result]


def metrics(**counts: float) -> str:
    """The text of a pod's /metrics."""
    return "".join(f"voice_{name} {value}\n" for name, value in counts.items())


def canary_pods(api: FakeApi) -> list[Json]:
    return [pod for pod in api.pods if pod["owner"] == "vw-gateway-canary"]


def weights(api: FakeApi) -> list[int]:
    return [each["weight"] for each in api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]]


@pytest.fixture
def watched(routed: FakeApi, voicectl: Run, clock: Clock) -> Watched:
    """Starts a canary of 25 % and watches it; what is given happens after 20 s."""

    def run(happens: Callable[[], None]) -> Result:
        assert voicectl("canary", "start", "--image", NEW, "--weight", "25").exit_code == 0
        begun = clock.now_s

        def sleep(duration_s: float) -> None:
            clock.sleep(duration_s)
            if clock.now_s - begun >= 20:
                happens()

        command = ["canary", "watch", "--watch-s", "60"]
        return CliRunner().invoke(app, command, obj=Polling(0.5, clock.now, sleep))

    return run


def test_a_canary_that_answers_its_callers_stays(watched: Watched, routed: FakeApi) -> None:
    def good() -> None:
        for pod in canary_pods(routed):
            routed.bodies[f"{pod['metadata']['name']}/metrics"] = metrics(
                sessions_started_total=9, turns_total=20, replies_total=20, failures_total=1
            )

    done = watched(good)

    assert (done.exit_code, weights(routed)) == (0, [75, 25])
    assert "the canary worked for 60 s: 9 calls, 20 turns, 1 failure" in done.stdout


def test_one_that_answers_nobody_is_rolled_back(watched: Watched, routed: FakeApi) -> None:
    def silent() -> None:
        for pod in canary_pods(routed):
            routed.bodies[f"{pod['metadata']['name']}/metrics"] = metrics(sessions_started_total=3, turns_total=4)

    done = watched(silent)

    assert (done.exit_code, weights(routed)) == (1, [100, 0])
    assert "the canary fails: it answered none of 4 turns. Rolling back" in done.stderr
    assert routed.objects[CANARY]["spec"]["replicas"] == 0


def test_one_that_dies_again_and_again_is_rolled_back_with_its_last_words(watched: Watched, routed: FakeApi) -> None:
    def dies() -> None:
        ended = {"reason": "OOMKilled", "exitCode": 137, "message": "loading\nout of room\n"}
        routed.broken_images.add(NEW)
        for pod in canary_pods(routed):
            status = {"restartCount": 1, "ready": False, "state": {"running": {}}, "lastState": {"terminated": ended}}
            pod["status"] = {"containerStatuses": [status]}

    done = watched(dies)

    assert (done.exit_code, weights(routed)) == (1, [100, 0])
    assert "its pods started again 1 time" in done.stderr
    assert "it ended with OOMKilled, exit status 137: loading / out of room" in done.stderr


def test_one_without_a_ready_pod_has_no_weight_after_ten_seconds(watched: Watched, routed: FakeApi) -> None:
    def unready() -> None:
        routed.broken_images.add(NEW)
        for pod in canary_pods(routed):
            pod["status"] = {}

    done = watched(unready)

    assert (done.exit_code, weights(routed)) == (1, [100, 0])
    assert "none of its pods was ready for 10 s" in done.stderr


def test_a_watch_without_a_canary_is_refused(routed: FakeApi, voicectl: Run) -> None:
    done = voicectl("canary", "watch")

    assert (done.exit_code, done.stderr.startswith("no canary runs")) == (1, True)


def test_start_watches_when_it_is_asked_to(routed: FakeApi, voicectl: Run, clock: Clock) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", "25", "--watch", "--watch-s", "30")

    assert done.exit_code == 0
    assert "the canary worked for 30 s" in done.stdout
    assert clock.now_s >= 30


@pytest.mark.parametrize(
    ("canary", "stable", "said"),
    [
        (Counters(started=2, turns=2), Counters(), ""),
        (Counters(turns=3), Counters(), "it answered none of 3 turns"),
        (Counters(started=3, ended=3), Counters(replies=1), "3 calls ended there without one answer"),
        (Counters(started=3, ended=3), Counters(), ""),
        (Counters(refused=3), Counters(started=1), "it refused all of 3 calls"),
        (Counters(turns=10, replies=9, failures=3), Counters(turns=100, failures=1), "3 failures in 10 turns"),
        (Counters(turns=10, replies=9, failures=3), Counters(turns=100, failures=30), ""),
        (Counters(turns=100, replies=99, failures=3), Counters(), ""),
        (Counters(restarts=2), Counters(), "its pods started again 2 times"),
    ],
)
def test_only_what_is_enough_speaks_against_a_canary(canary: Counters, stable: Counters, said: str) -> None:
    found = against(canary, stable)

    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_counter_that_began_anew_counts_from_nought() -> None:
    assert Counters(turns=2).since(Counters(turns=9)) == Counters(turns=2)
    assert Counters(turns=9).since(Counters(turns=2)) == Counters(turns=7)


def test_status_shows_failures_restarts_and_answers_of_each_track(routed: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", NEW, "--weight", "25")
    (pod,) = canary_pods(routed)
    routed.bodies[f"{pod['metadata']['name']}/metrics"] = metrics(
        sessions_active=1, sessions_started_total=5, turns_total=6, failures_total=4
    )

    status = json.loads(voicectl("status", "--json").stdout)

    _, canary = status["tracks"]
    assert (canary["started"], canary["turns"], canary["replies"], canary["failures"]) == (5, 6, 0, 4)
    assert "canary: it answered none of 6 turns" in voicectl("status").stdout


def test_status_says_that_calls_of_a_canary_without_a_ready_pod_fail(routed: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", NEW, "--weight", "25")
    routed.controllers_work = False
    routed.objects[CANARY]["status"]["readyReplicas"] = 0

    assert "no canary pod is ready, and these calls fail" in voicectl("status").stdout
