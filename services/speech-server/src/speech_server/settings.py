"""What can an operator set? Environment variables, read once; every one has a default that works."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from serving import plaintext
from serving.certificates import TlsFiles
from serving.settings import read

from speech_server import engine_settings
from speech_server.caller_settings import CallerSettings
from speech_server.core.asr.recognition_plan import Policy
from speech_server.core.asr.text_normalisation import masked_words
from speech_server.setting_types import ORIGINAL_NAMES, Count, Milliseconds, Part, Port, Seconds, SettingsGroup


def _parts(comma_list: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in comma_list.split(",") if part.strip())


class ServerSettings(SettingsGroup):
    """The server and its limits."""

    speech_host: str = Field(
        "127.0.0.1",
        description="address to listen on; 0.0.0.0 = every one of the machine, which needs SPEECH_TLS_CERT_FILE or "
        "SPEECH_PLAINTEXT",
    )
    speech_grpc_port: Port = Field(50051, description="gRPC port; 0 = any free one")
    speech_http_port: Port = Field(8000, description="health and metrics port; 0 = any free one")
    speech_ports_file: Path | None = Field(None, description='where to write {"grpc": n, "http": n} once bound')
    speech_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="log level")
    speech_tls_cert_file: Path | None = Field(None, description="PEM certificate of both ports; empty = plaintext")
    speech_tls_key_file: Path | None = Field(None, description="PEM key of the certificate")
    speech_tls_client_ca_file: Path | None = Field(
        None, description="PEM certificates that sign callers' own: callers without one are turned away"
    )
    speech_plaintext: bool = Field(
        False,
        description="serve other machines without encryption, behind a proxy or a mesh that encrypts; else SPEECH_HOST "
        "must be an address of this machine alone, or have SPEECH_TLS_CERT_FILE",
    )
    speech_tokens_file: Path | None = Field(
        None,
        description="bearer tokens of callers, one a line, with # comments and names (NAME: TOKEN); read anew when it "
        "changes; empty = callers need none",
    )
    speech_max_per_token: int = Field(
        0, ge=0, description="requests and streams that one token may have at once; 0 = as many as there are places"
    )
    speech_cors_origins: str = Field(
        "", description="comma list of origins whose web pages may call over HTTP, such as https://app.example; * = all"
    )
    speech_asr_engine: Literal["moonshine", "parakeet", "streaming", "scripted"] = Field(
        "moonshine", description="recogniser"
    )
    speech_tts_engine: Literal["espeak", "kokoro", "tone"] = Field("espeak", description="synthesiser")
    speech_max_streams: Count = Field(100, description="recognitions at once; more are refused")
    speech_max_syntheses: Count = Field(100, description="syntheses at once; more are refused")
    speech_retry_after_ms: Milliseconds = Field(
        1000, description="time after which a refused caller is told to try again"
    )
    speech_idle_limit_s: Seconds = Field(600, description="a stream that brings no message for this long is ended")
    speech_unread_limit_s: Seconds = Field(
        60, description="an answer of which the client reads nothing for this long is broken off"
    )
    speech_max_ahead_s: Seconds = Field(5, description="audio read ahead of a slow engine, then reading stops")
    speech_max_utterance_s: Seconds = Field(60, description="an utterance is cut after this long")
    speech_max_message_bytes: Count = Field(
        8_388_608, description="largest gRPC request message; longer recordings come by HTTP, or as a stream"
    )
    speech_unary_limit_bytes: Count = Field(
        4_000_000, description="largest Synthesize answer; gRPC clients take 4 MiB unless they are set otherwise"
    )
    speech_text_limit: Count = Field(4096, description="most characters of one text to speak")
    speech_max_speech_s: Seconds = Field(
        600, description="longest audio of one text, SSML breaks included; longer is refused, or ended with an error"
    )
    speech_drain_notice_s: float = Field(
        5,
        ge=0,
        description="time after SIGTERM when the server is not ready but still serves, so that load balancers notice",
    )
    speech_drain_grace_s: float = Field(
        600,
        ge=0,
        description="time after the notice in which streams may end; from half of it on they are ended at a pause",
    )
    speech_timeline: Path | None = Field(
        None, description="file for JSON lines with the times of the scripted engines, for benchmarks"
    )

    @field_validator("speech_tts_engine", mode="before")
    @classmethod
    def _first_name_of_espeak(cls, engine: str) -> str:
        return "espeak" if engine == "embedded" else engine

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "ServerSettings":
        if (self.speech_tls_cert_file is None) != (self.speech_tls_key_file is None):
            raise ValueError("set SPEECH_TLS_CERT_FILE and SPEECH_TLS_KEY_FILE, or neither")
        if self.speech_tls_client_ca_file is not None and self.speech_tls_cert_file is None:
            raise ValueError("SPEECH_TLS_CLIENT_CA_FILE needs SPEECH_TLS_CERT_FILE and SPEECH_TLS_KEY_FILE")
        encrypted = self.speech_tls_cert_file is not None
        if said := plaintext.refusal(self.speech_host, "SPEECH", encrypted=encrypted, wanted=self.speech_plaintext):
            raise ValueError(said)
        return self

    @field_validator("speech_cors_origins")
    @classmethod
    def _whole_origins(cls, origins: str) -> str:
        for origin in _parts(origins):
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s,]+", origin):
                raise ValueError(f"{origin!r} is no origin; write such as https://app.example, without a path, or *")
        return origins

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Whose web pages may call."""
        return _parts(self.speech_cors_origins)

    @property
    def tls(self) -> TlsFiles | None:
        """The files of the ports' encryption; None = plaintext."""
        if self.speech_tls_cert_file is None or self.speech_tls_key_file is None:
            return None
        return TlsFiles(self.speech_tls_cert_file, self.speech_tls_key_file, self.speech_tls_client_ca_file)


