"""How does a script run here? With kubectl, helm and docker of our own on its PATH, which write down what was asked."""

import asyncio
import json
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 60.0

_ACTOR = """#!{python} -IS
import json, os, sys, time
play = json.load(open({play!r}))
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
line = " ".join([name, *words])
piped = sys.stdin.read() if "/dev/stdin" in line or "--filename=-" in words else ""
with open({calls!r}, "a") as calls:
    calls.write(json.dumps({{"line": line, "stdin": piped}}) + "\\n")
for part, answer in play["answers"]:
    if part in line:
        seen = open({calls!r}).read().count(part)
        sys.stdout.write(answer["first"] if "first" in answer and seen == 1 else answer.get("out", ""))
        sys.stderr.write(answer.get("err", ""))
        sys.stdout.flush()
        if answer.get("pass_on"):
            sys.stdout.write(piped)
        if answer.get("stays"):
            sys.stdout.close()
            time.sleep(60)
        sys.exit(answer.get("status", 0))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended."""

    status: int
    out: str
    err: str


@dataclass(slots=True)
class ScriptRunner:
    """A folder with the actors, and what they answer: to the first entry whose words are part of the command."""

    folder: Path
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        for name in ("kubectl", "helm", "docker"):
            self.acts(name)
        self._calls.touch()

    def acts(self, name: str) -> None:
        """A program of that name is one of the actors."""
        program = _ACTOR.format(python=sys.executable, play=str(self._play), calls=str(self._calls))
        actor = self.folder / "bin" / name
        actor.write_text(program, encoding="utf-8")
        actor.chmod(actor.stat().st_mode | stat.S_IXUSR)

    @property
    def _play(self) -> Path:
        return self.folder / "play.json"

    @property
    def _calls(self) -> Path:
        return self.folder / "calls.jsonl"

    @property
    def calls(self) -> list[dict[str, str]]:
        """Every command so far, in order: its words in one line, and what was piped into it."""
        return [json.loads(line) for line in self._calls.read_text(encoding="utf-8").splitlines()]

    @property
    def lines(self) -> list[str]:
        """The commands alone."""
        return [call["line"] for call in self.calls]

    def answer(self, part: str, **answer: Any) -> None:
        """What a command with these words gets: out, err, status; first = out of the first such command; stays = does
        not end by itself."""
        self.answers.append((part, answer))

    def forwards(self, target: str, port: int) -> None:
        """kubectl port-forward to `target` leads to `port` of this machine."""
        self.answer(f"port-forward {target}", out=f"Forwarding from 127.0.0.1:{port} -> 1\n", stays=True)

    async def run(self, script: str, *words: str, **environment: str) -> Outcome:
        """scripts/`script` with these words, in an environment without the caller's keys and clusters."""
        self._play.write_text(json.dumps({"answers": self.answers}), encoding="utf-8")
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        process = await asyncio.create_subprocess_exec(
            ROOT / "scripts" / script,
            *words,
            env={"PATH": path, "HOME": str(self.folder), **environment},
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), WAIT_S)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return Outcome(process.returncode, out.decode(), err.decode())
