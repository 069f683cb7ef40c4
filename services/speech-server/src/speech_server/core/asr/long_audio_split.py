"""Where is a long recording cut for a model that hears only a few seconds at once? In its silences, if it has any."""

from collections.abc import Sequence
from dataclasses import dataclass

PAD_S = 0.5
"""Kept around speech: beginnings and ends are softer than what the detector calls speech. In a quiet recording, or one
from a telephone, it finds a first word such as "and" or "had" up to 0.4 s late."""
JOIN_S = 2 * PAD_S
"""Shorter silences do not end a section; what is kept around longer ones does not overlap."""


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch to be recognised, in seconds of the recording."""

    start_s: float
    end_s: float


def sections(scores: Sequence[float], frame_s: float, longest_s: float, onset: float = 0.5) -> list[Section]:
    """Stretches of speech, none longer than `longest_s`; neighbours are joined while they fit. Silence is left out.

    A stretch without a silence is cut where its score is lowest in the last third of what fits.
    """
    spoken = _cut_long(_speech(scores, frame_s, onset), scores, frame_s, longest_s)
    joined: list[Section] = []
    for one in spoken:
        if joined and one.end_s - joined[-1].start_s <= longest_s and one.start_s - joined[-1].end_s <= 2 * JOIN_S:
            joined[-1] = Section(joined[-1].start_s, one.end_s)
        else:
            joined.append(one)
    return joined


def _speech(scores: Sequence[float], frame_s: float, onset: float) -> list[Section]:
    end_s = len(scores) * frame_s
    found: list[Section] = []
    for number, score in enumerate(scores):
        if score < onset:
            continue
        start, stop = max(0.0, number * frame_s - PAD_S), min(end_s, (number + 1) * frame_s + PAD_S)
        if found and start - found[-1].end_s <= JOIN_S - 2 * PAD_S:
            found[-1] = Section(found[-1].start_s, stop)
        else:
            found.append(Section(start, stop))
    return found


def _cut_long(found: Sequence[Section], scores: Sequence[float], frame_s: float, longest_s: float) -> list[Section]:
    cut: list[Section] = []
    for one in found:
        start_s = one.start_s
        while one.end_s - start_s > longest_s:
            first, last = (int((start_s + part * longest_s) / frame_s) for part in (2 / 3, 1))
            quietest = min(range(first, max(first + 1, last)), key=lambda at: scores[at])
            cut.append(Section(start_s, quietest * frame_s))
            start_s = quietest * frame_s
        cut.append(Section(start_s, one.end_s))
    return cut
