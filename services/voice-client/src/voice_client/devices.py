"""How do a microphone and a loudspeaker reach a call? Through PortAudio, if this machine has it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pcm import SAMPLE_BYTES

from voice_client.interfaces import FillPlayback, OnCaptured


class NoAudio(Exception):
    """There is no usable audio device; str() is a sentence that says what to do instead."""


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
                    wanted = {"channels": 1, "dtype": "int16", "latency": "low", "callback": callback}
                    streams.enter_context(stream(samplerate=rate_hz, blocksize=rate_hz // 50, **wanted))
            except (sounddevice.PortAudioError, ValueError) as error:
                raise NoAudio(f"the audio device can't be opened ({error}); use: voice say FILE.wav") from error
            yield


def _sounddevice() -> Any:
    try:
        import sounddevice  # raises OSError at import where PortAudio is missing
    except OSError as error:
        raise NoAudio(f"{error}; install PortAudio (libportaudio2), or use: voice say FILE.wav") from error
    return sounddevice
