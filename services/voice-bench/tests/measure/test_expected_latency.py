"""Are turns matched to the simulators' time stamps, and their path summed up rightly?"""

import json

import pytest
from voice_bench.measure.expected_latency import TurnTimestamps, holds, programmed_s, tag_of, timestamps_by_tag

SILENCE_S = 0.2


def lines(*events: tuple[float, str, dict[str, object]]) -> list[str]:
    return [json.dumps({"t": at, "event": name, **facts}) for at, name, facts in events]


def one_turn() -> list[str]:
    tag = "caller 2 turn 7"
    return lines(
        (100.20, "asr.silence", {"stream": 2, "utterance": 7}),
        (100.22, "asr.final", {"stream": 2, "utterance": 7}),
        (100.23, "llm.request", {"request": 5, "last": tag}),
        (100.38, "llm.token", {"request": 5, "n": 1, "text": "Heard"}),
        (100.385, "llm.token", {"request": 5, "n": 2, "text": f"Heard {tag}."}),
        (100.39, "llm.token", {"request": 5, "n": 3, "text": f"Heard {tag}. More"}),
        (100.40, "llm.token", {"request": 5, "n": 4, "text": f"Heard {tag}. More."}),
        (100.392, "tts.request", {"text": f"Heard {tag}."}),
        (100.473, "tts.first_chunk", {"text": f"Heard {tag}."}),
        (100.60, "tts.request", {"text": f"More of {tag}."}),
        (100.70, "tts.first_chunk", {"text": f"More of {tag}."}),
        (100.71, "llm.ended", {"request": 5, "reason": "abort"}),
    )


def test_the_path_is_the_simulators_own_delays_and_nothing_between_them() -> None:
    found = timestamps_by_tag(one_turn())["caller 2 turn 7"]
    assert programmed_s(found, SILENCE_S) == pytest.approx(0.2 + 0.02 + 0.16 + 0.081)


def test_a_summary_of_the_call_belongs_to_none_of_the_turns_it_names() -> None:
    told = "Language: en-US\n\nSaid since:\nCaller: caller 2 turn 6\nAgent: Heard.\nCaller: caller 2 turn 7"
    summary = lines(
        (100.5, "llm.request", {"request": 6, "last": told}),
        (100.6, "llm.token", {"request": 6, "n": 1, "text": "Caller"}),
    )
    assert timestamps_by_tag([*one_turn(), *summary]) == timestamps_by_tag(one_turn())


def test_events_count_in_the_order_of_their_times_not_of_the_files() -> None:
    assert timestamps_by_tag(reversed(one_turn())) == timestamps_by_tag(one_turn())


def test_the_token_counts_that_completes_the_phrase_really_sent() -> None:
    found = timestamps_by_tag(one_turn())["caller 2 turn 7"]
    found.phrases[0] = (100.41, "Heard caller 2 turn 7. More!")
    found.tokens[-1] = (100.40, "Heard caller 2 turn 7. More!")
    assert programmed_s(found, SILENCE_S) == pytest.approx(0.2 + 0.02 + 0.17 + 0.063)


def test_after_a_point_the_next_token_or_the_end_shows_that_the_phrase_is_complete() -> None:
    found = timestamps_by_tag(one_turn())["caller 2 turn 7"]
    found.tokens = found.tokens[:2]
    found.llm_ended_at = 100.395
    assert programmed_s(found, SILENCE_S) == pytest.approx(0.2 + 0.02 + 0.165 + 0.081)


def test_a_turn_without_all_stamps_has_no_path() -> None:
    found = timestamps_by_tag([line for line in one_turn() if "tts.first_chunk" not in line])["caller 2 turn 7"]
    assert programmed_s(found, SILENCE_S) is None
    assert programmed_s(TurnTimestamps(), SILENCE_S) is None


def test_a_cut_off_request_is_told_by_its_reason() -> None:
    found = timestamps_by_tag(one_turn())["caller 2 turn 7"]
    assert (found.llm_end, found.llm_ended_at) == ("abort", 100.71)
    assert len(found.phrases) == 2


def test_half_written_and_strange_lines_are_passed_over() -> None:
    assert timestamps_by_tag(['{"t": 1, "eve', "[]", '{"event": "asr.final"}', ""]) == {}


def test_the_last_turn_named_is_the_turn() -> None:
    assert tag_of("caller 1 turn 2 caller 1 turn 3") == "caller 1 turn 3"
    assert tag_of("hello") is None


def test_spaces_do_not_hide_a_phrase() -> None:
    assert holds("One  two. Three", "One two.")
    assert not holds("One tw", "One two.")
