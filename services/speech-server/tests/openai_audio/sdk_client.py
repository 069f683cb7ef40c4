"""OpenAI's own package against a running server: `python sdk_client.py BASE_URL`. Prints what it got as JSON.

A process of its own: nothing of the server is loaded here, as in any client's program.
"""

import asyncio
import base64
import io
import json
import sys
import wave
from typing import Any

import numpy as np
import soundfile
from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError, OpenAI

RATE_HZ = 24_000


def two_utterances() -> bytes:
    times = np.arange(RATE_HZ) / RATE_HZ
    hum = (9000 * np.sin(2 * np.pi * 220 * times)).astype("<i2").tobytes()
    return (hum + bytes(RATE_HZ)) * 2


def wav(pcm16: bytes) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(pcm16)
    return made.getvalue()


def transcribe(client: OpenAI) -> dict[str, Any]:
    file = ("a.wav", wav(two_utterances()))
    ask = client.audio.transcriptions.create
    verbose = ask(
        model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    events = list(ask(model="gpt-4o-transcribe", file=file, stream=True))
    probable = ask(model="gpt-4o-transcribe", file=file, include=["logprobs"], language="en", temperature=0.2)
    return {
        "json": ask(model="whisper-1", file=file).text,
        "text": ask(model="whisper-1", file=file, response_format="text"),
        "srt": ask(model="whisper-1", file=file, response_format="srt"),
        "vtt": ask(model="whisper-1", file=file, response_format="vtt"),
        "words": [word.word for word in verbose.words or []],
        "segments": [segment.text for segment in verbose.segments or []],
        "duration": verbose.duration,
        "events": [event.type for event in events],
        "streamed": getattr(events[-1], "text", None),
        "logprobs": len(probable.logprobs or []),
    }


def speak(client: OpenAI) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    for format in ("wav", "opus", "pcm"):
        said = client.audio.speech.create(model="tts-1", voice="nova", input="hello there", response_format=format)
        if format == "pcm":
            seconds[format] = len(said.content) / 2 / RATE_HZ
        else:
            samples, rate_hz = soundfile.read(io.BytesIO(said.content))
            seconds[format] = len(samples) / rate_hz
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="onyx", input="hello there", response_format="mp3", speed=2.0
    ) as streamed:
        mp3 = b"".join(streamed.iter_bytes())
    return {"seconds": seconds, "mp3": mp3[:2].hex()}


def refused(client: OpenAI) -> dict[str, Any]:
    told: dict[str, Any] = {}
    try:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no audio"))
    except BadRequestError as error:
        told["bad file"] = (error.status_code, error.body["message"] if isinstance(error.body, dict) else None)
    try:
        client.models.retrieve("nothing")
    except NotFoundError as error:
        told["no model"] = (error.status_code, error.code)
    try:
        client.audio.speech.create(model="tts-1", voice="nobody", input="x")
    except APIStatusError as error:
        told["no voice"] = (error.status_code, error.param)
    return told


async def converse(base_url: str) -> dict[str, Any]:
    client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    kinds: list[str] = []
    finals: list[str] = []
    async with asyncio.timeout(20), client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        await connection.session.update(
            session={  # type: ignore[arg-type, misc]  # plain dicts, as a user writes them
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": RATE_HZ},
                        "transcription": {"model": "gpt-4o-transcribe", "language": "en"},
                        "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                    }
                },
            }
        )
        pcm16 = two_utterances()
        for at in range(0, len(pcm16), 4800):
            await connection.input_audio_buffer.append(audio=base64.b64encode(pcm16[at : at + 4800]).decode())
        async for event in connection:
            kinds.append(event.type)
            if event.type == "conversation.item.input_audio_transcription.completed":
                finals.append(event.transcript)
                if len(finals) == 2:
                    break
    await client.close()
    return {"kinds": kinds, "finals": finals}


def main() -> None:
    base_url = sys.argv[1]
    with OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        content = {
            "models": [model.id for model in client.models.list()],
            "transcriptions": transcribe(client),
            "speech": speak(client),
            "refused": refused(client),
        }
    content["realtime"] = asyncio.run(converse(base_url))
    content["loaded"] = [name for name in sys.modules if name.startswith("speech_server")]
    sys.stdout.write(json.dumps(content))


if __name__ == "__main__":
    main()
