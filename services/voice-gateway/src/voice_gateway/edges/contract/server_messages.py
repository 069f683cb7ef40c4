"""What does a caller read of the gateway itself? What was agreed for its call, and what is served here."""

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.edges.call_registry import CallRegistry
from voice_gateway.edges.contract.decode import ENCODINGS
from voice_gateway.edges.held_call import HeldCall, ServerInfo
from voice_gateway.edges.limits import Limits


def started_message(call: HeldCall, *, resumed: bool) -> pb.ServerMessage:
    """The answer to SessionStart."""
    request, server_info = call.request, call.server_info
    encodings = {encoding: code for code, encoding in ENCODINGS.items()}
    started = pb.SessionStarted(
        session_id=call.session.name,
        input=pb.AudioFormat(
            encoding=encodings[request.input.encoding], sample_rate_hz=request.input.rate_hz, channels=1
        ),
        output=pb.AudioFormat(
            encoding=encodings[request.output.encoding], sample_rate_hz=request.output.rate_hz, channels=1
        ),
        limits=_limits(server_info, call.limits, call.session.options.policy.max_turn),
        resume_token=call.token,
        resume_life_s=server_info.resume_life_s,
        resumed=resumed,
    )
    return pb.ServerMessage(started=started)


def server_info(registry: CallRegistry) -> pb.ServerInfo:
    """What is served here now."""
    info, trouble = registry.server_info, registry.trouble()
    encodings = [code for code in ENCODINGS if code != pb.AUDIO_ENCODING_UNSPECIFIED]
    return pb.ServerInfo(
        version=info.version,
        input_encodings=encodings,
        output_encodings=encodings,
        languages=registry.languages,
        asr_model=info.asr_model,
        llm_model=info.llm_model,
        voice=info.voice,
        resume=True,
        tools=True,
        limits=_limits(info, registry.limits, registry.defaults("").policy.max_turn),
        ready=not trouble,
        not_ready_reason=trouble,
        voices=registry.voices,
        caller_may_set=sorted(registry.limits.may_set),
    )


def _limits(info: ServerInfo, limits: Limits, max_turn_s: float) -> pb.Limits:
    """What a caller must keep to."""
    return pb.Limits(
        max_audio_ms=round(limits.max_audio_s * 1000),
        max_message_bytes=limits.max_message_bytes,
        max_session_s=info.max_session_s,
        max_turn_s=max_turn_s,
    )