class VoiceSettings(SettingsGroup):
    """What callers may ask for, and what they get when they ask for nothing."""

    speech_model_policy: Policy = Field(
        "ignore", description="an unknown ASR model is refused, or served by the default"
    )
    speech_language_policy: Policy = Field(
        "strict", description="an unknown ASR language is refused, or served by the default"
    )
    speech_voice_policy: Policy = Field("strict", description="an unknown voice is refused, or served by the default")
    speech_voice_aliases: dict[str, str] = Field({}, description='JSON: {"name asked for": "name of a voice"}')
    speech_leading_space: bool = Field(True, description="a space before transcripts after the first final")
    speech_start_history_ms: Milliseconds = Field(300, gt=0, description="window for the start of speech")
    speech_start_threshold: Part = Field(0.2, description="part of the window that must be speech")
    speech_stop_history_ms: Milliseconds = Field(800, gt=0, description="window for the end of speech")
    speech_stop_threshold: Part = Field(0.98, description="part of the window that must be silence")
    speech_stop_history_eou_ms: Milliseconds = Field(
        0, description="shorter window for a first sign of the end (partial of stability 1); 0 = none"
    )
    speech_vad_onset: Part = Field(0.5, description="speech probability that begins speech")
    speech_vad_offset: Part = Field(0.35, description="speech probability below which speech pauses")
    speech_pre_roll_ms: Milliseconds = Field(300, description="audio kept from before speech was found")
    speech_quietest_dbfs: float = Field(
        -65, ge=-96, le=0, description="audio below this level is silence, whatever the detector says; -96 = off"
    )
    speech_write_numbers: bool = Field(
        False, description="number words become digits (en fr es pt de nl it da), unless verbatim_transcripts is set"
    )
    speech_profanity_file: Path | None = Field(
        None, description="words the profanity filter masks, one a line; empty = it masks nothing"
    )

    @model_validator(mode="after")
    def _profanity_can_be_read(self) -> "VoiceSettings":
        self.masked_words()
        return self

    def masked_words(self) -> frozenset[str]:
        """The words of the profanity file."""
        if self.speech_profanity_file is None:
            return frozenset()
        try:
            return masked_words(self.speech_profanity_file.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"SPEECH_PROFANITY_FILE: {error}") from error


class RequestSettings(SettingsGroup):
    """Whole recordings and texts, over HTTP and gRPC: how many, how large, and what is noted of them."""

    speech_queue_max_factor: float = Field(
        4, ge=0, description="recordings that may wait, as a multiple of those transcribed at once; more are refused"
    )
    speech_max_queue_wait_s: Seconds = Field(30, description="a recording that waited longer is refused")
    speech_max_audio_seconds: Seconds = Field(7200, description="longest recording")
    speech_max_upload_mb: Count = Field(64, description="largest upload, in MiB")
    speech_upload_stall_s: Seconds = Field(30, description="an upload that brings nothing for this long is ended")
    speech_request_log: Path | None = Field(
        None,
        description="JSON lines of every request, one file for each day; `speech-server report` reads it; empty = none",
    )
    speech_request_log_days: Count = Field(7, description="days that the request log is kept")


GROUPS: tuple[type[SettingsGroup], ...] = (
    ServerSettings,
    CallerSettings,
    VoiceSettings,
    RequestSettings,
    engine_settings.OfflineSettings,
    engine_settings.ParakeetSettings,
    engine_settings.MoonshineSettings,
    engine_settings.StreamingSettings,
    engine_settings.KokoroSettings,
    engine_settings.ScriptSettings,
)


class Settings:
    """All groups, read from the environment. Raises BadSettings naming the variable."""

    def __init__(self) -> None:
        self.server = read(ServerSettings, ORIGINAL_NAMES)
        self.callers = read(CallerSettings, ORIGINAL_NAMES)
        self.voice = read(VoiceSettings, ORIGINAL_NAMES)
        self.requests = read(RequestSettings, ORIGINAL_NAMES)
        self.offline = read(engine_settings.OfflineSettings, ORIGINAL_NAMES)
        self.parakeet = read(engine_settings.ParakeetSettings, ORIGINAL_NAMES)
        self.moonshine = read(engine_settings.MoonshineSettings, ORIGINAL_NAMES)
        self.streaming = read(engine_settings.StreamingSettings, ORIGINAL_NAMES)
        self.kokoro = read(engine_settings.KokoroSettings, ORIGINAL_NAMES)
        self.script = read(engine_settings.ScriptSettings, ORIGINAL_NAMES)


def table() -> str:
    """Every variable with its default and meaning, one a line."""
    lines = []
    for group in GROUPS:
        lines.append(f"# {(group.__doc__ or '').strip()}")
        for name, field in group.model_fields.items():
            default = "" if field.default is None else field.default
            also = f"; also {ORIGINAL_NAMES[name].upper()}" if name in ORIGINAL_NAMES else ""
            lines.append(f"{name.upper()}={default}  # {field.description}{also}")
    return "\n".join(lines)
