"""Are percentiles, slopes and verdicts what they say?"""

import json

import pytest
from voice_bench.measure.report import Report, Rows, as_json, show
from voice_bench.measure.statistics import figures, percentile, slope
from voice_bench.measure.verdict import at_most, none_of, ratio


def test_percentiles_lie_between_the_measured_values() -> None:
    assert figures([float(value) for value in range(1, 102)]) == (51.0, 96.0, 100.0, 101.0)


def test_nothing_measured_has_no_percentiles() -> None:
    assert figures([]) == (None,) * 4
    assert percentile([], 95) is None


def test_the_slope_of_a_line_is_found_and_one_point_has_none() -> None:
    assert slope([(0, 1.0), (10, 3.0), (20, 5.0)]) == pytest.approx(0.2)
    assert slope([(5, 1.0), (5, 9.0)]) == 0.0


def test_a_target_is_met_at_its_limit_and_missed_above_or_unmeasured() -> None:
    assert at_most("added", 5.0, 5.0, "ms").met
    assert not at_most("added", 5.01, 5.0, "ms").met
    unmeasured = at_most("added", None, 5.0, "ms")
    assert not unmeasured.met
    assert "not measured" in str(unmeasured)
    assert not none_of("failed calls", 1).met


def test_a_ratio_needs_both_sides() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(3.0, 0.0) is None


def test_a_report_says_the_same_as_json_and_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(
        "trial",
        (Rows("turns", ("what", "ms"), (("added", 1.25), ("unknown", None))),),
        (at_most("added p50", 1.25, 5.0, "ms"), none_of("failed calls", 2)),
        ("a note",),
        facts={"cpu": "one"},
        command="voice-bench overhead",
    )
    content = json.loads(as_json(report))
    assert content["met"] is False
    assert content["tables"][0]["rows"] == [["added", 1.25], ["unknown", None]]
    show(report, json_wanted=False)
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("MISS", "1.25", "a note", "voice-bench overhead", "cpu"))
