"""What does the client need from others? A gRPC stream, an audio device, and somebody who shows what happens."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.call_record import CallRecord
from voice_client.errors import VoiceError
from voice_client.events import Event

OnCaptured = Callable[[bytes], None]
"""Takes PCM16 from the microphone. Called in the device's own thread: hand over, don't work."""

FillPlayback = Callable[[int, float], bytes]
"""(samples, seconds until the first one sounds) -> exactly so many samples of PCM16. In the device's own thread."""


class ConverseCall(Protocol):
    """The part of grpc's stream-stream call that is used here."""

    async def write(self, request: pb.ClientMessage) -> None: ...
    async def read(self) -> object: ...
    def cancel(self) -> bool: ...


OnLost = Callable[[], None]
"""The device has stopped by itself. In the device's own thread."""


@dataclass(frozen=True, slots=True)
class OpenedAudio:
    """The devices that are open, by name."""

    input_name: str
    output_name: str


class AudioDevice(Protocol):
    """A microphone and a loudspeaker, running while the context is open. Opening may take a second."""

    def check(self) -> None:
        """Raises NoAudio when `open` could not work, before anybody is called."""

    def open(
        self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback, on_lost: OnLost
    ) -> AbstractContextManager[OpenedAudio]:
        """Raises NoAudio. Microphone frames are 20 ms."""

    def default(self) -> "AudioDevice":
        """The machine's default devices, as it has them now."""


class CallOutput(Protocol):
    """Shows what happens in one call."""

    def event(self, event: Event) -> None: ...
    def summary(self, record: CallRecord, extra: Mapping[str, Any]) -> None: ...
    def failure(self, error: VoiceError) -> None: ...
