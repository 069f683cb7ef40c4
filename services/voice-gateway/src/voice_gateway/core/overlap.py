"""What does it mean when the caller speaks over a reply? The steps of the turn machine in its state `Overlap`.

A sound over a reply may be a turn, a cough, a listener's "mhm", or the reply itself out of the caller's loudspeaker.
So the reply is held while nobody knows; words of the caller's own, or speech that lasts, take the floor from it, and
everything else lets it go on from where it was held.
"""

from dataclasses import replace

from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Hearing, Idle, Overlap, Pausing, Speaking, Step, Thinking, join_words
from voice_gateway.core.turn_types import Action, Heard, HoldReply, InterruptReply, ResumeReply, RetractReply

_ECHO_REPLIES = 5
"""Echo is expected until so many replies came back without it."""


def hold(state: Overlap, now: float, policy: Policy) -> Step:
    """The reply is kept back while nobody knows what the overlap means. Where its own echo is expected, it is not: it
    would stop at each of its words."""
    echoes = state.audible and 0 < state.call.echoed > state.reply - _ECHO_REPLIES
    if echoes or not yields(state, policy):
        return state, ()
    return replace(state, held_at=now), (HoldReply(state.reply),)


def release(state: Overlap) -> Step:
    """The reply goes on under speech that may still bring words."""
    return replace(state, held_at=None), () if state.held_at is None else (ResumeReply(state.reply),)


def silence_to_resume(state: Overlap, policy: Policy) -> float:
    """How long speech without words must be over for its reply to go on. The last words of a recogniser that was late
    before may be on their way.

    Example, resume_after = 0.5: a cough from 12.0 on holds reply 3, and ends at 12.3. The recogniser tells at 12.45
    that it has heard everything until 12.35, and no word: reply 3 goes on at 12.55. Had it told nothing, it would at
    12.8, or at 13.4 if the words it told last were 0.6 s old; at 14.3 (max_hold = 2) at the latest."""
    if state.call.heard_until >= (state.quiet_since or 0.0):
        return policy.resume_after / 2
    return min(policy.resume_after + state.call.lag, max(policy.resume_after, policy.max_hold))


def go_on(state: Overlap) -> Step:
    """The overlap was nothing: the reply goes on from where the caller has heard it."""
    resumed = () if state.held_at is None else (ResumeReply(state.reply),)
    if state.audible:
        return Speaking(state.call, state.reply, state.open, state.protected), resumed
    kept, typed = (state.kept, state.typed) if state.open else (join_words(state.kept, state.typed), "")
    return Thinking(state.call, state.reply, kept, state.open, state.protected, typed=typed), resumed


def dismiss(state: Idle | Thinking | Speaking | Overlap, heard: Heard) -> Step:
    """Words that are no turn. A held reply makes no echo, so it goes on."""
    if heard.echo and isinstance(state, Speaking | Overlap):
        state = replace(state, call=replace(state.call, echoed=state.reply))
    if not isinstance(state, Overlap):
        return state, ()
    state = replace(state, partial="", dismissed=not state.words)
    if heard.final and (state.quiet_since is not None or state.undetected) and not state.words:
        return go_on(state)
    return release(state) if heard.echo else (state, ())


def hear(state: Overlap, text: str, *, final: bool) -> Overlap:
    """Words of the caller's own. Where they go on from words that were taken for echo, those were none.

    Example: over "a table on Tuesday at six, is that right?" the caller says "Tuesday at eight". The partial "Tuesday
    at" is dismissed as echo; with "eight" it is clear that no loudspeaker was heard, so none is expected later."""
    was_no_echo = state.dismissed and state.call.echoed == state.reply
    call = replace(state.call, echoed=0) if was_no_echo and text else state.call
    if final:
        words = join_words(state.words, text, state.typed)
        return replace(state, call=call, words=words, typed="", partial="", dismissed=False)
    return replace(state, call=call, partial=text, dismissed=False)


def yields(state: Thinking | Speaking | Overlap, policy: Policy) -> bool:
    """Whether speech may take the floor from the reply."""
    return policy.decides and not state.protected


def said_enough(state: Overlap, policy: Policy) -> bool:
    """Whether the words so far make a turn."""
    needed = max(1, policy.barge_in_words) if state.audible else 1  # a turn that goes on loses no word
    return len(join_words(state.words, state.partial).split()) >= needed


def may_interrupt(state: Overlap, policy: Policy) -> bool:
    """Whether they make one now."""
    return yields(state, policy) and said_enough(state, policy)


def needs_words(state: Overlap, now: float, policy: Policy) -> bool:
    """Whether speech alone does not take the floor, however long it lasts. So it is where the recogniser has heard most
    of it, and no word: then the detector hears a noise."""
    has_heard = state.call.heard_until >= now - min(policy.lag_slack, policy.max_hold / 2)
    is_noise = has_heard and not (state.words or state.partial or state.open)
    return policy.barge_in_words > 0 or state.dismissed or is_noise


def take_floor(state: Overlap, *, committed: bool = False) -> Step:
    """The overlap was the caller's turn.

    Example, with barge_in_after = 0.2: the caller says "for two" from 12.0 on while reply 3 is heard; the partial "for"
    comes at 12.1. At 12.2 reply 3 is interrupted, and the state is Hearing since 12.0, with "for". Had nobody heard
    reply 3 yet, it would be retracted, and "book a table", which it answered, would stand before "for"."""
    return caller_turn(state, committed=committed), (drop(state),)


def caller_turn(state: Overlap, *, committed: bool = False) -> Hearing | Pausing:
    """What the caller has said in the overlap, after what a reply nobody heard would have answered."""
    kept, open, typed = ("", "", "") if state.audible else (state.kept, state.open, state.typed)
    words, partial = join_words(kept, state.words), state.partial or open
    settled_until = state.call.heard_until if state.words and not state.partial else 0.0
    if not state.undetected and state.quiet_since is None:
        wordless_since = state.call.heard_until
        return Hearing(state.call, state.since, words, partial, settled_until, None, typed, wordless_since)
    since = state.call.heard_at if state.undetected else state.quiet_since or 0.0
    return Pausing(state.call, since, state.since, words, partial, settled_until, committed, typed=typed)


def drop(state: Overlap) -> Action:
    """How a reply that loses the floor goes away."""
    return InterruptReply(state.reply) if state.audible else RetractReply(state.reply)
