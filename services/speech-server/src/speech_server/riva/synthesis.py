"""How is one text spoken for Riva's wire? Planned, synthesised, encoded as it was asked for."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from speech_server.core.asr.asr_types import Word
from speech_server.core.tts.voices import VoicePolicy
from speech_server.drain import Drain
from speech_server.interfaces import Synthesiser
from speech_server.metrics import Metrics, RequestStats
from speech_server.riva import tts_messages
from speech_server.wire import riva_tts_pb2 as tts


@dataclass(frozen=True, slots=True)
class SynthesisContext:
    """What synthesis works with."""

    synthesiser: Synthesiser
    policy: VoicePolicy
    text_limit: int
    unary_limit_bytes: int
    idle_s: float
    retry_after_ms: int
    drain: Drain = field(default_factory=Drain)


async def synthesise(
    synthesis: SynthesisContext, metrics: Metrics, sent: tts.SynthesizeSpeechRequest, stats: RequestStats
) -> AsyncGenerator[tuple[bytes, tuple[Word, ...]], None]:
    """Audio in the request's format, with the words that begin in it. Raises BadRequest, EngineError."""
    arrived_at = time.monotonic()
    plan = tts_messages.plan(sent, synthesis.synthesiser.voices, synthesis.policy, synthesis.text_limit)
    encoder = tts_messages.SpeechEncoder(plan)
    has_begun = False
    words: tuple[Word, ...] = ()
    async with aclosing(synthesis.synthesiser.speak(plan.request)) as chunks:
        while (chunk := await stats.inferred(anext(chunks, None))) is not None:
            words += chunk.words if plan.word_times else ()
            audio = encoder.push(chunk)
            if not audio:
                continue
            if not has_begun:
                metrics.first_chunk(time.monotonic() - arrived_at)
            has_begun = True
            yield audio, words
            words = ()
    rest = encoder.flush()
    if rest or words:
        yield rest, words
    stats.audio_s += encoder.made_s
    metrics.spoken(encoder.made_s)
