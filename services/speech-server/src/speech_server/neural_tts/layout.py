"""Which files does a Kokoro model have, and are they all there?

onnx/model.onnx | model_fp16.onnx | model_quantized.onnx     input_ids [1,T], style [1,256], speed [1] -> waveform
tokenizer.json     model.vocab: symbol -> number; "$" (0) stands at both ends
voices/NAME.bin    float32 [lengths, 1, 256]: the style of a text of so many tokens
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from speech_server.inference.files import Precision
from speech_server.ports import EngineUnavailable

MODEL_FILES: Mapping[Precision, str] = {
    "fp32": "onnx/model.onnx",
    "fp16": "onnx/model_fp16.onnx",
    "int8": "onnx/model_quantized.onnx",
}
STYLE_SIZE = 256
RATE_HZ = 24_000
"""The only rate Kokoro makes."""

Styles = npt.NDArray[np.float32]
"""[lengths, 1, 256]"""


def patterns(precision: Precision) -> tuple[str, ...]:
    """What is fetched from the hub."""
    return ("config.json", "tokenizer.json", MODEL_FILES[precision], "voices/*.bin")


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    """A folder that was found whole."""

    model: Path
    vocabulary: Mapping[str, int]
    styles: Mapping[str, Styles]
    """By voice file name."""


def read_folder(folder: Path, precision: Precision) -> KokoroFiles:
    """What lies in a model's folder. Raises EngineUnavailable with a sentence naming what is wrong."""
    model = folder / MODEL_FILES[precision]
    if not model.is_file():
        there = ", ".join(name for name in MODEL_FILES.values() if (folder / name).is_file()) or "no model"
        raise EngineUnavailable(f"{model} is missing ({there} in {folder}); pull it, or set KOKORO_PRECISION.")
    styles = {path.stem: _styles(path) for path in sorted(folder.glob("voices/*.bin"))}
    if not styles:
        raise EngineUnavailable(f"{folder / 'voices'} holds no voice (.bin); pull the model again.")
    return KokoroFiles(model, _vocabulary(folder / "tokenizer.json"), styles)


def _vocabulary(path: Path) -> dict[str, int]:
    try:
        vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
        return {str(symbol): int(number) for symbol, number in vocabulary.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineUnavailable(f"{path} is no tokenizer of Kokoro's ({error}); pull the model again.") from error


def _styles(path: Path) -> Styles:
    values = np.fromfile(path, dtype="<f4")
    if not values.size or values.size % STYLE_SIZE:
        raise EngineUnavailable(f"{path} is no voice of Kokoro's: {4 * values.size} bytes; pull the model again.")
    return values.reshape(-1, 1, STYLE_SIZE)
