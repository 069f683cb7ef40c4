"""What of a reply was sent, what was heard, and what may be sent ahead?

Audio leaves no earlier than `lead_s` before it is heard, so that little is left to flush on a barge-in. What was
heard is known by the caller's reports, else by the pacing clock: what was sent plays without a gap from the moment
it left. Time is an argument, seconds on any steady clock.
"""

from collections import deque
from dataclasses import dataclass
from math import inf

from voice_gateway.core.speakable.phrase import SpeakablePhrase
from voice_gateway.core.word_alignment import PhraseAlignment, TimedWord, align

SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class _Report:
    samples: int
    at: float
    final: bool


class Playout:  # size: one account of a reply's samples: made, sent, received, heard, and whose words they are
    """The playing of one reply: PCM16 in as it is made, frames out as they may leave."""

    def __init__(self, rate_hz: int, lead_s: float, frame_s: float) -> None:
        self._rate_hz = rate_hz
        self._lead_s = lead_s
        self._frame_bytes = round(frame_s * rate_hz) * SAMPLE_BYTES
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._words: list[TimedWord] = []
        self._phrase: PhraseAlignment | None = None
        """The phrase that is being made."""
        self._sent = 0
        self._plays_until = 0.0
        self._paused_at: float | None = None
        self._report: _Report | None = None
        self._arrived: int | None = None

    @property
    def sent_samples(self) -> int:
        """Samples handed to the edge."""
        return self._sent

    @property
    def is_paused(self) -> bool:
        """Whether the caller's player was told to pause."""
        return self._paused_at is not None

    @property
    def waiting_s(self) -> float:
        """Seconds of audio made but not sent."""
        return self._waiting_bytes / SAMPLE_BYTES / self._rate_hz

    @property
    def made_samples(self) -> int:
        """Samples made so far, sent or not."""
        return self._sent + self._waiting_bytes // SAMPLE_BYTES

    def add(self, pcm16: bytes) -> None:
        """More audio of the reply (whole samples)."""
        if pcm16:
            self._waiting.append(pcm16)
            self._waiting_bytes += len(pcm16)

    def forget_unsent(self) -> None:
        """No more audio will leave. What was sent and heard, and which words it holds, is still known."""
        self._waiting.clear()
        self._waiting_bytes = 0

    def begin_phrase(self, phrase: SpeakablePhrase) -> None:
        """The audio that comes next speaks `phrase`."""
        self._phrase = align(phrase, self.made_samples)

    def place_word(self, reported: str, end_sample: int) -> None:
        """The voice tells that a word of the phrase is over at `end_sample` of the reply."""
        if self._phrase:
            self._phrase, over = self._phrase.place(reported, end_sample)
            self._words += over

    def end_phrase(self) -> None:
        """All audio of the phrase was added."""
        if self._phrase:
            self._words += self._phrase.finish(self.made_samples)
            self._phrase = None

    def break_phrase(self) -> None:
        """No more audio of the phrase will come: of its words only those count that have some."""
        if self._phrase:
            self._words += [word for word in self._phrase.guess(self._rate_hz) if word.end_sample <= self.made_samples]
            self._phrase = None

    def take_back(self) -> None:
        """What was made is not to be said after all: what has not left is dropped, and no word counts as spoken."""
        self._waiting.clear()
        self._waiting_bytes, self._words, self._phrase = 0, [], None

    def take(self, now: float) -> tuple[int, bytes] | None:
        """The next frame that may leave now and the sample it begins at; None = nothing may."""
        if not self._waiting or self.next_at() > now:
            return None
        frame = self._cut()
        offset = self._sent
        samples = len(frame) // SAMPLE_BYTES
        self._sent += samples
        self._plays_until = max(self._plays_until, now) + samples / self._rate_hz
        return offset, frame

    def next_at(self) -> float:
        """When the next frame may leave."""
        return self._plays_until - self._lead_s

    def played_at(self) -> float:
        """When everything sent will have been heard, by the pacing clock; inf while it is paused."""
        return self._plays_until if self._paused_at is None else inf

    def left_s(self, now: float) -> float:
        """Seconds of what is made so far that the caller has not heard."""
        return (self.made_samples - self.heard_samples(now)) / self._rate_hz

    def pause(self, now: float) -> None:
        """The caller's player is told to pause: the clock stands still with what it has not played. A player that plays
        on all the same may say so: then its reports count."""
        if self._paused_at is None:
            self._paused_at = now

    def go_on(self, now: float) -> None:
        """The caller's player goes on with what it has not played.

        Example: paused at 5.0 with 0.15 s sent and not heard, it goes on at 9.0 and has played all of it at 9.15; one
        that reported in the pause that it played 0.1 s of that, at 9.05."""
        if self._paused_at is not None:
            unplayed = self._sent - self.heard_samples(now)
            self._paused_at = None
            if unplayed > 0:
                self._plays_until = now + unplayed / self._rate_hz

    def arrived(self, samples: int) -> None:
        """The caller has received so many samples: no more of them can have been heard."""
        self._arrived = samples

    def report(self, samples: int, now: float, *, final: bool = False) -> None:
        """The caller says how much it has played. Reports beyond what was sent count as all of it, reports that go
        back as what was reported before."""
        if self._report is None or not self._report.final:
            before = self._report.samples if self._report else 0  # nobody can unhear
            self._report = _Report(max(before, min(samples, self._sent)), now, final)

    def truncate(self, samples: int) -> None:
        """The caller has heard so much and will hear no more, whatever was reported before."""
        self._report = _Report(max(0, min(samples, self._sent)), 0.0, True)

    def heard_samples(self, now: float) -> int:
        """Samples the caller has heard by now."""
        if self._paused_at is not None:
            now = min(now, self._paused_at)
        unplayed = round(max(0.0, self._plays_until - now) * self._rate_hz)
        by_clock = max(0, self._sent - unplayed)
        if self._arrived is not None:
            by_clock = min(by_clock, self._arrived)
        report = self._report
        if report is None:
            return by_clock
        if report.final:
            return report.samples
        # What left after a gap can't have been heard before it left, however long ago the report is. Example: at 16 kHz
        # 8000 samples reported 0.5 s ago may be 16000 by now, but no more than have been played by the pacing clock.
        return max(report.samples, min(by_clock, report.samples + round(max(0.0, now - report.at) * self._rate_hz)))

    def heard_text(self, now: float) -> str:
        """The words whose audio the caller has heard by now."""
        heard = self.heard_samples(now)
        return self._text_until(heard)

    def text_between(self, first_sample: int, last_sample: int) -> str:
        """The words that end after `first_sample` and no later than `last_sample`."""
        return " ".join(word.text for word in self._placed_words() if first_sample < word.end_sample <= last_sample)

    def spoken_text(self) -> str:
        """Every word that has audio, heard or not."""
        return self._text_until(self.made_samples)

    def _text_until(self, sample: int) -> str:
        return self.text_between(-1, sample)

    def _placed_words(self) -> tuple[TimedWord, ...]:
        guessed = self._phrase.guess(self._rate_hz) if self._phrase else []
        return (*self._words, *guessed)

    def _cut(self) -> bytes:
        """One frame, or what there is."""
        pieces, size = [], 0
        while self._waiting and size < self._frame_bytes:
            piece = self._waiting.popleft()
            room = self._frame_bytes - size
            if len(piece) > room:
                self._waiting.appendleft(piece[room:])
                piece = piece[:room]
            pieces.append(piece)
            size += len(piece)
        self._waiting_bytes -= size
        return b"".join(pieces)
