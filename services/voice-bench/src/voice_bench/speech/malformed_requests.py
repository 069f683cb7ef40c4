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
    "",
    "en-US",
    "xx",
    "hello",
    "a" * 3000,
    "\x00",
    "<speak>hi</speak>",
    "<speak><a></speak>",
    "\u202e\U0001f600",
    "%s%n",
)
_JSON: tuple[Any, ...] = (None, True, 0, -1, 1e308, 10**40, "", "x" * 5000, [], {}, [[]], {"a": {"b": []}}, "\ud800")
_BOUNDARY = "fuzz"


def rpc(dice: random.Random) -> Rpc:
    """One call of any method; one in three with bytes broken after serialisation."""
    path, streams, messages = dice.choice(_METHODS)(dice)
    if dice.random() < 0.33:
        messages = [broken(message, dice) for message in messages]
    return path, streams, messages


def http(dice: random.Random) -> Http:
    """One request to any endpoint."""
    return dice.choice((_transcription, _speech, _elsewhere, _plain))(dice)


def event(dice: random.Random) -> str:
    """One message of a realtime client, valid or not."""
    content = dice.choice(_EVENTS)(dice)
    text = json.dumps(content)
    return text if dice.random() < 0.7 else broken(text.encode(), dice).decode("utf-8", "replace")


