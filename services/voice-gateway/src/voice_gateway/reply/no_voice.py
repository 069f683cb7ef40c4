"""Who speaks a reply that is text only? Nobody: no phrase has audio, and each is over at once."""

from collections.abc import AsyncGenerator

from voice_gateway.core.speech_types import SynthesisedAudio, SynthesisOptions


class _Silence:
    """Implements `SynthesisStream` and `Synthesiser`."""

    def open(self, options: SynthesisOptions) -> "_Silence":
        """For one reply."""
        return self

    async def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        """No audio."""
        nothing: tuple[SynthesisedAudio, ...] = ()
        for sound in nothing:
            yield sound

    def close(self) -> None:
        """Nothing is open."""


NO_VOICE = _Silence()
