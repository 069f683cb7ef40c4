"""A call written by one gateway is read by another as it was."""

import json
from dataclasses import replace
from math import inf

import pytest
from voice_gateway.core import turn_states
from voice_gateway.core.conversation import Exchange
from voice_gateway.core.events import CallOptions, LlmOptions
from voice_gateway.core.snapshot import Snapshot, UnheardReply, from_json, to_json
from voice_gateway.core.tools import Outcome, Tool, ToolCall, ToolResult, ToolRound
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import Call

ROUND = ToolRound(
    "Let me",
    (ToolCall("a", "look", '{"city": "पेरिस"}'), ToolCall("b", "open_door", "{broken")),
    (ToolResult("a", "20°"), ToolResult("b", "Error: it is locked", Outcome.CANCELLED, may_have_acted=True)),
)
CALL = Call(replies=2, tries=1, pause=0.4, language="en-US", heard_until=1.5, heard_at=1.75)
STATES: list[turn_states.State] = [
    turn_states.Idle(CALL, 1.0, "still open"),
    turn_states.Hearing(CALL, 1.0, "words", "partial", 0.5),
    turn_states.Pausing(CALL, 2.0, 1.0, "words", "partial", 0.5, True, 3),
    turn_states.Thinking(CALL, 2, "words", "open"),
    turn_states.Speaking(CALL, 2, "open"),
    turn_states.Overlap(CALL, 2, 1.0, True, "kept", "open", "words", "partial", 1.25, 1.5),
    turn_states.Overlap(CALL, 2, 1.0, False),
    turn_states.Ended(CALL, "idle"),
]


def snapshot(state: turn_states.State) -> Snapshot:
    return Snapshot(
        session="call-1",
        options=CallOptions(
            language="en-US",
            voice="",
            system_prompt="Be “kind”.\n",
            llm=LlmOptions("m", 0.1 + 0.2, 64),
            policy=Policy(idle_after=inf, greets=True, decides=False),
            output_rate_hz=24000,
            greeting="Hi",
            hotwords=(("Riva", 20.0),),
            tools=(Tool("open_door", "Opens.", '{"type": "object"}', side_effects=True, timeout_s=2.5),),
            metadata=(("tenant", "7"),),
        ),
        exchanges=(Exchange(1, "", "Hi"), Exchange(2, "नमस्ते", "Hel", cut=True, rounds=(ROUND,))),
        state=state,
        turn=2,
        age_s=1 / 3,
        received_samples=48000,
        open_audio=bytes(range(256)),
        unheard=UnheardReply(2, "Hello you", 1200),
        summary="Rosa wants a table.\n",
    )


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_call_comes_back_as_it_was_in_every_state(state: turn_states.State) -> None:
    before = snapshot(state)
    text = to_json(before)
    assert "\n" not in text
    assert from_json(text) == before
    assert from_json(text).options.policy.idle_after == inf


def test_every_state_of_the_machine_is_covered_here() -> None:
    named = (kind for kind in vars(turn_states).values() if isinstance(kind, type))
    kinds = {kind for kind in named if issubclass(kind, turn_states.State)}
    assert {type(state) for state in STATES} == kinds


def test_a_call_without_an_unheard_reply_or_open_audio_comes_back_too() -> None:
    before = replace(snapshot(STATES[0]), unheard=None, open_audio=b"", exchanges=())
    assert from_json(to_json(before)) == before


def test_another_version_is_refused_by_its_number() -> None:
    fields = json.loads(to_json(snapshot(STATES[0])))
    with pytest.raises(ValueError, match="snapshot version 99 can't be read here; this gateway reads version 1"):
        from_json(json.dumps({**fields, "version": 99}))


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"text"', "{}", '{"version": 1}'])
def test_garbage_is_no_snapshot(text: str) -> None:
    with pytest.raises(ValueError, match="this is no snapshot of a call"):
        from_json(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", {"kind": "Dozing"}),
        ("state", {"kind": "Idle"}),
        ("state", None),
        ("turn", "many"),
        ("exchanges", [{"n": 1}]),
        ("options", {}),
        ("open_audio", "not base 64!"),
        ("open_audio", 7),
        ("surprise", 1),
    ],
)
def test_a_snapshot_with_a_bad_field_is_refused(name: str, value: object) -> None:
    fields = json.loads(to_json(snapshot(STATES[0])))
    with pytest.raises(ValueError, match="this is no snapshot of a call"):
        from_json(json.dumps({**fields, name: value}))
