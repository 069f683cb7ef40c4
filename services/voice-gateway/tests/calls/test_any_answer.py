"""Does the gateway survive any answer? Unknown statuses, bytes that do not decode, resets, stalls, drops and garbage at
every backend seam, with a call running: afterwards that call is answered, the next one goes well, and nothing is left.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import grpc
import pytest
from fake_riva import ramp
from faults import Deed, Reset, ScriptedGrpc, ScriptedHttp, Stall, Status, Switch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lab import Lab, lab
from raw_caller import Caller
from riva.client.proto import riva_asr_pb2, riva_tts_pb2
from voice_gateway.app import background
from voice_gateway.backends import endpoint, probes
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

EXAMPLES = 30
Seam: TypeAlias = Literal["asr", "tts", "llm"]


@dataclass(frozen=True)
class Fault:
    """What a seam does for a while."""

    seam: Seam
    health: tuple[Deed, ...] = ()
    """Of Riva's health service; the language model has one script for all it is asked."""
    script: tuple[Deed, ...] = ()
    way: Literal["script", "connection", "drop"] = "script"


deed_of_a_connection = st.one_of(st.binary(min_size=1, max_size=64), st.just(Stall()), st.just(Reset()))
status = st.sampled_from(list(grpc.StatusCode)[1:]).map(Status)
health_answer = st.one_of(
    st.binary(max_size=12),
    st.integers(0, 2**31 - 1).map(lambda value: b"\x08" + _varint(value)),
    status,
    st.just(Stall()),
)
seconds = st.floats(width=32)
milliseconds = st.integers(-(2**31), 2**31 - 1)
word = st.builds(riva_asr_pb2.WordInfo, word=st.text(max_size=8), start_time=milliseconds, end_time=milliseconds)
alternative = st.builds(
    riva_asr_pb2.SpeechRecognitionAlternative, transcript=st.text(max_size=20), words=st.lists(word, max_size=3)
)
result = st.builds(
    riva_asr_pb2.StreamingRecognitionResult,
    alternatives=st.lists(alternative, max_size=2),
    is_final=st.booleans(),
    stability=seconds,
    audio_processed=seconds,
)
recognition = st.lists(result, max_size=3).map(
    lambda results: riva_asr_pb2.StreamingRecognizeResponse(results=results).SerializeToString()
)
synthesis = st.binary(max_size=40).map(
    lambda audio: riva_tts_pb2.SynthesizeSpeechResponse(audio=audio).SerializeToString()
)
event = st.one_of(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
    ),
    st.builds(lambda content: {"choices": [{"delta": {"content": content}}]}, st.text(max_size=20) | st.integers()),
).map(lambda value: f"data: {json.dumps(value)}\n\n".encode())
head = st.builds(
    lambda code, kind, length: f"HTTP/1.1 {code} X\r\nContent-Type: {kind}\r\n{length}\r\n".encode(),
    st.integers(0, 999),
    st.sampled_from(["text/event-stream", "application/json", "text/html; charset=nonsense"]),
    st.sampled_from(["", "Content-Length: 5\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n"]),
)


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def riva_fault(seam: Literal["asr", "tts"], answer: st.SearchStrategy[bytes]) -> st.SearchStrategy[Fault]:
    """Scripts of Riva's services."""
    script = st.lists(st.one_of(answer, st.binary(max_size=20), status, st.just(Stall())), max_size=4)
    return st.builds(Fault, st.just(seam), st.tuples(health_answer), script.map(tuple))


http_script = st.builds(
    lambda first, rest: (first, *rest),
    st.one_of(head, st.binary(min_size=1, max_size=40)),
    st.lists(st.one_of(event, st.binary(max_size=40), st.just(Stall()), st.just(Reset())), max_size=4),
)
fault = st.one_of(
    riva_fault("asr", recognition),
    riva_fault("tts", synthesis),
    st.builds(Fault, st.just("llm"), st.just(()), http_script),
    st.builds(
        Fault,
        st.sampled_from(["asr", "tts", "llm"]),
        st.just(()),
        st.lists(deed_of_a_connection, max_size=3).map(tuple),
        st.just("connection"),
    ),
    st.builds(Fault, st.sampled_from(["asr", "tts", "llm"]), st.just(()), st.just(()), st.just("drop")),
)
faults = st.lists(fault, min_size=1, max_size=3, unique_by=lambda one: one.seam)


