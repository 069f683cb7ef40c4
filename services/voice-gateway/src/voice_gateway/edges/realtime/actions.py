"""What does each event of a client do? It acts on the session, and gives the events that answer it."""

import base64
import binascii
from dataclasses import replace
from typing import Literal

from voice_gateway.core.events import (
    CallOptions,
    EntryAdded,
    ExchangeEdited,
    InputDiscarded,
    InterruptRequested,
    OptionsChanged,
    ReplyTruncated,
    ToolAnswered,
)
from voice_gateway.edges.realtime import tools
from voice_gateway.edges.realtime.call import RealtimeCall
from voice_gateway.edges.realtime.client_events import (
    AssistantMessage,
    AudioAppend,
    AudioClear,
    AudioCommit,
    ClientEvent,
    FunctionOutput,
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ItemTruncate,
    OutputClear,
    ResponseCancel,
    ResponseConfig,
    ResponseCreate,
    SessionUpdate,
    SystemMessage,
    UserMessage,
)
from voice_gateway.edges.realtime.items import Item
from voice_gateway.edges.realtime.refusals import EventRefused, invalid
from voice_gateway.edges.realtime.response import Event
from voice_gateway.edges.realtime.session_config import longest, updated, voice_named
from voice_gateway.errors import BadRequest, RateLimited

_LEAST_COMMIT_BYTES = 3_200
"""100 ms at 16 kHz."""
_ACTIVE = "conversation_already_has_active_response"


def take(call: RealtimeCall, event: ClientEvent) -> list[Event]:
    """The answer to an event; more may follow as the call goes on. Raises EventRefused; then nothing has changed."""
    match event:
        case AudioAppend():
            return _append(call, event)
        case AudioCommit():
            return _commit(call)
        case AudioClear():
            return _clear(call)
        case SessionUpdate():
            return _update(call, event)
        case ItemCreate():
            return _create_item(call, event)
        case ItemTruncate():
            return _truncate(call, event)
        case ItemDelete():
            return _delete(call, event)
        case ItemRetrieve():
            return [{"type": "conversation.item.retrieved", "item": call.items.named(event.item_id).shown()}]
        case ResponseCreate():
            return _create_response(call, event.response or ResponseConfig())
        case ResponseCancel():
            call.replies.check_cancel(event.response_id)
            return _interrupt(call)
        case OutputClear():
            response = call.replies.response
            call.replies.check_cancel(None)
            cleared = {"type": "output_audio_buffer.cleared", "response_id": response.id if response else ""}
            return [cleared, *_interrupt(call)]


def _interrupt(call: RealtimeCall) -> list[Event]:
    call.replies.is_cancelled = True
    call.session.take(InterruptRequested())
    return []


# ------------------------------------------------------------------------------------------- audio


