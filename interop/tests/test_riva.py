"""NVIDIA's own client scripts with nvidia-riva-client; only an address that talk.py would print is left out."""

import json
import wave
from pathlib import Path

import pytest

from .conftest import SENTENCE, Papers, Stand, run


def length_s(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def test_talk_fetches_the_same_speech_streamed_and_whole(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.wav"
    say = ["--text", SENTENCE, "--voice", "English-US.Klatt-4", "--sample-rate-hz", "16000", "-o", str(whole)]
    assert "Time spent" in run("riva", "nvidia/talk.py", "--server", stand.grpc, *say)
    assert length_s(whole) == pytest.approx(length_s(spoken), abs=0.05)
    assert length_s(whole) > 1


def test_talk_speaks_a_custom_dictionary_and_its_default_rate(stand: Stand, tmp_path: Path) -> None:
    words, path = tmp_path / "words.txt", tmp_path / "out.wav"
    words.write_text("NVIDIA  ɛnˈvɪdiə\n", encoding="utf-8")
    run("riva", "nvidia/talk.py", "--server", stand.grpc, "--text", "ask NVIDIA", "--custom-dictionary", str(words),
        "-o", str(path))  # fmt: skip
    assert length_s(path) > 0.5


def test_talk_lists_voices(stand: Stand) -> None:
    listed = json.loads(run("riva", "nvidia/talk.py", "--server", stand.grpc, "--list-voices"))
    assert "English-US.Klatt-4" in listed["en-US"]["voices"]
    assert "Hindi-IN.Male-1" in listed["hi-IN"]["voices"]


def test_transcribe_file_streams_a_recording(stand: Stand, spoken: Path) -> None:
    said = run("riva", "nvidia/transcribe_file.py", "--server", stand.grpc, "--input-file", str(spoken))
    assert said.strip().removeprefix("##").strip() == SENTENCE


def test_transcribe_file_shows_partials_and_takes_every_switch(stand: Stand, spoken: Path) -> None:
    switches = ["--show-intermediate", "--automatic-punctuation", "--word-time-offsets", "--max-alternatives", "3"]
    boost = ["--boosted-lm-words", "meters", "--boosted-lm-score", "20", "--no-verbatim-transcripts"]
    said = run(
        "riva", "nvidia/transcribe_file.py", "--server", stand.grpc, "--input-file", str(spoken), *switches, *boost
    )
    assert SENTENCE in said
    assert ">>" in said


def test_the_scripts_talk_over_mutual_tls(sealed: tuple[Stand, Papers], spoken: Path) -> None:
    stand, papers = sealed
    tls = ["--use-ssl", "--ssl-root-cert", str(papers.authority), "--ssl-client-cert", str(papers.client),
           "--ssl-client-key", str(papers.client_key), "--metadata", "authorization", "Bearer none"]  # fmt: skip
    said = run("riva", "nvidia/transcribe_file.py", "--server", stand.grpc, *tls, "--input-file", str(spoken))
    assert SENTENCE in said


def test_transcribe_file_lists_models(stand: Stand) -> None:
    assert "pocketsphinx-en-us" in run("riva", "nvidia/transcribe_file.py", "--server", stand.grpc, "--list-models")


def test_the_offline_script_transcribes_a_recording(stand: Stand, spoken: Path) -> None:
    said = run("riva", "nvidia/transcribe_file_offline.py", "--server", stand.grpc, "--input-file", str(spoken))
    assert said.strip().splitlines()[-1] == f"Final transcript: {SENTENCE}"


def test_the_offline_script_transcribes_flac(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    from pcm import read_wav
    from pcm.compressed import encode_file

    path = tmp_path / "sentence.flac"
    path.write_bytes(encode_file(read_wav(spoken), "flac"))
    said = run("riva", "nvidia/transcribe_file_offline.py", "--server", stand.grpc, "--input-file", str(path))
    assert said.strip().splitlines()[-1] == f"Final transcript: {SENTENCE}"


def test_the_parallel_client_writes_words_with_times(stand: Stand, spoken: Path, tmp_path: Path) -> None:
    options = ["--num-clients", "4", "--num-iterations", "2", "--word-time-offsets", "--input-file", str(spoken)]
    run("riva", "nvidia/riva_streaming_asr_client.py", "--server", stand.grpc, *options, folder=tmp_path)
    written = [path.read_text() for path in sorted(tmp_path.glob("output_*.txt"))]
    assert len(written) == 4
    assert all(SENTENCE in text and "Timestamps" in text for text in written)
