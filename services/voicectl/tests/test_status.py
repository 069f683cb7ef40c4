"""Do `status` and `config` show what the pods say?"""

import json

from voicectl.core.live_settings import short_hash

from .conftest import LIVE, Run
from .fake_api import CORE, FakeApi


def readyz(taken: str, refused: str = "") -> str:
    return json.dumps({"status": "ready", "config": {"taken": taken, "refused": refused}})


def test_status_shows_tracks_shares_and_calls_per_pod(routed: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "25")
    first = routed.pods[0]["metadata"]["name"]
    routed.bodies[f"{first}/metrics"] = "# TYPE voice_sessions_active gauge\nvoice_sessions_active 7.0\n"
    told = json.loads(voicectl("status", "--json").stdout)
    assert (told["state"], told["canary_percent"], told["route"]) == ("running", 25.0, {"stable": 75, "canary": 25})
    assert [(pod["track"], pod["calls"], pod["ready"]) for pod in told["pods"]] == [
        ("stable", 7, True),
        ("stable", 2, True),
        ("stable", 2, True),
        ("canary", 2, True),
    ]
    shown = voicectl("canary", "status").stdout
    assert first in shown
    assert "25.0 %" in shown
    assert "gets 25 % of new calls by the route's weights (asked: 25 %)" in shown


def test_without_a_route_the_share_is_that_of_the_ready_pods(api: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "40")
    told = json.loads(voicectl("status", "--json").stdout)
    assert (told["route"], told["canary_percent"]) == (None, 40.0)
    assert "by the number of pods (asked: 40 %)" in told["told"]


def test_pods_that_drain_are_shown_with_the_calls_they_still_hold(routed: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "25")
    voicectl("canary", "rollback")
    told = json.loads(voicectl("status", "--json").stdout)
    assert [pod["calls"] for pod in told["pods"] if pod["ending"]] == [2]


def test_a_pod_that_cannot_be_asked_has_a_question_mark_and_a_sentence(api: FakeApi, voicectl: Run) -> None:
    api.deaf_pods.add(api.pods[0]["metadata"]["name"])
    done = voicectl("status")
    assert (done.exit_code, "calls '?'" in done.stdout) == (0, True)


def test_after_a_promote_the_status_names_the_way_back(routed: FakeApi, voicectl: Run) -> None:
    voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "25")
    voicectl("canary", "promote")
    assert "voicectl --namespace voice canary rollback brings reg/gateway:1 back" in voicectl("status").stdout


def test_config_is_content_when_every_pod_took_what_the_configmap_holds(api: FakeApi, voicectl: Run) -> None:
    api.bodies["readyz"] = readyz(short_hash(LIVE))
    done = voicectl("config")
    assert (done.exit_code, "3 pods on the same live settings" in done.stdout) == (0, True)


def test_config_compares_each_pod_with_the_file_it_reads(api: FakeApi, voicectl: Run) -> None:
    older = api.pods[0]
    older["spec"]["containers"][0]["env"] = [{"name": "GATEWAY_LIVE_FILE", "value": "/etc/live/live-0a1b.yaml"}]
    api.objects[f"{CORE}/configmaps/vw-gateway-live"]["data"]["live-0a1b.yaml"] = "LLM_TEMPERATURE: 0.1\n"
    api.bodies["readyz"] = readyz(short_hash(LIVE))
    assert f"yet: {older['metadata']['name']} (the kubelet" in voicectl("config").stdout
    api.bodies[f"{older['metadata']['name']}/readyz"] = readyz(short_hash("LLM_TEMPERATURE: 0.1\n"))
    assert "the pods have different settings" in voicectl("config").stdout


def test_config_reads_pods_that_are_not_ready_too(api: FakeApi, voicectl: Run) -> None:
    api.bodies["readyz"] = readyz(short_hash(LIVE))
    api.ready_status = 503
    assert voicectl("config").exit_code == 0


def test_config_names_the_pod_that_is_behind(api: FakeApi, voicectl: Run) -> None:
    late = api.pods[1]["metadata"]["name"]
    api.bodies |= {"readyz": readyz(short_hash(LIVE)), f"{late}/readyz": readyz("0123456789ab")}
    done = voicectl("config")
    assert (done.exit_code, f"yet: {late} (the kubelet" in done.stdout) == (1, True)


def test_config_tells_what_was_refused_and_why(api: FakeApi, voicectl: Run) -> None:
    bad = api.pods[2]["metadata"]["name"]
    refused = "LLM_TEMPERATURE: must be at most 2"
    api.bodies |= {"readyz": readyz(short_hash(LIVE)), f"{bad}/readyz": readyz("0123456789ab", refused)}
    done = voicectl("config")
    assert (done.exit_code, f"refused by {bad}: {refused}" in done.stdout) == (1, True)
    told = json.loads(voicectl("config", "--json").stdout)
    assert [pod["refused"] for pod in told["pods"]] == ["", "", refused]
    assert told["agreed"] is False


def test_config_says_when_a_pod_cannot_be_asked_or_is_too_old(api: FakeApi, voicectl: Run) -> None:
    api.deaf_pods.add(api.pods[0]["metadata"]["name"])
    done = voicectl("config")
    assert (done.exit_code, "could not be read" in done.stdout, "too old?" in done.stdout) == (1, True, True)


def test_config_without_pods_says_so(api: FakeApi, voicectl: Run) -> None:
    api.pods.clear()
    api.controllers_work = False
    done = voicectl("config")
    assert (done.exit_code, "no gateway pod runs" in done.stdout) == (1, True)
