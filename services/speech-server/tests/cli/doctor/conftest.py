"""Settings that are all right, so that a test breaks one thing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from engines.parakeet.tiny import make_model
from speech_server.settings import Settings

RIGHT = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "scripted",
    "SPEECH_TTS_ENGINE": "tone",
}
Given = Callable[..., Settings]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """The settings, with these changes; caches lie in the test's folder."""

    def settings(**changes: str) -> Settings:
        caches = {"PARAKEET_CACHE": str(tmp_path / "cache"), "KOKORO_CACHE": str(tmp_path / "cache")}
        for name, value in {**RIGHT, **caches, **changes}.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return settings


@pytest.fixture(scope="session")
def parakeet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("parakeet"), seed=4)
