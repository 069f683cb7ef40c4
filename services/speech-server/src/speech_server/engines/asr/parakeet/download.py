"""Which files of a Parakeet model are fetched from the hub?"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from speech_server.engines.onnx.model_format import Precision
from speech_server.model_store.download import matches, pull_files
from speech_server.model_store.pinned_model import PinnedModel


def pull(
    model: PinnedModel,
    precision: Precision,
    root: Path,
    endpoint: str | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Path:
    """The model's folder, fetched unless it is here and whole. Blocking. Raises PullFailed, EngineUnavailable.

    `endpoint`: another hub than HF_ENDPOINT's or the public one.
    """
    return pull_files(model, patterns(precision), lambda have: _has_encoder(have, precision), root, endpoint, wait)


def patterns(precision: Precision) -> tuple[str, ...]:
    """Names of the files to fetch for one precision."""
    mark = "" if precision == "fp32" else f"?{precision}"
    stems = ("encoder-model", "decoder_joint-model", "model")
    return ("config.json", "vocab.txt", *(f"{stem}{mark}.onnx{data}" for stem in stems for data in ("", ".data")))


def _has_encoder(names: Iterable[str], precision: Precision) -> bool:
    models = [pattern for pattern in patterns(precision) if pattern.endswith(".onnx") and "decoder" not in pattern]
    return any(matches(name, models) for name in names)
