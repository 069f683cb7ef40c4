"""Would the stories notice a mistake? Each mutant is the turn machine with one; each must fail a story."""

import inspect
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType

import pytest
import test_turns_asked
import test_turns_calls
import test_turns_dismissed
import test_turns_drafts
import test_turns_endings
import test_turns_noise
import test_turns_overlap
import test_turns_patience
import test_turns_spoken_on
from turn_player import Play, player
from voice_gateway.core import drafting, overlap, turn_silence, turn_words, turns

SOURCES = {
    module: Path(str(module.__file__)).read_text(encoding="utf-8")
    for module in (drafting, overlap, turn_silence, turn_words, turns)
}
"""The machine; what is no arrow stands in modules of its own."""

MUTANTS: dict[str, tuple[str, str]] = {
    "a reply that is asked for is not made": (
        'return _answer(call, "", cause=Cause.ASKED)',
        "return state, ()",
    ),
    "a reply that is asked for leaves out what was said": (
        "_answer(call, state.words, cause=Cause.ASKED, open=state.partial, typed=state.typed)",
        '_answer(call, "", cause=Cause.ASKED)',
    ),
    "a turn that is taken back is answered": ("RecogniserLost() | Discarded()", "RecogniserLost()"),
    "an answer that ended unheard forgets the final that is to come": (
        "return Idle(call, now, state.open), ()\n        case Thinking(call, n, words, open), SpeechStarted()",
        "return Idle(call, now), ()\n        case Thinking(call, n, words, open), SpeechStarted()",
    ),
    "no reply is heard whole": ("if policy.protects_replies and", "if False and"),
    "the late final of a protected reply's turn is a word over it": (
        "and not (state.open and isinstance(event, Heard))",
        "",
    ),
    "a reply that is asked for counts as none": (
        "tries=0 if cause in (Cause.WORDS, Cause.ASKED) else call.tries",
        "tries=0 if cause is Cause.WORDS else call.tries",
    ),
    "words that grow after their turn change nothing": (
        "    if not rest or heard.echo or",
        "    if True or heard.echo or",
    ),
    "what was answered comes again with what is said on": ("replace(heard, text=rest) if audible else heard", "heard"),
    "the longest turn never ends under a caller who speaks on": (
        "(state.cut_off or state.protected)",
        "state.protected",
    ),
    "another utterance over an unheard reply is a cough": (
        "isinstance(state, Overlap) and _is_new(state, heard)",
        "False",
    ),
    "other words are words that grow": (
        'return " ".join(words[n:]) if same_words(" ".join(words[:n]), known) else ""',
        'return " ".join(words[n:])',
    ),
    "settled words wait as long as unsettled ones": (
        "return 0.0 if policy.end_on_final or state.committed else _patience(state, policy)",
        "return 0.0 if policy.end_on_final or state.committed else policy.max_silence",
    ),
    "a committed turn waits for silence": ("policy.end_on_final or state.committed", "policy.end_on_final"),
    "finals of earlier speech settle": ("and state.settled_until >= state.since - policy.lag_slack", ""),
    "nobody waits for a recogniser that is behind": (
        "if call.heard_until < since - policy.lag_slack:",
        "if call.heard_until < 0:",
    ),
    "a lost recogniser is waited for from the end of the speech": ("max(since, call.heard_at)", "since"),
    "a burst of speech is not waited for": ("if unheard > 0 else call.heard_until", "if False else call.heard_until"),
    "noise makes the call wait for the recogniser": (
        "(policy.max_lag if more else policy.max_silence)",
        "policy.max_lag",
    ),
    "noise is answered": ("if not _said(state):\n                return Idle(call, now), ()", ""),
    "speech in a pause forgets the words": (
        "return Hearing(call, began, words, partial, typed=state.typed, wordless_since=now), ()",
        "return Hearing(call, began), ()",
    ),
    "speech in a pause keeps the words settled": (
        "return Hearing(call, began, words, partial, typed=state.typed, wordless_since=now), ()",
        "return Hearing(call, began, words, partial, state.settled_until), ()",
    ),
    "a turn begins anew after each pause": (
        "case Hearing(call, since) if policy.decides:",
        "case Hearing(call, since) if policy.decides and not state.words:",
    ),
    "the first pass end of utterance settles nothing": ("heard.stability >= 1.0", "heard.stability > 1.0"),
    "a late final never corrects": ("if same_words(open, text):", "if True:"),
    "punctuation is a correction": ("if s.isalnum() or s.isspace()", ""),
    "a late final is answered though the reply was heard": (
        "case Speaking(call, n, open), Heard(_, True) if open:",
        "case Speaking(call, n, open), Heard(_, True) if False:",
    ),
    "the late final of a short reply is a new turn": (
        "case Speaking(call, n, open), ReplyEnded(m) if m == n:\n            return Idle(call, now, open), ()",
        "case Speaking(call, n, open), ReplyEnded(m) if m == n:\n            return Idle(call, now), ()",
    ),
    "the late final of a stopped turn is a new turn": (
        "return Idle(call, now, state.open), (InterruptReply(n),)",
        "return Idle(call, now), (InterruptReply(n),)",
    ),
    "a partial interrupts though a detector heard nothing": (
        "if policy.detects and not call.speaking:",
        "if False:",
    ),
    "without a detector a partial never interrupts": (
        "Heard(text, False) if text and yields(state, policy):",
        "Heard(text, False) if False:",
    ),
    "noise without a detector takes the floor": (
        'case Overlap(undetected=True), Heard("", True):',
        'case Overlap(undetected=True), Heard("never", True):',
    ),
    "words without a detector wait for speech to stop": (
        "if not state.undetected and state.quiet_since is None",
        "if state.quiet_since is None",
    ),
    "speech holds no reply": ("if echoes or not yields(state, policy):", "if True:"),
    "a cough does not give a held reply back": (
        "resumed = () if state.held_at is None else (ResumeReply(state.reply),)",
        "resumed = ()",
    ),
    "what was heard is retracted": (
        "if state.audible else RetractReply(state.reply)",
        "if False else RetractReply(state.reply)",
    ),
    "a retracted reply takes its words along": (
        'kept, open, typed = ("", "", "") if state.audible else',
        'kept, open, typed = ("", "", "") if True else',
    ),
    "a cough is over before the recogniser has heard it": (
        "if state.call.heard_until >= (state.quiet_since or 0.0):\n        return policy.resume_after / 2",
        "if True:\n        return policy.resume_after / 2",
    ),
    "a cough waits though the recogniser is through": (
        "if state.call.heard_until >= (state.quiet_since or 0.0):\n        return policy.resume_after / 2",
        "if False:\n        return policy.resume_after / 2",
    ),
    "a late recogniser is not waited for after a cough": (
        "return min(policy.resume_after + state.call.lag",
        "return min(policy.resume_after",
    ),
    "a cough holds a reply for as long as the recogniser is late": (
        "return min(policy.resume_after + state.call.lag, max(policy.resume_after, policy.max_hold))",
        "return policy.resume_after + state.call.lag",
    ),
    "a final that nobody answers is forgotten": (
        "if heard.text and not same_words(open, heard.text) else ()",
        "if False else ()",
    ),
    "noise corrects words": (
        "if heard.text and not same_words(open, heard.text)",
        "if not same_words(open, heard.text)",
    ),
    "noise interrupts however much of it was heard": ("or state.dismissed or is_noise", "or state.dismissed"),
    "a recogniser that tells nothing hears noise": ("is_noise = has_heard and not", "is_noise = not"),
    "noise keeps a turn open": ("if is_noise else inf)", "if False else inf)"),
    "words told again are new ones": ("heard.text and not same_words(heard.text, state.partial):", "heard.text:"),
    "speech after a pause is old noise": (
        "typed=state.typed, wordless_since=now), ()",
        "typed=state.typed, wordless_since=began), ()",
    ),
    "words under noise interrupt nothing": ("if policy.detects and not call.speaking:", "if policy.detects:"),
    "who is answered in mid-speech was cut off": (
        "cut = isinstance(state, Hearing) and now >= state.since + policy.max_turn",
        "cut = isinstance(state, Hearing)",
    ),
    "coughs in a row are one long speech": (
        "began = since if state.quiet_since is None or not policy.decides else now",
        "began = since",
    ),
    "words interrupt before they last": ("return since + policy.barge_in_after", "return since"),
    "speech without words interrupts like words": (
        "return since + (policy.max_hold if disputed else policy.max_turn)",
        "return since + (policy.barge_in_after if disputed else policy.max_turn)",
    ),
    "words after the speech wait for their final": (
        "is_late = state.quiet_since is not None and",
        "is_late = False and",
    ),
    "words that are needed need not come": ("return policy.barge_in_words > 0 or state", "return state"),
    "one word is always enough": ("max(1, policy.barge_in_words) if state.audible else 1", "1"),
    "a turn that goes on needs as many words": (
        "max(1, policy.barge_in_words) if state.audible else 1",
        "max(1, policy.barge_in_words)",
    ),
    "one final without speech is always enough": ("if len(text.split()) < policy.barge_in_words:", "if False:"),
    "where words are needed a noise interrupts": ("else release(state)", "else take_floor(state)"),
    "without a detector nothing lets a held reply go on": (
        "return go_on(state) if state.undetected else release(state)",
        "return release(state)",
    ),
    "a backchannel is a turn": (
        "case Overlap(), Heard() if event.echo or event.backchannel:",
        "case Overlap(), Heard() if event.echo:",
    ),
    "echo is a turn": (
        "case Overlap(), Heard() if event.echo or event.backchannel:",
        "case Overlap(), Heard() if event.backchannel:",
    ),
    "a late backchannel is answered": ("event.echo or (event.backchannel and not state.open)", "event.echo"),
    "late echo is answered": (
        "event.echo or (event.backchannel and not state.open)",
        "event.backchannel and not state.open",
    ),
    "echo in a turn is part of it": ('replace(event, text="") if event.echo else event', "event"),
    "a long backchannel interrupts": (" or state.dismissed", ""),
    "words after a backchannel do not count": ("partial=text, dismissed=False)", "partial=text)"),
    "a reply that ends under a backchannel leaves the caller the floor": (
        "if state.dismissed and state.quiet_since is not None:",
        "if False:",
    ),
    "the final of a backchannel lets nothing go on": (
        "if heard.final and (state.quiet_since is not None or state.undetected) and not state.words:",
        "if False:",
    ),
    "a backchannel drops other words": (
        "(state.quiet_since is not None or state.undetected) and not state.words:",
        "(state.quiet_since is not None or state.undetected):",
    ),
    "push-to-talk dismisses backchannels": ("and event.backchannel and not policy.decides:", "and False:"),
    "echo keeps the reply held": ("return release(state) if heard.echo else (state, ())", "return state, ()"),
    "a backchannel does not keep the reply held": (
        "return release(state) if heard.echo else (state, ())",
        "return release(state)",
    ),
    "echo is expected nowhere": ("state.audible and 0 < state.call.echoed >", "False and 0 < state.call.echoed >"),
    "echo is expected for ever": ("> state.reply - _ECHO_REPLIES", "> state.reply - 10**6"),
    "words that began like the reply leave echo expected": (
        "state.dismissed and state.call.echoed ==",
        "False and 0 ==",
    ),
    "the greeting is not protected": ("protected=policy.protects_greeting", "protected=False"),
    "a protected reply that is heard is protected no more": (
        "return Speaking(call, n, open, state.protected), ()",
        "return Speaking(call, n, open), ()",
    ),
    "speech over a protected reply forgets that it is one": (
        "hold(Overlap(call, n, now, True, open=open, protected=state.protected)",
        "hold(Overlap(call, n, now, True, open=open)",
    ),
    "speech before a protected reply forgets that it is one": (
        "Overlap(call, n, now, False, words, open, protected=state.protected, ",
        "Overlap(call, n, now, False, words, open, ",
    ),
    "partials retract a protected reply": ("Heard(text) if text and not state.protected:", "Heard(text) if text:"),
    "a protected greeting can be lost to a quick caller": (
        "if isinstance(state, Idle) and policy.greets and policy.protects_greeting and",
        "if False and",
    ),
    "committing interrupts a protected reply": ("return (quiet, ()) if state.protected else", "return"),
    "typing interrupts a protected reply": (
        "case Overlap(protected=True), Typed(text) if text:",
        "case Overlap(protected=True), Typed(text) if False:",
    ),
    "an interrupted reply gives its words back": (
        'return replace(state, audible=True, kept="", typed=""), ()',
        "return replace(state, audible=False), ()",
    ),
    "short words over a reply are coughs": (
        "return take_floor(quiet) if may_interrupt(state, policy) else (quiet, ())",
        "return quiet, ()",
    ),
    "the reply ending under the caller forgets them": (
        'return caller_turn(replace(state, kept="", open="", typed="")), ()',
        "return Hearing(call=state.call, since=state.since), ()",
    ),
    "the stop button forgets what the caller says": (
        'return caller_turn(replace(state, kept="", open="", typed="")), (InterruptReply(n),)',
        "return Idle(call, now), (InterruptReply(n),)",
    ),
    "facts about dead replies count": (
        "case Overlap(call, n, open=open), ReplyEnded(m) if m == n:",
        "case Overlap(call, n, open=open), ReplyEnded(m):",
    ),
    "dead replies become audible": (
        "case Thinking(call, n, _, open), ReplyAudible(m) if m == n:",
        "case Thinking(call, n, _, open), ReplyAudible(m):",
    ),
    "reply numbers stand still": ("n = call.replies + 1", "n = max(call.replies, 1)"),
    "end on final believes finals of earlier speech": (
        "caught_up = until >= now - policy.lag_slack",
        "caught_up = True",
    ),
    "end on final answers without words": (
        "isinstance(settled, Hearing) and words and",
        "isinstance(settled, Hearing) and",
    ),
    "push-to-talk ends turns by itself": (
        "case Pausing(call, since) if policy.decides or",
        "case Pausing(call, since) if True or",
    ),
    "the greeting can be lost to noise": (
        "(policy.max_hold if disputed else policy.max_turn)",
        "policy.max_hold",
    ),
    "idle prompts are never forgiven": (
        "tries=0 if cause in (Cause.WORDS, Cause.ASKED) else call.tries",
        "tries=call.tries",
    ),
    "the call never ends by itself": ('return Ended(call, "idle"), (EndCall("idle"),)', "return Idle(call, now), ()"),
    "the goodbye is never said": ("call.tries == policy.idle_tries and policy.says_goodbye", "False"),
    "every call ends with a goodbye": (" and policy.says_goodbye", ""),
    "the goodbye is followed by more silence": (
        "(policy.idle_after if call.tries <= policy.idle_tries else 0.0)",
        "policy.idle_after",
    ),
    "nobody hears that the time is low": (
        "return replace(call, due=Cause.TIME_LOW.value, due_reply=0)",
        "return call",
    ),
    "the warning is said again and again": (
        "case ReplyAudible(n) | ReplyEnded(n) if n == call.due_reply > 0 and not _is_lost(call):",
        "case ReplyAudible(n) if n < call.due_reply and not _is_lost(call):",
    ),
    "a warning that fails is said again": (
        "case ReplyAudible(n) | ReplyEnded(n) if n == call.due_reply",
        "case ReplyAudible(n) if n == call.due_reply",
    ),
    "any reply counts as the warning": ("if n == call.due_reply > 0 and not _is_lost(call):", "if not _is_lost(call):"),
    "the stop button does not stop the warning": (
        "case Interrupted() if call.replies == call.due_reply > 0",
        "case Interrupted() if False",
    ),
    "the stop button takes the warning away": ("if call.replies == call.due_reply > 0 and", "if"),
    "the warning does not wait for a late final": (
        "return since + (policy.max_silence if open else 0.0)",
        "return since",
    ),
    "the warning comes before the greeting": (
        "case Idle(call) if policy.greets and call.replies == 0 and not _is_lost(call):",
        "case Idle(call) if policy.greets and call.replies == 0 and not call.due:",
    ),
    "lost words are not asked for": ("case Idle(call), WordsLost():", "case Idle(call), WordsLost() if False:"),
    "lost words are asked for in spite of words": (
        "WordsLost() if not _said(state) and (policy.decides or state.committed):",
        "WordsLost() if policy.decides or state.committed:",
    ),
    "push-to-talk asks for lost words": ("and (policy.decides or state.committed):", "and True:"),
    "words take the warning away": ("cause=Cause(call.due), protected=True)", "cause=Cause(call.due))"),
    "a lost call listens on": ("(_is_lost(state.call) and isinstance(event, _OF_CALLER))", "False"),
    "a lost call ends without a word": ("call.due_reply == call.replies > 0:", "True:"),
    "a lost call goes on for ever": (
        "return Ended(call, call.due), (EndCall(call.due),)",
        "return Idle(call, now + 1), ()",
    ),
    "the warning is the last word of a lost call": (
        "return replace(call, due=Cause.RECOGNISER_LOST.value, due_reply=0)",
        "return replace(call, due=Cause.RECOGNISER_LOST.value)",
    ),
    "a lost call waits for a turn that never ends": (
        "case Hearing(call) | Pausing(call), RecogniserLost() | Discarded():",
        "case Pausing(call), RecogniserLost() | Discarded():",
    ),
    "a held reply stays held when a call is lost": ("case Overlap(), RecogniserLost():", "case Overlap(), None:"),
    "blanks are typed turns": ("event = replace(event, text=event.text.strip())", "pass"),
    "words that grow without speech are cut off": ("since=max(state.since, grown)", "since=state.since"),
    "growing words hold settled ones up": (" - policy.end_silence\n", "\n"),
    "committing late starts the silence anew": ("state.since if _said(state) else now", "now"),
    "noise takes a commitment back": ("if state.committed and _said(state) and not policy.decides:", "if False:"),
    "words of a typed turn are said twice": (
        "return _answer(call, state.words, open=state.partial, typed=join_words(state.typed, text))",
        "return _answer(call, join_words(state.words, state.partial, text))",
    ),
    "what was typed stands before the utterance it interrupts": (
        "return _answer(call, state.words, open=state.partial, typed=join_words(state.typed, text))",
        "return _answer(call, join_words(state.words, text), open=state.partial)",
    ),
    "what was typed moves behind what is said after it": (
        "return Thinking(call, n, right), ()",
        "return Thinking(call, n, join_words(words, text), typed=state.typed), ()",
    ),
    "who speaks on after typing is cut off": ("if turn.call.speaking and policy.decides:", "if False:"),
    "words that grow forget what was typed": (
        "committed=bool(words) and not policy.decides, typed=state.typed)",
        "committed=bool(words) and not policy.decides)",
    ),
    "a held reply forgets what was typed": (
        "words, open, protected=state.protected, typed=state.typed)",
        "words, open, protected=state.protected)",
    ),
    "a draft outlives the pause": (
        "if isinstance(before, Hearing | Pausing) and before.draft is not None:",
        "if False:",
    ),
    "words may change under a draft": ("state.draft == n and same_words(words, words_of(state))", "state.draft == n"),
    "a draft outlives speech": (
        "if state.draft == n and same_words(words, words_of(state)):\n            return state, actions",
        "if same_words(words, words_of(state)):\n            return replace(state, draft=n), actions",
    ),
    "speech that stops takes the draft along": (
        "committed, draft, state.typed), ()",
        "committed, None, state.typed), ()",
    ),
    "drafts wait for the detector": (
        "if isinstance(state, Hearing | Pausing) and state.draft is None",
        "if isinstance(state, Pausing) and state.draft is None",
    ),
    "any words are drafted while the caller speaks": (
        "looks_complete and state.call.ending in (Ending.ANSWER, Ending.COMPLETE)",
        "looks_complete",
    ),
    "words of before are drafted while the caller speaks": (
        "state.settled_until > 0 and state.settled_until >= now - policy.lag_slack",
        "state.settled_until > 0",
    ),
    "long turns are drafted while the caller speaks": (" and now - state.since <= policy.draft_max_speech", ""),
    "any reply releases the draft": (
        "(StartReply(_, decided),) if same_words(words, decided):",
        "(StartReply(_, decided),):",
    ),
    "no draft is ever released": (
        "case Thinking(call), (StartReply(_, decided),) if same_words(words, decided):",
        "case Thinking(call), (StartReply(_, decided),) if False:",
    ),
    "a released draft keeps the words it was begun with": ("(ReleaseReply(n, decided),)", "(ReleaseReply(n, words),)"),
    "a released draft changes its number": ("replace(state, call=replace(call, replies=n), reply=n)", "state"),
    "a draft is heard at once": (
        "StartReply(n, words_of(state), draft=True)",
        "StartReply(n, words_of(state))",
    ),
    "drafts have no number of their own": ("replace(state.call, replies=n, drafts", "replace(state.call, drafts"),
    "a retracted draft stays": (
        "return replace(state, draft=None), (RetractReply(n), *actions)",
        "return state, (RetractReply(n), *actions)",
    ),
    "drafts are not counted": ("replies=n, drafts=state.call.drafts + 1", "replies=n"),
    "each pause has its own tries": ("isinstance(state, Idle | Speaking) or", "isinstance(state, Hearing) or"),
    "a turn that is taken up again has as many tries again": (
        "isinstance(state, Idle | Speaking) or",
        "isinstance(state, Idle | Thinking) or",
    ),
    "a call has so many drafts and no more": ("if state.call.drafts and (isinstance(", "if False and (isinstance("),
    "push-to-talk drafts": ("policy.drafts and policy.decides and", "policy.drafts and"),
    "drafts can't be switched off": ("policy.drafts and policy.decides and", "policy.decides and"),
    "long turns are drafted": (" and state.since - state.began <= policy.draft_max_speech", ""),
    "drafts wait for settled words": ("(stable or is_settled(state, policy))", "is_settled(state, policy)"),
    "settled words wait for a stable partial": ("(stable or is_settled(state, policy))", "stable"),
    "words of before count after their final": (
        "ending if text or final else call.ending",
        "ending if text else call.ending",
    ),
    "progress forgets how the words end": (" if text or final else call.ending", ""),
    "an answer waits": ("case Ending.ANSWER:", "case None:"),
    "what is read out is cut off": ("case Ending.READING_OUT:", "case None:"),
    "complete words wait longer than others": (
        "min(policy.complete_silence, policy.end_silence)\n    normal",
        "policy.complete_silence\n    normal",
    ),
    "what is read out waits less than other words": (
        "return max(policy.reading_silence, policy.end_silence)",
        "return policy.reading_silence",
    ),
    "a sentence that goes on waits less than other words": (
        "return max(policy.incomplete_silence, policy.end_silence)\n    if",
        "return policy.incomplete_silence\n    if",
    ),
    "a sentence is cut off": ("case Ending.INCOMPLETE:\n            return", "case None:\n            return"),
    "a complete sentence waits": ("if call.ending is Ending.COMPLETE:", "if False:"),
    "unsettled digits wait no longer than other words": (
        "_patience(state, policy) if _goes_on(state.call) else 0.0",
        "0.0",
    ),
    "a score of before the pause counts": (
        "call.scored_until > 0 and call.scored_until >= state.since - policy.draft_slack",
        "call.scored_until > 0",
    ),
    "no score counts": ("if call.scored_until > 0 and", "if False and"),
    "a low score ends the turn": ("is_over = call.score >= policy.complete_score", "is_over = True"),
    "a high score does not end the turn": ("is_over = call.score >= policy.complete_score", "is_over = False"),
    "a learned silence has no bound": (
        "min(_SILENCE_TO_PAUSE * _pause(call, policy), most)",
        "_SILENCE_TO_PAUSE * _pause(call, policy)",
    ),
    "a learned silence undercuts the operator's": (
        "return min(max(policy.learned_silence_min, policy.end_silence / 2), policy.end_silence)",
        "return min(policy.learned_silence_min, policy.end_silence)",
    ),
    "a learned pause becomes nothing": ("pause=max(least, _pause(", "pause=max(0.0, _pause("),
    "the silence of a caller who never pauses stays": (
        "if state.call.pause or policy.learned_silence_min < policy.end_silence:",
        "if state.call.pause:",
    ),
    "a pause within a turn teaches nothing": (
        "return _with_pause(state.call, before.call, now - before.since, policy)",
        "return state.call",
    ),
    "a retraction teaches nothing": (
        "return _with_pause(state.call, before.call, before.since - before.call.stopped_at, policy)",
        "return state.call",
    ),
    "pauses of what is read out are learned": ("if _goes_on(before) or pause <= 0", "if pause <= 0"),
    "one long pause is learned at once": ("_LEARNS, _FORGETS = 0.3, 0.1", "_LEARNS, _FORGETS = 1.0, 0.1"),
    "pauses are never forgotten": ("_pause(state.call, policy) * (1 - _FORGETS)", "_pause(state.call, policy)"),
    "complete sentences of a caller who pauses are cut off": (" + max(0.0, normal - policy.end_silence)", ""),
    "words that grow are drafted": ("stands and state.call.heard_until", "state.call.heard_until"),
    "nobody waits for the recogniser to hear the silence": (
        "stable = stands and state.call.heard_until >= state.since - policy.draft_slack",
        "stable = stands",
    ),
}


