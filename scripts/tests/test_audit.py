"""Does each gate of the audit fail on what it is there for, with a sentence that names it, and pass without it?"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import trustme

ROOT = Path(__file__).parents[2]
UV = os.environ.get("UV") or shutil.which("uv") or ".uv/bin/uv"
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com")


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    subprocess.run(["scripts/audit_tools.sh", UV, sys.executable], cwd=ROOT, check=True, timeout=300)


def audit(gate: str, tree: Path = ROOT, python: str = sys.executable, **environment: str) -> tuple[int, str]:
    """Exit status and everything that was written."""
    given = {**os.environ, "TREE": str(tree), **environment}
    command = ["scripts/audit.sh", UV, python, gate]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def git(tree: Path, *words: str) -> None:
    subprocess.run(["git", *AUTHOR, *words], cwd=tree, check=True, capture_output=True, timeout=60)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit of a file that holds nothing."""
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "--quiet")
    (tree / "config.env").write_text("LLM_MODEL=a-model\n")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message=one")
    return tree


def private_key() -> str:
    """Made here, so that this file holds none."""
    return trustme.CA().private_key_pem.bytes().decode()


def test_a_repository_without_a_secret_passes(repository: Path) -> None:
    assert audit("secrets", repository) == (0, "audit: secrets: nothing found\n")


def test_a_key_in_a_file_that_git_does_not_know_yet_is_found_and_not_shown(repository: Path) -> None:
    key = private_key()
    (repository / "server.pem").write_text(key)
    status, told = audit("secrets", repository)
    assert status == 1
    assert "server.pem" in told
    assert key.splitlines()[1] not in told


def test_a_key_that_was_deleted_is_found_in_the_history(repository: Path) -> None:
    (repository / "server.pem").write_text(private_key())
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=two")
    (repository / "server.pem").unlink()
    git(repository, "commit", "--quiet", "--all", "--message=three")
    status, told = audit("secrets", repository)
    assert status == 1
    assert "show " in told
    assert ":server.pem" in told


