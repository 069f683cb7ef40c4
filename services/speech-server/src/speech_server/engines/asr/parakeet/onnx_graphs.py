"""How are the networks of a Parakeet model asked? With arrays of all clips at once."""

from pathlib import Path
from typing import Any

import numpy as np

from speech_server.engines.asr.parakeet.greedy_decoding import States
from speech_server.engines.asr.parakeet.model_files import ParakeetFiles
from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.engines.onnx.session import NUMPY, OnnxSession, Stop, giving_back_memory
from speech_server.engines.onnx.transducer import Floats, Ints


class ParakeetEncoder:
    """The encoder of a transducer, or a whole CTC model."""

    def __init__(self, graph: OnnxSession, files: ParakeetFiles) -> None:
        self._graph = graph
        self._is_ctc = files.decoder is None
        self._subsampling = files.subsampling
        self._types = _types(graph, files.encoder, ("audio_signal", "length"))
        shape = {one.name: one.shape for one in graph.get_inputs()}["audio_signal"]
        said = shape[1] if len(shape) == 3 and isinstance(shape[1], int) else None
        if said is not None and files.mel_bands not in (None, said):
            raise ModelBroken(f"{files.encoder.name} takes {said} mel bands, config.json says {files.mel_bands}.")
        self.mel_bands: int = said or files.mel_bands or 80

    def run(self, features: Floats, lengths: Ints, stop: Stop) -> tuple[Floats, Ints]:
        """[batch, mel, time] in; [batch, frames, width] and frames of each out (CTC: width = vocabulary)."""
        feed = {"audio_signal": features.astype(self._types["audio_signal"]), "length": lengths}
        if self._is_ctc:
            (out,) = self._graph.run(["logprobs"], feed, stop.options)
            return out.astype(np.float32, copy=False), np.minimum((lengths - 1) // self._subsampling + 1, out.shape[1])
        out, frames = self._graph.run(["outputs", "encoded_lengths"], feed, stop.options)
        encoded = np.ascontiguousarray(out.transpose(0, 2, 1), dtype=np.float32)
        return encoded, np.minimum(frames.astype(np.int64), encoded.shape[1])

    def give_back_memory(self) -> None:
        """Free the GPU memory that onnxruntime keeps for later calls. It does so only after a call: a tiny one."""
        silence = np.zeros((1, self.mel_bands, 2 * self._subsampling), self._types["audio_signal"])
        feed = {"audio_signal": silence, "length": np.array([silence.shape[2]], np.int64)}
        self._graph.run(["logprobs"] if self._is_ctc else ["outputs"], feed, giving_back_memory())


class OnnxJoint:
    """Prediction and joint network of one batch, on onnxruntime."""

    def __init__(self, graph: OnnxSession, files: ParakeetFiles, stop: Stop) -> None:
        assert files.decoder is not None
        self._graph = graph
        self._stop = stop
        self._tokens = len(files.vocabulary)
        names = ("encoder_outputs", "targets", "target_length", "input_states_1", "input_states_2")
        self._types = _types(graph, files.decoder, names)
        self._shapes = {one.name: one.shape for one in graph.get_inputs()}
        width = {one.name: one.shape for one in graph.get_outputs()}["outputs"][-1]
        if isinstance(width, int) and width < self._tokens:
            raise ModelBroken(f"vocab.txt has {self._tokens} tokens, the decoder knows {width}; pull the model again.")
        for name in ("input_states_1", "input_states_2"):
            layers, _, hidden = self._shapes[name]
            if not isinstance(layers, int) or not isinstance(hidden, int):
                raise ModelBroken(f"{files.decoder.name}: {name} has no fixed size; export the model again.")

    def start(self, clips: int) -> States:
        """Zeros."""
        first, second = (self._shapes[name] for name in ("input_states_1", "input_states_2"))
        zeros = [np.zeros((shape[0], clips, shape[2]), np.float32) for shape in (first, second)]
        return zeros[0], zeros[1]

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        """One call for all clips."""
        feed: dict[str, Any] = {
            "encoder_outputs": frames[:, :, None],
            "targets": tokens[:, None],
            "target_length": np.ones(len(tokens)),
            "input_states_1": states[0],
            "input_states_2": states[1],
        }
        typed = {name: value.astype(self._types[name], copy=False) for name, value in feed.items()}
        names = ["outputs", "output_states_1", "output_states_2"]
        scores, first, second = self._graph.run(names, typed, self._stop.options)
        flat = scores.reshape(len(tokens), -1).astype(np.float32, copy=False)
        if flat.shape[1] < self._tokens:
            raise ModelBroken(f"vocab.txt has {self._tokens} tokens, the decoder knows {flat.shape[1]}.")
        return flat, (first.astype(np.float32, copy=False), second.astype(np.float32, copy=False))


def _types(graph: OnnxSession, path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    found = {one.name: NUMPY.get(one.type) for one in graph.get_inputs()}
    missing = [name for name in names if found.get(name) is None]
    if missing:
        raise ModelBroken(f"{path.name} has no input {' or '.join(missing)}; is it a NeMo export in onnx-asr's layout?")
    return found
