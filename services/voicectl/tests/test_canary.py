"""Does `voicectl canary` do on an API server what its plans say?"""

import pytest

from .conftest import CANARY, ROUTE, STABLE, WEB_ROUTE, Clock, Run, route
from .fake_api import FakeApi, Json

NEW = "reg/gateway:2"


def image(found: Json) -> str:
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def weights(api: FakeApi, path: str = ROUTE) -> list[int]:
    return [each["weight"] for each in api.objects[path]["spec"]["rules"][0]["backendRefs"]]


def replicas(api: FakeApi, path: str) -> int:
    return int(api.objects[path]["spec"]["replicas"])


def begin(voicectl: Run, weight: int = 25) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", str(weight))
    assert done.exit_code == 0, done.output


def test_without_a_route_the_canary_gets_the_nearest_replica_share_and_says_the_true_one(
    api: FakeApi, voicectl: Run
) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10")
    assert done.exit_code == 0
    assert "With 3 stable pods 1 canary pod gets 25 % (asked: 10 %)" in done.stdout
    assert (image(api.objects[CANARY]), replicas(api, CANARY), image(api.objects[STABLE])) == (NEW, 1, "reg/gateway:1")
    assert "gets 25 % of new calls" in done.stdout.splitlines()[-1]


def test_with_a_route_the_weight_comes_only_after_the_pods_are_ready(routed: FakeApi, voicectl: Run) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10")
    assert done.exit_code == 0
    assert [path for path, _ in routed.patches] == [CANARY, ROUTE]
    assert weights(routed) == [90, 10]


def test_browsers_get_the_canary_as_often_as_other_callers_and_helm_gets_both_routes_back(
    routed: FakeApi, voicectl: Run
) -> None:
    routed.put(WEB_ROUTE, route())
    begin(voicectl, 25)
    assert weights(routed) == weights(routed, WEB_ROUTE) == [75, 25]
    done = voicectl("canary", "rollback")
    assert done.exit_code == 0, done.output
    assert weights(routed) == weights(routed, WEB_ROUTE) == [100, 0]
    assert routed.owners(ROUTE) == routed.owners(WEB_ROUTE) == ["helm"]


