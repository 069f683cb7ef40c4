"""Do `quality`, `streams` and `fuzz` run to their end, and judge?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pcm import write_wav
from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.measure.clips import RATE_HZ
from voice_bench.speech import flood, fuzz_report, quality_report, streams
from voice_bench.speech.corpus import Spoken
from voice_bench.speech.held import Held
from voice_bench.speech.quality import Heard
from voice_bench.speech.server import engine_settings

HUM = (9000 * np.sin(2 * np.pi * 220 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2").tobytes()


def run(*arguments: str, status: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def verdicts(content: dict[str, Any]) -> dict[str, bool]:
    return {one["name"]: one["met"] for one in content["verdicts"]}


@pytest.mark.parametrize("live", [False, True])
def test_quality_counts_wrong_words_by_clip_and_category(tmp_path: Path, live: bool) -> None:
    for name, text in (("first-1", "caller 1 turn 1"), ("second-1", "caller 2 burns 1")):
        write_wav(tmp_path / f"{name}.wav", [HUM], RATE_HZ)
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    out = tmp_path / "report.json"
    kind = ["--live"] if live else []
    content = run("quality", str(tmp_path), "--engine", "scripted", "--most-wrong", "0.2", "--out", str(out), *kind)
    assert json.loads(out.read_text())["name"] == content["name"]
    by_category = {row[0]: row[2:5] for row in content["tables"][0]["rows"]}
    assert by_category == {"first": [4, 0, 0], "second": [4, 1, 1], "all": [8, 1, 1]}
    assert verdicts(content) == {
        "recordings refused or without an answer": True,
        "pooled word error rate": True,
        "words more wrong than the engine alone": True,
    }


def test_an_engine_without_a_threshold_is_not_judged_by_one() -> None:
    heard = [Heard(Spoken("a", "a", Path(), "hello there"), "hello", 1.0, 0.1)]
    names = [one.name for one in quality_report.report(heard, "another", live=False, most_wrong=None).verdicts]
    assert names == ["recordings refused or without an answer"]


def test_quality_ends_with_one_when_too_many_words_are_wrong(tmp_path: Path) -> None:
    write_wav(tmp_path / "first-1.wav", [HUM], RATE_HZ)
    (tmp_path / "first-1.txt").write_text("something else altogether", encoding="utf-8")
    content = run("quality", str(tmp_path), "--engine", "scripted", "--most-wrong", "0.2", "--no-alone", status=1)
    assert verdicts(content)["pooled word error rate"] is False
    assert content["tables"][0]["rows"][-1][4] is None


def test_an_engine_that_cannot_be_run_alone_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "first-1.wav", [HUM], RATE_HZ)
    (tmp_path / "first-1.txt").write_text("hello", encoding="utf-8")
    monkeypatch.setenv("STREAMING_MODEL_PATH", "/nowhere")
    result = CliRunner().invoke(app, ["quality", str(tmp_path), "--engine", "streaming"])
    assert result.exit_code == 2
    assert "There is no model folder /nowhere" in result.output
    assert "Traceback" not in result.output


def test_a_server_may_have_few_words_more_wrong_than_its_engine() -> None:
    said = Spoken("a", "a", Path("/a.wav"), "one two three four five six")
    for text, is_met in (("one two three", True), ("one two", False)):
        heard = [Heard(said, text, 1.0, 0.1)]
        report = quality_report.report(heard, "another", live=False, most_wrong=None, alone={said.path: said.text})
        assert report.met is is_met
        assert report.notes == (f"a: the engine alone heard: {said.text}",)
    report = quality_report.report(heard, "another", live=False, most_wrong=None, alone={}, words_worse=0)
    assert report.met, "the engine alone heard nothing"


def test_what_an_operator_set_for_engines_holds_for_our_server_and_its_ports_are_its_own() -> None:
    environment = {"PARAKEET_MODEL_PATH": "/m", "SPEECH_VAD_ONSET": "0.4", "SPEECH_HTTP_PORT": "8000", "LANG": "C"}
    environment |= {"SPEECH_TLS_KEY_FILE": "/k", "SPEECH_REQUEST_LOG": "/l"}
    assert engine_settings(environment) == {"PARAKEET_MODEL_PATH": "/m", "SPEECH_VAD_ONSET": "0.4"}


def held(*changes: dict[str, Any]) -> list[Held]:
    """Ten looks at a server that stays as it is, but for the last ones."""
    calm = Held(0, 90.0, 20, 8, 12, 0)
    looks = [replace(calm, requests=1000 * number) for number in range(10)]
    return [*looks[: 10 - len(changes)], *(replace(looks[-1], **change) for change in changes)]


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, ""),
        ({"rss_mb": 97.0, "files": 22, "threads": 16, "connections": 16}, ""),
        ({"rss_mb": 99.0}, "memory"),
        ({"files": 23}, "files"),
        ({"threads": 21}, "threads"),
        ({"children": 1}, "children"),
    ],
)
def test_growth_over_the_second_half_is_a_leak(change: dict[str, Any], missed: str) -> None:
    judged = fuzz_report.growth(held(change), None)
    assert [one.name.split()[0] for one in judged if not one.met] == ([missed] if missed else [])


def test_what_grew_while_pools_were_filled_is_none() -> None:
    start = Held(0, 60.0, 10, 0, 4, 0)
    assert all(one.met for one in fuzz_report.growth([start, *held()], None))


def test_what_is_given_back_when_we_hang_up_is_none() -> None:
    busy = held({"children": 1, "files": 30})
    assert all(one.met for one in fuzz_report.growth(busy, held()[-1]))


def test_a_refused_recording_has_every_word_wrong() -> None:
    heard = [Heard(Spoken("a", "a", Path(), "hello there"), "", 1.0, 0.0, "UNAVAILABLE: gone")]
    report = quality_report.report(heard, "parakeet", live=False, most_wrong=None)
    assert not report.met
    assert report.tables[0].rows[-1][5] == 100


def test_streams_in_real_time_lose_nothing_and_judge_every_lateness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SPEECH_S", 1.0)
    content = run("streams", "--count", "5", "--seconds", "6", "--beyond", "3")
    lost = {one["name"]: one["met"] for one in content["verdicts"] if one["unit"] != "ms"}
    assert len(lost) == 3
    assert all(lost.values()), content["verdicts"]
    # How late is for the command to judge, on a calm machine.
    assert len(content["verdicts"]) == 7
    assert content["tables"][0]["rows"][2][1] == 3


def test_a_flood_leaves_the_speech_server_below_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "BEFORE_S", 3.0)
    monkeypatch.setattr(flood, "NEIGHBOURS", 1)
    content = run("speech-flood", "--kind", "unread", "--kind", "uploads", "--seconds", "4")
    assert len(content["verdicts"]) == 12
    assert all(one["met"] for one in content["verdicts"] if "finals" not in one["name"]), content


def test_fuzz_answers_everything() -> None:
    content = run("fuzz", "--requests", "600", "--seed", "3")
    assert all(verdicts(content).values()), content
    assert sum(count for status, count in content["tables"][0]["rows"] if not status.startswith("realtime")) <= 600
