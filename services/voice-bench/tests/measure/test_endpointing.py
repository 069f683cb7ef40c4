"""Does the bench count a cut-off as one, and give every judge the same turn?"""

from dataclasses import replace

import numpy as np
import pytest
from voice_bench.measure import endpointing_report
from voice_bench.measure.endpointing import Cost, Judge, Outcome, Told, decide, facts, judges, speech
from voice_bench.measure.endpointing_run import Judged
from voice_bench.measure.endpointing_timelines import RATE_HZ, SCRIPTS, recorded, scripted, trimmed
from voice_gateway.core.turn_types import Heard, SpeechStopped, TurnScored

BEFORE, PATIENT, RULES, MODEL = judges(model=True)
DICTATION = {2.0: "my number is five five five", 4.0: "one two three", 6.0: "four five six seven"}
PARTS = [(1.0, 2.0), (3.1, 4.0), (5.1, 6.0)]


async def told(words: dict[float, str], score: float | None = None) -> list[Told]:
    """The facts of a turn whose parts end at these seconds."""
    starts = {ended: began for began, ended in PARTS}

    async def hear(began: float, until: float) -> str:
        return " ".join(text for at, text in words.items() if began < at and starts[at] + 0.1 < until)

    stretches = [part for part in PARTS if part[1] in words]
    return await facts(stretches, hear, None if score is None else lambda _, __: score, Cost())


async def outcome(judge: Judge, words: dict[float, str], score: float | None = None) -> Outcome:
    return decide(judge, await told(words, score), [part for part in PARTS if part[1] in words], Cost())


async def test_a_dictation_is_cut_off_by_a_fixed_silence_and_not_by_rules() -> None:
    fixed = await outcome(BEFORE, DICTATION)
    assert (fixed.cuts, fixed.heard_cuts) == (2, 2)
    rules = await outcome(RULES, DICTATION)
    assert rules.cuts == 0
    assert rules.delay_s == pytest.approx(0.4, abs=0.02)


async def test_an_answer_is_decided_after_the_short_silence() -> None:
    assert (await outcome(RULES, {2.0: "yes"})).delay_s == pytest.approx(0.35, abs=0.01)
    assert (await outcome(PATIENT, {2.0: "yes"})).delay_s == pytest.approx(0.6, abs=0.01)


async def test_only_the_model_is_told_its_scores() -> None:
    words = {2.0: "I called you last week", 4.0: "about the broken heating"}
    assert (await outcome(RULES, words, 0.1)).cuts == 1
    assert (await outcome(MODEL, words, 0.1)).cuts == 0
    assert (await outcome(MODEL, {2.0: "book a table"}, 0.9)).delay_s == pytest.approx(0.35, abs=0.01)


async def test_a_cut_that_is_taken_back_before_its_reply_sounds_was_heard_by_nobody() -> None:
    words = {2.0: "I called you", 4.0: "last week"}
    slow = replace(RULES, policy=replace(RULES.policy, end_silence=0.75))
    found = await outcome(slow, words)
    assert (found.cuts, found.heard_cuts) == (1, 0)


async def test_the_recogniser_says_its_first_pass_its_final_and_the_detector_stops_when_they_do() -> None:
    found = [one for one in await told({2.0: "yes"}, 0.9) if one.at > 2.0]
    kinds = [(round(one.at, 3), type(one.fact)) for one in found]
    assert kinds == [(2.19, Heard), (2.25, SpeechStopped), (2.252, TurnScored), (2.42, Heard)]


def test_speech_is_where_the_scores_are_high() -> None:
    scores = [0.0] * 10 + [0.9] * 20 + [0.0] * 10 + [0.9] * 20 + [0.0] * 10
    assert [(round(began, 2), round(ended, 2)) for began, ended in speech(scores)] == [(0.32, 0.96), (1.28, 1.92)]


def test_scripts_have_a_pause_after_each_part_but_the_last() -> None:
    for script in SCRIPTS:
        assert len(script.pauses_s) == len(script.parts) - 1
    part = np.full(RATE_HZ, 1000, dtype=np.int16)
    made = scripted(SCRIPTS[0], [part])
    assert made.parts == ((0.5, 1.5, "yes"),)


def test_recordings_are_cut_where_they_are_quiet_and_joined() -> None:
    loud = np.full(3 * RATE_HZ, 1000, dtype=np.int16)
    loud[RATE_HZ + 4000 : RATE_HZ + 6000] = 10
    found = list(recorded([("one", trimmed(loud)), ("two", trimmed(loud))]))
    assert len(found) == 2 * 5 + 2
    pause = next(one for one in found if "0.5 s in the sentence" in one.kind)
    quiet = np.abs(pause.samples[round(1.5 * RATE_HZ) : round(2.5 * RATE_HZ)]) < 100
    assert quiet.sum() >= 0.5 * RATE_HZ


def test_the_report_misses_what_is_worse_than_before() -> None:
    names = [BEFORE, PATIENT, RULES]
    good = [Judged("answer", "yes", one.name, Outcome(0, 0, 0.35)) for one in names]
    assert endpointing_report.report(good, names, Cost([0.1], [])).met
    cut = Judged("dictation", "five", RULES.name, Outcome(1, 1, 0.8))
    slow = [replace(one, outcome=Outcome(0, 0, 0.8)) for one in good]
    bad = endpointing_report.report([*slow, cut], names, Cost())
    assert [verdict.met for verdict in bad.verdicts] == [False, False, False]
