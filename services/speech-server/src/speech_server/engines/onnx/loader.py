"""How is a model loaded, in a thread of its own and on which device? And how does it leave a GPU that fails?"""

import logging
from collections.abc import Callable
from typing import TypeVar

from speech_server.engines.onnx.gpu_errors import reason_of
from speech_server.engines.onnx.model_format import Device, ModelBroken
from speech_server.engines.onnx.providers import ChosenDevice, DeviceSetting
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.worker_thread import WorkerThread
from speech_server.errors import EngineUnavailable, first_line

T = TypeVar("T")
_log = logging.getLogger(__name__)


async def load_in_thread(name: str, load: Callable[[], T]) -> T:
    """What `load` gives. Not on the loop's own threads: a pull under way must not hold up the end of the process."""
    thread = WorkerThread(f"{name} loader")
    try:
        return await thread.run(load)
    finally:
        thread.leave()


def load_on_device(
    setting: DeviceSetting, probe: Callable[[DeviceSetting], ChosenDevice], load: Callable[[Device], T]
) -> tuple[T, str]:
    """What `load` gives on the device that was found, and which it is and why. Raises EngineUnavailable."""
    choice = probe(setting)
    try:
        return load(choice.device), f"{choice.device} ({choice.why})"
    except EngineUnavailable as error:
        if choice.device == "cpu" or setting == "cuda":
            raise
        why = f"the GPU did not take the model: {error}"
    # Not inside the handler: the error holds what was loaded for the GPU.
    return load("cpu"), f"cpu ({why})"


def still_on(wanted: Device, device: Device) -> None:
    """After the warm-up. Raises EngineUnavailable when the model has left the GPU that it was loaded on."""
    if wanted != device:
        raise EngineUnavailable("it failed at the first clip; the log says why.")


def device_state(why: str, device: Device) -> str:
    """For an engine's state: where it is and why."""
    return "cpu (moved from cuda, which failed)" if why.startswith("cuda") and device == "cpu" else why


def with_cpu_fallback(
    model: str,
    run: Callable[[], T],
    stop: Stop,
    device: Device,
    to_cpu: Callable[[str], None],
    on_cpu: Callable[[], T] | None = None,
) -> T:
    """What `run` gives; when it fails on a GPU, `to_cpu` is called with the reason, then `on_cpu`, or `run` again.

    Loading for the CPU does not count towards the limit of the batch. Raises EngineUnavailable when it fails on the
    CPU, or `stop` was asked.
    """
    try:
        return run()
    except Exception as error:
        if isinstance(error, ModelBroken):
            raise
        if stop.is_asked:
            raise EngineUnavailable(f"Recognising was stopped: {first_line(error)}") from error
        if device == "cpu":
            _log.exception("%s failed on the CPU", model)
            raise EngineUnavailable("The recogniser failed on this audio; its log says why.") from error
        reason = f"{type(error).__name__}: {reason_of(error)}"
        _log.error("%s leaves the GPU and goes on, slower, on the CPU: %s", model, reason)
        with stop.moving():
            to_cpu(reason)
        return (on_cpu or run)()
