"""A whole call in virtual time: the test plays its caller, and backends that follow a script stand behind it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count, islice, product

from scripted_backends import ScriptedModel, ScriptedVoice, Step
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options, gate_policies
from voice_gateway.config_languages import deployment_languages
from voice_gateway.core import turn_log
from voice_gateway.core.events import (
    CallEnded,
    Caller,
    CallerEnded,
    ReplyAudio,
    SessionEvent,
    TurnChanged,
    TurnKind,
)
from voice_gateway.core.speech_types import RecognitionOptions, SynthesisedAudio
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import Event
from voice_gateway.metrics import Metrics
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.session import CallResources, Session

FRAME_S = 0.032
TOKEN_S, VOICE_S = 0.15, 0.08
"""First token, first audio."""
DECIDED_S = 0.5
"""From the last speech to the decision: hangover and TURN_END_SILENCE_S."""


class Ears:
    """Recogniser and detector: they notice what the test says."""

    received_s = 0.0
    behind_s = 0.0
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

    def close_input(self) -> None:
        """Nothing here ends with its input."""

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


RATE_HZ = 16_000
WORD_S = 0.3
_WORDS = ["".join(letters) for letters in islice(product("bdfgklmnprst", "aeiou", "bdfgklmnprst"), 0, 720, 2)]
LONG = " ".join(" ".join(_WORDS[at : at + 6]).capitalize() + "." for at in range(0, len(_WORDS), 6))
"""360 words, no two alike: 108 s."""


def number_samples(there: Call) -> None:
    """From now on every sample that the voice makes is another one than those around it."""
    numbers = count()

    async def synthesise(phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        for at, word in enumerate(phrase.split(), 1):
            samples = islice(numbers, round(WORD_S * RATE_HZ))
            pcm16 = b"".join((number % 30_011).to_bytes(2, "little") for number in samples)
            yield SynthesisedAudio(pcm16, ((word, at * WORD_S),))

    there.voice.synthesise = synthesise  # type: ignore[method-assign]


def heard(there: Call, n: int = 1) -> bytes:
    """The audio of reply `n` as it came, every sample once and in order."""
    audio = b""
    for _, event in there.told:
        if isinstance(event, ReplyAudio) and event.n == n:
            assert event.offset * 2 == len(audio)
            audio += event.pcm16
    return audio


def progress(there: Call) -> None:
    """The recogniser has heard everything, and no word."""
    there.ears.result(RecognitionResult("", False, 0.0, there.ears.received_s))
