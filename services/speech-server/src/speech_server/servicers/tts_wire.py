"""What do Riva's synthesis messages mean here, and how are answers written in them?"""

from collections.abc import Sequence
from dataclasses import dataclass

from pcm import AudioFormat, Resampler

from speech_server.core.audio_in import HIGHEST_HZ, LOWEST_HZ
from speech_server.core.ssml import is_ssml
from speech_server.core.voices import VoicePolicy, choose_voice, list_voices
from speech_server.errors import BadRequest, NotFound
from speech_server.ports import SpeechRequest, SpokenChunk, Voice, Word
from speech_server.servicers.asr_wire import choose_encoding
from speech_server.wire import riva_tts_pb2 as tts


@dataclass(frozen=True, slots=True)
class SpeechPlan:
    """One synthesis, decided."""

    request: SpeechRequest
    format: AudioFormat
    word_times: bool


def plan(
    sent: tts.SynthesizeSpeechRequest, voices: Sequence[Voice], policy: VoicePolicy, text_limit: int
) -> SpeechPlan:
    """What a request asks for. Raises BadRequest."""
    if len(sent.text) > text_limit:
        raise BadRequest(
            f"The text has {len(sent.text)} characters, more than {text_limit}; split it at sentence ends."
        )
    if sent.HasField("zero_shot_data"):
        raise BadRequest("zero_shot_data is not supported; leave it out and choose a listed voice.")
    if sent.custom_dictionary:
        raise BadRequest("custom_dictionary is not supported; leave it out.")
    if sent.custom_configuration:
        keys = ", ".join(sorted(sent.custom_configuration))
        raise BadRequest(f"custom_configuration key not supported: {keys}; leave it out.")
    voice = choose_voice(sent.voice_name, sent.language_code, voices, policy)
    encoding = choose_encoding(sent.encoding, "LINEAR_PCM, MULAW or ALAW")
    rate_hz = sent.sample_rate_hz or voice.rate_hz
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise BadRequest(f"sample_rate_hz is {rate_hz}; send {LOWEST_HZ} to {HIGHEST_HZ}, or 0.")
    return SpeechPlan(
        SpeechRequest(sent.text, voice, is_ssml(sent.text)),
        AudioFormat(encoding, rate_hz),
        sent.enable_word_time_offsets,
    )


class WayOut:
    """PCM16 of the voice to what the request wants, whole samples only."""

    def __init__(self, plan: SpeechPlan) -> None:
        self._format = plan.format
        self._resampler = Resampler(plan.request.voice.rate_hz, plan.format.rate_hz)

    def push(self, chunk: SpokenChunk) -> bytes:
        """Wire bytes that are ready, possibly none."""
        return self._format.encode(self._resampler.push(chunk.pcm16))

    def flush(self) -> bytes:
        """The rest."""
        return self._format.encode(self._resampler.flush())


def answer(sent: tts.SynthesizeSpeechRequest, audio: bytes, words: Sequence[Word]) -> tts.SynthesizeSpeechResponse:
    """Audio with what it was made from."""
    made = tts.SynthesizeSpeechResponse(
        audio=audio,
        meta=tts.SynthesizeSpeechResponseMetadata(
            text=sent.text,
            processed_text=sent.text,
            words=[
                tts.WordTiming(word=word.text, start_time=round(word.start_s * 1000), end_time=round(word.end_s * 1000))
                for word in words
            ],
        ),
    )
    if sent.HasField("id"):
        made.id.CopyFrom(sent.id)
    return made


def voice_list(voices: Sequence[Voice], wanted: str) -> tts.RivaSynthesisConfigResponse:
    """The list clients choose from. Raises NotFound when the wanted model isn't here."""
    listed = [
        tts.RivaSynthesisConfigResponse.Config(
            model_name=f"{name}-{language}" if language.lower() not in name.lower() else name,
            parameters={
                "language_code": language,
                "sample_rate_hz": str(rate_hz),
                "encoding": "LINEAR_PCM",
                "voice_name": name,
                "subvoices": ",".join(f"{subvoice}:{number}" for number, subvoice in enumerate(subvoices)),
                "type": "online",
            },
        )
        for name, language, rate_hz, subvoices in list_voices(voices)
    ]
    found = [entry for entry in listed if not wanted or wanted.lower() == entry.model_name.lower()]
    if wanted and not found:
        names = ", ".join(dict.fromkeys(entry.model_name for entry in listed))
        raise NotFound(f"No model {wanted!r}; there are {names}.")
    return tts.RivaSynthesisConfigResponse(model_config=found)
