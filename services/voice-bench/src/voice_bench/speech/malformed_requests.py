"""What does a fuzzer send? Valid requests with something broken; a seed always gives the same ones."""

import json
import random
from collections.abc import Callable
from typing import Any

from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto import riva_audio_pb2 as audio
from riva.client.proto import riva_tts_pb2 as tts

Rpc = tuple[str, bool, list[bytes]]
"""Method path, whether requests stream, and the requests' bytes."""
Http = tuple[str, str, dict[str, str], bytes]
"""Method, path, headers, body."""

_ASR, _TTS = "/nvidia.riva.asr.RivaSpeechRecognition/", "/nvidia.riva.tts.RivaSpeechSynthesis/"
_NUMBERS = (0, 1, -1, 7, 8000, 16_000, 44_100, 2**31 - 1, -(2**31), 2**16)
_TEXTS = (
    "", "en-US", "xx", "hello", "a" * 3000, "\x00",
    "<speak>hi</speak>", "<speak><a></speak>", "\u202e\U0001f600", "%s%n",
)  # fmt: skip
_JSON: tuple[Any, ...] = (None, True, 0, -1, 1e308, 10**40, "", "x" * 5000, [], {}, [[]], {"a": {"b": []}}, "\ud800")
_BOUNDARY = "fuzz"


def rpc(rng: random.Random) -> Rpc:
    """One call of any method; one in three with bytes broken after serialisation."""
    path, streams, messages = rng.choice(_METHODS)(rng)
    if rng.random() < 0.33:
        messages = [corrupt(message, rng) for message in messages]
    return path, streams, messages


def http(rng: random.Random) -> Http:
    """One request to any endpoint."""
    return rng.choice((_transcription, _speech, _elsewhere, _plain))(rng)


def event(rng: random.Random) -> str:
    """One message of a realtime client, valid or not."""
    content = rng.choice(_EVENTS)(rng)
    text = json.dumps(content)
    return text if rng.random() < 0.7 else corrupt(text.encode(), rng).decode("utf-8", "replace")


