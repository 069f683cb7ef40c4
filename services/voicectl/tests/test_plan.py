"""What is planned in which state, in which order? No API server here."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from voicectl.core.actions import Action, AwaitRollout, Change, DropFieldOwnership, Plan, SetWeight
from voicectl.core.helm_command import helm_command
from voicectl.core.plan import promote, rollback, start
from voicectl.core.release_state import DeploymentState, Pod, Release, Track, Weights
from voicectl.core.rollout import RolloutBlocked, RolloutDone, RolloutInProgress, judge
from voicectl.core.traffic_share import percent, replicas_for
from voicectl.errors import Refused
from voicectl.names import ASKED_WEIGHT, PREVIOUS_IMAGE, PROMOTED_IMAGE, Names

OLD, NEW = "reg/gateway:1", "reg/gateway:2"


def track(image: str, pods: int) -> DeploymentState:
    return DeploymentState(image, pods, pods, pods, pods, pods, settled=True)


def release(
    noted: Mapping[str, str] | None = None,
    *,
    canary: int = 0,
    weight: int | None = 0,
    stable: str = OLD,
    image: str = NEW,
) -> Release:
    weights = None if weight is None else Weights(100 - weight, weight)
    return Release(Names("vw"), track(stable, 3), replace(track(image, canary), annotations=noted), weights)


def kinds(plan: Plan) -> list[str]:
    return [_kind(action) for action in plan.actions]


def _kind(action: Action) -> str:
    match action:
        case SetWeight(canary=canary):
            return f"weight {canary}"
        case Change(track=which, image=image, replicas=replicas):
            return f"{which} {image or '='} {'=' if replicas is None else replicas}"
        case AwaitRollout(track=which):
            return f"await {which}"
        case DropFieldOwnership():
            return "give back"


@pytest.mark.parametrize(
    ("weight", "stable", "pods"),
    [(10, 3, 1), (25, 3, 1), (33, 2, 1), (50, 3, 3), (40, 3, 2), (99, 1, 99), (1, 200, 2), (60, 1, 2), (10, 1, 1)],
)
def test_the_replica_share_is_the_nearest_to_the_weight(weight: int, stable: int, pods: int) -> None:
    assert replicas_for(weight, stable) == pods


@pytest.mark.parametrize("weight", range(1, 100))
def test_no_other_number_of_pods_comes_nearer(weight: int) -> None:
    for stable in (1, 2, 3, 7):
        chosen = abs(percent(stable, replicas_for(weight, stable)) - weight)
        assert chosen <= min(abs(percent(stable, pods) - weight) for pods in range(1, 100 * stable)) + 1e-9


def test_start_brings_pods_up_before_it_gives_them_calls() -> None:
    assert kinds(start(release(), NEW, 25, None, 9)) == [f"canary {NEW} 1", "await canary", "weight 25"]


def test_fewer_pods_than_before_get_their_smaller_weight_first() -> None:
    plan = start(release(canary=3, weight=50), NEW, 10, None, 9)
    assert kinds(plan) == ["weight 10", f"canary {NEW} 1", "await canary", "weight 10"]


def test_a_dead_canary_with_weight_loses_it_before_it_is_replaced() -> None:
    seen = release(canary=1, weight=10, image="reg/gateway:bad")
    seen = replace(seen, canary=replace(seen.canary, ready=0, available=0))
    assert kinds(start(seen, NEW, 25, None, 9))[0] == "weight 0"


def test_start_forgets_the_promote_before() -> None:
    noted = {PREVIOUS_IMAGE: "reg/gateway:0", PROMOTED_IMAGE: OLD}
    change = start(release(noted), NEW, 25, None, 9).actions[0]
    assert isinstance(change, Change)
    assert change.annotations == {ASKED_WEIGHT: "25", PREVIOUS_IMAGE: None, PROMOTED_IMAGE: None}


def test_named_replicas_win_over_the_weight_and_the_true_share_is_told() -> None:
    plan = start(release(weight=None), NEW, 10, 2, 9)
    assert kinds(plan) == [f"canary {NEW} 2", "await canary"]
    assert "With 3 stable pods 2 canary pods get 40 % (asked: 10 %)" in plan.notes[0]


def test_few_pods_for_much_weight_are_warned_about() -> None:
    (note,) = start(release(), NEW, 80, 1, 9).notes
    assert "1 canary pod will carry 80 % of new calls" in note


def test_the_stables_own_image_as_canary_is_noted() -> None:
    assert "already runs this image" in start(release(), OLD, 25, None, 9).notes[0]


def test_no_plan_touches_the_stables_replicas() -> None:
    running = release(canary=1, weight=25)
    promoted = release({PREVIOUS_IMAGE: OLD, PROMOTED_IMAGE: NEW}, stable=NEW)
    plans = [start(release(), NEW, 25, None, 9), promote(running, 9), rollback(running, 9), rollback(promoted, 9)]
    changes = [action for plan in plans for action in plan.actions if isinstance(action, Change)]
    assert all(change.replicas is None for change in changes if change.track is Track.STABLE)


def test_promote_waits_for_the_stable_before_it_takes_the_canary_away() -> None:
    assert kinds(promote(release(canary=1, weight=25), 9)) == [
        "canary = =",
        f"stable {NEW} =",
        "await stable",
        "weight 0",
        "canary = 0",
        "await canary",
        "give back",
    ]


def test_promote_without_a_route_is_the_same_without_weights() -> None:
    assert "weight 0" not in kinds(promote(release(canary=1, weight=None), 9))


def test_a_promote_cut_short_goes_on_and_keeps_the_first_note() -> None:
    plan = promote(release(canary=1, weight=25, stable=NEW), 9)
    assert kinds(plan) == ["await stable", "weight 0", "canary = 0", "await canary", "give back"]


def test_a_canary_that_is_not_ready_is_not_promoted() -> None:
    seen = release(canary=1)
    with pytest.raises(Refused, match="no pod of the canary reg/gateway:2 is ready"):
        promote(replace(seen, canary=replace(seen.canary, ready=0)), 9)


def test_rollback_takes_new_calls_away_before_pods() -> None:
    plan = rollback(release({ASKED_WEIGHT: "25"}, canary=1, weight=25), 9)
    assert (kinds(plan), plan.record) == (["weight 0", "canary = 0", "await canary", "give back"], "")


def test_rollback_in_the_middle_of_a_promote_undoes_both() -> None:
    seen = release({PREVIOUS_IMAGE: OLD, PROMOTED_IMAGE: NEW}, canary=1, weight=25, stable=NEW)
    assert kinds(rollback(seen, 9))[:4] == ["weight 0", f"stable {OLD} =", "canary = 0", "await stable"]


def test_a_canary_that_helm_started_is_rolled_back_with_the_line_for_helm() -> None:
    assert rollback(release(canary=1, weight=25), 9).record == OLD


def test_a_canary_that_came_after_the_promote_goes_alone() -> None:
    seen = release({PREVIOUS_IMAGE: OLD, PROMOTED_IMAGE: NEW}, canary=1, weight=25, stable=NEW, image="reg/gateway:3")
    assert kinds(rollback(seen, 9)) == ["weight 0", "canary = 0", "await canary", "give back"]


def test_a_stable_that_moved_on_since_the_promote_is_left_alone() -> None:
    seen = release({PREVIOUS_IMAGE: OLD, PROMOTED_IMAGE: NEW}, stable="reg/gateway:3")
    plan = rollback(seen, 9)
    assert (kinds(plan), "not what was promoted last" in plan.outcome) == (["give back"], True)


def test_the_helm_line_carries_the_whole_image() -> None:
    image = f"host:5000/gateway:2@sha256:{'a' * 64}"
    assert f"image.gateway={image}," in helm_command(Names("vw"), "voice", image)


def pod(*, image: str = NEW, reason: str = "", ending: bool = False) -> Pod:
    return Pod("p", Track.CANARY, image, not reason, ending, 8080, reason and f"{reason} (why)", reason)


def test_a_rollout_is_done_when_only_new_available_pods_are_left() -> None:
    done = track(NEW, 2)
    assert judge(done, []) == RolloutDone()
    assert judge(replace(done, settled=False), []) == RolloutInProgress("Kubernetes has not read the change yet")
    assert judge(replace(done, replicas=3), []) == RolloutInProgress("2 of 2 ready, 1 older still running")
    assert judge(replace(done, available=1), []) == RolloutInProgress("1 of 2 ready")


def test_a_track_without_pods_is_done_when_none_is_left() -> None:
    assert judge(track(NEW, 0), [pod(ending=True)]) == RolloutDone()
    assert judge(replace(track(NEW, 0), replicas=1, updated=1), []) != RolloutDone()


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "InvalidImageName", "CrashLoopBackOff"])
def test_what_waiting_does_not_heal_is_hopeless(reason: str) -> None:
    assert judge(replace(track(NEW, 1), available=0), [pod(reason=reason)]) == RolloutBlocked(f"p: {reason} (why)")


def test_a_first_failed_pull_and_a_full_cluster_may_heal() -> None:
    waiting = replace(track(NEW, 1), available=0)
    assert isinstance(judge(waiting, [pod(reason="ErrImagePull")]), RolloutInProgress)
    assert judge(waiting, [pod(reason="Unschedulable")]) == RolloutInProgress("0 of 1 ready, p: Unschedulable (why)")


def test_old_and_ending_pods_do_not_make_a_rollout_hopeless() -> None:
    waiting = replace(track(NEW, 1), available=0)
    for other in (pod(image=OLD, reason="ImagePullBackOff"), pod(reason="ImagePullBackOff", ending=True)):
        assert isinstance(judge(waiting, [other]), RolloutInProgress)


def test_a_rollout_kubernetes_gave_up_on_is_hopeless() -> None:
    assert judge(replace(track(NEW, 1), available=0, stalled="ProgressDeadlineExceeded: x"), []) == RolloutBlocked(
        "ProgressDeadlineExceeded: x"
    )
