"""Which tokens does the decoder write for the clips of a batch? The most probable one each time, all clips together.

    encoder's frames ──▶ first step: keys and values of the frames, kept
                  tokens so far ──▶ step ──▶ next token of every clip, until each has ended or reached its bound

The decoder has seen every clip's past in its cache: a step costs the same however much was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from speech_server.engines.onnx.session import OnnxSession, Stop
from speech_server.engines.onnx.transducer import Floats, Ints

BEGIN, END = 1, 2
"""Tokens that begin and end every text."""
_CACHE = "past_key_values."


@dataclass(slots=True)
class Written:
    """What was written for one clip."""

    tokens: list[int] = field(default_factory=list)
    """Without BEGIN and END."""
    logprobs: list[float] = field(default_factory=list)
    """Of the tokens, and of END."""

    @property
    def logprob(self) -> float:
        """The mean: how sure the model was."""
        return sum(self.logprobs) / max(1, len(self.logprobs))


def greedy(decoder: OnnxSession, frames: Floats, mask: Ints, most: Sequence[int], stop: Stop) -> list[Written]:
    """What each clip says, at most `most` tokens of it.

    `frames`: [clip, frame, width] of the encoder; `mask`: [clip, sample], 1 where a clip has not ended: the decoder's
    graph takes every 384th of them, a frame's. Raises whatever onnxruntime raises, when `stop` is asked, too.
    """
    clips = len(frames)
    cache = _empty_cache(decoder, clips)
    names = [one.name for one in decoder.get_outputs()]
    feed: dict[str, Any] = {"encoder_attention_mask": mask, "encoder_hidden_states": frames}
    known = {one.name for one in decoder.get_inputs()}
    feed = {name: value for name, value in feed.items() if name in known}
    tokens = np.full((clips, 1), BEGIN, np.int64)
    found = [Written() for _ in range(clips)]
    open_ones = set(range(clips))
    for step in range(max(most) + 1):
        use_cache = {"use_cache_branch": np.array([step > 0])}
        outputs = decoder.run(names, {**feed, **cache, **use_cache, "input_ids": tokens}, stop.options)
        said = dict(zip(names, outputs, strict=True))
        scores = said["logits"][:, -1]
        tokens = scores.argmax(axis=-1).astype(np.int64)[:, None]
        best = scores.max(axis=-1, keepdims=True)
        logprobs = -np.log(np.exp(scores - best).sum(axis=-1))
        cache |= {
            name: said[name.replace(_CACHE, "present.")] for name in cache if step == 0 or ".encoder." not in name
        }
        for clip in list(open_ones):
            token = int(tokens[clip, 0])
            found[clip].logprobs.append(float(logprobs[clip]))
            if token == END or len(found[clip].tokens) >= most[clip]:
                open_ones.remove(clip)
            else:
                found[clip].tokens.append(token)
        if not open_ones:
            break
    return found


def _empty_cache(decoder: OnnxSession, clips: int) -> dict[str, Floats]:
    shapes = {one.name: one.shape for one in decoder.get_inputs() if one.name.startswith(_CACHE)}
    return {name: np.zeros((clips, shape[1], 0, shape[3]), np.float32) for name, shape in shapes.items()}
