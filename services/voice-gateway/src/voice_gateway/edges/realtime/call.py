"""What is the client told of each event of its call? The state of one session, and the events of the wire."""

from dataclasses import replace
from typing import Any, Literal

from pcm import Encoding

from voice_gateway.core.events import (
    CallOptions,
    EndReason,
    Failed,
    GoAway,
    ReplyAudio,
    ReplyRequested,
    ReplyText,
    SessionEvent,
    ToolCallCancelled,
    ToolCalled,
    Transcribed,
    TurnChanged,
    TurnCommitted,
    TurnKind,
    TurnMeasured,
)
from voice_gateway.core.turn_types import Cause
from voice_gateway.edges.audio import AudioIn, AudioOut
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.edges.realtime import more_events
from voice_gateway.edges.realtime.input_queue import AHEAD_COMMITTED_S, AHEAD_S, InputQueue
from voice_gateway.edges.realtime.items import Items, new_id
from voice_gateway.edges.realtime.replies import Replies, error_object
from voice_gateway.edges.realtime.response import Event, ResponseSetup
from voice_gateway.edges.realtime.session_config import SessionConfig, Terms
from voice_gateway.edges.realtime.session_shape import output_shown, shown
from voice_gateway.edges.realtime.speech import Speech

_LONGEST_APPEND_S = 3600.0
"""The size of a message bounds an append; what it holds may come faster than time (`input_queue`)."""
_CUT = (TurnKind.REPLY_INTERRUPTED, TurnKind.REPLY_RETRACTED)


