"""Whose turn is it? The turn machine: facts and time go in, orders come out.

    step(state, event, now, policy) -> (state, actions)        deadline(state, policy) -> float | None

A caller holds the floor while they speak and for a moment after; then a reply takes it. The machine decides
when that moment is over, and what an overlap means. It never waits: `deadline` says when to call `step` with
`Tick` if nothing else happens before. All times are seconds since the call began.

              speech started            speech stopped           silence is long enough
      Idle ────────────────────▶ Hearing ◀──────────▶ Pausing ────────────────────────▶ Thinking
       ▲                            ▲   speech started                                   │    ▲
       │ reply ended                │ words, or speech that lasts      speech started    │    │ a cough
       │                            │ (retract what nobody heard,                (hold)  ▼    │ (resume)
    Speaking ──────────────────▶ Overlap ◀──────────────────────────────────────────── Thinking
       ▲        speech started      │   interrupt what was partly heard)
       └────────────────────────────┘ a cough, "mhm", echo
                 (Thinking ── reply audible ──▶ Speaking;  anything ── call ended ──▶ Ended)

How long a silence must be depends on what the recogniser has said of the speech before it:
  settled      finals stand for all of it                      `end_silence`; less or more as the words end
  unsettled    only partials, or nothing yet                   `max_silence`, longer for a late recogniser
  behind       it has not even worked through the audio        none, unless it stands still (`max_lag`;
                                                               `max_silence` when nothing is open)

What rarely happens, and where it goes: a final that comes after its turn was ended on a partial corrects the
reply nobody heard yet, and is dropped once somebody did. Speech while a reply is thought up holds that reply
back until it is clear whether the caller goes on. Facts and orders stand in `turn_types`, states in
`turn_states`, how long a silence must be in `turn_silence`, the whole story in docs/turn-taking.md.

What the agent says by itself (greeting, idle prompt, goodbye, warning of the end) is said in Idle, where nobody has the
floor. A reply that is `due` is said at the next such gap; it stays due until it is heard. A call that is lost, because
nobody can hear the caller, goes to Idle at once, says so, and ends.

A draft is a reply that is begun as soon as the words look complete, so that it is ready when the silence has been long
enough. It changes no arrow, only what the arrow orders (`drafting`): a turn that ends with the same words releases it
instead of starting a reply; whatever else ends the pause, or changes the words, retracts it.
"""

from dataclasses import replace
from math import inf

from voice_gateway.core.drafting import judge_drafts
from voice_gateway.core.overlap import (
    caller_turn,
    dismiss,
    drop,
    go_on,
    hear,
    hold,
    may_interrupt,
    needs_words,
    release,
    said_enough,
    silence_to_resume,
    take_floor,
    yields,
)
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_silence import learned, silence_to_end
from voice_gateway.core.turn_states import (
    Call,
    Ended,
    Hearing,
    Idle,
    Overlap,
    Pausing,
    Speaking,
    State,
    Step,
    Thinking,
    join_words,
)
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Committed,
    CorrectWords,
    Discarded,
    EndCall,
    Event,
    Heard,
    Interrupted,
    InterruptReply,
    RecogniserLost,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    SpeechStarted,
    SpeechStopped,
    StartReply,
    TimeLow,
    TurnScored,
    Typed,
    WordsLost,
)
from voice_gateway.core.turn_words import same_words, words_beyond

_OF_CALLER = (SpeechStarted, SpeechStopped, Heard, Committed, Typed, ReplyAsked, Discarded)
"""What a call that is lost does not listen to any more; a caller who wants silence gets it."""


def deadline(state: State, policy: Policy) -> float | None:
    """When `step` must be called with `Tick` at the latest; None = only a fact changes anything."""
    match state:
        case Idle(call, since, open) if call.due or (policy.greets and call.replies == 0):
            return since + (policy.max_silence if open else 0.0)
        case Idle(call, since) if policy.idle_after < inf:
            return since + (policy.idle_after if call.tries <= policy.idle_tries else 0.0)
        case Hearing(call, since) if policy.decides:
            noise_at = (state.wordless_since or since) + policy.max_hold
            is_noise = _said(state) and call.heard_until >= noise_at
            return min(since + policy.max_turn, max(noise_at, call.heard_at) if is_noise else inf)
        case Pausing(call, since) if policy.decides or state.committed or not _said(state):
            if call.heard_until < since - policy.lag_slack:
                more = state.partial or state.committed
                return max(since, call.heard_at) + (policy.max_lag if more else policy.max_silence)
            return since + silence_to_end(state, policy)
        case Overlap(quiet_since=float(quiet)) if yields(state, policy):
            return quiet + silence_to_resume(state, policy)
        case Overlap(_, _, since) if yields(state, policy):
            if said_enough(state, policy):
                return since + policy.barge_in_after
            if state.held_at is None:
                return None
            disputed = state.audible or state.kept or state.open or state.partial
            return since + (policy.max_hold if disputed else policy.max_turn)
    return None


