"""How is Parakeet loaded? On the GPU where one works, else on the CPU, and it says why."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from speech_server.engines.asr.offline.model import Loaded, measure
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.loader import load_on_device, still_on
from speech_server.engines.onnx.model_format import Device, Precision
from speech_server.engines.onnx.providers import ChosenDevice, DeviceSetting, probe
from speech_server.engines.onnx.session import SessionOpener, open_session


def load(
    folder: Callable[[Precision], Path],
    wanted: DeviceSetting,
    placement: Placement,
    open_with: SessionOpener = open_session,
    probe_with: Callable[[DeviceSetting], ChosenDevice] = probe,
) -> Loaded:
    """The model on the device that was found. Blocking. Raises EngineUnavailable.

    `folder`: where the model lies; may fetch it. `placement`: its `device` is overruled by the probe; `decoder_device`
    "cuda" means: beside the encoder.
    """
    (model, rtf), where = load_on_device(
        wanted, probe_with, lambda device: _load_on(device, folder, placement, open_with)
    )
    return Loaded(model, where, rtf)


def _load_on(
    device: Device, folder: Callable[[Precision], Path], placement: Placement, open_with: SessionOpener
) -> tuple[ParakeetModel, float]:
    precision = placement.precision
    # The hub's exports have no fp16; a folder placed by hand may.
    fetched: Precision = precision if precision != "auto" else "fp32" if device == "cuda" else "int8"
    files = find_model(folder(fetched), device, precision)
    beside: Device = device if placement.decoder_device == "cuda" else "cpu"
    model = ParakeetModel(files, replace(placement, device=device, decoder_device=beside), open_with)
    rtf = measure(model)
    still_on(device, model.device)
    return model, rtf
