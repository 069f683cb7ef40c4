"""What of a reply may be said, and when? Pieces of the model's text in, phrases for a voice out, as soon as sure.

Time is an argument, seconds on any steady clock.
"""

from dataclasses import dataclass

from voice_gateway.core.language import Language
from voice_gateway.core.phrases import MAX_PHRASE_CHARS, Phraser
from voice_gateway.core.speakable.phrase import SpeakablePhrase
from voice_gateway.core.speakable.thought_filter import FilteredText, Opening, ThoughtFilter
from voice_gateway.core.speakable.words import Verbalise, wording


@dataclass(frozen=True, slots=True)
class SpeakableOptions:
    """How text is made speakable."""

    max_chars: int = MAX_PHRASE_CHARS
    wait_s: float = 1.2
    """Whole words are spoken after this long without the end of a phrase, if nothing else is."""
    opening: Opening = Opening.ANSWER
    verbalise: Verbalise = "auto"
    """Amounts, dates, units, signs: "auto" = as words what the voice would misread, "words" = all numbers, too."""


class SpeakableText:
    """One reply's text."""

    def __init__(self, language: Language, voice: str, manner: SpeakableOptions) -> None:
        self.text = ""
        """What is said, as it was written: this enters the history."""
        self.spoke = False
        """Whether there was anything to speak."""
        self.retractions = 0
        """How often all that was given out before turned out to be thought."""
        self._manner = manner
        self._thoughts = ThoughtFilter(manner.opening)
        self._phraser = Phraser(manner.max_chars, language)
        self._word = wording(language, voice, manner.verbalise)

    @property
    def held_needlessly(self) -> bool:
        """Whether the reply was held as a thought that it did not begin with."""
        return self._thoughts.held_needlessly

    def push(self, piece: str, now: float) -> list[SpeakablePhrase]:
        """The phrases that `piece` completes."""
        return self._say(self._thoughts.push(piece), now)

    def due_at(self) -> float | None:
        """When `hurry` may bring a phrase, if nothing more is pushed; None = not before more is pushed."""
        return self._phraser.due_at(self._manner.wait_s)

    def hurry(self, now: float) -> list[SpeakablePhrase]:
        """The caller hears nothing: what can be spoken without the end of the phrase, if it is due."""
        due_at = self.due_at()
        if due_at is None or due_at > now:
            return []
        return self._worded(self._phraser.hurry(now, self._manner.wait_s))

    def flush(self) -> list[SpeakablePhrase]:
        """The reply is complete."""
        return self._say(self._thoughts.flush(), 0.0) + self._worded(self._phraser.flush())

    def _say(self, said: FilteredText, now: float) -> list[SpeakablePhrase]:
        if said.retracts:
            self._phraser.drop()
            self.text, self.spoke, self.retractions = "", False, self.retractions + 1
        text = said.text if self.text else said.text.lstrip()
        if not text:
            return []
        self.text += text
        phrases = self._phraser.push(text, now)
        return self._worded(phrases) if phrases else []

    def _worded(self, phrases: list[str]) -> list[SpeakablePhrase]:
        worded = [phrase for phrase in map(self._word, phrases) if any(map(str.isalnum, phrase.spoken))]
        self.spoke = self.spoke or bool(worded)
        return worded


def prepare(language: Language, voice: str, manner: SpeakableOptions) -> None:
    """Load what the first reply in this language would: its data, and what makes words of numbers."""
    SpeakableText(language, voice, manner).push("$1.50 for 1 km on 2000-01-01\n", 0.0)
