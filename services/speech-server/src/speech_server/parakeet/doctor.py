"""What has this machine that the engine needs, and what should be done about the rest?"""

import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnxruntime

from speech_server.inference.files import BEST, Device
from speech_server.inference.providers import CUDA, probe
from speech_server.parakeet.catalogue import look_up
from speech_server.parakeet.choice import root
from speech_server.parakeet.layout import find_model
from speech_server.ports import EngineUnavailable
from speech_server.settings import ParakeetSettings, Settings
from speech_server.weights.store import faults, folder_of, read_manifest

NEEDED_BYTES = {"int8": 1_500_000_000, "fp16": 3_000_000_000, "fp32": 4_500_000_000}
"""Memory that a 0.6B model takes with its work space, by precision."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    mark: Literal["ok", "note", "BAD"]
    what: str
    found: str
    advice: str = ""


def examine(settings: Settings) -> Sequence[Finding]:
    """All findings, for the engine of the settings."""
    chosen = settings.parakeet
    device, findings = _devices(chosen)
    findings += [_memory(device, chosen), *_libraries(), _model(chosen, device), _disk(chosen)]
    if settings.server.speech_asr_engine != "parakeet":
        text = f"SPEECH_ASR_ENGINE is {settings.server.speech_asr_engine}; what follows is needed for parakeet only"
        findings.insert(0, Finding("note", "engine", text))
    return findings


def _devices(chosen: ParakeetSettings) -> tuple[Device, list[Finding]]:
    version = f"onnxruntime {onnxruntime.__version__}, {os.cpu_count()} CPU cores"
    try:
        choice = probe(chosen.parakeet_device)
    except EngineUnavailable as error:
        return "cpu", [Finding("BAD", "device", version, str(error))]
    advice = ""
    if choice.device == "cpu" and CUDA in onnxruntime.get_available_providers():
        advice = "install the CUDA runtime and cuDNN that fit: pip install 'onnxruntime-gpu[cuda,cudnn]'"
    return choice.device, [Finding("ok", "device", f"{choice.device} ({choice.why}); {version}", advice)]


def _memory(device: Device, chosen: ParakeetSettings) -> Finding:
    wish = chosen.parakeet_precision
    precision = wish if wish != "auto" else BEST[device][0]
    free_bytes = _free_memory_bytes()
    if device == "cuda" or free_bytes is None:
        return Finding("ok", "memory", "not looked at")
    found = f"{free_bytes / 1e9:.1f} GB free, {NEEDED_BYTES[precision] / 1e9:.1f} GB needed for {precision}"
    if free_bytes < NEEDED_BYTES[precision]:
        return Finding("BAD", "memory", found, "free memory, or set PARAKEET_PRECISION=int8")
    return Finding("ok", "memory", found)


def _libraries() -> list[Finding]:
    names = {"onnx_asr": "front-end", "huggingface_hub": "fetching models"}
    return [
        Finding("ok", name, f"installed ({use})")
        if importlib.util.find_spec(name) is not None
        else Finding("BAD", name, f"missing ({use})", "install speech-server again: uv sync")
        for name, use in names.items()
    ]


def _model(chosen: ParakeetSettings, device: Device) -> Finding:
    try:
        place = chosen.parakeet_model_path
        if place is None:
            place = folder_of(root(chosen), look_up(chosen.parakeet_model_id, chosen.parakeet_revision))
            expected = read_manifest(place)
            if expected is None:
                mark: Literal["note", "BAD"] = "note" if chosen.parakeet_pull else "BAD"
                return Finding(mark, "model", f"{chosen.parakeet_model_id} is not here", "speech-server models pull")
            wrong = faults(place, expected)
            if wrong:
                said = ", ".join(f"{one.name} {one.what}" for one in wrong)
                return Finding("BAD", "model", said, "speech-server models pull fetches these files again")
        files = find_model(place, device, chosen.parakeet_precision)
    except EngineUnavailable as error:
        return Finding("BAD", "model", chosen.parakeet_model_id, str(error))
    return Finding("ok", "model", f"{files.encoder.name} in {place}, {len(files.vocabulary)} tokens")


def _disk(chosen: ParakeetSettings) -> Finding:
    place = next(path for path in (root(chosen).absolute(), *root(chosen).absolute().parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    found = f"{free_bytes / 1e9:.1f} GB free in {place}"
    if free_bytes < NEEDED_BYTES["int8"]:
        return Finding(
            "note", "disk", found, "an int8 model takes 0.7 GB, fp32 2.6 GB; PARAKEET_CACHE may lie elsewhere"
        )
    return Finding("ok", "disk", found)


def _free_memory_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None
