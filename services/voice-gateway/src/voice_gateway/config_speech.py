"""Which servers recognise and speak? Settings of recognition and synthesis."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from voice_gateway.config_fields import LIVE, OneOf, Port, Seconds, SettingsPart
from voice_gateway.core import hotwords
from voice_gateway.core.speakable.words import Verbalise


class SpeechSettings(SettingsPart):  # size: a field for each setting, and the checks that name it
    """Recognition and synthesis."""

    # ---- recognition
    riva_host: str = Field(
        "localhost", description="Riva or speech-server host, for both services; each address of the name is a server"
    )
    riva_port: Port = Field(50051, description="gRPC port of RIVA_HOST")
    riva_ssl: bool = Field(False, description="use TLS towards Riva or the speech server")
    riva_asr_fallback_uri: str = Field(
        "",
        description="host:port of a second recogniser (another Riva, or the speech server); several with commas; "
        "streams move there while no server of the first one serves, and back later; empty = none",
    )
    riva_asr_fallback_ssl: bool = Field(
        False, description="use TLS towards RIVA_ASR_FALLBACK_URI, with RIVA_CA_FILE and RIVA_CLIENT_CERT_FILE"
    )
    riva_asr_fallback_model: str = Field(
        "", description="ASR model name at RIVA_ASR_FALLBACK_URI; empty = the server chooses"
    )
    riva_asr_fallback_token_file: Path | None = Field(
        None, description="file with the one bearer token that RIVA_ASR_FALLBACK_URI wants; read anew for every RPC"
    )
    riva_ca_file: Path | None = Field(
        None, description="PEM authorities for RIVA_SSL; unset = the public ones", validate_default=True
    )
    riva_client_cert_file: Path | None = Field(
        None, description="PEM certificate chain shown to a Riva that asks for one (mTLS)", validate_default=True
    )
    riva_client_key_file: Path | None = Field(
        None, description="PEM key of RIVA_CLIENT_CERT_FILE", validate_default=True
    )
    riva_token_file: Path | None = Field(
        None, description="file with the one bearer token that Riva or the speech server wants; read anew for every RPC"
    )
    riva_model: str = Field("", description="ASR model name; empty = the server chooses")
    riva_asr_uri: str = Field(
        "", description="host:port of ASR where it differs from RIVA_HOST:RIVA_PORT; several with commas"
    )
    riva_tts_uri: str = Field("", description="host:port of TTS where it differs; several with commas")
    asr_preferred: Literal["primary", "fallback"] = Field(
        "primary",
        description="recogniser that goes first: primary = RIVA_ASR_URI or RIVA_HOST; fallback = the one of "
        "RIVA_ASR_FALLBACK_URI; the other one serves while it is down; running calls move when nobody speaks",
        json_schema_extra=LIVE,
    )
    asr_language: str = Field("en-US", description="language of callers who name none", json_schema_extra=LIVE)
    asr_hotwords: str = Field(
        "",
        description="phrases that recognition is to expect in every call, with a boost each, parted by commas, such as "
        "Parakeet: 30, New York: 20; without a number the recogniser's own boost; callers add theirs",
        max_length=65536,
        json_schema_extra=LIVE,
    )
    asr_sample_rate: Annotated[Literal[16000], OneOf] = Field(16000, description="rate towards ASR, Hz")
    asr_stop_history_ms: int = Field(
        400, ge=0, description="silence after which ASR says final; 0 = its default", json_schema_extra=LIVE
    )
    asr_stop_history_eou_ms: int = Field(
        160,
        ge=0,
        description="silence after which ASR says in its first pass that the utterance ends; 0 = off",
        json_schema_extra=LIVE,
    )
    asr_chunk_ms: int = Field(100, ge=10, le=500, description="audio sent to ASR at once while nothing is urgent")
    asr_buffer_s: float = Field(
        60, ge=1, description="audio kept for a recogniser that is behind; beyond that the call ends"
    )
    asr_keepalive_s: float = Field(15, gt=0, description="silence is sent to ASR after this long without audio")
    asr_connect_timeout_s: float = Field(5, gt=0, description="how long a recognition stream may take to open")
    asr_outage_s: Seconds = Field(
        40, description="how long a call whose recognition stream died tries to open another; then it ends"
    )

    # ---- transcription streams (WS /v1/transcribe)
    transcribe_interim_ms: int = Field(
        200,
        ge=50,
        le=5000,
        description="time between two partials of a transcription stream while somebody speaks, for clients that ask "
        "for no other",
        json_schema_extra=LIVE,
    )
    transcribe_idle_s: Seconds = Field(
        60,
        description="a transcription stream that brings nothing for this long is ended; 0 = never",
        json_schema_extra=LIVE,
    )
    transcribe_max_held_back_s: Seconds = Field(
        300,
        description="a transcription stream may bring audio faster than real time, held back by flow control, for this "
        "long; then it is ended; 0 = for as long as it likes",
        json_schema_extra=LIVE,
    )

    # ---- synthesis
    tts_voice: str = Field(
        "", description="voice of callers who name none; empty = the server chooses", json_schema_extra=LIVE
    )
    tts_verbalise: Verbalise = Field(
        "auto",
        description="amounts, dates, units and signs as words: auto = what voices misread (signs only, for Riva's own"
        " voices); words = every number, too; none = left to the voice",
        json_schema_extra=LIVE,
    )
    tts_phrase_wait_s: float = Field(
        1.2,
        gt=0,
        description="without the end of a phrase, whole words are spoken after this long if the caller hears nothing",
        json_schema_extra=LIVE,
    )
    tts_sample_rate: Annotated[Literal[8000, 16000, 22050, 24000, 44100, 48000], OneOf] = Field(
        16000, description="reply rate, Hz"
    )
    tts_first_audio_timeout_s: float = Field(
        5,
        gt=0,
        description="longest wait from a phrase sent to its first audio, and to more audio from a voice that failed in "
        "mid-phrase",
        json_schema_extra=LIVE,
    )
    tts_audio_timeout_s: float = Field(
        5, gt=0, description="longest wait from one chunk of a phrase's audio to the next", json_schema_extra=LIVE
    )
    tts_ahead_s: float = Field(6, gt=0, description="longest audio made ahead of playing; then TTS waits")
    playout_lead_ms: int = Field(200, ge=40, le=2000, description="longest audio sent ahead of playing")
    playout_frame_ms: int = Field(100, ge=10, le=500, description="audio in one message to the caller")

    @field_validator("asr_hotwords")
    @classmethod
    def _are_hotwords(cls, value: str) -> str:
        hotwords.parse(value)
        return value

    @field_validator("riva_client_key_file")
    @classmethod
    def _belongs_to_a_client_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("riva_client_cert_file") is None):
            raise ValueError("RIVA_CLIENT_CERT_FILE and RIVA_CLIENT_KEY_FILE belong together; set both or none")
        return value

    @field_validator("riva_ca_file", "riva_client_cert_file")
    @classmethod
    def _is_used(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not info.data.get("riva_ssl") and not info.data.get("riva_asr_fallback_ssl"):
            raise ValueError("is used with RIVA_SSL only; set RIVA_SSL=true, too")
        return value

    @field_validator("riva_asr_fallback_ssl", "riva_asr_fallback_model", "riva_asr_fallback_token_file")
    @classmethod
    def _needs_a_fallback(cls, value: object, info: ValidationInfo) -> object:
        if value and not info.data.get("riva_asr_fallback_uri"):
            raise ValueError("is used with RIVA_ASR_FALLBACK_URI only; set it, too")
        return value

    @field_validator("asr_preferred")
    @classmethod
    def _prefers_what_there_is(cls, value: str, info: ValidationInfo) -> str:
        if value == "fallback" and not info.data.get("riva_asr_fallback_uri"):
            raise ValueError("there is no fallback; set RIVA_ASR_FALLBACK_URI")
        return value

    @property
    def asr_target(self) -> str:
        """gRPC target of recognition."""
        return self.riva_asr_uri or f"{self.riva_host}:{self.riva_port}"

    @property
    def tts_target(self) -> str:
        """gRPC target of synthesis."""
        return self.riva_tts_uri or f"{self.riva_host}:{self.riva_port}"
