"""Does every fact in every state come to an answer, and does the document say which?"""

import importlib.util
import re
from math import inf
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Overlap, State
from voice_gateway.core.turn_types import Event, Tick, Typed
from voice_gateway.core.turns import deadline, step

SCRIPT = Path(__file__).parents[4] / "scripts" / "turn_table.py"


@pytest.fixture(scope="module")
def table() -> ModuleType:
    """The script that writes the tables."""
    spec = importlib.util.spec_from_file_location("turn_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_fact_in_every_state_is_answered_under_every_policy(table: ModuleType) -> None:
    policies = [
        Policy(),
        Policy(drafts=True),
        Policy(decides=False),
        Policy(end_on_final=True),
        Policy(idle_after=0.0, idle_tries=0, greets=True),
        Policy(0.0, 0.0, False, 0.0, 0.0, 0.0, 0.0),
        Policy(inf, inf, True, inf, inf, inf, inf),
    ]
    samples = [state for kind in table.SAMPLES.values() for state in kind.values()]
    samples.append(Overlap(Call(3), 3, 99.9, True, words="two", quiet_since=99.95))
    facts: list[Event] = [fact or Tick() for fact in table.FACTS.values()]
    facts.append(Typed(" "))
    for policy in policies:
        for state in samples:
            for fact in facts:
                for now in (table.NOW, table.NOW + 1e6):
                    after, actions = step(state, fact, now, policy)
                    due = deadline(after, policy)
                    assert isinstance(actions, tuple)
                    assert due is None or due > now, (state, fact, now, policy)


def test_the_samples_are_of_every_state_and_the_facts_of_every_kind(table: ModuleType) -> None:
    assert set(table.SAMPLES) == set(get_args(State))
    assert {type(fact or Tick()) for fact in table.FACTS.values()} == set(get_args(Event))


def test_the_table_in_the_document_is_fresh(table: ModuleType) -> None:
    assert table.main(["--check"]) == 0


def test_a_stale_table_is_found_and_renewed(
    table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "turn-taking.md"
    document.write_text(f"before\n{table.BEGIN}\nstale rows\n{table.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(table, "DOCUMENT", document)
    assert table.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert "stale rows" in document.read_text(encoding="utf-8")
    assert table.main([]) == 0
    assert table.main(["--check"]) == 0
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale rows" not in text


def test_a_document_without_markers_is_refused(
    table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "turn-taking.md"
    document.write_text("nothing here\n", encoding="utf-8")
    monkeypatch.setattr(table, "DOCUMENT", document)
    with pytest.raises(SystemExit, match="needs the lines"):
        table.main([])


def test_every_arrow_of_the_table_is_drawn_in_the_diagram_and_no_other(table: ModuleType) -> None:
    text = table.DOCUMENT.read_text(encoding="utf-8")
    drawing = text.partition("```mermaid")[2].partition("```")[0]
    drawn = set(re.findall(r"^\s*(\w+) --> (\w+)", drawing, flags=re.MULTILINE))
    arrows = {(row[0], row[3]) for policy in (table.DECIDES, table.PUSH_TO_TALK) for row in table.rows(policy)}
    assert drawn == arrows
