"""The parts of the Realtime edge by themselves: fields against the public schema, bounds, pacing, parameters' names."""

import importlib.util
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import realtime as public
from openai.types.realtime import realtime_audio_config_input, realtime_audio_config_output
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad as PublicSemanticVad
from openai.types.realtime.realtime_audio_input_turn_detection import ServerVad as PublicServerVad
from openai.types.realtime.realtime_response_create_params import RealtimeResponseCreateParams
from pydantic import BaseModel, ValidationError
from voice_gateway.core.turn_policy import Policy
from voice_gateway.edges.realtime import client_events, session_models, turn_detection
from voice_gateway.edges.realtime.input_queue import MAX_WAITING_S, Commit, InputQueue
from voice_gateway.edges.realtime.items import MAX_CHARS, MAX_ITEMS, Item, Items
from voice_gateway.edges.realtime.refusals import EventRefused, path
from voice_gateway.edges.realtime.turn_detection import TurnDetection, policy_of

SECOND = bytes(32_000)
_WORDS = [
    "session",
    "type",
    "realtime",
    "audio",
    "input",
    "output",
    "format",
    "turn_detection",
    "server_vad",
    "threshold",
    "item",
    "item_id",
    "content",
    "role",
    "user",
    "content_index",
    "audio_end_ms",
    "message",
    "text",
    "input_text",
    "response",
    "tools",
    "tool_choice",
    "event_id",
    "voice_workflow",
    "instructions",
    "audio/pcm",
    "function_call_output",
    "call_id",
]
TABLE = Path(__file__).parents[4] / "scripts" / "realtime_table.py"
SAME: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (public.RealtimeSessionCreateRequest, session_models.RealtimeFields),
    (public.RealtimeTranscriptionSessionCreateRequest, session_models.TranscriptionFields),
    (realtime_audio_config_input.RealtimeAudioConfigInput, session_models.AudioInput),
    (realtime_audio_config_output.RealtimeAudioConfigOutput, session_models.AudioOutput),
    (public.AudioTranscription, session_models.Transcription),
    (public.RealtimeFunctionTool, session_models.FunctionTool),
    (PublicServerVad, session_models.ServerVad),
    (PublicSemanticVad, session_models.SemanticVad),
    (RealtimeResponseCreateParams, client_events.ResponseConfig),
    (public.ConversationItemCreateEvent, client_events.ItemCreate),
    (public.ConversationItemTruncateEvent, client_events.ItemTruncate),
    (public.ConversationItemDeleteEvent, client_events.ItemDelete),
    (public.ConversationItemRetrieveEvent, client_events.ItemRetrieve),
    (public.InputAudioBufferAppendEvent, client_events.AudioAppend),
    (public.InputAudioBufferCommitEvent, client_events.AudioCommit),
    (public.InputAudioBufferClearEvent, client_events.AudioClear),
    (public.ResponseCreateEvent, client_events.ResponseCreate),
    (public.ResponseCancelEvent, client_events.ResponseCancel),
    (public.SessionUpdateEvent, client_events.SessionUpdate),
    (public.OutputAudioBufferClearEvent, client_events.OutputClear),
    (public.RealtimeConversationItemFunctionCallOutput, client_events.FunctionOutput),
    (public.RealtimeConversationItemUserMessage, client_events.UserMessage),
    (public.RealtimeConversationItemAssistantMessage, client_events.AssistantMessage),
    (public.RealtimeConversationItemSystemMessage, client_events.SystemMessage),
]


@pytest.mark.parametrize(("theirs", "ours"), SAME, ids=lambda kind: kind.__name__)
def test_every_field_of_the_public_schema_is_known(theirs: type[BaseModel], ours: type[BaseModel]) -> None:
    """Taken or refused by name: but none is refused as unknown. What we have on top stands under one key."""
    assert set(ours.model_fields) - {"voice_workflow"} == set(theirs.model_fields)


def test_the_table_in_the_document_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("realtime_table", TABLE)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.main(["--check"]) == 0
    assert script.renewed(f"a{script.BEGIN}old{script.END}b").startswith("a")
    with pytest.raises(ValueError, match="has no"):
        script.renewed("no place")


def test_the_oldest_items_are_forgotten() -> None:
    items = Items()
    for n in range(MAX_ITEMS + 1):
        items.add(Item(f"item_{n}"))
    with pytest.raises(EventRefused) as refused:
        items.named("item_0")
    assert (refused.value.code, refused.value.param) == ("item_not_found", "item_id")
    assert items.named("item_1").id == "item_1"
    long = Item("long", text="x" * (MAX_CHARS + 1))
    items.add(long)
    assert [item.id for item in items.all()] == ["long"]
    items.write(long, "short")
    items.add(Item("next", text="y" * 100))
    assert items.last_id == "next"
    assert len(items.all()) == 2


def test_audio_in_time_is_handed_on_at_once_and_audio_ahead_of_time_as_it_passes() -> None:
    queue = InputQueue()
    assert queue.push(SECOND[:640])
    assert queue.take(5.0) == SECOND[:640]
    assert queue.take(5.0) is None
    assert queue.push(SECOND * 3)
    at_once = 0
    while isinstance(piece := queue.take(5.0), bytes):
        at_once += len(piece)
    assert 0.9 * 32_000 <= at_once <= 1.2 * 32_000
    assert 5.0 < queue.next_at() < 5.2
    taken = 0
    for tick in range(30):
        while isinstance(piece := queue.take(5.0 + tick / 10), bytes):
            taken += len(piece)
    assert at_once + taken == len(SECOND) * 3
    assert not queue.is_waiting


