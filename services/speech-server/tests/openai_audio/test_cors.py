"""Web pages of the origins that the operator names may call; others, and by default all, may not."""

from pathlib import Path

import pytest

from .conftest import Call

APP, OTHER = "https://app.example", "https://other.example"
PREFLIGHT = {
    "Origin": APP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
PATHS = ("/v1/audio/speech", "/v1/audio/transcriptions", "/v1/models", "/readyz")
SPOKEN = {"model": "tts-1", "input": "hello", "voice": "alloy"}


@pytest.mark.parametrize("setting", [f"{APP}, https://b.example", "*"])
async def test_a_preflight_of_an_allowed_origin_is_answered(call: Call, setting: str) -> None:
    session = await call(SPEECH_CORS_ORIGINS=setting)
    for path in PATHS:
        async with session.options(path, headers=PREFLIGHT) as got:
            assert got.status == 204
            assert got.headers["Access-Control-Allow-Origin"] in (APP, "*")
            assert "POST" in got.headers["Access-Control-Allow-Methods"]
            assert got.headers["Access-Control-Allow-Headers"] == "authorization,content-type"


async def test_answers_and_errors_can_be_read_by_the_page(call: Call) -> None:
    session = await call(SPEECH_CORS_ORIGINS=APP)
    async with session.post("/v1/audio/speech", json=SPOKEN, headers={"Origin": APP}) as got:
        assert (got.status, got.headers["Access-Control-Allow-Origin"], got.headers["Vary"]) == (200, APP, "Origin")
        assert await got.read()
    async with session.post("/v1/audio/speech", json={}, headers={"Origin": APP}) as got:
        assert (got.status, got.headers["Access-Control-Allow-Origin"]) == (400, APP)


async def test_other_origins_and_the_default_are_closed(call: Call) -> None:
    for setting in ({"SPEECH_CORS_ORIGINS": APP}, {"SPEECH_CORS_ORIGINS": ""}):
        session = await call(**setting)
        async with session.options("/v1/audio/speech", headers={**PREFLIGHT, "Origin": OTHER}) as got:
            assert got.status == 405
            assert "Access-Control-Allow-Origin" not in got.headers
        async with session.post("/v1/audio/speech", json=SPOKEN, headers={"Origin": OTHER}) as got:
            assert "Access-Control-Allow-Origin" not in got.headers


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text("secret\n")
    return file


async def test_a_preflight_needs_no_token(call: Call, tokens: Path) -> None:
    session = await call(SPEECH_CORS_ORIGINS=APP, SPEECH_TOKENS_FILE=str(tokens))
    async with session.options("/v1/audio/speech", headers=PREFLIGHT) as got:
        assert got.status == 204
    async with session.post("/v1/audio/speech", json=SPOKEN, headers={"Origin": APP}) as got:
        assert (got.status, got.headers["Access-Control-Allow-Origin"]) == (401, APP)
