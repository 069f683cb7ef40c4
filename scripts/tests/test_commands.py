"""Can the options of every command be read without the source, and are its words completed in a shell?"""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner
from voice_bench.cli import app as voice_bench
from voice_client.cli import app as voice
from voicectl.cli import app as voicectl

COMMANDS = {"voice": voice, "voice-bench": voice_bench, "voicectl": voicectl}
_LEANS_ON_ANOTHER = re.compile(r"^(its|it|the same|of|between|how long before|that|also)\b", re.IGNORECASE)


def described(command: object, name: str) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of every help text below a command."""
    if isinstance(command, TyperGroup):
        for verb, below in command.commands.items():
            yield from described(below, f"{name} {verb}")
    yield name, str(getattr(command, "help", "") or "")
    for parameter in getattr(command, "params", []):
        yield f"{name} {parameter.name}", str(getattr(parameter, "help", "") or "")


TEXTS = [text for name, app in COMMANDS.items() for text in described(typer.main.get_command(app), name)]


@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_a_help_text_is_a_sentence_that_stands_alone(where: str, text: str) -> None:
    assert re.match(r"[A-Z0-9/]", text), f"{where} begins small: {text!r}"
    assert text.rstrip()[-1] in ".?", f"{where} has no full stop: {text!r}"
    assert not _LEANS_ON_ANOTHER.match(text), f"{where} does not stand alone: {text!r}"


@pytest.mark.parametrize(
    ("name", "verbs"),
    [("voice", ["ask", "talk"]), ("voice-bench", ["demo", "overhead"]), ("voicectl", ["canary", "status"])],
)
def test_a_shell_completes_the_verbs(name: str, verbs: list[str]) -> None:
    variable = f"_{name.upper().replace('-', '_')}_COMPLETE"
    words = {variable: "complete_bash", "COMP_WORDS": f"{name} ", "COMP_CWORD": "1"}
    shown = CliRunner().invoke(COMMANDS[name], prog_name=name, env=words).stdout.split()
    assert set(verbs) <= set(shown)
