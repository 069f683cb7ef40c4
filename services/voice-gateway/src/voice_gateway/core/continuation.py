"""A voice broke off in a phrase and speaks it again: what of the second rendering comes after what was handed out?

The same voice speaks the same text again, so the second rendering goes on where the first one stopped: at the same
sample, where voices render alike each time; at the same word and as far into it, where they tell their words and time
them anew each time. So no word is heard twice and none is lost, and the melody is that of the whole phrase. To ask for
the rest of the words only would need to know which word was the last, which most voices don't tell, and would begin in
mid-sentence like a new one.

    handed out   |one   two  thr              3 of 10 samples into "three"
    again        |one    two    three  four
    goes on                        ee  four
"""

_SAMPLE_BYTES = 2
_WORDS_LATE_S = 0.5
"""A rendering that tells no words by then tells them too late, or not at all."""

Words = tuple[tuple[str, float], ...]
"""Each with its end, seconds since the phrase began."""


class Continuation:
    """One phrase, rendered as often as it takes."""

    def __init__(self, rate_hz: int) -> None:
        self.samples = 0
        """Handed out."""
        self._rate_hz = rate_hz
        self._ends: list[float] = []
        """Where the words told so far end, in samples of what was handed out."""
        self._render()

    def render_again(self) -> None:
        """The voice broke off; another rendering begins."""
        self._render()

    def _render(self) -> None:
        self._joint = self.samples
        self._whole = sum(end <= self.samples for end in self._ends)
        """Words that were handed out whole."""
        self._told = 0
        """Words this rendering has told."""
        self._leaves_out: float | None = None if self._whole else self._joint
        """Samples at the start of this rendering that were handed out before; None = its words must tell."""
        self._passed = 0
        """Samples of this rendering that were left out or handed out."""
        self._held = b""

    def add(self, pcm16: bytes, words: Words) -> tuple[bytes, Words]:
        """More of this rendering: the audio and the words in it that were not handed out before."""
        fresh = tuple(word for word in (self._place(*word) for word in words) if word is not None)
        self._held += pcm16
        rendered = self._passed + len(self._held) // _SAMPLE_BYTES
        if self._leaves_out is None and rendered > self._joint + _WORDS_LATE_S * self._rate_hz:
            self._leaves_out = self._joint
        return self._hand_out(), fresh

    def end(self) -> bytes:
        """This rendering is complete: what is left of it."""
        if self._leaves_out is None:
            self._leaves_out = self._joint
        return self._hand_out()

    def _place(self, text: str, end_s: float) -> tuple[str, float] | None:
        """The next word of this rendering, with its end in what is handed out; None = it was told before."""
        self._told += 1
        end = end_s * self._rate_hz
        if self._told == self._whole and self._leaves_out is None:
            self._leaves_out = max(0.0, end + self._joint - self._ends[self._whole - 1])
        if self._told <= len(self._ends):
            return None
        self._ends.append(end + self._joint - (self._joint if self._leaves_out is None else self._leaves_out))
        return text, self._ends[-1] / self._rate_hz

    def _hand_out(self) -> bytes:
        if self._leaves_out is None:
            return b""
        old = max(0, round(self._leaves_out) - self._passed) * _SAMPLE_BYTES
        audio, self._passed = self._held[old:], self._passed + len(self._held) // _SAMPLE_BYTES
        self._held = b""
        self.samples += len(audio) // _SAMPLE_BYTES
        return audio
