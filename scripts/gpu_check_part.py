"""What does one part of gpu_check.py measure? One model, in a process of its own: gpu_check_part.py '{"what": ...}'

Prints what it has found as a line of JSON, again whenever there is more. Errors go to stderr.
"""

import asyncio
import json
import logging
import math
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gpu_trap
import numpy as np
import numpy.typing as npt
import onnxruntime
from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel, Hints, Hypothesis
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser, OfflineSetup
from speech_server.engines.asr.parakeet.loading import load
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.onnx.providers import ChosenDevice, probe
from speech_server.engines.onnx.session import CUDA_OPTIONS, Limits, OnnxSession, SessionOpener, Stop, open_session
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineError

SPARE_MB = 512
"""What the cap of `no-memory` leaves beside the weights: too little for 32 clips of 10 s, enough for one short one."""
HINTS = Hints("en-US")


class GpuMemory:
    """Memory in use on the first GPU, in MB, as nvidia-smi says it ten times a second. None: there is no nvidia-smi."""

    def __init__(self) -> None:
        self.now: int | None = None
        self.peak: int | None = None
        self._watching: subprocess.Popen[str] | None = None
        query = ["nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--loop-ms=100"]
        if shutil.which("nvidia-smi"):
            self._watching = subprocess.Popen(query, stdout=subprocess.PIPE, text=True)
            self._reading = threading.Thread(target=self._read, name="GPU memory", daemon=True)
            self._reading.start()
            self.settle()

    def settle(self) -> int | None:
        """What is in use now, after at least two new readings."""
        if self._watching is not None:
            time.sleep(0.4)
        return self.now

    def close(self) -> None:
        """Stop asking."""
        if self._watching is not None:
            self._watching.terminate()
            self._watching.wait()
            self._reading.join()
            assert self._watching.stdout is not None
            self._watching.stdout.close()

    def _read(self) -> None:
        assert self._watching is not None
        assert self._watching.stdout is not None
        for line in self._watching.stdout:
            if line.strip().isdigit():
                self.now = int(line)
                self.peak = max(self.peak or 0, self.now)


class AllSpeech:
    """A detector that hears speech in everything: whole clips go to the model, without a model of its own."""

    frame_s = 0.02

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    def open(self) -> "AllSpeech":
        """Nothing is kept of a stream."""
        return self

    async def score(self, pcm16: bytes) -> list[float]:
        """One probability a frame."""
        return [1.0] * int(len(pcm16) / 2 / ASR_RATE_HZ / self.frame_s)

    def close(self) -> None:
        """Nothing is kept."""


class FailingGraph:
    """A session that fails when it is told to: with an error of its own, or by what `fail` does to the GPU."""

    def __init__(self, graph: OnnxSession, fail: Callable[[], None]) -> None:
        self._graph, self._fail, self.fails_next = graph, fail, False

    def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        """Outputs by name."""
        if self.fails_next:
            self._fail()
        return self._graph.run(names, feed, options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)


class Log(logging.Handler):
    """What the engine logs, in lines."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        logging.getLogger("speech_server").addHandler(self)
        logging.getLogger("speech_server").setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(f"{record.levelname} {record.getMessage()}"[:400])


def planted() -> None:
    """An error as onnxruntime raises CUDA's."""
    raise RuntimeError("CUDA failure 700: an illegal memory access was encountered (planted by gpu_check)")


def noise(seconds: float, seed: int) -> Floats:
    """A clip of noise."""
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * ASR_RATE_HZ)).astype(np.float32)


