"""Which engines do the settings name, and how are they built? Only what is chosen is imported."""

from dataclasses import dataclass

from speech_server.core.endpointer import Endpointing
from speech_server.ports import Describes, Recogniser, Synthesiser, VoiceActivityDetector
from speech_server.scripted.energy import EnergyDetector
from speech_server.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.scripted.tone import ToneScript, ToneSynthesiser
from speech_server.settings import ScriptSettings, Settings
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
        return {name: engine.state for name, engine in self.named if isinstance(engine, Describes)}


def build(settings: Settings, timeline: Timeline) -> Engines:
    """The engines of these settings."""
    script = settings.script
    recogniser: Recogniser
    detector: VoiceActivityDetector
    if settings.server.speech_asr_engine == "scripted":
        recogniser, detector = _scripted(script, timeline)
    elif settings.server.speech_asr_engine == "parakeet":
        recogniser, detector = _parakeet(settings, timeline)
    elif settings.server.speech_asr_engine == "streaming":
        recogniser, detector = _streaming(settings, timeline)
    else:
        from speech_server.embedded.silero import SileroDetector

        detector = SileroDetector()
        recogniser = _moonshine(settings, detector)
    return Engines(recogniser, detector, synthesiser(settings, timeline))


def synthesiser(settings: Settings, timeline: Timeline) -> Synthesiser:
    """Who speaks."""
    match settings.server.speech_tts_engine:
        case "tone":
            return ToneSynthesiser(_tone(settings.script), timeline)
        case "kokoro":
            from speech_server.neural_tts.choice import from_settings

            return from_settings(settings.kokoro)
        case _:
            from speech_server.embedded.espeak import EspeakSynthesiser

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
    from speech_server.moonshine.choice import from_settings

    quietest_dbfs = settings.voice.speech_quietest_dbfs
    return from_settings(settings.moonshine, detector, settings.parakeet, settings.requests, quietest_dbfs)


def _parakeet(settings: Settings, timeline: Timeline) -> tuple[Recogniser, VoiceActivityDetector]:
    from speech_server.embedded.silero import SileroDetector
    from speech_server.parakeet.choice import from_settings

    detector = SileroDetector()
    quietest_dbfs = settings.voice.speech_quietest_dbfs
    first = from_settings(settings.parakeet, detector, settings.requests, quietest_dbfs)
    return _spared(first, settings.parakeet.parakeet_fallback_engine, settings, timeline, detector), detector


def _streaming(settings: Settings, timeline: Timeline) -> tuple[Recogniser, VoiceActivityDetector]:
    from speech_server.cache_aware.choice import from_settings
    from speech_server.embedded.silero import SileroDetector

    detector = SileroDetector()
    first = from_settings(settings.streaming, detector, settings.requests.parakeet_max_queue_wait_s)
    return _spared(first, settings.streaming.streaming_fallback_engine, settings, timeline, detector), detector


def _spared(
    first: Recogniser, spare: str, settings: Settings, timeline: Timeline, detector: VoiceActivityDetector
) -> Recogniser:
    from speech_server.spare import WithSpare

    match spare:
        case "moonshine":
            return WithSpare(first, _moonshine(settings, detector))
        case "scripted":
            return WithSpare(first, _scripted(settings.script, timeline)[0])
        case _:
            return first


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
