"""The real weights, fetched once into the cache, and recorded human speech from the folder VOICE_AUDIO names."""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from pcm import read_wav
from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.engine_settings import MoonshineSettings
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import MoonshineFiles, find_model
from speech_server.engines.asr.moonshine.spec import build
from speech_server.engines.asr.moonshine.spec import model as moonshine
from speech_server.engines.asr.offline.recogniser import OfflineRecogniser
from speech_server.engines.onnx.session import Limits
from speech_server.engines.onnx.transducer import Floats
from speech_server.engines.silero_vad import SileroDetector
from speech_server.settings import Settings
from speech_server.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody said."""

    pcm16: bytes
    """At 16 kHz."""
    text: str

    @property
    def clip(self) -> Floats:
        return np.frombuffer(self.pcm16, "<i2").astype(np.float32) / np.float32(32768)


@pytest.fixture(scope="session")
def recordings() -> Mapping[str, Recording]:
    folder = os.environ.get("VOICE_AUDIO")
    if not folder:
        raise RuntimeError("Set VOICE_AUDIO to a folder of NAME.wav and NAME.txt (scripts/fetch_recordings.py)")
    return {
        path.stem: Recording(read_wav(path).at(ASR_RATE_HZ).pcm16, path.with_suffix(".txt").read_text().strip())
        for path in sorted(Path(folder).glob("*.wav"))
    }


@pytest.fixture(scope="session")
def files() -> MoonshineFiles:
    return find_model(moonshine(MoonshineSettings()).fetched("int8"))


@pytest.fixture(scope="session")
def model(files: MoonshineFiles) -> MoonshineModel:
    return MoonshineModel(files, Limits(1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[tuple[OfflineRecogniser, SileroDetector]]:
    detector = SileroDetector()
    made = build(Settings(), Timeline(None), detector)
    await detector.start()
    await made.start()
    yield made, detector
    await made.stop()
    await detector.stop()
