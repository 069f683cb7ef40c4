"""Settings of every engine are SPEECH_…; the names of the original service are taken, too, with its defaults."""

from typing import get_args

import pytest
from serving.settings import BadSettings
from speech_server.engines.registry import ASR, TTS, asr_spec, tts_spec
from speech_server.settings import ServerSettings, Settings, table

ORIGINAL = {
    "PARAKEET_MICROBATCH_WINDOW_MS": 8, "PARAKEET_MICROBATCH_MAX_BATCH": 32,
    "PARAKEET_STREAM_CONTEXT_SECONDS": 10, "PARAKEET_SEGMENT_LIMIT_S": 5, "PARAKEET_QUEUE_MAX_FACTOR": 4,
    "PARAKEET_MAX_QUEUE_WAIT_S": 30, "PARAKEET_MAX_AUDIO_SECONDS": 7200, "PARAKEET_MAX_UPLOAD_MB": 64,
}  # fmt: skip


def named(original: str) -> str:
    return "SPEECH_BATCH_LIMIT_S" if original == "PARAKEET_SEGMENT_LIMIT_S" else original.replace("PARAKEET", "SPEECH")


def value(name: str) -> object:
    settings = Settings()
    field = name.lower()
    return getattr(settings.offline if hasattr(settings.offline, field) else settings.requests, field)


@pytest.mark.parametrize(("original", "default"), ORIGINAL.items())
def test_both_names_are_taken_and_the_new_one_wins(
    monkeypatch: pytest.MonkeyPatch, original: str, default: float
) -> None:
    assert value(named(original)) == default
    monkeypatch.setenv(original, "7")
    assert value(named(original)) == 7
    monkeypatch.setenv(named(original), "9")
    assert value(named(original)) == 9
    monkeypatch.setenv(named(original), "")
    assert value(named(original)) == 7, "an empty variable counts as unset"


def test_an_error_and_the_list_of_settings_name_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAKEET_MAX_UPLOAD_MB", "much")
    with pytest.raises(BadSettings, match=r"SPEECH_MAX_UPLOAD_MB \(or PARAKEET_MAX_UPLOAD_MB\): "):
        Settings()
    for original in ORIGINAL:
        assert f"; also {original}\n" in table()


def test_every_engine_that_can_be_set_has_a_spec() -> None:
    fields = ServerSettings.model_fields
    assert set(get_args(fields["speech_asr_engine"].annotation)) == {name for name in ASR if asr_spec(name)}
    assert set(get_args(fields["speech_tts_engine"].annotation)) == {name for name in TTS if tts_spec(name)}


def test_espeak_is_known_by_its_first_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_TTS_ENGINE", "embedded")
    assert Settings().server.speech_tts_engine == "espeak"
