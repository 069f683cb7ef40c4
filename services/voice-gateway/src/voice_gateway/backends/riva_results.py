"""What does one response of Riva's recognition say? Impossible numbers are left out here and get no further."""

from dataclasses import replace
from math import isfinite

from riva.client.proto import riva_asr_pb2 as riva

from voice_gateway.core.events import WordTime
from voice_gateway.core.stream_time import StreamTime
from voice_gateway.core.transcript import RecognitionResult

_MAX_CHARS = 262_144
"""Of one result; nobody says more in one utterance."""
_MAX_WORDS = 4_096


def recognised(response: riva.StreamingRecognizeResponse) -> list[RecognitionResult]:
    """The results of one response. Partials of one response are segments of one text; a result without
    alternatives only tells how far the recogniser has come."""
    found: list[RecognitionResult] = []
    partials = [result for result in response.results if not result.is_final]
    for result in response.results:
        if result.is_final:
            # Without alternatives the recogniser takes back what it had said: noise.
            best = result.alternatives[0] if result.alternatives else riva.SpeechRecognitionAlternative()
            words = tuple(
                WordTime(word.word, word.start_time / 1000, word.end_time / 1000, _part(word.confidence))
                for word in best.words[:_MAX_WORDS]
            )
            text = best.transcript[:_MAX_CHARS]
            found.append(RecognitionResult(text, True, 1.0, _processed(result.audio_processed), words))
    if partials:
        text = "".join(part.alternatives[0].transcript for part in partials if part.alternatives)[:_MAX_CHARS]
        processed = [_processed(part.audio_processed) or 0.0 for part in partials]
        stability = min(_part(part.stability) for part in partials)
        found.append(RecognitionResult(text, False, stability, max(processed) or None))
    return found


def moved(result: RecognitionResult, times: StreamTime, until_s: float) -> RecognitionResult:
    """Times of a stream as times of the call, of which `until_s` seconds were sent."""
    processed_s = result.audio_processed_s
    if processed_s is not None:
        processed_s = _between(times.call_s(processed_s), until_s)
    words = tuple(
        replace(
            word,
            start_s=_between(times.call_s(word.start_s), until_s),
            end_s=_between(times.call_s(word.end_s), until_s),
        )
        for word in result.words
    )
    return replace(result, audio_processed_s=processed_s, words=words)


def _between(seconds: float, until_s: float) -> float:
    return min(max(0.0, seconds), until_s)


def _processed(seconds: float) -> float | None:
    """None = it does not tell."""
    return seconds if isfinite(seconds) and seconds > 0 else None


def _part(value: float) -> float:
    """Of one."""
    return min(max(0.0, value), 1.0) if isfinite(value) else 0.0
