"""Does a reply that was begun before its turn was decided leave when it is, and else nothing of it? In virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from scripted_backends import ScriptedModel, ScriptedVoice, Step
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options, gate_policies
from voice_gateway.config_languages import deployment_languages
from voice_gateway.core import snapshot, turn_log
from voice_gateway.core.events import (
    CallEnded,
    Caller,
    CallerEnded,
    OptionsChanged,
    ReplyAudio,
    ReplyText,
    SessionEvent,
    TextTyped,
    TurnChanged,
    TurnKind,
)
from voice_gateway.core.speech_types import RecognitionOptions
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.core.turn_types import Event, Pausing, Policy
from voice_gateway.errors import Broken
from voice_gateway.metrics import Metrics
from voice_gateway.session.reply_controller import ReplySetup
from voice_gateway.session.session import CallResources, Session

pytestmark = pytest.mark.looptime

FRAME_S = 0.032
TOKEN_S, VOICE_S = 0.15, 0.08
"""First token, first audio."""
DECIDED_S = 0.5
"""From the last speech to the decision: hangover and TURN_END_SILENCE_S."""


class Ears:
    """Recogniser and detector: they notice what the test says."""

    received_s = 0.0
    open_audio = b""

    def open(self, options: RecognitionOptions | Callable[[float, float, float], None]) -> "Ears":
        if not isinstance(options, RecognitionOptions):
            self.frame = options
        return self

    def push(self, pcm16: bytes, *args: object, **how: object) -> None:
        """Nothing."""

    def trim_silence(self) -> None:
        """Nothing."""

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        """Nothing."""

    def reopen(self, *, elsewhere: bool = False) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        self.result = on_result
        await asyncio.Event().wait()


class Log:
    """A turn log in memory."""

    def __init__(self, policy: Policy) -> None:
        self.lines = [turn_log.header(policy)]

    def write(self, now: float, event: Event) -> None:
        self.lines.append(turn_log.encode(now, event))

    def change(self, now: float, policy: Policy) -> None:
        self.lines.append(turn_log.encode_policy(now, policy))

    def close(self) -> None:
        """Nothing."""


class Call:
    """One call, and what it was told when."""

    def __init__(self, model: ScriptedModel, **settings: object) -> None:
        chosen = Settings(**{"tts_sample_rate": 16_000, "turn_end_silence_s": DECIDED_S - 0.25, **settings})  # type: ignore[arg-type]
        self.clock = asyncio.get_running_loop().time
        self.model, self.voice, self.ears, self.metrics = model, ScriptedVoice(VOICE_S), Ears(), Metrics()
        self.has_headroom = True
        resources = CallResources(
            recogniser=self.ears,
            detector=self.ears,
            gate_policies=gate_policies(chosen),
            final_after_s=(0.4,),
            reply=ReplySetup(model, self.voice, 0.2, 0.1, 6.0),
            metrics=self.metrics,
            clock=self.clock,
            max_session_s=3600,
            go_away_before_s=30,
            resume_grace_s=15,
            history=50,
            languages=deployment_languages(chosen, {}),
            has_headroom=lambda: self.has_headroom,
        )
        options = call_options(chosen)
        self.log = Log(options.policy)
        self.session = Session("call", options, resources, self.log, Caller())
        self.told: list[tuple[float, SessionEvent]] = []
        self.last_speech_at = 0.0

    async def run(self) -> None:
        """Read what is told."""
        while not isinstance((event := (await self.session.outbox.take())[1]), CallEnded):
            self.told.append((self.clock(), event))

    async def speak(self, seconds: float, probability: float = 1.0) -> None:
        """Frames of speech."""
        for _ in range(round(seconds / FRAME_S)):
            await asyncio.sleep(FRAME_S)
            self.ears.received_s += FRAME_S
            self.ears.frame(probability, self.clock(), FRAME_S)
            if probability > 0.5:
                self.last_speech_at = self.clock()

    async def silence(self, seconds: float) -> None:
        """Frames of silence."""
        await self.speak(seconds, 0.0)

    def partial(self, text: str, stability: float = 1.0) -> None:
        """The recogniser's, of all it was sent."""
        self.ears.result(RecognitionResult(text, False, stability, self.ears.received_s))

    def final(self, text: str) -> None:
        """The same."""
        self.ears.result(RecognitionResult(text, True, 1.0, self.ears.received_s))

    def turns(self) -> list[tuple[TurnKind, int]]:
        """What was told of turns and replies, and of which reply."""
        speech = (TurnKind.SPEECH_STARTED, TurnKind.SPEECH_STOPPED)
        changes = [event for _, event in self.told if isinstance(event, TurnChanged)]
        return [(event.kind, event.reply) for event in changes if event.kind not in speech]

    def at(self, kind: type[SessionEvent], turn: TurnKind | None = None) -> float:
        """When the first event of this kind was told."""
        return next(
            at for at, event in self.told if isinstance(event, kind) and turn in (None, getattr(event, "kind", 0))
        )

    def drafts(self, end: str) -> float | None:
        """So many drafts came to this end."""
        return self.metrics.registry.get_sample_value("voice_drafts_total", {"end": end}) or 0

    def sample(self, name: str) -> float | None:
        """A metric."""
        return self.metrics.registry.get_sample_value(name)


@asynccontextmanager
async def call(*script: Step, **settings: object) -> AsyncGenerator[Call, None]:
    """A call that has begun, with a model that follows the script."""
    there = Call(ScriptedModel(TOKEN_S, *(script or ("Of course. Anything else? No?",))), **settings)
    there.session.attach()
    reader = asyncio.create_task(there.run(), name="reader")
    running = asyncio.create_task(there.session.run(), name="call")
    await asyncio.sleep(0.01)
    yield there
    there.session.take(CallerEnded())
    await running
    await reader


async def ask(there: Call, text: str = "book a table") -> None:
    """Speech, and 100 ms after it the first pass end of utterance."""
    await there.speak(1.0)
    await there.silence(0.1)
    there.partial(text)


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
