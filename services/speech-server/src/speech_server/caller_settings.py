"""What can an operator set about callers? Tokens of an issuer (JWT), and how much each caller may have."""

from pathlib import Path

from pydantic import Field

from speech_server.setting_types import SettingsGroup


class CallerSettings(SettingsGroup):
    """Who may call, beside the holders of SPEECH_TOKENS_FILE, and how much of each."""

    speech_jwt_issuer: str = Field(
        "", max_length=512, description="issuer (iss) of the tokens (JWT) that callers may send; docs/security.md"
    )
    speech_jwt_audience: str = Field(
        "", max_length=512, description="audience (aud) that a token must name; a comma list, any of which will do"
    )
    speech_jwt_jwks_url: str = Field(
        "",
        max_length=2048,
        description="where the issuer publishes the keys of its tokens (JWKS): an https URL, a file URL or a path",
    )
    speech_jwt_jwks_ca_file: Path | None = Field(
        None, description="PEM authorities for SPEECH_JWT_JWKS_URL; empty = the public ones"
    )
    speech_jwt_jwks_refresh_s: int = Field(
        300,
        ge=10,
        le=86_400,
        description="time between two looks at SPEECH_JWT_JWKS_URL; a token that names a new key brings one sooner",
    )
    speech_jwt_public_keys_file: Path | None = Field(
        None, description="PEM public keys (RSA, EC, Ed25519) or certificates that verify tokens; several in one file"
    )
    speech_jwt_hmac_secret_file: Path | None = Field(
        None, description="secret shared with the issuer, 32 bytes or more, that verifies tokens signed with HS256"
    )
    speech_jwt_identity_claim: str = Field(
        "sub", min_length=1, max_length=128, description="claim of a token that names the caller, for limits"
    )
    speech_jwt_limits_claim: str = Field(
        "",
        max_length=128,
        description="claim of a token that holds limits of its caller in place of the settings' own; empty = none does",
    )
    speech_jwt_clock_skew_s: float = Field(
        30, ge=0, le=300, description="how far the issuer's clock may differ when a token's times are checked"
    )
    speech_jwt_asr_scope: str = Field(
        "", max_length=128, description="scope that a token must have for recognition; empty = none"
    )
    speech_jwt_tts_scope: str = Field(
        "", max_length=128, description="scope that a token must have for synthesis; empty = none"
    )
    speech_client_secret_keys_file: Path | None = Field(
        None,
        description="keys that sign the secrets of realtime sessions for callers with a JWT, one a line (NAME: KEY); "
        "the first signs, all are accepted; empty = a key of this process, which no other one accepts",
    )
    speech_requests_per_minute_per_token: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="requests and streams that one caller, known by its token, may begin within a minute; 0 = no limit",
    )
    speech_audio_s_per_hour_per_token: float = Field(
        0,
        ge=0,
        le=10_000_000,
        description="seconds of audio, heard and spoken, that one caller, known by its token, may have within an hour; "
        "0 = no limit",
    )
    speech_audio_s_per_day_per_token: float = Field(
        0,
        ge=0,
        le=100_000_000,
        description="seconds of audio, heard and spoken, that one caller, known by its token, may have within 24 hours;"
        " 0 = no limit",
    )
