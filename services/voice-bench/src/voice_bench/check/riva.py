"""What does a Riva offer, ours or NVIDIA's? Its health, its models, its voices, and what it hears in a recording."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from pcm import Clip
from riva.client.proto import riva_asr_pb2, riva_tts_pb2
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub
from serving.grpc_health_client import trouble

from voice_bench.realtime_recognition import RATE_HZ, cut, finals, recognise, recognition_config

PIECE_S = 0.1
_ABSENT = {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND}


class RivaFailed(Exception):
    """It does not answer, or answers with an error; the sentence says what to look at."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one address serves. Names as the server gives them; a server without a service has none of it."""

    asr_models: tuple[str, ...]
    languages: tuple[str, ...]
    voices: tuple[str, ...]
    """Voices; where the server names none, the models of its synthesis."""


def channel(target: str, *, tls: bool, ca: Path | None) -> grpc.aio.Channel:
    """Not connected yet. `ca`: PEM file of the authority; None = the ones gRPC ships with."""
    if tls or ca is not None:
        roots = ca.read_bytes() if ca is not None else None
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(roots))
    return grpc.aio.insecure_channel(target)


async def until_ready(riva: grpc.aio.Channel, target: str, patience_s: float) -> None:
    """Returns once its health service says SERVING. Raises RivaFailed after `patience_s`."""
    last = "nobody answers there"
    try:
        async with asyncio.timeout(patience_s):
            await riva.channel_ready()
            while True:
                last = await trouble(riva)
                if not last:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise RivaFailed(f"{target} was not ready after {patience_s:g} s: {last}") from None


async def offer(riva: grpc.aio.Channel, timeout_s: float) -> Offer:
    """Everything it lists. Raises RivaFailed."""
    heard = await _listed(
        RivaSpeechRecognitionStub(riva).GetRivaSpeechRecognitionConfig(
            riva_asr_pb2.RivaSpeechRecognitionConfigRequest(), timeout=timeout_s
        )
    )
    speaking = await _listed(
        RivaSpeechSynthesisStub(riva).GetRivaSynthesisConfig(
            riva_tts_pb2.RivaSynthesisConfigRequest(), timeout=timeout_s
        )
    )
    return Offer(
        tuple(dict.fromkeys(one.model_name for one in heard)),
        tuple(sorted({code for one in heard for code in one.parameters["language_code"].split(",") if code})),
        tuple(dict.fromkeys(one.parameters["voice_name"] or one.model_name for one in speaking)),
    )


async def _listed(call: Awaitable[Any]) -> list[Any]:
    """The models of its answer; none where it does not serve that."""
    try:
        return list((await call).model_config)
    except grpc.aio.AioRpcError as error:
        if error.code() in _ABSENT:
            return []
        raise RivaFailed(f"the server refused to list its models: {error.code().name}: {error.details()}") from error


async def transcribe(riva: grpc.aio.Channel, clip: Clip, language: str, model: str, timeout_s: float) -> str:
    """The final words of `clip`, streamed in real time. Raises RivaFailed when it fails or hears nothing in time."""
    heard = clip.at(RATE_HZ)
    words: list[str] = []
    try:
        async with asyncio.timeout(heard.duration_s + timeout_s):
            async for answer in recognise(
                riva, recognition_config(language, model), cut(heard.pcm16, PIECE_S), PIECE_S
            ):
                words += finals(answer)
    except TimeoutError:
        raise RivaFailed(f"the server did not transcribe the recording within {timeout_s:g} s of its end") from None
    except grpc.aio.AioRpcError as error:
        raise RivaFailed(
            f"the server did not transcribe the recording: {error.code().name}: {error.details()}"
        ) from error
    return " ".join(words)
