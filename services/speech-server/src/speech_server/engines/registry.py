"""Which engines are there, and which do the settings name? One spec each; only what is chosen is imported.

To add one: a package whose `spec` module holds a SPEC, its name here, and in the setting that chooses it; what else
names the engines stands in CONTRIBUTING.md ("Add …").
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

from speech_server.core.asr.endpointer import Endpointing
from speech_server.engines.fallback import FallbackRecogniser
from speech_server.engines.spec import AsrSpec, TtsSpec
from speech_server.interfaces import HasState, Recogniser, Synthesiser, VoiceActivityDetector
from speech_server.settings import Settings
from speech_server.timeline import Timeline

ASR: Mapping[str, str] = {
    "moonshine": "speech_server.engines.asr.moonshine.spec",
    "streaming": "speech_server.engines.asr.streaming_transducer.spec",
    "scripted": "speech_server.engines.asr.scripted.spec",
    "parakeet": "speech_server.engines.asr.parakeet.spec",
}
"""Modules by SPEECH_ASR_ENGINE. The last one's models may have any name of the hub."""
TTS: Mapping[str, str] = {
    "espeak": "speech_server.engines.tts.espeak.spec",
    "kokoro": "speech_server.engines.tts.kokoro.spec",
    "tone": "speech_server.engines.tts.tone",
}
"""Modules by SPEECH_TTS_ENGINE."""


def asr_spec(name: str) -> AsrSpec:
    """What must be known of a recogniser."""
    spec: AsrSpec = importlib.import_module(ASR[name]).SPEC
    return spec


def tts_spec(name: str) -> TtsSpec:
    """What must be known of a synthesiser."""
    spec: TtsSpec = importlib.import_module(TTS[name]).SPEC
    return spec


def chosen_asr(settings: Settings) -> AsrSpec:
    """The recogniser of these settings."""
    return asr_spec(settings.server.speech_asr_engine)


def chosen_tts(settings: Settings) -> TtsSpec:
    """The synthesiser of these settings."""
    return tts_spec(settings.server.speech_tts_engine)


def recognisers(settings: Settings) -> tuple[str, ...]:
    """The chosen one, then the one that takes over when it fails."""
    chosen, fallback = settings.server.speech_asr_engine, chosen_asr(settings).fallback(settings)
    return (chosen, fallback) if fallback != "none" else (chosen,)


def chosen(settings: Settings) -> list[AsrSpec | TtsSpec]:
    """The recognisers of these settings, the one that takes over included, then the synthesiser."""
    return [*map(asr_spec, recognisers(settings)), chosen_tts(settings)]


@dataclass(frozen=True, slots=True)
class Engines:
    """Built, not started."""

    recogniser: Recogniser
    detector: VoiceActivityDetector
    synthesiser: Synthesiser

    @property
    def named(self) -> tuple[tuple[str, Recogniser | VoiceActivityDetector | Synthesiser], ...]:
        """In the order they start."""
        return ("vad", self.detector), ("asr", self.recogniser), ("tts", self.synthesiser)

    @property
    def states(self) -> dict[str, str]:
        """What engines say of themselves, of those that do."""
        return {name: engine.state for name, engine in self.named if isinstance(engine, HasState)}


def build(settings: Settings, timeline: Timeline) -> Engines:
    """The engines of these settings."""
    detector = chosen_asr(settings).detector(settings)
    first, *others = [asr_spec(name).build(settings, timeline, detector) for name in recognisers(settings)]
    recogniser = FallbackRecogniser(first, others[0]) if others else first
    return Engines(recogniser, detector, chosen_tts(settings).build(settings, timeline))


def endpointing(settings: Settings) -> Endpointing:
    """The operator's endpointing for the chosen recogniser."""
    voice, eou_ms = settings.voice, settings.voice.speech_stop_history_eou_ms
    return Endpointing(
        start_history_s=voice.speech_start_history_ms / 1000,
        start_threshold=voice.speech_start_threshold,
        stop_history_s=chosen_asr(settings).stop_history_ms(settings) / 1000,
        stop_threshold=voice.speech_stop_threshold,
        stop_history_eou_s=eou_ms / 1000 if eou_ms else None,
        stop_threshold_eou=voice.speech_stop_threshold,
        onset=voice.speech_vad_onset,
        offset=voice.speech_vad_offset,
    )
