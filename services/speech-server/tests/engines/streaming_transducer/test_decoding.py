"""Are the tokens the same alone and in a crowd, in one piece and in many? And is nothing carried to somebody else?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from speech_server.core.asr.boosting import Phrases
from speech_server.core.asr.subwords import Emitted
from speech_server.engines.asr.streaming_transducer import features
from speech_server.engines.asr.streaming_transducer.features import AudioTail
from speech_server.engines.asr.streaming_transducer.model import StreamingModel, StreamStep, Utterance
from speech_server.engines.asr.streaming_transducer.model_files import find_model
from speech_server.engines.onnx.session import Limits, Stop
from speech_server.engines.onnx.transducer import Floats

from .tiny import make_model


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> StreamingModel:
    return StreamingModel(find_model(tiny_folder, "cpu"), "cpu", Limits(1))


def noise(seconds: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.uniform(0.01, 0.5, int(seconds * 20) + 1), 800)[: int(seconds * 16_000)]
    return (rng.normal(0, 1, len(loudness)) * loudness).astype(np.float32)


def tokens(utterance: Utterance) -> list[tuple[int, int]]:
    return [(one.token, one.frame) for one in utterance.emitted]


def alone(model: StreamingModel, clip: Floats, phrases: Phrases = ()) -> list[tuple[int, int]]:
    utterance = model.begin(model.lexicon.boosting(phrases))
    model.decode([StreamStep(utterance, clip, ends=True)], Stop())
    return tokens(utterance)


def pieces(clip: Floats, rng: np.random.Generator) -> list[Floats]:
    return np.split(clip, np.sort(rng.integers(0, len(clip), rng.integers(1, 12))))


@pytest.mark.parametrize("seed", range(6))
def test_callers_together_get_the_tokens_they_get_alone(model: StreamingModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clips = [noise(float(rng.uniform(0.05, 3)), 100 * seed + number) for number in range(7)]
    together = [model.begin() for _ in clips]
    model.decode([StreamStep(one, clip, ends=True) for one, clip in zip(together, clips, strict=True)], Stop())
    expected = [alone(model, clip) for clip in clips]
    assert [tokens(one) for one in together] == expected
    assert sum(map(len, expected)) > 40
    assert len({str(one) for one in expected}) == len(expected), "every caller says something else"


@pytest.mark.parametrize("seed", range(6))
def test_how_audio_is_cut_does_not_change_the_tokens(model: StreamingModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clip = noise(2.7, seed)
    utterance = model.begin()
    for piece in pieces(clip, rng):
        model.decode([StreamStep(utterance, piece)], Stop())
    model.decode([StreamStep(utterance, clip[:0], ends=True)], Stop())
    assert tokens(utterance) == alone(model, clip)


@pytest.mark.parametrize("seed", range(4))
def test_callers_who_come_and_go_at_any_time_are_kept_apart(model: StreamingModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clips = [noise(float(rng.uniform(0.3, 2)), 50 * seed + number) for number in range(9)]
    waiting = [[*pieces(clip, rng)] for clip in clips]
    utterances = [model.begin() for _ in clips]
    while any(waiting):
        chosen = [number for number, rest in enumerate(waiting) if rest and rng.random() < 0.6]
        steps = [
            StreamStep(utterances[number], piece, not waiting[number])
            for number in chosen
            for piece in [waiting[number].pop(0)]
        ]
        model.decode(steps, Stop())
    assert [tokens(one) for one in utterances] == [alone(model, clip) for clip in clips]


@pytest.mark.parametrize("seed", range(4))
def test_phrases_are_favoured_for_their_caller_alone_however_audio_is_cut(model: StreamingModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clips = [noise(float(rng.uniform(0.5, 3)), 70 * seed + number) for number in range(8)]
    asked: list[Phrases] = [(), (("w30", 100.0), ("w9 w12", 4.0)), (), (("w3w4w5", 20.0), ("w27", 50.0))] * 2
    utterances = [model.begin(model.lexicon.boosting(phrases)) for phrases in asked]
    waiting = [[*pieces(clip, rng)] for clip in clips]
    while any(waiting):
        chosen = [number for number, rest in enumerate(waiting) if rest and rng.random() < 0.6]
        taken = [(number, waiting[number].pop(0)) for number in chosen]
        model.decode([StreamStep(utterances[number], piece, not waiting[number]) for number, piece in taken], Stop())
    heard = [tokens(one) for one in utterances]
    assert heard == [alone(model, clip, phrases) for clip, phrases in zip(clips, asked, strict=True)]
    plain = [alone(model, clip) for clip in clips]
    assert [one != other for one, other in zip(heard, plain, strict=True)] == [bool(phrases) for phrases in asked]


def test_the_caches_make_a_difference(model: StreamingModel) -> None:
    first, second = noise(1, 1), noise(1, 2)
    utterance = model.begin()
    model.decode([StreamStep(utterance, np.concatenate((first, second)), ends=True)], Stop())
    late = [token for token, frame in tokens(utterance) if frame >= 13]
    assert late != [token for token, _ in alone(model, second)], "or the tests above prove nothing"


def test_a_new_utterance_knows_nothing_of_the_last(model: StreamingModel) -> None:
    before = alone(model, noise(2, 1))
    alone(model, noise(2, 2))
    assert alone(model, noise(2, 1)) == before
    assert not model.begin().caches.channel.any()
    assert model.begin().caches.filled.tolist() == [0]


def test_tokens_are_those_of_a_plain_loop_without_batches(tiny_folder: Path, model: StreamingModel) -> None:
    clip = noise(2, 9)
    assert [token for token, _ in alone(model, clip)] == _plainly(tiny_folder, model, clip)


def _plainly(folder: Path, model: StreamingModel, clip: Floats) -> list[int]:
    """One caller, one window, one frame, one token at a time, straight on onnxruntime."""
    import onnxruntime

    encoder, decoder, joiner = (
        onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("encoder", "decoder", "joiner")
    )
    shape, blank = model.shape, model.files.blank
    sound = features.push(AudioTail(), np.concatenate((clip, np.zeros(16_000, np.float32))), 80)
    sound = np.concatenate((np.zeros((shape.overlap, 80), np.float32), sound))
    made = len(features.push(AudioTail(), clip, 80))
    windows = -(-(made + 30) // shape.shift)
    caches: list[Any] = [np.zeros((1, *shape.channel_cache), np.float32), np.zeros((1, *shape.time_cache), np.float32)]
    caches.append(np.zeros(1, np.int64))
    state: Any = np.zeros((shape.rnn_layers, 1, shape.rnn_width), np.float32)

    def predict(token: int, first: Any, second: Any) -> Sequence[Any]:
        values = (np.array([[token]], np.int32), np.ones(1, np.int32), first, second)
        found: Sequence[Any] = decoder.run(
            None, dict(zip([one.name for one in decoder.get_inputs()], values, strict=True))
        )
        return found

    out, _, first, second = predict(blank, state, state)
    said: list[int] = []
    for number in range(windows):
        window = sound[number * shape.shift :][: shape.window].T[None]
        values = (window, np.array([shape.window]), *caches)
        encoded, _, *caches = encoder.run(
            None, dict(zip([one.name for one in encoder.get_inputs()], values, strict=True))
        )
        for frame in range(encoded.shape[2]):
            for _ in range(10):
                feed = {"encoder_outputs": encoded[:, :, frame : frame + 1], "decoder_outputs": out}
                token = int(joiner.run(None, feed)[0].argmax())
                if token == blank:
                    break
                said.append(token)
                out, _, first, second = predict(token, first, second)
    return said


def test_words_have_times_in_the_utterance(model: StreamingModel) -> None:
    clip = noise(3, 5)
    (said,) = model.decode([StreamStep(model.begin(), clip, ends=True)], Stop())
    assert said.words
    assert all(word.start_s <= word.end_s <= 3.5 for word in said.words)
    assert said.words[-1].end_s > 2
    assert 0 < said.confidence <= 1


def test_nothing_is_heard_in_no_audio(model: StreamingModel) -> None:
    (said,) = model.decode([StreamStep(model.begin(), noise(0, 1), ends=True)], Stop())
    assert said.text == ""


def test_a_frame_holds_only_so_many_tokens(tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    folder = make_model(tmp_path)
    joiner = onnx.load(folder / "joiner.onnx")
    bias = next(one for one in joiner.graph.initializer if one.name == "bias")
    never_blank = numpy_helper.to_array(bias).copy()
    never_blank[-1] = -1000
    bias.CopyFrom(numpy_helper.from_array(never_blank, "bias"))
    onnx.save(joiner, folder / "joiner.onnx")
    utterance = StreamingModel(find_model(folder, "cpu"), "cpu", Limits(1)).begin()
    model = StreamingModel(find_model(folder, "cpu"), "cpu", Limits(1))
    model.decode([StreamStep(utterance, noise(0.5, 1))], Stop())
    frames: list[Emitted] = utterance.emitted
    assert {sum(one.frame == frame for one in frames) for frame in {one.frame for one in frames}} == {10}


@pytest.mark.parametrize("mel", [80, 128])
def test_features_are_those_of_nemo_before_normalising(mel: int) -> None:
    from onnx_asr.preprocessors.numpy_preprocessor import NemoPreprocessorNumpy

    clip = noise(2, 3)
    theirs, lengths = NemoPreprocessorNumpy(f"nemo{mel}")(clip[None], np.array([len(clip)]))
    ours = features.push(AudioTail(), np.concatenate((clip, np.zeros(512, np.float32))), mel)[: lengths[0]]
    normalised = (ours - ours.mean(axis=0)) / (ours.std(axis=0, ddof=1) + 1e-5)
    # The last frames see what follows the clip, which theirs takes for zeros.
    assert np.abs(normalised.T - theirs[0, :, : lengths[0]])[:, :-2].max() < 0.02
    assert ours.shape == (200, mel)


def test_features_do_not_depend_on_how_audio_is_cut() -> None:
    clip, tail = noise(2, 3), AudioTail()
    parts = [features.push(tail, piece, 80) for piece in pieces(clip, np.random.default_rng(2))]
    assert np.allclose(np.concatenate(parts), features.push(AudioTail(), clip, 80), atol=1e-4)
    assert len(tail.rest) < 512