class Outside:
    """The lab's backends, each behind a switch, and servers that play scripts."""

    def __init__(self, there: Lab, switches: dict[str, Switch]) -> None:
        self.there = there
        self.switches = switches
        self.scripted: dict[str, ScriptedGrpc | ScriptedHttp] = {
            "asr": ScriptedGrpc(), "tts": ScriptedGrpc(), "llm": ScriptedHttp(),
        }  # fmt: skip

    def heal(self) -> None:
        """Every switch leads to the well backend."""
        for name, switch in self.switches.items():
            switch.lead_to(getattr(self.there, name).port)

    def strike(self, fault: Fault) -> None:
        """A seam goes wrong."""
        switch, scripted = self.switches[fault.seam], self.scripted[fault.seam]
        if fault.way == "drop":
            switch.black_hole()
            return
        if fault.way == "connection":
            switch.go_wrong(*fault.script)
            return
        if isinstance(scripted, ScriptedGrpc):
            scripted.health, scripted.streams = fault.health, fault.script
        else:
            scripted.answer = fault.script
        switch.lead_to(scripted.port)

    async def endure(self, struck: Sequence[Fault]) -> None:
        """One round: a call runs, faults strike, are met, and end; then it is answered."""
        there = self.there
        caller = await self.admitted()
        for fault in struck:
            self.strike(fault)
        await caller.say(ramp(320))
        await caller.type("Is anybody there?")
        for fault in struck:
            switch = self.switches[fault.seam]
            await switch.changes.until(lambda switch=switch: switch.met, f"the fault at {fault.seam}")  # type: ignore[misc]
        await self.leave(await self.knock())
        self.heal()
        for name in self.switches:
            await there.eventually(lambda name=name: there.metric(f'voice_backend_up{{backend="{name}"}}'), 1)  # type: ignore[misc]
        assert not there.serving_ended
        await self.answered(caller)
        await self.leave(caller)

    async def knock(self) -> Caller:
        """A new caller, who is taken, or refused with a sentence at once."""
        caller = self.there.caller()
        await caller.send(start=pb.SessionStart())
        await caller.changes.until(lambda: caller.of("started") or caller.code, "an answer to a new caller")
        assert caller.code in (None, grpc.StatusCode.UNAVAILABLE), caller.sentence
        assert caller.code is None or "can't be reached right now" in caller.sentence
        return caller

    async def admitted(self) -> Caller:
        """A call, as soon as the gateway has noticed that all is well."""
        async with asyncio.timeout(LIMIT_S):
            while (caller := await self.knock()).code:
                await self.leave(caller)
        return caller

    async def leave(self, caller: Caller) -> None:
        """Be gone."""
        await caller.close()
        self.there.callers.remove(caller)

    async def answered(self, caller: Caller) -> None:
        """The call that ran all the while is answered."""
        assert caller.code is None, f"the call ended: {caller.told()}"
        broken = [message.error for message in caller.of("error") if message.error.code == pb.Error.INTERNAL]
        assert not broken, broken
        llm = self.there.llm
        llm.asked.clear()
        caller.received.clear()
        await caller.type("And now?")
        await llm.changes.until(lambda: any("And now?" in one.chat[-1][1] for one in llm.asked), "the question")
        await caller.changes.until(lambda: caller.of("reply_audio"), "the sound of an answer")


@asynccontextmanager
async def outside() -> AsyncGenerator[Outside, None]:
    async with AsyncExitStack() as stack:
        switches = {name: Switch() for name in ("asr", "tts", "llm")}
        for switch in switches.values():
            await switch.start()
            stack.push_async_callback(switch.stop)
        there = await stack.enter_async_context(
            lab(
                riva_asr_uri=f"127.0.0.1:{switches['asr'].port}",
                riva_tts_uri=f"127.0.0.1:{switches['tts'].port}",
                llm_base_url=f"http://127.0.0.1:{switches['llm'].port}/v1",
                gateway_probe_every_s=0.1,
                llm_first_token_timeout_s=1.5,
                llm_token_timeout_s=1.5,
                tts_first_audio_timeout_s=1.5,
                tts_audio_timeout_s=1.5,
                asr_connect_timeout_s=1.5,
                then_works=False,
            )
        )
        around = Outside(there, switches)
        around.heal()
        for scripted in around.scripted.values():
            await scripted.start()
            stack.push_async_callback(scripted.stop)
        for name in switches:
            await there.eventually(lambda name=name: there.metric(f'voice_backend_up{{backend="{name}"}}'), 1)  # type: ignore[misc]
        yield around
        await there.settled()
        await there.works_in_the_end()
        await there.settled()


def examples() -> list[list[Fault]]:
    """The same ones every time. One gateway takes them all, so none can be tried again or made smaller."""
    found: list[list[Fault]] = []

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, phases=(Phase.generate,))
    @given(faults)
    def collect(struck: list[Fault]) -> None:
        found.append(struck)

    collect()
    return found


async def test_no_answer_of_any_backend_ends_the_gateway_or_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SILENT_AFTER_S", 0.1)
    monkeypatch.setattr(endpoint, "DOWN_AFTER_S", 0.2)
    monkeypatch.setattr(probes, "_LIMIT_S", 0.3)
    monkeypatch.setattr(background, "BEGIN_AGAIN_AFTER_S", 0.05)
    async with outside() as around:
        bystander = await around.admitted()
        files = open_files()
        for struck in examples():
            await around.endure(struck)
        await around.answered(bystander)
        assert open_files() < files + 40


def open_files() -> int:
    """Of this process; 0 where that can't be told."""
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
