"""Does `speech-server doctor` say what is wrong, for programs and for people, and end with 1 then?"""

import json
from pathlib import Path

import pytest
from engines.kokoro.tiny import write_model as write_kokoro
from engines.streaming_transducer.tiny import make_model as make_streaming
from speech_server.app import main
from speech_server.cli.doctor.command import examine
from speech_server.cli.doctor.findings import Finding

from .conftest import Given

Said = pytest.CaptureFixture[str]


def wrong(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.mark == "BAD"]


@pytest.mark.parametrize("tts", ["tone", "espeak"])
@pytest.mark.parametrize("asr", ["scripted", "moonshine"])
def test_what_a_laptop_runs_is_all_right_here(given: Given, asr: str, tts: str) -> None:
    findings = examine(given(SPEECH_ASR_ENGINE=asr, SPEECH_TTS_ENGINE=tts))
    assert not wrong(findings), findings
    started = {one.what for one in findings if one.found == "starts"}
    assert ("model moonshine-tiny-en" in {one.what for one in findings}) == (asr == "moonshine")
    assert ("eSpeak NG" in started) == (tts == "espeak")


def test_every_engine_with_weights_can_be_all_right(given: Given, parakeet: Path, tmp_path: Path) -> None:
    write_kokoro(tmp_path / "kokoro", {"af_heart": 0.25})
    voices = {"SPEECH_TTS_ENGINE": "kokoro", "KOKORO_MODEL_PATH": str(tmp_path / "kokoro")}
    findings = examine(given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_PATH=str(parakeet), **voices))
    assert not wrong(findings), findings
    said = {one.what: one.found for one in findings}
    assert "encoder-model.onnx" in said["model nemo-parakeet-tdt-0.6b-v3"]
    assert "1 voices" in said["model kokoro-82m-v1.0"]
    assert "cpu (" in said["device"]
    streaming = make_streaming(tmp_path / "streaming", seed=4)
    settings = given(
        SPEECH_ASR_ENGINE="streaming", STREAMING_MODEL_PATH=str(streaming), STREAMING_FALLBACK_ENGINE="moonshine"
    )
    findings = examine(settings)
    assert not wrong(findings), findings
    said = {one.what: one.found for one in findings}
    assert "encoder.onnx" in said["model streaming"]
    assert "model moonshine-tiny-en" in said, "the spare engine is examined, too"


def test_the_verb_writes_lines_and_ends_with_one_when_something_is_bad(given: Given, capsys: Said) -> None:
    given()
    assert main(["doctor"]) == 0
    assert "ok   engines: recogniser scripted; voice tone\n" in capsys.readouterr().out
    given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_PULL="false")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "BAD  model nemo-parakeet-tdt-0.6b-v3: not in" in said
    assert "     -> speech-server models pull nemo-parakeet-tdt-0.6b-v3\n" in said


def test_programs_get_json(given: Given, capsys: Said) -> None:
    given(SPEECH_ASR_ENGINE="streaming")
    assert main(["doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    assert {"mark", "what", "found", "advice"} == set(findings[0])
    assert any("STREAMING_MODEL_PATH" in one["advice"] for one in findings if one["mark"] == "BAD")


def test_a_setting_that_is_wrong_is_named(given: Given, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    given()
    monkeypatch.setenv("SPEECH_HTTP_PORT", "many")
    assert main(["doctor"]) == 1
    assert "SPEECH_HTTP_PORT" in capsys.readouterr().err
