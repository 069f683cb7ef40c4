"""What is the same however a transducer is decoded?"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from speech_server.core.asr.subwords import Emitted

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

FRAME_S = 0.01
"""Step of the mel front-end."""


def note(found: Sequence[list[Emitted]], rows: Ints, frames: Ints, tokens: Ints, skips: Ints, scores: Floats) -> None:
    """Add a step's tokens to those of their rows; `scores` [rows, vocabulary] tell how sure the model is of them."""
    highest = scores.max(axis=1)
    chosen = scores[np.arange(len(tokens)), tokens]
    logprobs = chosen - highest - np.log(np.exp(scores - highest[:, None]).sum(axis=1))
    for row, frame, token, skip, logprob in zip(
        rows.tolist(), frames.tolist(), tokens.tolist(), skips.tolist(), logprobs.tolist(), strict=True
    ):
        found[row].append(Emitted(token, frame, max(1, skip), logprob))
