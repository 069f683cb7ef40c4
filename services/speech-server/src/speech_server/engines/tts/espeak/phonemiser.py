"""How does a text become phonemes? The eSpeak NG program makes them; the GPL library stays out of the server."""

import asyncio
import importlib.util
import json
from collections.abc import Sequence

from speech_server.engines.process.pool import ProcessPool
from speech_server.engines.process.protocol import PHONEMES
from speech_server.errors import EngineUnavailable


class EspeakPhonemiser:
    """At most `texts` at once, each in a process forked for it."""

    def __init__(self, texts: int = 64) -> None:
        self._engine = ProcessPool("The phonemiser", "speech_server.engines.tts.espeak.worker", texts)

    async def start(self) -> None:
        """Load eSpeak NG in its own process. Raises EngineUnavailable with a sentence."""
        if importlib.util.find_spec("espeakng_loader") is None:
            raise EngineUnavailable(
                "The neural voices need the phonemes of eSpeak NG (GPL-3.0-or-later), which is optional: "
                "run pip install espeakng-loader, or choose another synthesiser"
            )
        await self._engine.start()

    async def stop(self) -> None:
        """End all processes."""
        await self._engine.stop()

    async def phonemes(self, texts: Sequence[str], identifier: str) -> list[str]:
        """IPA of each text, the letters of one sound joined by ^. Raises EngineUnavailable, EngineBusy."""
        async with asyncio.timeout(60):
            stream = await self._engine.open()
            try:
                order = json.dumps({"texts": list(texts), "identifier": identifier}).encode()
                await stream.send(PHONEMES, order)
                _, answer = await stream.receive()
            finally:
                self._engine.release(stream)
        return [str(ipa) for ipa in json.loads(answer)]
