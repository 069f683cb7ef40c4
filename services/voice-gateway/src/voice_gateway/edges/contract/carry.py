"""How does one stream carry a call? It attaches to it, moves messages both ways, and detaches."""

import asyncio
import logging

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import (
    CallEnded,
    CallerEnded,
    EndReason,
    Failed,
    Failure,
    ReplyAudio,
    TurnChanged,
    TurnKind,
)
from voice_gateway.edges.audio import TooFast
from voice_gateway.edges.contract.caller_messages import is_new, take
from voice_gateway.edges.contract.encode import encode
from voice_gateway.edges.contract.read_limit import ReadLimit
from voice_gateway.edges.contract.stream import ContractStream, StreamBroken, Undecodable
from voice_gateway.edges.contract.stream_writer import StreamWriter
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.errors import BadRequest, Forbidden, RateLimited, StreamReplaced, Unsupported

log = logging.getLogger(__name__)

_ACK_EVERY_S = 1.0
"""A caller who only talks still learns what was taken in."""


async def carry(call: HeldCall, stream: ContractStream, started: pb.ServerMessage) -> None:
    """Both directions until the call is over, the caller hangs up, or the stream breaks.

    Raises StreamReplaced when the stream is given up and the call goes on on another one, or may."""
    unread, writer = False, StreamWriter(call, stream)
    try:
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_receive(call, stream, writer), name=f"{call.session.name} reader")
            writer.task = tasks.create_task(_send(call, writer, started), name=f"{call.session.name} writer")
            call.attach(writer)
            await asyncio.wait({writer.task})
            reader.cancel()
    except* TimeoutError:
        unread = True
    except* StreamBroken as broken:
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


async def _receive(call: HeldCall, stream: ContractStream, writer: StreamWriter) -> None:
    """Everything the caller sends, until it ends the call or half-closes."""
    limit = ReadLimit(call)
    while True:
        message = await stream.read()
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
            if is_new(call, message):
                take(call, message)
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
    # A broken stream of gRPC reads like a half-closed one, but takes no acknowledgement: there this write never
    # returns, and the call waits for its caller.
    await writer.write(pb.ServerMessage())
    call.session.take(CallerEnded())
