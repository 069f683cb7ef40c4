"""The eSpeak NG program: `python -m speech_server.engines.tts.espeak.worker`, run by the server, one child per text.

Licence notice. This program loads eSpeak NG, which is free software under the GNU General Public License, version 3
or later (https://github.com/espeak-ng/espeak-ng). This file and those it imports are under the Apache License 2.0,
with which that licence is compatible; the program they make together with eSpeak NG, as it runs, is under the GNU
General Public License, version 3 or later, and comes without any warranty. The server is another program: it never
loads eSpeak NG, and talks to this one only through a socket. eSpeak NG is not part of this package; the optional
extra `espeak` installs it.
"""

import json
import signal

from speech_server.core.tts.tts_types import SpokenChunk
from speech_server.engines.process.fork_server import Serve, run_fork_server
from speech_server.engines.process.protocol import AUDIO, DONE, FAILED, PHONEMES, WORDS, Wire, pack_words
from speech_server.engines.tts.espeak.chunks import Chunks, Event, duration_s
from speech_server.engines.tts.espeak.library import Espeak, load_espeak
from speech_server.engines.tts.espeak.voices import VOICES
from speech_server.errors import EngineUnavailable

_SYNTHESIS_S = 30
"""Making the next piece may take this long, then the child is killed by its alarm."""


def main() -> None:
    """Load eSpeak NG, then speak until the server hangs up."""
    run_fork_server(_load)


def _load() -> Serve:
    import espeakng_loader

    espeak = load_espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    for one in VOICES[:1]:  # the default voice's data, read before the forks
        espeak.speak("ready", one.identifier, one.words_per_minute, False, lambda pcm16, events: True)

    def serve(wire: Wire) -> None:
        frame = wire.receive()
        if frame is None:
            return
        if frame[0] == PHONEMES:
            _spell(espeak, wire, **json.loads(frame[1]))
        else:
            _speak(espeak, wire, **json.loads(frame[1]))

    return serve


def _spell(espeak: Espeak, wire: Wire, *, texts: list[str], identifier: str) -> None:
    signal.alarm(_SYNTHESIS_S)
    try:
        made = [espeak.phonemes(text, identifier) for text in texts]
    except EngineUnavailable as error:
        wire.send(FAILED, str(error).encode())
        return
    signal.alarm(0)
    wire.send(PHONEMES, json.dumps(made).encode())


def _speak(
    espeak: Espeak, wire: Wire, *, text: str, spelt: list[str], identifier: str, words_per_minute: int, ssml: bool
) -> None:
    chunks = Chunks(text, spelt)
    made_s = 0.0
    is_wanted = True

    def take(pcm16: bytes, events: list[Event]) -> bool:
        nonlocal made_s, is_wanted
        signal.alarm(0)  # not while the socket is full: a slow listener may take its time
        made_s += duration_s(pcm16)
        is_wanted = _send(wire, chunks.push(pcm16, events))
        signal.alarm(_SYNTHESIS_S)
        return is_wanted

    signal.alarm(_SYNTHESIS_S)
    try:
        espeak.speak(text, identifier, words_per_minute, ssml, take, phonemes=bool(spelt))
    except EngineUnavailable as error:
        wire.send(FAILED, str(error).encode())
        return
    signal.alarm(0)
    if is_wanted and _send(wire, chunks.flush(made_s)):
        wire.send(DONE)


def _send(wire: Wire, chunks: list[SpokenChunk]) -> bool:
    """Whether the server still listens. No exception may leave a callback of the library."""
    try:
        for chunk in chunks:
            wire.send(WORDS, pack_words(chunk.words))
            wire.send(AUDIO, chunk.pcm16)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
