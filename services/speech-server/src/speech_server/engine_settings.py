"""What can an operator set of the engines? Environment variables, read once; every one has a default that works."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from speech_server.setting_types import Count, Milliseconds, Seconds, SettingsGroup


class OfflineSettings(SettingsGroup):
    """Every engine that hears whole clips (Moonshine, Parakeet): its batches, and streams made of them."""

    speech_microbatch_window_ms: float = Field(
        8, ge=0, le=1000, description="time that a clip waits for others to share its batch"
    )
    speech_microbatch_max_batch: Count = Field(32, description="most clips in one batch")
    speech_batch_limit_s: Seconds = Field(5, description="a batch that runs longer is broken off")
    speech_stream_context_seconds: Seconds = Field(
        10,
        description="longest open speech of a stream; beyond it stable words are committed; twice as much is the limit",
    )


class ParakeetSettings(SettingsGroup):
    """The Parakeet engine."""

    parakeet_model_id: str = Field(
        "nemo-parakeet-tdt-0.6b-v3", description="model of `speech-server models list`, or any owner/name of the hub"
    )
    parakeet_model_path: Path | None = Field(None, description="folder of a model placed by hand; nothing is fetched")
    parakeet_revision: str = Field("", description="commit of the model's repository; empty = the one pinned here")
    parakeet_cache: Path | None = Field(
        None, description="where models are kept; empty = voice-workflow/models under XDG_CACHE_HOME"
    )
    parakeet_pull: bool = Field(True, description="fetch a missing model at the start; false = refuse to start")
    parakeet_languages: str = Field("", description="languages of a model placed by hand, with commas; empty = en-US")
    parakeet_device: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="where the encoder runs; auto = CUDA when it really loads"
    )
    parakeet_decoder_device: Literal["cpu", "same"] = Field(
        "cpu", description="where the decoder runs; same = beside the encoder"
    )
    parakeet_precision: Literal["auto", "fp32", "fp16", "int8"] = Field(
        "auto", description="auto = fp32 else fp16 on a GPU, int8 else fp32 on a CPU"
    )
    parakeet_threads: int = Field(0, ge=0, description="CPU threads of the model; 0 = one a core")
    parakeet_gpu_memory_mb: int = Field(0, ge=0, description="most GPU memory of the encoder, in MiB; 0 = no limit")
    parakeet_stream_step_ms: Milliseconds = Field(300, gt=0, description="new audio before a stream's next partial")
    parakeet_fallback_engine: Literal["none", "moonshine", "scripted"] = Field(
        "none", description="recogniser that takes over when Parakeet can't start or fails on the CPU too"
    )

    def languages(self) -> tuple[str, ...]:
        """Those of a model placed by hand."""
        return tuple(one.strip() for one in self.parakeet_languages.split(",") if one.strip())


class MoonshineSettings(SettingsGroup):
    """The Moonshine engine: English, on the CPU."""

    moonshine_model_path: Path | None = Field(None, description="folder of a model placed by hand; nothing is fetched")
    moonshine_revision: str = Field(
        "", description="commit of onnx-community/moonshine-tiny-ONNX on the hub; empty = the makers' wheel"
    )
    moonshine_cache: Path | None = Field(
        None, description="where the model is kept; empty = voice-workflow/models under XDG_CACHE_HOME"
    )
    moonshine_pull: bool = Field(True, description="fetch a missing model at the start; false = refuse to start")
    moonshine_stream_step_ms: Milliseconds = Field(200, gt=0, description="new audio before a stream's next partial")
    moonshine_threads: int = Field(0, ge=0, description="CPU threads of the model; 0 = one a core")


class StreamingSettings(SettingsGroup):
    """The streaming engine: cache-aware models in sherpa's layout."""

    streaming_model_path: Path | None = Field(
        None, description="folder of the model, placed by hand: encoder, decoder and joiner .onnx, tokens.txt"
    )
    streaming_model_name: str = Field("streaming", min_length=1, description="name of the model in the model list")
    streaming_languages: str = Field("en-US", description="languages of the model, with commas, the default first")
    streaming_device: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="where the encoder runs; auto = CUDA when it really loads"
    )
    streaming_precision: Literal["auto", "fp32", "fp16", "int8"] = Field(
        "auto", description="auto = fp32 else fp16 on a GPU, int8 else fp32 on a CPU"
    )
    streaming_threads: int = Field(0, ge=0, description="CPU threads of the model; 0 = one a core")
    streaming_gpu_memory_mb: int = Field(0, ge=0, description="most GPU memory of the encoder, in MiB; 0 = no limit")
    streaming_fallback_engine: Literal["none", "moonshine", "scripted"] = Field(
        "none", description="recogniser that takes over when the model can't start or fails on the CPU too"
    )
    streaming_max_batch: Count = Field(32, description="callers heard in one call of the encoder, at most")
    streaming_max_streams: Count = Field(
        160, description="streams and recordings open at once; each open utterance holds the model's caches (some MB)"
    )
    streaming_tick_limit_s: Seconds = Field(5, description="a call of the encoder that runs longer is broken off")

    @field_validator("streaming_languages")
    @classmethod
    def _some_language(cls, languages: str) -> str:
        if not languages.replace(",", "").strip():
            raise ValueError("name at least one language, such as en-US")
        return languages

    def languages(self) -> tuple[str, ...]:
        """Those it speaks."""
        return tuple(one.strip() for one in self.streaming_languages.split(",") if one.strip())


