"""Which engines do the settings name, and how are they built? Only what is chosen is imported."""

from dataclasses import dataclass

from speech_server.core.asr.endpointer import Endpointing
from speech_server.engine_settings import ScriptSettings
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.asr.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.engines.tts.tone import ToneScript, ToneSynthesiser
from speech_server.interfaces import HasState, Recogniser, Synthesiser, VoiceActivityDetector
from speech_server.settings import Settings
from speech_server.timeline import Timeline


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
    engine = settings.server.speech_asr_engine
    if engine == "scripted":
        recogniser, detector = _scripted(settings.script, timeline)
        return Engines(recogniser, detector, synthesiser(settings, timeline))
    from speech_server.embedded.silero import SileroDetector

    silero = SileroDetector()
    return Engines(_recogniser(engine, settings, timeline, silero), silero, synthesiser(settings, timeline))


def _recogniser(engine: str, settings: Settings, timeline: Timeline, detector: VoiceActivityDetector) -> Recogniser:
    """One that hears, or the spare one of such."""
    match engine:
        case "parakeet":
            first, spare = _parakeet(settings, detector), settings.parakeet.parakeet_fallback_engine
        case "streaming":
            first, spare = _streaming(settings, detector), settings.streaming.streaming_fallback_engine
        case "scripted":
            return _scripted(settings.script, timeline)[0]
        case _:
            return _moonshine(settings, detector)
    if spare == "none":
        return first
    from speech_server.engines.fallback import FallbackRecogniser

    return FallbackRecogniser(first, _recogniser(spare, settings, timeline, detector))


def synthesiser(settings: Settings, timeline: Timeline) -> Synthesiser:
    """Who speaks."""
    match settings.server.speech_tts_engine:
        case "tone":
            return ToneSynthesiser(_tone(settings.script), timeline)
        case "kokoro":
            from speech_server.engines.tts.kokoro.factory import from_settings

            return from_settings(settings.kokoro)
        case _:
            from speech_server.engines.tts.espeak.synthesiser import EspeakSynthesiser

            return EspeakSynthesiser()


def endpointing(settings: Settings) -> Endpointing:
    """The operator's endpointing for the chosen recogniser."""
    voice = settings.voice
    scripted = settings.server.speech_asr_engine == "scripted"
    stop_ms = settings.script.script_stop_history_ms if scripted else voice.speech_stop_history_ms
    eou_ms = voice.speech_stop_history_eou_ms
    return Endpointing(
        start_history_s=voice.speech_start_history_ms / 1000,
        start_threshold=voice.speech_start_threshold,
        stop_history_s=stop_ms / 1000,
        stop_threshold=voice.speech_stop_threshold,
        stop_history_eou_s=eou_ms / 1000 if eou_ms else None,
        stop_threshold_eou=voice.speech_stop_threshold,
        onset=voice.speech_vad_onset,
        offset=voice.speech_vad_offset,
    )


def _moonshine(settings: Settings, detector: VoiceActivityDetector) -> Recogniser:
    from speech_server.engines.asr.moonshine.factory import from_settings

    quietest_dbfs = settings.voice.speech_quietest_dbfs
    return from_settings(settings.moonshine, detector, settings.parakeet, settings.requests, quietest_dbfs)


def _parakeet(settings: Settings, detector: VoiceActivityDetector) -> Recogniser:
    from speech_server.engines.asr.parakeet.factory import from_settings

    return from_settings(settings.parakeet, detector, settings.requests, settings.voice.speech_quietest_dbfs)


def _streaming(settings: Settings, detector: VoiceActivityDetector) -> Recogniser:
    from speech_server.engines.asr.streaming_transducer.factory import from_settings

    return from_settings(settings.streaming, detector, settings.requests.parakeet_max_queue_wait_s)


def _scripted(script: ScriptSettings, timeline: Timeline) -> tuple[Recogniser, VoiceActivityDetector]:
    heard = Script(
        transcript=script.script_transcript,
        lines=script.lines(),
        partial_every_s=script.script_partial_every_ms / 1000,
        final_delay_s=script.script_final_delay_ms / 1000,
        fault=script.script_asr_fault,
        fault_after=script.script_asr_fault_after,
        fault_times=script.script_asr_fault_times,
    )
    detector = EnergyDetector(script.script_energy_dbfs, script.script_frame_ms)
    return ScriptedRecogniser(heard, timeline), detector


def _tone(script: ScriptSettings) -> ToneScript:
    return ToneScript(
        first_chunk_s=script.tone_first_chunk_ms / 1000,
        rtf=script.tone_rtf,
        rate_hz=script.tone_rate_hz,
        fault=script.tone_fault,
        fault_after=script.tone_fault_after,
        fault_times=script.tone_fault_times,
    )
