"""What happens to characters that no prompt has? They are refused by a sentence, wherever they stand."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import CHART, Chart, nested

CODES = [0, 1, 8, 0xB, 0xC, 0xD, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x92, 0x9F, 0xFFFD]
PLACES: list[tuple[str, Any]] = [
    ("config.llm.systemPrompt", "a\x92b"), ("config.turn.idlePrompt", "a\x7fb"), ("config.riva.host", "riva\x00"),
    ("podAnnotations", {"note": "a\x85b"}), ("podLabels", {"a\x1b": "b"}), ("speechServer.env", {"SCRIPT": "\r\n"}),
    ("gatewayApi.hostnames", ["voice\x1f.example.com"]), ("secrets.tokens.name", "t\x08"),
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_a_control_character_in_a_prompt_is_refused_by_its_path(chart: Chart, code: int) -> None:
    said = chart.refusal(nested("config.llm.systemPrompt", f"You are {chr(code)} kind."))

    assert "config.llm.systemPrompt holds the control character" in said
    assert "take it out" in said


@pytest.mark.parametrize(("path", "value"), PLACES)
def test_so_it_is_in_every_value_and_key(chart: Chart, path: str, value: Any) -> None:
    assert f"{path.partition('.')[0]}" in chart.refusal(nested(path, value)).partition("holds the control")[0]


def test_so_it_is_by_every_way_of_setting_a_value(chart: Chart, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_bytes(b"It\x92s from Windows.")
    ways = [
        ["--set", "config.turn.greeting=a\x92b"], ["--set-string", "config.turn.greeting=a\x7fb"],
        ["--set-json", 'config.turn.greeting="a\\u0092b"'], ["--set-file", f"config.turn.greeting={file}"],
    ]  # fmt: skip

    for way in ways:
        found = chart.run("template", "voice", str(CHART), *way)
        assert found.returncode != 0, way
        assert "config.turn.greeting holds the control character" in found.stderr


@pytest.mark.parametrize("prompt", ["a\tb\nc", "\u2028", "\ufeffa", "日本語 नमस्ते", "\u00a0", "a: |\n  b\n"])
def test_all_other_characters_arrive(chart: Chart, prompt: str) -> None:
    assert chart.render(nested("config.llm.systemPrompt", prompt)).live["LLM_SYSTEM_PROMPT"] == prompt


def test_so_do_those_beyond_sixteen_bits(chart: Chart) -> None:
    only = ("--show-only", "templates/gateway-configmaps.yaml")
    found = chart.run("template", "voice", str(CHART), "--set", "config.turn.greeting=Hi 👍", *only)

    (text,) = yaml.safe_load(found.stdout)["data"].values()
    assert yaml.safe_load(text)["GREETING"] == "Hi 👍"


def test_the_variables_of_the_start_carry_them_too(chart: Chart) -> None:
    odd = 'é "quoted" \\ $HOME: #1'

    assert chart.render(nested("config.riva.model", odd)).restart["RIVA_MODEL"] == odd
