"""How does a model get here? Fetched at a pinned revision, resumed where it broke off, checked, then kept."""

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

from speech_server.errors import EngineUnavailable
from speech_server.model_store.pinned_model import PinnedModel, check_revision
from speech_server.model_store.progress import shown
from speech_server.model_store.store import FileRecord, faults, folder_of, keep, read_manifest, write_manifest

TRIES = 5
FIRST_WAIT_S = 1.0
"""Before the second try; doubled before each after it."""
SPARE_BYTES = 64 << 20
"""Disk space left over after a pull."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class PullFailed(EngineUnavailable):
    """The model could not be fetched; the sentence says why and what to do instead."""


def pull_files(
    model: PinnedModel,
    wanted: tuple[str, ...],
    is_whole: Callable[[Iterable[str]], bool],
    root: Path,
    endpoint: str | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Path:
    """The model's folder, its files of the patterns `wanted` fetched unless what is kept here `is_whole`. Blocking.

    `endpoint`: another hub than HF_ENDPOINT's or the public one. Raises PullFailed, EngineUnavailable.
    """
    check_revision(model)
    folder = folder_of(root, model)
    # A line for each request of the hub's client helps nobody.
    for name in ("httpx", "httpx2"):
        logging.getLogger(name).setLevel(max(logging.WARNING, _log.getEffectiveLevel()))
    # The hub's client reads the variable once, when it is imported.
    endpoint = endpoint or os.environ.get("HF_ENDPOINT") or None
    have = read_manifest(folder) or {}
    damaged = faults(folder, {name: kept for name, kept in have.items() if matches(name, wanted)})
    if is_whole(have) and not damaged:
        return folder
    try:
        for fault in damaged:
            # The hub's client believes its own notes of what is here.
            (folder / fault.name).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = _again(lambda: _sizes(model, wanted, endpoint), wait)
        _check_room(folder, sizes, have)
        with shown(model.name, folder, sum(sizes.values())):
            _again(lambda: _fetch(model, wanted, folder, endpoint), wait)
        kept = {name: keep(folder / name) for name in sizes}
    except OSError as error:
        raise PullFailed(_why_not(error, model, folder)) from error
    _check_sums(model, folder, kept)
    write_manifest(folder, model, {**have, **kept})
    return folder


def matches(name: str, wanted: Iterable[str]) -> bool:
    """Is the file one of these patterns?"""
    return any(fnmatch(name, pattern) for pattern in wanted)


def _sizes(model: PinnedModel, wanted: tuple[str, ...], endpoint: str | None) -> dict[str, int]:
    from huggingface_hub import HfApi

    info = HfApi(endpoint=endpoint).model_info(model.repo, revision=model.revision, files_metadata=True, timeout=20)
    found = {one.rfilename: one.size or 0 for one in info.siblings or [] if matches(one.rfilename, wanted)}
    if not any(name.endswith(".onnx") for name in found):
        names = ", ".join(sorted(one.rfilename for one in info.siblings or [] if one.rfilename.endswith(".onnx")))
        raise PullFailed(f"{model.repo} has no such model at this revision; it has {names or 'no .onnx file'}.")
    return found


def _fetch(model: PinnedModel, wanted: tuple[str, ...], folder: Path, endpoint: str | None) -> None:
    from huggingface_hub import snapshot_download
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class Hidden(tqdm):  # type: ignore[misc]
        """The client's own bars count files, or nothing at all where there is no terminal."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            named.pop("name", None)
            super().__init__(*arguments, **{**named, "disable": True})

    snapshot_download(
        model.repo,
        revision=model.revision,
        local_dir=folder,
        allow_patterns=list(wanted),
        max_workers=2,
        endpoint=endpoint,
        tqdm_class=Hidden,
    )


def _check_room(folder: Path, sizes: dict[str, int], have: Iterable[str]) -> None:
    needed = sum(size for name, size in sizes.items() if name not in have) + SPARE_BYTES
    partly = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in have)
    free = shutil.disk_usage(folder).free
    if needed - partly > free:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")


def _check_sums(model: PinnedModel, folder: Path, kept: dict[str, FileRecord]) -> None:
    wrong = [name for name, one in kept.items() if model.sums.get(name, one.sha256) != one.sha256]
    for name in wrong:
        (folder / name).unlink(missing_ok=True)
    if wrong:
        raise PullFailed(
            f"{', '.join(wrong)} of {model.repo} did not have the right checksum and was deleted. Pull again; if it "
            "stays so, somebody changes files on the way (a proxy or mirror?)."
        )


def _again(step: Callable[[], T], wait: Callable[[float], None]) -> T:
    """Try a step several times; what no repetition can help is raised at once, as PullFailed."""
    for number in range(TRIES):
        try:
            return step()
        except Exception as error:
            hopeless = _hopeless(error)
            if hopeless is not None:
                raise hopeless from error
            if number == TRIES - 1:
                raise OSError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
            _log.warning("fetching failed and is tried again: %s", error)
            wait(FIRST_WAIT_S * 2**number)
    raise AssertionError("unreachable: the last try raises")


def _hopeless(error: Exception) -> Exception | None:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, PullFailed):
        return error
    if isinstance(error, OfflineModeIsEnabled):
        return OSError("HF_HUB_OFFLINE is set")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
        return error
    status = _status(error) if isinstance(error, HfHubHTTPError) else None
    if status in (401, 403, 404):
        return PullFailed(
            f"The hub refused ({status}): {str(error).splitlines()[0]} Check name, revision and HF_TOKEN."
        )
    return None


def _status(error: Any) -> int | None:
    response = getattr(error, "response", None)
    found = getattr(response, "status_code", None)
    return found if isinstance(found, int) else None


def _why_not(error: OSError, model: PinnedModel, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f"set {model.setting}_CACHE to another disk"
        return f"No room for {model.name} in {folder}: {error.strerror}. Free space, or {where}."
    if error.errno in (errno.EACCES, errno.EROFS):
        return f"{folder} can't be written ({error.strerror}); set {model.setting}_CACHE to a folder that can."
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    return (
        f"{model.name} could not be fetched from {hub} ({error}). What was downloaded is kept, and the next pull "
        "continues there. Without a network: place the files by hand and "
        f"set {model.setting}_MODEL_PATH to their folder."
    )
