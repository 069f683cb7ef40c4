"""Does the real model hear whether somebody has finished, and does a model that is slow, full or broken harm nobody?"""

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pcm import read_wav
from voice_gateway.backends import smart_turn, smart_turn_model
from voice_gateway.backends.smart_turn import ModelUnusable, SmartTurn, SmartTurnScorer
from voice_gateway.backends.smart_turn_model import NotPulled, pull, usual_place

PAUSE = bytes(2 * 3200)
CLIP = bytes(32_000)


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The real weights, fetched once into the cache."""
    return pull(usual_place())


def recording(name: str) -> bytes:
    """PCM16 at 16 kHz, without the silence after it."""
    folder = os.environ.get("VOICE_AUDIO")
    assert folder, "set VOICE_AUDIO to the folder that scripts/fetch_recordings.py prints"
    return read_wav(Path(folder) / f"{name}.wav").pcm16


class Instead(SmartTurn):
    """A model that does what a test says."""

    def __init__(self, scores: Sequence[float] = (), *, fails: bool = False) -> None:
        self.batches: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._fails = fails

    def score(self, clips: Sequence[bytes]) -> list[float]:
        self.batches.append(len(clips))
        assert self.may_go_on.wait(10)
        if self._fails:
            raise RuntimeError("no such thing")
        return [len(clip) / 100 for clip in clips]


class Outcomes(Counter[str]):
    """What became of the requests."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def note(self, outcome: str) -> None:
        self[outcome] += 1
        self._changed.set()

    async def reach(self, count: int) -> None:
        """Return when so many are over."""
        async with asyncio.timeout(20):
            while self.total() < count:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def scorer(model: SmartTurn) -> AsyncGenerator[tuple[SmartTurnScorer, Outcomes], None]:
    outcomes = Outcomes()
    found = SmartTurnScorer(model, outcomes.note)
    task = asyncio.create_task(found.run())
    yield found, outcomes
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def answers(found: SmartTurnScorer, *clips: bytes) -> list[float]:
    """What is said of each, asked at once."""
    waiting = [asyncio.get_running_loop().create_future() for _ in clips]
    for clip, one in zip(clips, waiting, strict=True):
        found.ask(clip, one.set_result)
    async with asyncio.timeout(20):
        return list(await asyncio.gather(*waiting))


def test_the_real_model_tells_a_finished_sentence_from_one_that_breaks_off(model_file: Path) -> None:
    sentence = recording("austen-0870")
    cut = len(sentence) * 6 // 10 // 2 * 2
    finished, broken_off = SmartTurn(model_file).score([sentence + PAUSE, sentence[:cut] + PAUSE])
    assert finished > 0.9
    assert broken_off < 0.1


async def test_many_calls_get_the_scores_that_each_would_get_alone(model_file: Path) -> None:
    model = SmartTurn(model_file)
    clips = [recording(name) + PAUSE for name in ("goforward", "cards-001", "austen-0880")]
    alone = [model.score([clip])[0] for clip in clips]
    async with scorer(model) as (found, outcomes):
        assert await answers(found, *clips) == pytest.approx(alone, abs=0.02)
    assert outcomes == {"told": 3}


async def test_requests_that_wait_are_answered_together_each_with_its_own_score() -> None:
    model = Instead()
    async with scorer(model) as (found, _):
        assert await answers(found, *[bytes(2 * n) for n in range(6)]) == pytest.approx(
            [0, 0.02, 0.04, 0.06, 0.08, 0.1]
        )
    assert sum(model.batches) == 6
    assert max(model.batches) <= 4


async def test_a_full_queue_refuses_and_the_others_are_answered() -> None:
    model = Instead()
    told: list[float] = []
    async with scorer(model) as (found, outcomes):
        for _ in range(40):
            found.ask(CLIP, told.append)
        await outcomes.reach(40)
    assert outcomes == {"full": 8, "told": 32}
    assert len(told) == 32


async def test_a_failing_model_says_nothing_and_is_asked_again() -> None:
    model = Instead(fails=True)
    async with scorer(model) as (found, outcomes):
        for n in (1, 2):
            found.ask(CLIP, lambda _: pytest.fail("there is no score"))
            await outcomes.reach(n)
    assert outcomes == {"failed": 2}


async def test_a_score_that_comes_too_late_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "_LATEST_S", -1.0)
    async with scorer(Instead()) as (found, outcomes):
        found.ask(CLIP, lambda _: pytest.fail("it is late"))
        await outcomes.reach(1)
    assert outcomes == {"late": 1}


def test_a_file_that_is_no_model_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "it.onnx").write_bytes(b"no model")
    with pytest.raises(ModelUnusable, match=r"it\.onnx"):
        SmartTurn(tmp_path / "it.onnx")


def test_another_model_is_refused_with_what_it_takes() -> None:
    from vad.model import model_path

    with pytest.raises(ModelUnusable, match="no model of Smart Turn v3"):
        SmartTurn(model_path())


def test_the_pinned_file_is_pulled_once(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hashlib.sha256(model_file.read_bytes()).hexdigest() == smart_turn_model.MODEL_SHA256
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it is there"))
    assert pull(model_file) == model_file


def test_a_changed_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "model.onnx"
    place.write_bytes(b"changed")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(NotPulled, match=r"PIP_INDEX_URL.*TURN_SCORER_MODEL_FILE"):
        pull(place)
    assert list(tmp_path.iterdir()) == [place], "nothing half done is left"


def test_the_module_that_fetches_needs_nothing_that_is_installed() -> None:
    """The image fetches the model with the interpreter that has pip, and that has nothing else."""
    source = Path(smart_turn_model.__file__).parents[2]
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import sys; sys.path.insert(0, sys.argv[1]); import voice_gateway.backends.smart_turn_model",
    ]
    assert subprocess.run([*command, str(source)], check=False).returncode == 0
