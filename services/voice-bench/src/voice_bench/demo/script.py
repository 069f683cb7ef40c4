"""What does the demo's caller say, and with which voice? Recordings, or sentences spoken by the speech server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from pcm import Clip
from pcm.compressed import read_recording
from riva.client.proto import riva_audio_pb2, riva_tts_pb2, riva_tts_pb2_grpc

RATE_HZ = 16_000
VOICE = "English-US.Rob"
"""The voice of eSpeak NG that recognisers understand best."""
SPEAK_TIMEOUT_S = 20.0
_SUFFIXES = frozenset([".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff"])

SCRIPT = (
    "My name is Anna.",
    "How much is seven times eight?",
    "Can you tell me a story?",
    "Stop, please.",
    "Do you remember my name?",
)
"""All of it is understood by mini-llm; the answer to the fourth tells after which word it came. In VOICE each was heard
right at sixty places between the model's frames; "What is seven times eight?" was not, once in eight."""
SCRIPT_BARGE_IN = 4
PEOPLE = ("goforward", "austen-0930")
"""Recordings that people say after the script, by their names; no rule of mini-llm knows what is said there."""


class NothingToSay(Exception):
    """There are no lines; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the caller says; `text` "" = not known. A line that barges in does not wait for the reply's end."""

    text: str
    clip: Clip
    barges_in: bool


async def spoken(target: str, sentences: Sequence[str], barge_in: int, voice: str = VOICE) -> list[Line]:
    """`sentences` by the synthesiser at `target`; number `barge_in` (from 1, 0 = none) barges in.

    Raises NothingToSay when it can't speak them.
    """
    async with grpc.aio.insecure_channel(target) as channel:
        synthesise = riva_tts_pb2_grpc.RivaSpeechSynthesisStub(channel).Synthesize
        try:
            clips = [await _speak(synthesise, sentence, voice) for sentence in sentences]
        except grpc.aio.AioRpcError as error:
            raise NothingToSay(f"the caller's lines can't be spoken by {target}: {error.details()}") from None
    return _lines(list(zip(sentences, clips, strict=True)), barge_in)


def recorded(folder: Path, barge_in: int) -> list[Line]:
    """The folder's recordings in the order of their names, words from NAME.txt where there is one.

    Raises NothingToSay when there are none, or one can't be read.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise NothingToSay(f"there are no recordings in {folder}; record some (01.wav, 02.wav ...) or name another")
    try:
        return _lines([(_words(file), read_recording(file).at(RATE_HZ)) for file in files], barge_in)
    except (ValueError, OSError) as error:
        raise NothingToSay(str(error)) from None


def people(folder: Path) -> list[Line]:
    """Those of PEOPLE that are in the folder. Raises NothingToSay when one can't be read."""
    try:
        files = [file for name in PEOPLE for file in sorted(folder.glob(f"{name}.*")) if file.suffix in _SUFFIXES]
        clips = [read_recording(file).at(RATE_HZ) for file in files]
        # The first waits for its turn; the others interrupt the long answers to what no rule knows.
        return [
            Line(_words(file), clip, number > 0) for number, (file, clip) in enumerate(zip(files, clips, strict=True))
        ]
    except (ValueError, OSError) as error:
        raise NothingToSay(str(error)) from None


async def _speak(synthesise: object, sentence: str, voice: str) -> Clip:
    request = riva_tts_pb2.SynthesizeSpeechRequest(
        text=sentence,
        language_code="en-US",
        encoding=riva_audio_pb2.LINEAR_PCM,
        sample_rate_hz=RATE_HZ,
        voice_name=voice,
    )
    assert callable(synthesise)  # the stubs of riva.client carry no types
    return Clip((await synthesise(request, timeout=SPEAK_TIMEOUT_S)).audio, RATE_HZ)


def _lines(said: list[tuple[str, Clip]], barge_in: int) -> list[Line]:
    if barge_in == 1 or barge_in > len(said):
        raise NothingToSay(f"line {barge_in} can't barge in: choose 2 to {len(said)}, or 0 for no barge-in")
    return [Line(text, clip, number == barge_in) for number, (text, clip) in enumerate(said, 1)]


def _words(file: Path) -> str:
    beside = file.with_suffix(".txt")
    return beside.read_text("utf-8").strip() if beside.exists() else ""
