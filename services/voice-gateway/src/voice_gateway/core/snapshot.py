"""What would another gateway need to go on with a call? One versioned value, as JSON and back."""

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from voice_gateway.core import turn_types
from voice_gateway.core.conversation import Exchange
from voice_gateway.core.events import CallOptions

VERSION = 1

_STATES: dict[str, type[turn_types.State]] = {
    kind.__name__: kind
    for kind in (
        turn_types.Idle,
        turn_types.Hearing,
        turn_types.Pausing,
        turn_types.Thinking,
        turn_types.Speaking,
        turn_types.Overlap,
        turn_types.Ended,
    )
}


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
    state: turn_types.State
    turn: int
    age_s: float
    received_samples: int
    open_audio: bytes
    unheard: UnheardReply | None


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class _Rest:
    """The fields of a snapshot that need no tag."""

    session: str
    options: CallOptions
    exchanges: tuple[Exchange, ...]
    turn: int
    age_s: float
    received_samples: int
    unheard: UnheardReply | None


_REST = TypeAdapter(_Rest)


def to_json(snapshot: Snapshot) -> str:
    """One line of JSON; infinite patience is written as Infinity."""
    fields = asdict(snapshot)
    fields["open_audio"] = base64.b64encode(snapshot.open_audio).decode()
    fields["state"] = {"kind": type(snapshot.state).__name__, **fields["state"]}
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
        tagged = fields.pop("state")
        state = TypeAdapter(_STATES[tagged.pop("kind")]).validate_python(tagged)
        rest = _REST.validate_python(fields)
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
    )
