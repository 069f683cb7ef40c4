"""How does a live caller hold a call? Microphone frames go out, replies are played, keys do what the screen says.

Four tasks, started and ended together: the devices (`steady_audio`), the microphone's frames, the gateway's events, and
the release of a talk key that is held.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from pcm import dbfs

from voice_client.call import Call
from voice_client.events import Event
from voice_client.interfaces import AudioDevice, OpenedAudio
from voice_client.live import screen_state
from voice_client.live.device_threads import Microphone, Speaker
from voice_client.live.echo_canceller import EchoCanceller
from voice_client.live.half_duplex import HalfDuplex
from voice_client.live.screen import Screen
from voice_client.live.steady_audio import AudioRates, SteadyAudio
from voice_client.live.talk_key import TalkKey
from voice_client.playout import Playout


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How one person talks."""

    push_to_talk: bool = False
    half_duplex: bool = False
    cancel_echo: bool = False


class LiveCaller:  # size: a method for each thing that a person can do during a call
    """Holds one call until the gateway ends it. What is to be seen goes to `screen`, every event also to `on_event`."""

    def __init__(
        self, call: Call, screen: Screen, options: LiveOptions, on_event: Callable[[Event], None] = lambda event: None
    ) -> None:
        self._call = call
        self._screen = screen
        self._on_event = on_event
        self._push_to_talk = options.push_to_talk
        rates = AudioRates(call.started.input.rate_hz, call.started.output.rate_hz)
        self._speaker = Speaker(Playout(rates.output_hz))
        self._microphone = Microphone(asyncio.get_running_loop())
        self._canceller = EchoCanceller(rates.input_hz, rates.output_hz) if options.cancel_echo else None
        self._audio = SteadyAudio(rates, self._microphone, self._speaker, self._devices_changed)
        self._gate = HalfDuplex()
        self._talk_key = TalkKey()
        self._key_pressed = asyncio.Event()
        screen.show_audio(
            is_talking=not options.push_to_talk,
            echo_cancelled=options.cancel_echo,
            half_duplex=screen.state.audio.half_duplex or options.half_duplex,
        )

    async def run(self, device: AudioDevice) -> None:
        """Until the call ends. Raises NoAudio, or the VoiceError that ended the call."""
        tasks = [
            asyncio.create_task(self._listen(), name="voice events"),
            asyncio.create_task(self._audio.run(device), name="voice devices"),
            asyncio.create_task(self._send(), name="voice microphone"),
            asyncio.create_task(self._watch_talk_key(), name="voice talk key"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- what a person can do ------------------------------------------------------------------------

    async def talk(self) -> None:
        """The talk key was pressed: begins to talk (over a reply: interrupts it), or ends the turn."""
        if self._push_to_talk:
            await self._talk_key_is(self._talk_key.press(asyncio.get_running_loop().time()))
            self._key_pressed.set()

    async def interrupt(self) -> None:
        """Stops the reply, also one that is still being made."""
        await self._call.interrupt()

    async def say(self, text: str) -> None:
        """A typed turn."""
        await self._call.say(text)

    def mute(self) -> None:
        """The microphone is silent from now on, or no more."""
        self._screen.show_audio(is_muted=not self._screen.state.audio.is_muted)

    def switch_half_duplex(self) -> None:
        """The microphone is silent while a reply is heard, or no more."""
        self._screen.show_audio(half_duplex=not self._screen.state.audio.half_duplex)

    # -- tasks ---------------------------------------------------------------------------------------

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            pcm16 = await self._microphone.frame()
            now = loop.time()
            self._take_played()
            if self._canceller:
                pcm16 = self._canceller.clean(pcm16)
            self._screen.show_audio(
                input_dbfs=dbfs(pcm16), is_gated=self._gate.is_closed(now), frames_dropped=self._microphone.dropped
            )
            # Silence, not nothing, between turns: the input audio is the clock of the playout reports.
            await self._call.send_audio(bytes(len(pcm16)) if self._is_silent() else pcm16)
            await self._report(now)

    def _is_silent(self) -> bool:
        audio = self._screen.state.audio
        return audio.is_muted or not audio.is_talking or (audio.half_duplex and audio.is_gated)

    def _take_played(self) -> None:
        rate_hz = self._call.started.output.rate_hz
        for block in self._speaker.played():
            if block.heard_bytes:
                self._gate = self._gate.played(block.at, block.heard_bytes / 2 / rate_hz)
            if self._canceller:
                self._canceller.played(block.pcm16)
            self._screen.show_audio(output_dbfs=dbfs(block.pcm16))

    async def _report(self, now: float) -> None:
        state = screen_state.at(self._screen.state, now)
        progress = self._speaker.progress()
        if progress is not None:
            state = screen_state.reply_heard(state, *progress)
        for report in self._speaker.reports(now, self._call.samples_sent):
            await self._call.report_playout(report)
            played_s = report.samples_played / self._call.started.output.rate_hz
            state = screen_state.reply_heard(state, report.reply, played_s, final=report.final)
        self._screen.show(state)

    async def _listen(self) -> None:
        async for event in self._call:
            self._speaker.take(event)
            self._screen.show(screen_state.observe(self._screen.state, event))
            self._on_event(event)

    async def _watch_talk_key(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._key_pressed.clear()
            try:
                async with asyncio.timeout_at(self._talk_key.deadline()):
                    await self._key_pressed.wait()
            except TimeoutError:
                await self._talk_key_is(self._talk_key.at(loop.time()))

    async def _talk_key_is(self, key: TalkKey) -> None:
        before, self._talk_key = self._talk_key, key
        if before.is_talking == key.is_talking:
            return
        self._screen.show_audio(is_talking=key.is_talking)
        if not key.is_talking:
            await self._call.commit()
        elif self._screen.state.open_reply:
            await self._call.interrupt()

    def _devices_changed(self, opened: OpenedAudio | None, sentence: str) -> None:
        names = opened or OpenedAudio("none", "none")
        self._screen.show_audio(input_name=names.input_name, output_name=names.output_name)
        if sentence:
            self._screen.show(screen_state.with_note(self._screen.state, sentence, is_trouble=True))


def first_state(target: str, options: LiveOptions, now: float) -> screen_state.ScreenState:
    """Before the first call."""
    state = screen_state.ScreenState(target, options.push_to_talk, now=now, connection_since=now)
    return replace(state, audio=replace(state.audio, half_duplex=options.half_duplex))
