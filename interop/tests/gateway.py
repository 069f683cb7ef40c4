"""A gateway in front of a speech server and the mini LLM, each in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .conftest import Stand

_STARTS_WITHIN_S, _LEAVES_WITHIN_S = 30, 20


@contextmanager
def gateway_at(stand: Stand, folder: Path) -> Iterator[str]:
    """host:port of its web port, for the length of the block."""
    with ExitStack() as processes:
        llm = processes.enter_context(_served("mini-llm", "MINI_LLM", folder, {}))
        settings = {
            "GATEWAY_WEB_PORT": "0",
            "RIVA_HOST": "127.0.0.1",
            "RIVA_PORT": stand.grpc.rpartition(":")[2],
            "LLM_BASE_URL": f"http://127.0.0.1:{llm['http']}/v1",
            "LLM_MODEL": "mini-llm",
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": "0",
            "GATEWAY_DRAIN_S": "0",
        }
        ports = processes.enter_context(_served("voice-gateway", "GATEWAY", folder, settings))
        yield f"127.0.0.1:{ports['web']}"


@contextmanager
def _served(program: str, prefix: str, folder: Path, settings: dict[str, str]) -> Iterator[dict[str, int]]:
    """The ports of a server process; what it said is shown where it does not start."""
    file, log = folder / f"{program}.json", folder / f"{program}.log"
    own = {f"{prefix}_HTTP_PORT": "0", f"{prefix}_PORT": "0", f"{prefix}_PORTS_FILE": str(file)}
    environment = {**os.environ, **own, **settings}
    with log.open("w") as said:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(program))], env=environment, stdout=said, stderr=said
        )
        try:
            until = time.monotonic() + _STARTS_WITHIN_S
            while not file.exists():
                assert process.poll() is None, f"{program} ended before it was ready:\n{log.read_text()}"
                assert time.monotonic() < until, f"{program} is not ready in time:\n{log.read_text()}"
                time.sleep(0.05)
            yield json.loads(file.read_text())
        finally:
            process.terminate()
            process.wait(_LEAVES_WITHIN_S)
