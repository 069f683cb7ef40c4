"""What does a caller's message do to its call? It is counted, checked, and taken by the session."""

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import (
    CallerAudio,
    CallerEnded,
    InterruptRequested,
    OptionsChanged,
    PlayoutReported,
    TextTyped,
    TurnCommitted,
)
from voice_gateway.edges.contract import decode
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.errors import BadRequest


def is_new(call: HeldCall, message: pb.ClientMessage) -> bool:
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


def take(call: HeldCall, message: pb.ClientMessage) -> None:
    """Give the call what the message says. Raises BadRequest, Forbidden, RateLimited, Unsupported or TooFast."""
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
            call.rates.admit_typed_turn(session.age_s, call.limits)
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
