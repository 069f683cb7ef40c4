"""Can the engine be asked by itself, without a server?"""

import json
from pathlib import Path

import pytest
from pcm import Clip, write_wav
from pcm.compressed import encode_file
from speech_server.app import main

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"SPEECH_ASR_ENGINE": "scripted", "SPEECH_TTS_ENGINE": "tone", "SCRIPT_FINAL_DELAY_MS": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def recordings(tmp_path: Path) -> list[str]:
    write_wav(tmp_path / "one.wav", [bytes(16_000)], 8_000)
    (tmp_path / "two.flac").write_bytes(encode_file(Clip(bytes(32_000), 16_000), "flac"))
    return [str(tmp_path / "one.wav"), str(tmp_path / "two.flac")]


def test_each_recording_is_heard_whole(recordings: list[str], capsys: Said) -> None:
    assert main(["recognise", *recordings]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{recordings[0]}: caller 1 turn 1",
        f"{recordings[1]}: caller 2 turn 1",
    ]


def test_programs_give_a_list_and_get_lines_of_json(recordings: list[str], tmp_path: Path) -> None:
    listed, out = tmp_path / "list", tmp_path / "out.jsonl"
    listed.write_text("\n".join(recordings))
    assert main(["recognise", "--json", "--out", str(out), f"@{listed}"]) == 0
    heard = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(one["file"], one["audio_s"]) for one in heard] == [(recordings[0], 1.0), (recordings[1], 1.0)]
    assert all(one["text"] and not one["trouble"] for one in heard)


def test_a_file_that_is_no_audio_is_said_and_the_others_are_heard(recordings: list[str], capsys: Said) -> None:
    assert main(["recognise", __file__, "/nowhere.wav", recordings[0]]) == 1
    said = capsys.readouterr()
    assert said.out == f"{recordings[0]}: caller 1 turn 1\n"
    assert f"{__file__}: The file begins like plain text: that is not audio" in said.err
    assert "/nowhere.wav" in said.err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SPEECH_ASR_ENGINE": "parakeet", "PARAKEET_PULL": "false"}, "speech-server models pull"),
        ({"SPEECH_ASR_ENGINE": "whisper"}, "SPEECH_ASR_ENGINE"),
    ],
)
def test_an_engine_that_cannot_start_is_a_sentence(
    settings: dict[str, str],
    sentence: str,
    recordings: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: Said,
) -> None:
    for name, value in {**settings, "PARAKEET_CACHE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert main(["recognise", *recordings]) == 1
    said = capsys.readouterr().err
    assert said.startswith("speech-server recognise: ")
    assert sentence in said
