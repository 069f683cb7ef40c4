"""Which turns are judged? Scripted ones with their pauses, and recordings that are cut and joined with pauses.

Each timeline is one turn: whoever decides within it has cut the caller off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
_LEAD_S, _TAIL_S = 0.5, 2.5
_PAUSES_S = (0.3, 0.5, 0.8, 1.2)
_JOINED_S = (0.3, 0.6)
_QUIET_S = 0.03
"""Stretch of a recording that is judged for its level."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Script:
    """A turn as it is said: its parts, and the pause after each but the last, seconds."""

    kind: str
    parts: tuple[str, ...]
    pauses_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The audio of one turn, with silence around it. `parts` are its scripted words with the seconds of their begin
    and end; none = it is recorded, and its words are what a recogniser hears."""

    kind: str
    name: str
    samples: Samples
    parts: tuple[tuple[float, float, str], ...] = ()


SCRIPTS = (
    Script("answer", ("yes",)),
    Script("answer", ("no thank you",)),
    Script("answer", ("okay",)),
    Script("sentence", ("I would like to book a table for two people tonight",)),
    Script("sentence", ("what time do you close on Sunday",)),
    Script("sentence", ("please send me the bill",)),
    Script("number as an answer", ("forty two",)),
    Script("number as an answer", ("at nine thirty",)),
    Script("dictation", ("my number is five five five", "one two three", "four five six seven"), (1.2, 1.2)),
    Script("dictation", ("my number is", "five five five", "one two", "three four", "five six seven"), (0.9,) * 4),
    Script("dictation", ("four one one one", "one one one one", "two two two two", "nine nine nine nine"), (0.8,) * 3),
    Script("dictation", ("my email is", "anna dot smith", "at example dot", "com"), (1.0,) * 3),
    Script("dictation", ("that is spelled b r o", "w n e"), (0.7,)),
    Script("hesitation", ("I would like to book a table for um", "two people"), (1.1,)),
    Script("hesitation", ("can you tell me the", "opening hours"), (0.8,)),
    Script("hesitation", ("I wanted to ask about my order because", "it never arrived"), (1.0,)),
    Script("hesitation", ("send it to my home and", "not to the office"), (0.6,)),
    Script("pause between clauses", ("I called you last week", "about the broken heating"), (0.5,)),
    Script("pause between clauses", ("on Monday in the morning", "I can come by"), (0.35,)),
)


def scripted(script: Script, spoken: Sequence[Samples]) -> Timeline:
    """A script with the audio of its parts."""
    pieces, parts, at_s = [_silence(_LEAD_S)], [], _LEAD_S
    for number, (text, audio) in enumerate(zip(script.parts, spoken, strict=True)):
        pieces.append(audio)
        parts.append((at_s, at_s + len(audio) / RATE_HZ, text))
        at_s = parts[-1][1]
        pause_s = script.pauses_s[number] if number < len(script.pauses_s) else _TAIL_S
        pieces.append(_silence(pause_s))
        at_s += pause_s
    return Timeline(script.kind, " … ".join(script.parts), np.concatenate(pieces), tuple(parts))


def recorded(clips: Sequence[tuple[str, Samples]]) -> Iterator[Timeline]:
    """Each clip whole; each with a pause where it is quietest in its middle; and each joined to the next."""
    for name, audio in clips:
        yield Timeline("recording, whole", name, _with_silence(audio))
        cut = _quietest(audio)
        for pause_s in _PAUSES_S:
            both = (audio[:cut], _silence(pause_s), audio[cut:])
            kind = f"recording, a pause of {pause_s:g} s in the sentence"
            yield Timeline(kind, name, _with_silence(np.concatenate(both)))
    for (name, audio), (other, more) in pairwise(clips):
        for pause_s in _JOINED_S:
            both = (audio, _silence(pause_s), more)
            kind = f"two recordings, {pause_s:g} s between them"
            yield Timeline(kind, f"{name}, {other}", _with_silence(np.concatenate(both)))


def trimmed(samples: Samples, level: int = 300) -> Samples:
    """Without what is quieter at both ends."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > level)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _with_silence(samples: Samples) -> Samples:
    return np.concatenate([_silence(_LEAD_S), samples, _silence(_TAIL_S)])


def _silence(seconds: float) -> Samples:
    """A quiet room: digital silence sounds like none to a detector that was trained on recordings."""
    noise = np.random.default_rng(7).normal(0.0, 8.0, round(seconds * RATE_HZ))
    return noise.astype(np.int16)


def _quietest(samples: Samples) -> int:
    """The middle of the quietest stretch between a third and two thirds."""
    size = round(_QUIET_S * RATE_HZ)
    starts = range(len(samples) // 3, 2 * len(samples) // 3, size)
    return min(starts, key=lambda at: float(np.abs(samples[at : at + size].astype(np.float32)).mean())) + size // 2
