"""A streaming model that is loaded: pieces of many utterances in, what each says so far out; blocking.

    samples ──▶ frames ──▶ while anyone has a whole window: one encoder call for all who have ──▶ greedy ──▶ tokens

An utterance changes only when its whole round has succeeded. So a round that failed on a GPU is done again on the CPU.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from speech_server.core.asr.asr_types import Hypothesis
from speech_server.core.asr.boosting import Boosting, Lexicon, follow
from speech_server.core.asr.subwords import Emitted, hypothesis
from speech_server.engines.asr.log_mel import HOP, POINTS
from speech_server.engines.asr.streaming_transducer import features
from speech_server.engines.asr.streaming_transducer.features import AudioTail
from speech_server.engines.asr.streaming_transducer.greedy_decoding import greedy
from speech_server.engines.asr.streaming_transducer.model_files import ADVICE, Shape, StreamingFiles, find_model
from speech_server.engines.asr.streaming_transducer.onnx_graphs import (
    Caches,
    Joiner,
    Prediction,
    Predictor,
    StreamingEncoder,
)
from speech_server.engines.onnx.loader import with_cpu_fallback
from speech_server.engines.onnx.model_format import Device, ModelBroken
from speech_server.engines.onnx.session import Limits, OnnxSession, SessionOpener, Stop, open_session
from speech_server.engines.onnx.transducer import FRAME_S, Floats, Ints
from speech_server.errors import first_line

TAIL = 30
"""Frames of silence heard after an utterance's last sample, at least: a transducer says a word a little after it."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Utterance:
    """One open utterance. The model's thread changes it, one `StreamStep` at a time."""

    frames: Floats
    """[time, mel] not passed by the window yet."""
    caches: Caches
    prediction: Prediction
    tail: AudioTail = field(default_factory=AudioTail)
    made: int = 0
    """Frames made of its audio so far."""
    windows: int = 0
    emitted: list[Emitted] = field(default_factory=list)
    boosting: Boosting | None = None
    """The caller's phrases."""
    place: int = Boosting.start
    """Where in them the tokens are."""


@dataclass(frozen=True, slots=True)
class StreamStep:
    """More of an utterance: 16 kHz, -1..1."""

    utterance: Utterance
    clip: Floats
    ends: bool = False
    """Nothing comes after this."""


@dataclass(frozen=True, slots=True)
class OnnxNetworks:
    """What one decode asks; `OnnxNetworks` of `decoding`."""

    joiner: Joiner
    predictor: Predictor
    stop: Stop

    def join(self, frames: Floats, predicted: Floats) -> Floats:
        """Scores of all tokens."""
        return self.joiner.run(frames, predicted, self.stop)

    def predict(self, tokens: Ints, first: Floats, second: Floats) -> Prediction:
        """After these tokens."""
        return self.predictor.run(tokens, first, second, self.stop)


