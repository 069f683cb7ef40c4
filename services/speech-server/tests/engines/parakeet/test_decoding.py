"""Is a batch decoded token for token as its clips are one by one, with one decoder call a step?"""

from pathlib import Path

import numpy as np
import onnx_asr
import pytest
from speech_server.core.asr.subwords import Emitted
from speech_server.engines.asr.parakeet.greedy_decoding import States, greedy
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.asr.parakeet.onnx_graphs import OnnxJoint
from speech_server.engines.onnx.session import Limits, Stop, open_session
from speech_server.engines.onnx.transducer import Floats, Ints

from .tiny import Kind, make_model

RNG = np.random.default_rng(7)


class Counted:
    """A joint network that counts its calls and its rows."""

    def __init__(self, joint: OnnxJoint) -> None:
        self._joint = joint
        self.calls = 0

    def start(self, clips: int) -> States:
        return self._joint.start(clips)

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        self.calls += 1
        return self._joint.step(frames, tokens, states)


def reference(encoded: Floats, length: int, joint: OnnxJoint, tokens: int, blank: int, most: int) -> list[Emitted]:
    """The plain loop over one clip, written from the definition."""
    states = joint.start(1)
    last, at, here = blank, 0, 0
    found: list[Emitted] = []
    while at < length:
        scores, new = joint.step(encoded[at][None], np.array([last]), states)
        token = int(scores[0, :tokens].argmax())
        skip = int(scores[0, tokens:].argmax()) if scores.shape[1] > tokens else 0
        if token != blank:
            states, last, here = new, token, here + 1
            found.append(Emitted(token, at, max(1, skip)))
        if skip:
            at, here = at + skip, 0
        elif token == blank or here == most:
            at, here = at + 1, 0
    return found


@pytest.mark.parametrize("kind", ["tdt", "rnnt"])
def test_200_random_inputs_decode_in_batches_as_they_do_one_by_one(tmp_path: Path, kind: Kind) -> None:
    files = find_model(make_model(tmp_path, kind), "cpu", "fp32")
    assert files.decoder is not None
    joint = OnnxJoint(open_session(files.decoder, "cpu", Limits(1)), files, Stop())
    tokens, most = len(files.vocabulary), files.most_tokens
    spoken = 0
    for _ in range(25):
        lengths = RNG.integers(0, 24, 8)
        encoded = np.tanh(RNG.normal(0, 1, (8, 24, 16))).astype(np.float32)
        counted = Counted(joint)
        batch = greedy(encoded, lengths, counted, tokens, files.blank, most)
        alone = [
            reference(clip, length, joint, tokens, files.blank, most)
            for clip, length in zip(encoded, lengths.tolist(), strict=True)
        ]
        assert [[(one.token, one.frame, one.frames) for one in clip] for clip in batch] == [
            [(one.token, one.frame, one.frames) for one in clip] for clip in alone
        ]
        spoken += sum(len(clip) for clip in batch)
        single = max(
            _steps(clip, length, joint, tokens, files.blank, most)
            for clip, length in zip(encoded, lengths, strict=True)
        )
        assert counted.calls == single, "a batch takes as many calls as its longest clip"
    assert spoken > 500


def _steps(clip: Floats, length: int, joint: OnnxJoint, tokens: int, blank: int, most: int) -> int:
    counted = Counted(joint)
    greedy(clip[None], np.array([length]), counted, tokens, blank, most)
    return counted.calls


@pytest.mark.parametrize("kind", ["tdt", "rnnt", "ctc"])
def test_the_whole_path_gives_the_tokens_of_onnx_asr(tmp_path: Path, kind: Kind) -> None:
    folder = make_model(tmp_path, kind)
    ours = ParakeetModel(find_model(folder, "cpu", "fp32"), Placement(limits=Limits(1)))
    theirs = onnx_asr.load_model(f"nemo-conformer-{kind}", str(folder), providers=["CPUExecutionProvider"])
    clips = [RNG.normal(0, 0.1, length).astype(np.float32) for length in (8000, 16000, 23456, 40000)]
    heard = ours.transcribe(clips, Stop())
    for clip, said in zip(clips, heard, strict=True):
        expected = theirs.recognize(clip)
        assert "".join(said.text.split()) == "".join(str(expected).split())
        assert said.text


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("kind", ["tdt", "rnnt", "ctc"])
def test_every_kind_loads_in_every_precision(tmp_path: Path, kind: Kind, precision: str) -> None:
    folder = make_model(tmp_path, kind, precision)  # type: ignore[arg-type]
    model = ParakeetModel(find_model(folder, "cpu"), Placement(limits=Limits(1)))
    assert model.files.precision == precision
    noise = RNG.normal(0, 0.1, 20000).astype(np.float32)
    (said,) = model.transcribe([noise], Stop())
    assert said.words
    assert all(0 < word.confidence <= 1 for word in said.words)
    assert said.words[-1].end_s <= 1.25 + 4 * 0.08
    starts = [word.start_s for word in said.words]
    assert starts == sorted(starts)


def test_less_than_a_tenth_of_a_second_says_nothing(tmp_path: Path) -> None:
    model = ParakeetModel(find_model(make_model(tmp_path), "cpu"), Placement(limits=Limits(1)))
    noise = RNG.normal(0, 0.1, 16000).astype(np.float32)
    nothing, something = model.transcribe([noise[:1599], noise], Stop())
    assert nothing.text == ""
    assert something.text
