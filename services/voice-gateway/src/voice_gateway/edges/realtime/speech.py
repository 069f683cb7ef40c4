"""What does the client hear of the caller's speech? Buffer events, the user's items, and their transcripts.

An item is made when a turn ends. Its id is told earlier, with speech_started. Each utterance of the recogniser belongs
to the item that was open when it was first told, so a late final still completes the right one.
"""

from dataclasses import dataclass, field

from voice_gateway.core.events import INPUT_RATE_HZ, Transcribed
from voice_gateway.edges.realtime.items import Item, Items, new_id
from voice_gateway.edges.realtime.response import Event

_MAX_UTTERANCES = 256
"""Of one item; older ones are left out of its transcript."""
_TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass(slots=True)
class _Utterance:
    text: str = ""
    is_final: bool = False
    first_sample: int = 0
    last_sample: int = 0


@dataclass(slots=True)
class _Open:
    """An item that is being spoken, or transcribed."""

    id: str = field(default_factory=lambda: new_id("item"))
    utterances: dict[int, _Utterance] = field(default_factory=dict)
    told: str = ""
    """Of the transcript, as deltas."""
    speaks: bool = False
    item: Item | None = None
    """Once it was committed."""

    @property
    def text(self) -> str:
        """The transcript as it stands."""
        return " ".join(heard.text for heard in self.utterances.values() if heard.text)

    @property
    def seconds(self) -> float:
        """Of its audio, as far as words tell."""
        known = [heard for heard in self.utterances.values() if heard.last_sample]
        if not known:
            return 0.0
        return max(0, known[-1].last_sample - known[0].first_sample) / INPUT_RATE_HZ


class Speech:
    """The caller's side of one session."""

    def __init__(self, items: Items) -> None:
        self.transcribes = False
        """The client wants transcripts."""
        self.detects = True
        """The client wants to know when speech starts and stops."""
        self.prefix_ms = 0
        """Reported before the speech was detected."""
        self._items = items
        self._open = _Open()
        self._late: _Open | None = None
        """Committed, and its final is still to come."""

    def started(self, sample: int) -> list[Event]:
        """Speech was detected at this input sample."""
        if self._open.speaks or not self.detects:
            return []
        self._open.speaks = True
        at_ms = max(0, round(sample * 1000 / INPUT_RATE_HZ) - self.prefix_ms)
        return [{"type": "input_audio_buffer.speech_started", "audio_start_ms": at_ms, "item_id": self._open.id}]

    def stopped(self, sample: int) -> list[Event]:
        """It stopped."""
        if not self._open.speaks:
            return []
        self._open.speaks = False
        at_ms = round(sample * 1000 / INPUT_RATE_HZ)
        return [{"type": "input_audio_buffer.speech_stopped", "audio_end_ms": at_ms, "item_id": self._open.id}]

    def transcribed(self, event: Transcribed, *, undecided: bool) -> list[Event]:
        """The recogniser said something; `undecided`: nobody knows yet whether it is a turn."""
        late = self._late
        owner = late if late and event.utterance in late.utterances else self._open
        heard = owner.utterances.setdefault(event.utterance, _Utterance())
        if len(owner.utterances) > _MAX_UTTERANCES:
            del owner.utterances[next(iter(owner.utterances))]
        heard.text, heard.is_final = event.text, event.final
        heard.first_sample, heard.last_sample = event.first_sample, event.last_sample
        if owner is late:
            return self._complete(late) if event.final and _is_settled(late) else []
        return [] if undecided else self._deltas(owner, event.final)

    def committed(self, words: str, n: int) -> list[Event]:
        """A turn ended with these words, which exchange `n` holds: it becomes an item."""
        events = self._complete(self._late) if self._late else []
        spoken, self._open = self._open, _Open()
        bare = _bare(words)
        spoken.utterances = {
            k: heard for k, heard in spoken.utterances.items() if heard.text and _bare(heard.text) in bare
        }
        if words and not spoken.utterances:
            spoken.utterances = {0: _Utterance(words, True)}
        item = Item(spoken.id, "message", "user", "input_audio", spoken.text, n=n)
        spoken.item = item
        if spoken.speaks:
            last = max((heard.last_sample for heard in spoken.utterances.values()), default=0)
            events.append(_stopped(spoken.id, last))
        previous = self._items.add(item)
        shown = {"item": item.shown(), "previous_item_id": previous}
        events += [
            {"type": "input_audio_buffer.committed", "item_id": item.id, "previous_item_id": previous},
            {"type": "conversation.item.added", **shown},
            {"type": "conversation.item.done", **shown},
        ]
        if _is_settled(spoken):
            return [*events, *self._complete(spoken)]
        self._late = spoken
        return [*events, *(self._deltas(spoken, True))]

    def idle(self, sample: int, timeout_ms: int) -> list[Event]:
        """Nobody has spoken for so long: silence is committed."""
        end_ms = round(sample * 1000 / INPUT_RATE_HZ)
        told = {
            "type": "input_audio_buffer.timeout_triggered",
            "audio_start_ms": max(0, end_ms - timeout_ms),
            "audio_end_ms": end_ms,
            "item_id": self._open.id,
        }
        return [told, *self.committed("", 0)]

    def cleared(self) -> None:
        """What is open was taken back."""
        self._open = _Open()

    def _deltas(self, spoken: _Open, is_final: bool) -> list[Event]:
        """More of the transcript. A partial may change: its last word is kept back, and what does not go on from what
        was told waits for the whole transcript."""
        text = spoken.text
        if not is_final:
            text = text[: text.rfind(" ") + 1] if " " in text else ""
        if not self.transcribes or not text.startswith(spoken.told) or text == spoken.told:
            return []
        delta, spoken.told = text[len(spoken.told) :], text
        return [{"type": f"{_TRANSCRIPTION}.delta", "item_id": spoken.id, "content_index": 0, "delta": delta}]

    def _complete(self, spoken: _Open) -> list[Event]:
        """The transcript of a committed item is whole."""
        if spoken is self._late:
            self._late = None
        if spoken.item is not None:
            self._items.write(spoken.item, spoken.text)
        if not self.transcribes:
            return []
        return [
            *self._deltas(spoken, True),
            *_segments(spoken),
            {
                "type": f"{_TRANSCRIPTION}.completed",
                "item_id": spoken.id,
                "content_index": 0,
                "transcript": spoken.text,
                "usage": {"type": "duration", "seconds": round(spoken.seconds, 3)},
            },
        ]


def _segments(spoken: _Open) -> list[Event]:
    """One for each utterance of the recogniser."""
    return [
        {
            "type": f"{_TRANSCRIPTION}.segment",
            "item_id": spoken.id,
            "content_index": 0,
            "id": f"{spoken.id}_{number}",
            "text": heard.text,
            "speaker": "caller",
            "start": round(heard.first_sample / INPUT_RATE_HZ, 3),
            "end": round(heard.last_sample / INPUT_RATE_HZ, 3),
        }
        for number, heard in enumerate(spoken.utterances.values(), start=1)
    ]


def _stopped(item_id: str, sample: int) -> Event:
    at_ms = round(sample * 1000 / INPUT_RATE_HZ)
    return {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": at_ms, "item_id": item_id}


def _is_settled(spoken: _Open) -> bool:
    return all(heard.is_final for heard in spoken.utterances.values())


def _bare(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
