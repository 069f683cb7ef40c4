"""The list of settings an operator reads is the list the gateway reads."""

import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from serving.settings import read
from voice_gateway.config import Settings

SCRIPT = Path(__file__).parents[3] / "scripts" / "settings_table.py"
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/settings_table.py."""
    spec = spec_from_file_location("settings_table", SCRIPT)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def variables(script: ModuleType) -> dict[str, str]:
    """The example with every comment sign of a variable taken away, as a shell reads it."""
    lines = [line[1:] for line in script.env_example().splitlines() if line.startswith("#") and line[1:2].isupper()]
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


def test_the_example_holds_every_variable_once_and_sets_none(script: ModuleType) -> None:
    assert list(variables(script)) == NAMES
    assert all(line.startswith("#") or not line for line in script.env_example().splitlines())


def test_the_example_uncommented_changes_nothing(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    defaults = read(Settings)
    for name, value in variables(script).items():
        monkeypatch.setenv(name, value)
    assert read(Settings) == defaults


def test_what_was_written_is_fresh_and_a_change_is_stale(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    assert script.main(["--check"], tmp_path) == 1
    assert script.main([], tmp_path) == 0
    assert script.main(["--check"], tmp_path) == 0
    capsys.readouterr()
    (tmp_path / ".env.example").write_text("something else")
    assert script.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == ".env.example is stale: run `python scripts/settings_table.py`\n"