@cache
def stories() -> dict[str, Callable[..., None]]:
    """Every story that needs nothing but a player, and the parametrised one by its cases."""
    typed = test_turns_calls.test_a_typed_turn_takes_the_floor_and_loses_no_spoken_word
    found: dict[str, Callable[..., None]] = {where: partial(typed, where=where) for where in test_turns_calls.TYPED_IN}
    modules = (
        test_turns_asked,
        test_turns_calls,
        test_turns_overlap,
        test_turns_dismissed,
        test_turns_endings,
        test_turns_drafts,
        test_turns_spoken_on,
        test_turns_noise,
        test_turns_patience,
    )
    for module in modules:
        for name, story in vars(module).items():
            if name.startswith("test_") and list(inspect.signature(story).parameters) == ["play"]:
                found[name] = story
    return found


def mutant(old: str, new: str) -> ModuleType:
    """The turn machine with `new` for `old`."""
    found = [module for module, source in SOURCES.items() if old in source]
    assert len(found) == 1, f"a mutant replaces text of one module: {old!r}"
    assert SOURCES[found[0]].count(old) == 1, f"a mutant replaces text that must stand there once: {old!r}"
    machine = ModuleType("mutant")
    _run(machine, SOURCES[turns].replace(old, new))
    if found != [turns]:
        steps = ModuleType("mutant of a part")
        _run(steps, SOURCES[found[0]].replace(old, new))
        vars(machine).update({name: step for name, step in vars(steps).items() if name in vars(machine)})
    return machine


def _run(module: ModuleType, source: str) -> None:
    exec(compile(source, module.__name__, "exec"), vars(module))


def failed(play: Play) -> str | None:
    """The first story that does not come out."""
    for name, story in stories().items():
        try:
            story(play)
        except Exception:
            return name
    return None


def test_the_machine_itself_passes_every_story() -> None:
    assert len(stories()) > 130
    assert failed(player(turns)) is None


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_a_story(name: str) -> None:
    assert failed(player(mutant(*MUTANTS[name]))) is not None, f"survived: {name}"
