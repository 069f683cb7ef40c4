"""How is a recording's transcript written? As OpenAI's JSON, verbose JSON, plain text, SubRip and WebVTT."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speech_server.core.asr.asr_types import Hypothesis, Word
from speech_server.core.asr.subwords import shifted

_LANGUAGES = {
    "ar": "arabic", "bg": "bulgarian", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "fi": "finnish", "fr": "french", "hi": "hindi", "hr": "croatian",
    "hu": "hungarian", "it": "italian", "ja": "japanese", "ko": "korean", "lt": "lithuanian", "lv": "latvian",
    "mt": "maltese", "nl": "dutch", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sk": "slovak", "sl": "slovenian", "sv": "swedish", "uk": "ukrainian", "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of a recording; all times in seconds since the recording began."""

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    """0 = not known."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole recording."""

    segments: tuple[Segment, ...]
    language: str
    """A tag such as en-US."""
    audio_s: float

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(segment.text for segment in self.segments)


def segment_of(hypothesis: Hypothesis, start_s: float, audio_s: float) -> Segment:
    """A heard utterance that began at `start_s` and was `audio_s` long; its words, when it has any, say it better."""
    words = shifted(hypothesis.words, start_s)
    begin_s, end_s = (words[0].start_s, words[-1].end_s) if words else (start_s, start_s + audio_s)
    return Segment(hypothesis.text, begin_s, max(begin_s, end_s), words, hypothesis.confidence)


def as_json(transcript: Transcript, *, logprobs: bool = False) -> dict[str, Any]:
    """`json`: the text, what it is billed by, and on demand how sure each word is."""
    content: dict[str, Any] = {"text": transcript.text, "usage": _usage(transcript)}
    if logprobs:
        content["logprobs"] = word_logprobs([word for segment in transcript.segments for word in segment.words])
    return content


def as_verbose_json(transcript: Transcript, *, segments: bool, words: bool) -> dict[str, Any]:
    """`verbose_json`. What belongs to Whisper's decoder only (tokens, seek, temperature) is empty or 0."""
    content: dict[str, Any] = {
        "task": "transcribe",
        "language": language_name(transcript.language),
        "duration": round(transcript.audio_s, 3),
        "text": transcript.text,
        "usage": _usage(transcript),
    }
    if words:
        content["words"] = [
            {"word": word.text, "start": round(word.start_s, 3), "end": round(word.end_s, 3)}
            for segment in transcript.segments
            for word in segment.words
        ]
    if segments:
        content["segments"] = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    return content


def as_text(transcript: Transcript) -> str:
    """`text`: one line."""
    return transcript.text + "\n"


def as_srt(transcript: Transcript) -> str:
    """`srt`: SubRip cues, one an utterance."""
    return "".join(
        f"{number}\n{_stamp(segment.start_s, ',')} --> {_stamp(segment.end_s, ',')}\n{segment.text}\n\n"
        for number, segment in enumerate(transcript.segments, 1)
    )


def as_vtt(transcript: Transcript) -> str:
    """`vtt`: WebVTT cues, one an utterance."""
    cues = (
        f"{_stamp(segment.start_s, '.')} --> {_stamp(segment.end_s, '.')}\n{_escaped(segment.text)}\n\n"
        for segment in transcript.segments
    )
    return "WEBVTT\n\n" + "".join(cues)


def word_logprobs(words: Sequence[Word]) -> list[dict[str, Any]]:
    """A word is our token: engines here say how sure they are of words. Unknown confidence is left out."""
    return [
        {"token": f" {word.text}", "bytes": list(f" {word.text}".encode()), "logprob": round(_log(word.confidence), 4)}
        for word in words
        if word.confidence > 0
    ]


def language_name(tag: str) -> str:
    """ "english" for en-US, as Whisper says it; a language without a name here stays a tag."""
    return _LANGUAGES.get(tag.split("-")[0].lower(), tag)


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    written = segment.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(_log(segment.confidence), 4) if segment.confidence > 0 else 0.0,
        "compression_ratio": round(len(written) / max(1, len(zlib.compress(written))), 4),
        "no_speech_prob": 0.0,
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(transcript.audio_s)}


def _stamp(seconds: float, point: str) -> str:
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _log(confidence: float) -> float:
    return math.log(min(1.0, confidence))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
