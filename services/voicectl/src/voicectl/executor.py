"""How is a plan carried out? Order by order: say it, do it, wait for it with a deadline."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from voicectl.cluster import patches
from voicectl.cluster.api import Cluster
from voicectl.cluster.queries import deployed, gateway_took, read_pods
from voicectl.core.actions import AwaitRollout, Change, GiveBack, Plan, SetWeight
from voicectl.core.release_state import Track
from voicectl.core.rollout import Done, Going, Hopeless, judge
from voicectl.errors import Stuck, TooSlow
from voicectl.names import Names

GATEWAY_S = 10.0
"""How long the Gateway may take to confirm new weights; after that the plan goes on, with a sentence."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A monotonic clock in seconds, and how long to rest between two looks."""

    look_every_s: float = 0.5
    now: Callable[[], float] = time.monotonic
    rest: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Performer:
    """Carries plans out on one release. `tell` gets every sentence for the operator."""

    cluster: Cluster
    names: Names
    tell: Callable[[str], None]
    pace: Pace

    def perform(self, plan: Plan) -> None:
        """Raises at the first order that fails; what was done before stays, and the same command goes on from there."""
        for note in plan.notes:
            self.tell(f"note: {note}")
        for order in plan.orders:
            self.tell(order.told)
            match order:
                case Change():
                    patches.change(self.cluster, self.names, order)
                case SetWeight(canary=canary):
                    patches.set_weight(self.cluster, self.names, canary)
                    self._await_gateway()
                case AwaitRollout(track=track, timeout_s=timeout_s):
                    self._await_rollout(track, timeout_s)
                case GiveBack():
                    patches.give_back(self.cluster, self.names)

    def _await_rollout(self, track: Track, timeout_s: float) -> None:
        name = self.names.stable if track is Track.STABLE else self.names.canary
        end, said = self.pace.now() + timeout_s, ""
        while True:
            pods = [pod for pod in read_pods(self.cluster, self.names) if pod.track is track]
            state = judge(deployed(self.cluster.deployment(name)), pods)
            match state:
                case Done():
                    return
                case Hopeless(told=told):
                    raise Stuck(f"the {track}'s pods cannot become ready: {told}. {_way_out(track)}")
                case Going(told=told) if told != said:
                    said = told
                    self.tell(f"  {track}: {told}")
                case _:
                    pass
            if self.pace.now() >= end:
                raise TooSlow(f"the {track} was not done within {timeout_s:g} s ({said}). {_way_out(track)}")
            self.pace.rest(self.pace.look_every_s)

    def _await_gateway(self) -> None:
        end = self.pace.now() + GATEWAY_S
        while not gateway_took(self.cluster.route(self.names.route)):
            if self.pace.now() >= end:
                self.tell(f"note: no Gateway confirmed the new weights within {GATEWAY_S:g} s; going on")
                return
            self.pace.rest(self.pace.look_every_s)


def _way_out(track: Track) -> str:
    if track is Track.CANARY:
        return "Take it away with voicectl canary rollback, or start another image over it"
    return (
        "The older pods go on taking calls: repair the cause and say the command again, or say voicectl canary rollback"
    )