def step(state: State, event: Event, now: float, policy: Policy) -> Step:
    """The state after `event` at `now`, and the orders. Passed deadlines count: a late final ends its turn at once."""
    if isinstance(event, Heard | Typed):
        event = replace(event, text=event.text.strip())
    if isinstance(event, Heard) and event.backchannel and not policy.decides:
        event = replace(event, backchannel=False)
    if isinstance(state, Ended) or (_is_lost(state.call) and isinstance(event, _OF_CALLER)):
        return state, ()
    before = state = replace(state, call=_noted(state.call, event, now))
    greeted: tuple[Action, ...] = ()
    if isinstance(state, Idle) and policy.greets and policy.protects_greeting and state.call.replies == 0:
        state, greeted = _expire(state, now, policy)
    if isinstance(event, Heard) and policy.decides:
        state, event = _spoken_on(state, event)
    state, actions = _move(state, event, now, policy)
    actions = (*greeted, *actions)
    while (due := deadline(state, policy)) is not None and due <= now:
        state, more = _expire(state, now, policy)
        actions += more
    state = replace(state, call=learned(before, state, now, policy))
    if policy.protects_replies and isinstance(state, Thinking | Speaking | Overlap):
        state = replace(state, protected=True)
    return judge_drafts(before, state, actions, now, policy)


def _noted(call: Call, event: Event, now: float) -> Call:
    """What a fact changes in every state."""
    match event:
        case Heard(text, final, _, until, ending):
            until, ending = min(until, now), ending if text or final else call.ending
            lag = now - until if text else call.lag
            return replace(call, heard_until=max(call.heard_until, until), heard_at=now, ending=ending, lag=lag)
        case SpeechStarted():
            return replace(call, speaking=True)
        case SpeechStopped(unheard):
            heard_until = min(call.heard_until, now - unheard) if unheard > 0 else call.heard_until
            return replace(call, heard_until=heard_until, stopped_at=now, speaking=False)
        case TurnScored(probability, until):
            return replace(call, score=probability, scored_until=min(until, now))
        case TimeLow() if not call.due:
            return replace(call, due=Cause.TIME_LOW.value, due_reply=0)
        case RecogniserLost() if not _is_lost(call):
            return replace(call, due=Cause.RECOGNISER_LOST.value, due_reply=0)
        case ReplyAudible(n) | ReplyEnded(n) if n == call.due_reply > 0 and not _is_lost(call):
            return replace(call, due="")
        case Interrupted() if call.replies == call.due_reply > 0 and not _is_lost(call):
            return replace(call, due="")
    return call


def _is_lost(call: Call) -> bool:
    return call.due == Cause.RECOGNISER_LOST.value


