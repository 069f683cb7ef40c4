"""How does a call go on when its microphone or loudspeaker vanishes? With the default devices, or with silence.

    the chosen devices ── stopped, or silent for LOST_AFTER_S ──▶ the default devices ──┐
                                                    ▲      none: silence for RETRY_S    │
                                                    └───────────────────────────────────┘

The input audio is the clock of a call, so silence is sent while there is no microphone, and a reply that nobody can
hear plays all the same. One task runs this; devices are opened in threads, because that may take a second.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from pcm import SAMPLE_BYTES

from voice_client.device_choice import NoAudio
from voice_client.interfaces import AudioDevice, OpenedAudio
from voice_client.live.device_threads import Clock, Microphone, Speaker

LOST_AFTER_S = 2.0
"""A device that gives or takes nothing for so long has vanished: some systems tell no end of a stream."""
RETRY_S = 2.0
_LOOK_EVERY_S = 0.25
_FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class AudioRates:
    """Samples per second of the call."""

    input_hz: int
    output_hz: int


Told = Callable[[OpenedAudio | None, str], None]
"""Which devices are open now (None = none is), and a sentence when that is not as it was; "" = as it was meant."""


class SteadyAudio:
    """Keeps frames coming and replies playing until it is cancelled."""

    def __init__(
        self, rates: AudioRates, microphone: Microphone, speaker: Speaker, told: Told, clock: Clock = time.monotonic
    ) -> None:
        self._rates = rates
        self._microphone = microphone
        self._speaker = speaker
        self._told = told
        self._clock = clock

    async def run(self, device: AudioDevice) -> None:
        """Never returns. Raises NoAudio when `device` can't be opened in the beginning."""
        await self._use(device, "")
        sentence = "the audio device has stopped; the call goes on with {}"
        while True:
            try:
                default = await asyncio.to_thread(device.default)
                await self._use(default, sentence)
                sentence = "the audio device has stopped; the call goes on with {}"
            except NoAudio as error:
                if sentence:
                    self._told(None, f"the audio device has stopped, and there is no other ({error}); you hear nothing")
                sentence = "there is an audio device again: {}"
                await self._be_silent(RETRY_S)

    async def _use(self, device: AudioDevice, sentence: str) -> None:
        """Until it stops. Raises NoAudio when it can't be opened."""
        lost, loop = asyncio.Event(), asyncio.get_running_loop()

        def on_lost() -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(lost.set)

        manager = device.open(
            input_hz=self._rates.input_hz,
            output_hz=self._rates.output_hz,
            on_captured=self._microphone.add,
            fill=self._speaker.fill,
            on_lost=on_lost,
        )
        opened = await _entered(manager)
        try:
            names = " and ".join(dict.fromkeys((opened.input_name, opened.output_name)))
            self._told(opened, sentence.format(names))
            await self._until_lost(lost)
        finally:
            await asyncio.shield(asyncio.to_thread(manager.__exit__, None, None, None))

    async def _until_lost(self, lost: asyncio.Event) -> None:
        opened_at = self._clock()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await lost.wait()
            stood_still_since = min(self._microphone.last_frame_at, self._speaker.last_fill_at)
            if lost.is_set() or self._clock() - max(opened_at, stood_still_since) >= LOST_AFTER_S:
                return

    async def _be_silent(self, seconds: float) -> None:
        """A microphone that hears nothing and a loudspeaker that nobody hears, in the loop."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        end = due + seconds
        while due < end:
            self._microphone.add(bytes(round(self._rates.input_hz * _FRAME_S) * SAMPLE_BYTES))
            self._speaker.fill(round(self._rates.output_hz * _FRAME_S), 0.0)
            due += _FRAME_S
            await asyncio.sleep(max(0.0, due - loop.time()))


async def _entered(manager: AbstractContextManager[OpenedAudio]) -> OpenedAudio:
    """Enters `manager` in a thread; if this is cancelled meanwhile, leaves it again."""
    entering = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        return await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(NoAudio):
            await entering
            await asyncio.to_thread(manager.__exit__, None, None, None)
        raise
