"""Are recordings found with their texts, side by side and the way LibriSpeech lays them?"""

from pathlib import Path

import pytest
from pcm import Clip, write_wav
from pcm.compressed import encode_file
from voice_bench.measure.clips import RATE_HZ, NoSpeech
from voice_bench.speech.corpus import corpus

SECOND = bytes(2 * RATE_HZ)


def put(path: Path, text: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, [SECOND], RATE_HZ)
    if text is not None:
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")


def test_recordings_side_by_side_are_counted_by_folder_or_by_name(tmp_path: Path) -> None:
    put(tmp_path / "cards-001.wav", "queen of hearts")
    put(tmp_path / "noisy" / "a.wav", "hello")
    put(tmp_path / "without.wav")
    found = corpus(tmp_path)
    assert [(one.name, one.category, one.text) for one in found] == [
        ("cards-001", "cards", "queen of hearts"),
        ("a", "noisy", "hello"),
    ]
    assert found[0].pcm16() == SECOND


def test_librispeech_is_read_as_it_is_unpacked(tmp_path: Path) -> None:
    chapter = tmp_path / "dev-clean" / "84" / "121123"
    chapter.mkdir(parents=True)
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO DO YOU HEAR\n84-121123-0001 MISSING\n")
    (chapter / "84-121123-0000.flac").write_bytes(encode_file(Clip(SECOND, RATE_HZ), "flac"))
    (one,) = corpus(tmp_path)
    assert (one.name, one.category, one.text) == ("84-121123-0000", "dev-clean", "GO DO YOU HEAR")
    assert one.pcm16() == SECOND


def test_a_set_by_itself_is_its_own_category(tmp_path: Path) -> None:
    chapter = tmp_path / "dev-other" / "84" / "1"
    chapter.mkdir(parents=True)
    (chapter / "84-1.trans.txt").write_text("84-1-0 YES\n")
    (chapter / "84-1-0.flac").write_bytes(encode_file(Clip(SECOND, RATE_HZ), "flac"))
    assert corpus(tmp_path / "dev-other")[0].category == "dev-other"


def test_a_folder_without_texts_is_a_sentence(tmp_path: Path) -> None:
    put(tmp_path / "without.wav")
    with pytest.raises(NoSpeech, match=r"put NAME\.txt beside NAME\.wav"):
        corpus(tmp_path)


def test_a_file_that_is_no_audio_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC?")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(NoSpeech, match="can't be read"):
        corpus(tmp_path)[0].pcm16()
