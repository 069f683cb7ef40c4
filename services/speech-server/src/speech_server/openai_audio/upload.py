"""How does a recording come in? As a multipart form, read piece by piece into a file, stopped where it is too large."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, TypeVar

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from speech_server.core.requests.error_text import cut, named, shown
from speech_server.errors import BadRequest, TooLarge, TooQuiet
from speech_server.openai_audio.endpoint_context import UploadLimits
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.field_checks import MISSING

_PIECE_BYTES = 1 << 18
_FIELD_BYTES = 65_536
_MOST_PARTS = 256
_FORM_BYTES = 1 << 20
"""What a form may be larger than its file."""
_IN_MEMORY_BYTES = 1 << 20
_SYNC_BYTES = 4 << 20
_DISK = ThreadPoolExecutor(2, "upload")
"""Writes wait for the disk, for seconds when many come at once: not on the loop, nor on the threads others share."""
_T = TypeVar("_T")
_STALLS = 20
"""The whole upload may take so many times the longest stall."""


@dataclass(slots=True)
class Upload:
    """A form: its file, rewound, and its fields; `name[]` and `name` are one field."""

    file: IO[bytes]
    size: int = 0
    fields: dict[str, list[str]] = field(default_factory=dict)


@asynccontextmanager
async def uploaded(request: web.Request, limits: UploadLimits) -> AsyncIterator[Upload]:
    """The form of a request; its file is gone after the block. Raises BadRequest, TooLarge, TooQuiet."""
    if not request.content_type.startswith("multipart/"):
        raise BadRequest("Send multipart/form-data with the parts file and model.")
    if (request.content_length or 0) > limits.most_bytes + _FORM_BYTES:
        raise _too_large(limits)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        upload = Upload(file)
        try:
            async with asyncio.timeout(limits.stall_s * _STALLS):
                has_file = await _read_form(await request.multipart(), upload, limits)
        except TimeoutError as error:
            raise TooQuiet("The upload took too long; send the recording faster, or in parts.") from error
        except (ValueError, AssertionError, LookupError, HttpProcessingError) as error:
            raise BadRequest(f"The form can't be read ({_reason(error)}); send file and model as parts.") from error
        if not has_file:
            there = f" (there are {named(list(upload.fields))})" if upload.fields else ""
            raise BadParameter(f"The part file is missing{there}; send the recording in it.", "file", MISSING)
        file.seek(0)
        yield upload


async def _read_form(form: MultipartReader, upload: Upload, limits: UploadLimits) -> bool:
    has_file = False
    parts = 0
    while (part := await _in_time(form.next(), limits)) is not None:
        parts += 1
        if parts > _MOST_PARTS:
            raise BadRequest(f"The form has more than {_MOST_PARTS} parts; send file, model and a few options.")
        if not isinstance(part, BodyPartReader):
            raise BadRequest("A part of the form is a form itself; send plain parts.")
        if part.name == "file":
            has_file = True
            await _read_file(part, upload, limits)
        else:
            name = (part.name or "").removesuffix("[]")
            upload.fields.setdefault(name, []).append(await _read_field(part, name, limits))
    return has_file


async def _read_file(part: BodyPartReader, upload: Upload, limits: UploadLimits) -> None:
    while piece := await _in_time(part.read_chunk(_PIECE_BYTES), limits):
        upload.size += len(piece)
        if upload.size > limits.most_bytes:
            raise _too_large(limits)
        if upload.size <= _IN_MEMORY_BYTES:
            upload.file.write(piece)
        else:
            await asyncio.get_running_loop().run_in_executor(_DISK, _write, upload, piece)


def _write(upload: Upload, piece: bytes) -> None:
    """Onto the disk, now and then really: pages that wait to be written are memory of the container."""
    upload.file.write(piece)
    if upload.size % _SYNC_BYTES < len(piece):
        upload.file.flush()
        os.fsync(upload.file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(upload.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def _read_field(part: BodyPartReader, name: str, limits: UploadLimits) -> str:
    content = bytearray()
    while piece := await _in_time(part.read_chunk(_PIECE_BYTES), limits):
        content += piece
        if len(content) > _FIELD_BYTES:
            raise BadParameter(f"The field {shown(name)} is longer than {_FIELD_BYTES} bytes; shorten it.", name)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadParameter(f"The field {shown(name)} is not UTF-8 text; encode it so.", cut(name)) from None


async def _in_time(waiting: Awaitable[_T], limits: UploadLimits) -> _T:
    try:
        async with asyncio.timeout(limits.stall_s):
            return await waiting
    except TimeoutError as error:
        raise TooQuiet(f"Nothing of the upload came for {limits.stall_s:g} s; send it without pauses.") from error


def _reason(error: Exception) -> str:
    """In one line, without what the client sent."""
    return type(error).__name__ if isinstance(error, HttpProcessingError) else str(error).partition("\n")[0][:200]


def _too_large(limits: UploadLimits) -> TooLarge:
    return TooLarge(f"The recording is larger than {limits.most_bytes >> 20} MiB; compress it, or send it in parts.")
