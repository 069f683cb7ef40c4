"""Do a caller's phrases change what a Parakeet model says, and only for that caller? Decoders, model, engine, wire."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from speech_server.core.asr.asr_types import AsrModel, Hints
from speech_server.core.asr.batching import Rules
from speech_server.core.asr.boosting import Boosting, Lexicon
from speech_server.core.asr.subwords import Emitted
from speech_server.engines.asr.offline.batch_queue import BatchLimits
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser, OfflineSetup
from speech_server.engines.asr.parakeet.greedy_decoding import States, collapse, greedy
from speech_server.engines.asr.parakeet.loading import load
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.asr.parakeet.onnx_graphs import OnnxJoint
from speech_server.engines.asr.scripted.energy_vad import EnergyDetector
from speech_server.engines.onnx.session import Limits, Stop, open_session
from speech_server.engines.onnx.transducer import Floats, Ints

from .test_recogniser import noise, quiet
from .tiny import Kind, make_model

RNG = np.random.default_rng(11)
VOCABULARY = ("▁par", "▁part", "ak", "y", "eet", "<blk>")
BLANK = 5
PHRASES = (("w30", 20.0), ("w3w4w5 w6w7", 4.0), ("w0w1w2", 100.0), ("w9", -20.0))


class Told:
    """A joint network that says what each frame says."""

    def start(self, clips: int) -> States:
        return np.zeros((1, clips, 1), np.float32), np.zeros((1, clips, 1), np.float32)

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        return frames, states


def frames(*tops: tuple[str, float, str]) -> Floats:
    """[frames, vocabulary]: a token far ahead of all but another, which is so many nats behind."""
    scores = np.full((len(tops), len(VOCABULARY)), -30, np.float32)
    for row, (first, gap, second) in zip(scores, tops, strict=True):
        row[VOCABULARY.index(first)], row[VOCABULARY.index(second)] = 0, -gap
    return scores


def pieces(found: Sequence[Emitted]) -> str:
    return " ".join(VOCABULARY[one.token] for one in found)


def parakeet() -> Boosting:
    made = Lexicon(VOCABULARY, BLANK).boosting((("Parakeet", 4.0),))
    assert made is not None
    return made


def said(scores: Floats, boostings: Sequence[Boosting | None], ctc: bool) -> list[str]:
    """What clips of these same scores say; one token a frame."""
    batch = np.stack([scores] * len(boostings))
    lengths = np.full(len(boostings), len(scores), np.int64)
    if ctc:
        return [pieces(one) for one in collapse(batch, lengths, BLANK, boostings)]
    return [pieces(one) for one in greedy(batch, lengths, Told(), len(VOCABULARY), BLANK, 1, boostings)]


@pytest.mark.parametrize("ctc", [True, False])
def test_a_near_tie_goes_to_the_phrase_and_other_clips_are_left_alone(ctc: bool) -> None:
    near = frames(("▁part", 0.5, "▁par"), ("y", 3.0, "ak"), ("<blk>", 1.0, "y"), ("y", 4.0, "eet"))
    plain = "▁part y y"
    assert said(near, [None, parakeet(), None], ctc) == [plain, "▁par ak eet", plain]


@pytest.mark.parametrize("ctc", [True, False])
def test_what_is_clearly_heard_stays(ctc: bool) -> None:
    clear = frames(("▁part", 1.5, "▁par"), ("y", 3.0, "ak"))
    assert said(clear, [parakeet()], ctc) == ["▁part y"]


@pytest.mark.parametrize("ctc", [True, False])
def test_the_model_alone_says_whether_there_is_a_token(ctc: bool) -> None:
    silent = frames(("<blk>", 0.1, "▁par"), ("▁part", 0.5, "<blk>"), ("<blk>", 0.1, "y"))
    assert said(silent, [parakeet()], ctc) == ["▁part"]


def test_a_token_that_lasts_several_frames_of_ctc_is_one_token_and_one_place() -> None:
    lasts = frames(
        ("▁par", 9, "y"), ("▁par", 2.0, "ak"), ("<blk>", 9, "y"), ("ak", 9, "y"), ("ak", 9, "y"), ("y", 3, "eet")
    )
    assert said(lasts, [parakeet()], True) == ["▁par ak eet"]


def test_a_changed_token_of_ctc_is_changed_in_all_its_frames_and_joins_its_neighbour() -> None:
    lasts = frames(("▁part", 0.5, "▁par"), ("▁part", 1.2, "▁par"), ("▁par", 9, "y"), ("y", 3, "ak"))
    assert said(lasts, [parakeet()], True) == ["▁par ak"]
    again = frames(("▁par", 9, "y"), ("<blk>", 9, "y"), ("▁par", 9, "y"))
    assert said(again, [parakeet()], True) == ["▁par ▁par"]


def test_a_word_s_confidence_is_the_model_s_own() -> None:
    near = frames(("▁part", 0.5, "▁par"))
    (plain,), (boosted,) = (
        greedy(near[None], np.array([1]), Told(), len(VOCABULARY), BLANK, 1, [one]) for one in (None, parakeet())
    )
    assert boosted[0].logprob == pytest.approx(plain[0].logprob - 0.5, abs=1e-4)


def boostings(lexicon: Lexicon, clips: int, rng: np.random.Generator) -> list[Boosting | None]:
    """Some clips have some of the phrases, some have none."""
    chosen = [tuple(one for one in PHRASES if rng.random() < 0.6) for _ in range(clips)]
    return [lexicon.boosting(one) for one in chosen]


@pytest.mark.parametrize("kind", ["tdt", "rnnt"])
def test_200_random_inputs_with_phrases_decode_in_batches_as_they_do_one_by_one(tmp_path: Path, kind: Kind) -> None:
    files = find_model(make_model(tmp_path, kind), "cpu", "fp32")
    assert files.decoder is not None
    joint = OnnxJoint(open_session(files.decoder, "cpu", Limits(1)), files, Stop())
    lexicon, rest = Lexicon(files.vocabulary, files.blank), (len(files.vocabulary), files.blank, files.most_tokens)
    changed = same = 0
    for _ in range(25):
        lengths = RNG.integers(0, 24, 8)
        encoded = np.tanh(RNG.normal(0, 1, (8, 24, 16))).astype(np.float32)
        favoured = boostings(lexicon, 8, RNG)
        batch, plain = greedy(encoded, lengths, joint, *rest, favoured), greedy(encoded, lengths, joint, *rest)
        for clip, one in enumerate(favoured):
            (alone,) = greedy(encoded[clip : clip + 1], lengths[clip : clip + 1], joint, *rest, [one])
            assert _tokens(batch[clip]) == _tokens(alone)
            same += one is None and _tokens(batch[clip]) == _tokens(plain[clip])
            changed += one is not None and _tokens(batch[clip]) != _tokens(plain[clip])
            assert one is not None or _tokens(batch[clip]) == _tokens(plain[clip])
    assert changed > 50
    assert same > 0


def test_random_ctc_inputs_with_phrases_decode_in_batches_as_they_do_one_by_one(tmp_path: Path) -> None:
    files = find_model(make_model(tmp_path, "ctc"), "cpu", "fp32")
    lexicon = Lexicon(files.vocabulary, files.blank)
    logprobs = RNG.normal(0, 2, (64, 24, len(files.vocabulary))).astype(np.float32)
    lengths, favoured = RNG.integers(0, 24, 64), boostings(lexicon, 64, RNG)
    batch, plain = collapse(logprobs, lengths, files.blank, favoured), collapse(logprobs, lengths, files.blank)
    changed = 0
    for clip, one in enumerate(favoured):
        (alone,) = collapse(logprobs[clip : clip + 1], lengths[clip : clip + 1], files.blank, [one])
        assert batch[clip] == alone
        assert one is not None or batch[clip] == plain[clip]
        changed += batch[clip] != plain[clip]
    assert changed > 20


def _tokens(found: Sequence[Emitted]) -> list[tuple[int, int, int]]:
    return [(one.token, one.frame, one.frames) for one in found]


@pytest.mark.parametrize("kind", ["tdt", "rnnt", "ctc"])
def test_a_model_of_any_kind_favours_phrases(tmp_path: Path, kind: Kind) -> None:
    model = ParakeetModel(find_model(make_model(tmp_path, kind), "cpu", "fp32"), Placement(limits=Limits(1)))
    clips = [RNG.normal(0, 0.1, 40_000).astype(np.float32) for _ in range(3)]
    boosting = model.lexicon.boosting((("w30", 100.0), ("w27", 100.0)))
    plain = model.transcribe(clips, Stop())
    short = np.zeros(100, np.float32)
    heard = model.transcribe([short, clips[0], clips[1], clips[2]], Stop(), [boosting, None, boosting, None])
    assert heard[0].text == ""
    assert [heard[1].text, heard[3].text] == [plain[0].text, plain[2].text]
    assert _favoured(heard[2].text) > _favoured(plain[1].text)


def _favoured(text: str) -> int:
    return text.count("w30") + text.count("w27")


@pytest.fixture
async def engine(tiny_folder: Path) -> AsyncIterator[OfflineRecogniser]:
    async with AsyncExitStack() as stack:
        setup = OfflineSetup(
            AsrModel("tiny", ("en-US",), boosts=True),
            lambda: load(lambda precision: tiny_folder, "cpu", Placement(limits=Limits(1))),
            rules=Rules(window_s=0.002),
            limits=BatchLimits(waiting=64),
        )
        made = OfflineRecogniser(setup, EnergyDetector(-45, 20))
        stack.push_async_callback(made.stop)
        await made.start()
        yield made


async def test_a_stream_and_a_recording_favour_their_own_callers_phrases(engine: OfflineRecogniser) -> None:
    hints = Hints("en-US", (("w30", 100.0), ("w27", 100.0)))
    plain = await engine.transcribe(noise(2), Hints("en-US"))
    boosted = await engine.transcribe(quiet(1) + noise(2) + quiet(1), hints)
    assert _favoured(boosted.text) > _favoured(plain.text)
    theirs, others = await engine.open(hints), await engine.open(Hints("en-US"))
    for utterances in (theirs, others):
        await utterances.accept(noise(2))
    assert _favoured((await theirs.finish()).text) > _favoured(plain.text)
    assert (await others.finish()).text == plain.text
    await theirs.close()
    await others.close()
