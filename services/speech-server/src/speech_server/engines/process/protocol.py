"""How do the server and its engine processes talk? In frames: one byte of kind, four of length, then the payload."""

import asyncio
import json
import socket
import struct
from collections.abc import Sequence
from dataclasses import astuple

from speech_server.core.asr.asr_types import Word

READY = b"R"
"""The template has loaded its engine, or a child has been forked and listens."""
FAILED = b"X"
"""Payload: a sentence; nothing more follows."""
AUDIO = b"A"
"""Payload: PCM16."""
SPEAK = b"S"
"""Payload: what to speak. Answered by WORDS and AUDIO frames, then DONE."""
WORDS = b"W"
"""Payload: the words that begin in the AUDIO frame that follows."""
PHONEMES = b"P"
"""Payload: texts whose phonemes are wanted. Answered by one frame of the same kind: those phonemes."""
DONE = b"D"
"""All is spoken."""

Frame = tuple[bytes, bytes]
"""Kind and payload."""

_HEADER = struct.Struct("<cI")


def pack(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return _HEADER.pack(kind, len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame. Raises asyncio.IncompleteReadError when the other side is gone."""
    kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    return kind, await reader.readexactly(length) if length else b""


class Wire:
    """The child's end: blocking. A full socket holds the child back, which is the bound on what it makes ahead."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Raises OSError when the server has hung up."""
        self._connection.sendall(pack(kind, payload))

    def receive(self) -> Frame | None:
        """The next frame, or None when the server has hung up."""
        header = self._file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack(header)
        payload = self._file.read(length)
        return (kind, payload) if len(payload) == length else None


def pack_words(words: Sequence[Word]) -> bytes:
    """Words as a payload."""
    return json.dumps([astuple(word) for word in words]).encode()


def unpack_words(payload: bytes) -> tuple[Word, ...]:
    """The opposite of `pack_words`."""
    return tuple(Word(*fields) for fields in json.loads(payload))
