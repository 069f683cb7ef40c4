"""Do the words of a whole turn decide how long its caller is waited for? A session's own loop in virtual time."""

import json

import pytest
from scripted_call import Call, call
from voice_gateway.core import turn_log
from voice_gateway.core.events import TurnChanged, TurnKind
from voice_gateway.core.turn_types import Ending, Heard, ReleaseReply, StartReply

pytestmark = pytest.mark.looptime

SETTINGS = {"turn_end_silence_s": 0.15}
HANGOVER_S = 0.25


async def say(there: Call, text: str, pause_s: float) -> None:
    """A part of a turn, its final, and a pause."""
    await there.speak(0.96)
    await there.silence(0.416)
    there.final(text)
    await there.silence(pause_s - 0.416)


def ended(there: Call) -> list[str]:
    """The turns that were told to be over."""
    told = [event for _, event in there.told if isinstance(event, TurnChanged)]
    return [event.text for event in told if event.kind is TurnKind.TURN_ENDED]


def endings(there: Call) -> list[Ending]:
    """How the turn log says that the turn ended with each final."""
    facts = [turn_log.decode(line)[1] for line in there.log.lines[1:]]
    return [fact.ending for fact in facts if isinstance(fact, Heard) and fact.final]


async def test_a_number_that_is_read_out_with_pauses_is_one_turn() -> None:
    """A recogniser that ends each stretch of speech with a full stop."""
    async with call(**SETTINGS) as there:
        await say(there, "My number is five, five, five.", 1.2)
        await say(there, "One, two, three.", 1.2)
        await say(there, "Four, five, six, seven.", 2.0)
        assert ended(there) == ["My number is five, five, five. One, two, three. Four, five, six, seven."]
        assert endings(there) == [Ending.READING_OUT, Ending.READING_OUT, Ending.COMPLETE]


async def test_an_answer_is_answered_after_the_short_silence() -> None:
    async with call(**SETTINGS) as there:
        await there.speak(0.64)
        await there.silence(0.096)
        there.partial("Yes.")
        await there.silence(1.0)
        waited_s = there.at(TurnChanged, TurnKind.TURN_ENDED) - there.last_speech_at
        assert waited_s == pytest.approx(HANGOVER_S + 0.1, abs=0.04)


async def test_words_after_a_retracted_reply_are_judged_with_those_before() -> None:
    """The turn ends, nobody hears the reply, and the caller reads on."""
    async with call("Wait.", 60.0, turn_end_silence_s=0.15, turn_incomplete_silence_s=0.3) as there:
        await say(there, "Call me at my number and", 0.8)
        assert ended(there) == ["Call me at my number and"]
        await say(there, "my number is", 0.5)
        await say(there, "555", 0.5)
        await say(there, "1234567", 1.0)
        assert endings(there)[1:] == [Ending.READING_OUT, Ending.READING_OUT, Ending.UNKNOWN]
        assert ended(there)[-1] == "Call me at my number and my number is 555 1234567"


async def test_a_log_without_endings_decides_as_it_did() -> None:
    """Lines that an older gateway wrote."""
    async with call(**SETTINGS) as there:
        await say(there, "Book a table.", 1.0)
    older = []
    for line in there.log.lines:
        entry = json.loads(line)
        entry.pop("ending", None)
        older.append(json.dumps(entry))
    replayed = [(at, order) for at, order in turn_log.replay(there.log.lines) if not getattr(order, "draft", False)]
    (now,) = [at for at, order in replayed if isinstance(order, StartReply | ReleaseReply)]
    replayed = [(at, order) for at, order in turn_log.replay(older) if not getattr(order, "draft", False)]
    (before,) = [at for at, order in replayed if isinstance(order, StartReply | ReleaseReply)]
    assert before >= now
