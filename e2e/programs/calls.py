"""How do calls from inside the cluster end? Runs in a pod of the client image, prints a line of JSON for each call.

    python calls.py --target talk-gateway:50050 --count 20 --at-once 20 --hold-s 60
    python calls.py --target ... --every-s 0.25 --for-s 60 --hold-s 1     # a stream of new calls

How a call ends: `normal` (its caller hung up when its time was over), `told` (GoAway came, and the gateway ended it
with a reason), `cut` (neither), `refused` (it never began).
An answer counts from the end of a turn's tone to the first audio of the reply; `unanswered` are turns without one.
"""

import argparse
import asyncio
import json
import math
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from voice_client import (
    Call,
    CallOptions,
    Dropped,
    Ended,
    Error,
    GoAway,
    Reconnect,
    ReplyAudio,
    Transcript,
    Turn,
    TurnEvent,
    VoiceError,
    connect,
)

RATE_HZ, PIECE_S = 16000, 0.1
SPEECH_S, SILENCE_S = 1.0, 2.0
"""A turn of tone, which a scripted recogniser takes for speech, and the time its reply needs."""


def _tone() -> bytes:
    count = int(RATE_HZ * PIECE_S)
    return struct.pack(f"<{count}h", *(int(8000 * math.sin(2 * math.pi * 220 * n / RATE_HZ)) for n in range(count)))


TONE, QUIET = _tone(), bytes(2 * int(RATE_HZ * PIECE_S))


@dataclass(slots=True)
class Outcome:
    """One call, as its caller saw it; times are seconds since the program began."""

    call: int
    asked_at: float = 0.0
    began_at: float = 0.0
    ended_at: float = 0.0
    end: str = "cut"
    reason: str = ""
    sentence: str = ""
    session: str = ""
    went_away_at: float = 0.0
    deadline_s: float = 0.0
    dropped: int = 0
    turns: int = 0
    replies: int = 0
    audio_s: float = 0.0
    answers_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    spoke_at: float = 0.0
    """End of the tone that waits for its answer; 0 = none does."""
    errors: list[str] = field(default_factory=list)


class Callers:
    """All calls of this run."""

    def __init__(self, plan: argparse.Namespace) -> None:
        self.plan = plan
        self.began = time.monotonic()
        self.up = 0
        self.lines = asyncio.Semaphore(plan.at_once)

    def now(self) -> float:
        return time.monotonic() - self.began

    async def all(self) -> None:
        count = self.plan.count if not self.plan.for_s else int(self.plan.for_s / self.plan.every_s)
        async with asyncio.TaskGroup() as calls:
            for number in range(count):
                calls.create_task(self.one(number), name=f"call {number}")
                await asyncio.sleep(self.plan.every_s)

    async def one(self, number: int) -> None:
        async with self.lines:
            outcome = Outcome(number, asked_at=self.now())
            options = CallOptions(metadata={"e2e": str(number)}, reconnect=Reconnect(deadline_s=5))
            try:
                async with connect(self.plan.target, options) as call:
                    outcome.began_at, outcome.session = self.now(), call.started.session_id
                    self.up += 1
                    tell({"up": self.up})
                    await make_call(call, outcome, self.plan, self.now)
            except VoiceError as error:
                outcome.end = "cut" if outcome.began_at else "refused"
                outcome.sentence = f"{type(error).__name__}: {error}"
            outcome.ended_at = self.now()
            tell(asdict(outcome))


async def make_call(call: Call, outcome: Outcome, plan: argparse.Namespace, now: Callable[[], float]) -> None:
    """Until the time is over or the gateway ends it."""
    listening = asyncio.create_task(listen(call, outcome, now), name="listen")
    speaking = asyncio.create_task(speak(call, outcome, plan, now), name="speak")
    try:
        await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
        if speaking.done() and not listening.done():
            await call.end()
            await asyncio.wait({listening}, timeout=10)
            outcome.end = "cut" if outcome.dropped else "normal"
            outcome.unanswered += bool(outcome.spoke_at)
    finally:
        speaking.cancel()
        listening.cancel()
        results = await asyncio.gather(listening, speaking, return_exceptions=True)
    if isinstance(results[0], VoiceError) and outcome.end != "normal":
        raise results[0]
    if outcome.end != "normal" and outcome.reason and outcome.went_away_at and not outcome.dropped:
        outcome.end = "told"


async def listen(call: Call, outcome: Outcome, now: Callable[[], float]) -> None:
    async for event in call:
        match event:
            case GoAway():
                outcome.went_away_at, outcome.deadline_s = now(), event.deadline_s
            case Dropped():
                outcome.dropped += 1
                outcome.sentence = event.reason
            case Error():
                outcome.errors.append(f"{event.code}: {event.message}")
            case Ended():
                outcome.reason = event.reason
            case Transcript(final=True):
                outcome.turns += 1
            case TurnEvent(kind=Turn.REPLY_ENDED):
                outcome.replies += 1
            case ReplyAudio():
                if outcome.spoke_at:
                    outcome.answers_s.append(now() - outcome.spoke_at)
                    outcome.spoke_at = 0.0
                outcome.audio_s += len(event.pcm16) / 2 / call.started.output.rate_hz
            case _:
                pass


async def speak(call: Call, outcome: Outcome, plan: argparse.Namespace, now: Callable[[], float]) -> None:
    """Turns of tone and silence in real time, until the caller's time is over."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    piece = 0
    turn_pieces, speech_pieces = round((SPEECH_S + SILENCE_S) / PIECE_S), round(SPEECH_S / PIECE_S)
    while (due := begun + piece * PIECE_S) < begun + plan.hold_s:
        in_turn = piece % turn_pieces
        if plan.audio:
            await call.send_audio(TONE if in_turn < speech_pieces else QUIET)
            if in_turn == speech_pieces - 1:
                outcome.unanswered += bool(outcome.spoke_at)
                outcome.spoke_at = now()
        piece += 1
        await asyncio.sleep(max(0.0, due + PIECE_S - loop.time()))


def tell(fields: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def plan_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1000)
    parser.add_argument("--hold-s", type=float, default=1.0)
    parser.add_argument("--every-s", type=float, default=0.0)
    parser.add_argument("--for-s", type=float, default=0.0)
    parser.add_argument("--audio", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(Callers(plan_of(sys.argv[1:])).all())
