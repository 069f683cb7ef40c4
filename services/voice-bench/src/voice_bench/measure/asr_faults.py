"""What does a caller lose when a recogniser dies, stops, or vanishes from the network in mid-word?

Two recognisers that recognise numbered words exactly, one gateway, callers who speak at once. In each round the
fault hits one recogniser in the middle of a word; every call must end its turn with every word, once.
"""

import asyncio
import random
import re
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import aiohttp

from voice_bench.measure import numbered_word_recogniser
from voice_bench.measure.caller import Caller, calling, channel_to
from voice_bench.measure.clips import Frames
from voice_bench.measure.gateway_process import Kind, gateway
from voice_bench.measure.numbered_words import WORD_S, sentence
from voice_bench.measure.tcp_relay import TcpRelay
from voice_bench.process import Launch, Server, reap_orphans
from voice_bench.stack import Stack
from voice_bench.stack_config import Part, StackConfig, scripted

WORDS = 6
CALLERS = 4
BASELINE_ROUNDS = 4
_TURN_WITHIN_S = 20.0
_RECOVERED_WITHIN_S = 30.0
_NEWS_S = 0.05
"""A transcript that comes so soon after the fault was on its way before."""


class Fault(StrEnum):
    """What happens to one of two recognisers."""

    KILL = "kill"
    STOP = "stop"
    BLACKHOLE = "blackhole"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class FaultTurn:
    """One call in one round."""

    hit: bool
    """Its recogniser had the fault."""
    delay_ms: float
    """Last frame of speech sent -> the turn is decided."""
    silence_ms: float | None
    """Fault -> next transcript."""
    lost: int
    doubled: int


class RecogniserReplica:
    """One recogniser, behind a relay."""

    def __init__(self, server: Server, relay: TcpRelay) -> None:
        self.server = server
        self.relay = relay

    async def inject(self, fault: Fault) -> None:
        """It goes."""
        match fault:
            case Fault.KILL:
                self.relay.behind = None
                await self.server.kill()
            case Fault.STOP:
                self.server.signal(signal.SIGSTOP)
            case Fault.BLACKHOLE:
                self.relay.drop()
            case Fault.LEAVE:
                self.server.signal(signal.SIGTERM)

    async def recover(self, fault: Fault) -> None:
        """It comes back."""
        match fault:
            case Fault.KILL | Fault.LEAVE:
                await self.server.stop()
                await self.server.start()
                self.relay.behind = self.server.ports["grpc"]
            case Fault.STOP:
                self.server.signal(signal.SIGCONT)
            case Fault.BLACKHOLE:
                self.relay.forward()

    async def streams(self) -> int:
        """How many it holds."""
        page = f"http://127.0.0.1:{self.server.ports['http']}/readyz"
        async with aiohttp.ClientSession() as http, http.get(page) as answer:
            return int(await answer.text())


def simulated() -> StackConfig:
    """A model and a voice that cost nothing; recognition is elsewhere."""
    return scripted(reply="Yes.", silence_ms=400)


async def measure_faults(stack: Stack, fault: Fault, times: int, clips: Sequence[Frames], seed: int) -> list[FaultTurn]:
    """Rounds without a fault, then until `times` calls were hit."""
    rng = random.Random(seed)
    turns: list[FaultTurn] = []
    async with _replicas(stack) as replicas:
        targets = ",".join(f"127.0.0.1:{replica.relay.port}" for replica in replicas)
        async with gateway(
            stack, Kind.OURS, {"RIVA_ASR_URI": f"ipv4:{targets}", "TURN_END_ON_FINAL": "true"}
        ) as tested:
            for _ in range(min(BASELINE_ROUNDS, times)):
                turns += await _round(tested.target, replicas, None, clips, rng)
            while sum(turn.hit for turn in turns) < times:
                turns += await _round(tested.target, replicas, fault, clips, rng)
                await _until_both_serve(tested.http_url)
    return turns


