"""How does one gRPC stream carry a call? It attaches to it, moves messages both ways, and detaches."""

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import (
    INPUT_RATE_HZ,
    CallEnded,
    CallerAudio,
    CallerEnded,
    EndReason,
    Failed,
    Failure,
    InterruptRequested,
    OptionsChanged,
    PlayoutReported,
    ReplyAudio,
    TextTyped,
    TurnChanged,
    TurnCommitted,
    TurnKind,
)
from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.call_registry import Limits, ServerInfo
from voice_gateway.edges.grpc import decode
from voice_gateway.edges.grpc.audio import AudioIn, AudioOut, TooFast
from voice_gateway.edges.grpc.deserialiser import Undecodable
from voice_gateway.edges.grpc.encode import encode
from voice_gateway.errors import BadRequest, Forbidden, RateLimited, StreamReplaced, Unsupported
from voice_gateway.session.session import Session

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[pb.ClientMessage, pb.ServerMessage]

log = logging.getLogger(__name__)

_BROKEN_WITHIN_S = 0.2
_AFTER_YOU_S = 0.002
"""What is told of a turn waits so long for what the turn sets off: the requests to model and voice go first."""
_ACK_EVERY_S = 1.0
"""A caller who only talks still learns what was taken in."""


class Line:
    """What a call keeps from stream to stream: formats, resamplers, the caller's numbering."""

    def __init__(self, session: Session, request: decode.CallRequest, token: str, limits: Limits) -> None:
        self.session = session
        self.request = request
        self.token = token
        self.limits = limits
        self.audio_in = AudioIn(request.input, limits.max_audio_s, limits.max_ahead_s)
        self.audio_out = AudioOut(request.output, session.options.output_rate_hz)
        self.input_ratio = request.input.rate_hz / INPUT_RATE_HZ
        self.last_seq = 0
        self.messages = TokenBucket(limits.messages_per_s, limits.messages_burst)
        self.typed_turns = TokenBucket(limits.typed_turns_per_s, limits.typed_turns_burst)
        self.refusals = Refusals(session, limits)
        self.writer: Writer | None = None
        """Writes to the stream that carries this call; one that takes the call up again pushes the old one off."""


class Refusals:
    """Tells the caller what can't be used: each time, but a flood of it in a few lines."""

    def __init__(self, session: Session, limits: Limits) -> None:
        self._session = session
        self._errors = TokenBucket(limits.errors_per_s, limits.errors_burst)
        self._untold = 0

    def report(self, failed: Failed) -> None:
        """Something that was sent is not taken."""
        if not failed.fatal and self._errors.take(self._session.age_s):
            self._untold += 1
            return
        untold = f" ({self._untold} messages before it were not taken either)" if self._untold else ""
        self._untold = 0
        self._session.send(replace(failed, sentence=failed.sentence + untold))


class Writer:
    """Writes to one stream, until it is pushed off: never amid a write, after which gRPC could send no status."""

    def __init__(self, context: "Context", max_unread_s: float) -> None:
        self.task: asyncio.Task[None] | None = None
        self._context = context
        self._max_unread_s = max_unread_s
        self._is_writing = False
        self._pushed_off = False

    async def write(self, message: pb.ServerMessage) -> None:
        """Raises TimeoutError when the caller does not read, CancelledError once pushed off."""
        self._is_writing = True
        try:
            async with asyncio.timeout(self._max_unread_s):
                await self._context.write(message)
        finally:
            self._is_writing = False
        if self._pushed_off:
            raise asyncio.CancelledError

    def push_off(self) -> None:
        """Another stream carries the call."""
        self._pushed_off = True
        if self.task and not self._is_writing:
            self.task.cancel()


