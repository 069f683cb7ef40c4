"""Where does the model run, and what happens when its GPU fails? With a GPU that is pretended."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.onnx.providers import CPU, CUDA, PROBE, ChosenDevice, choose, cuda_session, probe
from speech_server.engines.onnx.session import Limits, OnnxSession, Stop, open_session
from speech_server.errors import EngineUnavailable

from .tiny import make_model


class FailingGraph:
    """A session that works a while, then fails as a GPU does."""

    def __init__(self, graph: OnnxSession, runs: int) -> None:
        self._graph, self._runs = graph, runs

    def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        if not self._runs:
            raise RuntimeError("CUDA error 700: an illegal memory access was encountered")
        self._runs -= 1
        return self._graph.run(names, feed, options)

    def get_inputs(self) -> list[Any]:
        return self._graph.get_inputs()

    def get_outputs(self) -> list[Any]:
        return self._graph.get_outputs()

    def get_modelmeta(self) -> Any:
        return self._graph.get_modelmeta()

    def get_providers(self) -> list[str]:
        return [CUDA, CPU]


class Machine:
    """Opens graphs on a GPU that is really the CPU, and fails after some runs."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self.opened: list[tuple[str, Device]] = []

    def __call__(self, path: Path, device: Device, limits: Limits) -> OnnxSession:
        self.opened.append((path.name, device))
        graph = open_session(path, "cpu", limits)
        return FailingGraph(graph, self._runs) if device == "cuda" else graph


def noise(seconds: float) -> Any:
    return np.random.default_rng(3).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)


def refuses() -> Sequence[str]:
    raise RuntimeError("libcudart.so.13: cannot open shared object file\nmore")


def test_cuda_is_taken_when_a_node_really_ran_on_it() -> None:
    assert choose("auto", [CUDA, CPU], lambda: [CUDA, CPU]).device == "cuda"


def test_cuda_that_is_listed_but_does_not_load_means_the_cpu_and_a_reason() -> None:
    choice = choose("auto", [CUDA, CPU], refuses)
    assert choice == ChosenDevice("cpu", "CUDA can't be loaded: libcudart.so.13: cannot open shared object file")
    silently = choose("auto", [CUDA, CPU], lambda: [CPU])
    assert silently.device == "cpu"
    assert "cuDNN" in silently.why


def test_cuda_asked_for_by_name_and_absent_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match="Install onnxruntime-gpu"):
        choose("cuda", [CPU], refuses)
    with pytest.raises(EngineUnavailable, match="set it to auto"):
        choose("cuda", [CUDA, CPU], refuses)


def test_the_cpu_is_taken_without_a_probe_when_asked_for() -> None:
    assert choose("cpu", [CUDA, CPU], refuses).device == "cpu"


def test_the_probe_of_this_machine_gives_an_answer() -> None:
    assert probe("auto").why
    assert probe("cpu").device == "cpu"
    session = onnxruntime.InferenceSession(PROBE, providers=[CPU])
    assert session.run(None, {"x": np.ones(1, np.float32)})[0] == [2.0]


def test_a_machine_without_a_driver_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speech_server.engines.onnx.providers.DRIVER", "libcuda-of-nowhere.so.1")
    choice = choose("auto", [CUDA, CPU], cuda_session)
    assert choice.device == "cpu"
    assert "there is no NVIDIA driver here (libcuda-of-nowhere.so.1" in choice.why


def test_a_gpu_that_fails_moves_the_model_to_the_cpu_and_loses_no_clip(tmp_path: Path) -> None:
    make_model(tmp_path, seed=4)
    machine = Machine(runs=2)
    moving = ParakeetModel(find_model(tmp_path, "cuda"), Placement("cuda", limits=Limits(1)), machine)
    steady = ParakeetModel(find_model(tmp_path, "cpu"), Placement(limits=Limits(1)))
    for seconds in (1.0, 1.5, 2.0, 1.2):
        clips = [noise(seconds), noise(seconds / 2)]
        assert moving.transcribe(clips, Stop()) == steady.transcribe(clips, Stop())
    assert moving.device == "cpu"
    assert machine.opened == [
        ("encoder-model.onnx", "cuda"),
        ("decoder_joint-model.onnx", "cpu"),
        ("encoder-model.onnx", "cpu"),
        ("decoder_joint-model.onnx", "cpu"),
    ]


def test_on_the_way_to_the_cpu_the_int8_files_are_taken_when_there_are_any(tmp_path: Path) -> None:
    make_model(tmp_path)
    make_model(tmp_path, precision="int8")
    moving = ParakeetModel(find_model(tmp_path, "cuda"), Placement("cuda", limits=Limits(1)), Machine(runs=0))
    before = moving.files.precision
    moving.transcribe([noise(1)], Stop())
    assert (before, moving.files.precision) == ("fp32", "int8")


def test_a_failure_on_the_cpu_is_an_error_for_the_caller(tmp_path: Path) -> None:
    class Broken(Machine):
        def __call__(self, path: Path, device: Device, limits: Limits) -> OnnxSession:
            return FailingGraph(open_session(path, "cpu", limits), 0)

    model = ParakeetModel(find_model(make_model(tmp_path), "cpu"), Placement(limits=Limits(1)), Broken(0))
    with pytest.raises(EngineUnavailable, match="failed on this audio"):
        model.transcribe([noise(1)], Stop())


def test_a_stop_ends_the_work_inside_onnxruntime(tmp_path: Path) -> None:
    model = ParakeetModel(find_model(make_model(tmp_path), "cpu"), Placement(limits=Limits(1)))
    stop = Stop()
    stop.now()
    with pytest.raises(Exception, match="terminate"):
        model.transcribe([noise(1)], stop)
    assert model.transcribe([noise(1)], Stop())[0].text
