"""`speech-server models pull|list|verify|rm` and `speech-server doctor`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from speech_server.parakeet.catalogue import CATALOGUE, look_up
from speech_server.parakeet.choice import root
from speech_server.parakeet.doctor import examine
from speech_server.parakeet.fetching import pull
from speech_server.ports import EngineUnavailable
from speech_server.settings import BadSettings, ParakeetSettings, Settings
from speech_server.weights.known import Known
from speech_server.weights.store import faults, folder_of, read_manifest, remove, stored, strangers


def models(arguments: Sequence[str]) -> int:
    """The `models` verb."""
    parser = argparse.ArgumentParser(prog="speech-server models", description="Fetch, list, check or delete models.")
    parser.add_argument("order", choices=["pull", "list", "verify", "rm"])
    parser.add_argument("model", nargs="?", help="a name of `list`, or owner/name; default: PARAKEET_MODEL_ID")
    parser.add_argument("--precision", choices=["fp32", "fp16", "int8"], help="which files to pull; default: int8")
    parser.add_argument("--revision", default="", help="commit of the model's repository; default: PARAKEET_REVISION")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level="INFO", format="%(message)s")
    try:
        chosen = Settings().parakeet
        if asked.order == "list":
            return _list(chosen)
        own_name = asked.model is not None and asked.model != chosen.parakeet_model_id
        revision = asked.revision or ("" if own_name else chosen.parakeet_revision)
        model = look_up(asked.model or chosen.parakeet_model_id, revision)
        match asked.order:
            case "pull":
                wish = chosen.parakeet_precision
                precision = asked.precision or (wish if wish != "auto" else "int8")
                return _say(f"{model.name} is in {pull(model, precision, root(chosen))}")
            case "verify":
                return _verify(model, chosen)
            case _:
                freed_bytes = remove(root(chosen), model)
                return _say(f"{freed_bytes / 1e6:.0f} MB freed" if freed_bytes else f"{model.name} is not here")
    except (BadSettings, EngineUnavailable) as error:
        sys.stderr.write(f"speech-server models: {error}\n")
        return 1


def doctor(arguments: Sequence[str]) -> int:
    """The `doctor` verb: 0 when the engine of the settings can start, 1 when something stands in its way."""
    argparse.ArgumentParser(prog="speech-server doctor", description="What has this machine?").parse_args(arguments)
    try:
        findings = examine(Settings())
    except BadSettings as error:
        sys.stderr.write(f"speech-server doctor: {error}\n")
        return 1
    for one in findings:
        sys.stdout.write(f"{one.mark:4} {one.what}: {one.found}\n")
        if one.advice:
            sys.stdout.write(f"     -> {one.advice}\n")
    return int(any(one.mark == "BAD" for one in findings))


def _list(chosen: ParakeetSettings) -> int:
    here = set(stored(root(chosen)))
    for model in CATALOGUE:
        place = folder_of(root(chosen), model)
        has = "pulled" if model.revision and place in here else "not here"
        pinned = model.revision[:12] or "needs --revision"
        _say(f"{model.name:28} {has:9} {pinned:17} {model.repo}  {len(model.languages)} language(s)")
        here.discard(place)
    for place in sorted(here):
        _say(f"{place.parent.name.replace('--', '/'):28} pulled    {place.name[:12]}")
    return _say(f"in {root(chosen)}")


def _verify(model: Known, chosen: ParakeetSettings) -> int:
    by_hand = chosen.parakeet_model_path
    place = by_hand or folder_of(root(chosen), model)
    expected = read_manifest(place)
    if expected is None and by_hand is None:
        raise EngineUnavailable(f"{model.name} was never fetched whole into {place}; run `speech-server models pull`.")
    wrong = faults(place, expected) if expected is not None else strangers(place, model)
    for fault in wrong:
        _say(f"{fault.name}: {fault.what}")
    if wrong:
        _say("Pull the model again; only the files above are fetched." if by_hand is None else "Place them anew.")
        return 1
    return _say(f"{place}: {'all files are whole' if expected is not None else 'no file is known to be wrong'}")


def _say(sentence: str) -> int:
    sys.stdout.write(sentence + "\n")
    return 0
