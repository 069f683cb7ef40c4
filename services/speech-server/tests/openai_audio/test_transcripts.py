"""Are transcripts written the way OpenAI's clients read them?"""

import math

import pytest
from speech_server.core.asr.asr_types import Hypothesis, Word
from speech_server.openai_audio import transcripts
from speech_server.openai_audio.stable_deltas import StableDeltas
from speech_server.openai_audio.transcripts import Segment, Transcript, segment_of

WORDS = (Word("go", 0.2, 0.5, 0.9), Word("on", 0.6, 0.9, 0.5))
TWO = Transcript(
    (
        segment_of(Hypothesis("go on", WORDS, 0.8), 1.0, 1.5),
        Segment("a < b & c", 3661.5, 3662.25),
    ),
    "en-US",
    3700.2,
)


def test_a_segment_lasts_from_its_first_word_to_its_last() -> None:
    segment = TWO.segments[0]
    assert (segment.start_s, segment.end_s) == (1.2, 1.9)
    assert [word.start_s for word in segment.words] == [1.2, 1.6]


def test_a_segment_without_words_lasts_as_long_as_its_audio() -> None:
    segment = segment_of(Hypothesis("go on"), 1.0, 1.5)
    assert (segment.start_s, segment.end_s) == (1.0, 2.5)


def test_json_has_the_text_and_whole_seconds_of_audio() -> None:
    content = transcripts.as_json(TWO)
    assert content == {"text": "go on a < b & c", "usage": {"type": "duration", "seconds": 3701}}


def test_logprobs_are_the_words_with_a_known_confidence() -> None:
    told = transcripts.as_json(TWO, logprobs=True)["logprobs"]
    assert [one["token"] for one in told] == [" go", " on"]
    assert told[1]["logprob"] == pytest.approx(math.log(0.5), abs=1e-4)
    assert bytes(told[0]["bytes"]) == b" go"


def test_verbose_json_has_what_was_asked_for() -> None:
    both = transcripts.as_verbose_json(TWO, segments=True, words=True)
    assert both["language"] == "english"
    assert [one["word"] for one in both["words"]] == ["go", "on"]
    assert [(one["id"], one["start"], one["end"]) for one in both["segments"]] == [(0, 1.2, 1.9), (1, 3661.5, 3662.25)]
    neither = transcripts.as_verbose_json(TWO, segments=False, words=False)
    assert neither.keys() == {"task", "language", "duration", "text", "usage"}


def test_subrip_counts_from_one_and_writes_commas() -> None:
    assert transcripts.as_srt(TWO) == (
        "1\n00:00:01,200 --> 00:00:01,900\ngo on\n\n2\n01:01:01,500 --> 01:01:02,250\na < b & c\n\n"
    )


def test_webvtt_has_its_header_and_escapes() -> None:
    assert transcripts.as_vtt(TWO) == (
        "WEBVTT\n\n00:00:01.200 --> 00:00:01.900\ngo on\n\n01:01:01.500 --> 01:01:02.250\na &lt; b &amp; c\n\n"
    )


def test_a_recording_without_speech_is_an_empty_transcript() -> None:
    nothing = Transcript((), "en-US", 2.0)
    assert transcripts.as_text(nothing) == "\n"
    assert transcripts.as_srt(nothing) == ""
    assert transcripts.as_vtt(nothing) == "WEBVTT\n\n"
    assert transcripts.as_verbose_json(nothing, segments=True, words=True)["segments"] == []


def test_a_word_is_told_when_it_was_heard_twice_and_another_came_after_it() -> None:
    deltas = StableDeltas()
    told = [deltas.push(text) for text in ("go", "go for", "go forward", "go forward ten", "go forward ten meters")]
    assert told == ["", "go", "", " forward", " ten"]
    assert deltas.finish("go forward ten meters") == " meters"


def test_what_was_told_is_never_taken_back() -> None:
    deltas = StableDeltas()
    for text in ("wreck a", "wreck a nice", "recognise"):
        deltas.push(text)
    assert deltas.finish("recognise speech") == ""


def test_a_final_that_goes_on_from_what_was_told_adds_the_rest() -> None:
    deltas = StableDeltas()
    assert (deltas.push("one two"), deltas.push("one two three")) == ("", "one two")
    assert deltas.push("one") == ""
    assert deltas.finish("one two four") == " four"
