"""`speech-server voices`: which voices can callers ask for? Those of the chosen engine, the default first."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from speech_server.core.tts.tts_types import Voice
from speech_server.engines.inventory import kokoro
from speech_server.engines.registry import synthesiser
from speech_server.engines.tts.kokoro.model_files import read_folder
from speech_server.engines.tts.kokoro.voices import voices_of
from speech_server.errors import EngineUnavailable
from speech_server.settings import BadSettings, Settings
from speech_server.timeline import Timeline


def main(arguments: Sequence[str]) -> int:
    """The `voices` verb; gives the exit status."""
    argparse.ArgumentParser(prog="speech-server voices", description=__doc__).parse_args(arguments)
    try:
        settings = Settings()
        if settings.server.speech_tts_engine == "kokoro":
            found = _of_kokoro(settings)
        else:
            found = asyncio.run(_of_small_engine(settings))
    except (BadSettings, EngineUnavailable) as error:
        sys.stderr.write(f"speech-server voices: {error}\n")
        return 1
    for voice in found:
        sys.stdout.write(f"{voice.name}  {voice.language}\n")
    return 0


def _of_kokoro(settings: Settings) -> Sequence[Voice]:
    """What its folder holds; nothing is fetched or loaded."""
    model = kokoro(settings.kokoro)
    if not model.place.is_dir():
        raise EngineUnavailable(f"{model.name} is not in {model.place}; run `speech-server models pull {model.name}`.")
    return [one.voice for one in voices_of(read_folder(model.place, settings.kokoro.kokoro_precision).styles)]


async def _of_small_engine(settings: Settings) -> Sequence[Voice]:
    engine = synthesiser(settings, Timeline(None))
    try:
        await engine.start()
        return engine.voices
    finally:
        await engine.stop()
