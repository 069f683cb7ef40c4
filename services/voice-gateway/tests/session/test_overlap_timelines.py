"""Is one reply audible at a time, and the history what was played, whatever a caller does? Random calls."""

import asyncio
import random

import pytest
from scripted_call import FRAME_S, LONG, Call, call, heard, number_samples, progress
from voice_gateway.core.events import (
    CallerEnded,
    InterruptRequested,
    PlayoutReported,
    ReplyAudio,
    ReplyTruncated,
    TextTyped,
    TurnChanged,
    TurnCommitted,
    TurnKind,
)

pytestmark = pytest.mark.looptime

TIMELINES = 30
SHORT = " ".join(LONG.split()[:40])
"""12 s."""
SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"turn_barge_in_words": 2},
    {"turn_preemptive": False},
    {"vad": "none"},
)
_OVER = (TurnKind.REPLY_ENDED, TurnKind.REPLY_INTERRUPTED, TurnKind.REPLY_RETRACTED)


class RandomCaller:
    """A caller who does anything at any time, and a recogniser that is early, late or wrong."""

    def __init__(self, there: Call, seed: int) -> None:
        self.there = there
        self.random = random.Random(seed)
        self.words = 0

    def word(self) -> str:
        self.words += 1
        return f"word{self.words}"

    async def act(self) -> None:
        there, chance = self.there, self.random
        act = chance.choice(
            ["cough", "hum", "speak", "speak", "silent", "type", "interrupt", "commit", "drop", "report"]
        )
        if act == "cough":
            await there.speak(chance.uniform(0.05, 0.6))
            await there.silence(chance.uniform(0.1, 1.0))
            progress(there)
        elif act == "hum":
            await there.speak(0.3)
            await there.silence(chance.uniform(0.0, 0.6))
            there.final(chance.choice(["mhm", "okay", "yeah"]))
        elif act == "speak":
            text = " ".join(self.word() for _ in range(chance.randint(1, 4)))
            await there.speak(chance.uniform(0.2, 1.2))
            if chance.random() < 0.7:
                there.partial(text, chance.choice([0.5, 1.0]))
            await there.silence(chance.uniform(0.0, 0.8))
            there.final(text)
        elif act == "silent":
            await there.silence(chance.uniform(0.1, 6.0))
        elif act == "type":
            there.session.take(TextTyped(self.word()))
        elif act == "interrupt":
            there.session.take(InterruptRequested())
        elif act == "commit":
            there.session.take(TurnCommitted())
        elif act == "drop":
            there.session.detach(returns=True)
            await asyncio.sleep(chance.uniform(0.1, 3.0))
            there.session.attach()
            there.session.take(TextTyped(""))
        else:
            replies = [event.n for _, event in there.told if isinstance(event, ReplyAudio)]
            samples = chance.randint(0, 60_000)
            if replies and chance.random() < 0.5:
                there.session.take(PlayoutReported(replies[-1], samples, 0, final=chance.random() < 0.3))
            elif replies:
                there.session.take(ReplyTruncated(replies[-1], samples // 16))
        await there.silence(FRAME_S)


def check(there: Call) -> None:
    """All that must be true of a call."""
    live: int | None = None
    amended: dict[int, str] = {}
    for _, event in there.told:
        if isinstance(event, ReplyAudio):
            assert event.n == live, f"audio of reply {event.n} while reply {live} has the floor"
        if isinstance(event, TurnChanged) and event.kind is TurnKind.REPLY_STARTED:
            assert live is None, f"reply {event.reply} began while reply {live} had the floor"
            live = event.reply
        if isinstance(event, TurnChanged) and event.kind in _OVER:
            assert event.reply == live
            live = None
            amended[event.reply] = event.text or event.heard_text
        if isinstance(event, TurnChanged) and event.kind is TurnKind.REPLY_TRUNCATED:
            amended[event.reply] = event.heard_text
    held = [event.kind for _, event in there.told if isinstance(event, TurnChanged)]
    assert held.count(TurnKind.REPLY_HELD) >= held.count(TurnKind.REPLY_RESUMED)
    for n in amended:
        heard(there, n)
    exchanges = there.session.snapshot().exchanges
    for entry in exchanges:
        assert entry.reply == amended.get(entry.n, ""), f"reply {entry.n}: history and events differ"
        assert SHORT.startswith(entry.reply) or not entry.words
    said = [word for entry in exchanges for word in entry.words.split() if word.startswith("word")]
    assert len(said) == len(set(said)), "words are answered twice"


@pytest.mark.parametrize("seed", range(TIMELINES))
async def test_no_timeline_makes_two_replies_audible_or_the_history_wrong(seed: int) -> None:
    chosen = random.Random(seed).choice(SETTINGS)
    async with call(SHORT, **chosen) as there:
        number_samples(there)
        caller = RandomCaller(there, seed)
        for _ in range(30):
            await caller.act()
        await there.silence(20.0)
        check(there)
        there.session.take(CallerEnded())