def corrupt(message: bytes, rng: random.Random) -> bytes:
    """The message with bits flipped, cut, repeated or replaced."""
    if not message:
        return rng.randbytes(rng.randrange(20))
    at = rng.randrange(len(message))
    match rng.randrange(5):
        case 0:
            return message[:at] + bytes([message[at] ^ (1 << rng.randrange(8))]) + message[at + 1 :]
        case 1:
            return message[:at]
        case 2:
            return message[:at] + rng.randbytes(rng.randrange(1, 16)) + message[at:]
        case 3:
            return message[:at] + message[at // 2 :]
        case _:
            return rng.randbytes(rng.randrange(1, 200))


def _samples(rng: random.Random) -> bytes:
    loud = rng.random() < 0.3
    size = rng.choice((0, 1, 3, 320, 3200, 9600))
    return rng.randbytes(size) if loud else bytes(size)


def _recognition(rng: random.Random) -> asr.RecognitionConfig:
    config = asr.RecognitionConfig(
        encoding=rng.choice((0, 1, 2, 3, 4, 20, 99)),
        sample_rate_hertz=rng.choice((0, 8000, 16_000, 16_000, 48_000, rng.choice(_NUMBERS))),
        language_code=rng.choice(_TEXTS),
        model=rng.choice(_TEXTS),
        max_alternatives=rng.choice(_NUMBERS),
        audio_channel_count=rng.choice((0, 1, 1, rng.choice(_NUMBERS))),
        enable_word_time_offsets=rng.random() < 0.5,
    )
    if rng.random() < 0.3:
        config.endpointing_config.stop_history = rng.choice(_NUMBERS)
        config.endpointing_config.start_threshold = rng.choice((0.0, -1.0, 2.0, float("nan"), float("inf")))
    if rng.random() < 0.3:
        config.speech_contexts.add(phrases=[rng.choice(_TEXTS)], boost=rng.choice((1.0, float("nan"), -1e30)))
    if rng.random() < 0.3:
        config.custom_configuration[rng.choice(("neural_vad.onset", "x"))] = rng.choice(_TEXTS[:3])
    return config


def _recognize(rng: random.Random) -> Rpc:
    return _ASR + "Recognize", False, [_bytes(asr.RecognizeRequest(config=_recognition(rng), audio=_samples(rng)))]


def _streaming(rng: random.Random) -> Rpc:
    config = asr.StreamingRecognitionConfig(config=_recognition(rng), interim_results=rng.random() < 0.5)
    messages = [_bytes(asr.StreamingRecognizeRequest(streaming_config=config))] if rng.random() < 0.9 else []
    for _ in range(rng.randrange(4)):
        request = asr.StreamingRecognizeRequest(audio_content=_samples(rng))
        if rng.random() < 0.2:
            request.runtime_config["force_eou"] = rng.choice(("true", "maybe"))
        messages.append(_bytes(request))
    return _ASR + "StreamingRecognize", True, messages


def _asr_models(rng: random.Random) -> Rpc:
    request = asr.RivaSpeechRecognitionConfigRequest(model_name=rng.choice(_TEXTS[:5]))
    return _ASR + "GetRivaSpeechRecognitionConfig", False, [_bytes(request)]


def _synthesis(rng: random.Random) -> tts.SynthesizeSpeechRequest:
    return tts.SynthesizeSpeechRequest(
        text=rng.choice(_TEXTS),
        language_code=rng.choice(_TEXTS[:3]),
        encoding=rng.choice((audio.AudioEncoding.LINEAR_PCM, rng.choice((0, 2, 4, 99)))),
        sample_rate_hz=rng.choice((0, 16_000, 22_050, rng.choice(_NUMBERS))),
        voice_name=rng.choice(("", "English-US.Female-1", rng.choice(_TEXTS[:4]))),
    )


def _synthesize(rng: random.Random) -> Rpc:
    return _TTS + "Synthesize", False, [_bytes(_synthesis(rng))]


def _synthesize_online(rng: random.Random) -> Rpc:
    return _TTS + "SynthesizeOnline", True, [_bytes(_synthesis(rng)) for _ in range(rng.randrange(3))]


def _voices(rng: random.Random) -> Rpc:
    request = tts.RivaSynthesisConfigRequest(model_name=rng.choice(_TEXTS[:4]))
    return _TTS + "GetRivaSynthesisConfig", False, [_bytes(request)]


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized


_METHODS: tuple[Callable[[random.Random], Rpc], ...] = (
    _recognize, _streaming, _streaming, _asr_models, _synthesize, _synthesize_online, _voices,
)  # fmt: skip


def _transcription(rng: random.Random) -> Http:
    names = ("model", "language", "response_format", "stream", "temperature", "timestamp_granularities[]", "include[]")
    values = ("whisper-1", "en", "json", "verbose_json", "srt", "true", "0.5", "word", "logprobs", "", "\u00fc")
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{rng.choice(values)}\r\n'.encode()
        for name in rng.sample(names, rng.randrange(1, len(names)))
    ]
    file = corrupt(_wav(_samples(rng)), rng) if rng.random() < 0.5 else _wav(_samples(rng))
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
    body = b"".join([*parts, head, file, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    if rng.random() < 0.3:
        body = corrupt(body, rng)
    return "POST", "/v1/audio/transcriptions", {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body


def _speech(rng: random.Random) -> Http:
    formats = ("pcm", "wav", "flac", "mp3", "opus", "aac")
    body: dict[str, Any] = {
        "model": "tts-1", "input": rng.choice(("hi", "two words")),
        "voice": rng.choice(("alloy", "nobody", {"id": "echo"})),
        "response_format": rng.choice(formats), "speed": rng.choice((1, 4.0, 0.25, 9)),
        "stream_format": rng.choice(("audio", "sse")),
    }  # fmt: skip
    if rng.random() < 0.5:
        body[rng.choice(list(body))] = rng.choice(_JSON)
    written = json.dumps(body).encode()
    if rng.random() < 0.3:
        written = corrupt(written, rng)
    return "POST", "/v1/audio/speech", {"Content-Type": "application/json"}, written


def _elsewhere(rng: random.Random) -> Http:
    paths = ("/v1/models", "/v1/models/x", "/v1/models/%00", "/v1/realtime", "/readyz", "/metrics", "/nothing")
    return rng.choice(("GET", "POST", "PUT", "DELETE", "HEAD")), rng.choice(paths), {}, b""


def _plain(rng: random.Random) -> Http:
    path = rng.choice(("/v1/audio/transcriptions", "/v1/audio/speech"))
    kind = rng.choice(("", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x", "application/json"))
    return "POST", path, {"Content-Type": kind} if kind else {}, rng.randbytes(rng.randrange(300))


def _wav(pcm16: bytes) -> bytes:
    size = len(pcm16)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    return head + bytes.fromhex("01000100803e0000007d000002001000") + b"data" + size.to_bytes(4, "little") + pcm16


def _update(rng: random.Random) -> Any:
    given = {
        rng.choice(("format", "turn_detection", "transcription", "noise_reduction")): rng.choice(
            (*_JSON[:-1], {"type": "audio/pcmu"}, {"type": "server_vad", "threshold": 0.4}, {"language": "en"})
        )
    }
    return {"type": "session.update", "session": {"type": "transcription", "audio": {"input": given}}}


def _append(rng: random.Random) -> Any:
    return {"type": "input_audio_buffer.append", "audio": rng.choice(("AAAA" * 400, "A", "", "!!", 5, None))}


_EVENTS: tuple[Callable[[random.Random], Any], ...] = (
    _update,
    _append,
    lambda rng: {"type": "input_audio_buffer.commit"},
    lambda rng: {"type": "input_audio_buffer.clear", "event_id": rng.choice(_JSON[:-1])},
    lambda rng: {"type": rng.choice(("response.create", 5, None))},
    lambda rng: rng.choice(_JSON[:-1]),
)
