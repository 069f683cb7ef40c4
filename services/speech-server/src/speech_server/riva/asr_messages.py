"""What do Riva's recognition messages mean here, and how are answers written in them?"""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pcm import SAMPLE_BYTES, Encoding
from pcm.riff import parse_wav
from pcm.sniffing import LOOK_BYTES, Kind, sniff

from speech_server.core.asr import recognition_plan
from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel, Hints, Hypothesis
from speech_server.core.asr.audio_decoder import AudioDecoder, Compressed
from speech_server.core.asr.ignored_options import estimated_word_times, ignored_options
from speech_server.core.asr.recognition_plan import AsrPolicy, EndpointingOptions, RecognitionPlan, TextOptions
from speech_server.core.asr.text_normalisation import normalise_text
from speech_server.errors import BadRequest, TooLarge
from speech_server.recognition.audio_files import pcm16_of
from speech_server.recognition.utterance_segmenter import Final
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio

ENCODINGS: dict[audio.AudioEncoding.ValueType, Encoding | Compressed] = {
    audio.ENCODING_UNSPECIFIED: Encoding.PCM16,
    audio.LINEAR_PCM: Encoding.PCM16,
    audio.MULAW: Encoding.MULAW,
    audio.ALAW: Encoding.ALAW,
    audio.FLAC: Compressed.FLAC,
    audio.OGGOPUS: Compressed.OGG,
}
MOST_ALTERNATIVES = 30
"""More are never looked for, however many are asked for."""
MONO = 1
"""channel_tag of the only channel."""


def plan(config: asr.RecognitionConfig, models: Sequence[AsrModel], policy: AsrPolicy) -> RecognitionPlan:
    """What a configuration asks for. Raises BadRequest."""
    if config.audio_channel_count > 1:
        raise BadRequest("Only mono audio supported. Send audio_channel_count 1 and one channel.")
    if config.max_alternatives < 0:
        raise BadRequest(f"max_alternatives is {config.max_alternatives}; send 1 or more, or 0 for the default.")
    if config.diarization_config.enable_speaker_diarization:
        raise BadRequest("No diarizer is loaded; send diarization_config.enable_speaker_diarization = false.")
    rate_hz = recognition_plan.choose_rate(config.sample_rate_hertz)
    language = recognition_plan.choose_language(config.model, config.language_code, rate_hz, models, policy)
    contexts = [(tuple(context.phrases), context.boost) for context in config.speech_contexts]
    custom = dict(config.custom_configuration)
    model = recognition_plan.model_of(config.model, language, models)
    phrases = recognition_plan.choose_phrases(contexts)
    return RecognitionPlan(
        encoding=choose_encoding(config.encoding, "LINEAR_PCM, FLAC, MULAW, OGGOPUS or ALAW"),
        rate_hz=rate_hz,
        hints=Hints(language, phrases, min(config.max_alternatives or 1, MOST_ALTERNATIVES)),
        endpointing=recognition_plan.choose_endpointing(_endpointing_options(config), custom, policy.endpointing),
        word_times=config.enable_word_time_offsets,
        leading_space=policy.leading_space,
        alternatives=config.max_alternatives or 1,
        wording=recognition_plan.choose_text_format(_text_options(config), language, model, policy),
        vad_probabilities=custom.get("get_vad_probabilities", "").lower() == "true",
        warnings=(
            *ignored_options(
                _text_options(config), custom, [phrase for phrases, _ in contexts for phrase in phrases], model, policy
            ),
            *estimated_word_times(model, word_times=config.enable_word_time_offsets),
        ),
    )


def _text_options(config: asr.RecognitionConfig) -> TextOptions:
    return TextOptions(config.enable_automatic_punctuation, config.verbatim_transcripts, config.profanity_filter)


def choose_encoding(encoding: audio.AudioEncoding.ValueType, instead: str) -> Encoding | Compressed:
    """The encoding of a request. Raises BadRequest for one that isn't served, saying what to send `instead`."""
    found = ENCODINGS.get(encoding)
    if found is None:
        known = encoding in audio.AudioEncoding.values()
        name = audio.AudioEncoding.Name(encoding) if known else str(encoding)
        raise BadRequest(f"Encoding {name} is not supported; send {instead}.")
    return found


