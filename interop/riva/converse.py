"""nvidia-riva-client against a speech server, as its users call it. One JSON line each.

python converse.py models GRPC | voices GRPC | stream GRPC WAV [OPTION...] | offline GRPC FILE | parallel GRPC WAV COUNT
                 | speak GRPC WORDS WAV [RATE] | speak_online GRPC WORDS WAV [RATE] | pronounce GRPC WORDS WORD IPA WAV
"""

import json
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import riva.client
from riva.client.proto import riva_asr_pb2, riva_tts_pb2

VOICE = "English-US.Rob"
CHUNK_FRAMES = 1600


def models(auth: riva.client.Auth) -> object:
    """Names of the recognition models."""
    service = riva.client.ASRService(auth)
    listed = service.stub.GetRivaSpeechRecognitionConfig(riva_asr_pb2.RivaSpeechRecognitionConfigRequest())
    return [model.model_name for model in listed.model_config]


def voices(auth: riva.client.Auth) -> object:
    """Voices by language, put together from the model and its subvoices."""
    service = riva.client.SpeechSynthesisService(auth)
    listed = service.stub.GetRivaSynthesisConfig(riva_tts_pb2.RivaSynthesisConfigRequest())
    found: dict[str, list[str]] = {}
    for model in listed.model_config:
        given = model.parameters
        names = [f"{given['voice_name']}.{one.split(':')[0]}" for one in given["subvoices"].split(",")]
        found.setdefault(given["language_code"], []).extend(names)
    return found


def stream(auth: riva.client.Auth, path: str, *options: str) -> object:
    """A recording in chunks; `delay` paces it by the library's callback, `every` sets each switch there is."""
    config = riva.client.StreamingRecognitionConfig(
        config=riva.client.RecognitionConfig(language_code="en-US", max_alternatives=1), interim_results=True
    )
    riva.client.add_audio_file_specs_to_config(config, path)
    if "every" in options:
        heard = config.config
        heard.max_alternatives = 3
        heard.enable_automatic_punctuation = heard.enable_word_time_offsets = heard.verbatim_transcripts = True
        riva.client.add_word_boosting_to_config(config, ["meters"], 20.0)
        riva.client.add_endpoint_parameters_to_config(config, 300, 0.5, 900, 500, 0.6, 0.6)
        riva.client.add_custom_configuration_to_config(config, "get_vad_probabilities:true")
    delay = riva.client.sleep_audio_length if "delay" in options else None
    chunks = riva.client.AudioChunkFileIterator(path, CHUNK_FRAMES, delay)
    partials, finals, words = 0, [], []
    service = riva.client.ASRService(auth)
    for response in service.streaming_response_generator(audio_chunks=chunks, streaming_config=config):
        for result in response.results:
            partials += bool(result.alternatives) and not result.is_final
            if result.is_final:
                best = result.alternatives[0]
                finals.append(best.transcript)
                words += [[word.word, word.start_time, word.end_time] for word in best.words]
    return {"transcript": "".join(finals).strip(), "partials": partials, "words": words}


def printed(auth: riva.client.Auth, path: str) -> object:
    """What the library's own printer writes of a stream in real time."""
    config = riva.client.StreamingRecognitionConfig(
        config=riva.client.RecognitionConfig(language_code="en-US"), interim_results=True
    )
    riva.client.add_audio_file_specs_to_config(config, path)
    with riva.client.AudioChunkFileIterator(path, CHUNK_FRAMES, riva.client.sleep_audio_length) as chunks:
        answers = riva.client.ASRService(auth).streaming_response_generator(chunks, config)
        riva.client.print_streaming(answers, show_intermediate=True)
    return True


def offline(auth: riva.client.Auth, path: str) -> object:
    """A whole file at once, its header and all."""
    config = riva.client.RecognitionConfig(language_code="en-US", enable_word_time_offsets=True)
    riva.client.add_audio_file_specs_to_config(config, path)
    answer = riva.client.ASRService(auth).offline_recognize(Path(path).read_bytes(), config)
    best = answer.results[0].alternatives[0]
    return {"transcript": best.transcript.strip(), "words": [word.word for word in best.words]}


def parallel(auth: riva.client.Auth, path: str, count: str) -> object:
    """So many streams over one channel, each from a thread of its own."""
    with ThreadPoolExecutor(int(count)) as threads:
        return list(threads.map(lambda _: stream(auth, path), range(int(count))))


def speak(auth: riva.client.Auth, words: str, path: str, rate_hz: str = "16000") -> object:
    """The whole audio in one answer."""
    service = riva.client.SpeechSynthesisService(auth)
    answer = service.synthesize(words, VOICE, "en-US", sample_rate_hz=int(rate_hz), enable_word_time_offsets=True)
    return {"pieces": 1, "seconds": _written(path, [answer.audio], int(rate_hz)), "words": len(answer.meta.words)}


def speak_online(auth: riva.client.Auth, words: str, path: str, rate_hz: str = "16000") -> object:
    """The audio in pieces while it is made."""
    service = riva.client.SpeechSynthesisService(auth)
    answers = service.synthesize_online(words, VOICE, "en-US", sample_rate_hz=int(rate_hz))
    pieces = [answer.audio for answer in answers]
    return {"pieces": len(pieces), "seconds": _written(path, pieces, int(rate_hz))}


def pronounce(auth: riva.client.Auth, words: str, word: str, ipa: str, path: str) -> object:
    """A word as a custom dictionary spells it."""
    service = riva.client.SpeechSynthesisService(auth)
    answer = service.synthesize(words, VOICE, "en-US", sample_rate_hz=16_000, custom_dictionary={word: ipa})
    return {"seconds": _written(path, [answer.audio], 16_000)}


def _written(path: str, pieces: list[bytes], rate_hz: int) -> float:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(b"".join(pieces))
        return float(file.getnframes() / rate_hz)


VERBS = {
    verb.__name__: verb for verb in (models, voices, stream, printed, offline, parallel, speak, speak_online, pronounce)
}


def main(what: str, server: str, *given: str) -> object:
    """What the library made of it; `--tls CA CERT KEY` at the end encrypts."""
    tls: dict[str, object] = {}
    if "--tls" in given:
        at = given.index("--tls")
        authority, certificate, key = given[at + 1 : at + 4]
        tls = {"use_ssl": True, "ssl_root_cert": authority, "ssl_client_cert": certificate, "ssl_client_key": key}
        given = given[:at]
    auth = riva.client.Auth(uri=server, metadata_args=[["authorization", "Bearer none"]], **tls)
    return VERBS[what](auth, *given)  # type: ignore[operator]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
