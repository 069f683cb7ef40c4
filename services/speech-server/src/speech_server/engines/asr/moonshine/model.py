"""A Moonshine model that is loaded: clips in, hypotheses out, blocking."""

from collections.abc import Sequence

import numpy as np

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.boosting import Boosting
from speech_server.core.asr.estimated_times import spread
from speech_server.engines.asr.moonshine.greedy_decoding import Written, greedy
from speech_server.engines.asr.moonshine.model_files import MoonshineFiles
from speech_server.engines.onnx.loader import with_cpu_fallback
from speech_server.engines.onnx.model_format import Device, ModelBroken, Precision
from speech_server.engines.onnx.session import Limits, SessionOpener, Stop, open_session
from speech_server.engines.onnx.transducer import Floats
from speech_server.recognition.sectioning import loud_part_s

TOKENS_A_SECOND = 6.5
"""More are never said: a model that writes on has lost itself."""
SHORTEST_SAMPLES = ASR_RATE_HZ // 10
"""Of less than 100 ms the model says anything."""
LEAST_LOGPROB = -0.75
"""Mean of a clip's tokens; of less, nothing was said. Speech in noise (10 dB) is above -0.65; chords and noise that
pass for speech are mostly below."""
_SPACE = "▁"


class MoonshineModel:
    """One model, on the CPU."""

    device: Device = "cpu"
    precision: Precision = "int8"
    lexicon = None

    def __init__(
        self, files: MoonshineFiles, limits: Limits | None = None, open_with: SessionOpener = open_session
    ) -> None:
        """Load. Raises ModelBroken."""
        limits = limits or Limits()
        self._encoder = open_with(files.encoder, "cpu", limits)
        self._decoder = open_with(files.decoder, "cpu", limits)
        self._vocabulary = files.vocabulary
        inputs = {one.name for one in self._encoder.get_inputs()}
        if "input_values" not in inputs or "input_ids" not in {one.name for one in self._decoder.get_inputs()}:
            raise ModelBroken(f"{files.encoder.parent} has no Moonshine model: its inputs have other names.")
        self._takes_mask = "attention_mask" in inputs

    def transcribe(
        self, clips: Sequence[Floats], stop: Stop, boostings: Sequence[Boosting | None] = ()
    ) -> list[Hypothesis]:
        """What each clip (16 kHz, -1..1) says, its words' times estimated. `boostings` are not used.

        Raises EngineUnavailable.
        """
        found = [Hypothesis("")] * len(clips)
        long_enough = [number for number, clip in enumerate(clips) if len(clip) >= SHORTEST_SAMPLES]
        groups = [long_enough] if self._takes_mask else [[number] for number in long_enough]
        for group in filter(None, groups):
            for number, text in zip(group, self._texts([clips[number] for number in group], stop), strict=True):
                found[number] = spread(text, *loud_part_s(clips[number]))
        return found

    def to_cpu(self, why: str) -> None:
        """It is there already."""

    def _texts(self, clips: Sequence[Floats], stop: Stop) -> list[str]:
        longest = max(map(len, clips))
        audio, mask = np.zeros((len(clips), longest), np.float32), np.zeros((len(clips), longest), np.int64)
        for number, clip in enumerate(clips):
            audio[number, : len(clip)], mask[number, : len(clip)] = clip, 1
        feed = {"input_values": audio, "attention_mask": mask} if self._takes_mask else {"input_values": audio}
        most = [int(len(clip) * TOKENS_A_SECOND / ASR_RATE_HZ) + 1 for clip in clips]

        def write() -> list[Written]:
            (frames,) = self._encoder.run(["last_hidden_state"], feed, stop.options)
            return greedy(self._decoder, frames, mask, most, stop)

        written = with_cpu_fallback("Moonshine", write, stop, self.device, self.to_cpu)
        return [self._text(one) for one in written]

    def _text(self, written: Written) -> str:
        if written.logprob < LEAST_LOGPROB:
            return ""
        spelt = b"".join(
            self._vocabulary[token] for token in written.tokens if not self._vocabulary[token].startswith(b"<")
        )
        return " ".join(spelt.decode("utf-8", "ignore").replace(_SPACE, " ").split())
