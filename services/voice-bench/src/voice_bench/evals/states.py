"""In which state was the turn machine when? The turn log of a call, decided once more."""

from collections.abc import Iterator

from voice_gateway.core import turn_log
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import State
from voice_gateway.core.turns import step

from voice_bench.evals.playing import PlayedCall


def states(call: PlayedCall) -> Iterator[tuple[float, str]]:
    """When each state began, seconds of the call, and its name; only changes."""
    state: State | None = None
    policy: Policy | None = None
    for line, at in zip(call.turn_log, call.turn_log_times, strict=True):
        if state is None or policy is None:
            policy, state = turn_log.decode_header(line)
            yield max(0.0, at), type(state).__name__
            continue
        now, said = turn_log.decode(line)
        if isinstance(said, Policy):
            policy = said
            continue
        before = type(state)
        state, _ = step(state, said, now, policy)
        if type(state) is not before:
            yield at, type(state).__name__
