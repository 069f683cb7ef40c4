"""`speech-server voices`: which voices can callers ask for? Those of the chosen engine, the default first."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from speech_server.core.tts.tts_types import Voice
from speech_server.engines.registry import chosen_tts
from speech_server.engines.spec import TtsSpec
from speech_server.settings import Settings
from speech_server.timeline import Timeline


def main(arguments: Sequence[str]) -> int:
    """The `voices` verb; gives the exit status. Raises BadSettings, EngineUnavailable."""
    argparse.ArgumentParser(prog="speech-server voices", description=__doc__).parse_args(arguments)
    settings = Settings()
    spec = chosen_tts(settings)
    for voice in spec.voices(settings) if spec.voices is not None else asyncio.run(_started(spec, settings)):
        sys.stdout.write(f"{voice.name}  {voice.language}\n")
    return 0


async def _started(spec: TtsSpec, settings: Settings) -> Sequence[Voice]:
    engine = spec.build(settings, Timeline(None))
    try:
        await engine.start()
        return engine.voices
    finally:
        await engine.stop()
