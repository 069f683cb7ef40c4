#!/usr/bin/env python3
"""Where are recordings of human speech with their transcripts? Prints the folder of NAME.wav + NAME.txt files.

They come from the test data of the PocketSphinx source distribution, which is taken from the package index that pip
is configured for and checked against the hash below; nothing of it is built or run. Where VOICE_AUDIO is set that
folder is printed and nothing is fetched. Run it with any Python from 3.11 that has pip.
"""

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import wave
from pathlib import Path

NAME, VERSION = "pocketsphinx", "5.1.1"
SHA256 = "675778b309a22dfc9b7d37f7621976bba491d2a5f8c59696bd77fd6d07271355"
ROOT = f"{NAME}-{VERSION}"
DATA = f"{ROOT}/test/data"
GO_FORWARD_HZ = 16000
COMPLETE = ".complete-1"
"""Written last. Raise the number when what is extracted changes."""

SOURCE = f"""From the test data of the {NAME} {VERSION} source distribution; see LICENSE beside this file
(BSD, two clauses). The austen-* clips are LibriVox readings, in the public domain.
"""

STUB_BACKEND = f"""
from pathlib import Path

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = Path(metadata_directory) / "{NAME}-{VERSION}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n")
    return info.name
"""


def main() -> int:
    given = os.environ.get("VOICE_AUDIO")
    if given:
        return tell(Path(given)) if Path(given).is_dir() else fail(f"VOICE_AUDIO={given} is not a folder")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "voice-workflow" / "recordings"
    if (folder / COMPLETE).is_file():
        return tell(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            extract(download(Path(work)), folder)
    except (OSError, ValueError, tarfile.TarError) as error:
        return fail(f"no recordings: {error}; or set VOICE_AUDIO to a folder of NAME.wav + NAME.txt")
    return tell(folder)


def download(work: Path) -> Path:
    """The source distribution, its hash checked twice: by pip and here."""
    # pip asks the package's build backend for metadata even when it only downloads. A backend of the same name that
    # knows the answer stands in, so that nothing is built and no build tools are fetched.
    backend = work / "backend" / "scikit_build_core"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build.py").write_text(STUB_BACKEND)
    wanted = work / "requirements.txt"
    wanted.write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    command += ["--no-build-isolation", "--require-hashes", "--requirement", str(wanted), "--dest", str(work)]
    # Everything pip says goes to stderr: the last line of stdout is the folder.
    environment = os.environ | {"PYTHONPATH": str(backend.parent)}
    if subprocess.run(command, stdout=sys.stderr, env=environment).returncode:
        raise ValueError(f"pip could not download {NAME} {VERSION}, it says why above; set its index (PIP_INDEX_URL)")
    archive = work / f"{ROOT}.tar.gz"
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{archive.name} has sha256 {found}, expected {SHA256}")
    return archive


def extract(archive: Path, folder: Path) -> None:
    """Every clip as NAME.wav + NAME.txt; nothing else of the archive touches the disk."""
    with tarfile.open(archive) as source:
        for line in text(source, f"{DATA}/cards/cards.transcription").splitlines():
            words, name = transcription(line)
            save(folder, f"cards-{name}", read(source, f"{DATA}/cards/{name}.wav"), words)
        for line in text(source, f"{DATA}/librivox/transcription").splitlines():
            words, name = transcription(line)
            clip = read(source, f"{DATA}/librivox/{name}.wav")
            save(folder, f"austen-{name.rpartition('-')[2]}", clip, words)
        raw = read(source, f"{DATA}/goforward.raw")
        save(folder, "goforward", in_wav(raw), "go forward ten meters")
        (folder / "LICENSE").write_bytes(read(source, f"{ROOT}/LICENSE"))
    (folder / "SOURCE.md").write_text(SOURCE)
    (folder / COMPLETE).touch()


def transcription(line: str) -> tuple[str, str]:
    """`<s> ten of clubs </s> (001)` -> ("ten of clubs", "001")."""
    words, _, name = line.strip().rpartition(" ")
    return " ".join(words.replace("<s>", " ").replace("</s>", " ").split()), name.strip("()")


def save(folder: Path, name: str, clip: bytes, words: str) -> None:
    (folder / f"{name}.wav").write_bytes(clip)
    (folder / f"{name}.txt").write_text(words + "\n")


def in_wav(pcm16: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(GO_FORWARD_HZ)
        file.writeframes(pcm16)
    return out.getvalue()


def text(source: tarfile.TarFile, path: str) -> str:
    return read(source, path).decode()


def read(source: tarfile.TarFile, path: str) -> bytes:
    try:
        member = source.extractfile(path)
    except KeyError:
        member = None
    if member is None:
        raise ValueError(f"{path} is missing in the archive")
    return member.read()


def tell(folder: Path) -> int:
    sys.stdout.write(f"{folder.resolve()}\n")
    return 0


def fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    argparse.ArgumentParser(
        description="Fetch recordings of speech into the cache, once, and print their folder (VOICE_AUDIO, if set)."
    ).parse_args()
    sys.exit(main())
