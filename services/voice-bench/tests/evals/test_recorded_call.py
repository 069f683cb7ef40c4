"""Does a recorded call, made a scenario, go as it went? Every scenario is a call that can be recorded."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.evals.judging import judge
from voice_bench.evals.playing import PlayedCall, play
from voice_bench.evals.recorded_call import scenario_text
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.scenario_file import read_scenario, scenario_files

FOLDER = Path(__file__).parents[4] / "evals"
WITHOUT_DROPS = [
    file
    for file in scenario_files([FOLDER])
    if not file.stem.startswith(("link_", "12_session_ends", "07_", "longest", "voice_hangs"))
]
"""The turn clock stands still while a link is down, and so do its facts."""


def turns(call: PlayedCall) -> list[tuple[str, float]]:
    """Which turns ended when."""
    return [(moment.text, moment.at) for moment in call.moments if moment.event == "turn ended"]


@pytest.mark.parametrize("file", WITHOUT_DROPS, ids=lambda file: file.stem)
def test_a_recorded_call_goes_again_as_it_went(file: Path) -> None:
    call = play(read_scenario(file), file.parent)
    again = play(Scenario.model_validate(yaml.safe_load(scenario_text(call.turn_log, file.stem))))
    assert judge(again) == []
    assert [words for words, _ in turns(again)] == [words for words, _ in turns(call)]
    for (_, one), (_, other) in zip(turns(again), turns(call), strict=True):
        assert one == pytest.approx(other, abs=0.05)


def test_the_command_prints_a_scenario_or_what_is_wrong(tmp_path: Path) -> None:
    file = FOLDER / "complaints" / "14_not_silent_after_a_barge_in.yaml"
    log = tmp_path / "call-1.jsonl"
    log.write_text("\n".join(play(read_scenario(file)).turn_log) + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["evals", "from-log", str(log)])
    assert result.exit_code == 0
    (tmp_path / "made.yaml").write_text(result.stdout, encoding="utf-8")
    assert CliRunner().invoke(app, ["evals", "run", str(tmp_path / "made.yaml")]).exit_code == 0
    log.write_text("nothing\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["evals", "from-log", str(log)])
    assert result.exit_code == 2
    assert "line 1: not JSON" in result.output
