"""What do Riva's recognition messages mean here, and how are answers written in them?"""

from collections.abc import Sequence

from pcm import Encoding

from speech_server.core.audio_in import AudioIn
from speech_server.core.recognition import (
    AsrPolicy,
    EndpointingWish,
    RecognitionPlan,
    choose_endpointing,
    choose_language,
    choose_phrases,
    choose_rate,
)
from speech_server.errors import BadRequest
from speech_server.ports import ASR_RATE_HZ, AsrModel, Hints, Hypothesis
from speech_server.servicers.hearing import Final
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio

ENCODINGS = {
    audio.ENCODING_UNSPECIFIED: Encoding.PCM16,
    audio.LINEAR_PCM: Encoding.PCM16,
    audio.MULAW: Encoding.MULAW,
    audio.ALAW: Encoding.ALAW,
}
MONO = 1
"""channel_tag of the only channel."""


def plan(config: asr.RecognitionConfig, models: Sequence[AsrModel], policy: AsrPolicy) -> RecognitionPlan:
    """What a configuration asks for. Raises BadRequest."""
    if config.audio_channel_count > 1:
        raise BadRequest("Only mono audio supported. Send audio_channel_count 1 and one channel.")
    if config.max_alternatives < 0:
        raise BadRequest(f"max_alternatives is {config.max_alternatives}; send 1, or 0 for the default.")
    if config.diarization_config.enable_speaker_diarization:
        raise BadRequest("No diarizer is loaded; send diarization_config.enable_speaker_diarization = false.")
    rate_hz = choose_rate(config.sample_rate_hertz)
    language = choose_language(config.model, config.language_code, rate_hz, models, policy)
    contexts = [(tuple(context.phrases), context.boost) for context in config.speech_contexts]
    return RecognitionPlan(
        encoding=choose_encoding(config.encoding, "16-bit LINEAR_PCM (WAV header or not), MULAW or ALAW"),
        rate_hz=rate_hz,
        hints=Hints(language, choose_phrases(contexts)),
        endpointing=choose_endpointing(
            _wish(config.endpointing_config), config.custom_configuration, policy.endpointing
        ),
        word_times=config.enable_word_time_offsets,
        leading_space=policy.leading_space,
    )


def choose_encoding(encoding: audio.AudioEncoding.ValueType, instead: str) -> Encoding:
    """The encoding of a request. Raises BadRequest for one that isn't served, saying what to send `instead`."""
    found = ENCODINGS.get(encoding)
    if found is None:
        known = encoding in audio.AudioEncoding.values()
        name = audio.AudioEncoding.Name(encoding) if known else str(encoding)
        raise BadRequest(f"Encoding {name} is not supported; send {instead}.")
    return found


def way_in(plan: RecognitionPlan) -> AudioIn:
    """The way in for the audio of a plan."""
    return AudioIn(plan.encoding, plan.rate_hz)


def _wish(sent: asr.EndpointingConfig) -> EndpointingWish:
    return EndpointingWish(
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


def partial(text: str, lead: str, processed_s: float, stability: float) -> asr.StreamingRecognitionResult:
    """A transcript that may change: neither confidence nor words."""
    return asr.StreamingRecognitionResult(
        alternatives=[asr.SpeechRecognitionAlternative(transcript=join(lead, text))],
        stability=stability,
        channel_tag=MONO,
        audio_processed=processed_s,
    )


def final(said: Final, plan: RecognitionPlan, lead: str, processed_s: float) -> asr.StreamingRecognitionResult:
    """A transcript that won't change."""
    return asr.StreamingRecognitionResult(
        alternatives=[alternative(said.hypothesis, said.start_s, plan, lead)],
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
