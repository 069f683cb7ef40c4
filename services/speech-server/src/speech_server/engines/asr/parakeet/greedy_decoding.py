"""What did a batch of clips say to a transducer? Greedy decoding, one call of the decoder a step for all clips.

Every clip walks over its own encoder frames; a step asks the joint network about the frame where each clip stands.
Clips that have reached their end leave the batch. Tokens are those of decoding the clips one by one. A clip may have
phrases that are favoured among the tokens (`core.asr.boosting`); whether there is a token stays the model's say.

    token is blank, or the frame has its most tokens ──▶ next frame
    TDT: a duration above 0                         ──▶ so many frames on
    otherwise                                       ──▶ same frame again
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from speech_server.core.asr.boosting import Boosting, follow
from speech_server.core.asr.subwords import Emitted
from speech_server.engines.onnx.transducer import Floats, Ints, note

States = tuple[Floats, Floats]
"""Of the prediction network: [layers, batch, hidden] each."""


class Joint(Protocol):
    """Prediction and joint network."""

    def start(self, clips: int) -> States:
        """The state before the first token."""

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        """[batch, width] frames and the last tokens in; [batch, vocabulary + durations] scores and new states out."""


def greedy(
    encoded: Floats,
    lengths: Ints,
    joint: Joint,
    tokens: int,
    blank: int,
    most_tokens: int,
    boostings: Sequence[Boosting | None] = (),
) -> list[list[Emitted]]:
    """Tokens of each clip. `encoded` is [batch, frames, width]; scores beyond `tokens` are durations (TDT).

    `boostings`: one a clip, or none at all.
    """
    clips, followed = encoded.shape[0], follow(boostings)
    at = np.zeros(clips, np.int64)
    last = np.full(clips, blank, np.int64)
    here = np.zeros(clips, np.int64)
    states = joint.start(clips)
    found: list[list[Emitted]] = [[] for _ in range(clips)]
    while (rows := np.flatnonzero(at < lengths)).size:
        old = (states[0][:, rows], states[1][:, rows])
        scores, new = joint.step(encoded[rows, at[rows]], last[rows], old)
        said = scores[:, :tokens].argmax(axis=1)
        if followed is not None:
            followed.prefer(rows, said, scores[:, :tokens], blank)
        skip = scores[:, tokens:].argmax(axis=1) if scores.shape[1] > tokens else np.zeros(rows.size, np.int64)
        speaks = said != blank
        speaking = rows[speaks]
        if speaking.size:
            for state, changed in zip(states, new, strict=True):
                state[:, speaking] = changed[:, speaks]
            last[speaking] = said[speaks]
            here[speaking] += 1
            note(found, speaking, at[speaking], said[speaks], skip[speaks], scores[speaks, :tokens])
        full = ~speaks | (here[rows] >= most_tokens)
        forward = np.where(skip > 0, skip, full.astype(np.int64))
        at[rows] += forward
        here[rows[forward > 0]] = 0
    return found


def collapse(
    logprobs: Floats, lengths: Ints, blank: int, boostings: Sequence[Boosting | None] = ()
) -> list[list[Emitted]]:
    """Tokens of each clip of a CTC model: repeats are one token. `logprobs` is [batch, frames, vocabulary].

    `boostings`: one a clip, or none at all.
    """
    best = logprobs.argmax(axis=2)
    for clip, boosting in enumerate(boostings):
        if boosting is not None:
            _prefer(boosting, logprobs[clip], best[clip, : lengths[clip]], blank)
    values = np.take_along_axis(logprobs, best[:, :, None], axis=2)[:, :, 0]
    return [
        [
            Emitted(int(tokens[start]), start, end - start, float(scores[start:end].mean()))
            for start, end in _runs(tokens[:length])
            if tokens[start] != blank
        ]
        for tokens, scores, length in zip(best, values, lengths, strict=True)
    ]


def _runs(tokens: Ints) -> list[tuple[int, int]]:
    """Where each run of the same token begins and ends."""
    starts = np.flatnonzero(np.diff(tokens, prepend=-1) != 0).tolist()
    return list(zip(starts, [*starts[1:], len(tokens)][: len(starts)], strict=True))


def _prefer(boosting: Boosting, logprobs: Floats, best: Ints, blank: int) -> None:
    """Run after run, what is `best` becomes what is preferred. Where a token ends and another begins stays as it is."""
    place, last = boosting.start, blank
    for start, end in _runs(best):
        # The token said last goes on, whatever would be favoured after it.
        if best[start] not in (blank, last):
            held = None if last == blank else last
            best[start:end] = token = boosting.choose(place, logprobs[start:end].mean(axis=0), held)
            place = place if token == held else boosting.after(place, token)
        last = int(best[start])
