"""The realtime clients of nvidia-riva-client against a speech server. One JSON line each.

python realtime.py transcribe HOST:PORT WAV | speak HOST:PORT WORDS WAV | voices HOST:PORT
"""

import argparse
import asyncio
import json
import sys
import wave
from collections.abc import AsyncIterator, Iterator

from riva.client.realtime import RealtimeClientASR, RealtimeClientTTS

CHUNK_FRAMES = 1600
_UNSET = {
    "start_history": -1, "start_threshold": -1.0, "stop_history": -1, "stop_threshold": -1.0,
    "stop_history_eou": -1, "stop_threshold_eou": -1.0,
}  # fmt: skip
_CONNECTION = {
    "endpoint": "/v1/realtime",
    "use_ssl": False,
    "ssl_root_cert": None,
    "ssl_client_cert": None,
    "ssl_client_key": None,
}


def transcription(server: str, rate_hz: int) -> argparse.Namespace:
    """The options of the library's transcription client, as its users give them."""
    return argparse.Namespace(
        server=server,
        query_params="intent=transcription",
        language_code="en-US",
        model_name="",
        sample_rate_hz=rate_hz,
        num_channels=1,
        max_alternatives=1,
        automatic_punctuation=True,
        word_time_offsets=True,
        profanity_filter=False,
        no_verbatim_transcripts=False,
        boosted_lm_words=["meters"],
        boosted_lm_score=20.0,
        custom_configuration="",
        **_UNSET,
        **_CONNECTION,
    )


async def transcribe(server: str, path: str) -> object:
    """A recording in chunks; what the client kept at the end."""
    with wave.open(path) as file:
        rate_hz, audio = file.getframerate(), file.readframes(file.getnframes())

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(audio), CHUNK_FRAMES * 2):
            yield audio[at : at + CHUNK_FRAMES * 2]

    client = RealtimeClientASR(transcription(server, rate_hz))
    await client.connect()
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(client.send_audio_chunks(chunks()))
        tasks.create_task(client.receive_responses())
    await client.disconnect()
    return {"transcript": client.final_transcript, "configured": client.is_config_updated}


def _synthesis(server: str) -> argparse.Namespace:
    return argparse.Namespace(
        server=server,
        query_params="intent=synthesize",
        language_code="en-US",
        voice="English-US.Rob",
        sample_rate_hz=16_000,
        encoding="LINEAR_PCM",
        custom_dictionary="",
        custom_configuration="",
        zero_shot_audio_prompt_file=None,
        **_CONNECTION,
    )


async def speak(server: str, words: str, path: str) -> object:
    """Words one by one, a commit in the middle; the audio as a WAV file."""

    async def pieces() -> AsyncIterator[str | None]:
        said = words.split()
        for at, word in enumerate(said):
            yield word + " "
            if at == len(said) // 2:
                yield None

    client = RealtimeClientTTS(_synthesis(server))
    await client.connect()
    audio: list[bytes] = []
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(client.send_text(pieces()))
        tasks.create_task(client.receive_audio(audio))
    await client.disconnect()
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"".join(audio))
        return {"seconds": file.getnframes() / 16_000, "failed": client.error_occurred}


async def voices(server: str) -> object:
    """What the server lists."""
    return RealtimeClientTTS(_synthesis(server)).list_voices()


if __name__ == "__main__":
    verb = {"transcribe": transcribe, "speak": speak, "voices": voices}[sys.argv[1]]
    sys.stdout.write(json.dumps(asyncio.run(verb(*sys.argv[2:]))) + "\n")  # type: ignore[operator]
