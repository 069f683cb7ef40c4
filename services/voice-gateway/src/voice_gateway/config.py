"""What can an operator set? Every tunable, read from the environment at the start; errors name the variable.

Those marked LIVE may also stand in GATEWAY_LIVE_FILE, which wins and is looked at all the time (`config_live`).
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from serving import plaintext
from serving.identity import origins

from voice_gateway.core import hotwords
from voice_gateway.core.events import SETTABLE
from voice_gateway.core.speakable.words import Verbalise
from voice_gateway.core.tokens import estimate

Seconds = Annotated[float, Field(ge=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
OneOf = BeforeValidator(int)
"""The environment holds text, which no Literal number equals."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What no text needs; tabs and line ends may stand in prompts."""
LIVE: dict[str, JsonValue] = {"live": True}
"""May change while the gateway runs; holds for new calls."""


def _settable(value: str) -> str:
    unknown = [name for name in _names(value) if name not in SETTABLE]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is nothing a caller can choose; take some of {', '.join(sorted(SETTABLE))}")
    return value


def _origins(value: str) -> str:
    origins.parse(value)
    return value


def _names(value: str) -> frozenset[str]:
    """all, none, or a list."""
    if value.strip() in ("all", "none"):
        return SETTABLE if value.strip() == "all" else frozenset()
    return frozenset(name for name in value.replace(",", " ").split())


