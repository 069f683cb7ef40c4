"""Does speech come through the gateway as it went in? Recordings with their texts, against the recogniser alone.

Every recording is a call: the caller streams it in real time and waits for the answer. The same recordings also go
straight to the recogniser in the same frames, a fresh stream each; what the gateway adds in wrong words is its fault.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from pcm import read_wav

from voice_bench.measure.caller import CallFailed, calling, channel_to
from voice_bench.measure.clips import FRAME_S, RATE_HZ, Frames, NoSpeech, frames_of
from voice_bench.measure.gateway_process import GatewayProcess, Kind, gateway
from voice_bench.realtime_recognition import finals, recognise, recognition_config
from voice_bench.stack import Stack

TAIL_S = 2.0
"""Silence after the speech: longer than any recogniser waits for its final."""
ANSWER_WITHIN_S = 45.0
"""All calls at once may keep a recogniser on the CPU busy for a while."""
_QUIET_S = 1.5
"""Nothing new for so long after an answer: the call has said all it will."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech in 20 ms frames and what is said in it."""

    name: str
    frames: Frames
    text: str


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One recording's call; `text` is all finals joined."""

    name: str
    text: str
    finals: int
    replies: int
    audio_s: float
    ended: bool
    largest_lag_s: float | None
    voice_to_voice_s: float | None
    """Of the caller's last frame, which may be silence."""
    response_s: float | None = None
    """From the last speech that the detector heard to the first audio of the last reply, as the gateway tells."""
    decision_s: float | None = None
    """From there to the end of the turn."""
    turns: int = 0
    """Ends of turns; each recording is one turn, so more are false."""
    trouble: str = ""

    @property
    def complete(self) -> bool:
        """A final transcript, a reply, audio, and an end."""
        return bool(self.text and self.finals and self.replies and self.audio_s > 0 and self.ended and not self.trouble)


def recordings_in(folder: Path) -> list[Recording]:
    """NAME.wav with NAME.txt beside it. Raises NoSpeech."""
    found = []
    for wav in sorted(folder.glob("*.wav")):
        text = wav.with_suffix(".txt")
        if text.exists():
            frames = frames_of(read_wav(wav).at(RATE_HZ).pcm16)
            found.append(Recording(wav.stem, frames, text.read_text(encoding="utf-8").strip()))
    if not found:
        raise NoSpeech(f"{folder} holds no NAME.wav with a NAME.txt beside it; put what is said into the text file")
    return found


async def straight(stack: Stack, recording: Recording) -> str:
    """What the recogniser alone hears, all finals joined."""
    frames = (*recording.frames, *_tail())
    found: list[str] = []
    async with (
        grpc.aio.insecure_channel(stack.speech_target) as channel,
        asyncio.timeout(len(frames) * FRAME_S + ANSWER_WITHIN_S),
    ):
        async for answer in recognise(channel, recognition_config("en-US"), frames, FRAME_S):
            found += finals(answer)
    return " ".join(filter(None, found))


async def through_gateway(stack: Stack, recordings: Sequence[Recording], at_once: int) -> list[RecordedCall]:
    """Every recording as a call of its own, `at_once` at a time, through one gateway."""
    async with gateway(stack, Kind.OURS) as tested:
        free = asyncio.Semaphore(at_once)

        async def one(recording: Recording) -> RecordedCall:
            async with free:
                return await _call(tested, recording)

        return list(await asyncio.gather(*(one(recording) for recording in recordings)))


async def _call(tested: GatewayProcess, recording: Recording) -> RecordedCall:
    trouble, spoken_at = "", 0.0
    async with channel_to(tested.target) as channel:
        try:
            async with calling(channel) as caller:
                record = caller.record
                spoken_at = (await caller.speak(recording.frames)).last_sent_at
                await caller.until(lambda: record.audio_bytes > 0, ANSWER_WITHIN_S, "reply audio")
                # A busy recogniser may say its final after the turn was ended on a partial.
                await caller.until(lambda: bool(record.finals), ANSWER_WITHIN_S, "final transcript")
                await _until_quiet(record.finals)
                caller.interrupt()  # a reply that is over tells its latencies; nobody needs to hear it out
                await caller.until(lambda: bool(record.latencies), 5, "latencies")
        except CallFailed as failed:
            trouble = str(failed)
            if not spoken_at:
                return RecordedCall(recording.name, "", 0, 0, 0.0, False, None, None, trouble=trouble)
    told = [latency for latency in record.latencies if latency.HasField("gateway_response_latency")]
    lags = [latency.asr_lag for latency in record.latencies if latency.HasField("asr_lag")]
    answered = [reply.first_audio_at for reply in record.replies.values() if reply.first_audio_at]
    return RecordedCall(
        name=recording.name,
        text=" ".join(text.strip() for _, text in record.finals),
        finals=len(record.finals),
        replies=len(record.replies),
        audio_s=record.audio_bytes / 2 / record.output_rate_hz,
        ended=record.over_at is not None and not record.errors,
        largest_lag_s=max(lags, default=None),
        voice_to_voice_s=max(answered) - spoken_at if answered else None,
        response_s=told[-1].gateway_response_latency if told else None,
        decision_s=told[-1].endpointing_delay if told else None,
        turns=len(record.turns),
        trouble=trouble or "; ".join(record.errors),
    )


async def _until_quiet(finals: Sequence[tuple[float, str]]) -> None:
    """No final for a while: every one has come."""
    count = -1
    while count != len(finals):
        count = len(finals)
        await asyncio.sleep(_QUIET_S)


def _tail() -> Frames:
    return frames_of(bytes(round(TAIL_S * RATE_HZ) * 2))
