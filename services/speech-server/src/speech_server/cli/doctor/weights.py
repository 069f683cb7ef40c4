"""Are the models whole, and is there memory and disk for them?"""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from speech_server.cli.doctor.findings import Finding, bad, note, ok
from speech_server.engines.inventory import wanted
from speech_server.engines.onnx.model_format import Device
from speech_server.engines.spec import EngineModel
from speech_server.errors import EngineUnavailable
from speech_server.model_store.pinned_model import check_revision
from speech_server.model_store.store import faults, read_manifest, unpinned_files
from speech_server.settings import Settings

MEMORY_FILES = (Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))


def look_at_weights(settings: Settings, device: Device) -> Iterator[Finding]:
    """Each model that is wanted, then the room for all of them."""
    try:
        models = wanted(settings)
    except EngineUnavailable as error:
        yield bad("model", f"SPEECH_ASR_ENGINE={settings.server.speech_asr_engine}", str(error))
        models = []
    memory = _memory(models, device, free_memory_bytes())
    for one in models:
        yield _model(one, "cpu" if one.cpu_only else device, may_load=memory.mark != "BAD")
    yield memory
    for one in models:
        if one.source is not None and read_manifest(one.place) is None:
            yield _disk(one, one.source.root)


def _model(model: EngineModel, device: Device, *, may_load: bool) -> Finding:
    what, place = f"model {model.name}", model.place
    expected = read_manifest(place)
    try:
        if model.source is not None and expected is None:
            check_revision(model.source.model)
            say = note if model.may_pull else bad
            more = "" if model.may_pull else f", and {model.setting}_PULL is false"
            return say(what, f"not in {place}{more}", f"speech-server models pull {model.name}")
        wrong = faults(place, expected or {})
        if wrong:
            mend = f"speech-server models pull {model.name} fetches these files again"
            said = ", ".join(f"{one.name} {one.what}" for one in wrong)
            return bad(what, f"{said} (in {place})", mend if model.source is not None else "place these files anew")
        try:
            found = f"{model.look(place, device)}, in {place}"
            if expected is None and may_load:
                # No sums tell whether its files are whole.
                model.load(place, device)
        except EngineUnavailable as error:
            if model.source is None or not model.may_pull:
                raise
            return note(what, f"other files of it are here: {error}", "the start fetches what is missing")
        if expected is None and model.pinned is not None and unpinned_files(place, model.pinned):
            return note(what, f"{found}; not the files of the pinned revision", "fine if this export is your own")
        return ok(what, found)
    except EngineUnavailable as error:
        return bad(what, f"can't be used on the {device.upper()}", str(error))


def _memory(models: Sequence[EngineModel], device: Device, free_bytes: int | None) -> Finding:
    needed_bytes = sum(one.memory_bytes(one.place, device) for one in models if device == "cpu" or one.cpu_only)
    if free_bytes is None:
        return note("memory", "not known on this system")
    found = f"{free_bytes / 1e9:.1f} GB free, about {needed_bytes / 1e9:.1f} GB needed"
    if free_bytes < needed_bytes:
        return bad("memory", found, "free memory, or take a model of a smaller precision (int8)")
    return ok("memory", found)


def _disk(model: EngineModel, root: Path) -> Finding:
    place = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    precision = model.precision if model.precision != "auto" else "int8"
    needed_bytes = model.download_bytes[precision]
    found = f"{free_bytes / 1e9:.1f} GB free in {place}, {model.name} takes {needed_bytes / 1e9:.1f} GB ({precision})"
    if free_bytes >= needed_bytes:
        return ok("disk", found)
    return bad("disk", found, f"free space, or set {model.setting}_CACHE to another disk")


def free_memory_bytes(files: tuple[Path, Path, Path] = MEMORY_FILES) -> int | None:
    """What the machine has free, or what is left of the container's limit; None where neither is told."""
    told: list[int] = []
    machine, limit, used = files
    with contextlib.suppress(OSError, KeyError, ValueError):
        fields = dict(line.split(":", 1) for line in machine.read_text(encoding="ascii").splitlines())
        told.append(int(fields["MemAvailable"].split()[0]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # "max": no limit
        told.append(int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii")))
    return min(told, default=None)
