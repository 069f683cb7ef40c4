"""Would the scenarios notice a mistake in the turn machine? Each mutant is the machine with one; each must fail one.

The mistakes are those of the gateway's own tests (tests/core/test_turns_mutants.py), which keep up with the machine.
"""

import ast
from pathlib import Path
from types import ModuleType

import pytest
from voice_bench.evals.scenario_file import scenario_files
from voice_bench.evals.suite import play_files
from voice_gateway.core import turns

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "evals"
LIST = ROOT / "services/voice-gateway/tests/core/test_turns_mutants.py"
PARTS = {file: file.read_text(encoding="utf-8") for file in Path(turns.__file__).parent.glob("*.py")}

LIKELY = {
    "settled words wait as long as unsettled ones": "complaints/01_same_word_same_wait",
    "nobody waits for a recogniser that is behind": "conversations/recogniser_hangs",
    "speech in a pause forgets the words": "complaints/02_phone_number_is_not_cut_off",
    "a late final never corrects": "conversations/correction_after_the_turn",
    "the late final of a short reply is a new turn": "conversations/final_after_a_short_reply",
    "words without a detector wait for speech to stop": "conversations/without_detector",
    "speech holds no reply": "complaints/08_barge_in_is_not_late",
    "a cough does not give a held reply back": "conversations/cough_while_the_reply_is_thought_up",
    "what was heard is retracted": "complaints/09_words_that_were_played_stay_in_the_history",
    "a retracted reply takes its words along": "conversations/goes_on_while_the_reply_is_thought_up",
    "words that grow after their turn change nothing": "complaints/04_no_stale_reply_when_the_caller_goes_on",
    "reply numbers stand still": "complaints/12_many_interruptions_do_not_freeze_the_call",
    "push-to-talk ends turns by itself": "conversations/push_to_talk",
    "idle prompts are never forgiven": "conversations/idle_caller",
}
"""A mutant, and the scenario that is likely to fail."""


def mutants() -> dict[str, tuple[str, str]]:
    """The gateway's list: text that stands in the machine, and what stands there instead."""
    for statement in ast.parse(LIST.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == "MUTANTS" and statement.value:
            found: dict[str, tuple[str, str]] = ast.literal_eval(statement.value)
            return found
    raise AssertionError(f"{LIST} has no MUTANTS")


def mutant(old: str, new: str) -> ModuleType:
    """The turn machine with `new` for `old`, in its own module or one of its parts."""
    (part,) = [file for file, source in PARTS.items() if old in source]
    assert PARTS[part].count(old) == 1, f"a mutant replaces text that must stand there once: {old!r}"
    changed = ModuleType("mutant")
    exec(compile(PARTS[part].replace(old, new), "mutant", "exec"), vars(changed))
    if part == Path(turns.__file__):
        return changed
    machine = ModuleType("machine")
    exec(compile(PARTS[Path(turns.__file__)], "machine", "exec"), vars(machine))
    vars(machine).update({name: value for name, value in vars(changed).items() if name in vars(machine)})
    return machine


def first_failing(likely: str) -> str | None:
    """The first scenario that does not go well; the likely one is played first, then all others."""
    files = sorted(scenario_files([FOLDER]), key=lambda file: likely not in str(file))
    assert files[0].with_suffix("") == FOLDER / likely, f"there is no scenario {likely}"
    return next((one.name for one in play_files(files) if one.mistakes), None)


@pytest.mark.parametrize("name", LIKELY)
def test_a_mutant_of_the_machine_fails_a_scenario(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = mutant(*mutants()[name])
    monkeypatch.setattr(turns, "step", wrong.step)
    monkeypatch.setattr(turns, "deadline", wrong.deadline)
    assert first_failing(LIKELY[name]) == LIKELY[name]
