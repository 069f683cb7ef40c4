"""Is there a GPU, and does it work for the engines that may use one?"""

import os
from collections.abc import Iterator
from pathlib import Path

import onnxruntime

from speech_server.cli.doctor.findings import Finding, bad, note, ok
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.onnx.providers import CUDA, DeviceSetting, probe
from speech_server.engines.registry import chosen_asr
from speech_server.errors import EngineUnavailable
from speech_server.settings import Settings

DRIVER = Path("/proc/driver/nvidia/version")
"""Where NVIDIA's kernel driver tells its version."""


def wanted_devices(settings: Settings) -> dict[str, DeviceSetting]:
    """Where the chosen engines that can use a GPU shall run, by the setting's name."""
    device = chosen_asr(settings).device
    return dict([device(settings)]) if device is not None else {}


def device_of(settings: Settings) -> Device:
    """Where the recogniser would run; the CPU when what it wishes isn't there."""
    for setting, wanted in wanted_devices(settings).items():
        try:
            return probe(wanted, setting).device
        except EngineUnavailable:
            return "cpu"
    return "cpu"


def look_at_devices(settings: Settings, driver: Path = DRIVER) -> Iterator[Finding]:
    """The processor, the driver, and where the recogniser would run."""
    yield ok("processor", f"{os.cpu_count()} cores; onnxruntime {onnxruntime.__version__}")
    for setting, wanted in wanted_devices(settings).items():
        has_driver = driver.exists()
        yield ok("driver", _version(driver)) if has_driver else note("driver", "no NVIDIA driver is loaded")
        try:
            choice = probe(wanted, setting)
        except EngineUnavailable as error:
            yield bad("device", f"{setting}={wanted}", str(error))
            continue
        yield ok("device", f"{choice.device} ({choice.why})", _advice(choice.device, wanted, has_driver))


def _advice(device: Device, wanted: DeviceSetting, has_driver: bool) -> str:
    if device == "cuda" or wanted == "cpu":
        return ""
    if CUDA in onnxruntime.get_available_providers():
        return "it takes NVIDIA's driver 580 or newer, and the CUDA libraries that `make gpu` and the -gpu image have"
    return "to use the GPU: `make gpu` installs onnxruntime-gpu, and the -gpu image has it" if has_driver else ""


def _version(driver: Path) -> str:
    try:
        return driver.read_text(encoding="utf-8", errors="replace").splitlines()[0].removeprefix("NVRM version: ")
    except (OSError, IndexError):
        return "loaded, version unknown"
