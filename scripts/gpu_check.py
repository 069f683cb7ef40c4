"""Does Parakeet work on this GPU, how fast is it, and what happens when the GPU fails? Writes one JSON.

usage: gpu_check.py [--out FILE] [--folder FOLDER] [--minutes 9] [--packages FOLDER] [--trap] [--ways] [--options JSON]
                    [--device cpu] [--small]

Generates models of Parakeet 0.6B's shape in fp32 and fp16, and measures both with the speech server's own engine: clips
of 3 s in batches of 1 to 32, decoder on the CPU and on the GPU, GPU memory, loading; then a failure in the middle of
the work of eight callers, and a memory cap that is too small. `--ways` compares onnxruntime's ways to run convolutions
on batches of changing lengths instead. Needs this checkout, onnxruntime-gpu, onnx, onnx-asr and
numpy, 4 GB of disk, and no network. docs/gpu.md says what the figures mean.
"""

import argparse
import json
import os
import shutil
import site
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "services" / "speech-server" / "src"
PART_LIMIT_S = 150.0
"""Longest time for one part; a part that hangs must not take the others' time."""
_SEARCH, _IN_ROWS, _CHANNELS_LAST = "cudnn_conv_algo_search", "cudnn_conv1d_pad_to_nc1d", "prefer_nhwc"
Options = dict[str, str]
WAYS: tuple[Options, ...] = (
    {_SEARCH: "HEURISTIC"},
    {_SEARCH: "DEFAULT"},
    {_SEARCH: "EXHAUSTIVE"},
    {_SEARCH: "HEURISTIC", _IN_ROWS: "1"},
    {_SEARCH: "HEURISTIC", _CHANNELS_LAST: "1"},
)
"""Options of onnxruntime's CUDA provider that decide how it finds a kernel for a convolution whose input is new."""


@dataclass(frozen=True, slots=True)
class Form:
    """How much is measured."""

    layers: int = 24
    tokens: int = 8192
    clip_s: float = 3.0
    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    runs: int = 40
    """Most runs of each batch; p95 of fewer than 20 is the slowest."""
    seconds: float = 5.0
    """Longest time for the runs of one batch."""
    callers: int = 8
    """Who speak at the same time when the GPU fails."""
    ways: int = len(WAYS)
    """Of WAYS: a CPU knows none of their options."""


SMALL = Form(layers=1, tokens=64, clip_s=1.0, batches=(1, 2), runs=3, seconds=1.0, callers=2, ways=1)


@dataclass
class Report:
    """What is found, written after each part: what was measured stays when the time is over."""

    out: Path
    found: dict[str, Any] = field(default_factory=dict)

    def note(self, name: str, value: Any) -> None:
        """Add one value."""
        self.found[name] = value
        self.out.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")

    def add(self, name: str, value: Any) -> None:
        """Add one to a list."""
        self.note(name, [*self.found.get(name, []), value])


class Parts:
    """Runs one part after another, each in a process of its own: memory is its own, and a crash costs no other."""

    def __init__(self, until: float, environment: dict[str, str]) -> None:
        self._until, self._environment = until, environment

    def run(self, what: str, **asked: Any) -> dict[str, Any]:
        """What the part says; `error` in it: it failed, and why."""
        say(
            " ".join(
                [what, *(str(asked[name]) for name in ("kind", "precision", "decoder", "options") if name in asked)]
            )
        )
        order = json.dumps({"what": what, **asked})
        shown, error = self._call([str(HERE / "gpu_check_part.py"), order])
        # A part says what it has so far line by line: a crash or the end of the time leaves that.
        found: dict[str, Any] = json.loads(next((line for line in reversed(shown) if line.startswith("{")), "{}"))
        return {**found, "error": error} if error else found

    def write_model(self, folder: Path, precision: str, form: Form, *more: str) -> dict[str, Any]:
        """Generate one precision, unless it lies there. `more`: options of the generator."""
        name = "encoder-model.onnx" if precision == "fp32" else f"encoder-model.{precision}.onnx"
        marker, began = folder / f"{precision}-{form.layers}-{form.tokens}.whole", time.monotonic()
        if not marker.exists():
            say(f"generating {precision}")
            sizes = ["--precision", precision, "--layers", str(form.layers), "--tokens", str(form.tokens)]
            _, error = self._call([str(HERE / "full_shape_model.py"), str(folder), *sizes, *more])
            if error:
                return {"precision": precision, "error": error}
            marker.touch()
        size = sum(path.stat().st_size for path in folder.glob(f"{name}*"))
        return {"precision": precision, "encoder_mb": round(size / 1e6), "took_s": round(time.monotonic() - began, 1)}

    def _call(self, command: list[str]) -> tuple[list[str], str]:
        """The lines of its output, and why it did not come to its end."""
        left_s = min(PART_LIMIT_S, self._until - time.monotonic())
        if left_s < 1:
            return [], "left out: the time was over"
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            try:
                done = subprocess.run(
                    [sys.executable, *command], env=self._environment, stdout=out, stderr=errors, timeout=left_s
                )
                error = f"exit status {done.returncode}" if done.returncode else ""
            except subprocess.TimeoutExpired:
                error = f"broken off after {left_s:.0f} s"
            lines = [_whole_lines(file) for file in (out, errors)]
        if error and lines[1]:
            say("\n".join(lines[1][-8:]))
            error += f": {lines[1][-1][:300]}"
        return lines[0], error


def _whole_lines(file: IO[str]) -> list[str]:
    file.seek(0)
    return [line.strip() for line in file if line.endswith("\n") and line.strip()]