class StreamingModel:
    """One model. One thread calls it; `stop` may come from another.

    `device` is the encoder's: the other two networks are many small steps and stay on the CPU.
    """

    def __init__(
        self, files: StreamingFiles, device: Device, limits: Limits, open_with: SessionOpener | None = None
    ) -> None:
        """Load. Raises ModelBroken, EngineUnavailable."""
        self._limits = limits
        self._all: Caches
        self._open_with = open_with or _open
        self._load(files, device)

    @property
    def shape(self) -> Shape:
        """What the encoder takes."""
        return self._encoder.shape

    def begin(self, boosting: Boosting | None = None) -> Utterance:
        """An utterance of which nothing is heard. Its first window begins with zeros, as in NeMo's streaming."""
        silence = np.zeros((self.shape.overlap, self._encoder.mel_bands), np.float32)
        return Utterance(silence, self._encoder.empty(), self._start, boosting=boosting)

    def decode(self, steps: Sequence[StreamStep], stop: Stop) -> list[Hypothesis]:
        """What each utterance is believed to say after this; no utterance has two steps.

        Raises EngineUnavailable; the utterances are worth nothing then.
        """
        for step in steps:
            self._take_in(step)
        utterances = [step.utterance for step in steps]
        while ready := [one for one in utterances if len(one.frames) >= self.shape.window]:
            with_cpu_fallback("the streaming model", partial(self._round, ready, stop), stop, self.device, self._to_cpu)
        frame_s = FRAME_S * self.shape.subsampling
        return [hypothesis(one.emitted, self.files.vocabulary, frame_s) for one in utterances]

    def measure(self, windows: int, stop: Stop) -> float:
        """Warm up with noise, and give the real-time factor of one caller."""
        samples = windows * self.shape.shift * HOP
        noise = np.random.default_rng(0).normal(0, 0.05, samples).astype(np.float32)
        self.decode([StreamStep(self.begin(), noise, ends=True)], stop)
        began = time.perf_counter()
        self.decode([StreamStep(self.begin(), noise, ends=True)], stop)
        return (time.perf_counter() - began) / (samples * FRAME_S / HOP)

    def _take_in(self, step: StreamStep) -> None:
        one, mel_bands = step.utterance, self._encoder.mel_bands
        made = features.push(one.tail, step.clip, mel_bands)
        one.made += len(made)
        one.frames = np.concatenate((one.frames, made))
        if step.ends and one.made:
            # Whole windows, so that the last frame is heard.
            wanted = -(-(one.made + TAIL) // self.shape.shift) * self.shape.shift
            silence = np.zeros((wanted - one.made) * HOP + POINTS, np.float32)
            tail = features.push(one.tail, silence, mel_bands)[: wanted - one.made]
            one.frames = np.concatenate((one.frames, tail))
            one.made = wanted

    def _to_cpu(self, why: str) -> None:
        self._load(find_model(self.files.folder, "cpu"), "cpu")

    def _round(self, ready: Sequence[Utterance], stop: Stop) -> None:
        windows = np.stack([one.frames[: self.shape.window] for one in ready])
        encoded, caches = self._encoder.run(windows, self._stacked(ready), stop)
        nets = OnnxNetworks(self._joiner, self._predictor, stop)
        followed = follow([one.boosting for one in ready], [one.place for one in ready])
        found, after = greedy(encoded, _joined(ready), nets, self.files.blank, followed)
        for row, (one, tokens) in enumerate(zip(ready, found, strict=True)):
            base = one.windows * (self.shape.shift // self.shape.subsampling)
            one.emitted += [Emitted(token.token, base + token.frame, 1, token.logprob) for token in tokens]
            one.frames = one.frames[self.shape.shift :]
            one.windows += 1
            _keep_row(row, caches, one.caches)
            one.prediction = _row(row, after)
            one.place = followed.places[row] if followed is not None else one.place

    def _stacked(self, ready: Sequence[Utterance]) -> Caches:
        """Everybody's caches, in memory that is used again in the next round."""
        size = len(ready)
        if len(self._all.filled) < size:
            channel, when = (
                np.empty((size, *of), np.float32) for of in (self.shape.channel_cache, self.shape.time_cache)
            )
            self._all = Caches(channel, when, np.empty(size, np.int64))
        for row, one in enumerate(ready):
            self._all.channel[row], self._all.time[row] = one.caches.channel[0], one.caches.time[0]
            self._all.filled[row] = one.caches.filled[0]
        return Caches(self._all.channel[:size], self._all.time[:size], self._all.filled[:size])

    def _load(self, files: StreamingFiles, device: Device) -> None:
        on_cpu = Limits(self._limits.threads)
        encoder = StreamingEncoder(self._open_with(files.encoder, device, self._limits), files)
        predictor = Predictor(self._open_with(files.decoder, "cpu", on_cpu), files, encoder.shape)
        joiner = Joiner(self._open_with(files.joiner, "cpu", on_cpu), files)
        try:
            start = predictor.start(Stop())
            silence = np.zeros((1, encoder.shape.window, encoder.mel_bands), np.float32)
            encoded, _ = encoder.run(silence, encoder.empty(), Stop())
            joiner.run(encoded[:, 0], start.out, Stop())
        except ModelBroken:
            raise
        except Exception as error:  # onnxruntime has no common base for its errors
            names = ", ".join(path.name for path in (files.encoder, files.decoder, files.joiner))
            raise ModelBroken(
                f"{names} do not fit each other or their metadata ({first_line(error)}); {ADVICE}."
            ) from error
        self.files, self.device, self._start = files, device, start
        self._encoder, self._predictor, self._joiner = encoder, predictor, joiner
        self._all = encoder.empty()
        self.lexicon = Lexicon(files.vocabulary, files.blank)


def _open(path: Path, device: Device, limits: Limits) -> OnnxSession:
    return open_session(path, device, limits, ADVICE)


def _keep_row(row: int, of_all: Caches, own: Caches) -> None:
    # Into the memory it has: some MB a caller, new every time, would cost more in page faults than in copying.
    own.channel[0], own.time[0], own.filled[0] = of_all.channel[row], of_all.time[row], of_all.filled[row]


def _row(row: int, after: Prediction) -> Prediction:
    only = slice(row, row + 1)
    return Prediction(after.out[only], after.first[:, only], after.second[:, only])


def _joined(ready: Sequence[Utterance]) -> Prediction:
    return Prediction(
        np.concatenate([one.prediction.out for one in ready]),
        np.concatenate([one.prediction.first for one in ready], axis=1),
        np.concatenate([one.prediction.second for one in ready], axis=1),
    )
