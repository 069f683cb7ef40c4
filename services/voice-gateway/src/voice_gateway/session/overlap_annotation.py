"""Is what the caller says over a reply a turn, a backchannel, or echo? It depends on the reply when they began."""

from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from voice_gateway.core.backchannels import ReplyMoment, is_backchannel
from voice_gateway.core.echo import is_echo
from voice_gateway.core.language import Language
from voice_gateway.core.turn_types import Heard

_SAME_S = 1.0
"""Words of audio so long after speech are of other speech, which the detector missed."""
_LATEST_S = 5.0
"""Words that come so long after their speech are judged like any others."""


class ReplyHearing(Protocol):
    """Who knows what the caller hears."""

    def moment(self) -> ReplyMoment | None:
        """What the reply is like now; None = none is heard."""

    def echo_words(self, n: int, from_sample: int) -> str:
        """The words of reply `n` that may come back to a microphone which heard sound from `from_sample` on."""


@dataclass(slots=True)
class _Speech:
    """A stretch of the caller's sound."""

    began: float
    moment: ReplyMoment | None
    """Of the reply that it began over."""
    echo_from: int = 0
    """The sample of that reply which was heard when its utterance began."""
    ended: float | None = None
    detected: bool = True
    settled: bool = False
    """A final with words stands for it."""


class OverlapAnnotation:
    """One call's words over replies. Times are those of the turn clock."""

    def __init__(self, language: Language, replies: ReplyHearing) -> None:
        self._language = language
        self._replies = replies
        self._numbers = language.digit_words | language.number_words | language.tens | language.scales
        self._last = self._before = _Speech(-inf, None, ended=-inf, settled=True)

    def speech_started(self, now: float, *, detected: bool = True) -> None:
        """The caller's microphone hears something."""
        moment, before = self._replies.moment(), self._last
        echo_from = moment.heard_samples if moment else 0
        goes_on = not before.settled and (before.ended is None or now - before.ended <= _SAME_S)
        if moment and before.moment and before.moment.reply == moment.reply and goes_on:
            echo_from = before.echo_from
        self._before, self._last = before, _Speech(now, moment, echo_from, detected=detected)

    def speech_stopped(self, now: float) -> None:
        """It hears nothing any more."""
        self._last.ended = now

    def annotated(self, heard: Heard, now: float) -> Heard:
        """What the recogniser said, and whether it is a backchannel or echo of the reply that it was said over."""
        if not heard.text:
            return heard
        speech = self._speech_of(min(heard.until, now), now)
        if heard.final:
            speech.settled = True
        if speech.moment is None or (speech.ended is not None and now - speech.ended > _LATEST_S):
            return heard
        played = self._replies.echo_words(speech.moment.reply, speech.echo_from)
        if is_echo(heard.text, played, self._numbers, final=heard.final, language=self._language.tag):
            return replace(heard, echo=True)
        return replace(heard, backchannel=is_backchannel(heard.text, self._language, speech.moment, final=heard.final))

    def _speech_of(self, until: float, now: float) -> _Speech:
        """Which speech are words of audio until then? They may come late, and the detector may have missed it."""
        last = self._last
        if until < last.began:
            return self._before
        missed = last.ended is not None and until > last.ended + _SAME_S
        if missed or (last.settled and (last.ended is None or not last.detected)):
            self.speech_started(now, detected=False)
        return self._last
