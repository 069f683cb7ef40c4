"""Does the check of a GPU measure, say what it could not, and run with little? In its small form, without a GPU."""

import ctypes
import json
import os
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _scripts_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def run(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Exit status and progress of the check."""
    command = [sys.executable, str(SCRIPTS / "gpu_check.py"), *map(str, arguments)]
    shown = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    return shown.returncode, shown.stderr


def test_the_small_form_measures_everything_that_a_cpu_can(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    assert run("--small", "--device", "cpu", "--out", out)[0] == 0
    found = json.loads(out.read_text())
    assert [(one["precision"], one["encoder"], one["decoder"]) for one in found["speed"]] == [
        ("fp32", "cpu", "cpu"),
        ("fp16", "cpu", "cpu"),
    ]
    for one in found["speed"]:
        assert [batch["clips"] for batch in one["batches"]] == [1, 2]
        assert all(0 < batch["encoder_p50_ms"] < batch["p50_ms"] <= batch["p95_ms"] for batch in one["batches"])
    whole, half = found["speed"]
    assert whole["difference"] < 1e-6
    assert 1e-6 < half["difference"] < 0.01, "the same weights, rounded"
    (failure,) = found["failures"]
    for when in ("before", "at_failure", "after"):
        assert (failure[when]["answered"], failure[when]["errors"]) == (2, [])
    assert failure["state"].endswith("on cpu (moved from cuda, which failed)")
    assert any("leaves the GPU" in line and "planted" in line for line in failure["log"])


def test_ways_to_run_convolutions_are_compared_for_every_kind_of_model(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    assert run("--small", "--device", "cpu", "--ways", "--out", out)[0] == 0
    found = json.loads(out.read_text())
    models = [(one["precision"], one["few_convolutions"]) for one in found["ways"]]
    assert models == [("fp32", False), ("fp16", False), ("fp32", True), ("fp16", True)]
    for one in found["ways"]:
        assert one["difference"] < (1e-6 if one["precision"] == "fp32" else 0.01)
        assert all(0 < one[name]["p50_ms"] <= one[name]["p95_ms"] for name in ("same", "changing", "half_seconds"))


def test_options_for_the_gpu_reach_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpu_check_part
    from speech_server.engines.onnx.session import CUDA_OPTIONS, Limits

    monkeypatch.setattr(gpu_check_part, "open_session", lambda *given, **named: named["cuda_options"])
    opened: Any = gpu_check_part.opener({"options": {"prefer_nhwc": "1"}})(tmp_path, "cuda", Limits())
    assert opened == {**CUDA_OPTIONS, "prefer_nhwc": "1"}


def test_without_a_gpu_it_says_why_and_measures_nothing(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    status, shown = run("--small", "--out", out, CUDA_VISIBLE_DEVICES="")
    found = json.loads(out.read_text())
    assert (status, found["machine"]["device"], "speed" in found) == (1, "cpu", False)
    assert found["machine"]["why"] in shown


def test_what_the_time_did_not_suffice_for_is_named(tmp_path: Path) -> None:
    from gpu_check import Form, Parts, Report, check, errors

    report = Report(tmp_path / "found.json")
    check(report, Parts(time.monotonic(), {}), tmp_path, Form(), "cuda", True, {})
    found = json.loads(report.out.read_text())
    assert (len(found["speed"]), len(found["failures"])) == (5, 4)
    assert {one["error"] for _, one in errors(found)} == {"left out: the time was over"}


def test_a_part_that_fails_costs_no_other_part(tmp_path: Path) -> None:
    from gpu_check import Parts, environment

    parts = Parts(time.monotonic() + 60, environment(None))
    found = parts.run("reference", folder=str(tmp_path / "nowhere"), clip_s=1.0)
    assert found["error"].startswith("exit status 1: ")
    assert "There is no model folder" in found["error"]


def test_what_was_measured_before_a_crash_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gpu_check

    part = tmp_path / "gpu_check_part.py"
    part.write_text("import os\nprint('{\"batches\": [1]}\\n{\"batch', end='', flush=True)\nos.abort()\n")
    monkeypatch.setattr(gpu_check, "HERE", tmp_path)
    found = gpu_check.Parts(time.monotonic() + 60, {}).run("speed")
    assert found == {"batches": [1], "error": "exit status -6"}


def test_carried_wheels_are_unpacked_from_their_pieces(tmp_path: Path) -> None:
    from gpu_check import environment, unpacked

    carried, work, wheel = tmp_path / "carried", tmp_path / "work", tmp_path / "one-1-py3-none-any.whl"
    for folder in (carried, work):
        folder.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one/__init__.py", "NUMBER = 1\n")
        archive.writestr("nvidia/cu13/lib/libone.so.13", "")
    whole = wheel.read_bytes()
    for name, piece in (("aa", whole[:100]), ("ab", whole[100:200]), ("ac", whole[200:])):
        (carried / f"{wheel.name}.{name}").write_bytes(piece)
    packages = unpacked(carried, work)
    assert (packages / "one" / "__init__.py").read_text() == "NUMBER = 1\n"
    found = environment(packages)
    assert found["PYTHONPATH"].startswith(str(packages))
    assert str(packages / "nvidia" / "cu13" / "lib") in found["LD_LIBRARY_PATH"]
    assert unpacked(packages, carried) == packages


def test_the_peak_of_gpu_memory_is_the_highest_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_check_part import GpuMemory

    told = tmp_path / "nvidia-smi"
    told.write_text("#!/bin/sh\nfor mb in 600 4100 [N/A] 2100; do echo $mb; done\nexec sleep 60\n")
    told.chmod(told.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    memory = GpuMemory()
    while memory.now != 2100:
        memory.settle()
    memory.close()
    assert memory.peak == 4100


def test_the_percentiles_are_those_of_the_nearest_rank() -> None:
    from gpu_check_part import milliseconds

    assert milliseconds([number / 1000 for number in range(100, 0, -1)]) == {"p50_ms": 50, "p95_ms": 95, "runs": 100}
    assert milliseconds([0.003]) == {"p50_ms": 3, "p95_ms": 3, "runs": 1}


class Driver:
    """CUDA's driver, pretended: notes its calls, and `fails` names the one that gives an error."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[str] = []
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any) -> int:
            self.calls.append(name)
            if name == "cuModuleLoadData":
                assert given[1].endswith(b"\0"), "PTX is a string that ends"
            return 719 if name == self._fails else 0

        return call


def test_the_trap_runs_a_kernel_in_the_context_that_onnxruntime_uses() -> None:
    from gpu_trap import TrapFailed, trap

    driver = Driver("cuCtxSynchronize")
    assert trap(driver) == 719
    assert driver.calls.index("cuDevicePrimaryCtxRetain") < driver.calls.index("cuLaunchKernel")
    with pytest.raises(TrapFailed, match="cuModuleLoadData gave CUDA error 719"):
        trap(Driver("cuModuleLoadData"))
    with pytest.raises(OSError, match="libcuda"):
        trap(ctypes.CDLL("libcuda-of-nowhere.so.1"))


def test_it_needs_no_package_but_those_it_names() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys, gpu_check_part; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    tops = {name.split(".")[0] for name in shown.stdout.split()} - set(sys.stdlib_module_names)
    own = {"gpu_check_part", "gpu_trap", "speech_server"}
    assert {one for one in tops - own if not one.startswith("_")} == {"numpy", "onnxruntime", "onnx_asr"}