class Settings(BaseSettings):  # size: a field for each setting, and the checks that name it
    """The gateway's settings; a name in capitals is the environment variable."""

    model_config = SettingsConfigDict(
        frozen=True, case_sensitive=False, extra="ignore", env_ignore_empty=True, allow_inf_nan=False
    )

    # ---- where it listens
    gateway_host: str = Field(
        "127.0.0.1",
        description="address all ports listen on; 0.0.0.0 = every one of the machine, which needs "
        "GATEWAY_TLS_CERT_FILE or GATEWAY_PLAINTEXT",
    )
    gateway_port: Port = Field(50050, description="gRPC port; 0 = a free one")
    gateway_http_port: Port = Field(8080, description="HTTP port (health, metrics); 0 = a free one")
    gateway_web: bool = Field(True, description="serve browsers and WebSockets, on GATEWAY_WEB_PORT")
    gateway_web_port: Port = Field(8090, description="port for browsers and WebSockets; 0 = a free one")
    gateway_ports_file: Path | None = Field(None, description="JSON file that receives the ports once bound")
    gateway_max_sessions: int = Field(
        100, ge=1, le=100_000, description="calls at once; more are refused", json_schema_extra=LIVE
    )
    gateway_max_sessions_per_token: int = Field(
        0,
        ge=0,
        le=100_000,
        description="calls at once of one caller, known by its token; 0 = as many as GATEWAY_MAX_SESSIONS",
        json_schema_extra=LIVE,
    )
    gateway_calls_per_minute_per_token: int = Field(
        0,
        ge=0,
        le=100_000,
        description="calls that one caller, known by its token, may begin within a minute; 0 = no limit",
        json_schema_extra=LIVE,
    )
    gateway_audio_s_per_hour_per_token: float = Field(
        0,
        ge=0,
        le=10_000_000,
        description="seconds of audio that one caller, known by its token, may send within an hour, in all of its calls"
        " together; 0 = no limit",
        json_schema_extra=LIVE,
    )
    gateway_audio_s_per_day_per_token: float = Field(
        0,
        ge=0,
        le=100_000_000,
        description="seconds of audio that one caller, known by its token, may send within 24 hours, in all of its "
        "calls together; 0 = no limit",
        json_schema_extra=LIVE,
    )
    gateway_typed_turns_per_minute_per_token: int = Field(
        0,
        ge=0,
        le=100_000,
        description="turns that one caller, known by its token, may type within a minute, in all of its calls together;"
        " 0 = no limit beside that of one call (docs/limits.md)",
        json_schema_extra=LIVE,
    )
    gateway_resume_grace_s: Seconds = Field(15, description="how long a dropped call waits for its caller")
    gateway_max_session_s: float = Field(3600, ge=1, description="longest call, seconds", json_schema_extra=LIVE)
    gateway_warn_before_s: Seconds = Field(
        60,
        description="time before GATEWAY_MAX_SESSION_S from which the caller is told aloud, in the next gap between "
        "turns, that the call ends soon; 0 = never",
        json_schema_extra=LIVE,
    )
    gateway_goaway_before_s: Seconds = Field(
        30, description="time before GATEWAY_MAX_SESSION_S to send GoAway; 0 = never"
    )
    gateway_start_timeout_s: float = Field(
        10, gt=0, description="how long a new stream may take to send its first message"
    )
    gateway_drain_s: Seconds = Field(30, description="how long running calls may go on after SIGTERM")
    gateway_down_after_s: Seconds = Field(15, description="a backend down for this long makes /readyz answer 503")
    gateway_probe_every_s: float = Field(
        2, gt=0, description="how often backends are probed; ASR and TTS servers four times as often"
    )
    gateway_live_file: Path | None = Field(
        None, description="YAML file of live settings, NAME: value; wins over the environment, read when it changes"
    )
    gateway_tls_cert_file: Path | None = Field(
        None, description="PEM certificate chain of the gRPC and the web port; unset = no TLS"
    )
    gateway_tls_key_file: Path | None = Field(
        None, description="PEM key of GATEWAY_TLS_CERT_FILE", validate_default=True
    )
    gateway_tls_client_ca_file: Path | None = Field(
        None,
        description="PEM file of authorities; callers must show a certificate signed by one of them (mTLS)",
        validate_default=True,
    )
    gateway_plaintext: bool = Field(
        False,
        description="serve other machines without encryption, behind a proxy or a mesh that encrypts; else "
        "GATEWAY_HOST must be an address of this machine alone, or have GATEWAY_TLS_CERT_FILE",
        validate_default=True,
    )
    gateway_tokens_file: Path | None = Field(
        None,
        description="API keys: bearer tokens, one on each line (TOKEN or NAME: TOKEN, # comments); callers must send "
        "one, or a token by GATEWAY_JWT_ISSUER; neither is set = everybody may call",
    )
    gateway_jwt_issuer: str = Field(
        "", max_length=512, description="issuer (iss) of the tokens (JWT) that callers may send; docs/security.md"
    )
    gateway_jwt_audience: str = Field(
        "",
        max_length=512,
        description="audience (aud) that a caller's token must name; several with commas, any of which will do",
    )
    gateway_jwt_jwks_url: str = Field(
        "",
        max_length=2048,
        description="where the issuer publishes the keys of its tokens (JWKS): an https URL, a file URL or a path",
    )
    gateway_jwt_jwks_ca_file: Path | None = Field(
        None, description="PEM authorities for GATEWAY_JWT_JWKS_URL; unset = the public ones"
    )
    gateway_jwt_jwks_refresh_s: int = Field(
        300,
        ge=10,
        le=86_400,
        description="time between two looks at GATEWAY_JWT_JWKS_URL; a token that names a new key brings one sooner",
    )
    gateway_jwt_public_keys_file: Path | None = Field(
        None, description="PEM public keys (RSA, EC, Ed25519) or certificates that verify tokens; several in one file"
    )
    gateway_jwt_hmac_secret_file: Path | None = Field(
        None,
        description="secret shared with the issuer, 32 bytes or more, that verifies tokens signed with HS256; whoever "
        "has it can make tokens, so keys are better",
    )
    gateway_jwt_identity_claim: str = Field(
        "sub", min_length=1, max_length=128, description="claim of a token that names the caller: for logs and limits"
    )
    gateway_jwt_limits_claim: str = Field(
        "",
        max_length=128,
        description="claim of a token that holds limits of its caller in place of the settings' own "
        "(docs/security.md); empty = none does",
    )
    gateway_jwt_clock_skew_s: float = Field(
        30, ge=0, le=300, description="how far the issuer's clock may differ when a token's times are checked"
    )
    gateway_jwt_call_scope: str = Field(
        "", max_length=128, description="scope that a token must have to begin a call; empty = none"
    )
    gateway_jwt_transcribe_scope: str = Field(
        "", max_length=128, description="scope that a token must have for transcription alone; empty = none"
    )
    gateway_jwt_client_secret_scope: str = Field(
        "",
        max_length=128,
        description="scope that a token must have to get client secrets for browsers; empty = none",
    )
    gateway_client_secret_keys_file: Path | None = Field(
        None,
        description="keys that sign client secrets, one on each line (NAME: KEY); the first signs, all are accepted; "
        "unset = a key of this process, so that no other one accepts its client secrets",
    )
    gateway_allowed_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        max_length=4096,
        description="origins whose web pages may call from a browser, such as https://app.example; several with "
        "commas; * = all; empty = the gateway's own page",
    )
    gateway_journal_dir: Path | None = Field(
        None, description="folder for the turn logs of calls, which hold spoken words; unset = none"
    )
    gateway_journal_days: float = Field(7, gt=0, description="days after which a turn log is deleted")
    gateway_journal_mb: int = Field(
        100, ge=1, description="MiB that all turn logs together may take; the oldest are deleted"
    )
    gateway_languages_file: Path | None = Field(
        None,
        description="YAML file of languages that are added to the built-in ones, or change them: sentences, prompts, "
        "voices, models and word lists (docs/languages.md)",
    )
    caller_may_set: Annotated[str, AfterValidator(_settable)] = Field(
        "all",
        description="what callers may choose for their own call, separated by commas; all or none; of "
        + ", ".join(sorted(SETTABLE)),
        json_schema_extra=LIVE,
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="log level", json_schema_extra=LIVE
    )

    log_format: Literal["text", "json"] = Field(
        "text", description="form of log lines: text for people, json = one object on each line for a log collector"
    )

    # ---- recognition
    riva_host: str = Field(
        "localhost", description="Riva or speech-server host, for both services; each address of the name is a server"
    )
    riva_port: Port = Field(50051, description="gRPC port of RIVA_HOST")
    riva_ssl: bool = Field(False, description="use TLS towards Riva or the speech server")
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

    # ---- language model
    llm_base_url: str = Field(
        "http://localhost:8001/v1", description="OpenAI-compatible endpoint; the default is where mini-llm listens"
    )
    llm_api_key: SecretStr = Field(SecretStr("none"), description="API key of LLM_BASE_URL")
    llm_api_key_file: Path | None = Field(
        None, description="file with the API key of LLM_BASE_URL, in place of LLM_API_KEY; read anew when it changes"
    )
    llm_ca_file: Path | None = Field(
        None, description="PEM authorities for an https LLM_BASE_URL; unset = the public ones"
    )
    llm_client_cert_file: Path | None = Field(
        None, description="PEM certificate chain shown to a model server that asks for one (mTLS)"
    )
    llm_client_key_file: Path | None = Field(None, description="PEM key of LLM_CLIENT_CERT_FILE", validate_default=True)
    llm_model: str = Field("meta/llama-3.1-8b-instruct", description="model name", json_schema_extra=LIVE)
    llm_temperature: float = Field(0.5, ge=0, le=2, description="sampling temperature", json_schema_extra=LIVE)
    llm_max_tokens: int = Field(256, ge=1, le=4096, description="longest reply, tokens", json_schema_extra=LIVE)
    llm_system_prompt: str = Field(
        "",
        description="system prompt: how the agent behaves; empty = the language's own; none = no prompt at all",
        max_length=16384,
        json_schema_extra=LIVE,
    )
    llm_context_tokens: int = Field(
        8192,
        ge=1024,
        le=10_000_000,
        description="longest request to the model with its answer, tokens (LLM_MAX_TOKENS counts, at most half of it): "
        "the oldest exchanges are left out where they do not fit",
        json_schema_extra=LIVE,
    )
    llm_history: int = Field(
        50,
        ge=1,
        description="exchanges that the model is shown word for word, if they fit into LLM_CONTEXT_TOKENS",
        json_schema_extra=LIVE,
    )
    llm_summarise: bool = Field(
        True,
        description="have the model summarise the oldest exchanges between turns, when 70 % of LLM_CONTEXT_TOKENS or "
        "LLM_HISTORY are used; false = they are forgotten",
        json_schema_extra=LIVE,
    )
    llm_summary_tokens: int = Field(
        300, ge=50, le=2000, description="longest summary of the oldest exchanges, tokens", json_schema_extra=LIVE
    )
    llm_summary_timeout_s: float = Field(
        30, gt=0, le=300, description="longest time the model may take for a summary", json_schema_extra=LIVE
    )
    llm_summary_prompt: str = Field(
        "",
        max_length=16384,
        description="what the model is told about writing a summary of the oldest exchanges, which it is shown with "
        "the earlier summary; empty = the gateway's own, which asks for the language of the conversation",
        json_schema_extra=LIVE,
    )
    llm_first_token_timeout_s: float = Field(
        8,
        gt=0,
        description="longest wait from the request to the first text of the answer, whatever comes before it (thoughts "
        "of a reasoning model count as nothing)",
        json_schema_extra=LIVE,
    )
    llm_token_timeout_s: float = Field(
        5, gt=0, description="longest wait from one piece of the answer's text to the next", json_schema_extra=LIVE
    )
    llm_apology: str = Field(
        "",
        description="spoken where the language model fails or is too slow, or the voice breaks off, after what was "
        "said until then; empty = the language's own; none = say nothing",
        json_schema_extra=LIVE,
    )
    llm_thinks_first: bool = Field(
        False,
        description="the model's content begins inside a thought that no tag opens (DeepSeek-R1 without a reasoning"
        " parser): nothing is said before its closing tag",
        json_schema_extra=LIVE,
    )
    llm_prewarm: bool = Field(
        True,
        description="open the connection to the language model (GET /models) in each pause of the caller",
        json_schema_extra=LIVE,
    )

    # ---- tools
    gateway_tools_file: Path | None = Field(
        None,
        description="YAML file of the tools that the language model may call: HTTP endpoints and MCP servers "
        "(docs/tools.md); read at the start",
    )
    tool_timeout_s: float = Field(
        10, gt=0, le=60, description="longest wait for the result of a tool that names no time of its own"
    )
    tool_max_rounds: int = Field(
        5,
        ge=1,
        le=20,
        description="how often the language model may call tools for one reply before it must answer",
        json_schema_extra=LIVE,
    )
    tool_max_parallel: int = Field(
        8, ge=1, le=32, description="tools that may be called at the same time for one reply", json_schema_extra=LIVE
    )
    tool_filler_after_s: Seconds = Field(
        1.5,
        description="silence while a tool runs after which the agent says a filler, such as 'One moment, please.'; "
        "0 = never",
        json_schema_extra=LIVE,
    )
    tool_max_result_bytes: int = Field(
        16_384,
        ge=256,
        le=1_048_576,
        description="longest result of a tool of GATEWAY_TOOLS_FILE; longer ones are errors",
    )
    tool_log_arguments: bool = Field(
        False,
        description="log lines of tool calls hold the arguments and the result, which may be the caller's words",
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

    # ---- turn taking
    greeting: str = Field(
        "",
        description="greeting that the agent speaks first to callers of ASR_LANGUAGE; others are then greeted in their "
        "own language; empty = the caller begins",
        json_schema_extra=LIVE,
    )
    turn_end_silence_s: Seconds = Field(
        0.15,
        description="silence, after VAD_HANGOVER_S, that ends a turn of settled words that may be complete",
        json_schema_extra=LIVE,
    )
    turn_complete_silence_s: Seconds = Field(
        0.1,
        description='silence, after VAD_HANGOVER_S, that ends a turn of complete words: "yes", or a sentence',
        json_schema_extra=LIVE,
    )
    turn_incomplete_silence_s: Seconds = Field(
        1.25,
        description='silence, after VAD_HANGOVER_S, that ends a turn in the middle of a sentence, such as after "and"',
        json_schema_extra=LIVE,
    )
    turn_reading_silence_s: Seconds = Field(
        1.5,
        description="silence, after VAD_HANGOVER_S, that ends a turn while the caller reads out a number or "
        "an e-mail address, or spells a word",
        json_schema_extra=LIVE,
    )
    turn_learned_silence_max_s: Seconds = Field(
        0.5,
        description="longest silence that a caller who pauses often gets instead of TURN_END_SILENCE_S; 0 = never "
        "longer",
        json_schema_extra=LIVE,
    )
    turn_learned_silence_min_s: Seconds = Field(
        0.1,
        description="shortest silence that a caller who never pauses gets instead of TURN_END_SILENCE_S, at least half "
        "of that; a value above it = never shorter",
        json_schema_extra=LIVE,
    )
    turn_max_silence_s: Seconds = Field(
        1.5,
        description="silence that ends a turn of words that may still change (TURN_END_SILENCE_S is for settled ones)",
        json_schema_extra=LIVE,
    )
    turn_end_on_final: bool = Field(
        False, description="a final ends the turn without further silence", json_schema_extra=LIVE
    )
    turn_greeting_protected: bool = Field(
        False,
        description="the greeting is spoken to its end, as a legal notice must be: what the caller says meanwhile is "
        "answered after it, and only the Interrupt of a client stops it",
        json_schema_extra=LIVE,
    )
    turn_barge_in_after_s: Seconds = Field(
        0.17,
        description="speech with words over a reply that interrupts it; the reply is held from the first sound on",
        json_schema_extra=LIVE,
    )
    turn_barge_in_words: int = Field(
        0,
        ge=0,
        le=20,
        description="words over a reply that interrupt it; 0 = one word, or speech without words for TURN_MAX_HOLD_S",
        json_schema_extra=LIVE,
    )
    turn_max_hold_s: float = Field(
        2,
        ge=0.1,
        le=30,
        description="longest speech without words that holds a reply; then it is interrupted, or, with "
        "TURN_BARGE_IN_WORDS, goes on",
        json_schema_extra=LIVE,
    )
    turn_resume_after_s: float = Field(
        0.5,
        ge=0,
        le=2,
        description="longest silence after a cough until a held reply goes on; it goes on sooner once the recogniser "
        "has heard the cough and no word",
        json_schema_extra=LIVE,
    )
    turn_preemptive: bool = Field(
        True,
        description="start the reply as soon as the caller's words look complete, and play it when the turn has ended; "
        "the request to the model is wasted where the caller goes on; an overloaded gateway starts none early",
        json_schema_extra=LIVE,
    )
    turn_preemptive_tries: int = Field(
        3,
        ge=1,
        le=100,
        description="replies started early, at most, until one is heard",
        json_schema_extra=LIVE,
    )
    turn_preemptive_max_speech_s: Seconds = Field(
        10,
        description="no reply is started early in a turn longer than this: its caller is likely to go on",
        json_schema_extra=LIVE,
    )
    turn_scorer: Literal["rules", "smart-turn"] = Field(
        "rules",
        description="who judges whether a turn may be over: rules = the words alone; smart-turn = a model that listens "
        "to the last 8 s, too (40 to 90 ms of a core for each pause of a caller; voice-gateway models pull smart-turn)",
    )
    turn_scorer_model_file: Path | None = Field(
        None, description="ONNX file of Smart Turn v3 for TURN_SCORER=smart-turn; unset = where `models pull` puts it"
    )
    turn_complete_score: float = Field(
        0.5,
        gt=0,
        le=1,
        description="probability from which a turn is over for TURN_SCORER=smart-turn",
        json_schema_extra=LIVE,
    )
    turn_max_s: float = Field(60, ge=1, description="longest turn of a caller", json_schema_extra=LIVE)
    turn_lag_slack_s: Seconds = Field(
        0.6, description="a recogniser this far back counts as behind", json_schema_extra=LIVE
    )
    turn_max_lag_s: Seconds = Field(
        8,
        description="a recogniser that is behind and tells nothing for this long counts as lost",
        json_schema_extra=LIVE,
    )
    turn_idle_after_s: Seconds = Field(
        0, description="silence until the agent asks if anybody is there; 0 = never", json_schema_extra=LIVE
    )
    turn_idle_tries: int = Field(
        2, ge=0, description="how often the agent asks into silence before it hangs up", json_schema_extra=LIVE
    )
    turn_idle_prompt: str = Field(
        "",
        description="what the agent asks into silence; empty = the language's own",
        json_schema_extra=LIVE,
    )
    vad: Literal["silero", "none"] = Field("silero", description="voice activity detector")
    vad_start: float = Field(
        0.5, gt=0, le=1, description="speech probability from which speech starts", json_schema_extra=LIVE
    )
    vad_stop: float = Field(
        0.35, gt=0, le=1, description="speech probability below which speech stops", json_schema_extra=LIVE
    )
    vad_start_frames: int = Field(
        2, ge=1, description="frames of 32 ms above VAD_START that start speech", json_schema_extra=LIVE
    )
    vad_hangover_s: Seconds = Field(
        0.25, description="silence after which speech counts as stopped", json_schema_extra=LIVE
    )
    vad_overlap_hangover_s: Seconds = Field(
        0.1,
        description="VAD_HANGOVER_S while a reply plays; shorter than TURN_BARGE_IN_AFTER_S",
        validate_default=True,
        json_schema_extra=LIVE,
    )

    @field_validator("vad")
    @classmethod
    def _asks_the_scorer(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and info.data.get("turn_scorer") == "smart-turn":
            raise ValueError("TURN_SCORER=smart-turn is asked when the detector hears a pause; set VAD=silero")
        return value

    @field_validator("asr_hotwords")
    @classmethod
    def _are_hotwords(cls, value: str) -> str:
        hotwords.parse(value)
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _holds_no_control_character(cls, value: object) -> object:
        # A Helm template drops all values silently when one of them holds such a character.
        if isinstance(value, str) and (found := _CONTROL.search(value)):
            raise ValueError(f"holds the control character U+{ord(found[0]):04X} at {found.start() + 1}; take it out")
        return value

    @field_validator("llm_context_tokens")
    @classmethod
    def _holds_the_prompt_twice(cls, value: int, info: ValidationInfo) -> int:
        tokens = estimate(info.data.get("llm_system_prompt", ""))
        if value < 2 * tokens:
            raise ValueError(
                f"must be {2 * tokens} at least, twice the estimated tokens of LLM_SYSTEM_PROMPT, or little is left "
                "for the call; shorten the prompt or take a model with a longer context"
            )
        return value

    @field_validator("vad_overlap_hangover_s")
    @classmethod
    def _lets_a_cough_end(cls, value: float, info: ValidationInfo) -> float:
        barge_in_after_s = info.data.get("turn_barge_in_after_s", 0.0)
        if 0 < barge_in_after_s <= value:
            raise ValueError(
                f"must be below TURN_BARGE_IN_AFTER_S ({barge_in_after_s:g}), or a cough like a word interrupts"
            )
        return value

    @field_validator("gateway_tls_key_file")
    @classmethod
    def _belongs_to_a_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("gateway_tls_cert_file") is None):
            raise ValueError("GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE belong together; set both or none")
        return value

    @field_validator("gateway_tls_client_ca_file")
    @classmethod
    def _needs_tls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("gateway_tls_cert_file") is None:
            raise ValueError("callers can show a certificate over TLS only; set GATEWAY_TLS_CERT_FILE, too")
        return value

    @field_validator("gateway_plaintext")
    @classmethod
    def _is_asked_for(cls, value: bool, info: ValidationInfo) -> bool:
        encrypted = info.data.get("gateway_tls_cert_file") is not None
        if said := plaintext.refusal(info.data["gateway_host"], "GATEWAY", encrypted=encrypted, wanted=value):
            raise ValueError(said)
        return value

    @field_validator("riva_client_key_file")
    @classmethod
    def _belongs_to_a_client_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("riva_client_cert_file") is None):
            raise ValueError("RIVA_CLIENT_CERT_FILE and RIVA_CLIENT_KEY_FILE belong together; set both or none")
        return value

    @field_validator("llm_client_key_file")
    @classmethod
    def _belongs_to_the_models_client_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("llm_client_cert_file") is None):
            raise ValueError("LLM_CLIENT_CERT_FILE and LLM_CLIENT_KEY_FILE belong together; set both or none")
        return value

    @field_validator("llm_api_key_file")
    @classmethod
    def _is_the_only_key(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data["llm_api_key"].get_secret_value() != "none":
            raise ValueError("LLM_API_KEY is set, too, and would not be used; unset one of them")
        return value

    @field_validator("llm_ca_file", "llm_client_cert_file")
    @classmethod
    def _is_used_over_https(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not str(info.data.get("llm_base_url")).startswith("https://"):
            raise ValueError("is used over TLS only; write LLM_BASE_URL=https://...")
        return value

    @field_validator("riva_ca_file", "riva_client_cert_file")
    @classmethod
    def _is_used(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not info.data.get("riva_ssl"):
            raise ValueError("is used with RIVA_SSL only; set RIVA_SSL=true, too")
        return value

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """GATEWAY_ALLOWED_ORIGINS as a list."""
        return origins.parse(self.gateway_allowed_origins)

    @property
    def settable_by_callers(self) -> frozenset[str]:
        """CALLER_MAY_SET as a set."""
        return _names(self.caller_may_set)

    @property
    def asr_target(self) -> str:
        """gRPC target of recognition."""
        return self.riva_asr_uri or f"{self.riva_host}:{self.riva_port}"

    @property
    def tts_target(self) -> str:
        """gRPC target of synthesis."""
        return self.riva_tts_uri or f"{self.riva_host}:{self.riva_port}"
