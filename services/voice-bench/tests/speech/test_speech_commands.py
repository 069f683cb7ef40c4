"""Do `quality`, `streams` and `fuzz` run to their end, and judge?"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pcm import write_wav
from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.measure.clips import RATE_HZ
from voice_bench.speech import quality_report, streams
from voice_bench.speech.corpus import Spoken
from voice_bench.speech.quality import Heard

HUM = (9000 * np.sin(2 * np.pi * 220 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2").tobytes()


def run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
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
    by_category = {row[0]: row[2:4] for row in content["tables"][0]["rows"]}
    assert by_category == {"first": [4, 0], "second": [4, 1], "all": [8, 1]}
    assert verdicts(content) == {"recordings refused or without an answer": True, "pooled word error rate": True}


def test_an_engine_without_a_threshold_is_not_judged_by_one() -> None:
    heard = [Heard(Spoken("a", "a", Path(), "hello there"), "hello", 1.0, 0.1)]
    names = [one.name for one in quality_report.report(heard, "another", live=False, most_wrong=None).verdicts]
    assert names == ["recordings refused or without an answer"]


def test_a_refused_recording_has_every_word_wrong() -> None:
    heard = [Heard(Spoken("a", "a", Path(), "hello there"), "", 1.0, 0.0, "UNAVAILABLE: gone")]
    report = quality_report.report(heard, "parakeet", live=False, most_wrong=None)
    assert not report.met
    assert report.tables[0].rows[-1][4] == 100


def test_streams_in_real_time_lose_nothing_and_judge_every_lateness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SPEECH_S", 1.0)
    content = run("streams", "--count", "5", "--seconds", "6", "--beyond", "3")
    lost = {one["name"]: one["met"] for one in content["verdicts"] if one["unit"] != "ms"}
    assert len(lost) == 3
    assert all(lost.values()), content["verdicts"]
    # How late is for the command to judge, on a calm machine.
    assert len(content["verdicts"]) == 7
    assert content["tables"][0]["rows"][2][1] == 3


def test_fuzz_answers_everything() -> None:
    content = run("fuzz", "--requests", "600", "--seed", "3")
    assert all(verdicts(content).values()), content
    assert sum(count for status, count in content["tables"][0]["rows"] if not status.startswith("realtime")) <= 600
