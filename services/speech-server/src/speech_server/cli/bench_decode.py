"""`speech-server bench-decode`: what does decoding cost beside the bare model? For any model folder.

One batch of equal clips of noise: the whole path, against one bare encoder call plus one bare decoder call a step. The
best of several runs counts, since other programs only ever make it slower.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.asr.boosting import Boosting, Phrases
from speech_server.core.asr.subwords import WORD_START
from speech_server.engines.asr.parakeet.greedy_decoding import States, greedy
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import ParakeetFiles, find_model
from speech_server.engines.asr.parakeet.onnx_graphs import OnnxJoint
from speech_server.engines.onnx.providers import probe
from speech_server.engines.onnx.session import Limits, OnnxSession, Stop
from speech_server.engines.onnx.transducer import Floats, Ints
from speech_server.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, best of the runs."""

    device: str
    precision: str
    batch: int
    clip_s: float
    encoder_s: float
    steps: int
    bare_steps_s: float
    """As many bare decoder calls, for as many clips as the decode had at each."""
    decode_s: float
    """The decode with everything around its calls."""
    boosted_decode_s: float
    """The same where every clip has `phrases` made-up phrases to favour; they change a few tokens and steps."""
    phrases: int
    front_end_s: float
    whole_s: float
    """Front-end, encoder, decode, words."""
    overhead: float
    """(encoder + decode) / (encoder + bare steps)."""
    rtf: float
    peak_rss_gb: float


class Watched:
    """A joint network that notes how many clips each step had."""

    def __init__(self, joint: OnnxJoint) -> None:
        self._joint = joint
        self.rows: list[int] = []

    def start(self, clips: int) -> States:
        """As the joint network."""
        return self._joint.start(clips)

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        """As the joint network."""
        self.rows.append(len(tokens))
        return self._joint.step(frames, tokens, states)


def measure(
    files: ParakeetFiles, placement: Placement, batch: int, clip_s: float, runs: int, phrases: int = 50
) -> Cost:
    """Measure one model. Raises EngineUnavailable for a CTC model, which has no steps."""
    if files.decoder is None:
        raise EngineUnavailable("A CTC model has no decoder; there is nothing to measure.")
    model = ParakeetModel(files, placement)
    encoder, graph = model.encoder, model.joint
    assert graph is not None
    rng = np.random.default_rng(1)
    clips = [rng.normal(0, 0.1, int(clip_s * ASR_RATE_HZ)).astype(np.float32) for _ in range(batch)]
    features, lengths = model.features(clips)
    encoded, frames = encoder.run(features, lengths, Stop())
    joint = Watched(OnnxJoint(graph, files, Stop()))
    boostings = [model.lexicon.boosting(_phrases(files.vocabulary, phrases))] * batch

    def decode(boostings: Sequence[Boosting | None] = ()) -> None:
        joint.rows.clear()
        greedy(encoded, frames, joint, len(files.vocabulary), files.blank, files.most_tokens, boostings)

    encoder_s = _best(runs, lambda: encoder.run(features, lengths, Stop()))
    boosted_decode_s = _best(runs, lambda: decode(boostings))
    decode_s = _best(runs, decode)
    bare_s = _best(runs, _bare(graph, joint.rows, encoded.shape[2]))
    whole_s = _best(runs, lambda: model.transcribe(clips, Stop()))
    return Cost(
        device=placement.device,
        precision=files.precision,
        batch=batch,
        clip_s=clip_s,
        encoder_s=encoder_s,
        steps=len(joint.rows),
        bare_steps_s=bare_s,
        decode_s=decode_s,
        boosted_decode_s=boosted_decode_s,
        phrases=phrases,
        front_end_s=_best(runs, lambda: model.features(clips)),
        whole_s=whole_s,
        overhead=(encoder_s + decode_s) / (encoder_s + bare_s),
        rtf=whole_s / (batch * clip_s),
        peak_rss_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    )


def main(arguments: Sequence[str]) -> int:
    """The command. Raises EngineUnavailable."""
    parser = argparse.ArgumentParser(prog="speech-server bench-decode", description=__doc__)
    parser.add_argument("folder", type=Path, help="a model's folder")
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="auto")
    parser.add_argument("--precision", choices=["auto", "fp32", "fp16", "int8"], default="auto")
    parser.add_argument("--decoder-device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--phrases", type=int, default=50, help="phrases of every clip in the boosted decode")
    given = parser.parse_args(arguments)
    device = probe(given.device).device
    placement = Placement(device, given.decoder_device, given.precision, Limits(given.threads))
    files = find_model(given.folder, device, given.precision)
    cost = measure(files, placement, given.batch, given.seconds, given.runs, given.phrases)
    sys.stdout.write(json.dumps(asdict(cost), indent=1) + "\n")
    return 0


def _bare(graph: OnnxSession, rows: Sequence[int], width: int) -> Callable[[], None]:
    shapes = {one.name: one.shape for one in graph.get_inputs()}
    types = {one.name: np.float16 if "float16" in one.type else np.float32 for one in graph.get_inputs()}
    whole = {one.name: np.int64 if "int64" in one.type else np.int32 for one in graph.get_inputs()}

    def feed(count: int) -> dict[str, Any]:
        made: dict[str, Any] = {
            "encoder_outputs": np.zeros((count, width, 1), types["encoder_outputs"]),
            "targets": np.zeros((count, 1), whole["targets"]),
            "target_length": np.ones(count, whole["target_length"]),
        }
        for name in ("input_states_1", "input_states_2"):
            made[name] = np.zeros((shapes[name][0], count, shapes[name][2]), types[name])
        return made

    feeds = {count: feed(count) for count in set(rows)}

    def run() -> None:
        for count in rows:
            graph.run(["outputs", "output_states_1", "output_states_2"], feeds[count])

    return run


def _phrases(vocabulary: Sequence[str], count: int) -> Phrases:
    rng = np.random.default_rng(2)
    drawn = rng.choice([piece for piece in vocabulary if piece[:1] != "<"], (count, 4))
    return tuple(("".join(pieces).replace(WORD_START, " "), 20.0) for pieces in drawn.tolist())


def _best(runs: int, work: Callable[[], object]) -> float:
    took = []
    for _ in range(max(1, runs)):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
