"""What does an audio file sound like? PCM16 at the recogniser's rate, piece by piece, whatever the file is.

libsndfile (LGPL) reads WAV, FLAC, Ogg Opus and Vorbis, MP3, AIFF and more inside the server. What it doesn't know, such
as WebM, M4A and MP4, is left to FFmpeg where the optional extra `av` is installed: its wheels bring GPL codecs, and its
parsers meet hostile bytes, so it runs as a program of its own, a child per file.
"""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncGenerator, Callable
from typing import IO, TypeVar

import numpy as np
import soundfile
from pcm import SAMPLE_BYTES, Resampler

from speech_server.errors import BadRequest, TooLarge
from speech_server.ports import ASR_RATE_HZ

_BLOCK_SAMPLES = 65_536
_MOST_CHANNELS = 16
_LOWEST_HZ, _HIGHEST_HZ = 4_000, 192_000
_T = TypeVar("_T")
_PIECE_BYTES = 65_536
_LENGTH_WITHIN_BYTES = 1 << 20
"""The frame that says an MP3's length comes first, after a picture perhaps."""
_CHILD_STEP_S = 20.0
"""A child that makes nothing of a file for so long is killed."""

KNOWN = "WAV, FLAC, Ogg (Opus, Vorbis), MP3 or AIFF"
MORE = "pip install av adds WebM, M4A and MP4"


class SoundFile(soundfile.SoundFile):  # type: ignore[misc]
    """Read from start to end. soundfile would seek after each block, which a file of unknown length does not allow."""

    def seekable(self) -> bool:
        """No."""
        return False


async def pcm16_of(file: IO[bytes], longest_s: float) -> AsyncGenerator[bytes, None]:
    """The audio in pieces of a few seconds. Raises BadRequest for what isn't audio, TooLarge beyond `longest_s`."""
    most_bytes = int(longest_s * ASR_RATE_HZ) * SAMPLE_BYTES
    reader = await _in_thread(_open, file)
    pieces = _foreign(file) if reader is None else _own(reader)
    read_bytes = 0
    try:
        async for pcm16 in pieces:
            read_bytes += len(pcm16)
            if read_bytes > most_bytes:
                raise TooLarge(f"The recording is longer than {longest_s:g} s; send it in parts.")
            yield pcm16
    finally:
        await pieces.aclose()


def _open(file: IO[bytes]) -> SoundFile | None:
    try:
        reader = SoundFile(file)
    except (soundfile.SoundFileError, TypeError, ValueError, OverflowError):
        file.seek(0)
        if importlib.util.find_spec("av") is None:
            raise BadRequest(f"The file is not audio this server can decode; send {KNOWN} ({MORE}).") from None
        return None
    if reader.format == "MP3" and _of_guessed_length(file) and importlib.util.find_spec("av") is not None:
        reader.close()
        file.seek(0)
        return None
    if not _LOWEST_HZ <= reader.samplerate <= _HIGHEST_HZ or reader.channels > _MOST_CHANNELS:
        told = f"{reader.samplerate} Hz and {reader.channels} channels"
        reader.close()
        raise BadRequest(
            f"The file says {told}; send {_LOWEST_HZ} to {_HIGHEST_HZ} Hz and at most {_MOST_CHANNELS} channels."
        )
    return reader


def _of_guessed_length(mp3: IO[bytes]) -> bool:
    """libsndfile stops at a length it guesses when no frame says it: right for a constant bit rate only."""
    at = mp3.tell()
    mp3.seek(0)
    start = mp3.read(_LENGTH_WITHIN_BYTES)
    mp3.seek(at)
    return not any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))


async def _own(reader: SoundFile) -> AsyncGenerator[bytes, None]:
    resampler = Resampler(reader.samplerate, ASR_RATE_HZ)
    try:
        while (pcm16 := await _in_thread(_next, reader, resampler)) is not None:
            yield pcm16
        yield resampler.flush()
    finally:
        reader.close()


async def _in_thread(step: Callable[..., _T], *arguments: object) -> _T:
    """Like asyncio.to_thread, but a caller that is cancelled stays until the thread has let go of the file."""
    work = asyncio.ensure_future(asyncio.to_thread(step, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _next(reader: SoundFile, resampler: Resampler) -> bytes | None:
    try:
        block = reader.read(_BLOCK_SAMPLES // reader.channels, dtype="int16", always_2d=True)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise BadRequest("The file is broken off or damaged; send the whole file.") from error
    if not len(block):
        return None
    mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1).astype(np.int16)
    return resampler.push(mono.astype("<i2").tobytes())


async def _foreign(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "speech_server.openai_audio.av_worker",
        stdin=file.fileno(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert child.stdout is not None
    try:
        while pcm16 := await asyncio.wait_for(child.stdout.read(_PIECE_BYTES), _CHILD_STEP_S):
            yield pcm16
        status = await asyncio.wait_for(child.wait(), _CHILD_STEP_S)
    except TimeoutError as error:
        raise BadRequest("The file took too long to decode; send WAV or FLAC.") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if status:
        raise BadRequest(f"The file is not audio this server can decode; send {KNOWN}, WebM, M4A or MP4.")
