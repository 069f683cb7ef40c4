"""Is it told why pods cannot come: a quota, an image, memory, an error at the start?"""

import json

from .conftest import STABLE, Run
from .fake_api import FakeApi, Json

QUOTA = 'pods "x" is forbidden: exceeded quota: cpu, requested: limits.cpu=1, used: limits.cpu=4, limited: limits.cpu=4'


def stopped(reason: str, code: int, words: str = "") -> Json:
    """The status of a pod whose container ended and waits to be started again."""
    ended = {"terminated": {"reason": reason, "exitCode": code, "message": words}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    return {"containerStatuses": [{"ready": False, "restartCount": 2, "state": waiting, "lastState": ended}]}


def test_a_canary_that_a_quota_forbids_ends_with_the_words_of_the_quota(routed: FakeApi, voicectl: Run) -> None:
    routed.quota = QUOTA

    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10")

    assert done.exit_code == 1
    assert "exceeded quota: cpu, requested: limits.cpu=1" in done.stderr


def test_a_quota_of_another_word_is_told_while_it_waits(routed: FakeApi, voicectl: Run) -> None:
    routed.quota = "admission webhook timed out"

    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10", "--timeout-s", "5")

    assert (done.exit_code, "admission webhook timed out" in done.stderr) == (1, True)


def test_it_says_how_a_program_ended_and_its_last_words(api: FakeApi, voicectl: Run) -> None:
    api.controllers_work = False
    api.objects[STABLE]["status"]["readyReplicas"] = 1
    api.pods[0]["status"] = stopped("Error", 1, "starting\nvoice-gateway: bad settings: VAD: neither\n")
    api.pods[1]["status"] = stopped("OOMKilled", 137)

    done = voicectl("why")

    assert done.exit_code == 1
    assert "vw-gateway: 1 of 3 new pods ready" in done.stdout
    assert "it ended with Error, exit status 1: starting / voice-gateway: bad settings: VAD: neither" in done.stdout
    assert "it ended with OOMKilled, exit status 137" in done.stdout


def test_it_asks_a_pod_that_runs_and_is_not_ready(api: FakeApi, voicectl: Run) -> None:
    api.controllers_work = False
    api.objects[STABLE]["status"]["readyReplicas"] = 2
    api.pods[0]["status"] = {}
    api.bodies["readyz"] = json.dumps({"reasons": {"asr": "can't be reached"}})
    api.ready_status = 503

    assert "not ready: asr: can't be reached" in voicectl("why").stdout


def test_it_tells_the_newest_warnings_about_what_is_there(api: FakeApi, voicectl: Run) -> None:
    api.controllers_work = False
    api.objects[STABLE]["status"]["readyReplicas"] = 0
    for number, about in enumerate(("vw-gateway-7f", "other-thing", "vw-gateway")):
        api.events.append(
            {
                "metadata": {},
                "involvedObject": {"name": about},
                "reason": "FailedCreate",
                "message": f"words {number}",
                "lastTimestamp": f"2030-01-01T00:00:0{number}Z",
            }
        )

    said = voicectl("why").stdout

    assert "vw-gateway-7f: FailedCreate (words 0)" in said
    assert "words 1" not in said
    assert "words 2" in said


def test_without_the_right_to_read_events_the_rest_is_told(api: FakeApi, voicectl: Run) -> None:
    api.forbidden.add(("GET", "events"))
    api.controllers_work = False
    api.objects[STABLE]["status"]["readyReplicas"] = 0

    assert "0 of 3 new pods ready" in voicectl("why").stdout


def test_an_upgrade_that_hangs_beside_older_pods_is_found(api: FakeApi, voicectl: Run) -> None:
    api.missing_images.add("reg/gateway:nope")
    api.objects[STABLE]["spec"]["template"]["spec"]["containers"][0]["image"] = "reg/gateway:nope"
    api.controllers_work = False
    stuck = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    api.pods[0]["status"] = {"containerStatuses": [{"state": stuck}]}
    api.objects[STABLE]["status"] |= {"replicas": 4, "updatedReplicas": 3, "readyReplicas": 3}

    said = voicectl("why").stdout

    assert "vw-gateway: 2 of 3 new pods ready beside 1 older" in said
    assert "ImagePullBackOff (no such image)" in said


def test_a_release_that_is_ready_is_content(api: FakeApi, voicectl: Run) -> None:
    done = voicectl("why", "--json")

    assert (done.exit_code, json.loads(done.stdout)) == (0, {"ready": True, "reasons": []})