def _append(call: RealtimeCall, event: AudioAppend) -> list[Event]:
    try:
        data = base64.b64decode(event.audio, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("audio", "it is not valid base64") from None
    try:
        pcm16 = call.audio_in.take(data, 0, 0.0)
    except BadRequest as error:
        raise invalid("audio", str(error)) from None
    if pcm16 and not call.queue.push(pcm16):
        raise EventRefused(
            "input_audio_buffer_full",
            f"{call.queue.waiting_s:.1f} s of audio wait already, because it came faster than it was spoken; this was "
            "not taken, send it again when some of it was heard",
            "audio",
        )
    return []


def _commit(call: RealtimeCall) -> list[Event]:
    if call.queue.since_commit_bytes < _LEAST_COMMIT_BYTES:
        ms = call.queue.since_commit_bytes / 32
        raise EventRefused(
            "input_audio_buffer_commit_empty",
            f"Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only "
            f"has {ms:.2f}ms of audio.",
        )
    call.commit()
    return []


def _clear(call: RealtimeCall) -> list[Event]:
    call.queue.clear()
    call.speech.cleared()
    call.session.take(InputDiscarded())
    return [{"type": "input_audio_buffer.cleared"}]


# ----------------------------------------------------------------------------------------- session


def _update(call: RealtimeCall, event: SessionUpdate) -> list[Event]:
    config = updated(call.config, event.session, call.terms, has_begun=True)
    if call.replies.n and config.output != call.config.output:
        raise invalid("session.audio.output.format", "it can't change while a response is spoken; wait for its end")
    call.reconfigure(config)
    call.session.take(OptionsChanged(config.options))
    return [{"type": "session.updated", "session": call.shown()}]


# ------------------------------------------------------------------------------------------- items


def _create_item(call: RealtimeCall, event: ItemCreate) -> list[Event]:
    wire = event.item
    item_id = call.items.check_new(wire.id, event.previous_item_id)
    make = _output_item if isinstance(wire, FunctionOutput) else _message_item
    item = make(call, item_id, wire)  # type: ignore[arg-type]  # each gets its own kind
    previous = call.items.add(item)
    shown = {"item": item.shown(), "previous_item_id": previous}
    events = [{"type": "conversation.item.added", **shown}, {"type": "conversation.item.done", **shown}]
    return [*events, *(_continue(call) if call.wants_more else ())]


def _message_item(call: RealtimeCall, item_id: str, wire: UserMessage | SystemMessage | AssistantMessage) -> Item:
    parts = [part.text if hasattr(part, "text") else part.transcript for part in wire.content]
    text, most = "\n".join(parts), call.terms.limits.max_text_chars
    if not text.strip():
        raise invalid("item.content", "it has no words; send at least one")
    if len(text) > most:
        raise invalid("item.content", f"it has {len(text)} characters; send at most {most}")
    call.entries += 1
    call.session.take(EntryAdded(call.entries, wire.role, text))
    return Item(item_id, "message", wire.role, wire.content[0].type, text, entry=call.entries)


def _output_item(call: RealtimeCall, item_id: str, wire: FunctionOutput) -> Item:
    if not call.replies.output_given(wire.call_id, wire.output):
        # Its reply waits no more, because the caller spoke or the time was over: the model is told all the same.
        call.entries += 1
        told = f"A function that was called earlier has answered now: {wire.output}"
        call.session.take(EntryAdded(call.entries, "system", told))
        return Item(item_id, "function_call_output", text=wire.output, call_id=wire.call_id, entry=call.entries)
    return Item(item_id, "function_call_output", text=wire.output, call_id=wire.call_id, n=call.replies.n)


def _truncate(call: RealtimeCall, event: ItemTruncate) -> list[Event]:
    item = call.items.named(event.item_id)
    if item.n and not call.session.may_truncate(item.n):
        raise invalid("item_id", "only the last two responses can be truncated, and this one is further back")
    heard_ms = call.replies.truncation(item, event.audio_end_ms)
    call.replies.is_cancelled = call.replies.is_cancelled or item.n == call.replies.n
    call.session.take(ReplyTruncated(item.n, heard_ms))
    return []


def _delete(call: RealtimeCall, event: ItemDelete) -> list[Event]:
    item = call.items.named(event.item_id)
    if item.status == "in_progress":
        raise invalid("item_id", "this item is being said; cancel the response first")
    if item.kind != "message" and not item.entry:
        raise invalid("item_id", "a function call and its output stay in the history; delete messages only")
    call.items.remove(item)
    if item.entry:
        call.session.take(ExchangeEdited(0, item.entry, words="", reply=""))
    elif item.role == "assistant":
        left = [other.text for other in call.items.all() if other.n == item.n and other.role == "assistant"]
        call.session.take(ExchangeEdited(item.n, reply=" ".join(left)))
    elif item.n:
        words = " ".join(other.text for other in call.items.of_words(item.n))
        call.session.take(ExchangeEdited(item.n, words=words))
    return [{"type": "conversation.item.deleted", "item_id": item.id}]


# --------------------------------------------------------------------------------------- responses


def _create_response(call: RealtimeCall, wire: ResponseConfig) -> list[Event]:
    if call.config.kind == "transcription":
        raise EventRefused("invalid_value", "a transcription session makes no responses; connect without the intent")
    if wire.conversation == "none" or wire.input is not None:
        param = "response.conversation" if wire.conversation == "none" else "response.input"
        raise invalid(param, "responses outside the conversation are not served by this gateway; leave it out")
    options = _own_options(call, wire)
    setup = call.setup_for(options, metadata=wire.metadata)
    if wire.max_output_tokens is not None:
        setup = replace(setup, max_output_tokens=wire.max_output_tokens)
    if call.replies.waits_for_client:
        return _asked_to_continue(call, options, wire.metadata)
    if call.replies.n or call.is_asking or call.wanted is not None:
        response = call.replies.response
        which = f" in progress: {response.id}" if response else " in progress"
        raise EventRefused(
            _ACTIVE, f"Conversation already has an active response{which}. Wait until the response is finished."
        )
    try:
        call.rates.admit_typed_turn(call.session.age_s, call.terms.limits)
    except RateLimited as error:
        raise EventRefused("rate_limit_exceeded", str(error), kind="rate_limit_error") from None
    call.ask(options, setup)
    return []


def _asked_to_continue(call: RealtimeCall, options: CallOptions | None, metadata: dict[str, str] | None) -> list[Event]:
    """The reply that has called functions goes on as it began."""
    if options is not None:
        raise invalid("response", "a response that goes on after a function call takes no options of its own")
    if call.wants_more:
        raise EventRefused(_ACTIVE, "This response was asked for already; outputs of functions are still to come.")
    call.replies.next_setup = call.setup_for(None, metadata=metadata)
    call.wants_more = True
    return _continue(call)


def _continue(call: RealtimeCall) -> list[Event]:
    """Give the reply the outputs of its calls, once they are all there."""
    outputs = call.replies.outputs
    if not call.replies.waits_for_client or outputs is None:
        return []
    call.wants_more = False
    events = call.replies.goes_on()
    for call_id, output in outputs.items():
        call.session.take(ToolAnswered(call_id, output))
    return events


def _own_options(call: RealtimeCall, wire: ResponseConfig) -> CallOptions | None:
    """The options of one response; None = it has none of its own."""
    terms, held = call.terms, call.config.options
    options, limits = held, terms.limits
    if wire.instructions is not None:
        prompt = terms.choose("system_prompt", "response.instructions", wire.instructions, held.system_prompt)
        options = replace(options, system_prompt=prompt)
    if wire.tools is not None:
        declared = tools.declared(wire.tools, limits, "response.tools")
        options = replace(options, tools=terms.choose("tools", "response.tools", declared, held.tools))
    if wire.tool_choice is not None:
        use = tools.use(wire.tool_choice, options.tools, limits, "response.tool_choice")
        options = replace(options, tool_use=terms.choose("tools", "response.tool_choice", use, held.tool_use))
    if wire.max_output_tokens is not None:
        most = longest(wire.max_output_tokens, call.config.defaults, terms, "response")
        options = replace(options, llm=replace(options.llm, max_tokens=most))
    if wire.output_modalities is not None:
        options = replace(options, speaks=_modality(wire.output_modalities) == "audio")
    output = wire.audio.output if wire.audio else None
    if output is not None and output.format is not None:
        raise invalid("response.audio.output.format", "the format is the session's; set it with session.update")
    if output is not None and output.voice is not None:
        voice = voice_named(output.voice, call.config.defaults, terms, "response.audio.output.voice")
        options = replace(options, voice=voice)
    return None if options == held else options


def _modality(modalities: list[Literal["text", "audio"]]) -> Literal["text", "audio"]:
    return modalities[0]
