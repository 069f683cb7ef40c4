"""Does a logged call decide itself again?"""

import json
from math import inf, nextafter

import pytest
from turn_player import STARTED, STOPPED, said, saying
from voice_gateway.core import turn_log, turns
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call, Hearing, Overlap, Pausing, State
from voice_gateway.core.turn_types import (
    Action,
    Committed,
    Discarded,
    Ending,
    Event,
    Heard,
    Interrupted,
    RecogniserLost,
    ReplyAsked,
    ReplyAudible,
    ReplyEnded,
    RetractReply,
    StartReply,
    Tick,
    TimeLow,
    TurnScored,
    Typed,
    WordsLost,
)

FACTS: list[Event] = [
    STARTED,
    STOPPED,
    Heard("how are you", False, 0.1 + 0.2, 1 / 3),
    Heard("Ünïcode \n \u2028 line", True, 1.0, inf),
    Heard("", False, 0.0, -inf),
    Heard("five five", True, 0.0, 1.5, Ending.READING_OUT),
    TurnScored(0.75, 1.5),
    ReplyAudible(7),
    ReplyEnded(7),
    Tick(),
    Committed(),
    Interrupted(),
    Typed('say "hello"\n'),
    TimeLow(),
    WordsLost(),
    RecogniserLost(),
    ReplyAsked(),
    Discarded(),
]


def record(
    facts: list[tuple[float, Event]], policy: Policy, state: State
) -> tuple[list[str], list[tuple[float, Action]]]:
    """A turn log as a shell writes it, and the orders of the call."""
    lines, orders = [turn_log.header(policy, state)], list[tuple[float, Action]]()
    for now, event in facts:
        lines.append(turn_log.encode(now, event))
        state, actions = turns.step(state, event, now, policy)
        orders += [(now, action) for action in actions]
    return lines, orders


@pytest.mark.parametrize("event", FACTS, ids=repr)
def test_every_fact_reads_back_the_same(event: Event) -> None:
    for now in (0.0, 0.1 + 0.2, 1e-300, nextafter(12345.678, inf)):
        line = turn_log.encode(now, event)
        assert turn_log.decode(line) == (now, event)
        assert len(line.splitlines()) == 1


def test_every_kind_of_fact_has_a_line() -> None:
    assert {type(fact) for fact in FACTS} == set(turn_log.FACTS)


def test_a_turn_log_is_plain_json() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    lines = [turn_log.header(Policy()), *(turn_log.encode(1.0, fact) for fact in FACTS)]
    assert all(isinstance(json.loads(line, parse_constant=refuse), dict) for line in lines)


def test_a_recorded_call_replays_to_the_same_orders() -> None:
    facts: list[tuple[float, Event]] = [
        (1 / 3, STARTED),
        (1.1, saying("what is the")),
        (1.2, STOPPED),
        (1.2 + 1.5, Tick()),
        (3.0000000000000004, said("what is the time", until=1.15)),
        (3.2, ReplyAudible(2)),
        (3.4, Heard("the time is", False, backchannel=True, echo=True)),
        (4.0, STARTED),
        (4.2, Tick()),
        (4.3, said("stop")),
        (4.4, STOPPED),
        (4.4 + 0.3, Tick()),
    ]
    lines, orders = record(facts, Policy(idle_after=inf), turn_log.START)
    assert turn_log.replay(lines) == orders
    assert [type(action).__name__ for _, action in orders] == [
        "StartReply",
        "RetractReply",
        "StartReply",
        "InterruptReply",
        "StartReply",
    ]


@pytest.mark.parametrize(
    "state",
    [
        Hearing(Call(3, language="de-DE"), 0.5, "one", "two", 0.25),
        Pausing(Call(3), 0.5, 0.25, "one", committed=True),
        Overlap(Call(3), 3, 0.5, False, "one", "two", held_at=0.75),
    ],
)
def test_a_turn_log_may_begin_in_the_middle_of_a_call(state: State) -> None:
    lines, orders = record([(1.0, said("more")), (1.1, STOPPED), (9.0, Tick())], Policy(), state)
    assert orders
    assert turn_log.replay(lines) == orders


