"""Where do the files come from, and what of files that are missing, damaged or somebody else's?"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from speech_server.engine_settings import MoonshineSettings
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import HUB_FILES, WHEEL_FILES, MoonshineFiles, find_model
from speech_server.engines.asr.moonshine.spec import HUB, MOONSHINE, WHEEL, fetch, known, model
from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.errors import EngineUnavailable
from speech_server.model_store.download import PullFailed
from speech_server.model_store.store import keep, read_manifest
from speech_server.model_store.wheel_download import pull_from_wheel

NAME = "tiny_weights-1.2-py3-none-manylinux_2_34_x86_64.whl"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest shows what goes wrong."""


@contextmanager
def index(root: Path) -> Iterator[str]:
    """A package index as pip reads it, on a real socket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(root)))
    thread = Thread(target=server.serve_forever, name="index")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def wheel_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index with one wheel of three small files; pip is set to it. Gives the wheel's hash."""
    page = tmp_path / "index" / "tiny-weights"
    page.mkdir(parents=True)
    with zipfile.ZipFile(page / NAME, "w") as made:
        for name in WHEEL_FILES:
            made.writestr(f"tiny/{name}", f"the content of {name}")
        made.writestr(
            "tiny_weights-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.2\n"
        )
        made.writestr("tiny_weights-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-manylinux_2_34_x86_64\n")
        made.writestr("tiny_weights-1.2.dist-info/RECORD", "")
    (page / "index.html").write_text(f'<a href="{NAME}">{NAME}</a>')
    with index(tmp_path / "index") as url:
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", url)
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield hashlib.sha256((page / NAME).read_bytes()).hexdigest()


def sums() -> dict[str, str]:
    return {name: hashlib.sha256(f"the content of {name}".encode()).hexdigest() for name in WHEEL_FILES}


TINY = replace(MOONSHINE, name="tiny", repo="tiny-weights", revision="1.2", sums=sums())
TINY_WHEEL = replace(
    WHEEL, name="tiny-weights", version="1.2", sha256="0" * 64, files={name: f"tiny/{name}" for name in WHEEL_FILES}
)


def test_only_the_files_are_taken_out_of_the_wheel_once(wheel_index: str, tmp_path: Path) -> None:
    wheel = replace(
        WHEEL, name="tiny-weights", version="1.2", sha256=wheel_index, files={n: f"tiny/{n}" for n in WHEEL_FILES}
    )
    place = pull_from_wheel(TINY, wheel, tmp_path / "cache")
    assert sorted(path.name for path in place.iterdir()) == sorted([*WHEEL_FILES, "manifest.json"])
    assert {name: kept.sha256 for name, kept in (read_manifest(place) or {}).items()} == sums()
    shutil.rmtree(tmp_path / "index")
    assert pull_from_wheel(TINY, wheel, tmp_path / "cache") == place, "it is here: nothing is asked of the index"
    (place / WHEEL_FILES[0]).write_text("damaged")
    with pytest.raises(PullFailed, match="pip could not download tiny-weights"):
        pull_from_wheel(TINY, wheel, tmp_path / "cache")


def test_a_wheel_or_a_file_that_was_changed_is_not_taken(wheel_index: str, tmp_path: Path) -> None:
    wheel = replace(TINY_WHEEL, sha256=wheel_index)
    with pytest.raises(PullFailed, match="pip could not download"):
        pull_from_wheel(TINY, TINY_WHEEL, tmp_path / "cache")
    changed = replace(TINY, sums={**sums(), WHEEL_FILES[2]: "0" * 64})
    with pytest.raises(PullFailed, match=f"{WHEEL_FILES[2]} .* is not the file that was pinned"):
        pull_from_wheel(changed, wheel, tmp_path / "cache")
    assert not (tmp_path / "cache" / "tiny-weights" / "1.2" / "manifest.json").exists()
    other = replace(wheel, files={**wheel.files, "more": "tiny/more"})
    with pytest.raises(PullFailed, match="could not be put into"):
        pull_from_wheel(TINY, other, tmp_path / "cache")


def test_without_an_index_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/none")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(PullFailed, match=r"PIP_INDEX_URL.*MOONSHINE_MODEL_PATH"):
        fetch(MOONSHINE, "int8", tmp_path)


def test_what_is_fetched_is_what_was_pinned(files: MoonshineFiles) -> None:
    assert {name: keep(files.encoder.with_name(name)).sha256 for name in WHEEL_FILES} == dict(MOONSHINE.sums)
    assert len(files.vocabulary) == 32_768


def test_a_commit_means_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (known("a" * 40).repo, known("a" * 40).revision) == (HUB, "a" * 40)
    assert known("") == MOONSHINE
    monkeypatch.setenv("MOONSHINE_PULL", "false")
    monkeypatch.setenv("MOONSHINE_CACHE", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="MOONSHINE_PULL is false"):
        model(MoonshineSettings()).fetched("int8")


def test_the_tokens_of_the_hub_are_those_of_the_wheel(files: MoonshineFiles, tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    for name in HUB_FILES[:2]:
        (tmp_path / name).touch()
    spelt = [token.decode("utf-8", "replace") for token in files.vocabulary]
    # As the hub writes them: single bytes in hexadecimal, control tokens apart.
    spelt[3:259] = [f"<0x{number:02X}>" for number in range(256)]
    vocabulary = {token: number for number, token in enumerate(spelt) if number > 2}
    added = [{"id": number, "content": token} for number, token in enumerate(spelt[:3])]
    (tmp_path / HUB_FILES[2]).write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": added}))
    read = find_model(tmp_path).vocabulary
    assert len(read) == len(files.vocabulary)
    said = [number for number, token in enumerate(files.vocabulary) if read[number] != token]
    assert len(said) < 20, "but for tokens that are spelt alike"


@pytest.mark.parametrize("name", WHEEL_FILES)
def test_a_file_that_is_missing_is_named(files: MoonshineFiles, tmp_path: Path, name: str) -> None:
    for one in WHEEL_FILES:
        (tmp_path / one).symlink_to(files.encoder.with_name(one))
    (tmp_path / name).unlink()
    with pytest.raises(ModelBroken, match="models pull moonshine"):
        find_model(tmp_path)


@pytest.mark.parametrize("name", WHEEL_FILES)
def test_a_file_that_was_cut_off_is_named(files: MoonshineFiles, tmp_path: Path, name: str) -> None:
    for one in WHEEL_FILES:
        content = files.encoder.with_name(one).read_bytes()
        (tmp_path / one).write_bytes(content[: len(content) // 2 + 1] if one == name else content)
    with pytest.raises(ModelBroken, match=name):
        MoonshineModel(find_model(tmp_path))


def test_another_model_in_its_place_is_noticed(files: MoonshineFiles, tmp_path: Path) -> None:
    for one in WHEEL_FILES:
        (tmp_path / one).symlink_to(files.encoder.with_name(one))
    (tmp_path / WHEEL_FILES[0]).unlink()
    (tmp_path / WHEEL_FILES[0]).symlink_to(files.decoder)
    with pytest.raises(ModelBroken, match="its inputs have other names"):
        MoonshineModel(find_model(tmp_path))
