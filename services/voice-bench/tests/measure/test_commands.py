"""Does every measurement run, on a tiny scale, from the command line to the verdict? Slowness is not judged here."""

import asyncio
import json
from pathlib import Path

import pytest
import typer
import uvloop
from pcm import write_wav
from typer.testing import CliRunner
from voice_bench.measure import caller_audio, flood
from voice_bench.measure.caller import CallFailed
from voice_bench.measure.cli import app, run_measurement
from voice_bench.measure.clips import RATE_HZ, Frames, frames_of
from voice_bench.measure.report import Report
from voice_bench.measure.verdict import none_of


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of recordings, made by eSpeak NG, as VOICE_AUDIO and for `speech`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # leaves pytest-asyncio's loop alone
        clips: list[Frames] = runner.run(caller_audio.speech(0.6, 1.2))
    folder = tmp_path_factory.mktemp("recordings")
    for number, clip in enumerate(clips[:1]):
        write_wav(folder / f"clip-{number}.wav", [b"".join(clip)], RATE_HZ)
        (folder / f"clip-{number}.txt").write_text("good morning", encoding="utf-8")
    return folder


def measured(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, object]:
    monkeypatch.setenv("VOICE_AUDIO", str(folder))
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    content: dict[str, object] = json.loads(result.stdout)
    return content


def verdict(content: dict[str, object], name: str) -> float:
    verdicts = content["verdicts"]
    assert isinstance(verdicts, list)
    return float(next(one["measured"] for one in verdicts if one["name"] == name))


def test_overhead_measures_both_gateways_and_both_wires(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = ("--callers", "2", "--turns", "1", "--memory", "1,2", "--realtime")
    content = measured(spoken, monkeypatch, "overhead", *how)
    assert verdict(content, "failed sessions over Realtime, 2 callers") == 0
    tables = content["tables"]
    assert isinstance(tables, list)
    names = ["voice-gateway", "baseline gateway", "voice-gateway, gRPC at 24 kHz", "voice-gateway, Realtime"]
    assert [row[0] for row in tables[0]["rows"]] == names
    assert verdict(content, "turns without time stamps, 2 callers") == 0
    assert verdict(content, "failed calls, 2 callers") == 0
    assert verdict(content, "CPU against the baseline gateway, 2 callers") > 0
    assert verdict(content, "threads per further call") < 5


def test_endpointing_judges_every_way_on_the_same_turns(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = measured(spoken, monkeypatch, "endpointing", str(spoken), "--no-model")
    assert verdict(content, "dictations cut off by the default") == 0
    assert 0.3 < verdict(content, 'delay of "yes" by the default, p50') < 0.4
    tables = content["tables"]
    assert isinstance(tables, list)
    before, patient, rules = tables[0]["rows"]
    assert before[1] == patient[1] == rules[1] > 20
    assert rules[2] < patient[2] < before[2], "turns cut off"


def test_preemption_asks_before_the_turn_is_decided_and_tells_what_pauses_cost(
    spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = measured(spoken, monkeypatch, "preemption", "--turns", "2", "--pauses", "1", "--no-off")
    assert verdict(content, "failed calls") == 0
    assert verdict(content, "turns not asked early") == 0
    assert verdict(content, "after the decision, p50") < 2_000
    assert verdict(content, "requests a turn") == 1
    assert verdict(content, "failed calls, 1 pauses") == 0
    assert 1 < verdict(content, "requests a turn, 1 pauses") <= 2


def test_a_recogniser_that_stops_in_mid_word_costs_no_word(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = measured(spoken, monkeypatch, "asr-faults", "--kind", "stop", "--times", "1")
    assert verdict(content, "words lost") == 0
    assert verdict(content, "words doubled") == 0
    assert verdict(content, "added by the fault, worst") < 20_000


def test_barge_in_stops_replies(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = measured(spoken, monkeypatch, "barge-in", "--times", "2", "--callers", "2")
    assert verdict(content, "replies that were not stopped") == 0
    assert verdict(content, "heard texts that are not the reply's beginning") == 0
    assert verdict(content, "requests left at the model and at TTS") == 0


def test_soak_leaves_no_task(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice_bench.measure.soak.WARM_UP_CALLS", 2)
    content = measured(spoken, monkeypatch, "soak", "--calls", "4", "--at-once", "2")
    assert verdict(content, "tasks left") <= 0
    assert verdict(content, "failed calls") == 0


def test_soak_of_interrupted_replies_leaves_no_task(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice_bench.measure.soak.WARM_UP_CALLS", 1)
    monkeypatch.setattr("voice_bench.measure.soak.REPLIES_A_CALL", 3)
    content = measured(spoken, monkeypatch, "soak", "--interrupt", "--calls", "2", "--at-once", "2")
    assert verdict(content, "tasks left") <= 0
    assert verdict(content, "failed calls") == 0


def test_what_is_malformed_breaks_nothing_over_any_wire(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice_bench.measure.gateway_fuzz.SETTLE_S", 2.0)
    content = measured(spoken, monkeypatch, "gateway-fuzz", "--messages", "900")
    for what in ("connections that did not end", "answers that say the gateway failed", "tracebacks in its log"):
        assert verdict(content, what) == 0
    for what in ("sessions left", "tasks left", "neighbour's calls that failed"):
        assert verdict(content, what) <= 0


def test_speech_plays_recordings_one_by_one_and_together(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = measured(spoken, monkeypatch, "speech", str(spoken), "--callers", "2")
    tables = content["tables"]
    assert isinstance(tables, list)
    assert [row[0] for row in tables[0]["rows"]] == ["recogniser alone", "one after another", "2 at once"]


def test_strict_tells_misses_by_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    async def missing() -> Report:
        return Report("trial", (), (none_of("failed calls", 1),))

    run_measurement(missing, json=False, strict=False)
    with pytest.raises(typer.Exit) as ended:
        run_measurement(missing, json=False, strict=True)
    assert ended.value.exit_code == 1
    assert capsys.readouterr().out.count("MISS") == 2


def test_a_call_that_fails_in_a_group_of_tasks_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    async def failing() -> Report:
        raise ExceptionGroup("calls", [ExceptionGroup("inner", [CallFailed("no reply audio within 10 s")])])

    with pytest.raises(typer.Exit) as ended:
        run_measurement(failing, json=False, strict=False)
    assert ended.value.exit_code == 2
    assert "no reply audio" in capsys.readouterr().err


def test_a_folder_without_speech_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_AUDIO", str(tmp_path))
    result = CliRunner().invoke(app, ["barge-in", "--times", "1"])
    assert result.exit_code == 2
    assert "no WAV file" in result.stderr


def test_loads_that_are_no_numbers_are_refused() -> None:
    result = CliRunner().invoke(app, ["overhead", "--callers", "one,ten"])
    assert result.exit_code == 2
    assert "--callers needs numbers" in " ".join(result.stderr.replace("│", " ").split())


def test_a_wav_becomes_frames() -> None:
    assert len(frames_of(bytes(2 * RATE_HZ))) == 50


def test_a_flood_leaves_the_gateway_below_its_limit(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "BEFORE_S", 2.0)
    monkeypatch.setattr(flood, "SETTLE_S", 1.0)
    monkeypatch.setattr(flood, "NEIGHBOURS", 1)
    content = measured(spoken, monkeypatch, "flood", "--kind", "guesses", "--seconds", "5")
    assert verdict(content, "guesses: peak memory") <= 384
    assert verdict(content, "guesses: ended by the kernel") == 0
    assert verdict(content, "guesses: neighbours whose call failed") == 0
