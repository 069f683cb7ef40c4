"""How do a microphone and a loudspeaker reach a call? Through PortAudio, if this machine has it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from voice_client.device_choice import DeviceInfo, Kind, NoAudio, choose
from voice_client.device_conversion import FRAME_S, InputConversion, OutputConversion
from voice_client.interfaces import FillPlayback, OnCaptured, OnLost, OpenedAudio

RATES_HZ = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
"""Those that a call may have, and those that devices usually have."""
_INSTEAD = "use: voice say FILE.wav"


@dataclass(frozen=True, slots=True)
class _Opening:
    """How one device is opened."""

    device: DeviceInfo
    rate_hz: int
    channels: int

    def settings(self, callback: Callable[..., None], on_lost: OnLost) -> dict[str, Any]:
        """For a stream of sounddevice."""
        return {
            "device": self.device.index,
            "samplerate": self.rate_hz,
            "channels": self.channels,
            "blocksize": round(self.rate_hz * FRAME_S),
            "dtype": "int16",
            "latency": "low",
            "callback": callback,
            "finished_callback": on_lost,
        }


@dataclass(frozen=True, slots=True)
class PortAudio:
    """Two devices by number or part of a name; "" = the machine's default one. `open` raises NoAudio."""

    input: str = ""
    output: str = ""

    def check(self) -> None:
        """Raises NoAudio without PortAudio, or without such a microphone and loudspeaker."""
        self._chosen(_sounddevice())

    def default(self) -> "PortAudio":
        """The machine's default devices; PortAudio looks again which there are."""
        sounddevice = _sounddevice()
        # PortAudio reads the list of devices once. This is how sounddevice's documentation reads it again.
        sounddevice._terminate()
        sounddevice._initialize()
        return PortAudio()

    @contextmanager
    def open(
        self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback, on_lost: OnLost
    ) -> Iterator[OpenedAudio]:
        sounddevice = _sounddevice()
        microphone, loudspeaker = self._chosen(sounddevice)
        taking = _opening(sounddevice, microphone, "input", input_hz)
        giving = _opening(sounddevice, loudspeaker, "output", output_hz)
        from_device = InputConversion(taking.rate_hz, taking.channels, input_hz)
        to_device = OutputConversion(giving.rate_hz, giving.channels, output_hz)
        leaving = False

        def on_input(data: Any, frames: int, time: Any, status: Any) -> None:
            for frame in from_device.frames(bytes(data)):
                on_captured(frame)

        def on_output(data: Any, frames: int, time: Any, status: Any) -> None:
            data[:] = to_device.block(frames, max(0.0, time.outputBufferDacTime - time.currentTime), fill)

        def on_finished() -> None:
            if not leaving:
                on_lost()

        with ExitStack() as streams:
            try:
                streams.enter_context(sounddevice.RawOutputStream(**giving.settings(on_output, on_finished)))
                streams.enter_context(sounddevice.RawInputStream(**taking.settings(on_input, on_finished)))
            except (sounddevice.PortAudioError, ValueError) as error:
                raise NoAudio(f"the audio device can't be opened ({error}); {_INSTEAD}") from error
            try:
                yield OpenedAudio(microphone.name, loudspeaker.name)
            finally:
                leaving = True

    def _chosen(self, sounddevice: Any) -> tuple[DeviceInfo, DeviceInfo]:
        devices = _listed(sounddevice)
        return choose(devices, self.input, "input"), choose(devices, self.output, "output")


def devices() -> list[DeviceInfo]:
    """All devices of this machine. Raises NoAudio without PortAudio."""
    return _listed(_sounddevice())


def usable_rates(device: DeviceInfo, kind: Kind) -> tuple[int, ...]:
    """Those of RATES_HZ that the device takes without conversion."""
    sounddevice = _sounddevice()
    return tuple(rate_hz for rate_hz in RATES_HZ if any(_fits(sounddevice, device, kind, rate_hz, n) for n in (1, 2)))


def _listed(sounddevice: Any) -> list[DeviceInfo]:
    try:
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        defaults = {kind: _default_index(sounddevice, kind) for kind in ("input", "output")}
        return [_info(device, apis, defaults) for device in sounddevice.query_devices()]
    except sounddevice.PortAudioError as error:
        raise NoAudio(f"the audio devices can't be listed ({error}); {_INSTEAD}") from error


def _info(device: Mapping[str, Any], apis: list[str], defaults: Mapping[str, int]) -> DeviceInfo:
    return DeviceInfo(
        index=device["index"],
        name=device["name"],
        host_api=apis[device["hostapi"]],
        inputs=device["max_input_channels"],
        outputs=device["max_output_channels"],
        default_hz=round(device["default_samplerate"]),
        is_default_input=device["index"] == defaults["input"],
        is_default_output=device["index"] == defaults["output"],
    )


def _default_index(sounddevice: Any, kind: str) -> int:
    """-1 = there is none."""
    try:
        return int(sounddevice.query_devices(kind=kind)["index"])
    except (sounddevice.PortAudioError, ValueError):
        return -1


def _opening(sounddevice: Any, device: DeviceInfo, kind: Kind, call_hz: int) -> _Opening:
    """As the call has it if the device takes that, else as the device has it: then it is converted here."""
    for rate_hz, channels in ((call_hz, 1), (device.default_hz, 1), (device.default_hz, 2)):
        if _fits(sounddevice, device, kind, rate_hz, channels):
            return _Opening(device, rate_hz, channels)
    return _Opening(device, call_hz, 1)  # opening it says what is wrong


def _fits(sounddevice: Any, device: DeviceInfo, kind: Kind, rate_hz: int, channels: int) -> bool:
    check = sounddevice.check_input_settings if kind == "input" else sounddevice.check_output_settings
    try:
        check(device=device.index, channels=channels, dtype="int16", samplerate=rate_hz)
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def _sounddevice() -> Any:
    try:
        import sounddevice  # raises OSError at import where PortAudio is missing
    except OSError as error:
        raise NoAudio(f"{error}; install PortAudio (libportaudio2), or {_INSTEAD}") from error
    return sounddevice
