"""A speech server in a process of its own, and other people's clients in theirs.

No client shares a process, or even packages, with the server: each runs in the environment `make interop` made for it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import trustme

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / ".venv" / "interop"
SENTENCE = "please tell me the time"
"""What the voice says, and the recogniser understands word for word."""
_LEAVE_S, _CLIENT_S = 20, 90


def plain(text: str) -> str:
    """Words only: whether a transcript has capitals and a full stop depends on what a client asks for."""
    return " ".join(text.lower().replace(".", " ").split())


@dataclass(frozen=True)
class Stand:
    """Where the server listens."""

    grpc: str
    url: str

    @property
    def address(self) -> str:
        """Of its HTTP port, as host:port."""
        return self.url.removeprefix("http://")


@dataclass(frozen=True)
class Papers:
    """Certificates, as PEM files."""

    authority: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Papers]]:
    """A scripted server that lets in callers with a certificate only."""
    folder = tmp_path_factory.mktemp("sealed")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, issued in (("server", authority.issue_cert("localhost")), ("client", authority.issue_cert("caller"))):
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
    settings = {
        "SPEECH_ASR_ENGINE": "scripted",
        "SPEECH_TTS_ENGINE": "tone",
        "SCRIPT_TRANSCRIPT": SENTENCE,
        "SPEECH_TLS_CERT_FILE": str(folder / "server.pem"),
        "SPEECH_TLS_KEY_FILE": str(folder / "server.key"),
        "SPEECH_TLS_CLIENT_CA_FILE": str(folder / "ca.pem"),
    }
    with serving(settings, "localhost") as found:
        yield found, Papers(folder / "ca.pem", folder / "client.pem", folder / "client.key")


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """The real engines of a laptop, with the voice that is understood word for word."""
    with serving({"SPEECH_VOICE_ALIASES": json.dumps({"alloy": "English-US.Rob"})}) as found:
        yield found


@contextmanager
def serving(settings: dict[str, str], host: str = "127.0.0.1") -> Iterator[Stand]:
    """A server process for the length of the block."""
    environment = {
        **os.environ,
        "SPEECH_HOST": "127.0.0.1",
        "SPEECH_GRPC_PORT": "0",
        "SPEECH_HTTP_PORT": "0",
        "SPEECH_DRAIN_NOTICE_S": "0",
        "SPEECH_DRAIN_GRACE_S": "0",
        **settings,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "speech_server"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    with server.stderr as log:
        yield _ready(log, host)
        server.terminate()
        server.wait(_LEAVE_S)


def _ready(log: IO[str], host: str) -> Stand:
    said = ""
    for line in log:
        said += line
        if found := re.search(r"ready: gRPC (\d+), HTTP (\d+)", line):
            return Stand(f"{host}:{found[1]}", f"http://{host}:{found[2]}")
    raise RuntimeError(f"the speech server ended before it was ready:\n{said}")


def run(client: str, script: str, *arguments: str, folder: Path | None = None) -> str:
    """Run a program in a client's environment; gives what it wrote. A failure shows all it said."""
    python = CLIENTS / client / "bin" / "python"
    assert python.exists(), f"{python} is missing: run `make interop`"
    command = [str(python), str(ROOT / "interop" / client / script), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_CLIENT_S, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, f"{script} {arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def converse(client: str, *arguments: str, script: str = "converse.py") -> Any:
    """Run a client's script; gives the JSON of its last line."""
    return json.loads(run(client, script, *arguments).strip().splitlines()[-1])


@pytest.fixture(scope="session")
def spoken(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sentence as NVIDIA's package fetched it from the server: 16 kHz WAV."""
    path = tmp_path_factory.mktemp("spoken") / "sentence.wav"
    converse("riva", "speak_online", stand.grpc, SENTENCE, str(path))
    return path
