"""Which files make a model? A folder in onnx-asr's layout, looked at before anything of it is loaded."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from speech_server.engines.onnx.model_format import (
    BEST,
    BLANK,
    Device,
    ModelBroken,
    Precision,
    PrecisionSetting,
    read_vocabulary,
)
from speech_server.engines.onnx.transducer import FRAME_S


@dataclass(frozen=True, slots=True)
class ParakeetFiles:
    """A model that is whole as far as names and sizes tell."""

    folder: Path
    precision: Precision
    encoder: Path
    """Of a CTC model: the whole model."""
    decoder: Path | None
    """Decoder and joint network of a transducer (TDT or RNN-T); None: a CTC model."""
    vocabulary: tuple[str, ...]
    mel_bands: int | None
    """None: as wide as the encoder's input."""
    subsampling: int
    """Frames of the front-end that make one of the encoder."""
    most_tokens: int
    """Tokens that one encoder frame can hold (RNN-T, and TDT of duration 0)."""

    @property
    def blank(self) -> int:
        """Number of the token that says nothing."""
        return self.vocabulary.index(BLANK)

    @property
    def frame_s(self) -> float:
        """Length of one encoder frame."""
        return FRAME_S * self.subsampling


def find_model(folder: Path, device: Device, setting: PrecisionSetting = "auto") -> ParakeetFiles:
    """The model in this folder, in the wished precision or the best one there is. Raises ModelBroken."""
    if not folder.is_dir():
        raise ModelBroken(f"There is no model folder {folder}; run `speech-server models pull`, or name another.")
    precisions = (setting,) if setting != "auto" else BEST[device]
    for precision in precisions:
        encoder = _one(folder, "encoder-model", precision) or _one(folder, "model", precision)
        if encoder is None:
            continue
        decoder = None
        if encoder.name.startswith("encoder"):
            decoder = _one(folder, "decoder_joint-model", precision)
            if decoder is None:
                raise ModelBroken(f"{folder} has {encoder.name} but no decoder_joint-model beside it; pull it again.")
        return _whole(folder, precision, encoder, decoder)
    names = ", ".join(sorted(path.name for path in folder.glob("*.onnx"))) or "no .onnx file"
    raise ModelBroken(
        f"{folder} has no {' or '.join(precisions)} model for the {device.upper()}: it has {names}. "
        "Pull that precision (`speech-server models pull --precision`), or set PARAKEET_PRECISION."
    )


def _one(folder: Path, stem: str, precision: Precision) -> Path | None:
    if precision == "fp32":
        found: Iterable[Path] = [folder / f"{stem}.onnx"]
    else:
        found = sorted(folder.glob(f"{stem}?{precision}.onnx"))
    return next((path for path in found if path.is_file()), None)


def _whole(folder: Path, precision: Precision, encoder: Path, decoder: Path | None) -> ParakeetFiles:
    for path in (encoder, decoder):
        if path is not None and path.stat().st_size == 0:
            raise ModelBroken(f"{path} is empty; run `speech-server models verify`, then pull it again.")
    config = _config(folder / "config.json")
    return ParakeetFiles(
        folder=folder,
        precision=precision,
        encoder=encoder,
        decoder=decoder,
        vocabulary=read_vocabulary(folder / "vocab.txt", "pull the model again"),
        mel_bands=config.get("features_size"),
        subsampling=config.get("subsampling_factor", 8),
        most_tokens=config.get("max_tokens_per_step", 10),
    )


def _config(path: Path) -> dict[str, int]:
    """Its whole numbers. The file may be missing: the numbers have defaults."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelBroken(f"{path} can't be read as JSON: {error}; pull the model again.") from error
    if not isinstance(config, dict):
        raise ModelBroken(f"{path} is not a JSON object; pull the model again.")
    numbers = {name: value for name, value in config.items() if isinstance(value, int) and value > 0}
    if numbers.get("features_size", 80) not in (80, 128):
        raise ModelBroken(f"{path} says features_size {config['features_size']}; only 80 and 128 have a front-end.")
    return numbers
