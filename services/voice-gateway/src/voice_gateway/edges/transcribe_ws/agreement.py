"""What does a client's stream get? Its options, where the operator lets it choose, over the deployment's own."""

from collections.abc import Callable

from pcm import AudioFormat, Encoding

from voice_gateway.core import hotwords
from voice_gateway.core.events import CallOptions
from voice_gateway.core.speech_types import RecognitionOptions
from voice_gateway.core.transcription import TranscriptionOptions
from voice_gateway.edges.held_transcription import TranscriptionRequest
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.transcribe_ws.client_messages import StreamOptions
from voice_gateway.errors import BadRequest, Forbidden, Unsupported

_CONTROL = range(0x20)


def agreed(asked: StreamOptions, defaults_in: Callable[[str], CallOptions], limits: Limits) -> TranscriptionRequest:
    """`defaults_in` a language is what a client gets who asks for nothing else. Raises BadRequest, Forbidden or
    Unsupported."""
    if asked.resume_token:
        raise Unsupported("a stream that broke can't be taken up again yet; start a new one without resume_token")
    for name in ("language", "model"):
        _check_signs(name, getattr(asked, name))
    defaults = defaults_in(asked.language)
    _check_may_set("language", defaults.language != defaults_in("").language, limits)
    _check_may_set("hotwords", bool(asked.hotwords), limits)
    _check_may_set("model", bool(asked.model) and asked.model != defaults.asr_model, limits)
    recognition = RecognitionOptions(
        language=defaults.asr_language or defaults.language,
        hotwords=hotwords.joined(_hotwords(asked.hotwords), defaults.hotwords),
        model=asked.model or defaults.asr_model,
        punctuation=asked.punctuation,
        stop_history_ms=asked.max_silence_ms or 0,
    )
    options = TranscriptionOptions(
        language=defaults.language,
        recognition=recognition,
        interim=asked.interim,
        interim_s=asked.interim_ms / 1000 if asked.interim_ms else limits.interim_s,
        idle_s=limits.idle_s,
        max_lag_s=defaults.policy.max_lag,
    )
    format = AudioFormat(Encoding.PCM16, asked.sample_rate)
    return TranscriptionRequest(options, format, asked.encoding == "float32", asked.words)


def _hotwords(text: str) -> hotwords.Hotwords:
    try:
        return hotwords.parse(text)
    except ValueError as error:
        raise BadRequest(f"hotwords: {error}") from None


def _check_may_set(name: str, differs: bool, limits: Limits) -> None:
    if differs and name not in limits.may_set:
        raise Forbidden(f"the operator does not let callers choose the {name}; leave it out")


def _check_signs(name: str, value: str) -> None:
    if any(ord(sign) in _CONTROL for sign in value):
        raise BadRequest(f"{name} holds a control character; take it out")
