"""When is a reply begun before its turn is decided, and what becomes of it? One rule, after every arrow of the machine.

A draft belongs to Hearing or Pausing and to the words it answers. It is released when the turn ends with the same
words, and retracted when the words change, the caller speaks again, or anything else ends the turn.
"""

from dataclasses import replace

from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_silence import is_settled
from voice_gateway.core.turn_states import Hearing, Idle, Overlap, Pausing, Speaking, State, Step, Thinking
from voice_gateway.core.turn_types import Action, Ending, ReleaseReply, RetractReply, StartReply
from voice_gateway.core.turn_words import same_words, words_of


def judge_drafts(before: State, state: State, actions: tuple[Action, ...], now: float, policy: Policy) -> Step:
    """An arrow from `before` to `state`, and its orders, with what it means for drafts."""
    if isinstance(before, Hearing | Pausing) and before.draft is not None:
        state, actions = _judge(before.draft, words_of(before), state, actions)
    if state.call.drafts and (isinstance(state, Idle | Speaking) or (isinstance(state, Overlap) and state.audible)):
        state = replace(state, call=replace(state.call, drafts=0))
    if isinstance(state, Hearing | Pausing) and state.draft is None and _may_draft(before, state, now, policy):
        n = state.call.replies + 1
        call = replace(state.call, replies=n, drafts=state.call.drafts + 1)
        return replace(state, call=call, draft=n), (*actions, StartReply(n, words_of(state), draft=True))
    return state, actions


def _may_draft(before: State, state: Hearing | Pausing, now: float, policy: Policy) -> bool:
    """Whether the words look complete, and another draft is worth its price.

    Example, speech stopped at 5.0, draft_slack = 0.15: words that a final or the first pass settles look complete at
    once; a partial does as soon as the recogniser has accounted for audio until 4.85 and still says the same. While the
    detector still hears speech (it waits for its hangover), settled words do if they end a sentence, too."""
    if not (policy.drafts and policy.decides and words_of(state) and state.call.drafts < policy.draft_tries):
        return False
    if isinstance(state, Hearing):
        looks_complete = state.settled_until > 0 and state.settled_until >= now - policy.lag_slack
        looks_complete = looks_complete and state.call.ending in (Ending.ANSWER, Ending.COMPLETE)
        return looks_complete and now - state.since <= policy.draft_max_speech
    stands = isinstance(before, Hearing | Pausing) and same_words(words_of(before), words_of(state))
    stable = stands and state.call.heard_until >= state.since - policy.draft_slack
    return (stable or is_settled(state, policy)) and state.since - state.began <= policy.draft_max_speech


def _judge(n: int, words: str, state: State, actions: tuple[Action, ...]) -> Step:
    """What becomes of draft `n` to `words` after an arrow that knows nothing of it."""
    match state, actions:
        case Hearing() | Pausing(), _ if state.draft == n and same_words(words, words_of(state)):
            return state, actions
        case Thinking(call), (StartReply(_, decided),) if same_words(words, decided):
            return replace(state, call=replace(call, replies=n), reply=n), (ReleaseReply(n, decided),)
        case Hearing() | Pausing(), _:
            return replace(state, draft=None), (RetractReply(n), *actions)
    return state, (RetractReply(n), *actions)
