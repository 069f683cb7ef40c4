"""What Riva answers, as the gateway understands it."""

from typing import TypeAlias

from riva.client.proto import riva_asr_pb2 as riva
from voice_gateway.backends.riva_results import recognised
from voice_gateway.core.events import WordTime
from voice_gateway.core.transcript import RecognitionResult

Result: TypeAlias = "riva.StreamingRecognitionResult"


def result(*texts: str, final: bool = False, stability: float = 0.5, processed_s: float = 0.0) -> Result:
    return riva.StreamingRecognitionResult(
        alternatives=[riva.SpeechRecognitionAlternative(transcript=text) for text in texts],
        is_final=final,
        stability=stability,
        audio_processed=processed_s,
    )


def understood(*results: Result) -> list[RecognitionResult]:
    return recognised(riva.StreamingRecognizeResponse(results=results))


def test_partials_of_one_response_are_segments_of_one_text_and_as_stable_as_the_shakiest() -> None:
    segments = result("hello ", stability=0.9, processed_s=1.0), result("you", stability=0.1, processed_s=1.5)
    (found,) = understood(*segments)
    assert (found.text, found.final, round(found.stability, 3)) == ("hello you", False, 0.1)
    assert found.audio_processed_s == 1.5


def test_only_the_best_alternative_counts() -> None:
    assert [found.text for found in understood(result("hello", "yellow", final=True))] == ["hello"]
    assert [found.text for found in understood(result("hello", "yellow"))] == ["hello"]


def test_a_partial_of_stability_one_stays_one() -> None:
    assert understood(result("hello", stability=1.0))[0].stability == 1.0


def test_finals_come_one_by_one_before_the_partial_that_follows_them() -> None:
    found = understood(result("one", final=True), result("two", final=True), result("thr"))
    assert [(entry.text, entry.final) for entry in found] == [("one", True), ("two", True), ("thr", False)]


def test_the_words_of_a_final_have_times_in_seconds() -> None:
    final = result("go on", final=True, processed_s=2.0)
    for text, start_ms, end_ms in (("go", 80, 320), ("on", 400, 640)):
        word = riva.WordInfo(word=text, start_time=start_ms, end_time=end_ms, confidence=0.5)
        final.alternatives[0].words.append(word)
    words = (WordTime("go", 0.08, 0.32, 0.5), WordTime("on", 0.4, 0.64, 0.5))
    assert understood(final) == [RecognitionResult("go on", True, 1.0, 2.0, words)]


def test_a_result_without_alternatives_only_tells_how_far_the_recogniser_has_come() -> None:
    assert understood(result(stability=0.0, processed_s=3.0)) == [RecognitionResult("", False, 0.0, 3.0)]


def test_a_recogniser_that_does_not_tell_how_far_it_is_is_not_taken_for_one_at_the_beginning() -> None:
    assert [found.audio_processed_s for found in understood(result("a"), result("b", final=True))] == [None, None]


def test_an_empty_response_says_nothing() -> None:
    assert understood() == []
