"""How soon do a live stream's words appear? From its results and from when somebody spoke. Pure.

All times are seconds since the stream's first sample was spoken; audio is sent as it is spoken. Whose word ends when is
estimated: an utterance's words share its stretches of speech by their letters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from voice_bench.speech.activity import Stretch


@dataclass(frozen=True, slots=True)
class Result:
    """What a response said: all its text that is not final yet, or a final."""

    at_s: float
    text: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one stream, or of many; seconds."""

    first_words: list[float] = field(default_factory=list)
    """From where an utterance's speech begins to its first word."""
    words: list[float] = field(default_factory=list)
    """From where a word ends, as estimated, to when a result shows so many words."""
    gaps: list[float] = field(default_factory=list)
    """The longest speech without a partial of each utterance that had one, from its first partial on."""
    finals: list[float] = field(default_factory=list)
    """From where an utterance's speech ends to its final."""

    def add(self, other: "Timing") -> None:
        """Count another stream, too."""
        for mine, theirs in zip(self._lists(), other._lists(), strict=True):
            mine += theirs

    def _lists(self) -> tuple[list[float], ...]:
        return (self.first_words, self.words, self.gaps, self.finals)


def timing(results: Sequence[Result], speech: Sequence[Stretch]) -> Timing:
    """Of one stream. Finals without words, and those without any speech since the last one, tell nothing."""
    found = Timing()
    for utterance, stretches in _utterances(results, speech):
        shown = [one for one in utterance if one.text.split()]
        words = utterance[-1].text.split()
        if not stretches or not words:
            continue
        found.first_words.append(shown[0].at_s - stretches[0][0])
        found.finals.append(utterance[-1].at_s - stretches[-1][1])
        for number, end_s in enumerate(_word_ends(words, stretches), 1):
            at_s = next(one.at_s for one in shown if one.is_final or len(one.text.split()) >= number)
            found.words.append(at_s - end_s)
        partials = [one.at_s for one in shown if not one.is_final]
        if partials:
            nexts = [*partials[1:], stretches[-1][1]]
            found.gaps.append(max(_speech_within(stretches, *pair) for pair in zip(partials, nexts, strict=True)))
    return found


def _utterances(
    results: Sequence[Result], speech: Sequence[Stretch]
) -> Iterator[tuple[list[Result], Sequence[Stretch]]]:
    """The results up to each final, with the stretches of speech that ended since the final before."""
    utterance: list[Result] = []
    first = 0
    for one in results:
        utterance.append(one)
        if one.is_final:
            behind = sum(1 for _, end_s in speech if end_s <= one.at_s)
            yield utterance, speech[first:behind]
            utterance, first = [], behind


def _word_ends(words: Sequence[str], stretches: Sequence[Stretch]) -> Iterator[float]:
    """Each word's end, when all words share the stretches by their letters, a space after each one included."""
    letters = sum(len(word) + 1 for word in words)
    length_s = sum(end_s - begin_s for begin_s, end_s in stretches)
    spoken = 0
    for word in words:
        spoken += len(word) + 1
        yield _after(stretches, length_s * spoken / letters)


def _after(stretches: Sequence[Stretch], speech_s: float) -> float:
    """When so much had been spoken."""
    for begin_s, end_s in stretches:
        if speech_s <= end_s - begin_s:
            return begin_s + speech_s
        speech_s -= end_s - begin_s
    return stretches[-1][1]


def _speech_within(stretches: Sequence[Stretch], from_s: float, to_s: float) -> float:
    return sum(max(0.0, min(end_s, to_s) - max(begin_s, from_s)) for begin_s, end_s in stretches)