async def carry(line: Line, context: "Context", started: pb.ServerMessage) -> None:
    """Both directions until the call is over, the caller hangs up, or the stream breaks.

    Raises StreamReplaced when the stream is given up and the call goes on on another one, or may."""
    unread, writer = False, Writer(context, line.limits.max_unread_s)
    if line.writer is not None:
        line.writer.push_off()
    line.writer = writer
    try:
        async with asyncio.TaskGroup() as ways:
            reader = ways.create_task(_receive(line, context), name=f"{line.session.name} reader")
            writer.task = ways.create_task(_send(line, writer, started), name=f"{line.session.name} writer")
            writer.task.add_done_callback(lambda _: reader.cancel())
            line.session.attach()
    except* TimeoutError:
        unread = True
    except* grpc.aio.BaseError as broken:
        log.info("a stream of %s broke: %s", line.session.name, "; ".join(map(str, broken.exceptions)))
    finally:
        is_last = line.writer is writer
        if is_last:
            line.writer = None
            # A caller who numbers its messages can take the call up again.
            line.session.detach(returns=line.last_seq > 0)
    if not is_last:
        raise StreamReplaced("this call was taken up again on another stream; go on there")
    if unread:
        raise StreamReplaced(f"nothing was read from this stream for {line.limits.max_unread_s:g} s; read all the time")


async def _send(line: Line, writer: Writer, started: pb.ServerMessage) -> None:
    """Everything the call tells, until its last word; acknowledgements when it is silent."""
    await writer.write(started)
    while True:
        try:
            async with asyncio.timeout(_ACK_EVERY_S):
                seq, event = await line.session.outbox.take()
        except TimeoutError:
            if line.last_seq:
                await writer.write(_numbered(line, pb.ServerMessage(), 0))
            continue
        if not isinstance(event, ReplyAudio):
            await asyncio.sleep(_AFTER_YOU_S)
        if isinstance(event, TurnChanged) and event.kind is TurnKind.REPLY_ENDED:
            await _write_rest(line, writer, event.reply)
        await writer.write(_numbered(line, encode(event, line.audio_out, line.input_ratio), seq))
        if isinstance(event, CallEnded):
            return


async def _write_rest(line: Line, writer: Writer, n: int) -> None:
    """The last milliseconds of a reply at another rate than the call's. No event of the call, so not numbered."""
    offset, data = line.audio_out.end(n)
    if data:
        rest = pb.ServerMessage(reply_audio=pb.ReplyAudio(reply=n, offset=offset, data=data))
        await writer.write(_numbered(line, rest, 0))


def _numbered(line: Line, message: pb.ServerMessage, seq: int) -> pb.ServerMessage:
    message.seq = seq
    message.ack = line.last_seq
    message.input_samples_consumed = line.audio_in.consumed_samples
    return message


