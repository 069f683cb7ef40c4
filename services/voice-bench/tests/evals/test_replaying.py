"""Are the turns of recorded calls decided again as they were, and is what another policy makes of them told?"""

from pathlib import Path

import pytest
from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.evals.playing import PlayedCall, play
from voice_bench.evals.replay_report import summary
from voice_bench.evals.replaying import (
    DecidedTurn,
    decided_turns,
    differences,
    log_lines,
    parsed_changes,
    policy_with,
    read_log,
)
from voice_bench.evals.scenario import Scenario
from voice_gateway.core.turn_policy import Policy

CALL = Scenario.model_validate(
    {
        "title": "A test",
        "settings": {"TURN_END_SILENCE_S": 1.0},
        "caller": [
            {"say": "I would like to book a table [0.9] for two people"},
            {"when": "reply ended", "after": 0.5, "say": "tell me more about it"},
            {"when": "reply audible", "interrupt": True},
        ],
    }
)


def ended(call: PlayedCall) -> list[tuple[float, str]]:
    """The turns that the caller was told of and that were not taken up again."""
    return [(round(moment.at, 1), moment.text) for moment in call.moments if moment.event == "turn ended"]


def test_the_own_policy_decides_as_it_did() -> None:
    call = play(CALL)
    decided = decided_turns(read_log(call.turn_log), {})
    assert [(round(turn.at, 1), turn.words) for turn in decided] == ended(call)
    assert differences(decided, decided) == [
        type(one)(one.words, one.was, one.was, "same") for one in differences(decided, decided)
    ]


def test_a_shorter_silence_ends_turns_earlier_and_cuts_one() -> None:
    logged = read_log(play(CALL).turn_log)
    was = decided_turns(logged, {})
    now = decided_turns(logged, {"end_silence": "0.1", "incomplete_silence": "0.1", "reading_silence": "0.1"})
    found = differences(was, now)
    assert [(one.words, one.kind) for one in found] == [
        ("I would like to book a table for two people", "cut"),
        ("I would like to book a table", "cut"),
        ("for two people", "cut"),
        ("tell me more about it", "earlier"),
    ]
    assert found[-1].won_s > 0
    assert summary(found, 1).startswith("2 turns of 1 calls: 3 cut, 1 earlier; ")


def test_a_longer_silence_ends_turns_later() -> None:
    logged = read_log(play(CALL).turn_log)
    fixed = {"learned_silence_min": "inf"}  # else a part of the difference is learned
    found = differences(decided_turns(logged, fixed), decided_turns(logged, {**fixed, "end_silence": "1.5"}))
    assert {one.kind for one in found} == {"later"}
    assert all(one.won_s == pytest.approx(-0.5, abs=0.1) for one in found)


def test_turns_that_become_one_are_joined() -> None:
    was = [DecidedTurn(1.0, "book a table"), DecidedTurn(2.0, "for two")]
    assert {one.kind for one in differences(was, [DecidedTurn(2.5, "Book a table for two.")])} == {"joined"}
    assert {one.kind for one in differences(was, [DecidedTurn(2.5, "something else")])} == {"other words"}


def test_changes_are_read_and_mistakes_are_told() -> None:
    assert parsed_changes(["end_silence=0.3", " drafts = false"]) == {"end_silence": "0.3", "drafts": "false"}
    changed = policy_with(Policy(), {"end_silence": "0.7", "drafts": "true", "draft_tries": "1", "idle_after": "inf"})
    assert (changed.end_silence, changed.drafts, changed.draft_tries) == (0.7, True, 1)
    for mistake, told in (
        ({"silence": "1"}, "silence is nothing of the policy; it has end_silence"),
        ({"end_silence": "long"}, "end_silence needs a value like 0.3, not 'long'"),
        ({"drafts": "1"}, "drafts needs a value like False, not '1'"),
    ):
        with pytest.raises(ValueError, match=told):
            policy_with(Policy(), mistake)
    with pytest.raises(ValueError, match=r"'end_silence' is no NAME=VALUE, such as end_silence=0\.3"):
        parsed_changes(["end_silence"])


def test_the_command_reads_a_folder_and_says_what_is_wrong(tmp_path: Path) -> None:
    def asked(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["replay", str(tmp_path), *words])
        return result.exit_code, " ".join(result.output.split())

    assert asked("--set", "end_silence=0.1")[0] == 2
    (tmp_path / "call-1.jsonl").write_text("\n".join(play(CALL).turn_log) + "\n", encoding="utf-8")
    code, text = asked("--set", "end_silence=2.0")
    assert code == 0
    assert "call-1 tell me more about it" in text
    assert "2 turns of 1 calls: 2 later" in text
    assert asked("--set", "patience=1")[0] == 2
    (tmp_path / "call-2.jsonl").write_text("{}\n", encoding="utf-8")
    code, text = asked("--set", "end_silence=0.1")
    assert code == 2
    assert "call-2.jsonl: line 1: this is no header of turn log version" in text
    assert "2 turns of 1 calls" in text, "the others are judged all the same"


def test_a_turn_log_whose_last_line_was_cut_off_is_read_without_it(tmp_path: Path) -> None:
    lines = play(CALL).turn_log
    cut = tmp_path / "cut.jsonl"
    cut.write_text("\n".join(lines)[:-5], encoding="utf-8")
    assert log_lines(cut) == list(lines[:-1])
    cut.write_text("\n".join(lines), encoding="utf-8")
    assert log_lines(cut) == list(lines)
    for content, says in ((b"", "is empty"), (b"\xff\xfe", "no turn log")):
        cut.write_bytes(content)
        with pytest.raises(ValueError, match=says):
            log_lines(cut)