class KokoroSettings(SettingsGroup):
    """The neural voices."""

    kokoro_model_path: Path | None = Field(None, description="folder of a model placed by hand; nothing is fetched")
    kokoro_revision: str = Field("", description="commit of the model's repository; empty = the one pinned here")
    kokoro_cache: Path | None = Field(
        None, description="where the model is kept; empty = voice-workflow/models under XDG_CACHE_HOME"
    )
    kokoro_pull: bool = Field(True, description="fetch a missing model at the start; false = refuse to start")
    kokoro_precision: Literal["fp32", "fp16", "int8"] = Field("int8", description="precision of the model's file")
    kokoro_threads: int = Field(0, ge=0, description="CPU threads of the model; 0 = one a core")
    kokoro_phrase_limit_s: Seconds = Field(30, description="a phrase that takes longer to make is given up")


class ScriptSettings(SettingsGroup):
    """The scripted engines, for tests and load."""

    script_transcript: str = Field(
        "caller {stream} turn {utterance}", description="text that the scripted recogniser hears"
    )
    script_lines: Path | None = Field(None, description="file of lines that the scripted recogniser hears in turn")
    script_partial_every_ms: Milliseconds = Field(100, gt=0, description="audio for each word of a partial")
    script_final_delay_ms: Milliseconds = Field(20, description="time from the complete silence to the final")
    script_stop_history_ms: Milliseconds = Field(
        200, gt=0, description="SPEECH_STOP_HISTORY_MS of the scripted recogniser"
    )
    script_energy_dbfs: float = Field(-45, le=0, description="level from which a frame is speech")
    script_frame_ms: Literal[10, 20] = Field(10, description="length of a frame of the scripted voice activity")
    script_asr_fault: Literal["none", "unavailable", "stall", "die_mid_utterance"] = Field(
        "none", description="what goes wrong in recognition"
    )
    script_asr_fault_after: int = Field(0, ge=0, description="streams (unavailable) or utterances served well at first")
    script_asr_fault_times: int = Field(0, ge=0, description="how often the fault happens; 0 = always")
    tone_first_chunk_ms: Milliseconds = Field(80, description="time from a text to its first audio")
    tone_rtf: float = Field(0, ge=0, description="seconds to make a second of the audio after that; 0 = at once")
    tone_rate_hz: int = Field(22_050, ge=8000, le=96_000, description="sample rate of the tone voice")
    tone_fault: Literal["none", "silent", "stall", "unavailable"] = Field(
        "none", description="what goes wrong in synthesis"
    )
    tone_fault_after: int = Field(0, ge=0, description="texts served well at first")
    tone_fault_times: int = Field(0, ge=0, description="how often the fault happens; 0 = always")

    @field_validator("script_transcript")
    @classmethod
    def _only_known_places(cls, template: str) -> str:
        try:
            template.format(stream=1, utterance=1)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ValueError("only {stream} and {utterance} can stand in braces") from error
        return template

    @model_validator(mode="after")
    def _lines_can_be_read(self) -> "ScriptSettings":
        if self.script_lines is not None and not self.lines():
            raise ValueError("SCRIPT_LINES names a file without lines")
        return self

    def lines(self) -> tuple[str, ...]:
        """The lines of the script file, blank ones left out."""
        if self.script_lines is None:
            return ()
        try:
            text = self.script_lines.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"SCRIPT_LINES: {error}") from error
        return tuple(line.strip() for line in text.splitlines() if line.strip())