def _move(state: State, event: Event, now: float, policy: Policy) -> Step:
    match state, event:
        case ((Idle() | Thinking() | Speaking()), Heard()) if event.echo or (event.backchannel and not state.open):
            return dismiss(state, event)
        case ((Thinking(call, n) | Speaking(call, n)), Typed(text) | Heard(text, True)) if (
            state.protected and text and not (state.open and isinstance(event, Heard))
        ):
            overlap = Overlap(call, n, now, isinstance(state, Speaking), words=text, quiet_since=call.heard_until)
            return replace(overlap, protected=True), ()
        case Idle(call), SpeechStarted():
            return Hearing(call, now, wordless_since=now), ()
        case Idle(call, open=open), Heard() if open:  # of a turn that was answered or given up
            return (replace(state, open=""), _corrected(call.replies, open, event)) if event.final else (state, ())
        case Idle(call), Heard(text) if text:  # the detector missed it
            return _overhear(Pausing(call, now, now), event, now, policy)
        case Idle(call), Committed():  # before the detector and the recogniser noticed
            return Pausing(call, now, now, committed=True), ()
        case Idle(call), Typed(text) if text:
            return _answer(call, text)
        case Idle(call), ReplyAsked():
            return _answer(call, "", cause=Cause.ASKED)
        case Idle(call), WordsLost():
            return _answer(call, "", cause=Cause.WORDS_LOST)

        case Pausing(call), WordsLost() if not _said(state) and (policy.decides or state.committed):
            return _answer(call, "", cause=Cause.WORDS_LOST)
        case Hearing(call) | Pausing(call), RecogniserLost() | Discarded():
            return Idle(call, now), ()
        case Hearing(call) | Pausing(call), ReplyAsked():
            return _answer(call, state.words, cause=Cause.ASKED, open=state.partial, typed=state.typed)
        case Hearing() | Pausing(), Heard():
            return _absorb(state, replace(event, text="") if event.echo else event, now, policy)
        case Hearing(call, since, words, partial, settled_until, draft), SpeechStopped() | Committed():
            committed = isinstance(event, Committed)
            return Pausing(call, now, since, words, partial, settled_until, committed, draft, state.typed), ()
        case Pausing(), SpeechStarted() if state.committed and _said(state) and not policy.decides:
            return state, ()  # perhaps noise; nothing may take a commitment back
        case Pausing(call, _, began, words, partial), SpeechStarted():
            return Hearing(call, began, words, partial, typed=state.typed, wordless_since=now), ()
        case Pausing(), Committed():
            return replace(state, since=state.since if _said(state) else now, committed=True), ()
        case Hearing(call) | Pausing(call), Typed(text) if text:
            return _answer(call, state.words, open=state.partial, typed=join_words(state.typed, text))

        case Thinking(call, n, _, open), ReplyAudible(m) if m == n:
            return Speaking(call, n, open, state.protected), ()
        case Thinking(call, n), ReplyEnded(m) if m == n:
            return Idle(call, now, state.open), ()
        case Thinking(call, n, words, open), SpeechStarted():
            overlap = Overlap(call, n, now, False, words, open, protected=state.protected, typed=state.typed)
            return hold(overlap, now, policy)
        case Thinking(call, n, words, open), Heard(text, True) if open:  # its turn's own late final
            right = join_words(words, text, state.typed)
            if same_words(open, text):
                return Thinking(call, n, right), ()
            return _answer(call, right, RetractReply(n)) if right else (Idle(call, now), (RetractReply(n),))
        case Thinking(call, n, words, ""), Heard(text) if text and not state.protected:  # the detector missed it
            turn = Pausing(call, now, now, words, committed=bool(words) and not policy.decides, typed=state.typed)
            return _overhear(turn, event, now, policy, RetractReply(n))
        case Thinking(call, n, words, open), Typed(text) if text:
            return _answer(call, words, RetractReply(n), open=open, typed=join_words(state.typed, text))

        case Speaking(call, n, open), ReplyEnded(m) if m == n:
            return Idle(call, now, open), ()
        case Speaking(call, n, open), SpeechStarted():
            return hold(Overlap(call, n, now, True, open=open, protected=state.protected), now, policy)
        case Speaking(call, n, open), Heard(_, True) if open:  # too late, the answer is heard
            return replace(state, open=""), _corrected(n, open, event)
        case Speaking(call, n, ""), Heard(text, True) if text:  # the detector missed it
            if not policy.decides:
                return Overlap(call, n, now, True, words=text, quiet_since=call.heard_until), ()
            if len(text.split()) < policy.barge_in_words:
                return state, ()
            return _overhear(Pausing(call, now, now), event, now, policy, InterruptReply(n))
        case Speaking(call, n, ""), Heard(text, False) if text and yields(state, policy):
            if policy.detects and not call.speaking:  # a final will tell
                return state, ()
            return hold(Overlap(call, n, now, True, partial=text, undetected=not call.speaking), now, policy)
        case Speaking(call, n), Typed(text) if text:
            return _answer(call, text, InterruptReply(n))
        case ((Thinking(call, n) | Speaking(call, n)), Interrupted()):
            return Idle(call, now, state.open), (InterruptReply(n),)

        case Overlap(reply=n), ReplyAudible(m) if m == n:
            return replace(state, audible=True, kept="", typed=""), ()
        case Overlap(call, n, open=open), ReplyEnded(m) if m == n:  # it ended under the caller: their words stay
            if state.dismissed and state.quiet_since is not None:
                return Idle(call, now, open), ()
            return caller_turn(replace(state, kept="", open="", typed="")), ()
        case Overlap(call, n, open=open), Heard(text, True) if open and not event.echo:
            right = join_words(text, state.typed)
            if state.audible or not policy.decides or same_words(open, text):
                kept = "" if state.audible else join_words(state.kept, right)
                return replace(state, kept=kept, open="", typed=""), _corrected(n, open, event)
            return take_floor(replace(state, words=right, open="", typed=""))
        case Overlap(), Heard() if event.echo or event.backchannel:
            return dismiss(state, event)
        case Overlap(undetected=True), Heard("", True):  # it was noise
            return go_on(state)
        case Overlap(), Heard(text, True):
            spoken = hear(state, text, final=True)
            return take_floor(spoken) if text and may_interrupt(spoken, policy) else (spoken, ())
        case Overlap(open=""), Heard(text, False) if text:
            spoken = hear(state, text, final=False)
            is_late = state.quiet_since is not None and may_interrupt(spoken, policy)
            return take_floor(spoken) if is_late else (spoken, ())
        case Overlap(since=since), SpeechStarted():
            began = since if state.quiet_since is None or not policy.decides else now
            return replace(state, since=began, quiet_since=None, undetected=False), ()
        case Overlap(), SpeechStopped():
            quiet = replace(state, quiet_since=now)
            return take_floor(quiet) if may_interrupt(state, policy) else (quiet, ())
        case Overlap(), RecogniserLost():  # as good as a cough
            return go_on(state)
        case Overlap(), Committed():
            quiet = replace(state, quiet_since=state.quiet_since or now)
            return (quiet, ()) if state.protected else take_floor(quiet, committed=True)
        case Overlap(protected=True), Typed(text) if text:
            return replace(state, words=join_words(state.words, text)), ()
        case Overlap(call), Typed(text) if text:
            said = caller_turn(state)
            return _answer(call, said.words, drop(state), open=said.partial, typed=join_words(said.typed, text))
        case Overlap(call, n), Interrupted():
            return caller_turn(replace(state, kept="", open="", typed="")), (InterruptReply(n),)
    return state, ()


