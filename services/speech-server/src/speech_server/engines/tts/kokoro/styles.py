"""How does each voice of Kokoro's sound? Styles, one for every length of a text, in each form they are published in.

voices/NAME.bin     float32 [lengths, 1, 256], bare; the hub's ONNX export
voices/NAME.pt      a tensor as torch saves it; the original model. Its numbers are read, nothing in it is run
voices-v1.0.bin     numpy's archive of all voices by name (also .npz); kokoro-onnx
voices.json         lists of numbers by name; kokoro-onnx, v0.19
voices.bin          float32 of all voices, bare; their names are in the model file; sherpa-onnx
"""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from speech_server.errors import EngineUnavailable

STYLE_SIZE = 256
_ROW_BYTES = 4 * STYLE_SIZE
Styles = npt.NDArray[np.float32]
"""[lengths, 1, 256]"""


def read_styles(folder: Path, names_in_model: Callable[[], list[str]]) -> Mapping[str, Styles]:
    """The styles by voice name. Raises EngineUnavailable with a sentence naming what is wrong."""
    single = sorted([*folder.glob("voices/*.bin"), *folder.glob("voices/*.pt")])
    if single:
        return {path.stem: _single(path) for path in single}
    for path in sorted([*folder.glob("voices*.bin"), *folder.glob("voices*.npz"), *folder.glob("voices*.json")]):
        try:
            if path.suffix == ".json":
                named = json.loads(path.read_text(encoding="utf-8"))
                return {name: _shaped(np.array(values, np.float32)) for name, values in named.items()}
            if zipfile.is_zipfile(path):
                with np.load(path, allow_pickle=False) as archive:
                    return {name: _shaped(archive[name]) for name in archive.files}
            names = names_in_model()
            return dict(zip(names, _equal_parts(np.fromfile(path, "<f4"), len(names)), strict=True))
        except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise EngineUnavailable(f"{path} holds no voices of Kokoro's ({error}); fetch it again.") from error
    raise EngineUnavailable(
        f"{folder} holds no voice (voices/*.bin, voices/*.pt, voices-v1.0.bin or voices.json); pull the model again."
    )


def _single(path: Path) -> Styles:
    data = path.read_bytes()
    try:
        if path.suffix == ".pt":
            with zipfile.ZipFile(path) as saved:
                place = next(name for name in saved.namelist() if name.endswith("/data/0"))
                data = saved.read(place)
        if not data or len(data) % _ROW_BYTES:
            raise ValueError(f"{len(data)} bytes")
        return _shaped(np.frombuffer(data, "<f4"))
    except (OSError, ValueError, StopIteration, zipfile.BadZipFile) as error:
        raise EngineUnavailable(f"{path} is no voice of Kokoro's: {error}; pull the model again.") from error


def _shaped(values: npt.NDArray[np.generic]) -> Styles:
    if not values.size or values.size % STYLE_SIZE:
        raise ValueError(f"it has {values.size} numbers; whole styles of {STYLE_SIZE} are needed")
    return values.astype(np.float32).reshape(-1, 1, STYLE_SIZE)


def _equal_parts(values: npt.NDArray[np.float32], count: int) -> list[Styles]:
    if not count or not values.size or values.size % (count * STYLE_SIZE):
        raise ValueError(f"it has {values.size} numbers for {count} voices; whole styles of {STYLE_SIZE} are needed")
    return [_shaped(part) for part in np.split(values, count)]
