"""How does a simulated caller call over OpenAI's Realtime protocol? As the one over gRPC does, with the same record."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pcm import SAMPLE_BYTES
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.measure.call_log import ReplyLog
from voice_bench.measure.caller import Caller, CallFailed
from voice_bench.measure.clips import FRAME_S
from voice_bench.measure.loudspeaker import Loudspeaker

WIRE_RATE_HZ = 24_000
"""The only one that OpenAI's protocol has for PCM."""
_SILENT_FRAME = bytes(round(WIRE_RATE_HZ * FRAME_S) * SAMPLE_BYTES)
_SESSION = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
_CUT = pb.TurnEvent(kind=pb.TurnEvent.REPLY_INTERRUPTED)


class RealtimeCaller(Caller):
    """One session. Use `realtime_calling`; then `speak` and `until`."""

    def __init__(self) -> None:
        super().__init__(pb.SessionStart(input=pb.AudioFormat(sample_rate_hz=WIRE_RATE_HZ)))
        self._numbers: dict[str, int] = {}
        """Of responses, in their order."""

    async def speak_to(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Audio in real time until told to hang up."""
        await socket.send_str(json.dumps({"type": "session.update", "session": _SESSION}))
        due = time.monotonic()
        while not self._is_hanging_up:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._append(socket)
        await socket.close()

    async def listen_to(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Record everything until the connection ends."""
        async for message in socket:
            self._take(json.loads(message.data), time.monotonic())
            self._news.set()
        self.record.over_at = self.record.over_at or time.monotonic()
        self._news.set()

    async def _append(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        speaks = bool(self._frames)
        frame = self._frames.popleft() if speaks else _SILENT_FRAME
        audio = base64.b64encode(frame).decode()
        now = time.monotonic()
        if speaks and not self._spoke:
            self._clip_began_at = now - FRAME_S
        self._spoke = speaks
        self._sent_frames += 1
        if speaks and not self._frames:
            self._clip_ended_at = now
            self._spoke = False
            self._news.set()
        await socket.send_str(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

    def _take(self, event: dict[str, Any], at: float) -> None:
        record = self.record
        match event["type"]:
            case "session.created":
                record.started_at = at
            case "error":
                record.errors.append(event["error"]["message"])
            case "conversation.item.added" if event["item"].get("role") == "user":
                record.turns.append((at, event["item"]["content"][0]["transcript"]))
            case "response.output_audio.delta":
                self._sound(self._reply(event["response_id"]), event["delta"], at)
            case "response.output_audio_transcript.delta":
                self._reply(event["response_id"]).text += event["delta"]
            case "response.done":
                reply = self._reply(event["response"]["id"])
                reply.ended_at = at
                if event["response"]["status"] == "cancelled":
                    reply.cut, reply.cut_at = _CUT, at

    def _reply(self, response_id: str) -> ReplyLog:
        number = self._numbers.setdefault(response_id, len(self._numbers) + 1)
        return self.record.replies.setdefault(number, ReplyLog(number, Loudspeaker(WIRE_RATE_HZ)))

    def _sound(self, reply: ReplyLog, delta: str, at: float) -> None:
        size = len(base64.b64decode(delta))
        reply.first_audio_at = at if reply.first_audio_at is None else reply.first_audio_at
        reply.last_audio_at = at
        self.record.audio_bytes += size
        reply.loudspeaker.take(size // 2, at)


@asynccontextmanager
async def realtime_calling(url: str) -> AsyncIterator[Caller]:
    """A session for the length of the block. Raises CallFailed where none is given."""
    caller = RealtimeCaller()
    async with aiohttp.ClientSession() as http:
        try:
            socket = await http.ws_connect(f"{url}/v1/realtime", compress=0)
        except aiohttp.ClientError as error:
            raise CallFailed(f"the gateway gives no session: {error}") from None
        tasks = [
            asyncio.create_task(caller.speak_to(socket), name="caller sends"),
            asyncio.create_task(caller.listen_to(socket), name="caller hears"),
        ]
        try:
            await caller.until(lambda: caller.record.started_at is not None, 10, "session.created")
            yield caller
            caller.hang_up()
            await asyncio.wait(tasks, timeout=5)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await socket.close()
