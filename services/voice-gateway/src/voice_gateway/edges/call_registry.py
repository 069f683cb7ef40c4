"""How does an edge get a call? It asks the registry, which owns all calls."""

from typing import Protocol

from voice_gateway.core.admission import Refusal
from voice_gateway.core.events import Caller, CallOptions
from voice_gateway.edges.held_call import CallRequest, HeldCall, ServerInfo
from voice_gateway.edges.held_transcription import HeldTranscription, TranscriptionRequest
from voice_gateway.edges.limits import Limits


class CallRegistry(Protocol):
    """The registry, as edges see it. What it says of new calls may change between two of them."""

    @property
    def server_info(self) -> ServerInfo:
        """What this gateway is."""

    @property
    def limits(self) -> Limits:
        """What a caller may send and ask for."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are known to be served."""

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices that synthesis lists; none = not known."""

    def defaults(self, language: str) -> CallOptions:
        """What a caller of this language gets who asks for nothing else; "" = ASR_LANGUAGE. Raises Unsupported."""

    def refusal(self) -> Refusal | None:
        """Why no call can start now; None = one can."""

    def open(self, request: CallRequest, caller: Caller) -> HeldCall:
        """A new call. Raises Refused."""

    def transcription_defaults(self, language: str) -> CallOptions:
        """`defaults` for a caller who wants words only: that no voice speaks the language does not matter."""

    def transcribe(self, request: TranscriptionRequest, caller: Caller) -> HeldTranscription:
        """A new transcription stream. Raises Refused."""

    def resume(self, token: str) -> HeldCall:
        """The call that waits under `token`. Raises NotFound, or Refused for a token of another gateway."""

    def trouble(self) -> str:
        """Why no call can start now; empty = one can."""

    def transcription_refusal(self) -> Refusal | None:
        """Why no transcription stream can start now; None = one can, as far as limits of each caller allow."""
