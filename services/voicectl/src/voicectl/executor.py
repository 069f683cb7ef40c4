"""How is a plan carried out? Action by action: say it, do it, wait for it with a deadline."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from voicectl.cluster import patches
from voicectl.cluster.api import Cluster
from voicectl.cluster.queries import deployed, gateway_has_read, read_pods
from voicectl.core.actions import AwaitRollout, Change, DropFieldOwnership, Plan, SetWeight
from voicectl.core.release_state import Track
from voicectl.core.rollout import RolloutBlocked, RolloutDone, RolloutInProgress, judge
from voicectl.errors import RolloutFailed, RolloutTimedOut
from voicectl.names import Names

GATEWAY_S = 10.0
"""How long the Gateway may take to confirm new weights; after that the plan goes on, with a sentence."""


@dataclass(frozen=True, slots=True)
class Polling:
    """A monotonic clock in seconds, and how long to rest between two looks."""

    every_s: float = 0.5
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries plans out on one release. `tell` gets every sentence for the operator."""

    cluster: Cluster
    names: Names
    tell: Callable[[str], None]
    polling: Polling

    def execute(self, plan: Plan) -> None:
        """Raises at the first action that fails. What was done stays, and the same command goes on from there."""
        for note in plan.notes:
            self.tell(f"note: {note}")
        for action in plan.actions:
            self.tell(action.sentence)
            match action:
                case Change():
                    patches.change(self.cluster, self.names, action)
                case SetWeight(canary=canary):
                    patches.set_weight(self.cluster, self.names, canary)
                    self._await_gateway()
                case AwaitRollout(track=track, timeout_s=timeout_s):
                    self._await_rollout(track, timeout_s)
                case DropFieldOwnership():
                    patches.drop_field_ownership(self.cluster, self.names)

    def _await_rollout(self, track: Track, timeout_s: float) -> None:
        name = self.names.stable if track is Track.STABLE else self.names.canary
        end, said = self.polling.now() + timeout_s, ""
        while True:
            pods = [pod for pod in read_pods(self.cluster, self.names) if pod.track is track]
            state = judge(deployed(self.cluster.deployment(name)), pods)
            match state:
                case RolloutDone():
                    return
                case RolloutBlocked(sentence=sentence):
                    raise RolloutFailed(f"the {track}'s pods cannot become ready: {sentence}. {_way_out(track)}")
                case RolloutInProgress(sentence=sentence) if sentence != said:
                    said = sentence
                    self.tell(f"  {track}: {sentence}")
                case _:
                    pass
            if self.polling.now() >= end:
                raise RolloutTimedOut(f"the {track} was not ready within {timeout_s:g} s ({said}). {_way_out(track)}")
            self.polling.sleep(self.polling.every_s)

    def _await_gateway(self) -> None:
        end = self.polling.now() + GATEWAY_S
        while not gateway_has_read(self.cluster.route(self.names.route)):
            if self.polling.now() >= end:
                self.tell(f"note: no Gateway confirmed the new weights within {GATEWAY_S:g} s; continuing")
                return
            self.polling.sleep(self.polling.every_s)


def _way_out(track: Track) -> str:
    if track is Track.CANARY:
        return "Remove it with voicectl canary rollback, or start another image"
    return (
        "The older pods still take calls: repair the cause and run the command again, or run voicectl canary rollback"
    )