async def _round(
    target: str, replicas: Sequence[RecogniserReplica], fault: Fault | None, clips: Sequence[Frames], rng: random.Random
) -> list[FaultTurn]:
    """Callers, half of them on each recogniser, say a sentence each."""
    victim = rng.choice(replicas)
    async with AsyncExitStack() as stack:
        callers = []
        hit = []
        for _ in range(CALLERS):
            before = await victim.streams()
            channel = await stack.enter_async_context(channel_to(target))
            callers.append(await stack.enter_async_context(calling(channel)))
            await _until_streams(replicas, len(callers))
            hit.append(fault is not None and await victim.streams() > before)
        numbers = [[100 * (n + 1) + word for word in range(WORDS)] for n in range(CALLERS)]
        speaking = asyncio.gather(
            *(caller.speak(sentence(words, clips)) for caller, words in zip(callers, numbers, strict=True))
        )
        fault_at = None
        if fault is not None:
            await asyncio.sleep(rng.uniform(WORD_S, (WORDS - 0.2) * WORD_S))
            fault_at = time.monotonic()
            await victim.inject(fault)
        try:
            said = await speaking
            for caller, words in zip(callers, numbers, strict=True):
                await caller.until(lambda caller=caller, last=words[-1]: _decided(caller, last), _TURN_WITHIN_S, "turn")  # type: ignore[misc]
        finally:
            if fault is not None:
                await victim.recover(fault)
        return [
            _turn(caller, words, spoken.last_sent_at, fault_at if was_hit else None)
            for caller, words, spoken, was_hit in zip(callers, numbers, said, hit, strict=True)
        ]


def _decided(caller: Caller, last: int) -> bool:
    """Whether a turn with the last word has ended."""
    return any(last in _numbers(text) for _, text in caller.record.turns)


def _numbers(text: str) -> list[int]:
    return [int(word) for word in re.findall(r"w(\d+)", text)]


def _turn(caller: Caller, words: Sequence[int], last_sent_at: float, fault_at: float | None) -> FaultTurn:
    turns = caller.record.turns
    at = next(at for at, text in turns if words[-1] in _numbers(text))
    texts = [text for _, text in turns]
    # A turn that was decided early and went on was taken back, and is told again with all of its words.
    last_told = [text for n, text in enumerate(texts) if not any(later.startswith(text) for later in texts[n + 1 :])]
    heard = [number for text in last_told for number in _numbers(text)]
    news = [] if fault_at is None else [one for one in caller.record.heard_at if one > fault_at + _NEWS_S]
    return FaultTurn(
        hit=fault_at is not None,
        delay_ms=1000 * (at - last_sent_at),
        silence_ms=1000 * (news[0] - fault_at) if news and fault_at is not None else None,
        lost=len(set(words) - set(heard)),
        doubled=len(heard) - len(set(heard)),
    )


async def _until_streams(replicas: Sequence[RecogniserReplica], count: int) -> None:
    async with asyncio.timeout(_RECOVERED_WITHIN_S):
        while sum([await replica.streams() for replica in replicas]) < count:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)


async def _until_both_serve(http_url: str) -> None:
    """Both recognisers take new streams again, as far as the gateway's probes can be waited for."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(_RECOVERED_WITHIN_S):
        while True:
            async with http.get(f"{http_url}/metrics") as answer:
                page = await answer.text()
            if re.search(r'^voice_speech_servers\{[^}]*health="serving"[^}]*\} 2\.0$', page, re.MULTILINE):
                return
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _replicas(stack: Stack) -> AsyncIterator[list[RecogniserReplica]]:
    async with AsyncExitStack() as ending:
        reaper = await ending.enter_async_context(reap_orphans())
        replicas = []
        for name in ("one", "two"):
            server = Server(_launch(stack, name), reaper)
            await server.start()
            ending.push_async_callback(server.stop)
            relay = await ending.enter_async_context(TcpRelay(server.ports["grpc"]))
            replicas.append(RecogniserReplica(server, relay))
        yield replicas


def _launch(stack: Stack, name: str) -> Launch:
    ports_file = stack.folder / f"recogniser-{name}.ports.json"
    environment = {**StackConfig().settings(Part.SPEECH), numbered_word_recogniser.PORTS_FILE: str(ports_file)}
    return Launch(
        name="python",
        arguments=("-m", numbered_word_recogniser.__name__),
        environment=environment,
        ports_file=ports_file,
        log=stack.folder / f"recogniser-{name}.log",
    )
