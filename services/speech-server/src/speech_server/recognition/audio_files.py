"""What does an audio file sound like? PCM16 at the recogniser's rate, piece by piece, whatever the file is.

libsndfile (LGPL) reads WAV, FLAC, Ogg Opus and Vorbis, MP3, AIFF and more inside the server. What it doesn't know, such
as WebM, M4A and MP4, is left to FFmpeg where the optional extra `av` is installed: its wheels bring GPL codecs, and its
parsers meet hostile bytes, so it runs as a program of its own, a child per file. Of files that were joined, or chained,
every part is read.
"""

import asyncio
import importlib.util
import io
import mmap
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import IO, Any, TypeVar

import soundfile
from pcm import SAMPLE_BYTES, Resampler
from pcm.joined import Part, parts
from pcm.reading import NotDecoded, blocks, open_part

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.errors import BadRequest, TooLarge

_MOST_CHANNELS = 16
_LOWEST_HZ, _HIGHEST_HZ = 4_000, 192_000
_T = TypeVar("_T")
_PIECE_BYTES = 65_536
_IN_MEMORY_BYTES = 1 << 20
_EMPTY_BYTES = 4096
"""A part of so many bytes has more than a header."""
_CHILD_STEP_S = 20.0
"""A child that makes nothing of a file for so long is killed."""

KNOWN = "WAV, FLAC, Ogg (Opus, Vorbis), MP3 or AIFF"
MORE = "pip install av adds WebM, M4A and MP4"


async def pcm16_of(file: IO[bytes], longest_s: float) -> AsyncGenerator[bytes, None]:
    """The audio in pieces of a few seconds. Raises BadRequest for what isn't audio, TooLarge beyond `longest_s`."""
    most_bytes = int(longest_s * ASR_RATE_HZ) * SAMPLE_BYTES
    data = await _in_thread(_view, file)
    found, count, read_bytes = parts(data), 0, 0
    while (part := await _in_thread(_next_part, found)) is not None:
        count, before = count + 1, read_bytes
        async with aclosing(_pieces(file, data, part)) as pieces:
            async for pcm16 in pieces:
                read_bytes += len(pcm16)
                if read_bytes > most_bytes:
                    raise TooLarge(f"The recording is longer than {longest_s:g} s; send it in parts.")
                yield pcm16
        if read_bytes == before and part.end - part.start > _EMPTY_BYTES:
            raise BadRequest(f"The {_name(part)} has a header that knows of no audio; write the file anew.")
    if not count:
        raise BadRequest(f"The file is empty or not audio this server can decode; send {KNOWN} ({MORE}).")


def _view(file: IO[bytes]) -> bytes:
    """All bytes of a file, those of a large one where they lie."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size <= _IN_MEMORY_BYTES or isinstance(file, io.BytesIO):
        return file.read()
    mapped: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return mapped  # type: ignore[no-any-return]  # sliced and searched like bytes


def _next_part(found: Iterator[Part]) -> Part | None:
    try:
        return next(found, None)
    except ValueError as error:
        raise BadRequest(f"{error}.") from error


async def _pieces(file: IO[bytes], data: bytes, part: Part) -> AsyncGenerator[bytes, None]:
    reader = await _in_thread(_open, data, part)
    pieces = _foreign(file, part) if reader is None else _own(reader)
    try:
        async for pcm16 in pieces:
            yield pcm16
    finally:
        await pieces.aclose()


def _open(data: bytes, part: Part) -> soundfile.SoundFile | None:
    """A reader, or None for what is left to FFmpeg."""
    if part.kind is not None and not part.kind.is_audio:
        raise BadRequest(
            f"The file begins like {part.kind.value}: that is not audio this server can decode; send {KNOWN} ({MORE})."
        )
    try:
        reader = open_part(data, part)
    except NotDecoded:
        if importlib.util.find_spec("av") is None:
            begins = f"The {part.kind.value} file" if part.kind is not None else "The file"
            raise BadRequest(f"{begins} is not audio this server can decode; send {KNOWN} ({MORE}).") from None
        return None
    if not _LOWEST_HZ <= reader.samplerate <= _HIGHEST_HZ or reader.channels > _MOST_CHANNELS:
        told = f"{reader.samplerate} Hz and {reader.channels} channels"
        reader.close()
        raise BadRequest(
            f"The file says {told}; send {_LOWEST_HZ} to {_HIGHEST_HZ} Hz and at most {_MOST_CHANNELS} channels."
        )
    return reader


async def _own(reader: soundfile.SoundFile) -> AsyncGenerator[bytes, None]:
    resampler, read = Resampler(reader.samplerate, ASR_RATE_HZ), blocks(reader)
    try:
        while (pcm16 := await _in_thread(_next, read, resampler)) is not None:
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


def _next(read: Iterator[bytes], resampler: Resampler) -> bytes | None:
    try:
        block = next(read, None)
    except NotDecoded as error:
        raise BadRequest("The file is broken off or damaged; send the whole file.") from error
    return None if block is None else resampler.push(block)


async def _foreign(file: IO[bytes], part: Part) -> AsyncGenerator[bytes, None]:
    given = await _in_thread(_with_number, file)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "speech_server.recognition.av_worker",
        str(part.start),
        str(part.end),
        stdin=given.fileno(),
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
        if given is not file:
            given.close()
    if status:
        raise BadRequest(
            f"The {_name(part)} is broken off or not audio this server can decode; send {KNOWN}, WebM, M4A or MP4."
        )


def _with_number(file: IO[bytes]) -> IO[bytes]:
    """The file, or a copy, that another process can read."""
    if not isinstance(file, io.BytesIO):
        file.fileno()  # a spooled file goes to the disk now
        file.flush()
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # closed by whoever asked for it
    copy.write(file.getbuffer())
    copy.flush()
    return copy


def _name(part: Part) -> str:
    return f"{part.kind.value} file" if part.kind is not None else "file"