def _spoken_on(state: State, heard: Heard) -> tuple[State, Heard]:
    """The words that a turn was ended on have grown: its caller goes on. What a reply that was heard has answered stays
    answered; one that nobody has heard is to the first half of a sentence, and the whole of it comes again.

    Example: a turn ended on "book a table", told with stability 1.0, and the utterance goes on: "book a table for two".
    While reply 3 is thought up, that is what the turn says now; while it is heard, the caller says "for two"."""
    known = getattr(state, "open", "")
    rest = words_beyond(heard.text, known) if known and not heard.final else ""
    if known and not rest and isinstance(state, Overlap) and _is_new(state, heard):
        return replace(state, open=""), replace(heard, text=join_words(known, heard.text))
    if not rest or heard.echo or (isinstance(state, Thinking) and (state.cut_off or state.protected)):
        return state, heard
    assert isinstance(state, Idle | Thinking | Speaking | Overlap), "only these keep a partial"
    audible = state.audible if isinstance(state, Overlap) else not isinstance(state, Thinking)
    return replace(state, open=""), replace(heard, text=rest) if audible else heard


def _is_new(state: Overlap, heard: Heard) -> bool:
    """Whether words over a reply that nobody has heard are another utterance, while the final of the one that the turn
    was ended on is still to come. Example: after "five five five", over the reply, "one" and "one two"."""
    known = same_words(heard.text, state.open) or bool(words_beyond(state.open, heard.text))
    no_turn = heard.final or heard.echo or heard.backchannel or state.audible or state.protected
    return bool(heard.text) and not known and not no_turn


