"""Is the front-end NeMo's? Against onnx-asr's, which computes in float64 over the padded batch."""

import numpy as np
import pytest
from onnx_asr.preprocessors.numpy_preprocessor import NemoPreprocessorNumpy
from speech_server.engines.asr.parakeet.features import features
from speech_server.engines.onnx.transducer import Floats, Ints


def speechlike(samples: int, seed: int) -> Floats:
    """Noise that swells and falls silent, from full scale to 80 dB below it."""
    rng = np.random.default_rng(seed)
    level = 10 ** np.interp(np.arange(samples), np.linspace(0, samples, 12), rng.uniform(-4, -0.5, 12))
    return (level * rng.normal(0, 1, samples)).astype(np.float32)


def theirs(clips: list[Floats], mel: int) -> tuple[Floats, Ints]:
    lengths = np.array([len(clip) for clip in clips], np.int64)
    padded = np.stack([np.pad(clip, (0, int(lengths.max()) - len(clip))) for clip in clips])
    return NemoPreprocessorNumpy(f"nemo{mel}")(padded, lengths)


@pytest.mark.parametrize("mel", [80, 128])
def test_features_of_a_batch_are_onnx_asrs(mel: int) -> None:
    clips = [speechlike(samples, samples) for samples in (48_000, 1_600, 31_999, 16_001, 2_239)]
    found, frames = features(clips, mel)
    expected, their_frames = theirs(clips, mel)
    assert (found.shape, str(found.dtype), frames.tolist()) == (expected.shape, "float32", their_frames.tolist())
    # Values are around 1 in size; float16 keeps three digits of them.
    assert np.abs(found - expected).max() < 5e-4
    for row, length in zip(found, frames.tolist(), strict=True):
        assert not row[:, length:].any()


def test_digital_silence_and_a_constant_have_finite_features() -> None:
    found, frames = features([np.zeros(3_200, np.float32), np.full(1_600, 0.5, np.float32)], 80)
    assert np.isfinite(found).all()
    assert frames.tolist() == [20, 10]


def test_a_clip_has_the_same_features_alone_and_in_a_batch() -> None:
    clips = [speechlike(samples, samples) for samples in (9_000, 48_000)]
    together, _ = features(clips, 128)
    for clip, row in zip(clips, together, strict=True):
        alone, (frames,) = features([clip], 128)
        assert np.allclose(row[:, :frames], alone[0, :, :frames], atol=1e-4)
