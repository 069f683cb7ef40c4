"""A gateway for tests: the real protocol over a real socket, with a script in place of ears, mind and voice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from pcm import dbfs
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc as rpc

OUTPUT_HZ = 8000
PAUSE_SAMPLES = 4800
"""300 ms at 16 kHz: the silence that ends a turn of `listening`."""


@dataclass
class Session:
    """One call as the fake sees it; outlives its streams."""

    token: str
    start: pb.SessionStart
    received: list[pb.ClientMessage] = field(default_factory=list)
    sent: list[pb.ServerMessage] = field(default_factory=list)
    taken: int = 0
    repeated: int = 0
    acked: int = 0
    samples: int = 0
    ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every message that comes in."""
    loud: bool = False
    quiet: int = 0
    turn: int = 0

    def tell(self, **message: object) -> None:
        """Numbers and sends one message, now or after a resume."""
        self.sent.append(pb.ServerMessage(seq=len(self.sent) + 1, **message))  # type: ignore[arg-type]
        self.changed.set()

    def turn_event(self, kind: "pb.TurnEvent.Kind.ValueType", **fields: object) -> None:
        """One TurnEvent."""
        self.tell(turn=pb.TurnEvent(kind=kind, **fields))  # type: ignore[arg-type]

    def reply(self, number: int, text: str, pcm16: bytes, *, turn: int = 0, pieces: int = 10) -> None:
        """A whole reply, its audio in `pieces`."""
        self.turn_event(pb.TurnEvent.REPLY_STARTED, reply=number, turn=turn)
        for word in text.split():
            self.tell(reply_text=pb.ReplyText(reply=number, delta=word + " "))
        size = len(pcm16) // pieces // 2 * 2
        for start in range(0, len(pcm16), size):
            piece = pcm16[start : start + size]
            self.tell(reply_audio=pb.ReplyAudio(reply=number, offset=start // 2, data=piece))
        self.turn_event(pb.TurnEvent.REPLY_ENDED, reply=number, turn=turn, text=text)

    def of_kind(self, kind: str) -> list[pb.ClientMessage]:
        """What was received of one kind, in order."""
        return [message for message in self.received if message.WhichOneof("message") == kind]


Script = Callable[[Session, pb.ClientMessage], None]


def silent(session: Session, message: pb.ClientMessage) -> None:
    """Says nothing."""


def tone(seconds: float) -> bytes:
    """A square wave anybody hears, every sample of which tells where it is."""
    return b"".join((4000 + i % 2000).to_bytes(2, "little", signed=True) for i in range(int(seconds * OUTPUT_HZ)))


def answering(session: Session, message: pb.ClientMessage) -> None:
    """Answers every typed turn with half a second of audio."""
    if message.WhichOneof("message") == "text":
        session.turn += 1
        session.reply(session.turn, f"you typed {message.text.text}", tone(0.5), turn=session.turn)


def leaving(session: Session, message: pb.ClientMessage) -> None:
    """Drains in the middle of a typed turn."""
    if message.WhichOneof("message") == "text":
        session.turn_event(pb.TurnEvent.TURN_ENDED, turn=1, text=message.text.text)
        session.tell(go_away=pb.GoAway(reason=pb.GoAway.DRAINING, deadline_s=7))
        session.tell(ended=pb.SessionEnded(reason=pb.SessionEnded.DRAINED, message="shut down; connect again"))


def conversing(session: Session, message: pb.ClientMessage) -> None:
    """Answers typed and spoken turns."""
    if message.WhichOneof("message") == "text":
        session.turn_event(pb.TurnEvent.TURN_ENDED, turn=1, text=message.text.text)
        session.reply(1, "what is your name", tone(0.4), turn=1)
    listening(session, message)


def listening(session: Session, message: pb.ClientMessage) -> None:
    """Ends a turn after 300 ms of silence and answers it with a quarter of a second of audio."""
    if message.WhichOneof("message") != "audio":
        return
    if dbfs(message.audio.data) > -40:
        if not session.loud:
            session.turn_event(pb.TurnEvent.SPEECH_STARTED, sample=session.samples)
        session.loud, session.quiet = True, 0
    elif session.loud:
        session.quiet += len(message.audio.data) // 2
        if session.quiet >= PAUSE_SAMPLES:
            session.loud = False
            session.turn += 1
            turn = session.turn
            session.turn_event(pb.TurnEvent.SPEECH_STOPPED, sample=session.samples)
            session.tell(transcript=pb.Transcript(turn=turn, utterance=turn, text=f"words {turn}", final=True))
            session.turn_event(pb.TurnEvent.TURN_ENDED, turn=turn, text=f"words {turn}")
            session.reply(turn, f"answer {turn}", tone(0.25), turn=turn)
            session.tell(latency=pb.TurnLatency(turn=turn, reply=turn, llm_ttft=0.125, endpointing_delay=0.3))


class FakeGateway(rpc.VoiceGatewayServicer):
    """Set the attributes before a call; look at `sessions` after it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.target = ""
        self.sessions: list[Session] = []
        self.streams = 0
        self.tokens: list[str] = []
        self.peers: list[str] = []
        """Address and port each stream came from."""
        self.drop_after: list[int] = []
        """Server messages after which the 1st, 2nd ... stream breaks."""
        self.refuse: list[tuple[grpc.StatusCode, str, int | None]] = []
        """(status, sentence, retry-after-ms) for the 1st, 2nd ... stream; then calls are taken."""
        self.called = asyncio.Event()
        self.faults: list[AssertionError] = []
        """What a client did against the protocol."""
        self.resumable = True
        self.number_resumed_start = False
        self.resume_life_s = 20.0

    async def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> pb.ServerInfo:
        return pb.ServerInfo(version="0.0.0", asr_model="script", resume=True, ready=True, languages=["en-US"])

    async def Converse(
        self,
        request_iterator: AsyncIterator[pb.ClientMessage],
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> AsyncIterator[pb.ServerMessage]:
        self.streams += 1
        self.peers.append(context.peer())
        self.tokens.append(dict(context.invocation_metadata() or ()).get("authorization", ""))  # type: ignore[arg-type]
        first = await anext(request_iterator)  # a refusal that overtakes it reaches the client as INTERNAL
        if self.refuse:
            status, sentence, retry_after_ms = self.refuse.pop(0)
            trailers = () if retry_after_ms is None else (("retry-after-ms", str(retry_after_ms)),)
            await context.abort(status, sentence, trailers)
        session = await self._attach(first, context)
        room = self.drop_after.pop(0) if self.drop_after else None
        reading = asyncio.create_task(self._read(session, request_iterator))
        try:
            async for message in self._write(session, first):
                if room == 0:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "the fake dropped the stream")
                room = None if room is None else room - 1
                yield message
        finally:
            reading.cancel()
            (outcome,) = await asyncio.gather(reading, return_exceptions=True)
            if isinstance(outcome, AssertionError):
                self.faults.append(outcome)

    async def _attach(self, first: pb.ClientMessage, context: "grpc.aio.ServicerContext[object, object]") -> Session:
        if first.start.HasField("resume"):
            for session in self.sessions:
                if session.token == first.start.resume.token:
                    return session
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such call; start a new one")
        session = Session(f"token-{len(self.sessions)}", first.start)
        session.taken = first.seq
        self.sessions.append(session)
        self.called.set()
        return session

    def _started(self, session: Session, *, resumed: bool) -> pb.SessionStarted:
        return pb.SessionStarted(
            session_id=session.token,
            input=session.start.input,
            output=pb.AudioFormat(encoding=pb.AUDIO_ENCODING_PCM16, sample_rate_hz=OUTPUT_HZ, channels=1),
            limits=pb.Limits(max_audio_ms=1000),
            resume_token=session.token if self.resumable else "",
            resume_life_s=self.resume_life_s,
            resumed=resumed,
        )

    async def _write(self, session: Session, first: pb.ClientMessage) -> AsyncIterator[pb.ServerMessage]:
        resumed = first.start.HasField("resume")
        cursor = first.start.resume.last_server_seq
        if not resumed:
            session.tell(started=self._started(session, resumed=False))
        else:
            started = pb.ServerMessage(ack=session.taken, started=self._started(session, resumed=True))
            if self.number_resumed_start:
                session.sent.append(started)
                started.seq = len(session.sent)
            yield started
        while not session.ended:
            session.changed.clear()
            while cursor < len(session.sent):
                message = session.sent[cursor]
                cursor += 1
                message.ack = session.taken
                message.input_samples_consumed = session.samples
                yield message
                if message.WhichOneof("message") == "ended":
                    session.ended = True
                    return
            await session.changed.wait()

    async def _read(self, session: Session, requests: AsyncIterator[pb.ClientMessage]) -> None:
        async for message in requests:
            session.acked = max(session.acked, message.ack)
            session.heard.set()
            if message.seq == 0:
                continue
            if message.seq <= session.taken:
                session.repeated += 1
                continue
            assert message.seq == session.taken + 1, "a gap in the numbering"
            session.taken = message.seq
            session.received.append(message)
            if message.WhichOneof("message") == "audio":
                assert message.audio.first_sample == session.samples, "a gap in the audio"
                pcm16 = session.start.input.encoding == pb.AUDIO_ENCODING_PCM16
                session.samples += len(message.audio.data) // (2 if pcm16 else 1)
            self.script(session, message)
            if message.WhichOneof("message") == "end":
                session.tell(ended=pb.SessionEnded(reason=pb.SessionEnded.CALLER_ENDED))


@asynccontextmanager
async def serving(
    script: Script = silent, *, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[FakeGateway]:
    """A fake gateway on a free port of this machine."""
    gateway = FakeGateway(script)
    server = grpc.aio.server()
    rpc.add_VoiceGatewayServicer_to_server(gateway, server)
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    gateway.target = f"localhost:{port}" if credentials else f"127.0.0.1:{port}"
    await server.start()
    try:
        yield gateway
    finally:
        await server.stop(None)
    assert not gateway.faults, gateway.faults
