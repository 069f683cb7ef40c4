"""What must be done, and in which order, to start, promote or roll back a canary? Pure: a Release in, a Plan out.

The order keeps two promises: a track gets new calls only while it has ready pods, and a running call is never moved.

    start      canary pods → ready → weight          (fewer pods than before: weight first)
    promote    note what the stable ran → stable image → ready → weight 0 → no canary pods
    rollback   weight 0 → stable image back, if it was promoted → no canary pods → ready

Each plan may be made again at any point of its own or another plan's course: what is done already does no harm again.
"""

import re

from voicectl.core.actions import Action, AwaitRollout, Change, DropFieldOwnership, Plan, SetWeight
from voicectl.core.release_state import Release, Track
from voicectl.core.traffic_share import percent, percent_text, plural, replicas_for
from voicectl.errors import Refused
from voicectl.names import ASKED_WEIGHT, PREVIOUS_IMAGE, PROMOTED_IMAGE

CANARY_END_S = 30.0
"""How long Kubernetes may take to mark the canary's pods as ending; their calls drain afterwards on their own."""

_IMAGE = re.compile(r"[a-z0-9][\w.\-:/]*:[\w][\w.\-]{0,127}(@sha256:[0-9a-f]{64})?", re.ASCII)


def start(release: Release, image: str, weight: int, replicas: int | None, timeout_s: float) -> Plan:
    """Brings up a canary of `image`, or changes the weight of the one that runs it.

    `weight` is percent of new calls (1 to 99). `replicas` None = as many pods as come nearest to that share.
    """
    _check_request(image, weight, replicas)
    _check_state(release, image)
    stable, canary = release.stable, release.canary
    pods = replicas if replicas is not None else replicas_for(weight, stable.wanted)
    change = Change(
        Track.CANARY,
        image=image,
        replicas=pods,
        annotations={ASKED_WEIGHT: str(weight), PREVIOUS_IMAGE: None, PROMOTED_IMAGE: None},
    )
    actions: list[Action] = [change, AwaitRollout(Track.CANARY, timeout_s)]
    if release.weights is not None:
        if release.weights.canary and (canary.image != image or not canary.ready):
            actions.insert(0, SetWeight(0))
        elif pods < canary.wanted:
            actions.insert(0, SetWeight(weight))
        actions.append(SetWeight(weight))
    notes = _start_notes(release, image, weight, pods)
    share = f"{weight} %" if release.weights is not None else percent_text(percent(stable.wanted, pods))
    return Plan(
        tuple(actions),
        notes,
        f"the canary {image} gets {share} of new calls; running calls stay where they are. "
        "Next: voicectl canary promote, or voicectl canary rollback",
    )


def promote(release: Release, timeout_s: float) -> Plan:
    """Makes the canary's image the stable's and takes the canary away; a promote that was cut short goes on."""
    stable, canary = release.stable, release.canary
    if not canary.wanted:
        return _promoted_already(release, timeout_s)
    if not canary.ready:
        raise Refused(
            f"no pod of the canary {canary.image} is ready, so it can't be promoted: look at it with "
            "voicectl status, or remove it with voicectl canary rollback"
        )
    notes: tuple[str, ...] = ()
    actions: list[Action] = []
    if stable.image != canary.image:
        kept = {PREVIOUS_IMAGE: stable.image, PROMOTED_IMAGE: canary.image}
        actions += [Change(Track.CANARY, annotations=kept), Change(Track.STABLE, image=canary.image)]
    else:
        notes = (f"the stable already has {canary.image}; continuing from there",)
    actions.append(AwaitRollout(Track.STABLE, timeout_s))
    actions += _take_away(release)
    actions += [AwaitRollout(Track.CANARY, CANARY_END_S), DropFieldOwnership()]
    return Plan(
        tuple(actions),
        notes,
        f"the stable runs {canary.image}; calls on older pods end within the drain time. "
        "voicectl canary rollback restores the previous image",
        record=canary.image,
    )


