"""`speech-server voices pull | list`: fetch the neural model, or say which voices its folder has."""

import argparse
import sys
from collections.abc import Sequence

from speech_server.neural_tts.choice import fetch, folder, known
from speech_server.neural_tts.layout import read_folder
from speech_server.neural_tts.voices import voices_of
from speech_server.ports import EngineUnavailable
from speech_server.settings import BadSettings, Settings
from speech_server.weights.store import default_root


def main(arguments: Sequence[str]) -> int:
    """The command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="speech-server voices", description=__doc__)
    parser.add_argument("verb", choices=["pull", "list"])
    verb = parser.parse_args(arguments).verb
    try:
        chosen = Settings().kokoro
        if verb == "pull":
            place = fetch(known(chosen), chosen.kokoro_precision, chosen.kokoro_cache or default_root())
            sys.stdout.write(f"{place}\n")
            return 0
        files = read_folder(folder(chosen.model_copy(update={"kokoro_pull": False})), chosen.kokoro_precision)
    except (BadSettings, EngineUnavailable) as error:
        sys.stderr.write(f"speech-server: {error}\n")
        return 1
    for one in voices_of(files.styles):
        sys.stdout.write(f"{one.voice.name}  {one.voice.language}\n")
    return 0
