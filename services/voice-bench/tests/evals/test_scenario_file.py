"""Is a mistake in a scenario told with file, line, key and what to write instead?"""

from pathlib import Path

import pytest
from voice_bench.evals.scenario_file import BadScenarioFile, read_scenario, scenario_files

HEAD = "title: A test\ncaller:\n  - say: hello\n"


def mistakes(folder: Path, text: str) -> list[str]:
    """What is told of a file, without its folder."""
    file = folder / "one.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadScenarioFile) as error:
        read_scenario(file)
    return str(error.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "recogniser:\n  dely: 3\n", ["one.yaml:5: recogniser.dely: this key is not known here"]),
        (HEAD + "recogniser: {delay: soon}\n", ["one.yaml:4: recogniser.delay: Input should be a valid number"]),
        (HEAD + "    type: bye\n", ["one.yaml:3: caller.1: a step needs one of say", "it has say, type"]),
        (HEAD + "  - when: reply ended\n", ["one.yaml:4: caller.2: a step needs one of say", "it has none"]),
        (HEAD + "  - {when: reply herd, wait: 1}\n", ["one.yaml:4: caller.2.when: 'reply herd'", "'reply heard'"]),
        (HEAD + "expect:\n  events:\n    - reply ended\n    - {event: final, with: 3}\n", [":7: expect.events.2.with"]),
        ("caller:\n  - wait: 1\n", ["one.yaml:1: title: this key is missing"]),
        ("title: A test\ncaller: []\n", ["one.yaml:2: caller: this list is empty"]),
        (HEAD + "  - play: a.wav\n", ["one.yaml:4: caller.2: a step that plays a file says in 'heard_as'"]),
        ("title: [\n", ["one.yaml: no YAML"]),
        ("- 1\n", ["one.yaml:1: a scenario is made of keys and values"]),
        ("", ["one.yaml:1: a scenario is made of keys and values"]),
        (HEAD + "model: {answers: [{say: a, say: b}]}\n", ["one.yaml:4: say: this key stands there twice"]),
        (HEAD + '  - say: "[1.2]"\n', ["one.yaml:4: caller.2: 'say' has no word"]),
        (HEAD + "  - {play: no.wav, heard_as: hi}\n", ["one.yaml:4: caller.2.play: no.wav: No such file"]),
        (HEAD + "  - {play: one.yaml, heard_as: hi}\n", ["one.yaml:4: caller.2.play: one.yaml", "WAV"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_is(tmp_path: Path, text: str, told: list[str]) -> None:
    first = mistakes(tmp_path, text)[0]
    assert all(part in first for part in told), first


def test_every_mistake_of_a_file_is_told(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "title: A test\nvoice: {speed: 3}\nmodel: {kind: large}\ncaller:\n  - say: hello\n")
    assert [line.split(": ")[1] for line in found] == ["voice.speed", "model.kind"]


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "deep/a.yml", "notes.md"):
        (tmp_path / name).write_text(HEAD, encoding="utf-8")
    assert [file.name for file in scenario_files([tmp_path])] == ["b.yaml", "a.yml"]
    with pytest.raises(BadScenarioFile, match="there is no scenario in"):
        scenario_files([tmp_path / "deep" / "nothing"][:0])