def broken(message: bytes, dice: random.Random) -> bytes:
    """The message with bits flipped, cut, repeated or replaced."""
    if not message:
        return dice.randbytes(dice.randrange(20))
    at = dice.randrange(len(message))
    match dice.randrange(5):
        case 0:
            return message[:at] + bytes([message[at] ^ (1 << dice.randrange(8))]) + message[at + 1 :]
        case 1:
            return message[:at]
        case 2:
            return message[:at] + dice.randbytes(dice.randrange(1, 16)) + message[at:]
        case 3:
            return message[:at] + message[at // 2 :]
        case _:
            return dice.randbytes(dice.randrange(1, 200))


def _samples(dice: random.Random) -> bytes:
    loud = dice.random() < 0.3
    size = dice.choice((0, 1, 3, 320, 3200, 9600))
    return dice.randbytes(size) if loud else bytes(size)


def _recognition(dice: random.Random) -> asr.RecognitionConfig:
    config = asr.RecognitionConfig(
        encoding=dice.choice((0, 1, 2, 3, 4, 20, 99)),
        sample_rate_hertz=dice.choice((0, 8000, 16_000, 16_000, 48_000, dice.choice(_NUMBERS))),
        language_code=dice.choice(_TEXTS),
        model=dice.choice(_TEXTS),
        max_alternatives=dice.choice(_NUMBERS),
        audio_channel_count=dice.choice((0, 1, 1, dice.choice(_NUMBERS))),
        enable_word_time_offsets=dice.random() < 0.5,
    )
    if dice.random() < 0.3:
        config.endpointing_config.stop_history = dice.choice(_NUMBERS)
        config.endpointing_config.start_threshold = dice.choice((0.0, -1.0, 2.0, float("nan"), float("inf")))
    if dice.random() < 0.3:
        config.speech_contexts.add(phrases=[dice.choice(_TEXTS)], boost=dice.choice((1.0, float("nan"), -1e30)))
    if dice.random() < 0.3:
        config.custom_configuration[dice.choice(("neural_vad.onset", "x"))] = dice.choice(_TEXTS[:3])
    return config


def _recognize(dice: random.Random) -> Rpc:
    return _ASR + "Recognize", False, [_bytes(asr.RecognizeRequest(config=_recognition(dice), audio=_samples(dice)))]


def _streaming(dice: random.Random) -> Rpc:
    config = asr.StreamingRecognitionConfig(config=_recognition(dice), interim_results=dice.random() < 0.5)
    messages = [_bytes(asr.StreamingRecognizeRequest(streaming_config=config))] if dice.random() < 0.9 else []
    for _ in range(dice.randrange(4)):
        request = asr.StreamingRecognizeRequest(audio_content=_samples(dice))
        if dice.random() < 0.2:
            request.runtime_config["force_eou"] = dice.choice(("true", "maybe"))
        messages.append(_bytes(request))
    return _ASR + "StreamingRecognize", True, messages


def _asr_models(dice: random.Random) -> Rpc:
    request = asr.RivaSpeechRecognitionConfigRequest(model_name=dice.choice(_TEXTS[:5]))
    return _ASR + "GetRivaSpeechRecognitionConfig", False, [_bytes(request)]


def _synthesis(dice: random.Random) -> tts.SynthesizeSpeechRequest:
    return tts.SynthesizeSpeechRequest(
        text=dice.choice(_TEXTS),
        language_code=dice.choice(_TEXTS[:3]),
        encoding=dice.choice((audio.AudioEncoding.LINEAR_PCM, dice.choice((0, 2, 4, 99)))),
        sample_rate_hz=dice.choice((0, 16_000, 22_050, dice.choice(_NUMBERS))),
        voice_name=dice.choice(("", "English-US.Female-1", dice.choice(_TEXTS[:4]))),
    )


def _synthesize(dice: random.Random) -> Rpc:
    return _TTS + "Synthesize", False, [_bytes(_synthesis(dice))]


def _synthesize_online(dice: random.Random) -> Rpc:
    return _TTS + "SynthesizeOnline", True, [_bytes(_synthesis(dice)) for _ in range(dice.randrange(3))]


def _voices(dice: random.Random) -> Rpc:
    request = tts.RivaSynthesisConfigRequest(model_name=dice.choice(_TEXTS[:4]))
    return _TTS + "GetRivaSynthesisConfig", False, [_bytes(request)]


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized


_METHODS: tuple[Callable[[random.Random], Rpc], ...] = (
    _recognize, _streaming, _streaming, _asr_models, _synthesize, _synthesize_online, _voices,
)  # fmt: skip


def _transcription(dice: random.Random) -> Http:
    names = ("model", "language", "response_format", "stream", "temperature", "timestamp_granularities[]", "include[]")
    values = ("whisper-1", "en", "json", "verbose_json", "srt", "true", "0.5", "word", "logprobs", "", "\u00fc")
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{dice.choice(values)}\r\n'.encode()
        for name in dice.sample(names, dice.randrange(1, len(names)))
    ]
    file = broken(_wav(_samples(dice)), dice) if dice.random() < 0.5 else _wav(_samples(dice))
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
    body = b"".join([*parts, head, file, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    if dice.random() < 0.3:
        body = broken(body, dice)
    return "POST", "/v1/audio/transcriptions", {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body


def _speech(dice: random.Random) -> Http:
    formats = ("pcm", "wav", "flac", "mp3", "opus", "aac")
    body: dict[str, Any] = {
        "model": "tts-1", "input": dice.choice(("hi", "two words")),
        "voice": dice.choice(("alloy", "nobody", {"id": "echo"})),
        "response_format": dice.choice(formats), "speed": dice.choice((1, 4.0, 0.25, 9)),
        "stream_format": dice.choice(("audio", "sse")),
    }  # fmt: skip
    if dice.random() < 0.5:
        body[dice.choice(list(body))] = dice.choice(_JSON)
    written = json.dumps(body).encode()
    if dice.random() < 0.3:
        written = broken(written, dice)
    return "POST", "/v1/audio/speech", {"Content-Type": "application/json"}, written


def _elsewhere(dice: random.Random) -> Http:
    paths = ("/v1/models", "/v1/models/x", "/v1/models/%00", "/v1/realtime", "/readyz", "/metrics", "/nothing")
    return dice.choice(("GET", "POST", "PUT", "DELETE", "HEAD")), dice.choice(paths), {}, b""


def _plain(dice: random.Random) -> Http:
    path = dice.choice(("/v1/audio/transcriptions", "/v1/audio/speech"))
    kind = dice.choice(("", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x", "application/json"))
    return "POST", path, {"Content-Type": kind} if kind else {}, dice.randbytes(dice.randrange(300))


def _wav(pcm16: bytes) -> bytes:
    size = len(pcm16)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    return head + bytes.fromhex("01000100803e0000007d000002001000") + b"data" + size.to_bytes(4, "little") + pcm16


def _update(dice: random.Random) -> Any:
    given = {
        dice.choice(("format", "turn_detection", "transcription", "noise_reduction")): dice.choice(
            (*_JSON[:-1], {"type": "audio/pcmu"}, {"type": "server_vad", "threshold": 0.4}, {"language": "en"})
        )
    }
    return {"type": "session.update", "session": {"type": "transcription", "audio": {"input": given}}}


def _append(dice: random.Random) -> Any:
    return {"type": "input_audio_buffer.append", "audio": dice.choice(("AAAA" * 400, "A", "", "!!", 5, None))}


_EVENTS: tuple[Callable[[random.Random], Any], ...] = (
    _update,
    _append,
    lambda dice: {"type": "input_audio_buffer.commit"},
    lambda dice: {"type": "input_audio_buffer.clear", "event_id": dice.choice(_JSON[:-1])},
    lambda dice: {"type": dice.choice(("response.create", 5, None))},
    lambda dice: dice.choice(_JSON[:-1]),
)
