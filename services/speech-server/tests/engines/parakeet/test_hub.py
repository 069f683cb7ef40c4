"""Is a model fetched whole, once, and checked, whatever network and disk do? From a hub on a real socket."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from speech_server.engines.asr.parakeet.catalogue import CATALOGUE, look_up
from speech_server.engines.asr.parakeet.download import pull
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.errors import EngineUnavailable
from speech_server.model_store.download import PullFailed
from speech_server.model_store.pinned_model import PinnedModel
from speech_server.model_store.store import faults, folder_of, keep, read_manifest, remove, stored

from .fake_hub import REPO, REVISION, Hub, hub
from .tiny import make_model

MODEL = PinnedModel("tiny", REPO, REVISION)


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Hub]:
    folder = make_model(tmp_path / "origin")
    make_model(folder, precision="int8")
    with hub(folder) as server:
        yield server


def no_wait(seconds: float) -> None:
    """Tries follow each other at once."""


def test_only_the_wished_precision_is_fetched_and_loads(origin: Hub, tmp_path: Path) -> None:
    folder = pull(MODEL, "int8", tmp_path / "cache", origin.endpoint, no_wait)
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {
        "config.json", "vocab.txt", "encoder-model.int8.onnx", "decoder_joint-model.int8.onnx", "manifest.json",
    }  # fmt: skip
    assert find_model(folder, "cpu").precision == "int8"
    assert list(stored(tmp_path / "cache")) == [folder]


def test_a_second_pull_asks_nobody(origin: Hub, tmp_path: Path) -> None:
    folder = pull(MODEL, "fp32", tmp_path, origin.endpoint, no_wait)
    origin.fails = 1000
    assert pull(MODEL, "fp32", tmp_path, origin.endpoint, no_wait) == folder


def test_another_precision_joins_the_first(origin: Hub, tmp_path: Path) -> None:
    pull(MODEL, "fp32", tmp_path, origin.endpoint, no_wait)
    folder = pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)
    kept = read_manifest(folder)
    assert kept is not None
    assert {"encoder-model.onnx", "encoder-model.onnx.data", "encoder-model.int8.onnx"} <= set(kept)
    assert faults(folder, kept) == []


def test_a_broken_connection_is_resumed_where_it_broke(
    origin: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    name = "encoder-model.onnx.data"
    origin.files[name] = os.urandom(3_000_000)
    origin.breaks[name] = 1
    folder = pull(MODEL, "fp32", tmp_path, origin.endpoint, no_wait)
    assert (folder / name).read_bytes() == origin.files[name]
    assert origin.sent_bytes[name] <= 3_000_000 * 1.1, "nothing is fetched twice"


def test_a_hub_that_is_busy_is_tried_again(origin: Hub, tmp_path: Path) -> None:
    origin.fails = 2
    waits: list[float] = []
    pull(MODEL, "int8", tmp_path, origin.endpoint, waits.append)
    assert waits == sorted(waits)


def test_without_a_network_the_sentence_says_how_to_place_files_by_hand(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PullFailed, match=r"PARAKEET_MODEL_PATH"):
            pull(MODEL, "int8", tmp_path, endpoint, no_wait)
    assert list(stored(tmp_path)) == []


def test_a_repository_that_is_not_there_is_not_tried_again(origin: Hub, tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(PullFailed, match="Check name, revision and HF_TOKEN"):
        pull(PinnedModel("x", "someone/else", REVISION), "int8", tmp_path, origin.endpoint, waits.append)
    assert waits == []


def test_a_precision_the_repository_lacks_is_said(origin: Hub, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match=r"no such model.*encoder-model\.int8\.onnx"):
        pull(MODEL, "fp16", tmp_path, origin.endpoint, no_wait)


def test_a_wrong_checksum_deletes_the_file_and_keeps_the_model_out(origin: Hub, tmp_path: Path) -> None:
    name = "encoder-model.int8.onnx"
    right = PinnedModel("tiny", REPO, REVISION, sums={name: keep_sum(origin.files[name], tmp_path)})
    origin.tampered[name] = origin.files[name][:-1] + b"!"
    with pytest.raises(PullFailed, match=rf"{name}.*checksum"):
        pull(right, "int8", tmp_path, origin.endpoint, no_wait)
    assert not (folder_of(tmp_path, right) / name).exists()
    assert list(stored(tmp_path)) == []
    origin.tampered.clear()
    assert find_model(pull(right, "int8", tmp_path, origin.endpoint, no_wait), "cpu")


def keep_sum(content: bytes, folder: Path) -> str:
    path = folder / "sum"
    path.write_bytes(content)
    return keep(path).sha256


def test_a_full_disk_is_seen_before_anything_is_fetched(
    origin: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(PullFailed, match=r"No room .* are free.*PARAKEET_CACHE"):
        pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)
    assert origin.sent_bytes == {}


def test_a_disk_that_fills_up_on_the_way_is_said_too(
    origin: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(PullFailed, match="Free space"):
        pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)


def test_a_damaged_file_is_found_and_the_next_pull_mends_it(origin: Hub, tmp_path: Path) -> None:
    folder = pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)
    kept = read_manifest(folder)
    assert kept is not None
    path = folder / "encoder-model.int8.onnx"
    content = path.read_bytes()
    for damaged, what in ((content[:100], "bytes, should be"), (content[:-1] + b"!", "SHA-256")):
        path.write_bytes(damaged)
        (fault,) = faults(folder, kept)
        assert what in fault.what
        pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)
        assert path.read_bytes() == content


def test_a_model_is_removed_with_everything_that_was_half_fetched(origin: Hub, tmp_path: Path) -> None:
    folder = pull(MODEL, "int8", tmp_path, origin.endpoint, no_wait)
    (folder / "part.incomplete").write_bytes(b"x")
    assert remove(tmp_path, MODEL) > 0
    assert not folder.exists()
    assert remove(tmp_path, MODEL) == 0


def test_a_branch_is_no_revision(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="40 hexadecimal digits"):
        pull(PinnedModel("x", REPO, "main"), "int8", tmp_path)


def test_every_pinned_model_is_pinned_to_a_commit_and_whole_sums() -> None:
    assert {one.name for one in CATALOGUE if one.revision} == {"nemo-parakeet-tdt-0.6b-v2", "nemo-parakeet-tdt-0.6b-v3"}
    for one in CATALOGUE:
        assert len(one.revision) in (0, 40)
        assert all(len(sum_) == 64 for sum_ in one.sums.values())


def test_names_are_found_as_people_write_them() -> None:
    for name in ("parakeet-tdt-0.6b-v3", "nvidia/parakeet-tdt-0.6b-v3", "nemo-parakeet-tdt-0.6b-v3"):
        assert look_up(name).repo == "istupakov/parakeet-tdt-0.6b-v3-onnx"
    assert look_up("org/own", "a" * 40).revision == "a" * 40
    assert look_up("nemo-parakeet-tdt-0.6b-v3", "b" * 40).sums == {}
    with pytest.raises(EngineUnavailable, match=r"nemo-parakeet-tdt-0\.6b-v3"):
        look_up("whisper")
