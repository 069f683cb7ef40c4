"""How does an answer get to the caller? Words become phrases, phrases audio, and audio leaves as it is played.

Three tasks in a row, each waiting when the next one is full; cancelling `run` cancels all of them, and with them the
requests to the language model and to TTS.

A source that breaks off is followed by its apology. A voice that fails falls silent for the rest of the reply, but for
the apology, where it had begun to speak; its text goes on to the caller, who may be able to read.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field, replace
from math import inf
from typing import Protocol

from voice_gateway.core.language import Language
from voice_gateway.core.playout import Playout
from voice_gateway.core.speakable.phrase import SpeakablePhrase
from voice_gateway.core.speakable.thought_filter import Opening
from voice_gateway.core.speakable_text import SpeakableOptions, SpeakableText
from voice_gateway.core.speech_types import SynthesisedAudio, SynthesisOptions
from voice_gateway.core.timeline import Mark
from voice_gateway.core.tools import ToolRound
from voice_gateway.errors import Upstream, no_text
from voice_gateway.interfaces import Synthesiser, SynthesisStream
from voice_gateway.reply.no_voice import NO_VOICE
from voice_gateway.reply.source import Boundary, Source, fixed

TICK_S = 0.001
_LOOK_AGAIN_S = 0.05
"""How often audio that is due and has no room looks whether the caller has caught up."""
_PHRASES_AHEAD = 16
"""Phrases waiting for TTS; the language model's stream is read no further."""


class ReplyListener(Protocol):
    """Who wants to know how the reply goes."""

    def reply_text_added(self, n: int, delta: str) -> None:
        """More text."""

    def reply_has_room(self, n: int) -> bool:
        """Whether more audio may leave: not while too much of it is still on its way to the caller."""

    def reply_audio_due(self, n: int, offset: int, pcm16: bytes) -> None:
        """More audio leaves now."""

    def reply_marked(self, n: int, mark: Mark) -> None:
        """A moment of the timeline."""

    def reply_requested(self, n: int) -> None:
        """A request of the reply was handed to its connection."""

    def reply_failed(self, n: int, error: Upstream) -> None:
        """A backend failed; what was made until then is still played."""

    def reply_tools_changed(self, n: int) -> None:
        """Tools were called for the reply, or a result came."""


@dataclass(frozen=True, slots=True)
class SpeechSetup:
    """How a reply is spoken."""

    synthesiser: Synthesiser
    options: SynthesisOptions
    ahead_s: float
    """Audio made ahead of playing; then TTS waits."""
    speakable: SpeakableOptions = field(default_factory=SpeakableOptions)
    """How text is made speakable."""
    language: Language = field(default_factory=lambda: Language("en-US"))
    """What it is written in."""