async def _receive(line: Line, context: "Context") -> None:
    """Everything the caller sends, until it half-closes."""
    while True:
        message: object = await context.read()
        if isinstance(message, pb.ClientMessage):
            size = message.ByteSize()
        elif isinstance(message, Undecodable):
            size = message.size
        else:
            break
        # Read no faster than one call may send: what is not read waits at the caller.
        while wait_s := line.messages.take(line.session.age_s, 1 + size // line.limits.message_unit_bytes):
            line.refusals.report(_too_many(line.limits, wait_s))
            await asyncio.sleep(wait_s)
        if isinstance(message, Undecodable):
            line.refusals.report(Failed(Failure.BAD_REQUEST, str(message.error)))
            continue
        try:
            if _is_new(line, message):
                _take(line, message)
        except TooFast as error:
            line.refusals.report(Failed(Failure.BAD_REQUEST, str(error), fatal=True))
            line.session.end(EndReason.FAILED, str(error))
        except RateLimited as error:
            line.refusals.report(Failed(Failure.OVERLOADED, str(error), True, error.retry_after_s))
        except (BadRequest, Forbidden) as error:
            line.refusals.report(Failed(Failure.BAD_REQUEST, str(error)))
        except Unsupported as error:
            line.refusals.report(Failed(Failure.UNSUPPORTED, str(error)))
    # A broken stream reads like a half-closed one; its cancellation ends this task some 60 us later.
    await asyncio.sleep(_BROKEN_WITHIN_S)
    line.session.take(CallerEnded())


def _too_many(limits: Limits, wait_s: float) -> Failed:
    sentence = (
        f"more than {limits.messages_per_s:g} messages a second came, or too large ones (each "
        f"{limits.message_unit_bytes >> 10} KiB count as one); the gateway reads on at that rate, send fewer"
    )
    return Failed(Failure.OVERLOADED, sentence, True, wait_s)


def _is_new(line: Line, message: pb.ClientMessage) -> bool:
    """Note the message's numbers; False = sent again after a reconnect. Raises BadRequest."""
    if message.seq > line.last_seq + line.limits.max_seq_leap:
        raise BadRequest(f"seq = {message.seq} does not follow {line.last_seq}; number messages 1, 2, 3 and so on")
    if message.seq:
        if message.seq <= line.last_seq:
            return False
        line.last_seq = message.seq
    if message.ack:
        line.session.acknowledge(message.ack)
    return True


def _take(line: Line, message: pb.ClientMessage) -> None:
    session = line.session
    match message.WhichOneof("message"):
        case "audio":
            audio = message.audio
            pcm16 = line.audio_in.take(audio.data, audio.first_sample, session.age_s)
            if pcm16:
                session.take(CallerAudio(pcm16))
        case "playout":
            report = message.playout
            samples = line.audio_out.to_call(report.samples_played)
            decode.check_input_sample(report, line.audio_in.consumed_samples, line.request.input.rate_hz, line.limits)
            input_sample = round(report.input_sample / line.input_ratio)
            session.take(PlayoutReported(report.reply, samples, input_sample, report.final))
        case "text":
            text = decode.typed_text(message.text, line.limits)
            if wait_s := line.typed_turns.take(session.age_s):
                limits = line.limits
                raise RateLimited(
                    f"more than {limits.typed_turns_burst} typed turns at once, or {limits.typed_turns_per_s:g} a "
                    f"second after that; this one was not taken, send it again in {wait_s:.1f} s",
                    wait_s,
                )
            session.take(TextTyped(text))
        case "commit":
            session.take(TurnCommitted())
        case "interrupt":
            session.take(InterruptRequested())
        case "update":
            session.take(OptionsChanged(decode.update(session.options, message.update, line.limits)))
        case "tool_result":
            raise Unsupported("no tool was called: tools are not served by this gateway yet")
        case "end":
            session.take(CallerEnded())
        case "start":
            raise BadRequest("SessionStart comes first and only once; send SessionUpdate to change a running call")
        case None:
            if line.session.caller.sends_heartbeats:
                session.note_message()
            elif not message.ack:
                raise BadRequest("an empty message; set one of its fields")


def started_message(line: Line, server_info: ServerInfo, *, resumed: bool) -> pb.ServerMessage:
    """The answer to SessionStart."""
    request, limits = line.request, line.limits
    encodings = {encoding: code for code, encoding in decode.ENCODINGS.items()}
    started = pb.SessionStarted(
        session_id=line.session.name,
        input=pb.AudioFormat(
            encoding=encodings[request.input.encoding], sample_rate_hz=request.input.rate_hz, channels=1
        ),
        output=pb.AudioFormat(
            encoding=encodings[request.output.encoding], sample_rate_hz=request.output.rate_hz, channels=1
        ),
        limits=wire_limits(server_info, limits, line.session.options.policy.max_turn),
        resume_token=line.token,
        resume_life_s=server_info.resume_life_s,
        resumed=resumed,
    )
    return _numbered(line, pb.ServerMessage(started=started), 0)


def wire_limits(server_info: ServerInfo, limits: Limits, max_turn_s: float) -> pb.Limits:
    """What a caller must keep to."""
    return pb.Limits(
        max_audio_ms=round(limits.max_audio_s * 1000),
        max_message_bytes=limits.max_message_bytes,
        max_session_s=server_info.max_session_s,
        max_turn_s=max_turn_s,
    )
