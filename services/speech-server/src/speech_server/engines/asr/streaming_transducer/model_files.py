"""Which files make a streaming model? A folder as sherpa-onnx's exports lie, looked at before anything is loaded.

    encoder(.int8).onnx  decoder(.int8).onnx  joiner(.int8).onnx  tokens.txt

What the encoder needs in a call stands in its metadata, which `read_shape` checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from speech_server.engines.onnx.model_format import (
    BEST,
    Device,
    ModelBroken,
    Precision,
    PrecisionSetting,
    read_vocabulary,
)

ADVICE = "place the files in STREAMING_MODEL_PATH again"
PARTS = ("encoder", "decoder", "joiner")
UNNORMALISED = ("", "NA", "None")
"""Names that exports give to features that are taken as they are."""


@dataclass(frozen=True, slots=True)
class StreamingFiles:
    """A model that is whole as far as names and sizes tell."""

    folder: Path
    precision: Precision
    """The encoder's."""
    encoder: Path
    decoder: Path
    joiner: Path
    vocabulary: tuple[str, ...]
    """The last is the token that says nothing."""

    @property
    def blank(self) -> int:
        """Number of the token that says nothing."""
        return len(self.vocabulary) - 1


@dataclass(frozen=True, slots=True)
class Shape:
    """What the encoder's metadata says of one call; frames of 10 ms unless said otherwise."""

    window: int
    """Frames of a call: some heard before, then `shift` new ones."""
    shift: int
    subsampling: int
    """Frames that make one of the encoder's."""
    channel_cache: tuple[int, int, int]
    """Layers, encoder frames looked back on, width."""
    time_cache: tuple[int, int, int]
    """Layers, width, encoder frames of the convolutions."""
    rnn_layers: int
    rnn_width: int

    @property
    def overlap(self) -> int:
        """Frames of a call that were in the last one, too."""
        return self.window - self.shift

    @property
    def stream_bytes(self) -> int:
        """Memory of one open utterance's caches."""
        sizes = (a * b * c for a, b, c in (self.channel_cache, self.time_cache))
        return 4 * sum(sizes)


def find_model(folder: Path, device: Device, setting: PrecisionSetting = "auto") -> StreamingFiles:
    """The model in this folder, in the wished precision or the best one there is. Raises ModelBroken."""
    if not folder.is_dir():
        raise ModelBroken(f"There is no model folder {folder}; STREAMING_MODEL_PATH names one placed by hand.")
    precisions = (setting,) if setting != "auto" else BEST[device]
    precision = next((one for one in precisions if _named(folder, "encoder", one).is_file()), None)
    if precision is None:
        names = ", ".join(sorted(path.name for path in folder.glob("*.onnx"))) or "no .onnx file"
        raise ModelBroken(
            f"{folder} has no {' or '.join(precisions)} encoder for the {device.upper()}: it has {names}. "
            "Place encoder.onnx or encoder.int8.onnx there, or set STREAMING_PRECISION."
        )
    encoder, decoder, joiner = (_part(folder, part, precision) for part in PARTS)
    vocabulary = read_vocabulary(folder / "tokens.txt", ADVICE)
    if vocabulary[-1] != "<blk>":
        raise ModelBroken(f"{folder / 'tokens.txt'} does not end with <blk>: is it another model's? {ADVICE}.")
    return StreamingFiles(folder, precision, encoder, decoder, joiner, vocabulary)


def read_shape(metadata: Mapping[str, str], files: StreamingFiles) -> Shape:
    """What the encoder's metadata says. Raises ModelBroken for what is missing or makes no sense."""
    normalised = metadata.get("normalize_type", "")
    if normalised not in UNNORMALISED:
        raise ModelBroken(
            f"{files.encoder.name} wants features normalised {normalised}, which needs the whole utterance; "
            "only streaming exports (normalize_type NA) are served."
        )
    number = _numbers(metadata, files)
    shape = Shape(
        window=number["window_size"],
        shift=number["chunk_shift"],
        subsampling=number["subsampling_factor"],
        channel_cache=_three(number, "cache_last_channel"),
        time_cache=_three(number, "cache_last_time"),
        rnn_layers=number["pred_rnn_layers"],
        rnn_width=number["pred_hidden"],
    )
    if shape.overlap < 0 or shape.shift % shape.subsampling:
        raise ModelBroken(
            f"{files.encoder.name} says window_size {shape.window}, chunk_shift {shape.shift} and subsampling_factor "
            f"{shape.subsampling}: the window holds the shift, and the shift whole encoder frames. Export it again."
        )
    if number["vocab_size"] != files.blank:
        raise ModelBroken(
            f"tokens.txt has {files.blank} tokens and <blk>, {files.encoder.name} says vocab_size "
            f"{number['vocab_size']}; {ADVICE}, both of one model."
        )
    return shape


def _named(folder: Path, part: str, precision: Precision) -> Path:
    return folder / (f"{part}.onnx" if precision == "fp32" else f"{part}.{precision}.onnx")


def _part(folder: Path, part: str, precision: Precision) -> Path:
    # Exports often leave the small networks as they are.
    found = next((path for one in (precision, *BEST["cpu"]) if (path := _named(folder, part, one)).is_file()), None)
    if found is None:
        raise ModelBroken(f"{folder} has an encoder but no {part}.onnx or {part}.{precision}.onnx; {ADVICE}.")
    if found.stat().st_size == 0:
        raise ModelBroken(f"{found} is empty; {ADVICE}.")
    return found


def _numbers(metadata: Mapping[str, str], files: StreamingFiles) -> dict[str, int]:
    caches = [f"cache_last_{kind}_dim{axis}" for kind in ("channel", "time") for axis in (1, 2, 3)]
    names = ["vocab_size", "window_size", "chunk_shift", "pred_rnn_layers", "pred_hidden", *caches]
    missing = [name for name in names if name not in metadata]
    if missing:
        raise ModelBroken(
            f"{files.encoder.name} has no metadata {', '.join(missing)}: is it a streaming model in sherpa's layout? "
            "Offline models are served by SPEECH_ASR_ENGINE=parakeet."
        )
    wrong = [name for name in (*names, "subsampling_factor") if not _is_count(metadata.get(name, "8"))]
    if wrong:
        said = ", ".join(f"{name}={metadata[name]!r}" for name in wrong)
        raise ModelBroken(
            f"{files.encoder.name} has metadata {said}; whole numbers above 0 are needed. Export it again."
        )
    return {name: int(metadata.get(name, "8")) for name in (*names, "subsampling_factor")}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def _three(number: Mapping[str, int], name: str) -> tuple[int, int, int]:
    return number[f"{name}_dim1"], number[f"{name}_dim2"], number[f"{name}_dim3"]
