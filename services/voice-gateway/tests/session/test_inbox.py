"""What waits for the turn machine keeps its order, loses no word and stays small."""

import asyncio

import pytest
from voice_gateway.core.events import CallEnded, EndReason
from voice_gateway.core.turn_types import Event, Heard, SpeechStarted, SpeechStopped, Tick
from voice_gateway.session.inbox import Inbox, InboxFull


async def waiting(inbox: Inbox) -> list[Event | CallEnded]:
    """Everything in the inbox."""
    found: list[Event | CallEnded] = []
    inbox.put(CallEnded(EndReason.IDLE))
    while not isinstance(fact := await inbox.get(), CallEnded):
        found.append(fact)
    return found


async def filled(*facts: Event) -> list[Event | CallEnded]:
    """What is left of `facts` when nobody reads meanwhile."""
    inbox = Inbox()
    for fact in facts:
        inbox.put(fact)
    return await waiting(inbox)


def partial(text: str, until: float, stability: float = 0.5) -> Heard:
    return Heard(text, False, stability, until)


async def test_facts_come_out_in_the_order_they_went_in() -> None:
    facts: list[Event] = [SpeechStarted(), SpeechStopped(), Tick()]
    assert await filled(*facts) == facts


async def test_partials_nobody_has_looked_at_become_the_last_one() -> None:
    assert await filled(partial("a", 1.0), partial("a b", 1.1), partial("a b c", 1.2)) == [partial("a b c", 1.2)]


async def test_progress_without_words_does_not_swallow_the_words_before_it() -> None:
    assert await filled(partial("a b", 1.0), partial("", 1.2)) == [partial("a b", 1.2)]
    assert await filled(partial("", 1.0), partial("", 1.2)) == [partial("", 1.2)]
    assert await filled(partial("", 1.0), partial("a", 1.2)) == [partial("a", 1.2)]


async def test_finals_are_never_joined() -> None:
    finals = [Heard("a", True), Heard("b", True)]
    assert await filled(partial("a", 1.0), *finals, partial("c", 2.0)) == [
        partial("a", 1.0),
        *finals,
        partial("c", 2.0),
    ]


async def test_a_partial_that_ends_its_utterance_is_never_joined() -> None:
    stable = partial("a", 1.1, stability=1.0)
    facts = [partial("a", 1.0), stable, partial("a b", 1.2)]
    assert await filled(*facts) == facts
    assert await filled(stable, stable) == [stable, stable]


async def test_partials_before_and_after_another_fact_stay_apart() -> None:
    facts: list[Event] = [partial("a", 1.0), SpeechStopped(), partial("b", 2.0)]
    assert await filled(*facts) == facts


async def test_a_full_inbox_refuses_facts_but_not_the_end_of_the_call() -> None:
    inbox = Inbox(limit=2)
    inbox.put(Tick())
    inbox.put(partial("a", 1.0))
    with pytest.raises(InboxFull):
        inbox.put(Tick())
    inbox.put(partial("b", 2.0))  # takes no room
    assert await waiting(inbox) == [Tick(), partial("b", 2.0)]


async def test_a_reader_waits_for_the_next_fact() -> None:
    inbox = Inbox()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reader.done()
    inbox.put(Tick())
    assert await reader == Tick()


async def test_while_paused_only_the_end_of_the_call_comes_out() -> None:
    inbox = Inbox()
    inbox.pause()
    inbox.put(SpeechStopped())
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reader.done()
    end = CallEnded(EndReason.CALLER_GONE)
    inbox.put(end)
    assert await reader == end


async def test_what_came_in_a_pause_comes_out_after_it() -> None:
    inbox = Inbox()
    inbox.pause()
    inbox.put(SpeechStopped())
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.go_on()
    assert await reader == SpeechStopped()
