"""Does a reply that was begun before its turn was decided leave when it is, and else nothing of it? In virtual time."""

import asyncio
from dataclasses import replace

import pytest
from scripted_call import DECIDED_S, TOKEN_S, VOICE_S, ask, call
from voice_gateway.core import snapshot, turn_log
from voice_gateway.core.events import (
    OptionsChanged,
    ReplyAudio,
    ReplyText,
    TextTyped,
    TurnChanged,
    TurnKind,
)
from voice_gateway.core.turn_states import Pausing
from voice_gateway.errors import Broken

pytestmark = pytest.mark.looptime


async def test_the_audio_of_a_draft_leaves_when_the_turn_is_decided() -> None:
    async with call() as there:
        await ask(there)
        await there.silence(1.0)
        decided_at = there.at(TurnChanged, TurnKind.TURN_ENDED)
        assert decided_at - there.last_speech_at == pytest.approx(DECIDED_S, abs=0.04)
        assert there.at(ReplyAudio) - decided_at <= 0.002
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1)]
        assert len(there.model.chats) == 1
        assert there.drafts("released") == 1
        assert there.sample("voice_draft_ahead_seconds_sum") == pytest.approx(DECIDED_S - 0.25, abs=0.04)


async def test_without_preemption_the_same_turn_waits_for_both_backends() -> None:
    async with call(turn_preemptive=False) as there:
        await ask(there)
        await there.silence(1.0)
        waited_s = there.at(ReplyAudio) - there.at(TurnChanged, TurnKind.TURN_ENDED)
        assert waited_s == pytest.approx(TOKEN_S + VOICE_S, abs=0.005)
        assert there.drafts("released") == there.drafts("retracted") == 0


async def test_nothing_is_told_of_a_draft_before_its_turn_is_decided_and_only_its_first_phrase_is_made() -> None:
    async with call(turn_end_silence_s=2.0) as there:
        await ask(there)
        await there.silence(1.0)
        assert there.turns() == []
        assert there.voice.phrases == ["Of course."]
        assert there.model.closed == 1
        await there.silence(3.0)
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1)]
        assert there.voice.phrases == ["Of course.", "Anything else?", "No?"]
        text = "".join(event.delta for _, event in there.told if isinstance(event, ReplyText))
        assert text == "Of course. Anything else? No?"
        assert [event.turn for _, event in there.told if isinstance(event, TurnChanged)][-1] == 1
        assert there.session.snapshot().turn == 2


async def test_a_caller_who_goes_on_hears_nothing_of_the_draft_and_its_calls_are_cancelled() -> None:
    async with call("Of course. And", 60.0, "never.", turn_end_silence_s=1.0) as there:
        await ask(there)
        await there.silence(0.6)
        assert there.voice.phrases == ["Of course."]
        assert there.model.closed == 0
        there.final("book a table")
        await there.speak(0.2)
        assert (there.model.closed, there.voice.given_back) == (1, 1)
        assert there.turns() == []
        assert not [event for _, event in there.told if isinstance(event, ReplyText | ReplyAudio)]
        assert there.drafts("retracted") == 1
        assert there.sample("voice_draft_wasted_pieces_total") == 1
        await there.speak(0.8)
        await there.silence(0.1)
        there.final("for two")
        await there.silence(2.0)
        assert [chat[-1].content for chat in there.model.chats] == ["book a table", "book a table for two"]
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 2)]
        assert [(entry.n, entry.words) for entry in there.session.snapshot().exchanges] == [(2, "book a table for two")]


async def test_the_turn_is_told_as_it_was_decided() -> None:
    async with call() as there:
        await ask(there, "book a table")
        await there.silence(0.25)
        there.final("Book a table.")
        await there.silence(1.0)
        (ended,) = [e for _, e in there.told if isinstance(e, TurnChanged) and e.kind is TurnKind.TURN_ENDED]
        assert (ended.text, ended.turn) == ("Book a table.", 1)
        assert [chat[-1].content for chat in there.model.chats] == ["book a table"]
        assert there.session.snapshot().exchanges[0].words == "Book a table."


async def test_a_draft_whose_model_failed_is_begun_anew_and_its_failure_told_to_nobody() -> None:
    async with call() as there:
        there.model.script = (0.1, Broken("llm", "it broke"))
        await ask(there)
        await there.silence(0.3)
        assert there.model.closed == 1
        there.model.script = ("All right.",)
        await there.silence(1.5)
        assert there.turns()[:3] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1), (TurnKind.REPLY_ENDED, 1)]
        assert there.session.snapshot().exchanges[0].reply == "All right."
        assert there.drafts("retracted") == 1
        assert there.sample("voice_failures_total") is None


async def test_a_draft_does_not_outlive_a_change_of_the_options() -> None:
    async with call() as there:
        await ask(there)
        await there.silence(0.25)
        there.session.take(OptionsChanged(replace(there.session.options, system_prompt="Be brief.")))
        await there.silence(1.0)
        assert [chat[0].content for chat in there.model.chats][1:] == ["Be brief."]
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1)]


async def test_typing_in_the_pause_is_answered_with_what_was_said() -> None:
    async with call() as there:
        await ask(there)
        there.final("book a table")
        await there.silence(0.25)
        there.session.take(TextTyped("for two"))
        await there.silence(1.0)
        assert there.model.chats[-1][-1].content == "book a table for two"
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 2)]
        assert there.session.snapshot().turn == 2


async def test_a_gateway_without_headroom_begins_no_draft_and_its_turn_log_says_so() -> None:
    async with call() as there:
        there.has_headroom = False
        await ask(there)
        await there.silence(1.0)
        assert there.drafts("released") == 0
        there.has_headroom = True
        await there.silence(1.5)
        await ask(there, "for two")
        await there.silence(1.0)
        assert there.drafts("released") == 1
        assert len(there.model.chats) == 2
        orders = [type(order).__name__ for _, order in turn_log.replay(there.log.lines)]
        assert orders == ["StartReply", "StartReply", "ReleaseReply"]


async def test_while_the_caller_is_away_a_draft_stays_one() -> None:
    async with call() as there:
        await ask(there)
        await there.silence(0.25)
        there.session.detach(returns=True)
        await asyncio.sleep(2.0)
        assert there.turns() == []
        there.session.attach()
        there.session.take(TextTyped(""))
        await asyncio.sleep(1.0)
        assert there.turns()[:2] == [(TurnKind.TURN_ENDED, 0), (TurnKind.REPLY_STARTED, 1)]
        assert there.at(ReplyAudio) - there.at(TurnChanged, TurnKind.TURN_ENDED) <= 0.002


async def test_a_call_that_ends_over_a_draft_leaves_nothing_of_it() -> None:
    async with call("Of course. ", 60.0, turn_end_silence_s=2.0) as there:
        await ask(there)
        await there.silence(0.5)
    assert (there.model.closed, there.voice.given_back) == (1, 1)
    assert there.drafts("retracted") == 1
    assert there.session.snapshot().exchanges == ()


async def test_a_snapshot_carries_the_draft() -> None:
    async with call(turn_end_silence_s=2.0) as there:
        await ask(there)
        await there.silence(0.5)
        read = snapshot.from_json(snapshot.to_json(there.session.snapshot()))
        assert isinstance(read.state, Pausing)
        assert (read.state.draft, read.state.call.drafts, read.unheard, read.exchanges) == (1, 1, None, ())