class Reply:  # size: three tasks in a row over one account; a retraction reaches into all of them
    """Reply `n`."""

    def __init__(
        self,
        n: int,
        source: Source,
        setup: SpeechSetup,
        playout: Playout,
        listener: ReplyListener,
        clock: Callable[[], float],
    ) -> None:
        self.n = n
        self.playout = playout
        self.failed = False
        self._source = source
        self._setup = setup
        self._listener = listener
        self._clock = clock
        self._before = ""
        """What was said ahead of what `_speakable` makes speakable."""
        self._speakable = self._make_speakable(setup.speakable)
        self._retractions = 0
        self._due_at: float | None = None
        self._phrases: asyncio.Queue[SpeakablePhrase | None] = asyncio.Queue(_PHRASES_AHEAD)
        self._asked = False
        self._is_synthesising = False
        self._given_chars = 0
        self._has_first_token = False
        self._made = False
        self._apologised = False
        self._held = False
        self._released = asyncio.Event()
        self._released.set()
        self.pieces = 0
        """Of text that the model has sent; about a token each."""
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        if source.rounds:
            source.rounds.begin(self)

    @property
    def rounds(self) -> tuple[ToolRound, ...]:
        """The tools that were called so far."""
        return self._source.rounds.record if self._source.rounds else ()

    @property
    def began_in_thought(self) -> bool:
        """Whether it turned out to have begun inside a thought that no tag opened."""
        return self._retractions > 0

    @property
    def has_request_to_send(self) -> bool:
        """Whether the model, or a voice for a phrase, is about to be asked."""
        return not self._asked or not (self._is_synthesising or self._phrases.empty())

    @property
    def held_needlessly(self) -> bool:
        """Whether it was held as a thought that it did not begin with."""
        return self._speakable.held_needlessly

    @property
    def is_text_only(self) -> bool:
        """Whether nobody speaks it."""
        return self._setup.synthesiser is NO_VOICE

    @property
    def told_text(self) -> str:
        """What was handed to the caller of its text."""
        return self.text[: self._given_chars].strip()

    @property
    def text(self) -> str:
        """What is said, as it was written."""
        return self._before + self._speakable.text

    async def run(self) -> None:
        """Until everything was played, as far as the pacing clock knows."""
        if self._source.rounds and self._released.is_set():
            self._source.rounds.decide()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read_source(), name=f"reply {self.n} words")
                tasks.create_task(self._synthesise(), name=f"reply {self.n} audio")
                await self._play()
        finally:
            # A cancelled task's traceback and its frames hold each other until the garbage is collected, and what is
            # said here with them: seconds of audio a reply, tens of megabytes a gateway.
            self.playout.forget_unsent()

    def hold(self) -> None:
        """Let no audio leave."""
        self._held = True

    def pause(self) -> None:
        """Let no audio leave, and count none as heard: the caller's player pauses, too."""
        self.hold()
        self.playout.pause(self._clock())
        self._changed.set()

    def go_on(self) -> None:
        """The caller's player goes on; whether audio may leave is another matter."""
        self.playout.go_on(self._clock())
        self._changed.set()

    def left_s(self) -> float:
        """Seconds of audio that the caller has not heard; inf = more may be made."""
        return self.playout.left_s(self._clock()) if self._made else inf

    def ends_within(self, seconds: float) -> bool:
        """Whether all of it was sent, and will be heard so soon."""
        return self._made and not self.playout.waiting_s and self.playout.left_s(self._clock()) <= seconds

    def resume(self) -> None:
        """Let audio leave."""
        self._held = False
        self._changed.set()

    def wait_for_release(self) -> None:
        """Make the first phrase and no more, and let nothing leave: perhaps this reply is not wanted."""
        self._released.clear()
        self.hold()

    def release(self, listener: ReplyListener) -> None:
        """It is wanted: it may be spoken on and leave, and `listener` is told from now on."""
        self._listener = listener
        self._released.set()
        if self._source.rounds:
            self._source.rounds.decide()
        self.resume()

    def quiet_from(self) -> float:
        """Speaker: when the caller will have heard all that is made; inf = more is being made, or nothing may leave."""
        if self._held or self._is_synthesising or not self._phrases.empty():
            return inf
        return self.playout.played_at() + self.playout.waiting_s

    def rounds_changed(self) -> None:
        """Speaker: tools were called, or a result came."""
        self._listener.reply_tools_changed(self.n)

    def _note_asked(self) -> None:
        self._asked = True
        self._listener.reply_requested(self.n)

    async def _read_source(self) -> None:
        # Runs as soon as the source waits for its answer: then the request is on its connection, if that was open.
        asyncio.get_running_loop().call_soon(self._note_asked)
        if error := await self._read(self._source.pieces):
            self._fail(error)
            if self._source.apology:
                self._apologised = True
                self._begin_part(Boundary(filler=True))
                await self._read(fixed(self._source.apology).pieces)
        await self._phrases.put(None)

    async def _read(self, pieces: AsyncGenerator[str | Boundary, None]) -> Upstream | None:
        """Hand on all that is said, or what was said until it broke off: then the error."""
        error = None
        is_ours = pieces is not self._source.pieces
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Boundary):
                        is_ours = piece.filler
                        await self._give_phrases(self._speakable.flush())
                        self._begin_part(piece)
                    else:
                        await self._take(piece, is_ours=is_ours)
        except Upstream as upstream:
            error = upstream
        await self._give_phrases(self._speakable.flush())
        return error if error or self._speakable.spoke else no_text()

    async def _take(self, piece: str, *, is_ours: bool) -> None:
        """More text; what is ours (an apology, a filler) is no token of the model's."""
        speakable = self._speakable
        self.pieces += 1
        if not is_ours and not self._has_first_token:
            self._listener.reply_marked(self.n, Mark.FIRST_TOKEN)
            self._has_first_token = True
        retractions = speakable.retractions
        phrases = speakable.push(piece, self._clock())
        if speakable.retractions != retractions:
            self._retract_thought()
        if phrases:
            await self._give_phrases(phrases)
        self._wake_when_due()

    def _begin_part(self, boundary: Boundary) -> None:
        """What follows is made speakable by itself: whatever was open in the text before stays open."""
        self._before = self.text + (" " if self.text and not self.text[-1].isspace() else "")
        speakable = self._setup.speakable
        self._speakable = self._make_speakable(
            replace(speakable, opening=Opening.ANSWER) if boundary.filler else speakable
        )

    def _make_speakable(self, how: SpeakableOptions) -> SpeakableText:
        return SpeakableText(self._setup.language, self._setup.options.voice, how)

    def _retract_thought(self) -> None:
        """What was given out so far was thought, which only its end told: what nobody has heard of it is dropped."""
        self._retractions += 1
        self._given_chars = len(self._before)
        while not self._phrases.empty():
            self._phrases.get_nowait()
        self.playout.take_back()
        self._room.set()

    def _wake_when_due(self) -> None:
        """Wake up `_play` where there is a new time to hurry at, or that time has come."""
        due_at = self._speakable.due_at()
        if due_at != self._due_at or (due_at is not None and due_at <= self._clock()):
            self._due_at = due_at
            self._changed.set()

    def _hurry(self, now: float) -> float | None:
        """Where the caller hears nothing for long, whole words are spoken without the end of their phrase. The time
        to look again; None = not before something changes."""
        due_at = self._speakable.due_at()
        if due_at is None or self._made or self._is_synthesising or not self._phrases.empty():
            return None
        if self.playout.is_paused or (self._held and self.playout.waiting_s):
            return None
        silent_at = self.playout.played_at() + self.playout.waiting_s
        if max(due_at, silent_at) > now:
            return max(due_at, silent_at)
        for phrase in self._speakable.hurry(now):
            self._phrases.put_nowait(phrase)
        self._give_text()
        return None

    async def _give_phrases(self, phrases: list[SpeakablePhrase]) -> None:
        """Hand phrases to TTS, and then their text to the caller: a message a phrase, not a message a token."""
        for phrase in phrases:
            await self._phrases.put(phrase)
        self._give_text()

    def _give_text(self) -> None:
        if self._speakable.text and (delta := self.text[self._given_chars :]):
            self._given_chars = len(self.text)
            self._listener.reply_text_added(self.n, delta)

    async def _synthesise(self) -> None:
        try:
            with closing(self._setup.synthesiser.open(self._setup.options)) as voice:
                while (phrase := await self._phrases.get()) is not None:
                    self._listener.reply_marked(self.n, Mark.PHRASE_SENT)
                    self._is_synthesising = True
                    self._listener.reply_requested(self.n)
                    await self._synthesise_phrase(phrase, voice)
                    self._is_synthesising = False
                    self._changed.set()
        except Upstream as error:
            self._fail(error)
            while await self._phrases.get() is not None:
                pass  # words missing in the middle would be worse than an end
            if self.playout.made_samples and self._source.apology and not self._apologised:
                await self._apologise()
        self._made = True
        self._changed.set()

    async def _apologise(self) -> None:
        """The voice broke off in the middle: perhaps another try, or another server, can at least say so."""
        self.playout.break_phrase()
        self._begin_part(Boundary(filler=True))
        phrases = self._speakable.push(self._source.apology, self._clock()) + self._speakable.flush()
        self._give_text()
        with closing(self._setup.synthesiser.open(self._setup.options)) as voice, suppress(Upstream):
            for phrase in phrases:
                await self._synthesise_phrase(phrase, voice)

    async def _synthesise_phrase(self, phrase: SpeakablePhrase, voice: SynthesisStream) -> None:
        playout, first_sample = self.playout, self.playout.made_samples
        playout.begin_phrase(phrase)
        retractions = self._retractions
        async with aclosing(voice.synthesise(phrase.spoken)) as sounds:
            async for sound in sounds:
                if self._retractions != retractions:
                    return
                if sound.pcm16 and not playout.made_samples:
                    self._listener.reply_marked(self.n, Mark.FIRST_SOUND)
                self._add(sound, first_sample)
                while playout.waiting_s > self._setup.ahead_s:
                    self._room.clear()
                    await self._room.wait()
        playout.end_phrase()
        await self._released.wait()

    def _add(self, sound: SynthesisedAudio, first_sample: int) -> None:
        rate_hz = self._setup.options.rate_hz
        self.playout.add(sound.pcm16)
        for text, end_s in sound.words:
            self.playout.place_word(text, first_sample + round(end_s * rate_hz))
        self._send_due()
        self._changed.set()

    def _send_due(self) -> None:
        """Let go what may leave now."""
        now = self._clock()
        while self._may_send() and (frame := self.playout.take(now)) is not None:
            self._listener.reply_audio_due(self.n, *frame)
            self._room.set()

    def _may_send(self) -> bool:
        return not self._held and self._listener.reply_has_room(self.n)

    async def _play(self) -> None:
        playout = self.playout
        while True:
            self._send_due()
            now = self._clock()
            finished = self._made and not playout.waiting_s
            if finished and playout.played_at() <= now:
                return
            waiting = playout.waiting_s > 0 and not self._held
            next_at = max(playout.next_at(), now + _LOOK_AGAIN_S if playout.next_at() <= now else 0.0)
            wake_at = next_at if waiting else None
            if finished and not playout.is_paused:
                wake_at = playout.played_at()
            hurry_at = self._hurry(now)
            wake_at = hurry_at if wake_at is None else min(wake_at, hurry_at or wake_at)
            await self._changed_by(None if wake_at is None else wake_at - now)

    async def _changed_by(self, delay_s: float | None) -> None:
        """Wait for a change, at most `delay_s`, but no shorter than a tick of uvloop's clock: that would spin."""
        try:
            async with asyncio.timeout(None if delay_s is None else max(delay_s, TICK_S)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _fail(self, error: Upstream) -> None:
        self.failed = True
        self._listener.reply_failed(self.n, error)
