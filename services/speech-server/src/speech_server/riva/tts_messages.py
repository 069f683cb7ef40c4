"""What do Riva's synthesis messages mean here, and how are answers written in them?"""

from collections.abc import Sequence
from dataclasses import dataclass

from pcm import AudioFormat, Encoding, Resampler, duration_s
from pcm.compressed import EncodedStream

from speech_server.core.asr.asr_types import Word
from speech_server.core.asr.audio_decoder import HIGHEST_HZ, LOWEST_HZ, Compressed
from speech_server.core.requests.error_text import named, shown
from speech_server.core.tts.pronunciations import parse_dictionary
from speech_server.core.tts.ssml import broken_markup, is_ssml, without_tags
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice
from speech_server.core.tts.voices import VoicePolicy, choose_voice, list_voices
from speech_server.errors import BadRequest, NotFound
from speech_server.riva.asr_messages import choose_encoding
from speech_server.wire import riva_tts_pb2 as tts


@dataclass(frozen=True, slots=True)
class SpeechPlan:
    """One synthesis, decided."""

    request: SpeechRequest
    encoding: Encoding | Compressed
    rate_hz: int
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
    if broken := broken_markup(sent.text):
        raise BadRequest(broken)
    text = sent.text if is_ssml(sent.text) else without_tags(sent.text)
    if not text.strip():
        raise BadRequest("The text has tags only; send something to say.")
    if sent.custom_configuration:
        keys = named(sorted(sent.custom_configuration))
        raise BadRequest(f"custom_configuration key not supported: {keys}; leave it out.")
    voice = choose_voice(sent.voice_name, sent.language_code, voices, policy)
    pronunciations = parse_dictionary(sent.custom_dictionary)
    if pronunciations and not voice.takes_phonemes:
        raise BadRequest(f"The voice {voice.name} takes no custom_dictionary; leave it out or choose another voice.")
    encoding = choose_encoding(sent.encoding, "LINEAR_PCM, FLAC, MULAW, OGGOPUS or ALAW")
    return SpeechPlan(
        SpeechRequest(text, voice, is_ssml(text), pronunciations),
        encoding,
        _rate(sent.sample_rate_hz, encoding, voice),
        sent.enable_word_time_offsets,
    )


OPUS_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
"""The sample rates Opus has."""


def _rate(wanted_hz: int, encoding: Encoding | Compressed, voice: Voice) -> int:
    """The rate of the answer. Raises BadRequest for one that can't be made."""
    if encoding is Compressed.OGG:
        if wanted_hz and wanted_hz not in OPUS_HZ:
            raise BadRequest(f"sample_rate_hz is {wanted_hz}; Opus has {', '.join(map(str, OPUS_HZ))}, or send 0.")
        return wanted_hz or next((rate for rate in OPUS_HZ if rate >= voice.rate_hz), OPUS_HZ[-1])
    rate_hz = wanted_hz or voice.rate_hz
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise BadRequest(f"sample_rate_hz is {rate_hz}; send {LOWEST_HZ} to {HIGHEST_HZ}, or 0.")
    if encoding is Compressed.FLAC and rate_hz > 65_535 and rate_hz % 10:
        raise BadRequest(f"sample_rate_hz is {rate_hz}; above 65535 FLAC takes multiples of 10, such as 96000.")
    return rate_hz


class SpeechEncoder:
    """PCM16 of the voice to what the request wants: whole samples, or a file of FLAC or Opus as it grows."""

    def __init__(self, plan: SpeechPlan) -> None:
        self._rate_hz = plan.rate_hz
        self._resampler = Resampler(plan.request.voice.rate_hz, plan.rate_hz)
        self._format: AudioFormat | None = None
        self._file: EncodedStream | None = None
        if isinstance(plan.encoding, Compressed):
            self._file = EncodedStream("flac" if plan.encoding is Compressed.FLAC else "opus", plan.rate_hz)
        else:
            self._format = AudioFormat(plan.encoding, plan.rate_hz)
        self.made_s = 0.0
        """Seconds of audio so far."""

    def push(self, chunk: SpokenChunk) -> bytes:
        """Wire bytes that are ready, possibly none."""
        return self._encoded(self._resampler.push(chunk.pcm16))

    def flush(self) -> bytes:
        """The rest."""
        rest = self._encoded(self._resampler.flush())
        return rest + self._file.flush() if self._file is not None else rest

    def _encoded(self, pcm16: bytes) -> bytes:
        self.made_s += duration_s(pcm16, self._rate_hz)
        if self._file is not None:
            return self._file.push(pcm16)
        return self._format.encode(pcm16) if self._format is not None else pcm16


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
        raise NotFound(f"No model {shown(wanted)}; there are {names}.")
    return tts.RivaSynthesisConfigResponse(model_config=found)