def test_only_the_gateway_container_changes(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    containers = routed.objects[CANARY]["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == [NEW, "reg/side:1"]
    assert containers[0]["ports"] == [{"name": "http", "containerPort": 8080}]


def test_starting_twice_changes_nothing_more(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    generation = routed.objects[CANARY]["metadata"]["generation"], routed.objects[ROUTE]["metadata"]["generation"]
    begin(voicectl)
    assert (
        routed.objects[CANARY]["metadata"]["generation"],
        routed.objects[ROUTE]["metadata"]["generation"],
    ) == generation


def test_the_weight_can_be_changed_while_the_canary_runs(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl, 50)
    begin(voicectl, 10)
    assert (weights(routed), replicas(routed, CANARY)) == ([90, 10], 1)


def test_a_second_canary_with_another_image_is_refused(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    done = voicectl("canary", "start", "--image", "reg/gateway:3", "--weight", "10")
    assert done.exit_code == 1
    assert f"running already ({NEW}): promote it or roll it back first" in done.stderr
    assert image(routed.objects[CANARY]) == NEW


def test_an_image_that_cannot_be_pulled_is_told_and_gets_no_calls(routed: FakeApi, voicectl: Run) -> None:
    routed.missing_images.add(NEW)
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10")
    assert done.exit_code == 1
    assert "ImagePullBackOff (no such image reg/gateway:2)" in done.stderr
    assert "voicectl --namespace voice canary rollback" in done.stderr
    assert weights(routed) == [100, 0]


def test_a_canary_that_never_came_up_may_be_replaced_by_another_image(routed: FakeApi, voicectl: Run) -> None:
    routed.missing_images.add("reg/gateway:typo")
    assert voicectl("canary", "start", "--image", "reg/gateway:typo", "--weight", "10").exit_code == 1
    begin(voicectl, 10)
    assert (image(routed.objects[CANARY]), weights(routed)) == (NEW, [90, 10])


def test_pods_that_are_not_ready_in_time_end_the_command_with_a_sentence(
    routed: FakeApi, voicectl: Run, clock: Clock
) -> None:
    routed.controllers_work = False
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10", "--timeout-s", "20")
    assert done.exit_code == 1
    assert "not ready within 20 s (Kubernetes has not read the change yet)" in done.stderr
    assert 20 <= clock.now_s < 21


def test_promote_gives_the_stable_the_image_then_takes_the_canary_away(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    routed.patches.clear()
    done = voicectl("canary", "promote")
    assert done.exit_code == 0, done.output
    assert (image(routed.objects[STABLE]), replicas(routed, STABLE)) == (NEW, 3)
    assert (weights(routed), replicas(routed, CANARY)) == ([100, 0], 0)
    assert [path for path, _ in routed.patches][:4] == [CANARY, STABLE, ROUTE, CANARY]
    assert "helm upgrade vw helm/voice-workflow --namespace voice --reset-then-reuse-values --set " in done.stdout
    assert f"image.gateway={NEW}," in done.stdout


def test_promote_keeps_the_canary_until_every_stable_pod_is_new(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    routed.missing_images.add(NEW)
    done = voicectl("canary", "promote")
    assert done.exit_code == 1
    assert "the stable's pods cannot become ready" in done.stderr
    assert (weights(routed), replicas(routed, CANARY)) == ([75, 25], 1)
    routed.missing_images.clear()
    assert voicectl("canary", "promote").exit_code == 0
    assert (image(routed.objects[STABLE]), weights(routed)) == (NEW, [100, 0])


def test_a_promote_that_fails_can_be_rolled_back(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    routed.missing_images.add(NEW)
    voicectl("canary", "promote")
    assert voicectl("canary", "rollback").exit_code == 0
    assert (image(routed.objects[STABLE]), weights(routed), replicas(routed, CANARY)) == ("reg/gateway:1", [100, 0], 0)


def test_promoting_twice_says_so(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    voicectl("canary", "promote")
    done = voicectl("canary", "promote")
    assert (done.exit_code, f"{NEW} was promoted before" in done.stdout) == (0, True)


def test_promote_without_a_canary_is_refused(routed: FakeApi, voicectl: Run) -> None:
    done = voicectl("canary", "promote")
    assert (done.exit_code, done.stderr.startswith("no canary runs")) == (1, True)


def test_rollback_takes_the_weight_first_and_leaves_running_calls_to_their_drain(
    routed: FakeApi, voicectl: Run
) -> None:
    begin(voicectl)
    routed.patches.clear()
    assert voicectl("canary", "rollback").exit_code == 0
    assert [path for path, _ in routed.patches][:2] == [ROUTE, CANARY]
    assert (weights(routed), replicas(routed, CANARY)) == ([100, 0], 0)
    ending = [pod for pod in routed.pods if "deletionTimestamp" in pod["metadata"]]
    assert len(ending) == 1, "the pod ends on its own; voicectl does not wait for it"


def test_rollback_after_a_promote_brings_the_previous_image_back(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    voicectl("canary", "promote")
    done = voicectl("canary", "rollback")
    assert (done.exit_code, image(routed.objects[STABLE])) == (0, "reg/gateway:1")
    assert "--set image.gateway=reg/gateway:1," in done.stdout
    again = voicectl("canary", "rollback")
    assert (again.exit_code, "nothing to roll back" in again.stdout) == (0, True)


def test_while_a_canary_runs_its_fields_are_ours_and_afterwards_helms(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    assert routed.owners(CANARY) == routed.owners(ROUTE) == ["helm", "voicectl"]
    voicectl("canary", "promote")
    assert [routed.owners(path) for path in (STABLE, CANARY, ROUTE)] == [["helm"]] * 3


def test_giving_back_survives_others_who_write_at_the_same_time(routed: FakeApi, voicectl: Run) -> None:
    begin(voicectl)
    routed.conflicts = 5
    assert voicectl("canary", "rollback").exit_code == 0
    assert routed.owners(CANARY) == ["helm"]


def test_endless_conflicts_end_with_a_sentence(routed: FakeApi, voicectl: Run) -> None:
    routed.conflicts = 1000
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10")
    assert (done.exit_code, "somebody changes it at the same time; try again" in done.stderr) == (1, True)


def test_a_gateway_that_does_not_confirm_holds_nothing_up(routed: FakeApi, voicectl: Run, clock: Clock) -> None:
    routed.gateway_answers = False
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10")
    assert (done.exit_code, "no Gateway confirmed the new weights within 10 s" in done.stdout) == (0, True)
    assert clock.now_s < 15


def test_a_rollback_is_done_within_thirty_seconds_even_without_a_gateway(
    routed: FakeApi, voicectl: Run, clock: Clock
) -> None:
    begin(voicectl)
    routed.gateway_answers = False
    before = clock.now_s
    assert voicectl("canary", "rollback").exit_code == 0
    assert clock.now_s - before < 30


def test_a_dry_run_says_the_orders_and_changes_nothing(routed: FakeApi, voicectl: Run) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", "10", "--dry-run")
    assert (done.exit_code, routed.patches) == (0, [])
    assert "would do: route: 10 % of new calls to the canary" in done.stdout


def test_other_rules_of_the_route_keep_what_they_have(routed: FakeApi, voicectl: Run) -> None:
    rules = routed.objects[ROUTE]["spec"]["rules"]
    other = {"backendRefs": [{"name": "elsewhere", "port": 1, "weight": 7}]}
    rules.append(other)
    begin(voicectl)
    assert (weights(routed), routed.objects[ROUTE]["spec"]["rules"][1]) == ([75, 25], other)


@pytest.mark.parametrize(("weight", "words"), [("0", "rollback"), ("100", "promote"), ("-5", "rollback")])
def test_a_weight_that_is_no_canary_is_refused_with_the_right_command(
    routed: FakeApi, voicectl: Run, weight: str, words: str
) -> None:
    done = voicectl("canary", "start", "--image", NEW, "--weight", weight)
    assert (done.exit_code, "1 to 99 percent" in done.stderr, words in done.stderr) == (1, True, True)
    assert routed.patches == []


@pytest.mark.parametrize("name", ["reg/gateway", "", "reg/gate way:1", "reg/gateway:", ":2"])
def test_an_image_without_a_tag_is_refused(routed: FakeApi, voicectl: Run, name: str) -> None:
    done = voicectl("canary", "start", "--image", name, "--weight", "10")
    assert (done.exit_code, "is not an image with a tag" in done.stderr) == (1, True)