def say(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def unpacked(packages: Path, work: Path) -> Path:
    """The folder that holds the packages: that of the wheels in `packages`, unpacked, or `packages` itself.

    A wheel may be cut in pieces (`split -b 60m X.whl X.whl.`): what travels may be limited in size.
    """
    target = work / "packages"
    for first in sorted(packages.glob("*.whl.*a")):
        whole = work / first.name[: first.name.rindex(".")]
        with whole.open("wb") as file:
            for piece in sorted(packages.glob(f"{whole.name}.*")):
                file.write(piece.read_bytes())
    for wheel in [*packages.glob("*.whl"), *work.glob("*.whl")]:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    return target if target.is_dir() else packages


def environment(packages: Path | None) -> dict[str, str]:
    """Where the parts find the engine, carried packages, and the CUDA libraries of any package here."""
    folders = [*([packages] if packages else []), SOURCE]
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    places = [*folders[:1], *map(Path, site.getsitepackages()), *map(Path, filter(None, sys.path))]
    libraries = {str(found): None for place in places for found in sorted(place.glob("nvidia/*/lib"))}
    loaded = os.pathsep.join([*libraries, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    return {**os.environ, "PYTHONPATH": path, "LD_LIBRARY_PATH": loaded}


def check(report: Report, parts: Parts, folder: Path, form: Form, device: str, traps: bool, options: Options) -> None:
    """All parts, what matters most first."""
    same = {"folder": str(folder), "device": device, "options": options, **asdict(form)}
    decoders = ("cpu", "cuda") if device == "cuda" else ("cpu",)
    for precision in ("fp32", "fp16"):
        report.add("models", parts.write_model(folder, precision, form))
        if precision == "fp32":
            report.note("reference", parts.run("reference", **same))
        report.add("speed", parts.run("speed", precision=precision, decoder="cpu", **same))
    report.add("failures", parts.run("failure", kind="planted", precision="fp16", **same))
    if device == "cuda":
        report.add("failures", parts.run("failure", kind="planted", precision="fp32", **same))
        report.add("failures", parts.run("no-memory", precision="fp16", **same))
        if traps:
            report.add("failures", parts.run("failure", kind="trap", precision="fp16", **same))
        # On many cores a small step may be slower on all of them than on a few.
        report.add("speed", parts.run("speed", precision="fp16", decoder="cpu", threads=4, **same))
    for decoder in decoders[1:]:
        for precision in ("fp16", "fp32"):
            report.add("speed", parts.run("speed", precision=precision, decoder=decoder, **same))


def compare_ways(report: Report, parts: Parts, folder: Path, form: Form, device: str) -> None:
    """What batches of changing lengths cost, by how onnxruntime runs convolutions and in which precision."""
    same = {"folder": str(folder), "device": device, **asdict(form)}
    few = folder / "few-convolutions"
    for place, more in ((folder, ()), (few, ("--few-convolutions",))):
        place.mkdir(exist_ok=True)
        for precision in ("fp32", "fp16"):
            report.add("models", parts.write_model(place, precision, form, *more))
            if precision == "fp32":
                parts.run("reference", **{**same, "folder": str(place)})
            for options in WAYS[: form.ways if place == folder else 1]:
                found = parts.run("ways", **{**same, "folder": str(place), "precision": precision, "options": options})
                named = {"precision": precision, "few_convolutions": place == few, "options": options}
                report.add("ways", {**named, **found})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0, everything was measured; 1, something was not, and the JSON says what and why."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gpu-check.json"), help="where the JSON goes")
    parser.add_argument("--folder", type=Path, help="models are kept there and used again; else they are deleted")
    parser.add_argument("--minutes", type=float, default=9.0, help="no part begins or goes on after that")
    parser.add_argument("--packages", type=Path, help="folder of wheels (or their pieces) or packages to use first")
    parser.add_argument("--trap", action="store_true", help="also kill the GPU's context with a kernel that traps")
    parser.add_argument("--ways", action="store_true", help="compare ways to run convolutions, and nothing else")
    parser.add_argument("--options", type=json.loads, default={}, help="more options of onnxruntime's CUDA provider")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: the same without a GPU")
    parser.add_argument("--small", action="store_true", help="a model of one layer and few runs: a test of the check")
    given = parser.parse_args(arguments)
    began, form = time.monotonic(), SMALL if given.small else Form()
    report = Report(given.out)
    with tempfile.TemporaryDirectory() as work:
        folder = given.folder or Path(work) / "model"
        packages = unpacked(given.packages, Path(work)) if given.packages else None
        parts = Parts(began + 60 * given.minutes, environment(packages))
        machine = parts.run("machine", device=given.device)
        report.note("machine", {**machine, "disk_free_gb": round(shutil.disk_usage(work).free / 1e9)})
        if machine.get("device") == given.device:
            folder.mkdir(parents=True, exist_ok=True)
            if given.ways:
                compare_ways(report, parts, folder, form, given.device)
            else:
                check(report, parts, folder, form, given.device, given.trap, given.options)
    report.note("took_s", round(time.monotonic() - began, 1))
    failed = [f"{name}: {one['error']}" for name, one in errors(report.found)]
    if machine.get("device") != given.device:
        failed.append(f"machine: {machine.get('why', machine.get('error'))}")
    say("\n".join([f"{given.out} is written", *failed]))
    return 1 if failed else 0


def errors(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Parts that failed, by name."""
    every = [(name, one) for name, value in found.items() for one in (value if isinstance(value, list) else [value])]
    return [(name, one) for name, one in every if isinstance(one, dict) and "error" in one]


if __name__ == "__main__":
    sys.exit(main())
