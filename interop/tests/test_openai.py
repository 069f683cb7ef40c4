"""The OpenAI SDK, as its users call it."""

import json
from pathlib import Path

import pytest
from pcm import read_wav, write_wav

from .conftest import SENTENCE, Stand, converse, plain


def test_models_are_listed(stand: Stand) -> None:
    assert "moonshine-tiny-en" in converse("openai", "models", stand.url)


@pytest.mark.parametrize("form", ["json", "verbose_json", "text", "srt", "vtt"])
def test_a_recording_is_transcribed_in_every_format(stand: Stand, spoken: Path, form: str) -> None:
    answer = converse("openai", "transcribe", stand.url, str(spoken), form)
    assert SENTENCE in plain(json.dumps(answer))
    if form == "verbose_json":
        assert [plain(word["word"]) for word in answer["words"]] == SENTENCE.split()
        assert answer["segments"]
    if form in ("srt", "vtt"):
        assert "-->" in answer


def test_a_transcription_is_streamed(stand: Stand, spoken: Path) -> None:
    events = converse("openai", "stream", stand.url, str(spoken))
    assert events[-1]["type"] == "transcript.text.done"
    assert plain(events[-1]["text"]) == SENTENCE
    assert plain("".join(event["delta"] for event in events[:-1])) == SENTENCE


@pytest.mark.parametrize("form", ["pcm", "wav", "mp3", "opus", "flac"])
def test_speech_comes_in_every_format_and_is_understood_again(stand: Stand, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"said.{form}"
    said = converse("openai", "speech", stand.url, SENTENCE, form, str(path))
    assert said["bytes"] == path.stat().st_size > 1000
    if form == "pcm":
        track, path = path.read_bytes(), tmp_path / "said.wav"
        write_wav(path, [track], 24_000)
    assert SENTENCE in plain(json.dumps(converse("openai", "transcribe", stand.url, str(path), "text")))


def test_live_speech_is_transcribed(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    path = tmp_path / "live.wav"
    clip = read_wav(spoken).at(24_000)
    write_wav(path, [clip.pcm16], 24_000)
    heard = converse("openai", "realtime", stand.url, str(path))
    assert plain(heard["transcript"]) == SENTENCE
    assert "input_audio_buffer.speech_started" in heard["events"]
