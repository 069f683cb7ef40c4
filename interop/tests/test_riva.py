"""nvidia-riva-client, the package, as its users call it: streams, whole files, lists, synthesis, mutual TLS."""

from pathlib import Path

import pytest
from pcm import read_wav
from pcm.compressed import encode_file

from .conftest import SENTENCE, Papers, Stand, converse, plain, run


def test_speech_is_the_same_streamed_and_whole(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    whole = converse("riva", "speak", stand.grpc, SENTENCE, str(tmp_path / "whole.wav"))
    streamed = converse("riva", "speak_online", stand.grpc, SENTENCE, str(tmp_path / "streamed.wav"))
    assert streamed["pieces"] > whole["pieces"] == 1
    assert whole["seconds"] == pytest.approx(streamed["seconds"], abs=0.05)
    assert whole["seconds"] > 1
    assert whole["words"] == len(SENTENCE.split())


def test_a_custom_dictionary_is_spoken(stand: Stand, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    assert converse("riva", "pronounce", stand.grpc, "ask NVIDIA", "NVIDIA", "ɛnˈvɪdiə", str(path))["seconds"] > 0.5


def test_speech_comes_at_the_rate_the_package_asks_for_by_itself(stand: Stand, tmp_path: Path) -> None:
    assert converse("riva", "speak", stand.grpc, SENTENCE, str(tmp_path / "out.wav"), "22050")["seconds"] > 1


def test_voices_are_listed_by_language(stand: Stand) -> None:
    listed = converse("riva", "voices", stand.grpc)
    assert "English-US.Rob" in listed["en-US"]
    assert "Hindi-IN.Male-1" in listed["hi-IN"]


def test_models_are_listed(stand: Stand) -> None:
    assert "moonshine-tiny-en" in converse("riva", "models", stand.grpc)


@pytest.mark.parametrize("pace", [(), ("delay",)])
def test_a_recording_is_streamed(stand: Stand, spoken: Path, pace: tuple[str, ...]) -> None:
    said = converse("riva", "stream", stand.grpc, str(spoken), *pace)
    assert said["transcript"] == SENTENCE
    # What comes all at once is heard all at once.
    assert said["partials"] > 0 or not pace


def test_every_switch_is_taken_and_words_have_times(stand: Stand, spoken: Path) -> None:
    said = converse("riva", "stream", stand.grpc, str(spoken), "every")
    assert [plain(word) for word, _, _ in said["words"]] == SENTENCE.split()
    assert all(start <= end for _, start, end in said["words"])


def test_the_package_prints_partials_and_finals(stand: Stand, spoken: Path) -> None:
    printed = run("riva", "converse.py", "printed", stand.grpc, str(spoken))
    assert f"## {SENTENCE}" in printed
    assert ">> " in printed


def test_a_whole_recording_is_transcribed(stand: Stand, spoken: Path) -> None:
    assert converse("riva", "offline", stand.grpc, str(spoken)) == {"transcript": SENTENCE, "words": SENTENCE.split()}


def test_a_whole_flac_is_transcribed(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    path = tmp_path / "sentence.flac"
    path.write_bytes(encode_file(read_wav(spoken), "flac"))
    assert converse("riva", "offline", stand.grpc, str(path))["transcript"] == SENTENCE


def test_four_streams_share_a_channel(stand: Stand, spoken: Path) -> None:
    said = converse("riva", "parallel", stand.grpc, str(spoken), "4")
    assert [one["transcript"] for one in said] == [SENTENCE] * 4


def test_the_package_talks_over_mutual_tls(sealed: tuple[Stand, Papers], spoken: Path) -> None:
    stand, papers = sealed
    tls = ("--tls", str(papers.authority), str(papers.client), str(papers.client_key))
    assert converse("riva", "stream", stand.grpc, str(spoken), *tls)["transcript"] == SENTENCE


def test_the_realtime_client_transcribes(stand: Stand, spoken: Path) -> None:
    said = converse("riva", "transcribe", stand.address, str(spoken), script="realtime.py")
    assert plain(said["transcript"]) == SENTENCE
    assert said["configured"]


def test_the_realtime_client_speaks(stand: Stand, tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    said = converse("riva", "speak", stand.address, SENTENCE, str(path), script="realtime.py")
    assert said["seconds"] > 1
    assert not said["failed"]


def test_the_realtime_client_lists_voices(stand: Stand) -> None:
    assert "English-US.Rob" in converse("riva", "voices", stand.address, script="realtime.py")["en-US"]["voices"]
