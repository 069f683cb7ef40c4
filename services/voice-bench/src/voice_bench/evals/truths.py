"""What is true of every call, whatever happens in it? One reply at a time, a history that was heard, whole questions.

These hold for each scenario without being asked for, and for calls that are made up at random.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from math import inf

from voice_bench.evals.loudspeaker import SentAudio
from voice_bench.evals.moments import Moment, words_of
from voice_bench.evals.playing import PlayedCall

_AT_ONCE_S = 0.2
_OVER = {"reply ended", "reply interrupted", "reply retracted"}


def broken_truths(call: PlayedCall) -> list[str]:
    """What is not true of a call, a sentence each."""
    return [
        *_one_reply_at_a_time(call),
        *_each_sample_once(call),
        *_history_was_heard(call),
        *_nothing_said_twice(call),
        *_whole_questions(call),
    ]


def _one_reply_at_a_time(call: PlayedCall) -> Iterator[str]:
    """Audio of a reply comes only while it is the one that is going on."""
    alive: int | None = None
    over: set[int] = set()
    told = [moment for moment in call.moments if moment.event == "reply started" or moment.event in _OVER]
    events: list[Moment | SentAudio] = [*told, *call.sent]
    for event in sorted(events, key=lambda one: one.number):
        if isinstance(event, Moment):
            if event.event == "reply started":
                if alive is not None:
                    yield f"reply {event.reply} starts at {event.at:.2f} s while another one is going on"
                alive = event.reply
            else:
                over.add(event.reply)
                alive = None if alive == event.reply else alive
        elif event.reply in over:
            yield f"audio of reply {event.reply} comes at {event.at:.2f} s, after its end"
            return
        elif alive != event.reply:
            yield f"audio of reply {event.reply} comes at {event.at:.2f} s, and it has not started"
            return


def _each_sample_once(call: PlayedCall) -> Iterator[str]:
    """Of each reply every sample comes once, in order; after a resumed stream some may come again."""
    ends: dict[int, int] = defaultdict(int)
    resumed = any(moment.event == "link down" for moment in call.moments)
    for audio in call.sent:
        if audio.offset > ends[audio.reply] or (audio.offset < ends[audio.reply] and not resumed):
            yield f"reply {audio.reply} has a gap or repeats itself at sample {audio.offset}"
            return
        ends[audio.reply] = max(ends[audio.reply], audio.offset + audio.samples)


def _history_was_heard(call: PlayedCall) -> Iterator[str]:
    """The history holds of each reply the words that the caller heard, no more and no fewer."""
    exact = call.scenario.voice.word_times and call.scenario.client.reports and not call.scenario.client.link_delay
    ended_at = next((moment.at for moment in call.moments if moment.event == "caller hangs up"), call.seconds)
    for entry in call.history:
        if not _is_over(call, entry.n, ended_at):
            continue  # the end of the call cut it off: nobody will be shown this history
        heard = [word.text for word in call.heard_words if word.reply == entry.n]
        kept, really = words_of(entry.reply), words_of(" ".join(heard))
        slack = 0 if exact else 1 + round(4 * call.scenario.client.link_delay)
        if kept[: len(really)] != really[: len(kept)] or abs(len(kept) - len(really)) > slack:
            yield (f'the history says of reply {entry.n} "{entry.reply}", and the caller heard "{" ".join(heard)}"')


def _is_over(call: PlayedCall, n: int, ended_at: float) -> bool:
    return any(moment.event in _OVER and moment.reply == n and moment.at < ended_at for moment in call.moments)


def _nothing_said_twice(call: PlayedCall) -> Iterator[str]:
    """No word of a phrase is heard twice in one reply."""
    seen: set[tuple[int, int, int]] = set()
    for word in call.heard_words:
        place = (word.reply, word.phrase, word.place)
        if place in seen:
            yield f'"{word.text}" is heard twice in reply {word.reply}, again at {word.at:.2f} s'
            return
        seen.add(place)


def _whole_questions(call: PlayedCall) -> Iterator[str]:
    """No reply begins to sound while words that the recogniser had already told are left out of what it answers.

    Example: the turn ended on "book a table", and "for two" came before the reply to it could be heard: that reply is
    taken back. What comes of an utterance after a reply to it has begun to sound is too late (docs/turn-taking.md), and
    without a detector other words before an utterance's final may be its correction."""
    if call.scenario.session.push_to_talk:
        return  # words wait until they are committed
    told: dict[int, str] = {}
    no_turn = set(_dismissed(call))
    closed: set[int] = set()
    ended_on: dict[int, list[str]] = {}
    """What was told of each utterance when its turn ended."""
    has_detector = call.scenario.settings.get("VAD") != "none"
    turns: dict[int, str] = {}
    """What each reply answers."""
    ended, typed_at, stopped_at, began_at = "", -inf, -inf, 0.0
    at_once_s = _AT_ONCE_S + 2 * call.scenario.client.link_delay
    for moment in call.moments:
        if moment.event in ("partial", "final"):
            told[moment.utterance] = moment.text
        elif moment.event == "speech started":
            began_at = moment.at
        elif moment.event == "caller types":
            typed_at = moment.at
        elif moment.event == "caller interrupts":
            stopped_at = moment.at
        elif moment.event == "reply interrupted" and moment.at - stopped_at < at_once_s:
            closed |= told.keys()  # the stop button gives the turn up: what its final adds is too late
        elif moment.event == "turn ended":
            ended = moment.text
            ended_on = {utterance: words_of(text) for utterance, text in told.items()}
            if moment.at - typed_at < at_once_s or moment.at - began_at > call.max_turn_s - at_once_s:
                closed |= told.keys()  # it ends where the caller still speaks: the rest comes too late for it
        elif moment.event == "reply started":
            turns[moment.reply], ended = ended, ""
        elif moment.event == "reply retracted":
            turns.pop(moment.reply, None)
        elif moment.event == "reply audible":
            open_words = " ".join(
                text
                for utterance, text in told.items()
                if utterance not in closed
                and " ".join(words_of(text)) not in no_turn
                and (has_detector or words_of(text)[: len(known := ended_on.get(utterance, []))] == known)
            )
            if missing := missing_words(open_words, " ".join(turns.values())):
                yield (
                    f"reply {moment.reply} begins at {moment.at:.2f} s without "
                    f'"{" ".join(missing)}", which had been heard'
                )
                return
            closed |= told.keys()


def _dismissed(call: PlayedCall) -> Iterator[str]:
    """What the gateway took for a listener's "mhm", or for its own voice out of the loudspeaker: no turn."""
    for line in call.turn_log:
        fact = json.loads(line)
        if fact.get("backchannel") or fact.get("echo"):
            yield " ".join(words_of(fact["text"]))


def missing_words(text: str, whole: str) -> list[str]:
    """Words of `text` that are not in `whole`, each counted as often as it comes."""
    left = words_of(whole)
    missing = []
    for word in words_of(text):
        if word in left:
            left.remove(word)
        else:
            missing.append(word)
    return missing
