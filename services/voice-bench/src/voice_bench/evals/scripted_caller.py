"""What does the caller of a scenario do? Its steps, one after the other; microphone and loudspeaker all the time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from google.protobuf.struct_pb2 import Struct
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.evals.loudspeaker import HeardAudio
from voice_bench.evals.matching import fits
from voice_bench.evals.microphone import RATE_HZ, Microphone, Sound, SoundWord, spread
from voice_bench.evals.moments import Moment, Moments
from voice_bench.evals.recorded_audio import recorded_sound
from voice_bench.evals.scenario import EventPattern, Scenario, Step
from voice_bench.evals.scripted_link import ScriptedLink
from voice_bench.evals.speech_timing import timed, without_pauses

_HEARTBEAT_S = 0.4
_LOOK_AGAIN_S = 0.2
_KINDS = {kind: pb.TurnEvent.Kind.Name(kind).lower().replace("_", " ") for kind in pb.TurnEvent.Kind.values()}
_OVER = ("reply ended", "reply interrupted", "reply retracted")

Open = Callable[[ScriptedLink], "asyncio.Task[None]"]
"""The gateway takes a stream: the task in which it serves it."""


class ScriptedCaller:  # size: a client's two directions, its link and its steps share one state
    """One caller's client."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        microphone: Microphone,
        heard: HeardAudio,
        moments: Moments,
        open_stream: Open,
    ) -> None:
        self._scenario = scenario
        self._client = scenario.client
        self._folder = folder
        self._microphone = microphone
        self._heard = heard
        self._moments = moments
        self._open_stream = open_stream
        self._loop = asyncio.get_running_loop()
        self._seq = 0
        self._kept: deque[pb.ClientMessage] = deque()
        """Sent, and not acknowledged."""
        self._last_server_seq = 0
        self._link: ScriptedLink | None = None
        self._serving: asyncio.Task[None] | None = None
        self._token = ""
        self._began = asyncio.Event()
        self._over = asyncio.Event()
        self._muted_until = 0.0
        self._sent_at = 0.0
        self._ticked_at = 0.0
        self._echo: Sound | None = None
        self._audible: set[int] = set()
        self._alive: set[int] = set()
        """Replies that have begun and not ended."""
        self.waits_for = ""
        """The step that waits for an event, and for which one; "" = none does."""

    async def run(self) -> None:
        """The whole call. Raises what the gateway's side raises."""
        self._connect(pb.SessionStart())
        await self._began.wait()
        self._moments.begin()
        async with asyncio.TaskGroup() as tasks:
            audio = tasks.create_task(self._send_audio(), name="caller's audio")
            steps = tasks.create_task(self._take_steps(), name="caller's steps")
            await self._over.wait()
            audio.cancel()
            steps.cancel()

    # ------------------------------------------------------------------------------------------ link

    def _connect(self, start: pb.SessionStart) -> None:
        asked, client = self._scenario.session, self._client
        if not start.HasField("resume"):
            start.language, start.greeting, start.system_prompt = asked.language, asked.greeting, asked.system_prompt
            start.sends_heartbeats = client.heartbeats
            if asked.push_to_talk:
                start.turn_detection = pb.TURN_DETECTION_PUSH_TO_TALK
            start.hotwords.extend(pb.Hotword(phrase=name, boost=boost) for name, boost in asked.hotwords.items())
            for name, tool in client.tools.items():
                parameters = Struct()
                parameters.update(tool.parameters)
                offered = pb.Tool(name=name, description=tool.description, parameters=parameters)
                offered.side_effects = tool.side_effects
                start.tools.append(offered)
        self._link = ScriptedLink(client.link_delay, self._took)
        self._serving = self._open_stream(self._link)
        self._serving.add_done_callback(self._served)
        if start.HasField("resume"):
            self._link.send(pb.ClientMessage(start=start))
        else:
            self._send(start=start)

    def _served(self, task: "asyncio.Task[None]") -> None:
        """The gateway's side of a stream is over."""
        if task is self._serving and not task.cancelled():
            if self._link and self._link.refusal:
                self._moments.note("failure", self._link.refusal, reason="refused")
            self._began.set()
            # What the gateway wrote last is still on its way.
            self._loop.call_later(self._client.link_delay, self._over.set)

    def _send(self, **fields: object) -> None:
        self._seq += 1
        message = pb.ClientMessage(seq=self._seq, ack=self._last_server_seq, **fields)  # type: ignore[arg-type]
        self._kept.append(message)
        self._sent_at = self._loop.time()
        if self._link:
            self._link.send(message)

    async def _drop_link(self, seconds: float) -> None:
        self._moments.note("link down", reason="dropped")
        serving, link = self._serving, self._link
        self._serving = self._link = None
        if link:
            link.break_off()
        if serving:
            serving.cancel()
        await asyncio.sleep(seconds)
        resume = pb.Resume(token=self._token, last_server_seq=self._last_server_seq)
        self._connect(pb.SessionStart(resume=resume))
        self._moments.note("link up")

    async def _stall_link(self, seconds: float) -> None:
        link = self._link
        self._moments.note("link down", reason="stalls")
        if link:
            link.stall()
        await asyncio.sleep(seconds)
        if link:
            link.go_on()
        self._moments.note("link up")

    # -------------------------------------------------------------------------------- what is received

    def _took(self, message: pb.ServerMessage) -> None:
        if message.seq:
            self._last_server_seq = message.seq
        while self._kept and self._kept[0].seq <= message.ack:
            self._kept.popleft()
        self._heard.take(message)
        kind = message.WhichOneof("message")
        match kind:
            case "started":
                self._token = message.started.resume_token
                self._began.set()
                if message.started.resumed and self._link:
                    for kept in self._kept:
                        self._link.send(kept)
            case "turn":
                self._took_turn(message.turn)
            case "transcript":
                told = message.transcript
                event = "final" if told.final else "partial"
                self._moments.note(event, told.text, turn=told.turn, utterance=told.utterance)
            case "reply_audio" if message.reply_audio.reply not in self._audible:
                self._audible.add(message.reply_audio.reply)
                self._moments.note("reply audible", reply=message.reply_audio.reply)
            case "error":
                self._moments.note(
                    "failure", message.error.message, reason=pb.Error.Code.Name(message.error.code).lower()
                )
            case "go_away":
                self._moments.note("go away", reason=pb.GoAway.Reason.Name(message.go_away.reason).lower())
            case "ended":
                reason = pb.SessionEnded.Reason.Name(message.ended.reason).lower().replace("_", " ")
                self._moments.note("call ended", message.ended.message, reason=reason)
            case "tool_call":
                self._answer_tool(message.tool_call)
            case "tool_call_cancelled":
                self._moments.note("tool call cancelled", reason=message.tool_call_cancelled.id)
            case _:
                pass

    def _took_turn(self, told: pb.TurnEvent) -> None:
        event = _KINDS[told.kind]
        if event == "reply started":
            numbers = self._moments.numbers
            numbers.setdefault(told.reply, len(numbers) + 1)
            self._alive.add(told.reply)
        elif event in _OVER:
            self._alive.discard(told.reply)
        self._moments.note(event, told.text, heard=told.heard_text, reply=told.reply, turn=told.turn)

    def _answer_tool(self, call: pb.ToolCall) -> None:
        self._moments.note("tool call", reply=call.reply, reason=call.name)
        tool = self._client.tools[call.name]
        result = pb.ToolResult(id=call.id, content=tool.returns, failed=tool.fails)
        self._loop.call_later(tool.takes, lambda: self._send(tool_result=result))

    # ------------------------------------------------------------------------------------------ audio

    async def _send_audio(self) -> None:
        """Microphone and loudspeaker, message by message, in time."""
        message_s = self._client.message_s
        next_at = self._loop.time()
        while True:
            self._ticked_at = self._loop.time()
            heard = self._heard.play(message_s)
            if self._client.echo and heard:
                self._note_echo(heard)
            reports = self._heard.reports(self._microphone.samples)
            if self._client.reports:
                for report in reports:
                    self._send(
                        playout=pb.PlayoutReport(
                            reply=report.reply,
                            samples_played=report.samples_played,
                            input_sample=report.input_sample,
                            final=report.final,
                        )
                    )
            next_at += message_s
            await asyncio.sleep(max(0.0, next_at - self._loop.time()))
            if self._loop.time() >= self._muted_until:
                first = self._microphone.samples
                self._send(audio=pb.Audio(data=self._microphone.record(round(message_s * RATE_HZ)), first_sample=first))
            elif self._client.heartbeats and self._loop.time() - self._sent_at >= _HEARTBEAT_S:
                self._send()

    def _note_echo(self, heard: bytes) -> None:
        assert self._client.echo is not None, "the caller asked"
        before = self._echo if self._echo in self._microphone.sounds else None
        self._echo = self._heard.echo(heard, self._client.echo, self._microphone.samples, before)
        if before is not None and before.first == self._echo.first:
            self._microphone.sounds.remove(before)
        self._microphone.add(self._echo)

    # ------------------------------------------------------------------------------------------ steps

    async def _take_steps(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            since = 0
            for number, step in enumerate(self._scenario.caller, 1):
                self.waits_for = f"step {number} waits for {step.when.event!r}" if step.when else ""
                await self._wait_for(step, since)
                self.waits_for = ""
                since = len(self._moments.all)
                if step.meanwhile:
                    tasks.create_task(self._take(step), name="caller's step")
                    await asyncio.sleep(0)
                else:
                    await self._take(step)
        if self._client.stays:
            return
        # That nothing happens for a while is no event that could be waited for.
        while self._alive or self._moments.now - self._moments.all[-1].at < self._client.patience:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_S)
        self._hang_up()

    async def _wait_for(self, step: Step, since: int) -> None:
        if step.when is not None:
            await self._awaited(step.when, since)
        if step.at is not None:
            await asyncio.sleep(max(0.0, step.at - self._moments.now))
        if step.after:
            await asyncio.sleep(step.after)

    async def _awaited(self, pattern: EventPattern, since: int) -> None:
        came = asyncio.Event()

        def look(moment: Moment) -> None:
            if fits(moment, pattern):
                came.set()

        for moment in self._moments.all[since:]:
            look(moment)
        self._moments.listeners.append(look)
        try:
            await came.wait()
        finally:
            self._moments.listeners.remove(look)

    async def _take(self, step: Step) -> None:
        doing: Awaitable[None] | None = None
        if step.say is not None:
            doing = self._say(step)
        elif step.play is not None:
            doing = self._make(recorded_sound(self._folder / step.play, step.heard_as or "", self._next_sample))
        elif step.noise is not None:
            doing = self._make_noise(step)
        elif step.wait is not None:
            doing = asyncio.sleep(step.wait)
        elif step.type is not None:
            self._moments.note("caller types", step.type)
            self._send(text=pb.Text(text=step.type))
        elif step.commit:
            self._moments.note("caller commits")
            self._send(commit=pb.CommitTurn())
        elif step.interrupt:
            self._moments.note("caller interrupts")
            self._send(interrupt=pb.Interrupt())
        elif step.mute is not None:
            doing = self._mute(step.mute)
        elif step.drop_link is not None:
            doing = self._drop_link(step.drop_link)
        elif step.stall_link is not None:
            doing = self._stall_link(step.stall_link)
        elif step.hang_up:
            self._hang_up()
        if doing is not None:
            await doing

    @property
    def _next_sample(self) -> int:
        """The sample that is recorded now."""
        if self._loop.time() < self._muted_until:
            return self._microphone.samples
        return self._microphone.samples + round((self._loop.time() - self._ticked_at) * RATE_HZ)

    async def _say(self, step: Step) -> None:
        text = step.say or ""
        words = timed(text, step.words_per_minute)
        first = self._next_sample
        spans: list[tuple[int, int]] = []
        placed = []
        for word in words:
            begin, end = first + round(word.start_s * RATE_HZ), first + round(word.end_s * RATE_HZ)
            placed.append(SoundWord(word.text, begin, end))
            if spans and spans[-1][1] == begin:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((begin, end))
        understood = spread(step.partial_as, spans) if step.partial_as is not None else tuple(placed)
        await self._make(Sound(tuple(spans), understood, step.heard_as or ""), without_pauses(text))

    async def _make_noise(self, step: Step) -> None:
        first = self._next_sample
        span = (first, first + round((step.noise or 0.0) * RATE_HZ))
        words = spread(step.partial_as or step.heard_as or "", [span])
        self._moments.note("caller makes noise")
        await self._sound(Sound((span,), words, step.heard_as or "" if words else ""))

    async def _make(self, sound: Sound, text: str = "") -> None:
        self._moments.note("caller speaks", text or " ".join(word.text for word in sound.words))
        await self._sound(sound)
        self._moments.note("caller silent")

    async def _sound(self, sound: Sound) -> None:
        length_s = max(0.0, (sound.voiced[-1][1] - self._next_sample) / RATE_HZ)
        self._microphone.add(sound)
        await asyncio.sleep(length_s)

    async def _mute(self, seconds: float) -> None:
        self._moments.note("caller mutes")
        self._microphone.cut()
        self._muted_until = self._loop.time() + seconds
        await asyncio.sleep(seconds)
        self._moments.note("caller unmutes")

    def _hang_up(self) -> None:
        self._moments.note("caller hangs up")
        self._send(end=pb.SessionEnd())
