"""Pipecat's NVIDIA services and LiveKit's NVIDIA plug-in, as their users call them."""

from pathlib import Path

from .conftest import SENTENCE, Stand, converse, plain


def test_pipecat_hears_live_speech(stand: Stand, spoken: Path) -> None:
    heard = converse("pipecat", "stt", stand.grpc, str(spoken))
    assert [plain(final) for final in heard["finals"]] == [SENTENCE]
    assert heard["interim"] > 0


def test_pipecat_hears_speech_its_own_detector_cut_out(stand: Stand, spoken: Path) -> None:
    heard = converse("pipecat", "segmented", stand.grpc, str(spoken))
    assert [plain(final) for final in heard["finals"]] == [SENTENCE]


def test_pipecat_speaks(stand: Stand) -> None:
    said = converse("pipecat", "tts", stand.grpc, "good morning to all of you")
    assert said["seconds"] > 1
    assert said["peak"] > 3000


def test_livekit_hears_live_speech_with_words(stand: Stand, spoken: Path) -> None:
    heard = converse("livekit", "stt", stand.grpc, str(spoken))
    assert [plain(final) for final in heard["finals"]] == [SENTENCE]
    assert heard["kinds"] == ["end_of_speech", "final_transcript", "interim_transcript", "start_of_speech"]
    assert heard["words"] == len(SENTENCE.split())


def test_livekit_speaks(stand: Stand) -> None:
    said = converse("livekit", "tts", stand.grpc, "Good morning. How are you today?")
    assert said["seconds"] > 1.5
    assert said["peak"] > 3000


def test_livekit_lists_voices(stand: Stand) -> None:
    assert "English-US.Rob" in converse("livekit", "voices", stand.grpc)["en-US"]["voices"]
