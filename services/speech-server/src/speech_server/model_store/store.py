"""Where do models lie on this machine, and are they whole? A folder each, with the sums of its files beside them."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from speech_server.model_store.pinned_model import PinnedModel

MANIFEST = "manifest.json"
"""Written last: a folder with it was whole once."""
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file as it was when it was fetched."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that isn't what it was, and how."""

    name: str
    what: str


def default_root() -> Path:
    """The cache folder of the XDG rules."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path is to be ignored, say the rules.
    base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "voice-workflow" / "models"


def folder_of(root: Path, model: PinnedModel) -> Path:
    """Where this revision of a model lies, or would."""
    return root / model.repo.replace("/", "--") / model.revision


def stored(root: Path) -> Iterator[Path]:
    """Folders of all models that were fetched whole, in order."""
    yield from sorted(path.parent for path in root.glob(f"*/*/{MANIFEST}"))


def read_manifest(folder: Path) -> Mapping[str, FileRecord] | None:
    """What was fetched; None when nothing was, or the list can't be read."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {str(name): FileRecord(int(kept["size_bytes"]), str(kept["sha256"])) for name, kept in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_manifest(folder: Path, model: PinnedModel, files: Mapping[str, FileRecord]) -> None:
    """Whole or not at all."""
    content = {
        "repo": model.repo,
        "revision": model.revision,
        "files": {name: asdict(kept) for name, kept in sorted(files.items())},
    }
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(folder / MANIFEST)


def keep(path: Path) -> FileRecord:
    """Size and sum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return FileRecord(path.stat().st_size, digest.hexdigest())


def faults(folder: Path, expected: Mapping[str, FileRecord]) -> list[Fault]:
    """Files that are missing, cut off or changed."""
    found = []
    for name, kept in sorted(expected.items()):
        path = folder / name
        if not path.is_file():
            found.append(Fault(name, "missing"))
        elif path.stat().st_size != kept.size_bytes:
            found.append(Fault(name, f"{path.stat().st_size} bytes, should be {kept.size_bytes}"))
        elif keep(path).sha256 != kept.sha256:
            found.append(Fault(name, "changed: its SHA-256 is another"))
    return found


def unpinned_files(folder: Path, model: PinnedModel) -> list[Fault]:
    """Files placed by hand that are not those of the pinned revision, as far as sums are known."""
    present = [(name, right) for name, right in model.sums.items() if (folder / name).is_file()]
    return [
        Fault(name, "not the file of this revision") for name, right in present if keep(folder / name).sha256 != right
    ]


def remove(root: Path, model: PinnedModel) -> int:
    """Delete all revisions of a model, also half-fetched ones; gives the bytes freed."""
    folder = root / model.repo.replace("/", "--")
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return size_bytes
