"""Where does the gateway listen, who may call, and how many at once? Settings of ports, callers and limits."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    field_validator,
)
from serving import plaintext
from serving.identity import origins

from voice_gateway.config_fields import LIVE, Port, Seconds, SettingsPart
from voice_gateway.core.events import SETTABLE


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


class ListeningSettings(SettingsPart):  # size: a field for each setting, and the checks that name it
    """Ports, certificates, callers and their limits."""

    gateway_host: str = Field(
        "127.0.0.1",
        description="address all ports listen on; 0.0.0.0 = every one of the machine, which needs "
        "GATEWAY_TLS_CERT_FILE or GATEWAY_PLAINTEXT",
    )
    gateway_port: Port = Field(50050, description="gRPC port; 0 = a free one")
    gateway_http_port: Port = Field(8080, description="HTTP port (health, metrics); 0 = a free one")
    gateway_web: bool = Field(True, description="serve browsers and WebSockets, on GATEWAY_WEB_PORT")
    gateway_web_port: Port = Field(8090, description="port for browsers and WebSockets; 0 = a free one")
    gateway_page: bool = Field(True, description="serve the web page at / of the web port")
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
    gateway_tls_client_names: bool = Field(
        True,
        description="the name in a caller's certificate (common name, else the first alternative name) is the caller's "
        "own: in logs, for limits and for taking up a call again, while neither GATEWAY_TOKENS_FILE nor "
        "GATEWAY_JWT_ISSUER is set",
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

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """GATEWAY_ALLOWED_ORIGINS as a list."""
        return origins.parse(self.gateway_allowed_origins)

    @property
    def settable_by_callers(self) -> frozenset[str]:
        """CALLER_MAY_SET as a set."""
        return _names(self.caller_may_set)