async def recording(plan: RecognitionPlan, audio_content: bytes, longest_s: float) -> AsyncGenerator[bytes, None]:
    """A whole recording as PCM16 at the recogniser's rate, in pieces: bare samples as the request says, or any file.

    Raises BadRequest, TooLarge beyond `longest_s`.
    """
    linear = plan.encoding not in (Encoding.MULAW, Encoding.ALAW)
    kind = sniff(audio_content[:LOOK_BYTES], whole=True, text=linear)
    if kind is None:
        into = AudioDecoder(plan.encoding, plan.rate_hz)
        # Off the loop: a whole recording may take a second.
        pcm16 = await asyncio.to_thread(lambda: into.push(audio_content) + into.flush())
        if len(pcm16) > longest_s * ASR_RATE_HZ * SAMPLE_BYTES:
            raise TooLarge(f"The recording is longer than {longest_s:g} s; send it in parts.")
        yield pcm16
        return
    if kind is Kind.WAV:
        check_mono(audio_content)
    async with aclosing(pcm16_of(io.BytesIO(audio_content), longest_s)) as pieces:
        async for piece in pieces:
            yield piece


def check_mono(wav: bytes) -> None:
    """Raises BadRequest for a WAV file of several channels, as the reference server does."""
    try:
        header = parse_wav(wav)
    except EOFError as error:
        raise BadRequest("The audio ends inside its WAV header; send the whole file.") from error
    except ValueError as error:
        raise BadRequest(f"{error}.") from error
    if header.channels > 1:
        raise BadRequest("Only mono audio supported. Mix the channels down or send one of them.")


def _endpointing_options(config: asr.RecognitionConfig) -> EndpointingOptions:
    sent = config.endpointing_config
    return EndpointingOptions(
        start_history_ms=sent.start_history,
        start_threshold=sent.start_threshold,
        stop_history_ms=sent.stop_history,
        stop_threshold=sent.stop_threshold,
        stop_history_eou_ms=sent.stop_history_eou,
        stop_threshold_eou=sent.stop_threshold_eou,
    )


def alternative(
    hypothesis: Hypothesis, start_s: float, plan: RecognitionPlan, lead: str
) -> asr.SpeechRecognitionAlternative:
    """A final transcript with its confidence and, if asked for, word times in ms since the stream began."""
    hypothesis = normalise_text(hypothesis, plan.wording)
    words = hypothesis.words if plan.word_times else ()
    return asr.SpeechRecognitionAlternative(
        transcript=join(lead, hypothesis.text),
        confidence=hypothesis.confidence,
        language_code=[plan.hints.language],
        words=[
            asr.WordInfo(
                word=word.text,
                start_time=round((start_s + word.start_s) * 1000),
                end_time=round((start_s + word.end_s) * 1000),
                confidence=word.confidence,
                language_code=plan.hints.language,
            )
            for word in words
        ],
    )


def alternatives(
    hypothesis: Hypothesis, start_s: float, plan: RecognitionPlan, lead: str
) -> list[asr.SpeechRecognitionAlternative]:
    """The best transcript and as many others as were asked for and are known."""
    known = (hypothesis, *hypothesis.others)[: plan.alternatives]
    return [alternative(one, start_s, plan, lead) for one in known]


def partial(
    text: str, plan: RecognitionPlan, lead: str, processed_s: float, stability: float
) -> asr.StreamingRecognitionResult:
    """A transcript that may change: neither confidence nor words."""
    text = normalise_text(Hypothesis(text), plan.wording).text
    return asr.StreamingRecognitionResult(
        alternatives=[asr.SpeechRecognitionAlternative(transcript=join(lead, text))],
        stability=stability,
        channel_tag=MONO,
        audio_processed=processed_s,
    )


def final(said: Final, plan: RecognitionPlan, lead: str, processed_s: float) -> asr.StreamingRecognitionResult:
    """A transcript that won't change."""
    return asr.StreamingRecognitionResult(
        alternatives=alternatives(said.hypothesis, said.start_s, plan, lead),
        is_final=True,
        channel_tag=MONO,
        audio_processed=processed_s,
    )


def progress(processed_s: float) -> asr.StreamingRecognitionResult:
    """How far the engine is, nothing else."""
    return asr.StreamingRecognitionResult(channel_tag=MONO, audio_processed=processed_s)


def join(lead: str, text: str) -> str:
    """The transcript with its lead; an empty one stays empty."""
    return lead + text if text else ""


def model_list(models: Sequence[AsrModel], wanted: str) -> asr.RivaSpeechRecognitionConfigResponse:
    """The list clients choose from; empty when the wanted model isn't here."""
    return asr.RivaSpeechRecognitionConfigResponse(
        model_config=[
            asr.RivaSpeechRecognitionConfigResponse.Config(
                model_name=model.name,
                parameters={
                    "language_code": ",".join(model.languages),
                    "sample_rate_hertz": str(ASR_RATE_HZ),
                    "streaming": "True",
                    "type": "online",
                },
            )
            for model in models
            if not wanted or wanted.lower() == model.name.lower()
        ]
    )
