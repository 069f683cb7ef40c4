"""Does the report say what the requests of its windows did?"""

from dataclasses import replace

import pytest
from speech_server.core.requests.request_stats import RequestRecord, Window, parse_line, parse_window, report
from speech_server.errors import BadRequest

NOW = 100_000.0


def ended(ago_s: float, route: str = "/a", status: str = "OK", **took: float) -> RequestRecord:
    return replace(RequestRecord(NOW - ago_s, "http", route, status, 1.0), **took)  # type: ignore[arg-type]  # numbers


def only(rows: list[Window], window: str, route: str) -> Window:
    (row,) = [row for row in rows if (row.window, row.route) == (window, route)]
    return row


def test_a_record_survives_its_line() -> None:
    record = ended(5, queue_s=0.25, audio_s=3.5)
    assert parse_line(record.line()) == record


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"at": "now"}', '{"at": NaN, "wire": 1}', '"x"', "\x00"])
def test_a_line_that_is_no_record_is_passed_over(line: str) -> None:
    assert parse_line(line) is None


def test_a_field_of_a_later_version_is_passed_over() -> None:
    line = ended(5).line().replace("{", '{"colour": "blue", ', 1)
    assert parse_line(line) == ended(5)


def test_each_window_counts_only_its_own_time() -> None:
    rows = report([ended(60), ended(2000), ended(90_000)], ["30m", "1h", "24h"], NOW)
    assert [only(rows, window, "/a").requests for window in ("30m", "1h", "24h")] == [1, 2, 2]


def test_percentiles_are_nearest_ranks_of_what_was_served() -> None:
    records = [ended(1, total_s=float(n)) for n in range(1, 101)] + [ended(1, status="UNAVAILABLE", total_s=900.0)]
    row = only(report(records, ["1h"], NOW), "1h", "/a")
    assert (row.total.p50, row.total.p95) == (50, 95)
    assert (row.requests, row.errors, row.statuses) == (101, 1, (("UNAVAILABLE", 1),))


def test_the_rtf_is_engine_time_by_audio_time() -> None:
    row = only(
        report([ended(1, inference_s=1, audio_s=10), ended(1, inference_s=2, audio_s=5)], ["1h"], NOW), "1h", "/a"
    )
    assert row.rtf == pytest.approx(0.2)


def test_several_routes_get_a_row_each_and_one_together() -> None:
    rows = report([ended(1, "/a"), ended(1, "/b"), ended(1, "/b")], ["1h"], NOW)
    assert [(row.route, row.requests) for row in rows] == [("all", 3), ("/a", 1), ("/b", 2)]


def test_an_empty_window_is_a_row_of_nothing() -> None:
    (row,) = report([], ["30m"], NOW)
    assert (row.requests, row.total.p95, row.rtf) == (0, 0.0, 0.0)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)])
def test_a_window_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_window(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0m", "1 week", "-1h", "1.5h"])
def test_a_window_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadRequest, match="write a number"):
        parse_window(text)