def rollback(release: Release, timeout_s: float) -> Plan:
    """Takes the canary's new calls away at once, then its pods; after a promote, brings the previous image back."""
    stable, canary = release.stable, release.canary
    promoted, previous = canary.noted(PROMOTED_IMAGE), canary.noted(PREVIOUS_IMAGE)
    running = canary.wanted > 0 or (release.weights is not None and release.weights.canary > 0)
    # A canary of another image came after the promote (Helm started it): then only that one is meant.
    undo = bool(previous) and stable.image == promoted and (not running or canary.image == promoted)
    if not undo and not running:
        return Plan((DropFieldOwnership(),), (), _nothing_to_roll_back(release))
    actions: list[Action] = _take_away(release)
    if undo:
        actions.insert(_before_pods(actions), Change(Track.STABLE, image=previous))
        actions.append(AwaitRollout(Track.STABLE, timeout_s))
    actions.append(AwaitRollout(Track.CANARY, CANARY_END_S))
    if undo:
        actions.append(Change(Track.CANARY, annotations={PREVIOUS_IMAGE: None, PROMOTED_IMAGE: None}))
    actions.append(DropFieldOwnership())
    gone = f"the canary {canary.image} gets no new calls, and its calls end within the drain time" if running else ""
    back = f"the stable runs {previous} again" if undo else ""
    # Without our note of the weight it was Helm, or a hand, that started the canary: Helm would bring it back.
    by_helm = running and not canary.noted(ASKED_WEIGHT)
    record = previous if undo else stable.image if by_helm else ""
    return Plan(tuple(actions), (), "; ".join(filter(None, (gone, back))), record)


def _check_request(image: str, weight: int, replicas: int | None) -> None:
    if not 1 <= weight <= 99:
        way = (
            "to remove the canary run voicectl canary rollback"
            if weight <= 0
            else "to give it all calls run voicectl canary promote"
        )
        raise Refused(f"a canary's weight is 1 to 99 percent, not {weight}; {way}")
    if replicas is not None and replicas < 1:
        raise Refused(
            f"a canary needs at least 1 replica, not {replicas}; without --replicas the number follows from the weight"
        )
    if not _IMAGE.fullmatch(image):
        raise Refused(
            f"'{image}' is not an image with a tag: write it like registry.example/voice-workflow/gateway:1.2.3, "
            "so that a rollback knows what ran"
        )


def _check_state(release: Release, image: str) -> None:
    stable, canary = release.stable, release.canary
    if not stable.ready:
        raise Refused(
            f"the stable {release.names.stable} has no ready pod (of {stable.wanted} wanted), so a canary would get "
            "every call: start the stable first; where Argo Rollouts manages it, start the canary there"
        )
    if canary.wanted and canary.ready and canary.image != image:
        raise Refused(
            f"a canary with another image is running already ({canary.image}): promote it or roll it back first"
        )


def _start_notes(release: Release, image: str, weight: int, pods: int) -> tuple[str, ...]:
    stable = release.stable
    notes = []
    if image == stable.image:
        notes.append("the stable already runs this image; the canary will not differ from it")
    share = percent(stable.wanted, pods)
    if release.weights is None:
        gets = (
            f"{plural(pods, 'canary pod')} {'gets' if pods == 1 else 'get'} {percent_text(share)} (asked: {weight} %)"
        )
        notes.append(
            f"no GRPCRoute {release.names.route}: new calls are shared by the number of pods. "
            f"With {plural(stable.wanted, 'stable pod')} {gets}"
        )
    elif share < weight / 2:
        notes.append(
            f"{plural(pods, 'canary pod')} will carry {weight} % of new calls beside "
            f"{plural(stable.wanted, 'stable pod')}: make sure that it is not full (--replicas gives it more)"
        )
    return tuple(notes)


def _take_away(release: Release) -> list[Action]:
    actions: list[Action] = []
    if release.weights is not None and release.weights.canary:
        actions.append(SetWeight(0))
    actions.append(Change(Track.CANARY, replicas=0, annotations={ASKED_WEIGHT: None}))
    return actions


def _before_pods(actions: list[Action]) -> int:
    return next(index for index, action in enumerate(actions) if isinstance(action, Change))


def _promoted_already(release: Release, timeout_s: float) -> Plan:
    image = release.stable.image
    if image != release.canary.noted(PROMOTED_IMAGE):
        raise Refused("no canary runs, so there is nothing to promote: start one with voicectl canary start")
    weight: tuple[Action, ...] = (SetWeight(0),) if release.weights is not None and release.weights.canary else ()
    return Plan(
        (AwaitRollout(Track.STABLE, timeout_s), *weight, DropFieldOwnership()),
        (),
        f"{image} was promoted before; the stable runs it",
        record=image,
    )


def _nothing_to_roll_back(release: Release) -> str:
    if release.canary.noted(PREVIOUS_IMAGE):
        return (
            f"nothing to roll back: the stable runs {release.stable.image}, which is not what was promoted last; "
            "helm rollback brings an older release back"
        )
    return "nothing to roll back: no canary runs and nothing was promoted; helm rollback brings an older release back"
