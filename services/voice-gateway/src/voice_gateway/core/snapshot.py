"""What would another gateway need to go on with a call? One versioned value, as JSON and back."""

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from voice_gateway.core.conversation import Exchange
from voice_gateway.core.events import CallOptions
from voice_gateway.core.state_codec import pack_state, unpack_state
from voice_gateway.core.turn_states import State

VERSION = 1


@dataclass(frozen=True, slots=True)
class UnheardReply:
    """A reply that was under way: its text so far, and how many samples of it were heard."""

    n: int
    text: str
    heard_samples: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A call at one moment. `open_audio` is what no final transcript stands for yet (PCM16, 16 kHz)."""

    session: str
    options: CallOptions
    exchanges: tuple[Exchange, ...]
    state: State
    turn: int
    age_s: float
    received_samples: int
    open_audio: bytes
    unheard: UnheardReply | None
    summary: str = ""
    """Of what was said before the exchanges."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class _PlainFields:
    """The fields of a snapshot that need no tag."""

    session: str
    options: CallOptions
    exchanges: tuple[Exchange, ...]
    turn: int
    age_s: float
    received_samples: int
    unheard: UnheardReply | None
    summary: str = ""


_PLAIN_FIELDS = TypeAdapter(_PlainFields)


def to_json(snapshot: Snapshot) -> str:
    """One line of JSON; infinite patience is written as Infinity."""
    fields = asdict(snapshot)
    fields["open_audio"] = base64.b64encode(snapshot.open_audio).decode()
    fields["state"] = pack_state(snapshot.state)
    return json.dumps({"version": VERSION, **fields})


def from_json(text: str) -> Snapshot:
    """The snapshot again. Raises ValueError with a sentence."""
    try:
        fields: dict[str, Any] = json.loads(text)
        version = fields.pop("version")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"this is no snapshot of a call: {error}") from None
    if version != VERSION:
        raise ValueError(f"snapshot version {version} can't be read here; this gateway reads version {VERSION}")
    try:
        open_audio = base64.b64decode(fields.pop("open_audio"), validate=True)
        state = unpack_state(fields.pop("state"))
        rest = _PLAIN_FIELDS.validate_python(fields)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"this is no snapshot of a call: {error}") from None
    return Snapshot(
        rest.session,
        rest.options,
        rest.exchanges,
        state,
        rest.turn,
        rest.age_s,
        rest.received_samples,
        open_audio,
        rest.unheard,
        rest.summary,
    )