def _expire(state: State, now: float, policy: Policy) -> Step:
    """What happens at the deadline."""
    match state:
        case Idle(call) if _is_lost(call) and call.due_reply == call.replies > 0:
            return Ended(call, call.due), (EndCall(call.due),)
        case Idle(call) if policy.greets and call.replies == 0 and not _is_lost(call):
            return _answer(call, "", cause=Cause.GREETING, protected=policy.protects_greeting)
        case Idle(call) if call.due:
            return _answer(replace(call, due_reply=call.replies + 1), "", cause=Cause(call.due), protected=True)
        case Idle(call) if call.tries < policy.idle_tries:
            return _answer(replace(call, tries=call.tries + 1), "", cause=Cause.SILENCE)
        case Idle(call) if call.tries == policy.idle_tries and policy.says_goodbye:
            return _answer(replace(call, tries=call.tries + 1), "", cause=Cause.GOODBYE)
        case Idle(call):
            return Ended(call, "idle"), (EndCall("idle"),)
        case Hearing(call) | Pausing(call):  # noise is not a turn
            if not _said(state):
                return Idle(call, now), ()
            cut = isinstance(state, Hearing) and now >= state.since + policy.max_turn
            return _answer(call, state.words, open=state.partial, typed=state.typed, cut_off=cut)
        case Overlap(quiet_since=float()):
            return go_on(state)
        case Overlap() if needs_words(state, now, policy) and not said_enough(state, policy):
            return go_on(state) if state.undetected else release(state)
        case Overlap():
            return take_floor(state)
    raise AssertionError(f"{state!r} has no deadline")


def _answer(
    call: Call,
    words: str,
    *before: Action,
    cause: Cause = Cause.WORDS,
    open: str = "",
    protected: bool = False,
    cut_off: bool = False,
    typed: str = "",
) -> Step:
    n = call.replies + 1
    call = replace(call, replies=n, tries=0 if cause in (Cause.WORDS, Cause.ASKED) else call.tries)
    start = StartReply(n, join_words(words, open, typed), cause=cause, protected=protected)
    if not open:
        words, typed = join_words(words, typed), ""
    return Thinking(call, n, words, open, protected, cut_off, typed), (*before, start)


def _corrected(n: int, open: str, heard: Heard) -> tuple[Action, ...]:
    """The final of the turn that reply `n` has answered on the partial `open`, which nobody answers anew."""
    return (CorrectWords(n, open, heard.text),) if heard.text and not same_words(open, heard.text) else ()


def _overhear(turn: Pausing, heard: Heard, now: float, policy: Policy, *before: Action) -> Step:
    """Words without speech: the turn is as old as the audio they stand for. Or of speech that goes on since before the
    reply was begun."""
    until = min(heard.until, now)
    if turn.call.speaking and policy.decides:
        return _absorb(Hearing(turn.call, until, turn.words, typed=turn.typed), heard, now, policy, *before)
    return _absorb(replace(turn, since=until, began=until), heard, now, policy, *before)


def _absorb(state: Hearing | Pausing, heard: Heard, now: float, policy: Policy, *before: Action) -> Step:
    """What the recogniser said becomes part of the turn."""
    until = min(heard.until, now)
    if isinstance(state, Hearing) and heard.text and not same_words(heard.text, state.partial):
        state = replace(state, wordless_since=until)
    if heard.final:
        words = join_words(state.words, heard.text, state.typed)
        settled = replace(state, words=words, partial="", typed="", settled_until=until)
        caught_up = until >= now - policy.lag_slack
        if isinstance(settled, Hearing) and words and policy.end_on_final and caught_up and policy.decides:
            return Pausing(settled.call, now, settled.since, words, settled_until=until, draft=settled.draft), before
        return settled, before
    if not heard.text:
        return replace(state, settled_until=state.settled_until and max(state.settled_until, until)), before
    if isinstance(state, Pausing) and not state.committed and heard.text != state.partial:
        # Words still grow: perhaps the detector missed the caller going on. Once settled they wait no longer. Example:
        # a pause since 5.0 with end_silence = 0.3, and new words of audio until 5.6: it is a pause since 5.3.
        grown = min(until, state.began + policy.max_turn) - policy.end_silence
        state = replace(state, since=max(state.since, grown))
    return replace(state, partial=heard.text, settled_until=until if heard.stability >= 1.0 else 0.0), before


def _said(turn: Hearing | Pausing) -> bool:
    return bool(turn.words or turn.partial)
