"""How much may be served at once, of what kind? Every gate of the server, opened and closed together."""

from dataclasses import dataclass

from speech_server.admission import Admission
from speech_server.engines.registry import chosen_asr
from speech_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Gates:
    """One gate a kind, shared by gRPC and HTTP."""

    streams: Admission
    """Live recognitions: taken or refused at once."""
    recordings: Admission
    """Whole recordings being transcribed; some may wait."""
    uploading: Admission
    """HTTP recordings on their way in, in line, or being transcribed."""
    syntheses: Admission

    @property
    def all(self) -> tuple[Admission, ...]:
        """Every gate."""
        return self.streams, self.recordings, self.uploading, self.syntheses

    def open(self) -> None:
        """Requests are taken from now on."""
        for gate in self.all:
            gate.open()

    def close(self, why: str) -> None:
        """Requests are refused from now on."""
        for gate in self.all:
            gate.close(why)

    async def until_idle(self) -> None:
        """Wait, after `close`, for the last request to end."""
        for gate in self.all:
            await gate.until_idle()


def gates(settings: Settings) -> Gates:
    """The gates of these settings, closed."""
    server, requests = settings.server, settings.requests
    again_ms = server.speech_retry_after_ms
    at_once = recordings_at_once(settings)
    queue = round(at_once * requests.speech_queue_max_factor)
    return Gates(
        streams=Admission("streams", server.speech_max_streams, again_ms),
        recordings=Admission(
            "recordings", at_once, again_ms, queue=queue, longest_wait_s=requests.speech_max_queue_wait_s
        ),
        uploading=Admission("uploads", at_once + queue, again_ms),
        syntheses=Admission("syntheses", server.speech_max_syntheses, again_ms),
    )


_BESIDE = 300
"""Calls that hold no place: health checks and watches, lists, calls whose first message is on its way."""


def most_calls(gates: Gates) -> int:
    """How many calls, or HTTP connections, there may be at once: those that hold a place or wait for one, and others.

    Enough for all of them, so that one too many of a kind is refused with a sentence.
    """
    return gates.streams.limit + gates.syntheses.limit + gates.uploading.limit + _BESIDE


def recordings_at_once(settings: Settings) -> int:
    """As many as the engine takes: a whole batch."""
    return chosen_asr(settings).recordings_at_once(settings)
