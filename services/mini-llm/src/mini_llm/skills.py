"""What does the agent have to find out or work out before it can answer?

A skill takes the situation and what was meant, and gives the variant of the answer and its fields.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from mini_llm.conversation import Conversation
from mini_llm.hearing import Meaning, speakable, understand
from mini_llm.numbers import LARGEST, fraction_words, number_words, parse_number
from mini_llm.resuming import Replay, cut_off, last_reply, last_word, left_unsaid
from mini_llm.rulebook import Rulebook
from mini_llm.spoken_time import date_words, month_words, time_words, year_words

MOST_COUNTED = 101
"""Numbers in one answer at most: from zero to one hundred."""

SHORTENED_WORDS = 30
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

_NAMES = ("name", "known_name", "city")


def shortened(text: str) -> str:
    """What the caller said, fit to be said back: at most thirty words, no full stop at its end."""
    words = speakable(text).split()
    return " ".join(words[:SHORTENED_WORDS]).rstrip(" .,;:?!-")


def recalled(texts: Iterable[str], intent: str) -> str:
    """The value the caller told last with that intent ("tell_name"), "" when never."""
    for text in reversed(tuple(texts)):
        for meaning in reversed(understand(text)):
            if meaning.intent.name == intent:
                return _value(meaning)
    return ""


def _value(meaning: Meaning) -> str:
    name = next((words for slot, words in meaning.slots if slot in _NAMES), "")
    return name.title() or meaning.slot("color")


def _plain(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome()


def _remember(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome(fields={"value": _value(meaning)})


def _recall(told: str) -> Skill:
    def recall(situation: Situation, meaning: Meaning) -> Outcome:
        return _known(recalled(situation.talk.user_texts, told))

    return recall


def _said_before(situation: Situation, meaning: Meaning) -> Outcome:
    earlier = situation.talk.user_texts[:-1]
    return _known(shortened(earlier[-1]) if earlier else "")


def _said_first(situation: Situation, meaning: Meaning) -> Outcome:
    earlier = situation.talk.user_texts[:-1]
    return _known(shortened(earlier[0]) if earlier else "")


def _say_again(situation: Situation, meaning: Meaning) -> Outcome:
    """The whole of the last reply, also what a barge-in cut off."""
    last = last_reply(situation.talk)
    if last is None:
        return _known("")
    index, heard = last
    before = situation.talk.before(index)
    full = situation.replay(before) if before.messages and before.messages[-1].role == "user" else heard
    return _known(full if left_unsaid(full, heard) else heard)


def _continue(situation: Situation, meaning: Meaning) -> Outcome:
    return _known(_unsaid(situation))


def _cut_off(situation: Situation, meaning: Meaning) -> Outcome:
    last = last_reply(situation.talk)
    if last is None or not _unsaid(situation):
        return _known("")
    return _known(last_word(last[1]))


def _unsaid(situation: Situation) -> str:
    stories = situation.rulebook.intent("story").answers["plain"]
    talk = situation.talk.before(situation.talk.last_user_index)
    return cut_off(talk, situation.replay, stories, _is_continuing)


def _is_continuing(text: str) -> bool:
    return any(meaning.intent.skill == "continue" for meaning in understand(text))


def _known(value: str) -> Outcome:
    return Outcome("known", {"value": value}) if value else Outcome("unknown")


def _time(situation: Situation, meaning: Meaning) -> Outcome:
    return Outcome(fields={"time": time_words(situation.now)})


def _date(situation: Situation, meaning: Meaning) -> Outcome:
    today = situation.now.date()
    return Outcome(
        fields={
            "today": f"{date_words(today)}, {year_words(today.year)}",
            "tomorrow": date_words(today + timedelta(days=1)),
            "month": month_words(today),
            "year": year_words(today.year),
        }
    )


def _sum(situation: Situation, meaning: Meaning) -> Outcome:
    numbers = [parse_number(words) for words in meaning.values("number")]
    if len(numbers) != 2 or None in numbers:
        return Outcome("unclear")
    left, right = (Fraction(number or 0) for number in numbers)
    operation = meaning.slot("operation")
    if operation in ("divided by", "over") and right == 0:
        return Outcome("zero")
    result = _calculate(left, operation, right)
    if max(abs(left), abs(right), abs(result)) > LARGEST:
        return Outcome("too_big")
    question = f"{fraction_words(left)} {operation} {fraction_words(right)}"
    return Outcome(fields={"question": _sentence(question), "result": fraction_words(result)})


def _calculate(left: Fraction, operation: str, right: Fraction) -> Fraction:
    match operation:
        case "plus":
            return left + right
        case "minus":
            return left - right
        case "divided by" | "over":
            return left / right
        case _:
            return left * right


def _square(situation: Situation, meaning: Meaning) -> Outcome:
    number = parse_number(meaning.slot("number"))
    if number is None:
        return Outcome("unclear")
    if number * number > LARGEST:
        return Outcome("too_big")
    question = f"{fraction_words(number)} squared"
    return Outcome(fields={"question": _sentence(question), "result": fraction_words(number * number)})


def _count(situation: Situation, meaning: Meaning) -> Outcome:
    words = meaning.values("number")
    return _counted(words[0] if len(words) > 1 else "one", words[-1])


def _count_down(situation: Situation, meaning: Meaning) -> Outcome:
    return _counted(meaning.slot("number"), "zero")


def _counted(first_words: str, last_words: str) -> Outcome:
    first, last = parse_number(first_words), parse_number(last_words)
    if first is None or last is None or first.denominator != 1 or last.denominator != 1:
        return Outcome("unclear")
    if abs(last - first) >= MOST_COUNTED or max(abs(first), abs(last)) > LARGEST:
        return Outcome("too_far")
    step = 1 if last >= first else -1
    numbers = [number_words(number) for number in range(int(first), int(last) + step, step)]
    tens = [", ".join(numbers[start : start + 10]) for start in range(0, len(numbers), 10)]
    return Outcome(fields={"numbers": " ".join(f"{_sentence(ten)}." for ten in tens)})


def _spell(situation: Situation, meaning: Meaning) -> Outcome:
    word = re.sub(r"\W", "", meaning.slot("word"))[:SHORTENED_WORDS]
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
    "said_before": _said_before,
    "said_first": _said_first,
    "say_again": _say_again,
    "continue": _continue,
    "cut_off": _cut_off,
    "time": _time,
    "date": _date,
    "sum": _sum,
    "square": _square,
    "count": _count,
    "count_down": _count_down,
    "spell": _spell,
    "repeat_after_me": _repeat_after_me,
    "chance": _chance,
}
