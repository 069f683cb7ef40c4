"""Does a bill of materials name what is really in an image, and what is locked?"""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
UV = os.environ.get("UV") or shutil.which("uv") or ".uv/bin/uv"
PACKAGES = "opt/voice/lib/python3.11/site-packages"
DEBIAN = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """A tar."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def metadata(name: str, version: str, licence: str = "MIT") -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: {licence}\n\nText".encode()


def image(folder: Path, *layers: Mapping[str, bytes]) -> Path:
    """As `docker save` writes it."""
    config = {"created": "2026-11-01T10:00:00.123Z", "config": {"Env": ["PATH=/bin", "PYTHON_VERSION=3.11.16"]}}
    files = {"0123.json": json.dumps(config).encode()}
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    files |= {name: archive_of(layer) for name, layer in zip(names, layers, strict=True)}
    manifest = [{"Config": "0123.json", "RepoTags": ["voice-workflow/gateway:1.2"], "Layers": names}]
    path = folder / "gateway.tar"
    path.write_bytes(archive_of({**files, "manifest.json": json.dumps(manifest).encode()}))
    return path


def sbom(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["scripts/sbom.sh", UV, sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def bill(*arguments: str | Path) -> Any:
    out = Path(arguments[-1])
    done = sbom(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def test_an_image_is_listed_as_its_last_state_is(tmp_path: Path) -> None:
    base = {
        "etc/os-release": b'ID=debian\nVERSION_CODENAME="bookworm"\n',
        "var/lib/dpkg/status": DEBIAN,
        "usr/local/lib/python3.11/site-packages/pip-24.0.dist-info/METADATA": metadata("pip", "24.0"),
        f"{PACKAGES}/aiohttp-3.0.dist-info/METADATA": metadata("aiohttp", "3.0"),
    }
    last = {
        "usr/local/lib/python3.11/site-packages/.wh.pip-24.0.dist-info": b"",
        f"{PACKAGES}/.wh..wh..opq": b"",
        f"./{PACKAGES}/aiohttp-3.14.dist-info/METADATA": metadata("aiohttp", "3.14", "Apache-2.0 AND MIT"),
        f"./{PACKAGES}/aiohttp/code.py": b"",
    }
    found = bill(image(tmp_path, base, last), tmp_path / "gateway.cdx.json")
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    whole = found["metadata"]["component"]
    assert (whole["type"], whole["name"], whole["version"]) == ("container", "voice-workflow/gateway", "1.2")
    assert sorted(one["purl"] for one in found["components"]) == [
        "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=bookworm",
        "pkg:generic/python@3.11.16",
        "pkg:pypi/aiohttp@3.14",
    ]
    (aiohttp,) = [one for one in found["components"] if one["name"] == "aiohttp"]
    assert aiohttp["licenses"] == [{"expression": "Apache-2.0 AND MIT"}]
    assert aiohttp["evidence"]["occurrences"] == [{"location": f"{PACKAGES}/aiohttp-3.14.dist-info/METADATA"}]


def test_what_is_no_image_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_bytes(archive_of({"a": b"b"}))
    done = sbom(tmp_path / "other.tar", tmp_path / "other.cdx.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("other.tar is no archive of an image, as docker save writes it\n")


def test_every_locked_package_is_in_the_bill_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = f" \\\n    --hash=sha256:{'0' * 64}\n"
    lock = f"aiohttp==3.14.5{digest}av==18.1.0 ; python_version < '3.12'{digest}"
    (tmp_path / "requirements.lock").write_text(lock)
    monkeypatch.setenv("TREE", str(tmp_path))
    found = bill(tmp_path / "locked.cdx.json")
    assert {one["purl"] for one in found["components"]} == {"pkg:pypi/aiohttp@3.14.5", "pkg:pypi/av@18.1.0"}


def built(*arguments: str, **environment: str) -> str:
    """What building the image of the gateway writes."""
    given = {**os.environ, "UV": UV, **environment}
    command = ["scripts/build_gateway.sh", *arguments, "gateway"]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("engine", "saved"),
    [
        ("docker", "docker save --output "),
        ("podman", "podman save --quiet --format docker-archive --output "),
        ("buildah", "buildah push --quiet voice-workflow/gateway:9 docker-archive:"),
    ],
)
def test_every_engine_saves_the_image_for_its_bill(engine: str, saved: str) -> None:
    *_, save, listed = built("--dry-run", "--tag", "9", ENGINE=engine, OUT="made").splitlines()
    assert save.startswith(saved)
    assert listed.endswith("/image.tar made/gateway.cdx.json")
    assert "sbom" not in built("--dry-run", "--tag", "9", ENGINE=engine, SBOM="")


def test_a_bill_lies_beside_the_image_that_a_script_builds_and_is_the_same_each_time(tmp_path: Path) -> None:
    archive = image(tmp_path, {f"{PACKAGES}/aiohttp-3.14.dist-info/METADATA": metadata("aiohttp", "3.14")})
    script = tmp_path / "build.sh"  # called as CONTEXT DOCKERFILE NAME:TAG OUT.tar OPTION...
    script.write_text(f'#!/bin/sh\ncp {archive} "$4"\n')
    script.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    built(BUILD=str(script), OUT=str(out))
    assert json.loads((out / "gateway.cdx.json").read_text()) == bill(archive, tmp_path / "again.cdx.json")