def test_a_turn_log_replays_under_another_policy() -> None:
    facts: list[tuple[float, Event]] = [
        (1.0, STARTED),
        (2.0, said("one")),
        (2.1, STOPPED),
        (2.4, Tick()),
        (3.0, said("two")),
    ]
    lines, orders = record(facts, Policy(), turn_log.START)
    assert [action for _, action in orders] == [StartReply(1, "one"), RetractReply(1)]
    assert turn_log.replay(lines, Policy(end_silence=0.9)) == [(3.0, StartReply(1, "one two"))]


def test_a_policy_that_changed_in_the_call_holds_from_then_on() -> None:
    hasty, patient = Policy(end_silence=0.2), Policy(end_silence=2.0)
    line = turn_log.encode_policy(5.0, patient)
    assert turn_log.decode(line) == (5.0, patient)
    first: list[tuple[float, Event]] = [(1.0, STARTED), (2.0, said("one")), (2.1, STOPPED), (2.5, Tick())]
    second: list[tuple[float, Event]] = [
        (6.0, STARTED),
        (7.0, said("two")),
        (7.1, STOPPED),
        (7.5, Tick()),
        (9.5, Tick()),
    ]
    lines = [
        turn_log.header(hasty), *(turn_log.encode(at, fact) for at, fact in first),
        line, *(turn_log.encode(at, fact) for at, fact in second),
    ]  # fmt: skip
    answers = [at for at, order in turn_log.replay(lines) if isinstance(order, StartReply)]
    assert answers == [2.5, 9.5]
    under_another = [at for at, order in turn_log.replay(lines, hasty) if isinstance(order, StartReply)]
    assert under_another[-1] == 7.5


def test_an_older_turn_log_without_a_younger_field_still_replays() -> None:
    bare = '{"version": 1, "policy": {}, "state": {"is": "Idle", "call": {}, "since": 0}}'
    assert turn_log.replay([bare, '{"at": 1, "fact": "Typed", "text": "hi"}']) == [(1.0, StartReply(1, "hi"))]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "at is None"),
        ('{"at": "inf", "fact": "Tick"}', "at must be a finite number"),
        ('{"at": NaN, "fact": "Tick"}', "at is nan"),
        ('{"at": 1%s, "fact": "Tick"}' % ("0" * 400), "at is 1000"),
        ('{"at": true, "fact": "Tick"}', "at is True"),
        ('{"at": 3.0}', "fact is None"),
        ('{"at": 3.0, "fact": "Dinner"}', "fact is 'Dinner', not one of SpeechStarted"),
        ('{"at": 3.0, "fact": "Typed"}', "Typed lacks text"),
        ('{"at": 3.0, "fact": "Typed", "text": 7}', "text is 7, not str"),
        ('{"at": 3.0, "fact": "Typed", "text": "a", "colour": 1}', "Typed has no field colour"),
        ('{"at": 3.0, "fact": "ReplyEnded", "n": 1.5}', "n is 1.5, not int"),
        ('{"at": 1.0, "fact": "Tick"}', "time runs backwards, from 2.0 to 1.0"),
    ],
)
def test_a_broken_line_names_its_number(line: str, why: str) -> None:
    lines = [turn_log.header(Policy()), turn_log.encode(2.0, STARTED), line]
    with pytest.raises(turn_log.UnreadableTurnLog, match=f"^line 3: {why}"):
        turn_log.replay(lines)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"at": 1.0, "fact": "Tick"}', "this is no header of turn log version 1"),
        ('{"version": 2}', "this is no header of turn log version 1"),
        ('{"version": 1}', "the fields of Policy are missing"),
        ('{"version": 1, "policy": {"max_turn": "long"}}', "max_turn is 'long', not float"),
        ('{"version": 1, "policy": {}}', "an object with 'is' is missing"),
        ('{"version": 1, "policy": {}, "state": {"is": "Idle"}}', "Idle lacks call, since"),
    ],
)
def test_a_broken_header_is_line_one(line: str, why: str) -> None:
    with pytest.raises(turn_log.UnreadableTurnLog, match=f"^line 1: {why}"):
        turn_log.replay([line])


def test_an_empty_turn_log_has_no_header() -> None:
    with pytest.raises(turn_log.UnreadableTurnLog, match="line 1: the header is missing"):
        turn_log.replay([])