class RealtimeCall:  # size: one session's state: what the client does and what the call tells meet in it
    """One session of a client, on a call that has begun."""

    def __init__(self, held: HeldCall, config: SessionConfig, terms: Terms, session_id: str, expires_at: int) -> None:
        self.session = session = held.session
        self.rates = held.rates
        """How much the client may still send and ask for."""
        self._identity = session_id, expires_at
        self.config = config
        self.terms = terms
        self.items = Items()
        self.queue = InputQueue()
        self.speech = Speech(self.items)
        self.replies = Replies(self.items, self._setup, lambda: session.chat_tokens, lambda: self.config.output.rate_hz)
        self.entries = 0
        """Entries of the history that the client has made."""
        self.wanted: tuple[CallOptions | None, ResponseSetup] | None = None
        """A response that the client has asked for and that can't begin yet: a commit comes first."""
        self.wants_more = False
        """The client has asked for a response, and outputs of functions are still to come."""
        self.is_asking = False
        """A response was asked for, and its reply has not started."""
        self._commits = 0
        """Commits whose turn has not ended."""
        self._undecided: int | None = None
        """The input sample at which speech over a reply began, which may be a turn."""
        self._retracted_n = 0
        self._conversation_id = new_id("conv")
        self.audio_in = self._new_input()
        self.audio_out = self._new_output()
        self.follow_config()

    # ------------------------------------------------------------------------------------ configuration

    def reconfigure(self, config: SessionConfig) -> None:
        """These hold from now on."""
        before, self.config = self.config, config
        if config.input != before.input:
            self.audio_in = self._new_input()
        if config.output != before.output:
            self.audio_out = self._new_output()
        self.follow_config()

    def follow_config(self) -> None:
        """What parts of the session go by."""
        detection = self.config.detection
        self.speech.transcribes = self.config.transcribes
        self.speech.detects = detection.kind != "none"
        self.speech.prefix_ms = detection.prefix_padding_ms
        self.queue.ahead_s = AHEAD_COMMITTED_S if detection.kind == "none" else AHEAD_S

    def shown(self) -> dict[str, Any]:
        """The configuration, as the client is told."""
        return shown(self.config, *self._identity, self.terms)

    def _new_input(self) -> AudioIn:
        return AudioIn(self.config.input, _LONGEST_APPEND_S, _LONGEST_APPEND_S)

    def _new_output(self) -> AudioOut:
        return AudioOut(self.config.output, self.config.options.output_rate_hz)

    def _setup(self) -> ResponseSetup:
        config = self.config
        return ResponseSetup(
            _modality(config.options), output_shown(config), config.max_output_tokens, self._conversation_id
        )

    def setup_for(self, options: CallOptions | None, *, metadata: dict[str, str] | None) -> ResponseSetup:
        """How a response is told that may have options of its own."""
        setup = replace(self._setup(), metadata=metadata)
        if options is None:
            return setup
        output = output_shown(replace(self.config, options=options))
        return replace(setup, modality=_modality(options), output=output)

    # ------------------------------------------------------------------------------------ commits and requests

    def commit(self) -> None:
        """The client's turn is over, after the audio that waits."""
        self._commits += 1
        self.queue.commit()

    def commit_reached(self) -> None:
        """The audio before a commit was handed on. Under a reply no turn ends: then the commit waits for its end."""
        if not self.replies.n or self.config.detection.kind != "none":
            self.session.take(TurnCommitted())

    def _release_commits(self) -> None:
        """The reply that was in the way of a commit is over."""
        if self._commits and not self.queue.has_commit:
            self.session.take(TurnCommitted())

    def ask(self, options: CallOptions | None, setup: ResponseSetup) -> None:
        """The client wants a response."""
        if self._commits:
            self.wanted = options, setup
            return
        self.is_asking = True
        self.replies.next_setup = setup
        self.session.take(ReplyRequested(options))

    def _turn_over(self) -> None:
        self._commits = 0
        if self.wanted is not None:
            wanted, self.wanted = self.wanted, None
            self.ask(*wanted)

    # ------------------------------------------------------------------------------------ events of the call

    def tell(self, event: SessionEvent) -> list[Event]:
        """What the client is told of an event of the call."""
        return [*self._told(event), *(more_events.told(event) if self.config.tells_more else ())]

    def _told(self, event: SessionEvent) -> list[Event]:
        match event:
            case ReplyAudio(n, offset, pcm16):
                first, data = self.audio_out.give(n, offset, pcm16)
                return self.replies.audio(n, first, data, self._samples(data))
            case ReplyText():
                return self.replies.text(event)
            case Transcribed():
                return self.speech.transcribed(event, undecided=self._undecided is not None)
            case TurnChanged():
                return self._turn(event)
            case ToolCalled():
                return self.replies.called(event)
            case ToolCallCancelled(id_):
                self.replies.call_cancelled(id_)
            case Failed():
                return self._failed(event)
            case TurnMeasured() | GoAway():
                pass
        return []

    def _failed(self, event: Failed) -> list[Event]:
        self.replies.failed(event)
        return [{"type": "error", "error": error_object(event)}]

    def _samples(self, data: bytes) -> int:
        return len(data) // (2 if self.config.output.encoding is Encoding.PCM16 else 1)

    def _turn(self, event: TurnChanged) -> list[Event]:
        match event.kind:
            case TurnKind.SPEECH_STARTED:
                return self._speech_started(event.sample)
            case TurnKind.SPEECH_STOPPED:
                return self.speech.stopped(event.sample)
            case TurnKind.TURN_ENDED | TurnKind.TURN_EMPTY:
                return self._turn_ended(event)
            case TurnKind.REPLY_STARTED:
                return self._reply_started(event)
            case TurnKind.REPLY_RESUMED:
                self._undecided = None
            case TurnKind.REPLY_ENDED:
                return self._reply_ended(event)
            case kind if kind in _CUT:
                return self._reply_cut(event)
            case TurnKind.REPLY_TRUNCATED:
                return self.replies.amended(event)
        return []

    def _speech_started(self, sample: int) -> list[Event]:
        """Over a reply it is told when it is a turn: clients stop playing at once when they hear of it."""
        detection = self.config.detection
        if self.replies.n and detection.interrupt_response and not self.replies.waits_for_client:
            self._undecided = sample
            return []
        return self.speech.started(sample)

    def _decided(self) -> list[Event]:
        """Speech over a reply was a turn."""
        sample, self._undecided = self._undecided, None
        return [] if sample is None else self.speech.started(sample)

    def _turn_ended(self, event: TurnChanged) -> list[Event]:
        if event.kind is TurnKind.TURN_EMPTY and not self._commits:
            return []
        if self._retracted_n:
            self.items.moved(self._retracted_n, event.answer)
            self._retracted_n = 0
        events = [*self._decided(), *self.speech.committed(event.text, event.answer)]
        self._turn_over()
        return events

    def _reply_started(self, event: TurnChanged) -> list[Event]:
        self.is_asking = False
        silence = event.cause is Cause.SILENCE and self.config.detection.idle_timeout_ms
        sample = round(self.session.age_s * 16_000)
        idle = self.speech.idle(sample, self.config.detection.idle_timeout_ms or 0) if silence else []
        return [*idle, *self.replies.started(event.reply)]

    def _reply_ended(self, event: TurnChanged) -> list[Event]:
        self._undecided = None
        first, data = self.audio_out.end(event.reply)
        events = self.replies.audio(event.reply, first, data, self._samples(data))
        events += self.replies.ended(event)
        self.wants_more = False
        self._release_commits()
        return [*events, *self._rate_limits()]

    def _reply_cut(self, event: TurnChanged) -> list[Event]:
        retracted = event.kind is TurnKind.REPLY_RETRACTED
        if retracted:
            self._retracted_n = event.reply
        started = self._decided()
        events = [*started, *self.replies.broken_off(event, retracted=retracted)]
        self.wants_more = False
        self._release_commits()
        return [*events, *self._rate_limits()]

    def _rate_limits(self) -> list[Event]:
        """How many responses the client may still ask for."""
        limits, left = self.terms.limits, self.rates.typed_turns.left(self.session.age_s)
        reset_s = (limits.typed_turns_burst - left) / limits.typed_turns_per_s
        requests = {
            "name": "requests",
            "limit": limits.typed_turns_burst,
            "remaining": int(left),
            "reset_seconds": round(reset_s, 3),
        }
        return [{"type": "rate_limits.updated", "rate_limits": [requests]}]

    def settle(self) -> list[Event]:
        """Nothing more is told now: a response that waits for the client's functions is over."""
        waits = self.replies.waits_for_client and self.replies.response is not None
        return self.replies.pause() if waits else []


def _modality(options: CallOptions) -> Literal["audio", "text"]:
    return "audio" if options.speaks else "text"


ENDS: dict[EndReason, tuple[int, str]] = {
    EndReason.CALLER_ENDED: (1000, ""),
    EndReason.IDLE: (1000, "idle"),
    EndReason.MAX_DURATION: (1001, "session_expired"),
    EndReason.DRAINED: (1012, "server_shutting_down"),
    EndReason.FAILED: (1011, "server_error"),
    EndReason.CALLER_GONE: (1000, ""),
}
"""The close code, and the code of the error before it ("" = none)."""
