"""Does it sound as if the caller's turn were over? Smart Turn in one session for all calls, on a thread of its own.

Requests wait in a bounded queue. One that finds it full, waits too long, or fails brings no score: the turn is then
decided by the words alone.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from voice_gateway.backends.log_mel import BANDS, FRAMES, WINDOW_S, log_mel

_WAITING = 32
"""Requests at most: more than are answered in time."""
_BATCH = 4
"""The model costs as much for each request, alone or not; a batch saves the way to the thread."""
_LATEST_S = 0.6
"""A turn of complete words is over by then."""
_INPUT = "input_features"

log = logging.getLogger(__name__)

OnScore = Callable[[float], None]


class ModelUnusable(Exception):
    """The file holds no such model; the sentence says which file and what to do."""


@dataclass(frozen=True, slots=True)
class _Request:
    pcm16: bytes
    on_score: OnScore
    asked_at: float


class SmartTurn:
    """A loaded model. Blocking: for one thread."""

    def __init__(self, file: Path) -> None:
        """Raises ModelUnusable."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own, of no common class
            raise ModelUnusable(f"{file} can't be loaded as an ONNX model ({error})") from None
        shapes = {entry.name: tuple(entry.shape[1:]) for entry in self._session.get_inputs()}
        if shapes != {_INPUT: (BANDS, FRAMES)} or len(self._session.get_outputs()) != 1:
            raise ModelUnusable(f"{file} is no model of Smart Turn v3: its inputs are {shapes}")

    def score(self, clips: Sequence[bytes]) -> list[float]:
        """How probable it is, 0..1, that each of these turns (PCM16, 16 kHz) is over."""
        features = np.stack([log_mel(pcm16) for pcm16 in clips])
        (scores,) = self._session.run(None, {_INPUT: features})
        return [min(1.0, max(0.0, float(score))) for score in np.asarray(scores).reshape(len(clips), -1)[:, 0]]


class SmartTurnScorer:
    """The requests of all calls. Implements `interfaces.EndOfTurnScorer`."""

    def __init__(self, model: SmartTurn, count: Callable[[str], None]) -> None:
        """`count` is told what became of each request: told, late, full or failed."""
        self._model = model
        self._count = count
        self._requests: asyncio.Queue[_Request] = asyncio.Queue(_WAITING)

    @property
    def window_s(self) -> float:
        """How far back the model listens."""
        return WINDOW_S

    def ask(self, pcm16: bytes, on_score: OnScore) -> None:
        """Score this turn soon; `on_score` is called on the loop, or never."""
        try:
            self._requests.put_nowait(_Request(pcm16, on_score, asyncio.get_running_loop().time()))
        except asyncio.QueueFull:
            self._count("full")

    async def run(self) -> None:
        """Score until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="smart-turn") as thread:
            while True:
                requests = [await self._requests.get()]
                while len(requests) < _BATCH and not self._requests.empty():
                    requests.append(self._requests.get_nowait())
                await self._answer([one for one in requests if self._is_in_time(one)], thread)

    async def _answer(self, requests: Sequence[_Request], thread: ThreadPoolExecutor) -> None:
        if not requests:
            return
        clips = [one.pcm16 for one in requests]
        try:
            scores = await asyncio.get_running_loop().run_in_executor(thread, self._model.score, clips)
        except Exception:
            log.exception("the end-of-turn model failed; these turns are decided by their words")
            for _ in requests:
                self._count("failed")
            return
        for one, score in zip(requests, scores, strict=True):
            if self._is_in_time(one):
                self._count("told")
                one.on_score(score)

    def _is_in_time(self, request: _Request) -> bool:
        is_late = asyncio.get_running_loop().time() - request.asked_at > _LATEST_S
        if is_late:
            self._count("late")
        return not is_late
