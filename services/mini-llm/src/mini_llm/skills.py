"""What does the agent have to find out or work out before it can answer?

A skill takes the situation and what was meant, and gives the variant of the answer and its fields.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from mini_llm.arithmetic import TooBig, evaluate, in_words
from mini_llm.conversation import Conversation
from mini_llm.intent_matching import Meaning, understand
from mini_llm.interrupted_reply import Replay, cut_off, last_reply, last_word, left_unsaid
from mini_llm.number_words import LARGEST, date_words, number_words, time_words, year_words
from mini_llm.rulebook import Rulebook

MOST_COUNTED = 101
"""Numbers in one answer at most: from zero to one hundred."""

LONGEST_SPELLED = 30
"""Letters at most."""

SHORTENED_WORDS = 20
"""Words of the caller that are repeated at most."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a skill may look at."""

    talk: Conversation
    """Up to and including the message to be answered."""
    now: datetime
    replay: Replay
    rulebook: Rulebook


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which answer, and what to fill in."""

    variant: str = "plain"
    fields: Mapping[str, str] = field(default_factory=dict)


Skill = Callable[[Situation, Meaning], Outcome]


def shortened(text: str) -> str:
    """What the caller said, fit to be said back: not too many words, and no full stop at its end."""
    words = text.split()
    more = " and so on" if len(words) > SHORTENED_WORDS else ""
    return " ".join(words[:SHORTENED_WORDS]).rstrip(".,;:?!- ") + more


def recall_value(texts: Iterable[str], intent: str) -> str:
    """The value the caller told last with that intent ("tell_name"), "" when never."""
    for text in reversed(tuple(texts)):
        for meaning in reversed(understand(text)):
            if meaning.intent.name == intent:
                return _value(meaning)
    return ""


def _value(meaning: Meaning) -> str:
    name = meaning.slot("name", "sure_name", "city")
    return (name if name != name.lower() else name.title()) or meaning.slot("color").lower()


def _plain(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome()


def _remember(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome(fields={"value": _value(meaning)})


def _recall(intent: str) -> Skill:
    def recall(situation: Situation, meaning: Meaning) -> Outcome:
        return _known_or_not(recall_value(situation.talk.user_texts, intent))

    return recall


def _said_before(position: int) -> Skill:
    def recall(situation: Situation, meaning: Meaning) -> Outcome:
        earlier = situation.talk.user_texts[:-1]
        return _known_or_not(shortened(earlier[position]) if earlier else "")

    return recall


def _say_again(situation: Situation, meaning: Meaning) -> Outcome:
    """The whole of the last reply, also what a barge-in cut off."""
    last = last_reply(situation.talk)
    if last is None:
        return _known_or_not("")
    index, heard = last
    before = situation.talk.before(index)
    full = situation.replay(before) if before.messages and before.messages[-1].role == "user" else heard
    return _known_or_not(full if left_unsaid(full, heard) else heard)


def _continue(situation: Situation, meaning: Meaning) -> Outcome:
    return _known_or_not(_unsaid(situation))


def _cut_off(situation: Situation, meaning: Meaning) -> Outcome:
    last = last_reply(situation.talk)
    if last is None or not _unsaid(situation):
        return _known_or_not("")
    return _known_or_not(last_word(last[1]))


def _unsaid(situation: Situation) -> str:
    stories = situation.rulebook.intent("story").answers["plain"]
    talk = situation.talk.before(situation.talk.last_user_index)
    return cut_off(talk, situation.replay, stories, _is_continuing)


def _is_continuing(text: str) -> bool:
    return any(meaning.intent.skill == "continue" for meaning in understand(text))


def _known_or_not(value: str) -> Outcome:
    return Outcome("known", {"value": value}) if value else Outcome("unknown")


def _clock(situation: Situation, meaning: Meaning) -> Outcome:
    now, tomorrow = situation.now, situation.now + timedelta(days=1)
    year = year_words(now.year)
    return Outcome(
        fields={
            "time": time_words(now),
            "today": f"{date_words(now)}, {year}",
            "tomorrow": date_words(tomorrow),
            "month": f"{now:%B}",
            "year": year,
        }
    )


def _sum(situation: Situation, meaning: Meaning) -> Outcome:
    text = meaning.slot("sum") or f"{meaning.slot('number')} squared"
    try:
        value = evaluate(text)
    except ZeroDivisionError:
        return Outcome("zero")
    except TooBig:
        return Outcome("too_big")
    return Outcome(fields={"question": _sentence(in_words(text)), "result": number_words(value)})


def _count(situation: Situation, meaning: Meaning) -> Outcome:
    words = meaning.values("number")
    return _count_between(words[0] if len(words) > 1 else "1", words[-1])


def _count_down(situation: Situation, meaning: Meaning) -> Outcome:
    return _count_between(meaning.slot("number"), "0")


def _count_between(*ends: str) -> Outcome:
    first, last = (Fraction(end.replace("minus ", "-")) for end in ends)
    if first.denominator != 1 or last.denominator != 1:
        return Outcome("unclear")
    if abs(last - first) >= MOST_COUNTED or max(abs(first), abs(last)) > LARGEST:
        return Outcome("too_far")
    step = 1 if last >= first else -1
    numbers = [number_words(number) for number in range(int(first), int(last) + step, step)]
    tens = [", ".join(numbers[start : start + 10]) for start in range(0, len(numbers), 10)]
    return Outcome(fields={"numbers": " ".join(f"{_sentence(ten)}." for ten in tens)})


def _spell(situation: Situation, meaning: Meaning) -> Outcome:
    word = meaning.slot("word")
    word = re.sub(r"\W", "", number_words(Fraction(word)) if word.isdecimal() else word)[:LONGEST_SPELLED]
    return Outcome(fields={"word": word.capitalize(), "letters": ", ".join(word.upper())})


def _repeat_after_me(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome(fields={"phrase": _sentence(meaning.slot("phrase"))})


def _chance(situation: Situation, meaning: Meaning) -> Outcome:
    """Chance is the clock: the same moment gives the same throw, so that an answer can be worked out again."""
    ticks = situation.now.microsecond // 1000 + situation.now.second
    return Outcome(fields={"coin": ("heads", "tails")[ticks % 2], "dice": number_words(ticks % 6 + 1)})


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


SKILLS: Mapping[str, Skill] = {
    "plain": _plain,
    "remember": _remember,
    "recall_name": _recall("tell_name"),
    "recall_color": _recall("tell_color"),
    "recall_city": _recall("tell_city"),
    "said_before": _said_before(-1),
    "said_first": _said_before(0),
    "say_again": _say_again,
    "continue": _continue,
    "cut_off": _cut_off,
    "clock": _clock,
    "sum": _sum,
    "count": _count,
    "count_down": _count_down,
    "spell": _spell,
    "repeat_after_me": _repeat_after_me,
    "chance": _chance,
}
