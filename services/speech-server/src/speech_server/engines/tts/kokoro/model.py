"""How does the model turn symbols into sound? One onnxruntime session, one phrase at a time, off the loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.engines.onnx.session import NUMPY, Limits, Stop, open_session
from speech_server.engines.tts.kokoro.styles import Styles
from speech_server.engines.tts.kokoro.symbols import END
from speech_server.errors import EngineUnavailable, first_line

_TOKENS = ("input_ids", "tokens")
"""What exports call the symbols' numbers."""
_SOUND = ("waveform", "audio")


class KokoroModel:
    """A loaded model. `close` it."""

    def __init__(self, path: Path, threads: int) -> None:
        """Blocking. Raises ModelBroken for a file that can't be run."""
        self._session = open_session(path, "cpu", Limits(threads), "pull the model again")
        self._types = {one.name: NUMPY.get(one.type, np.float32) for one in self._session.get_inputs()}
        self._tokens = next((name for name in _TOKENS if name in self._types), "")
        if set(self._types) != {self._tokens, "style", "speed"}:
            raise ModelBroken(
                f"{path} has the inputs {sorted(self._types)}; a Kokoro model has input_ids or tokens, style and speed."
            )
        outputs = [one.name for one in self._session.get_outputs()]
        self._sound = next((name for name in _SOUND if name in outputs), outputs[0])
        # One thread, so that phrases of all callers take turns; who waits is bounded by admission.
        self._thread = ThreadPoolExecutor(1, "kokoro")

    async def speak(self, numbers: list[int], styles: Styles, speed: float, limit_s: float) -> bytes:
        """PCM16 of one phrase. Raises EngineUnavailable when it fails or takes longer than `limit_s`."""
        stop = Stop()
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._run, numbers, styles, speed, stop)
        try:
            async with asyncio.timeout(limit_s):
                return await work
        except TimeoutError as error:
            raise EngineUnavailable(f"A phrase took longer than {limit_s:g} s; the machine is too slow now.") from error
        finally:
            stop.now()

    def close(self) -> None:
        """Free the thread; what it still does is ended."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _run(self, numbers: list[int], styles: Styles, speed: float, stop: Stop) -> bytes:
        # Some exports know whole speeds only.
        whole = np.issubdtype(self._types["speed"], np.integer)
        feed = {
            self._tokens: np.array([[END, *numbers, END]], self._types[self._tokens]),
            "style": styles[min(len(numbers), len(styles) - 1)].astype(self._types["style"]),
            "speed": np.array([max(1, round(speed)) if whole else speed], self._types["speed"]),
        }
        try:
            (waveform,) = self._session.run([self._sound], feed, stop.options)
        except Exception as error:
            raise EngineUnavailable(f"The neural voice failed: {first_line(error)}") from error
        scaled = np.rint(np.asarray(waveform, np.float32).reshape(-1) * 32767)
        return bytes(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())