def test_a_clock_that_is_a_little_fast_fills_no_queue() -> None:
    queue, now = InputQueue(), 0.0
    for _ in range(20_000):
        assert queue.push(SECOND[: 2 * 330])  # 20.6 ms of audio each 20 ms: 3 % fast
        now += 0.02
        while queue.take(now) is not None:
            pass
        assert queue.waiting_s < 0.3


def test_a_commit_waits_behind_its_audio_and_a_clear_forgets_what_came_after_it() -> None:
    queue = InputQueue()
    queue.ahead_s = 0.1
    assert queue.push(SECOND[:6_400])
    queue.commit()
    assert queue.since_commit_bytes == 0
    assert queue.push(SECOND[:6_400])
    queue.clear()
    found = [queue.take(n / 20) for n in range(20)]
    assert [piece for piece in found if piece is not None] == [SECOND[:3_200], SECOND[:3_200], Commit()]


def test_a_queue_that_is_full_takes_nothing_more() -> None:
    queue = InputQueue()
    assert queue.push(SECOND * int(MAX_WAITING_S))
    assert not queue.push(SECOND[:2])
    assert queue.waiting_s == MAX_WAITING_S


@pytest.mark.parametrize(
    ("loc", "raw", "named"),
    [
        (("session", "tools", 0, "name"), {"session": {"tools": [{"name": 7}]}}, "session.tools[0].name"),
        (("session", "audio", "input", "turn_detection", "server_vad", "threshold"),
         {"session": {"audio": {"input": {"turn_detection": {"threshold": 7}}}}},
         "session.audio.input.turn_detection.threshold"),
        (("item", "message", "user", "content", 1, "input_text", "text"),
         {"item": {"content": [{}, {}]}}, "item.content[1].text"),
        (("event_id",), {}, "event_id"),
    ],
)  # fmt: skip
def test_a_parameter_is_named_as_the_client_wrote_it(loc: tuple[Any, ...], raw: object, named: str) -> None:
    assert path(loc, raw) == named


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"type": "session.update", "session": {"type": "realtime", "instructions": "\\ud800"}}', "invalid_value"),
        ('{"type": ["session.update"]}', "invalid_value"),
        ('{"type": "response.create", "event_id": 7}', "invalid_type"),
        ("[" * 100_000, "invalid_json"),
        ('{"type": "conversation.item.create", "item": {"type": "message", "role": "nobody"}}', "invalid_value"),
        ('{"type": "conversation.item.retrieve", "item_id": ""}', "invalid_value"),
        ('{"type": "session.update", "session": {"type": "realtime", "voice_workflow": {"temperature": NaN}}}',
         "invalid_value"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(text: str, code: str) -> None:
    with pytest.raises(EventRefused) as refused:
        client_events.checked(client_events.read(text)[1])
    assert refused.value.code == code


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=4), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None)
@given(kind=st.sampled_from(client_events.TYPES), fields=st.dictionaries(st.sampled_from(_WORDS), _JSON))
def test_any_event_is_taken_or_refused_with_a_parameter(kind: str, fields: dict[str, Any]) -> None:
    refused: EventRefused | None = None
    try:
        assert client_events.checked({**fields, "type": kind}).type == kind
    except EventRefused as error:
        refused = error
    codes = ("unknown_parameter", "invalid_value", "invalid_type", "missing_required_parameter")
    assert refused is None or (refused.param and refused.code in codes)


def test_detection_becomes_a_policy() -> None:
    operators = Policy(end_silence=0.2, incomplete_silence=1.0, drafts=True, max_silence=1.5, idle_tries=2)
    plain = policy_of(TurnDetection(), operators)
    assert (plain.decides, plain.drafts, plain.protects_replies, plain.end_silence) == (True, True, False, 0.2)
    slow = policy_of(TurnDetection(silence_duration_ms=900, idle_timeout_ms=6000), operators)
    assert (slow.end_silence, slow.complete_silence, slow.max_silence) == (0.9, 0.9, 1.5)
    assert (slow.idle_after, slow.idle_tries > 1000) == (6.0, True)
    eager = policy_of(TurnDetection("semantic_vad", eagerness="high"), operators)
    assert (eager.end_silence, eager.incomplete_silence) == (0.1, 0.5)
    calm = policy_of(TurnDetection("semantic_vad", eagerness="low"), Policy(incomplete_silence=6.0))
    assert calm.incomplete_silence == 8.0
    none = policy_of(turn_detection.asked(None, TurnDetection(), operators), operators)
    assert (none.decides, none.protects_replies, none.drafts) == (False, True, False)
    mute = policy_of(TurnDetection(create_response=False, interrupt_response=False), operators)
    assert (mute.drafts, mute.protects_replies) == (False, True)


def test_a_threshold_needs_a_detector_and_an_idle_timeout_a_sentence() -> None:
    for fields, param in (({"threshold": 0.9}, "threshold"), ({"idle_timeout_ms": 5000}, "idle_timeout_ms")):
        wire = session_models.ServerVad(type="server_vad", **fields)
        with pytest.raises(EventRefused) as refused:
            turn_detection.asked(wire, TurnDetection(), Policy(detects=False, idle_tries=0))
        assert refused.value.param.endswith(param)
    assert get_args(session_models.SessionObject)
    with pytest.raises(ValidationError):
        session_models.ServerVad(type="server_vad", threshold=float("nan"))
