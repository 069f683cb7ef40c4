"""Does every conversation of the folder evals go well, and is the schema that editors read fresh?"""

from pathlib import Path

import pytest
import yaml
from voice_bench.evals.scenario_file import SCHEMA_FILE, scenario_files, schema
from voice_bench.evals.suite import play_files

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "evals"
FILES = scenario_files([FOLDER])


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_conversation_goes_well(file: Path) -> None:
    (played,) = play_files([file])
    assert not played.mistakes, "\n".join(played.mistakes)


def test_every_complaint_has_a_scenario_that_names_where_it_comes_from() -> None:
    complaints = [file for file in FILES if file.parent.name == "complaints"]
    assert {int(file.stem[:2]) for file in complaints} == set(range(1, 18))
    assert all("#" in yaml.safe_load(file.read_text(encoding="utf-8"))["source"] for file in complaints)


def test_the_same_scenario_goes_the_same_way_each_time() -> None:
    file = FOLDER / "complaints" / "12_many_interruptions_do_not_freeze_the_call.yaml"
    first, second = (next(iter(play_files([file]))).call for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.moments == second.moments
    assert first.turn_log == second.turn_log


def test_the_schema_is_fresh() -> None:
    assert (FOLDER / SCHEMA_FILE).read_text(encoding="utf-8") == schema(), "run make docs"
