"""What is the scripted recogniser to the server? Its script, a detector by loudness, nothing to load."""

from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.asr.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.engines.spec import AsrSpec
from speech_server.interfaces import VoiceActivityDetector
from speech_server.settings import Settings
from speech_server.timeline import Timeline


def build(settings: Settings, timeline: Timeline, detector: VoiceActivityDetector) -> ScriptedRecogniser:
    """The engine."""
    chosen = settings.script
    script = Script(
        transcript=chosen.script_transcript,
        lines=chosen.lines(),
        partial_every_s=chosen.script_partial_every_ms / 1000,
        final_delay_s=chosen.script_final_delay_ms / 1000,
        fault=chosen.script_asr_fault,
        fault_after=chosen.script_asr_fault_after,
        fault_times=chosen.script_asr_fault_times,
    )
    return ScriptedRecogniser(script, timeline)


SPEC = AsrSpec(
    build,
    detector=lambda settings: EnergyDetector(settings.script.script_energy_dbfs, settings.script.script_frame_ms),
    stop_history_ms=lambda settings: settings.script.script_stop_history_ms,
    parts=lambda: (),
)
