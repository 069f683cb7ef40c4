"""How does one gRPC stream carry a call? It attaches to it, moves messages both ways, and detaches."""

import asyncio
import logging
from typing import TYPE_CHECKING

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import (
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
from voice_gateway.edges.audio import TooFast
from voice_gateway.edges.grpc import decode
from voice_gateway.edges.grpc.deserialiser import Undecodable
from voice_gateway.edges.grpc.encode import encode
from voice_gateway.edges.grpc.read_limit import ReadLimit
from voice_gateway.edges.grpc.stream_writer import StreamWriter
from voice_gateway.edges.held_call import HeldCall, ServerInfo
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import BadRequest, Forbidden, RateLimited, StreamReplaced, Unsupported

if TYPE_CHECKING:
    from voice_gateway.edges.grpc.stream_writer import Context

log = logging.getLogger(__name__)

_ACK_EVERY_S = 1.0
"""A caller who only talks still learns what was taken in."""


async def carry(call: HeldCall, context: "Context", started: pb.ServerMessage) -> None:
    """Both directions until the call is over, the caller hangs up, or the stream breaks.

    Raises StreamReplaced when the stream is given up and the call goes on on another one, or may."""
    unread, writer = False, StreamWriter(call, context)
    try:
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_receive(call, context, writer), name=f"{call.session.name} reader")
            writer.task = tasks.create_task(_send(call, writer, started), name=f"{call.session.name} writer")
            call.attach(writer)
            await asyncio.wait({writer.task})
            reader.cancel()
    except* TimeoutError:
        unread = True
    except* grpc.aio.BaseError as broken:
        log.info("a stream of call %s is broken: %s", call.session.name, "; ".join(map(str, broken.exceptions)))
    finally:
        is_last = call.detach(writer)
    if not is_last:
        raise StreamReplaced("this call was taken up again on another stream; go on there")
    if unread:
        raise StreamReplaced(f"nothing was read from this stream for {call.limits.max_unread_s:g} s; read all the time")


async def _send(call: HeldCall, writer: StreamWriter, started: pb.ServerMessage) -> None:
    """Everything the call tells, until its last word; acknowledgements when it is silent."""
    await writer.write(started)
    while True:
        try:
            async with asyncio.timeout(_ACK_EVERY_S):
                seq, event = await call.session.outbox.take()
        except TimeoutError:
            if call.last_seq:
                await writer.write(pb.ServerMessage())
            continue
        if not isinstance(event, ReplyAudio):
            await call.session.requests_sent()
        if isinstance(event, TurnChanged) and event.kind is TurnKind.REPLY_ENDED:
            await _write_rest(call, writer, event.reply)
        await writer.write(encode(event, call.audio.output, call.request.input_ratio), seq)
        if isinstance(event, CallEnded):
            return


async def _write_rest(call: HeldCall, writer: StreamWriter, n: int) -> None:
    """The last milliseconds of a reply at another rate than the call's. No event of the call, so not numbered."""
    offset, data = call.audio.output.end(n)
    if data:
        await writer.write(pb.ServerMessage(reply_audio=pb.ReplyAudio(reply=n, offset=offset, data=data)))


async def _receive(call: HeldCall, context: "Context", writer: StreamWriter) -> None:
    """Everything the caller sends, until it ends the call or half-closes."""
    limit = ReadLimit(call)
    while True:
        message: object = await context.read()
        if isinstance(message, pb.ClientMessage):
            size_bytes = message.ByteSize()
        elif isinstance(message, Undecodable):
            size_bytes = message.size
        else:
            break
        await limit.admit(size_bytes)
        if isinstance(message, Undecodable):
            call.refusals.report(Failed(Failure.BAD_REQUEST, str(message.error)))
            continue
        try:
            if _is_new(call, message):
                _take(call, message)
                if message.HasField("end"):
                    return
        except TooFast as error:
            call.refusals.report(Failed(Failure.BAD_REQUEST, str(error), fatal=True))
            call.session.end(EndReason.FAILED, str(error))
        except RateLimited as error:
            call.refusals.report(Failed(Failure.OVERLOADED, str(error), True, error.retry_after_s))
        except (BadRequest, Forbidden) as error:
            call.refusals.report(Failed(Failure.BAD_REQUEST, str(error)))
        except Unsupported as error:
            call.refusals.report(Failed(Failure.UNSUPPORTED, str(error)))
    # A broken stream reads like a half-closed one, but takes no acknowledgement: there this write never returns, and
    # the call waits for its caller.
    await writer.write(pb.ServerMessage())
    call.session.take(CallerEnded())


def _is_new(call: HeldCall, message: pb.ClientMessage) -> bool:
    """Note the message's numbers; False = sent again after a reconnect. Raises BadRequest."""
    if message.seq > call.last_seq + call.limits.max_seq_leap:
        raise BadRequest(f"seq = {message.seq} does not follow {call.last_seq}; number messages 1, 2, 3 and so on")
    if message.seq:
        if message.seq <= call.last_seq:
            return False
        call.last_seq = message.seq
    if message.ack:
        call.session.acknowledge(message.ack)
    return True


def _take(call: HeldCall, message: pb.ClientMessage) -> None:
    session = call.session
    match message.WhichOneof("message"):
        case "audio":
            audio = message.audio
            pcm16 = call.audio.input.take(audio.data, audio.first_sample, session.age_s)
            if pcm16:
                session.take(CallerAudio(pcm16))
        case "playout":
            report = message.playout
            samples = call.audio.output.to_call(report.samples_played)
            decode.check_input_sample(
                report, call.audio.input.consumed_samples, call.request.input.rate_hz, call.limits
            )
            input_sample = round(report.input_sample / call.request.input_ratio)
            session.take(PlayoutReported(report.reply, samples, input_sample, report.final))
        case "text":
            text = decode.typed_text(message.text, call.limits)
            if wait_s := call.rates.typed_turns.take(session.age_s):
                limits = call.limits
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
            session.take(OptionsChanged(decode.update(session.options, message.update, call.limits)))
        case "tool_result":
            session.take(decode.tool_answer(message.tool_result, call.limits))
        case "end":
            session.take(CallerEnded())
        case "start":
            raise BadRequest("SessionStart comes first and only once; send SessionUpdate to change a running call")
        case None:
            if call.session.caller.sends_heartbeats:
                session.note_message()
            elif not message.ack:
                raise BadRequest("an empty message; set one of its fields")


def started_message(call: HeldCall, *, resumed: bool) -> pb.ServerMessage:
    """The answer to SessionStart."""
    request, server_info = call.request, call.server_info
    encodings = {encoding: code for code, encoding in decode.ENCODINGS.items()}
    started = pb.SessionStarted(
        session_id=call.session.name,
        input=pb.AudioFormat(
            encoding=encodings[request.input.encoding], sample_rate_hz=request.input.rate_hz, channels=1
        ),
        output=pb.AudioFormat(
            encoding=encodings[request.output.encoding], sample_rate_hz=request.output.rate_hz, channels=1
        ),
        limits=wire_limits(server_info, call.limits, call.session.options.policy.max_turn),
        resume_token=call.token,
        resume_life_s=server_info.resume_life_s,
        resumed=resumed,
    )
    return pb.ServerMessage(started=started)


def wire_limits(server_info: ServerInfo, limits: Limits, max_turn_s: float) -> pb.Limits:
    """What a caller must keep to."""
    return pb.Limits(
        max_audio_ms=round(limits.max_audio_s * 1000),
        max_message_bytes=limits.max_message_bytes,
        max_session_s=server_info.max_session_s,
        max_turn_s=max_turn_s,
    )
