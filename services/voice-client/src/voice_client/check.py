"""Does a gateway hold a spoken conversation? It speaks a question for us, and we call again and speak it back.

Nothing but the gateway is needed, and no recording: what it says to a typed turn is what it must understand.
"""

import asyncio
from dataclasses import dataclass, field, replace

from pcm import Clip, silence

from voice_client.call import Call, connect
from voice_client.call_record import CallRecord, ended_by_gateway
from voice_client.end_of_call import EndOfCallDetector
from voice_client.errors import CallFailed
from voice_client.events import Ended, Error, Event, ReplyAudio, ReplyText, Transcript, Turn, TurnEvent
from voice_client.file_caller import frames_of, run_call
from voice_client.options import CallOptions

QUESTION = "what is your name"
"""Short, answered by the mini LLM and every larger model, and one that every voice is understood with."""
_TYPED = f"Repeat after me: {QUESTION}?"
_REPEATING = "Repeat the sentence that you are asked to repeat, word for word. Do not answer it, and say nothing else."
_PAUSE_S = 0.3
"""Before the question: detectors want to hear where silence ends."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was said and heard."""

    asked: str
    """The question, as the gateway was asked to speak it."""
    spoken_s: float
    """How long it took to say."""
    heard: str
    """What the gateway understood of it."""
    reply: str
    reply_s: float
    """Audio of the reply."""
    voice_to_voice_s: float | None
    """From the end of our speech to the reply's first audible sample."""


@dataclass(slots=True)
class _SpokenReply:
    """The reply to the last turn; a greeting before it does not count."""

    n: int = 0
    text: str = ""
    audio: bytearray = field(default_factory=bytearray)
    finals: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    over: bool = False
    _turn_ended: bool = False

    def observe(self, event: Event) -> None:
        match event:
            case TurnEvent(kind=Turn.TURN_ENDED):
                self._turn_ended = True
            case TurnEvent(kind=Turn.REPLY_STARTED) if self._turn_ended:
                self.n, self.text, self.over = event.reply, "", False
                self.audio.clear()
            case ReplyText() if event.reply == self.n:
                self.text += event.delta
            case ReplyAudio() if event.reply == self.n:
                self.audio += event.pcm16
            case TurnEvent(kind=Turn.REPLY_ENDED) if self.n and event.reply == self.n:
                self.over = True
            case Transcript(final=True) if event.text:
                self.finals.append(event.text)
            case Error():
                self.troubles.append(event.message)
            case Ended() if event.reason != "caller_ended":
                self.troubles.append(ended_by_gateway(event))
            case _:
                pass


async def check(target: str, options: CallOptions, patience_s: float) -> CheckResult:
    """A spoken round trip through the gateway at `target`. Raises VoiceError, with a sentence that says which part of
    it failed; each of the two calls may take `patience_s` without anything happening."""
    question = await _question(target, options, patience_s)
    reply, record = await _answer(target, options, question, patience_s)
    heard = " ".join(reply.finals)
    if not heard:
        raise CallFailed(_sentence("the gateway understood nothing of the question that it had spoken", reply))
    if not reply.text.strip():
        raise CallFailed(_sentence(f"no reply came to {heard!r}", reply))
    if not reply.audio:
        raise CallFailed(_sentence(f"the reply {reply.text.strip()!r} was not spoken", reply))
    waits = list(record.voice_to_voice.values())
    return CheckResult(
        asked=QUESTION,
        spoken_s=question.duration_s,
        heard=heard,
        reply=reply.text.strip(),
        reply_s=len(reply.audio) / 2 / question.rate_hz,
        voice_to_voice_s=waits[-1] if waits else None,
    )


async def _question(target: str, options: CallOptions, patience_s: float) -> Clip:
    """The question in the gateway's own voice."""
    reply = _SpokenReply()
    async with connect(target, replace(options, system_prompt=_REPEATING)) as call:
        rate_hz = call.started.output.rate_hz
        await call.say(_TYPED)
        try:
            await _until_over(call, reply, patience_s)
        except TimeoutError:
            raise CallFailed(_sentence(f"no spoken reply to a typed turn within {patience_s:g} s", reply)) from None
    if not reply.audio:
        raise CallFailed(_sentence("the gateway spoke no reply to a typed turn", reply))
    return Clip(silence(_PAUSE_S, rate_hz) + bytes(reply.audio), rate_hz)


async def _until_over(call: Call, reply: _SpokenReply, patience_s: float) -> None:
    async with asyncio.timeout(patience_s) as waiting:
        async for event in call:
            waiting.reschedule(asyncio.get_running_loop().time() + patience_s)
            reply.observe(event)
            if reply.over:
                return


async def _answer(
    target: str, options: CallOptions, question: Clip, patience_s: float
) -> tuple[_SpokenReply, CallRecord]:
    """What the gateway makes of the question, spoken in real time."""
    reply = _SpokenReply()
    async with connect(target, options) as call:
        frames = frames_of(question.at(call.started.input.rate_hz))
        record = await run_call(
            call, frames, on_event=reply.observe, patience_s=patience_s, end_of_call=EndOfCallDetector()
        )
    return reply, record


def _sentence(what: str, reply: _SpokenReply) -> str:
    return "; ".join([what, *(reply.troubles or ["look at the gateway's log"])])
