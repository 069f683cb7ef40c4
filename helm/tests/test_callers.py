"""Who may call: the keys that verify tokens reach the pods, and values that would let the wrong ones in are refused."""

from typing import Any

import pytest
from rendering import Chart

ISSUED = {"jwtIssuer": "https://login.example", "jwtAudience": "voice"}
JWKS = {"jwtJwksUrl": "https://login.example/jwks.json"}


def test_keys_and_policy_of_tokens_reach_the_gateway(chart: Chart) -> None:
    rendered = chart.set("jwt")

    env = rendered.env("voice-gateway")
    assert env["GATEWAY_JWT_ISSUER"] == "https://login.example"
    assert env["GATEWAY_JWT_JWKS_URL"] == "https://login.example/.well-known/jwks.json"
    assert env["GATEWAY_JWT_JWKS_CA_FILE"] == "/etc/voice-gateway/jwks-ca/ca.crt"
    assert env["GATEWAY_CLIENT_SECRET_KEYS_FILE"] == "/etc/voice-gateway/client-secrets/keys"
    assert env["GATEWAY_ALLOWED_ORIGINS"] == "https://app.example"
    assert rendered.live["GATEWAY_CALLS_PER_MINUTE_PER_TOKEN"] == 30
    assert "GATEWAY_TOKENS_FILE" not in env


def test_keys_of_files_come_from_the_key_that_is_named(chart: Chart) -> None:
    secrets = {"jwtKeys": {"name": "a", "key": "public.pem"}, "jwtHmacSecret": {"name": "b"}}
    rendered = chart.render({"config": {"gateway": ISSUED}, "secrets": secrets})

    env = rendered.env("voice-gateway")
    assert env["GATEWAY_JWT_PUBLIC_KEYS_FILE"] == "/etc/voice-gateway/jwt-keys/public.pem"
    assert env["GATEWAY_JWT_HMAC_SECRET_FILE"] == "/etc/voice-gateway/jwt-secret/secret"
    volumes = {one["name"]: one.get("secret") for one in rendered.pod("voice-gateway")["volumes"]}
    assert volumes["jwt-keys"]["secretName"] == "a"


def test_the_speech_server_verifies_tokens_too(chart: Chart) -> None:
    speech = {"enabled": True, "env": {"SPEECH_JWT_ISSUER": "https://login.example", "SPEECH_JWT_AUDIENCE": "voice"}}
    secrets = {"speechJwtKeys": {"name": "keys"}, "rivaToken": {"name": "mine"}}
    rendered = chart.render({"speechServer": speech, "secrets": secrets})

    assert rendered.env("voice-speech")["SPEECH_JWT_PUBLIC_KEYS_FILE"] == "/etc/speech-server/jwt-keys/keys.pem"
    volumes = {one["name"]: one.get("secret") for one in rendered.pod("voice-speech")["volumes"]}
    assert volumes["jwt-keys"]["items"] == [{"key": "keys.pem", "path": "keys.pem"}]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"config": {"gateway": JWKS}}, "set config.gateway.jwtIssuer and config.gateway.jwtAudience"),
        ({"config": {"gateway": JWKS | {"jwtIssuer": "a"}}}, "set config.gateway.jwtIssuer"),
        ({"config": {"gateway": ISSUED}}, "no key verifies callers' tokens"),
        ({"secrets": {"jwtKeys": {"name": "k"}}}, "set config.gateway.jwtIssuer"),
        ({"secrets": {"jwtJwksCa": {"name": "k"}}}, "config.gateway.jwtJwksUrl is empty"),
        ({"config": {"gateway": ISSUED | {"jwtJwksUrl": "http://login.example/jwks"}}}, "jwtJwksUrl"),
        ({"secrets": {"speechJwtKeys": {"name": "k"}}}, "the chart brings no speech server"),
        (
            {"speechServer": {"enabled": True}, "secrets": {"speechJwtKeys": {"name": "k"}}},
            "set SPEECH_JWT_ISSUER and SPEECH_JWT_AUDIENCE",
        ),
    ],
)
def test_values_that_do_not_go_together_are_refused(chart: Chart, values: dict[str, Any], sentence: str) -> None:
    assert sentence in chart.refusal(values)