def milliseconds(took_s: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile (nearest rank)."""
    ranked = sorted(took_s)
    p50, p95 = (ranked[math.ceil(share * len(ranked)) - 1] for share in (0.5, 0.95))
    return {"p50_ms": round(1000 * p50, 2), "p95_ms": round(1000 * p95, 2), "runs": len(ranked)}


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def tell(found: dict[str, Any]) -> None:
    """Print what is known so far: what is printed last counts, also when this process crashes."""
    sys.stdout.write("\n" + json.dumps(found) + "\n")
    sys.stdout.flush()


def machine(asked: dict[str, Any]) -> dict[str, Any]:
    """The card, the driver, onnxruntime, and whether a node runs on it."""
    choice = probe(asked["device"] if asked["device"] == "cpu" else "auto", "--device")
    query = ["nvidia-smi", "--id=0", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    card = subprocess.run(query, capture_output=True, text=True).stdout.strip() if shutil.which(query[0]) else ""
    return {
        "device": choice.device,
        "why": choice.why,
        "card": card or None,
        "onnxruntime": onnxruntime.__version__,
        "providers": onnxruntime.get_available_providers(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def reference(asked: dict[str, Any]) -> dict[str, Any]:
    """The encoder's answer to one clip in fp32 on the CPU, kept for the parts that follow."""
    model = ParakeetModel(find_model(Path(asked["folder"]), "cpu", "fp32"), Placement("cpu"))
    took_s = timed(lambda: np.save(Path(asked["folder"]) / "reference.npy", encoded(model, asked["clip_s"])))
    return {"precision": "fp32", "device": "cpu", "took_s": round(took_s, 2)}


def opener(asked: dict[str, Any]) -> SessionOpener:
    """Loads as the speech server does, with the options that are asked for."""
    return partial(open_session, cuda_options={**CUDA_OPTIONS, **asked["options"]})


def encoded(model: ParakeetModel, clip_s: float) -> Floats:
    """What the encoder makes of one clip."""
    features, lengths = model.features([noise(clip_s, 1)])
    return model.encoder.run(features, lengths, Stop())[0]


def speed(asked: dict[str, Any]) -> dict[str, Any]:
    """Latency by batch, loading, memory."""
    folder, device, memory = Path(asked["folder"]), asked["device"], GpuMemory()
    before = memory.now
    placement = Placement(device, asked["decoder"], asked["precision"], Limits(asked.get("threads", 0)))
    made: list[ParakeetModel] = []
    files = find_model(folder, device, asked["precision"])
    load_s = timed(lambda: made.append(ParakeetModel(files, placement, opener(asked))))
    (model,) = made
    first_s = timed(lambda: model.transcribe([noise(asked["clip_s"], 1)], Stop()))
    loaded = memory.settle()
    found: dict[str, Any] = {
        "precision": model.precision,
        "encoder": model.device,
        "decoder": asked["decoder"],
        "threads": asked.get("threads", os.cpu_count()),
        "load_s": round(load_s, 2),
        "first_clip_s": round(first_s, 2),
        "difference": difference(model, asked),
        "gpu_memory_mb": {"before": before, "loaded": loaded},
        "batches": [],
    }
    for count in asked["batches"]:
        tell(found)
        found["batches"].append(batch(model, count, asked, memory))
        found["gpu_memory_mb"]["peak"] = memory.peak
    tell(found)
    found["changing_lengths"] = of_lengths(model, np.linspace(2 / 3, 1, asked["runs"]) * asked["clip_s"], asked)
    memory.close()
    return found


def difference(model: ParakeetModel, asked: dict[str, Any]) -> float:
    """Of the encoder's answer from the reference, relative."""
    expected = np.load(Path(asked["folder"]) / "reference.npy")
    return round(float(np.linalg.norm(encoded(model, asked["clip_s"]) - expected) / np.linalg.norm(expected)), 6)


def ways(asked: dict[str, Any]) -> dict[str, Any]:
    """A batch of one length, of lengths that change at random, and of these rounded up to half seconds."""
    memory, device, precision = GpuMemory(), asked["device"], asked["precision"]
    files = find_model(Path(asked["folder"]), device, precision)
    model = ParakeetModel(files, Placement(device, precision=precision), opener(asked))
    found: dict[str, Any] = {"difference": difference(model, asked)}
    few = {**asked, "seconds": min(2.5, asked["seconds"])}
    lengths_s = np.random.default_rng(1).uniform(asked["clip_s"] / 2, asked["clip_s"], asked["runs"])
    kinds = {
        "same": np.full_like(lengths_s, asked["clip_s"]),
        "changing": lengths_s,
        "half_seconds": np.ceil(lengths_s * 2) / 2,
    }
    for name, seconds in kinds.items():
        found[name] = of_lengths(model, seconds, few)
    found["gpu_memory_mb"] = memory.peak
    memory.close()
    return found


def of_lengths(model: ParakeetModel, lengths_s: npt.NDArray[np.float64], asked: dict[str, Any]) -> dict[str, Any]:
    """A batch of each of these lengths; the first runs once more, before the others, and does not count."""
    count = asked["batches"][len(asked["batches"]) // 2]
    batches = [[noise(seconds, seed) for seed in range(count)] for seconds in lengths_s.tolist()]
    model.transcribe(batches[0], Stop())
    rest = iter(batches)
    return {"clips": count, **milliseconds(repeated(asked, lambda: model.transcribe(next(rest), Stop())))}


def batch(model: ParakeetModel, count: int, asked: dict[str, Any], memory: GpuMemory) -> dict[str, Any]:
    """So many clips at once: how long each of them waits for its words, and for what."""
    clips = [noise(asked["clip_s"], seed) for seed in range(count)]
    features, lengths = model.features(clips)
    cold_s = timed(lambda: model.transcribe(clips, Stop()))
    whole = repeated(asked, lambda: model.transcribe(clips, Stop()))
    few = {**asked, "runs": min(10, asked["runs"])}
    encoder = repeated(few, lambda: model.encoder.run(features, lengths, Stop()))
    front_end = repeated(few, lambda: model.features(clips))
    found = milliseconds(whole)
    return {
        "clips": count,
        **found,
        "per_clip_ms": round(found["p50_ms"] / count, 2),
        "cold_ms": round(1000 * cold_s, 2),
        "front_end_p50_ms": milliseconds(front_end)["p50_ms"],
        "encoder_p50_ms": milliseconds(encoder)["p50_ms"],
        "gpu_memory_mb": memory.peak,
    }


def repeated(asked: dict[str, Any], work: Callable[[], object]) -> list[float]:
    """Seconds of each run, until there are enough or the time is over."""
    until, took = time.monotonic() + asked["seconds"], [timed(work)]
    while len(took) < asked["runs"] and time.monotonic() < until:
        took.append(timed(work))
    return took


def failure(asked: dict[str, Any]) -> dict[str, Any]:
    """The GPU fails under callers: who of them gets an answer, and what does the engine say?"""
    return asyncio.run(_failure(asked, Log()))


async def _failure(asked: dict[str, Any], log: Log) -> dict[str, Any]:
    is_real, trapped = asked["device"] == "cuda", []
    fail = planted if asked["kind"] == "planted" else lambda: trapped.append(gpu_trap.trap())
    graphs: list[FailingGraph] = []

    def opened(path: Path, device: Device, limits: Limits) -> OnnxSession:
        graph = opener(asked)(path, device if is_real else "cpu", limits)
        if device == "cpu":
            return graph
        graphs.append(FailingGraph(graph, fail))
        return graphs[-1]

    found = probe("auto") if is_real else ChosenDevice("cuda", "pretended")
    placement = Placement(precision=asked["precision"])
    setup = OfflineSetup(
        AsrModel("generated", ("en-US",)),
        lambda: load(lambda precision: Path(asked["folder"]), "auto", placement, opened, lambda wish: found),
    )
    engine = OfflineRecogniser(setup, AllSpeech())
    await engine.start()
    told: dict[str, Any] = {"kind": asked["kind"], "precision": asked["precision"]}
    for when in ("before", "at_failure", "after"):
        graphs[0].fails_next = when != "before"
        told[when] = await _callers(engine, asked)
        told |= {"cuda_error": trapped[0] if trapped else None, "state": engine.state, "log": log.lines}
        tell(told)
    await engine.stop()
    return told


async def _callers(engine: OfflineRecogniser, asked: dict[str, Any]) -> dict[str, Any]:
    """All speak at once: who was answered, and how late the last was."""
    spoken = [noise(asked["clip_s"], seed) * 32767 for seed in range(asked["callers"])]
    clips = [clip.clip(-32768, 32767).astype("<i2").tobytes() for clip in spoken]
    began = time.perf_counter()
    answers = await asyncio.gather(*(engine.transcribe(clip, HINTS) for clip in clips), return_exceptions=True)
    errors = [str(one) for one in answers if isinstance(one, EngineError)]
    unknown = [repr(one) for one in answers if isinstance(one, BaseException) and not isinstance(one, EngineError)]
    return {
        "callers": len(clips),
        "answered": sum(isinstance(one, Hypothesis) and bool(one.text) for one in answers),
        "errors": sorted({*errors, *unknown}),
        "last_s": round(time.perf_counter() - began, 2),
    }


def no_memory(asked: dict[str, Any]) -> dict[str, Any]:
    """A cap that is too small for a large batch: is the batch heard in pieces, and does the model stay on the GPU?"""
    log = Log()
    files = find_model(Path(asked["folder"]), "cuda", asked["precision"])
    weights = sum(path.stat().st_size for path in files.folder.glob(f"{files.encoder.name}*"))
    limits = Limits(gpu_memory_bytes=weights + (SPARE_MB << 20))
    model = ParakeetModel(files, Placement("cuda", precision=asked["precision"], limits=limits), opener(asked))
    found = []
    for count, seconds in ((1, asked["clip_s"]), (32, 10.0), (1, asked["clip_s"])):
        clips = [noise(seconds, seed) for seed in range(count)]
        texts: list[Hypothesis] = []
        took_s = timed(lambda clips=clips, texts=texts: texts.extend(model.transcribe(clips, Stop())))  # type: ignore[misc]
        answered = sum(bool(one.text) for one in texts)
        found.append({"clips": count, "answered": answered, "took_s": round(took_s, 2), "device": model.device})
    return {"kind": "no-memory", "cap_mb": limits.gpu_memory_bytes >> 20, "batches": found, "log": log.lines}


PARTS = {
    "machine": machine,
    "reference": reference,
    "speed": speed,
    "ways": ways,
    "failure": failure,
    "no-memory": no_memory,
}

if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    tell(PARTS[order["what"]](order))
