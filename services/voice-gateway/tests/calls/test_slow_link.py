"""What does a caller get behind a link that stalls? No stale audio before an interrupt, and a true account of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fake_riva import ramp
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

RATE_HZ = 22_050
FRAME = ramp(320)


class Link:
    """A TCP relay to the gateway whose ways to the caller, and up from it, can be stopped."""

    def __init__(self) -> None:
        self.open, self.open_up = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.open_up.set()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        try:
            while data := await reader.read(4096):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def link_to(port: int) -> AsyncGenerator[tuple[Link, int], None]:
    link = Link()
    async with asyncio.TaskGroup() as ways:
        relays: list[asyncio.Task[None]] = []

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            up, down = await asyncio.open_connection("127.0.0.1", port)
            relays.append(ways.create_task(link.relay(reader, down, link.open_up)))
            relays.append(ways.create_task(link.relay(up, writer, link.open)))

        async with await asyncio.start_server(carry, "127.0.0.1", 0) as server:
            yield link, server.sockets[0].getsockname()[1]
        for relay in relays:
            relay.cancel()


async def test_an_interrupt_after_a_stall_comes_behind_little_audio_and_counts_what_arrived() -> None:
    async with lab() as there, link_to(there.grpc_port) as (link, port):
        there.tts.seconds = lambda text: 8.0
        caller = there.caller(numbered=True, port=port)
        await caller.start(output=pb.AudioFormat(sample_rate_hz=RATE_HZ))
        await caller.type("Tell me.")
        for _ in range(40):  # an acknowledgement with every 20 ms of audio, as a microphone's client sends
            await caller.send(audio=pb.Audio(data=FRAME), ack=_seen(caller.received))
            await asyncio.sleep(0.02)
        link.open.clear()
        got = _audio_s(caller.received)
        assert got > 0.3
        asked_at = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - asked_at < 1.5:
            await caller.send(audio=pb.Audio(data=FRAME), ack=_seen(caller.received))
            await asyncio.sleep(0.02)
        await caller.send(interrupt=pb.Interrupt(), ack=_seen(caller.received))
        link.open.set()
        async with asyncio.timeout(LIMIT_S):
            cut = await caller.turn(pb.TurnEvent.REPLY_INTERRUPTED)
        assert _audio_s(caller.received) - got < 1.3, "audio that nobody will play came first"
        assert cut.heard_ms / 1000 <= got + 0.15
        await caller.hang_up()


async def test_a_link_that_stands_still_in_the_midst_of_a_turn_does_not_end_it() -> None:
    async with lab(turn_max_silence_s=2.5) as there, link_to(there.grpc_port) as (link, port):
        caller = there.caller(numbered=True, port=port)
        await caller.start()
        stream = await there.asr.stream()

        async def speak(frames: int) -> None:
            for _ in range(frames):
                await caller.send(audio=pb.Audio(data=FRAME), ack=_seen(caller.received))
                await asyncio.sleep(0.02)

        await speak(20)
        stream.partial("I would like")
        await speak(10)
        link.open.clear()
        link.open_up.clear()
        stream.partial("I would like to")
        await asyncio.sleep(4.0)
        assert not there.llm.asked
        link.open.set()
        link.open_up.set()
        await speak(20)
        stream.final("I would like to book a table")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        assert [asked.chat[-1][1] for asked in there.llm.asked] == ["I would like to book a table"]
        await caller.hang_up()


def _seen(received: list[pb.ServerMessage]) -> int:
    return max((message.seq for message in received), default=0)


def _audio_s(received: list[pb.ServerMessage]) -> float:
    return sum(len(message.reply_audio.data) for message in received) / 2 / RATE_HZ


@pytest.mark.parametrize("stalls", [True, False])
async def test_a_link_that_stands_still_is_told_from_a_caller_who_is_silent_by_heartbeats(stalls: bool) -> None:
    async with lab() as there, link_to(there.grpc_port) as (link, port):
        caller = there.caller(numbered=True, port=port)
        await caller.start(sends_heartbeats=True)
        stream = await there.asr.stream()
        for _ in range(10):
            await caller.send(audio=pb.Audio(data=FRAME))
        stream.partial("I would like")
        seq = _seen([await caller.expect("transcript")])
        await caller.send(ack=seq)  # nothing is left unacknowledged
        if stalls:
            link.open_up.clear()
        for _ in range(10):
            await caller.beat()
            await asyncio.sleep(0.3)
            if stream.forced:
                break
        assert bool(stream.forced) is not stalls
        assert not caller.of("turn")
        link.open_up.set()
        await caller.send(audio=pb.Audio(data=FRAME))
        stream.final("I would like to book a table")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        assert there.llm.asked[-1].chat[-1] == ("user", "I would like to book a table")
        await caller.hang_up()
