"""Realtime clients against the gateway: OpenAI's own in Python and in JavaScript, Pipecat's, LiveKit's.

All of them talk to one gateway at the same time, in real time: a question that needs a tool, and a barge-in.
"""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pcm import read_wav, write_wav

from .conftest import ROOT, Stand, converse
from .gateway import gateway_at

QUESTION, INTERRUPTION = "what is the weather in paris", "please tell me the time"
WIRE_RATE_HZ = 24_000
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """What each client has seen of its conversation."""
    folder = tmp_path_factory.mktemp("realtime")
    question, interruption = (_said(stand, words, folder) for words in (QUESTION, INTERRUPTION))
    with gateway_at(stand, folder) as web, ThreadPoolExecutor() as clients:
        running = {
            "openai": clients.submit(
                converse, "openai", f"http://{web}/v1", str(question), str(interruption), script="realtime.py"
            ),
            "openai-js": clients.submit(_javascript, web, question, interruption),
            "pipecat": clients.submit(converse, "pipecat", f"ws://{web}", str(question), script="realtime.py"),
            "livekit": clients.submit(converse, "livekit", f"http://{web}/v1", str(question), script="realtime.py"),
        }
        yield {name: client.result() for name, client in running.items()}


def _said(stand: Stand, words: str, folder: Path) -> Path:
    """The words as the speech server speaks them: WAV at the wire's rate."""
    path = folder / f"{words.split()[-1]}.wav"
    converse("riva", "speak_online", stand.grpc, words, str(path))
    write_wav(path, [read_wav(path).at(WIRE_RATE_HZ).pcm16], WIRE_RATE_HZ)
    return path


def _javascript(web: str, question: Path, interruption: Path) -> Seen:
    raw = []
    for path in (question, interruption):
        raw.append(path.with_suffix(".pcm"))
        raw[-1].write_bytes(read_wav(path).pcm16)
    node, script = ROOT / ".venv" / "bin" / "node", ROOT / "interop" / "openai-js" / "converse.mjs"
    command = [str(node), str(script), f"ws://{web}/v1/realtime", *map(str, raw)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    found: Seen = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_the_openai_sdk_asks_calls_and_interrupts(seen: dict[str, Seen]) -> None:
    found = seen["openai"]
    assert found["errors"] == []
    assert found["tool"] == ["get_weather", {"city": "Paris"}]
    assert found["responses"] == [["completed", None], ["cancelled", "turn_detected"], ["completed", None]]
    assert 500 < found["truncated_ms"] < 5000
    assert "weather" in found["transcripts"][0].lower()
    assert sum(found["audio_s"].values()) > 2


def test_the_agents_sdk_asks_calls_and_interrupts(seen: dict[str, Seen]) -> None:
    found = seen["openai-js"]
    assert found["errors"] == []
    assert found["tool"] == ["get_weather", "Paris"]
    assert found["statuses"] == ["completed", "cancelled", "completed"]
    assert found["audio_s"] > 2
    assert [role for role, _ in found["said"]].count("user") == 2


def test_pipecat_speaks_and_hears(seen: dict[str, Seen]) -> None:
    found = seen["pipecat"]
    assert found["errors"] == []
    assert found["audio_s"] > 0.5


def test_livekit_speaks_and_hears(seen: dict[str, Seen]) -> None:
    found = seen["livekit"]
    assert found["errors"] == []
    assert found["audio_s"] > 0.5
