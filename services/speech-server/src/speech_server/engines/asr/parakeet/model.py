"""A Parakeet model that is loaded: clips in, hypotheses out, blocking. Moves itself to the CPU when its GPU fails."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.boosting import Boosting, Lexicon
from speech_server.core.asr.subwords import Emitted, hypothesis
from speech_server.engines.asr.parakeet.features import features
from speech_server.engines.asr.parakeet.greedy_decoding import collapse, greedy
from speech_server.engines.asr.parakeet.model_files import ParakeetFiles, find_model
from speech_server.engines.asr.parakeet.onnx_graphs import OnnxJoint, ParakeetEncoder
from speech_server.engines.onnx.gpu_errors import is_out_of_memory, reason_of
from speech_server.engines.onnx.loader import with_cpu_fallback
from speech_server.engines.onnx.model_format import Device, ModelBroken, Precision, PrecisionSetting
from speech_server.engines.onnx.session import Limits, OnnxSession, SessionOpener, Stop, open_session
from speech_server.engines.onnx.transducer import Floats, Ints

SHORTEST_SAMPLES = ASR_RATE_HZ // 10
"""Below 100 ms a model says anything; nothing is heard in it."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model's parts run, and in which precision."""

    device: Device = "cpu"
    decoder_device: Device = "cpu"
    """Many small steps: a GPU's launches cost more than a CPU's work."""
    precision: PrecisionSetting = "auto"
    limits: Limits = field(default_factory=Limits)


class ParakeetModel:
    """One model. One thread calls it; `stop` may come from another."""

    def __init__(self, files: ParakeetFiles, placement: Placement, open_with: SessionOpener = open_session) -> None:
        """Load. Raises ModelBroken, EngineUnavailable."""
        self._open = open_with
        self._too_large = math.inf
        """Samples, padding included, of the smallest batch that the GPU had no memory for."""
        self._load(files, placement)

    @property
    def device(self) -> Device:
        """Where the encoder runs now."""
        return self._placement.device

    @property
    def precision(self) -> Precision:
        """Of what is loaded now."""
        return self.files.precision

    def transcribe(
        self, clips: Sequence[Floats], stop: Stop, boostings: Sequence[Boosting | None] = ()
    ) -> list[Hypothesis]:
        """What each clip (16 kHz, -1..1) says; `boostings`: what each clip's caller wants favoured, or nothing at all.

        Raises EngineUnavailable when nothing here can recognise any more.
        """
        long_enough = [number for number, clip in enumerate(clips) if len(clip) >= SHORTEST_SAMPLES]
        found = [Hypothesis("")] * len(clips)
        if long_enough:
            favoured = [boostings[number] for number in long_enough] if boostings else []
            chosen = [clips[number] for number in long_enough]
            together = partial(self._decode_fitting, chosen, favoured, stop)
            apart = partial(self._decode_apart, chosen, favoured, stop)
            emitted = with_cpu_fallback("Parakeet", together, stop, self.device, self.to_cpu, apart)
            for number, tokens in zip(long_enough, emitted, strict=True):
                found[number] = hypothesis(tokens, self.files.vocabulary, self.files.frame_s)
        return found

    def to_cpu(self, why: str) -> None:
        """Load the CPU's files in place of the GPU's. Raises ModelBroken when there are none."""
        limits = Limits(self._placement.limits.threads)
        placement = Placement("cpu", "cpu", "auto", limits)
        self._load(find_model(self.files.folder, "cpu"), placement)

    def _decode_fitting(
        self, clips: Sequence[Floats], boostings: Sequence[Boosting | None], stop: Stop
    ) -> list[list[Emitted]]:
        """All at once, or in halves where the GPU has no memory for it."""
        size = len(clips) * max(map(len, clips))
        if len(clips) == 1 or size < self._too_large:
            try:
                return self._decode(clips, boostings, stop)
            except Exception as error:
                if self.device == "cpu" or stop.is_asked or not is_out_of_memory(error):
                    raise
                reason = reason_of(error)
            # Memory in pieces that are all too small counts as free afterwards.
            self.encoder.give_back_memory()
            if len(clips) == 1:
                return self._decode(clips, boostings, stop)
            self._too_large = min(self._too_large, size)
            _log.warning("the GPU has no memory for %d clips at once; halves are tried: %s", len(clips), reason)
        half = len(clips) // 2
        first, second = (slice(None, half), slice(half, None))
        return [
            *self._decode_fitting(clips[first], boostings[first], stop),
            *self._decode_fitting(clips[second], boostings[second], stop),
        ]

    def _decode_apart(
        self, clips: Sequence[Floats], boostings: Sequence[Boosting | None], stop: Stop
    ) -> list[list[Emitted]]:
        """One by one, each within the limit: the batch was put together for a GPU, and this is a CPU now."""
        found: list[list[Emitted]] = []
        for number, clip in enumerate(clips):
            stop.renew()
            found += self._decode([clip], boostings[number : number + 1], stop)
        return found

    def _decode(self, clips: Sequence[Floats], boostings: Sequence[Boosting | None], stop: Stop) -> list[list[Emitted]]:
        features, lengths = self.features(clips)
        encoded, frames = self.encoder.run(features, lengths, stop)
        if self.joint is None:
            self._fits(encoded.shape[2])
            return collapse(encoded, frames, self.files.blank, boostings)
        joint = OnnxJoint(self.joint, self.files, stop)
        tokens = len(self.files.vocabulary)
        return greedy(encoded, frames, joint, tokens, self.files.blank, self.files.most_tokens, boostings)

    def _fits(self, width: int) -> None:
        if width != len(self.files.vocabulary):
            raise ModelBroken(f"vocab.txt has {len(self.files.vocabulary)} tokens, the model knows {width}.")

    def features(self, clips: Sequence[Floats]) -> tuple[Floats, Ints]:
        """[batch, mel, time] and frames of each, padded with zeros."""
        return features(clips, self.encoder.mel_bands)

    def _load(self, files: ParakeetFiles, placement: Placement) -> None:
        encoder = ParakeetEncoder(self._open(files.encoder, placement.device, placement.limits), files)
        joint: OnnxSession | None = None
        if files.decoder is not None:
            joint = self._open(files.decoder, placement.decoder_device, placement.limits)
            OnnxJoint(joint, files, Stop())
        self.lexicon = Lexicon(files.vocabulary, files.blank)
        self.files, self._placement, self.encoder, self.joint = files, placement, encoder, joint