def test_without_git_the_files_are_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    for name in ("server.pem", ".venv/installed.pem"):
        (tmp_path / name).write_text(private_key())
    status, told = audit("secrets", tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert status == 1
    assert "there is no git repository: the files are read, a history is not" in told
    assert "server.pem" in told
    assert "installed.pem" not in told


class Answers(BaseHTTPRequestHandler):
    """What lies below a path; to a question about `planted` the advisory."""

    pages: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        self._answer(self.pages.get(self.path))

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        events = [{"introduced": "0"}, {"fixed": "1.1"}]
        package = {"name": "planted", "ecosystem": "PyPI"}
        advisory = {
            "id": "PYSEC-2099-1",
            "details": "planted by a test",
            "modified": "2099-01-01T00:00:00Z",
            "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
        }
        named = question["package"]["name"] == "planted" and question["version"] == "1.0"
        self._answer(json.dumps({"vulns": [advisory]} if named else {}).encode())

    def _answer(self, body: bytes | None) -> None:
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def answering() -> Iterator[str]:
    """The address of a server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def locked(folder: Path, version: str, digest: str = "0" * 64) -> Path:
    """A tree that locks `planted`."""
    (folder / "requirements.lock").write_text(f"planted=={version} \\\n    --hash=sha256:{digest}\n")
    return folder


def test_a_version_with_a_known_hole_is_named_with_the_one_that_has_none(tmp_path: Path) -> None:
    with answering() as address:
        status, told = audit("advisories", locked(tmp_path, "1.0"), OSV_URL=f"{address}/v1/query")
        assert status == 1
        assert "PYSEC-2099-1" in told
        assert "1.1" in told
        status, told = audit("advisories", locked(tmp_path, "1.1"), OSV_URL=f"{address}/v1/query")
        assert (status, told) == (0, "audit: advisories: nothing found\n")


def test_without_the_advisory_service_nothing_passes(tmp_path: Path) -> None:
    status, told = audit("advisories", locked(tmp_path, "1.0"), OSV_URL="http://127.0.0.1:1/v1/query")
    assert status == 1
    assert told.startswith("the advisory service can't be reached: nothing was audited")


def wheel(name: str, licence: str) -> bytes:
    """A package of nothing but its metadata."""
    path = Path(name)
    with zipfile.ZipFile(path, "w") as archive:
        folder = "planted-1.0.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: planted\nVersion: 1.0\nLicense: {licence}\n"
        archive.writestr(f"{folder}/METADATA", metadata)
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", "")
    return path.read_bytes()


@pytest.mark.parametrize("withdrawn", [True, False])
def test_a_version_that_was_withdrawn_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, withdrawn: bool
) -> None:
    name = "planted-1.0-py3-none-any.whl"
    content = wheel(str(tmp_path / name), "MIT")
    digest = hashlib.sha256(content).hexdigest()
    mark = ' data-yanked="it loses calls"' if withdrawn else ""
    page = f'<a href="/{name}#sha256={digest}"{mark}>{name}</a>'.encode()
    monkeypatch.setattr(Answers, "pages", {"/simple/planted/": page, f"/{name}": content})
    with answering() as address:
        index = {"UV_DEFAULT_INDEX": f"{address}/simple", "UV_CACHE_DIR": str(tmp_path / "cache")}
        status, told = audit("withdrawn", locked(tmp_path, "1.0", digest), **index)
    assert status == int(withdrawn), told
    assert ("requirements.lock" in told and "it loses calls" in told) == withdrawn


@pytest.mark.parametrize(
    ("licence", "fails"),
    [("MIT", False), ("GPL-3.0-or-later AND MIT", True), ("Very Own License", True)],
)
def test_a_licence_that_nobody_looked_at_is_named_with_its_package(tmp_path: Path, licence: str, fails: bool) -> None:
    wheel(str(tmp_path / "planted.whl"), licence)
    packages = tmp_path / "packages"
    with zipfile.ZipFile(tmp_path / "planted.whl") as archive:
        archive.extractall(packages)
    # An interpreter that finds this package and no other.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{Path(sys.executable).resolve()}" -S "$@"\n')
    python.chmod(0o755)
    status, told = audit("licences", python=str(python))
    assert status == int(fails), told
    assert ("planted:1.0" in told) == fails


PINNED = "python:3.11@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("dockerfile", "named"),
    [
        (f"FROM {PINNED}\n", []),
        ("FROM python:3.11\n", ["python:3.11"]),
        ("FROM python:3.11@sha256:123\n", ["python:3.11@sha256:123"]),
        (f"ARG BASE={PINNED}\nFROM ${{BASE}} AS build\nFROM build\nFROM scratch\n", []),
        ("ARG BASE=python:3.11\nFROM ${BASE} AS build\nFROM $BASE\n", ["python:3.11"] * 2),
        (f"FROM {PINNED} AS build\nARG LATE={PINNED}\nFROM $LATE\n", ["$LATE"]),
        (f"from --platform=linux/amd64 {PINNED}\nCOPY --from=build a b\n", []),
        ("ARG BASE\nFROM $BASE\n", ["$BASE"]),
    ],
)
def test_a_base_image_without_a_digest_is_named(
    dockerfile: str, named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import base_images

    assert base_images.unpinned(dockerfile) == named


def test_the_images_gate_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    status, told = audit("images", tmp_path)
    assert status == 1
    assert told.startswith("Dockerfile: python:3.11 has no digest; write NAME:TAG@sha256:DIGEST\n")


def test_every_image_is_built_on_the_same_base() -> None:
    lines = [
        line
        for file in ROOT.glob("services/*/Dockerfile")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("ARG BASE_IMAGE=")
    ]
    assert len(lines) == 4
    assert len(set(lines)) == 1


def test_a_gate_that_does_not_exist_is_told() -> None:
    assert audit("secret") == (2, "audit.sh: there is no gate secret; see audit.sh --help\n")
