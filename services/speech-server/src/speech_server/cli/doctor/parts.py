"""Is everything installed that the chosen engines are made of? What is small is really started, then stopped."""

import asyncio
import importlib.util
from collections.abc import Iterator

from speech_server.cli.doctor.findings import Finding, bad, note, ok
from speech_server.engines.registry import chosen
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import Startable
from speech_server.settings import Settings

LONGEST_START_S = 60.0


def look_at_parts(settings: Settings) -> Iterator[Finding]:
    """Libraries, programs and data of the engines, the one that takes over included."""
    specs = chosen(settings)
    for name, use in dict(library for spec in specs for library in spec.libraries).items():
        yield _library(name, use)
    for what, part in dict(part for spec in specs for part in spec.parts()).items():
        yield _started(what, part)
    yield _sound_files()
    has_av = importlib.util.find_spec("av") is not None
    yield (
        ok("av", "WebM, M4A and MP4 can be decoded, in a program of its own")
        if has_av
        else note("av", "WebM, M4A and MP4 are refused", "pip install av if callers send them")
    )


def _library(name: str, use: str) -> Finding:
    if importlib.util.find_spec(name) is not None:
        return ok(name, f"installed ({use})")
    return bad(name, f"missing ({use})", "install speech-server again: uv sync")


def _sound_files() -> Finding:
    try:
        import soundfile

        formats = soundfile.available_formats()
    except (ImportError, OSError) as error:
        return bad("soundfile", f"can't be loaded: {error}", "install speech-server again: uv sync")
    missing = [name for name in ("FLAC", "OGG", "MP3") if name not in formats]
    found = f"libsndfile {soundfile.__libsndfile_version__}"
    if missing:
        return note("soundfile", f"{found} without {', '.join(missing)}", "install libsndfile 1.1 or newer")
    return ok("soundfile", f"{found}: WAV, FLAC, Ogg and MP3")


def _started(what: str, part: Startable) -> Finding:
    try:
        asyncio.run(_start_and_stop(part))
    except EngineUnavailable as error:
        return bad(what, "does not start", str(error))
    except TimeoutError:
        return bad(what, f"did not start within {LONGEST_START_S:g} s", "is the machine overloaded?")
    return ok(what, "starts")


async def _start_and_stop(part: Startable) -> None:
    try:
        async with asyncio.timeout(LONGEST_START_S):
            await part.start()
    finally:
        await part.stop()
