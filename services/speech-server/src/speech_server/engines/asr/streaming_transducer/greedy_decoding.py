"""Which tokens are in every caller's new frames? Greedy RNN-T, one joiner call a step for all, state carried along.

    joiner says blank, or the frame has its most tokens ──▶ next frame
    joiner says a token ──▶ the prediction network hears it; same frame again

Tokens are those of decoding the callers one by one, and do not depend on how their audio was cut. A caller may have
phrases that are favoured among the tokens (`core.asr.boosting`).
"""

from typing import Protocol

import numpy as np

from speech_server.core.asr.boosting import Followed
from speech_server.core.asr.subwords import Emitted
from speech_server.engines.asr.streaming_transducer.onnx_graphs import Prediction
from speech_server.engines.onnx.transducer import Floats, Ints, note

MOST_TOKENS = 10
"""In one frame, as NeMo's own decoding has it."""


class Networks(Protocol):
    """Prediction and joint network of a batch."""

    def join(self, frames: Floats, predicted: Floats) -> Floats:
        """[callers, width] each; [callers, vocabulary] scores."""

    def predict(self, tokens: Ints, first: Floats, second: Floats) -> Prediction:
        """After these tokens, one a caller."""


def greedy(
    encoded: Floats, before: Prediction, nets: Networks, blank: int, followed: Followed | None = None
) -> tuple[list[list[Emitted]], Prediction]:
    """Tokens of each caller's frames, counted from 0, and the prediction after them.

    `encoded` is [callers, frames, width]. `followed`: where the callers are in their phrases; moved on.
    """
    callers, frames = encoded.shape[:2]
    at = np.zeros(callers, np.int64)
    here = np.zeros(callers, np.int64)
    after = Prediction(before.out.copy(), before.first.copy(), before.second.copy())
    found: list[list[Emitted]] = [[] for _ in range(callers)]
    while (rows := np.flatnonzero(at < frames)).size:
        scores = nets.join(encoded[rows, at[rows]], after.out[rows])
        said = scores.argmax(axis=1)
        if followed is not None:
            followed.prefer(rows, said, scores, blank)
        speaks = said != blank
        speaking = rows[speaks]
        if speaking.size:
            new = nets.predict(said[speaks], after.first[:, speaking], after.second[:, speaking])
            after.out[speaking] = new.out
            after.first[:, speaking] = new.first
            after.second[:, speaking] = new.second
            here[speaking] += 1
            note(found, speaking, at[speaking], said[speaks], np.zeros(speaking.size, np.int64), scores[speaks])
        done = rows[~speaks | (here[rows] >= MOST_TOKENS)]
        at[done] += 1
        here[done] = 0
    return found, after
