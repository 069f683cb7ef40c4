"""How do Riva's two services get onto a port? With the limits of this server, health and reflection around them."""

from serving.grpc_server import GrpcLimits, GrpcServer

from speech_server.riva.asr_servicer import AsrServicer
from speech_server.riva.decode_interceptor import DecodeInterceptor
from speech_server.riva.tts_servicer import TtsServicer
from speech_server.wire.riva_asr_pb2 import DESCRIPTOR as ASR
from speech_server.wire.riva_asr_pb2_grpc import add_RivaSpeechRecognitionServicer_to_server
from speech_server.wire.riva_tts_pb2 import DESCRIPTOR as TTS
from speech_server.wire.riva_tts_pb2_grpc import add_RivaSpeechSynthesisServicer_to_server

ASR_SERVICE = ASR.services_by_name["RivaSpeechRecognition"].full_name
TTS_SERVICE = TTS.services_by_name["RivaSpeechSynthesis"].full_name


def grpc_limits(message_bytes: int, most_calls: int) -> GrpcLimits:
    """`most_calls`: of every method, at once; one connection, a gateway's, may have all of them."""
    return GrpcLimits(
        message_bytes=message_bytes,
        metadata_bytes=16_384,
        connections=most_calls,
        streams=most_calls,
        idle_connection_s=600.0,
        calls=most_calls,
    )


def grpc_server(limits: GrpcLimits, interceptor: DecodeInterceptor, asr: AsrServicer, tts: TtsServicer) -> GrpcServer:
    """Not listening yet, health NOT_SERVING."""
    made = GrpcServer((ASR_SERVICE, TTS_SERVICE), limits, (interceptor,))
    add_RivaSpeechRecognitionServicer_to_server(asr, made.server)
    add_RivaSpeechSynthesisServicer_to_server(tts, made.server)
    return made
