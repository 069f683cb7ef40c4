"""Do `streams`, `speech-flood` and `fuzz` run to their end, and judge?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.speech import flood, fuzz_report, streams
from voice_bench.speech.process_stats import ProcessStats
from voice_bench.speech.server import engine_settings


def run(*arguments: str, status: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def verdicts(content: dict[str, Any]) -> dict[str, bool]:
    return {one["name"]: one["met"] for one in content["verdicts"]}


def test_what_an_operator_set_for_engines_holds_for_our_server_and_its_ports_are_its_own() -> None:
    environment = {"PARAKEET_MODEL_PATH": "/m", "SPEECH_VAD_ONSET": "0.4", "SPEECH_HTTP_PORT": "8000", "LANG": "C"}
    environment |= {"SPEECH_TLS_KEY_FILE": "/k", "SPEECH_REQUEST_LOG": "/l"}
    assert engine_settings(environment) == {"PARAKEET_MODEL_PATH": "/m", "SPEECH_VAD_ONSET": "0.4"}


def held(*changes: dict[str, Any]) -> list[ProcessStats]:
    """Ten looks at a server that stays as it is, but for the last ones."""
    calm = ProcessStats(0, 90.0, 20, 8, 12, 0)
    looks = [replace(calm, requests=1000 * number) for number in range(10)]
    return [*looks[: 10 - len(changes)], *(replace(looks[-1], **change) for change in changes)]


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, ""),
        ({"rss_mb": 97.0, "files": 22, "threads": 16, "connections": 16}, ""),
        ({"rss_mb": 99.0}, "memory"),
        ({"files": 23}, "files"),
        ({"threads": 21}, "threads"),
        ({"children": 1}, "children"),
    ],
)
def test_growth_over_the_second_half_is_a_leak(change: dict[str, Any], missed: str) -> None:
    judged = fuzz_report.growth(held(change), None)
    assert [one.name.split()[0] for one in judged if not one.met] == ([missed] if missed else [])


def test_what_grew_while_pools_were_filled_is_none() -> None:
    start = ProcessStats(0, 60.0, 10, 0, 4, 0)
    assert all(one.met for one in fuzz_report.growth([start, *held()], None))


def test_what_is_given_back_when_we_hang_up_is_none() -> None:
    busy = held({"children": 1, "files": 30})
    assert all(one.met for one in fuzz_report.growth(busy, held()[-1]))


def test_streams_in_real_time_lose_nothing_and_judge_every_lateness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SPEECH_S", 1.0)
    content = run("streams", "--count", "5", "--seconds", "6", "--beyond", "3")
    lost = {one["name"]: one["met"] for one in content["verdicts"] if one["unit"] != "ms"}
    assert len(lost) == 3
    assert all(lost.values()), content["verdicts"]
    # How late is for the command to judge, on a calm machine.
    assert len(content["verdicts"]) == 7
    assert content["tables"][0]["rows"][2][1] == 3


def test_a_flood_leaves_the_speech_server_below_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "BEFORE_S", 1.0)
    monkeypatch.setattr(flood, "NEIGHBOURS", 1)
    content = run("speech-flood", "--kind", "unread", "--seconds", "3")
    assert len(content["verdicts"]) == 6
    assert all(one["met"] for one in content["verdicts"] if "finals" not in one["name"]), content


def test_fuzz_answers_everything() -> None:
    content = run("fuzz", "--requests", "600", "--seed", "3")
    assert all(verdicts(content).values()), content
    assert sum(count for status, count in content["tables"][0]["rows"] if not status.startswith("realtime")) <= 600
