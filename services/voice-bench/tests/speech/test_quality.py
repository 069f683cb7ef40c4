"""Does `quality` count what was heard, and judge it?"""

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
from voice_bench.speech.corpus import CorpusItem
from voice_bench.speech.quality import Recognition
from voice_bench.speech.quality_report import QualityRun, report
from voice_bench.speech.thresholds import ENGINES, Thresholds, thresholds
from voice_bench.speech.timing import Timing

HUM = (9000 * np.sin(2 * np.pi * 220 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2").tobytes()
NOT_JUDGED = Thresholds()


def run(*arguments: str, status: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def verdicts(content: dict[str, Any]) -> dict[str, bool]:
    return {one["name"]: one["met"] for one in content["verdicts"]}


def put(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        write_wav(folder / f"{name}.wav", [HUM], RATE_HZ)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def heard(text: str, said: str, category: str = "a", trouble: str = "") -> Recognition:
    return Recognition(CorpusItem(category, category, Path(f"/{category}.wav"), said), text, 1.0, 0.1, trouble)


@pytest.mark.parametrize("live", [False, True])
def test_wrong_words_are_counted_by_clip_and_category(tmp_path: Path, live: bool) -> None:
    put(tmp_path, **{"first-1": "caller 1 turn 1", "second-1": "caller 2 burns 1"})
    out = tmp_path / "report.json"
    kind = ["--live"] if live else []
    content = run("quality", str(tmp_path), "--engine", "scripted", "--most-wrong", "0.2", "--out", str(out), *kind)
    assert json.loads(out.read_text())["name"] == content["name"]
    by_category = {row[0]: row[2:5] for row in content["tables"][0]["rows"]}
    assert by_category == {"first": [4, 0, 0], "second": [4, 1, 1], "all": [8, 1, 1]}
    assert all(row[-1] is not None for row in content["tables"][0]["rows"]), "CPU"
    assert len(content["tables"]) == (3 if live else 2)
    assert verdicts(content) == {
        "recordings refused or without an answer": True,
        "pooled word error rate": True,
        "words more wrong than the engine alone": True,
    }


def test_every_category_is_heard_and_judged(tmp_path: Path) -> None:
    put(tmp_path, hum="caller 1 turn 1")
    content = run(
        "quality", str(tmp_path), "--engine", "scripted", "--categories", "--no-alone", "--most-wrong", "tones=1",
        "--most-wrong", "clean=0.25", "--most-wrong", "long=9", status=1,
    )  # fmt: skip
    rows = {row[0]: row for row in content["tables"][0]["rows"]}
    clips = {"clean": 1, "quiet": 1, "telephone": 1, "mulaw": 1, "noise-20dB": 1, "noise-10dB": 1, "long": 1}
    clips |= {"silence": 2, "noise-only": 10, "tones": 5, "all": 24}
    assert {name: row[1] for name, row in rows.items()} == clips
    assert rows["silence"][2:6] == [0, 0, None, None]
    assert rows["tones"][3] > 0, "a tone is speech to the scripted engine, and every word of it is wrong"
    judged = verdicts(content)
    assert judged["word error rate, clean"]
    assert not judged["word error rate, tones"], "there is no rate"


def test_too_many_wrong_words_end_with_one(tmp_path: Path) -> None:
    put(tmp_path, **{"first-1": "something else altogether"})
    content = run("quality", str(tmp_path), "--engine", "scripted", "--most-wrong", "0.2", "--no-alone", status=1)
    assert verdicts(content)["pooled word error rate"] is False
    assert content["tables"][0]["rows"][-1][4] is None


@pytest.mark.parametrize("live", [False, True])
def test_a_target_that_does_not_answer_is_told_for_each_recording(tmp_path: Path, live: bool) -> None:
    put(tmp_path, **{"first-1": "hello"})
    kind = ["--live"] if live else []
    content = run("quality", str(tmp_path), "--target", "127.0.0.1:1", *kind, status=1)
    assert content["tables"][-1]["rows"][0][-1].startswith("UNAVAILABLE")
    assert verdicts(content)["recordings refused or without an answer"] is False


def test_an_engine_that_cannot_be_run_alone_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, **{"first-1": "hello"})
    monkeypatch.setenv("STREAMING_MODEL_PATH", "/nowhere")
    result = CliRunner().invoke(app, ["quality", str(tmp_path), "--engine", "streaming"])
    assert result.exit_code == 2
    assert "There is no model folder /nowhere" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("wish", ["", "clean=", "clean=much", "nan", "-0.1"])
def test_a_threshold_that_is_none_is_a_sentence(tmp_path: Path, wish: str) -> None:
    result = CliRunner().invoke(app, ["quality", str(tmp_path), "--most-wrong", wish])
    assert result.exit_code == 2
    assert "is no threshold; write" in result.output


def test_a_wish_stands_in_place_of_the_engines_thresholds() -> None:
    assert thresholds("moonshine") == ENGINES["moonshine"]
    assert thresholds("another") == NOT_JUDGED
    clean = thresholds("moonshine", ["clean=0.5"])
    assert (clean.categories["clean"], clean.categories["quiet"]) == (0.5, 0.06)
    every = thresholds("moonshine", ["clean=0.5", "0.2"])
    assert (every.read_english, dict(every.categories), every.unspoken) == (0.2, {"clean": 0.5}, 0)


def test_an_engine_without_a_threshold_is_not_judged_by_one() -> None:
    names = [
        one.name
        for one in report(QualityRun([heard("hello", "hello there")]), "another", NOT_JUDGED, live=False).verdicts
    ]
    assert names == ["recordings refused or without an answer"]


def test_the_pooled_rate_leaves_out_what_was_made_harder_and_what_has_a_threshold_of_its_own() -> None:
    limits = Thresholds(0.1, {"long": 0.5})
    found = QualityRun(
        [heard("one two", "one two"), heard("", "one two", "noise-10dB"), heard("six", "one two", "long")]
    )
    judged = {one.name: one.measured for one in report(found, "e", limits, live=False).verdicts}
    assert judged["pooled word error rate"] == 0
    assert judged["word error rate, long"] == 1


def test_words_heard_where_nobody_spoke_are_judged() -> None:
    silent = [heard("", "", "silence"), heard("Thank you.", "", "tones")]
    found = report(QualityRun(silent), "e", Thresholds(unspoken=0), live=False)
    assert [(one.name, one.measured, one.met) for one in found.verdicts[1:]] == [
        ("words heard where nobody spoke", 2, False)
    ]
    assert report(QualityRun(silent), "e", Thresholds(unspoken=2), live=False).met


def test_a_server_may_have_few_words_more_wrong_than_its_engine() -> None:
    said = "ten two apples four more six"
    alone = {Path("/a.wav"): said}
    for text, is_met in (("ten two apples", True), ("ten two", False)):
        found = report(QualityRun([heard(text, said)], alone=alone), "another", NOT_JUDGED, live=False)
        assert found.met is is_met
        assert found.notes == (f"a, a: the engine alone heard: {said}",)
    nothing = QualityRun([heard("ten two", said)], alone={})
    assert report(nothing, "another", NOT_JUDGED, live=False, words_worse=0).met, "the engine alone heard nothing"


def test_a_refused_recording_has_every_word_wrong() -> None:
    found = report(
        QualityRun([heard("", "hello there", trouble="UNAVAILABLE: gone")]), "parakeet", NOT_JUDGED, live=False
    )
    assert not found.met
    assert found.tables[0].rows[-1][5] == 100


def test_live_streams_are_judged_by_gaps_and_finals_of_what_was_not_made_harder() -> None:
    limits = Thresholds(partial_gap_s=0.6, final_s=0.25)
    timings = {"clean": Timing([0.5], [0.3], [0.6], [1.0]), "noise-10dB": Timing([9], [9], [9], [9])}
    found = QualityRun([heard("ten", "ten", "clean")], timings=timings)
    assert report(found, "e", limits, live=True).met
    late = replace(found, timings={"clean": Timing([0.5], [0.3], [0.7], [1.2])})
    assert [one.met for one in report(late, "e", limits, live=True).verdicts[1:]] == [False, False]
    assert not report(replace(found, timings={}), "e", limits, live=True).met, "nothing was measured"
    assert report(found, "e", limits, live=False).verdicts[1:] == ()
