"""How is eSpeak NG called? Through ctypes, in the worker's process only.

eSpeak NG is GPL-3.0-or-later. Nothing but `worker`, a program of its own, may import this file.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from speech_server.engines.tts.espeak.chunks import Event, SoundEnded, WordBegan
from speech_server.engines.tts.espeak.voices import RATE_HZ
from speech_server.errors import EngineUnavailable

BUFFER_MS = 60
"""Audio arrives in pieces of this length."""

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_FROM_START = 0
_POSITION_IN_CHARACTERS = 1
_UTF8 = 1
_SSML = 0x10
_PHONEMES = 0x100
_IPA_WITH_TIES = 0x02 | 0x80 | ord("^") << 8
_RATE = 1
_LISTED_END, _WORD, _SENTENCE, _END = 0, 1, 2, 5
_GO_ON, _ABORT = 0, 1
_DONT_PLAY = 1


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Take = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_Ask = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)

TakePiece = Callable[[bytes, list[Event]], bool]
"""Takes a piece of PCM16 and the events in it; False stops the synthesis."""


@dataclass(frozen=True)
class Espeak:
    """The loaded library. It has one global state: one text at a time, in one thread."""

    library: ctypes.CDLL
    refuse_files: object
    """The callback that keeps `<audio src=...>` of SSML from opening files; alive as long as the library."""

    def speak(
        self, text: str, identifier: str, words_per_minute: int, ssml: bool, take: TakePiece, phonemes: bool = False
    ) -> None:
        """Speak a text; `take` is called with each piece. `phonemes`: what stands in [[ ]] is eSpeak's own letters.

        Raises EngineUnavailable for an unknown voice.
        """
        library = self.library
        if library.espeak_SetVoiceByName(identifier.encode()) != 0:  # else it would go on with the last voice
            raise EngineUnavailable(f"The voice {identifier!r} is not in the installed eSpeak NG data")
        library.espeak_SetParameter(_RATE, words_per_minute, 0)

        def on_wave(wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
            if not wave:
                return _GO_ON
            return _GO_ON if take(ctypes.string_at(wave, 2 * count), _events(events)) else _ABORT

        callback = _Take(on_wave)
        library.espeak_SetSynthCallback(callback)
        data = text.encode("utf-8", "replace") + b"\0"
        flags = _UTF8 | (_SSML if ssml else 0) | (_PHONEMES if phonemes else 0)
        library.espeak_Synth(data, len(data), _FROM_START, _POSITION_IN_CHARACTERS, 0, flags, None, None)

    def phonemes(self, text: str, identifier: str) -> str:
        """IPA of a text, the letters of one sound joined by ^. Raises EngineUnavailable for an unknown voice."""
        if self.library.espeak_SetVoiceByName(identifier.encode()) != 0:
            raise EngineUnavailable(f"The voice {identifier!r} is not in the installed eSpeak NG data")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data = ctypes.create_string_buffer(text.encode("utf-8", "replace"))
        rest = ctypes.c_void_p(ctypes.addressof(data))
        clauses: list[str] = []
        while rest.value:  # it moves the pointer on, clause by clause
            made = self.library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_WITH_TIES)
            clauses.append((made or b"").decode("utf-8", "replace"))
        return " ".join(clauses)


def load_espeak(library_path: str, data_path: str) -> Espeak:
    """Load the library and its data. Raises EngineUnavailable."""
    try:
        library = ctypes.CDLL(library_path)
    except OSError as error:
        raise EngineUnavailable(f"eSpeak NG can't be loaded: {error}") from error
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, BUFFER_MS, data_path.encode(), _DONT_EXIT)
    if rate_hz != RATE_HZ:
        raise EngineUnavailable(f"eSpeak NG can't start with the data in {data_path} (code {rate_hz})")
    refuse_files = _Ask(lambda kind, uri, base: _DONT_PLAY)
    library.espeak_SetUriCallback(refuse_files)
    return Espeak(library, refuse_files)


def _events(listed: "ctypes._Pointer[_Event]") -> list[Event]:
    found: list[Event] = []
    at = 0
    while (event := listed[at]).type != _LISTED_END:
        at_s = event.sample / RATE_HZ
        if event.type == _WORD:
            start = event.text_position - 1
            found.append(WordBegan(start, start + event.length, at_s))
        elif event.type in (_SENTENCE, _END):
            found.append(SoundEnded(at_s))
        at += 1
    return found
