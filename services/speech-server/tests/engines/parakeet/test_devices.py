"""Where does the model run, and what happens when its GPU fails? With a GPU that is pretended."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from speech_server.core.asr.asr_types import Hypothesis
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.model_format import Device, ModelBroken
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


SHRINK = "memory.enable_memory_arena_shrinkage"


class SmallGraph(FailingGraph):
    """A session on a GPU that has memory for so many frames, and for `more` once what lies unused is given back."""

    def __init__(self, graph: OnnxSession, frames: int, more: int) -> None:
        super().__init__(graph, -1)
        self._frames, self._more = frames, more
        self.ran: list[tuple[int, ...]] = []

    def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        batch, _, frames = feed["audio_signal"].shape
        if batch * frames > self._frames:
            raise RuntimeError(
                "Non-zero status code: Failed to allocate memory for requested buffer of size 1073741824"
            )
        try:
            assert options.get_run_config_entry(SHRINK) == "gpu:0"
        except RuntimeError:
            self.ran.append((batch, frames))
            return self._graph.run(names, feed, options)
        self._frames += self._more
        # There is no GPU's arena here to shrink.
        return self._graph.run(names, feed)


class SmallMachine(Machine):
    """Opens such sessions."""

    def __init__(self, frames: int, more: int = 0) -> None:
        super().__init__(0)
        self._frames, self._more = frames, more
        self.graphs: list[SmallGraph] = []

    def __call__(self, path: Path, device: Device, limits: Limits) -> OnnxSession:
        graph = open_session(path, "cpu", limits)
        if device == "cpu":
            return graph
        self.graphs.append(SmallGraph(graph, self._frames, self._more))
        return self.graphs[-1]


def noise(seconds: float) -> Any:
    return np.random.default_rng(3).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)


def words(said: Sequence[Hypothesis]) -> list[list[tuple[str, float, float]]]:
    """Without confidences: they differ in the last digits when a clip is padded to another length."""
    return [[(word.text, word.start_s, word.end_s) for word in one.words] for one in said]


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
        assert words(moving.transcribe(clips, Stop())) == words(steady.transcribe(clips, Stop()))
    assert moving.device == "cpu"
    assert machine.opened == [
        ("encoder-model.onnx", "cuda"),
        ("decoder_joint-model.onnx", "cpu"),
        ("encoder-model.onnx", "cpu"),
        ("decoder_joint-model.onnx", "cpu"),
    ]


def test_a_batch_that_the_gpu_has_no_memory_for_is_heard_in_halves(tmp_path: Path) -> None:
    make_model(tmp_path, seed=4)
    machine = SmallMachine(frames=250)
    moving = ParakeetModel(find_model(tmp_path, "cuda"), Placement("cuda", limits=Limits(1)), machine)
    steady = ParakeetModel(find_model(tmp_path, "cpu"), Placement(limits=Limits(1)))
    clips = [noise(seconds) for seconds in (1.0, 0.9, 1.0, 0.8, 0.9)]
    assert words(moving.transcribe(clips, Stop())) == words(steady.transcribe(clips, Stop()))
    assert moving.device == "cuda"
    (graph,) = machine.graphs
    assert [batch for batch, _ in graph.ran] == [2, 1, 2]
    # The size is remembered: what is as large is cut before it fails.
    graph.ran.clear()
    assert words(moving.transcribe(clips[:3], Stop())) == words(steady.transcribe(clips[:3], Stop()))
    assert [batch for batch, _ in graph.ran] == [1, 2]


def test_memory_that_lies_in_pieces_is_given_back_before_the_gpu_is_left(tmp_path: Path) -> None:
    make_model(tmp_path, seed=4)
    steady = ParakeetModel(find_model(tmp_path, "cpu"), Placement(limits=Limits(1)))
    for more, device in ((500, "cuda"), (0, "cpu")):
        machine = SmallMachine(frames=120, more=more)
        moving = ParakeetModel(find_model(tmp_path, "cuda"), Placement("cuda", limits=Limits(1)), machine)
        assert words(moving.transcribe([noise(3.0)], Stop())) == words(steady.transcribe([noise(3.0)], Stop()))
        assert moving.device == device


def test_after_the_move_a_batch_is_heard_clip_by_clip_each_within_the_limit(tmp_path: Path) -> None:
    make_model(tmp_path, seed=4)
    batches: list[int] = []

    class Counting(FailingGraph):
        def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
            batches.extend([len(feed["audio_signal"])] if "audio_signal" in feed else [])
            return self._graph.run(names, feed, options)

    def opens(path: Path, device: Device, limits: Limits) -> OnnxSession:
        graph = open_session(path, "cpu", limits)
        return FailingGraph(graph, 0) if device == "cuda" else Counting(graph, -1)

    class Watched(Stop):
        renewed = 0

        def renew(self) -> None:
            super().renew()
            self.renewed += 1

    model, stop = ParakeetModel(find_model(tmp_path, "cuda"), Placement("cuda", limits=Limits(1)), opens), Watched()
    model.transcribe([noise(1.0)] * 3, stop)
    assert batches == [1, 1, 1]
    assert stop.renewed == 4, "once after loading, then for each clip"


def test_a_session_of_the_gpu_never_goes_on_with_the_cpu_by_itself(tmp_path: Path) -> None:
    fail: Any = onnxruntime.capi.onnxruntime_pybind11_state.EPFail

    class Failing:
        def __init__(self, real: Any) -> None:
            self._real = real

        def run(self, *given: Any) -> None:
            raise fail("CUDA failure 700: an illegal memory access was encountered")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    session: Any = open_session(make_model(tmp_path) / "encoder-model.onnx", "cpu", Limits(1))
    session._sess = Failing(session._sess)
    with pytest.raises(fail, match="failure 700"):
        session.run(["outputs"], {"audio_signal": np.zeros((1, 80, 16), np.float32), "length": np.array([16])})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "CUDA failure 2: out of memory ; GPU=0 ; hostname=node ; expr=cudaMalloc(&p, size);",
            "CUDA does not take enc",
        ),
        ("Available memory of 1048576 is smaller than requested bytes of 16777216", "CUDA does not take enc"),
        ("Load model from CUDA/encoder-model.onnx failed:Protobuf parsing failed.", "It may be cut off"),
    ],
)
def test_a_gpu_that_does_not_take_a_model_is_no_broken_model(
    said: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*given: Any, **named: Any) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuses)
    with pytest.raises(EngineUnavailable, match=expected) as raised:
        open_session(Path("CUDA/encoder-model.onnx"), "cuda", Limits())
    assert isinstance(raised.value, ModelBroken) is ("cut off" in expected)


LONG = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 "
    "std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const "
    "char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = "
    "cudaError; std::conditional_t<THRW, void, common::Status> = void] {} ; GPU=-1 ; hostname=node ; "
    "file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=355 ; "
    "expr=cudaSetDevice(info_.device_id); "
)
"""As onnxruntime-gpu 1.31.1 says it; what CUDA said stands behind 400 letters."""


def test_the_log_says_what_cuda_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Long(FailingGraph):
        def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
            raise RuntimeError(LONG.format("CUDA failure 719: unspecified launch failure"))

    def opens(path: Path, device: Device, limits: Limits) -> OnnxSession:
        graph = open_session(path, "cpu", limits)
        return Long(graph, 0) if device == "cuda" else graph

    ParakeetModel(find_model(make_model(tmp_path), "cuda"), Placement("cuda"), opens).transcribe([noise(1)], Stop())
    assert caplog.messages[0].endswith("RuntimeError: CUDA failure 719: unspecified launch failure")


def test_why_there_is_no_gpu_is_said_in_a_line() -> None:
    def refuses() -> Sequence[str]:
        raise RuntimeError(LONG.format("CUDA failure 100: no CUDA-capable device is detected"))

    why = choose("auto", [CUDA, CPU], refuses).why
    assert why == "CUDA can't be loaded: CUDA failure 100: no CUDA-capable device is detected"


def test_a_gpu_that_takes_a_session_but_runs_nothing_means_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def __init__(self, *given: Any, **named: Any) -> None:
            """As for a card that this onnxruntime has no kernels for."""

        def run(self, *given: Any) -> None:
            raise RuntimeError("CUDA error 209: no kernel image is available for execution on the device")

        def get_providers(self) -> list[str]:
            return [CUDA, CPU]

    monkeypatch.setattr("speech_server.engines.onnx.providers.DRIVER", None)  # the process itself
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    choice = choose("auto", [CUDA, CPU], cuda_session)
    assert choice.device == "cpu"
    assert "no kernel image" in choice.why


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
