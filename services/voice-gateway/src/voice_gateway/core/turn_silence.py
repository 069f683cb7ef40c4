"""How long must a silence be to end a turn? It depends on the recogniser, on how the words end, and on the caller."""

from dataclasses import replace

from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Hearing, Overlap, Pausing, Speaking, State, Thinking
from voice_gateway.core.turn_types import Ending

_SILENCE_TO_PAUSE = 1.5
"""A learned silence is half as long again as the pauses that it was learned from."""
_LEARNS, _FORGETS = 0.3, 0.1
"""How much the next pause counts, and how much a turn that had none."""


def silence_to_end(state: Pausing, policy: Policy) -> float:
    """How long the silence must be, once the recogniser has worked through the speech. A final waits for silence
    that the recogniser has heard, too, so one that is late gets as much longer.

    Example, speech stopped at 5.0, end_silence = 0.3, max_silence = 1.5: a final, or a partial with stability 1.0 (the
    first pass of Riva's end of utterance), that stands for audio until 4.9 settles the words: the turn ends at 5.3.
    After a partial with stability 0.9, told at 5.2 of audio until 4.8, it ends at 5.0 + 1.5 + 0.4 = 6.9, or at 6.0 if
    the final comes then."""
    if not is_settled(state, policy):
        late = max(0.0, state.call.heard_at - state.call.heard_until)
        return max(policy.max_silence + late, _patience(state, policy) if _goes_on(state.call) else 0.0)
    return 0.0 if policy.end_on_final or state.committed else _patience(state, policy)


def is_settled(state: Pausing, policy: Policy) -> bool:
    """Whether the recogniser has said its last of the speech."""
    return state.settled_until > 0 and state.settled_until >= state.since - policy.lag_slack


def learned(before: State, state: State, now: float, policy: Policy) -> Call:
    """The call, with what an arrow from `before` to `state` says of the caller's pauses.

    Counted are pauses after which the caller went on with the same turn, where the words did not say that they would;
    and every turn that was answered, as one without a pause."""
    match before, state:
        case Thinking(), Speaking() if state.call.pause or policy.learned_silence_min < policy.end_silence:
            least = _least_silence(policy) / _SILENCE_TO_PAUSE
            return replace(state.call, pause=max(least, _pause(state.call, policy) * (1 - _FORGETS)))
        case Pausing(words=words, partial=partial), Hearing() if words or partial:
            return _with_pause(state.call, before.call, now - before.since, policy)
        case Overlap(audible=False, kept=kept, open=open), Hearing() | Pausing() if kept or open:
            return _with_pause(state.call, before.call, before.since - before.call.stopped_at, policy)
    return state.call


def _with_pause(call: Call, before: Call, pause: float, policy: Policy) -> Call:
    if _goes_on(before) or pause <= 0 or before.stopped_at == 0:
        return call
    known = _pause(call, policy)
    return replace(call, pause=known + _LEARNS * (min(pause, policy.max_silence) - known))


def _pause(call: Call, policy: Policy) -> float:
    """As learned; to begin with, what `end_silence` stands for."""
    return call.pause or policy.end_silence / _SILENCE_TO_PAUSE


def _patience(state: Pausing, policy: Policy) -> float:
    """How long a silence the words deserve. What is read out goes on however it sounds, "yes" does not; of the rest a
    model that has listened to this pause knows more than the words."""
    call, complete = state.call, min(policy.complete_silence, policy.end_silence)
    normal = _normal_silence(call, policy)
    match call.ending:
        case Ending.ANSWER:
            return complete
        case Ending.READING_OUT:
            return max(policy.reading_silence, policy.end_silence)
        case Ending.INCOMPLETE:
            return max(policy.incomplete_silence, policy.end_silence)
    if call.scored_until > 0 and call.scored_until >= state.since - policy.draft_slack:
        is_over = call.score >= policy.complete_score
        return complete if is_over else max(policy.incomplete_silence, policy.end_silence)
    if call.ending is Ending.COMPLETE:
        return min(complete, normal) + max(0.0, normal - policy.end_silence)
    return normal


def _normal_silence(call: Call, policy: Policy) -> float:
    """`end_silence`, or what this caller's pauses made of it.

    Example, end_silence = 0.15, learned_silence_min = 0.1, learned_silence_max = 0.5: a caller pauses 0.6 s within a
    turn. The average moves by 0.3 of the way from 0.1 s (what 0.15 s of silence stand for) to 0.6 s, so to 0.25 s: from
    then on the silence is 0.375 s. After a second such pause it would be 0.53 s, so it is 0.5 s. Each turn without one
    takes a tenth off: nine bring 0.375 s back to 0.145 s, and four more to 0.1 s, the least."""
    least, most = _least_silence(policy), max(policy.learned_silence_max, policy.end_silence)
    return max(least, min(_SILENCE_TO_PAUSE * _pause(call, policy), most))


def _least_silence(policy: Policy) -> float:
    """Half of the operator's patience at least: who set 1.0 s did not mean 0.1 s."""
    return min(max(policy.learned_silence_min, policy.end_silence / 2), policy.end_silence)


def _goes_on(call: Call) -> bool:
    return call.ending in (Ending.INCOMPLETE, Ending.READING_OUT)
