"""How do a microphone and a loudspeaker reach a call? Through PortAudio, if this machine has it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from pcm import SAMPLE_BYTES

OnCaptured = Callable[[bytes], None]
"""Takes PCM16 from the microphone. Called in the device's own thread: hand over, don't work."""

FillPlayback = Callable[[int, float], bytes]
"""(samples, seconds until the first one sounds) -> exactly so many samples of PCM16. In the device's own thread."""


class NoAudio(Exception):
    """There is no usable audio device; str() is a sentence that says what to do instead."""


class AudioDevice(Protocol):
    """A microphone and a loudspeaker, running while the context is open."""

    def check(self) -> None:
        """Raises NoAudio when `open` could not work, before anybody is called."""

    def open(
        self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback
    ) -> AbstractContextManager[None]: ...


class PortAudio:
    """The machine's default devices, 20 ms at a time. `open` raises NoAudio."""

    def check(self) -> None:
        """Raises NoAudio without PortAudio, or without a default microphone and loudspeaker."""
        sounddevice = _sounddevice()
        try:
            for kind in ("input", "output"):
                sounddevice.query_devices(kind=kind)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise NoAudio(f"this machine has no {kind} device ({error}); use: voice say FILE.wav") from error

    @contextmanager
    def open(self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback) -> Iterator[None]:
        sounddevice = _sounddevice()

        def on_input(data: Any, frames: int, time: Any, status: Any) -> None:
            on_captured(bytes(data))

        def on_output(data: Any, frames: int, time: Any, status: Any) -> None:
            pcm16 = fill(frames, max(0.0, time.outputBufferDacTime - time.currentTime))
            data[:] = pcm16.ljust(frames * SAMPLE_BYTES, b"\0")

        with ExitStack() as streams:
            try:
                for stream, rate_hz, callback in (
                    (sounddevice.RawInputStream, input_hz, on_input),
                    (sounddevice.RawOutputStream, output_hz, on_output),
                ):
                    streams.enter_context(
                        stream(
                            samplerate=rate_hz,
                            blocksize=rate_hz // 50,
                            channels=1,
                            dtype="int16",
                            latency="low",
                            callback=callback,
                        )
                    )
            except (sounddevice.PortAudioError, ValueError) as error:
                raise NoAudio(f"the audio device can't be opened ({error}); use: voice say FILE.wav") from error
            yield


def _sounddevice() -> Any:
    try:
        import sounddevice  # raises OSError at import where PortAudio is missing
    except OSError as error:
        raise NoAudio(f"{error}; install PortAudio (libportaudio2), or use: voice say FILE.wav") from error
    return sounddevice
