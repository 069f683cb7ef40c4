"""What does the caller of a scenario hear? The client library's loudspeaker, and the words in the audio it plays."""

from dataclasses import dataclass

import numpy as np
from voice_client.events import ReplyAudio, Turn, TurnEvent
from voice_client.playout import Playout
from voice_client.playout import Report as PlayedReport
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.evals.microphone import RATE_HZ, Sound, SoundWord
from voice_bench.evals.moments import Moments
from voice_bench.evals.scenario import Echo
from voice_bench.evals.scripted_voice import Voice

_WORD_SAMPLES = RATE_HZ // 10
"""The recogniser needs to know only about where the middle of a word is."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word whose last sample was played; `at` in seconds of the call."""

    at: float
    reply: int
    text: str
    phrase: int
    place: int


@dataclass(frozen=True, slots=True)
class SentAudio:
    """Reply audio that came."""

    at: float
    reply: int
    offset: int
    samples: int
    number: int
    """Of all that happened, as the moments have."""


class HeardAudio:  # size: one account of what came, what was played and what of it echoes
    """The loudspeaker, and what was heard of it."""

    def __init__(self, rate_hz: int, voice: Voice, moments: Moments) -> None:
        self.words: list[HeardWord] = []
        self.sent: list[SentAudio] = []
        self.spans: list[tuple[float, float, int]] = []
        """Stretches in which something was heard: from, to, and of which reply."""
        self._playout = Playout(rate_hz)
        self._rate_hz = rate_hz
        self._voice = voice
        self._moments = moments
        self._reply_of: dict[int, int] = {}
        """By the number of a word."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is played or waits to be."""
        return self._playout.is_idle

    def take(self, message: pb.ServerMessage) -> None:
        """A message of the gateway's."""
        match message.WhichOneof("message"):
            case "reply_audio":
                audio = message.reply_audio
                for number in np.unique(np.abs(np.frombuffer(audio.data, dtype="<i2"))).tolist():
                    self._reply_of[number] = audio.reply
                reply, number = self._moments.numbers.get(audio.reply, 0), self._moments.next_number()
                self.sent.append(SentAudio(self._moments.now, reply, audio.offset, len(audio.data) // 2, number))
                self._playout.take(ReplyAudio(audio.reply, audio.offset, audio.data))
            case "turn":
                self._playout.take(TurnEvent(Turn(message.turn.kind), message.turn.turn, message.turn.reply))
            case _:
                pass

    def play(self, seconds: float) -> bytes:
        """What is heard from now on for so long."""
        now = self._moments.now
        played = self._playout.play(round(seconds * self._rate_hz), now)
        heard = played.pcm16[: played.heard_bytes]
        for reply, at in played.audible:
            self._moments.note("reply heard", reply=reply, at=at)
        for word, after in self._voice.whole_words(heard):
            samples = np.frombuffer(heard[2 * (after - 1) : 2 * after], dtype="<i2")
            reply = self._reply_of[-int(samples[0])]
            at = now + after / self._rate_hz
            self.words.append(HeardWord(at, self._moments.numbers.get(reply, 0), word.text, word.phrase, word.place))
            self._moments.note("word heard", word.text, reply=reply, at=at)
        if heard:
            self._note_span(now, now + len(heard) / 2 / self._rate_hz, heard)
        return heard

    def reports(self, input_sample: int) -> list[PlayedReport]:
        """What the gateway is told of it."""
        return self._playout.reports(self._moments.now, input_sample)

    def echo(self, heard: bytes, echo: Echo, mic_sample: int, before: Sound | None) -> Sound:
        """What the microphone hears of `heard`, which begins to sound as sample `mic_sample` is recorded; goes on from
        the echo `before` where that is still going on."""
        first = mic_sample + round(echo.delay * RATE_HZ)
        samples = np.abs(np.frombuffer(heard, dtype="<i2")).astype(np.int64)
        last = first + round(len(samples) * RATE_HZ / self._rate_hz)
        scale = RATE_HZ / self._rate_hz
        ends = [(word.text, first + round(after * scale)) for word, after in self._voice.whole_words(heard)]
        words = tuple(SoundWord(text, max(0, end - _WORD_SAMPLES), end) for text, end in ends)
        if echo.heard_as is not None:
            words = ()
        if before is None or before.last < first - 1:
            text = echo.heard_as or ""
            words = words or ((SoundWord(text, first, last),) if text else ())
            return Sound(((first, last),), words)
        return Sound(((before.first, last),), (*before.words, *words))

    def _note_span(self, first_s: float, last_s: float, heard: bytes) -> None:
        number = abs(int(np.frombuffer(heard[-2:], dtype="<i2")[0]))
        reply = self._moments.numbers.get(self._reply_of[number], 0)
        if self.spans and self.spans[-1][2] == reply and abs(self.spans[-1][1] - first_s) < 0.002:
            self.spans[-1] = (self.spans[-1][0], last_s, reply)
        else:
            self.spans.append((first_s, last_s, reply))
