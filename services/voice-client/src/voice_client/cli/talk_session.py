"""How does one person talk, from the first call to quitting? Keys are obeyed, and a lost call is followed by another.

call ── ended by the gateway ──▶ over
  │ ▲
  │ └── a new call, which knows nothing of the old one ──┐
  └──── lost: it could not be resumed, or was drained ───┴── not within the reconnect deadline ──▶ VoiceError
"""

import asyncio
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from voice_client.backoff import delay_s
from voice_client.call import connect
from voice_client.cli.key_commands import Command, press
from voice_client.errors import Busy, CallLost, Unreachable, VoiceError
from voice_client.events import Ended, Event
from voice_client.interfaces import AudioDevice
from voice_client.live import screen_state
from voice_client.live.live_caller import LiveCaller, LiveOptions
from voice_client.live.screen import Screen
from voice_client.options import CallOptions

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Calling:
    """Whom to call, how, and with which devices."""

    target: str
    options: CallOptions
    live: LiveOptions
    device: AudioDevice


class TalkSession:
    """Holds calls for one person until the gateway ends one or the person quits."""

    def __init__(self, calling: Calling, screen: Screen, on_event: OnEvent = lambda event: None) -> None:
        self._calling = calling
        self._screen = screen
        self._on_event = on_event
        self._caller: LiveCaller | None = None
        self._quit = asyncio.Event()
        self._drained = False

    async def run(self, keys: asyncio.Queue[str]) -> None:
        """Raises VoiceError or NoAudio when there is no call and can't be one."""
        calls = asyncio.create_task(self._hold_calls(), name="voice calls")
        others = [
            asyncio.create_task(self._obey(keys), name="voice keys"),
            asyncio.create_task(self._quit.wait(), name="voice quit"),
        ]
        try:
            with _quits_on_sigterm(self._quit):
                await asyncio.wait({calls, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (calls, *others):
                task.cancel()
            outcome, *_ = await asyncio.gather(calls, *others, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    async def _hold_calls(self) -> None:
        loop, policy = asyncio.get_running_loop(), self._calling.options.reconnect
        deadline: float | None = None  # None: no call has been lost, so that nothing is tried again
        attempt = 0
        lost: VoiceError
        while True:
            self._screen.show(screen_state.connecting(self._now()))
            try:
                if await self._hold_call():
                    return
                attempt, lost = 0, CallLost("the gateway has shut down")
            except CallLost as error:
                attempt, lost = 0, error
            except (Unreachable, Busy) as error:
                if deadline is None:
                    raise
                lost = error
            if attempt == 0:
                deadline = loop.time() + policy.deadline_s
                sentence = f"the call is lost ({lost}); calling again: the new call knows nothing of this one"
                self._screen.show(screen_state.with_note(self._now(), sentence, is_trouble=True))
            attempt += 1
            pause_s = delay_s(policy, attempt, lost.retry_after_s, random.random())
            if deadline is not None and loop.time() + pause_s >= deadline:
                raise lost
            await asyncio.sleep(pause_s)

    async def _hold_call(self) -> bool:
        """One call. False: its gateway shut down, so that another one may take a new call."""
        calling = self._calling
        self._drained = False
        async with connect(calling.target, calling.options) as call:
            self._caller = LiveCaller(call, self._screen, calling.live, self._observe)
            try:
                await self._caller.run(calling.device)
            finally:
                self._caller = None
        return not self._drained

    def _observe(self, event: Event) -> None:
        self._drained = isinstance(event, Ended) and event.reason == "drained"
        self._on_event(event)

    def _now(self) -> screen_state.ScreenState:
        return screen_state.at(self._screen.state, asyncio.get_running_loop().time())

    # -- keys ----------------------------------------------------------------------------------------

    async def _obey(self, keys: asyncio.Queue[str]) -> None:
        while True:
            pressed = press(await keys.get(), self._screen.state.typing)
            self._screen.show(replace(self._screen.state, typing=pressed.typing))
            if pressed.command is Command.QUIT:
                self._quit.set()
            elif self._caller is None:
                if pressed.say or pressed.command:
                    # What was typed is not lost: it can be sent once there is a call again.
                    kept = replace(self._now(), typing=pressed.say or None)
                    self._screen.show(screen_state.with_note(kept, "there is no call at the moment"))
            else:
                # A full outbox ends the call; the task that holds it says so.
                with suppress(VoiceError):
                    await _do(self._caller, pressed.command, pressed.say)


async def _do(caller: LiveCaller, command: Command | None, say: str) -> None:
    match command:
        case Command.TALK:
            await caller.talk()
        case Command.INTERRUPT:
            await caller.interrupt()
        case Command.MUTE:
            caller.mute()
        case Command.HALF_DUPLEX:
            caller.switch_half_duplex()
    if say:
        await caller.say(say)


@contextmanager
def _quits_on_sigterm(quit_: asyncio.Event) -> Iterator[None]:
    """The terminal is put back as it was, and the gateway is told."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, quit_.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
