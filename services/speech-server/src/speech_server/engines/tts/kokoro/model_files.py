"""Which files does a Kokoro model have, and are they all there? As it is published, whoever exported it.

onnx/model.onnx | model_fp16.onnx | model_quantized.onnx  the hub: input_ids [1,T], style [1,256], speed [1] -> waveform
kokoro-v1.0.onnx | kokoro-v1.0.fp16.onnx | kokoro-v1.0.int8.onnx      kokoro-onnx: tokens, style, speed -> audio
model.onnx                                                            sherpa-onnx: likewise

Symbols: see `vocabulary`; "$" (0) stands at both ends. Voices: see `styles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.onnx.session import Limits, open_session
from speech_server.engines.tts.kokoro.styles import Styles, read_styles
from speech_server.engines.tts.kokoro.vocabulary import read_vocabulary
from speech_server.errors import EngineUnavailable

MODEL_FILES: Mapping[Precision, str] = {
    "fp32": "onnx/model.onnx",
    "fp16": "onnx/model_fp16.onnx",
    "int8": "onnx/model_quantized.onnx",
}
"""As they lie on the hub."""
RATE_HZ = 24_000
"""The only rate Kokoro makes."""


def patterns(precision: Precision) -> tuple[str, ...]:
    """What is fetched from the hub."""
    return ("config.json", "tokenizer.json", MODEL_FILES[precision], "voices/*.bin")


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    """A folder that was found whole."""

    model: Path
    vocabulary: Mapping[str, int]
    styles: Mapping[str, Styles]
    """By voice name."""


def read_folder(folder: Path, precision: Precision) -> KokoroFiles:
    """What lies in a model's folder. Raises EngineUnavailable with a sentence naming what is wrong."""
    model = _model(folder, precision)
    return KokoroFiles(model, read_vocabulary(folder), read_styles(folder, lambda: _speakers(model)))


def _model(folder: Path, precision: Precision) -> Path:
    """The model file of this precision; one that lies there alone is taken, whatever its precision."""
    named = folder / MODEL_FILES[precision]
    if named.is_file():
        return named
    lying = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    fitting = [path for path in lying if _precision(path) == precision]
    if fitting:
        return fitting[0]
    if len(lying) == 1 and lying[0].parent == folder:
        return lying[0]
    there = ", ".join(str(path.relative_to(folder)) for path in lying) or "no model"
    raise EngineUnavailable(f"{named} is missing ({there} in {folder}); pull it, or set KOKORO_PRECISION.")


def _precision(path: Path) -> Precision | None:
    """What the name says: model_fp16, kokoro-v1.0.int8, kokoro-v1.0; None: quantised otherwise (q4, uint8, q8f16)."""
    name = path.stem.lower().replace("-gpu", "")
    if name.endswith(("fp16", "f16")) and "q" not in name and "int8" not in name:
        return "fp16"
    if name.endswith(("_quantized", ".int8", "_int8", "-int8")):
        return "int8"
    plain = name == "model" or (name.startswith("kokoro") and name.rpartition(".")[2].rpartition("_")[2].isdigit())
    return "fp32" if plain else None


def _speakers(model: Path) -> list[str]:
    """The names of the voices as sherpa-onnx writes them into the model file, in the order of their numbers."""
    told = open_session(model, "cpu", Limits(1), "fetch the model again").get_modelmeta().custom_metadata_map
    pairs = [pair.partition("->") for pair in told.get("id2speaker", "").split(",") if "->" in pair]
    names = told.get("speaker_names", "")
    return [name for _, _, name in sorted(pairs, key=lambda pair: int(pair[0]))] or [
        one for one in names.split(",") if one
    ]
