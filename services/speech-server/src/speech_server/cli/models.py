"""`speech-server models pull|list|verify|rm`: the weights of every engine, one way to fetch, check and delete them."""

import argparse
import logging
import sys
from collections.abc import Sequence

from speech_server.engines.inventory import catalogue, named, placed_by_hand, wanted
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.spec import EngineModel
from speech_server.errors import EngineUnavailable
from speech_server.model_store.store import faults, read_manifest, remove, stored, unpinned_files
from speech_server.process_abort import stop_at_once
from speech_server.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """The `models` verb; gives the exit status. Raises BadSettings, EngineUnavailable, OSError."""
    parser = argparse.ArgumentParser(prog="speech-server models", description="Fetch, list, check or delete models.")
    parser.add_argument("order", choices=["pull", "list", "verify", "rm"])
    parser.add_argument(
        "model", nargs="?", help="a name of `list`, or owner/name of the hub; default: what the chosen engines need"
    )
    parser.add_argument("--precision", choices=["fp32", "fp16", "int8"], help="which files to pull; default: int8")
    parser.add_argument("--revision", default="", help="commit of the model's repository; default: the pinned one")
    given = parser.parse_args(arguments)
    logging.basicConfig(level="INFO", format="%(message)s")
    settings = Settings()
    match given.order:
        case "list":
            return _list(settings)
        case "rm":
            return _remove(settings, given.model)
    chosen = _chosen(settings, given.model, given.revision)
    if given.order == "verify":
        return max([_verify(one) for one in chosen])
    with stop_at_once("Stopped. What was downloaded is kept, and the next pull continues there."):
        return max([_pull(one, given.precision) for one in chosen])


def _chosen(settings: Settings, name: str | None, revision: str) -> list[EngineModel]:
    """One by name; else all that the engines of the settings need, or Parakeet's when they need none."""
    if name is not None:
        return [named(settings, name, revision)]
    if revision:
        return [named(settings, "", revision)]
    return wanted(settings) or [named(settings, "")]


def _pull(model: EngineModel, precision: Precision | None) -> int:
    if model.source is None:
        return _say(f"{model.name} was placed by hand in {model.by_hand} ({model.setting}_MODEL_PATH): nothing to pull")
    fetched = precision or (model.precision if model.precision != "auto" else "int8")
    return _say(f"{model.name} is in {model.source.fetch(model.source.model, fetched, model.source.root)}")


def _list(settings: Settings) -> int:
    roots = {one.root for one in catalogue(settings)}
    here = {place for root in roots for place in stored(root)}
    for one in catalogue(settings):
        known, place = one.model, one.place
        has = "pulled" if known.revision and place in here else "not here"
        pinned = known.revision[:12] or "needs --revision"
        _say(f"{known.name:28} {has:9} {pinned:17} {known.repo}  {len(known.languages)} language(s)")
        here.discard(place)
    for place in sorted(here):
        _say(f"{place.parent.name.replace('--', '/'):28} pulled    {place.name[:12]}")
    for model in placed_by_hand(settings):
        _say(f"{model.name:28} by hand   {model.setting}_MODEL_PATH  {model.by_hand}")
    return _say(f"in {', '.join(str(root) for root in sorted(roots))}")


def _verify(model: EngineModel) -> int:
    place, expected = model.place, read_manifest(model.place)
    if expected is None and model.by_hand is None:
        raise EngineUnavailable(
            f"{model.name} was never fetched completely into {place}; run `speech-server models pull`."
        )
    if expected is not None:
        wrong = faults(place, expected)
    else:
        wrong = unpinned_files(place, model.pinned) if model.pinned is not None else []
    for fault in wrong:
        _say(f"{fault.name}: {fault.what}")
    if wrong:
        _say("Pull the model again; only the files above are fetched." if model.by_hand is None else "Place them anew.")
        return 1
    if expected is not None:
        return _say(f"{place}: all files are whole")
    found = model.look(place, "cpu")
    model.load(place, "cpu")
    return _say(f"{place}: no file is known to be wrong, and it loads: {found}")


def _remove(settings: Settings, name: str | None) -> int:
    if name is None:
        raise EngineUnavailable("Name the model to delete; `speech-server models list` shows what is here.")
    model = named(settings, name)
    source = next((one for one in catalogue(settings) if one.model.name == model.name), model.source)
    if source is None:
        raise EngineUnavailable(f"{model.name} was placed by hand; delete {model.by_hand} yourself.")
    freed_bytes = remove(source.root, source.model)
    return _say(f"{freed_bytes / 1e6:.0f} MB freed" if freed_bytes else f"{model.name} is not here")


def _say(sentence: str) -> int:
    sys.stdout.write(sentence + "\n")
    return 0
