"""How is a canary run? By voicectl, as an operator would."""

import sys
from pathlib import Path

from e2e.support.release import Release
from e2e.support.shell import run

VOICECTL = str(Path(sys.executable).with_name("voicectl"))


def voicectl(release: Release, *words: str, timeout_s: float = 300) -> str:
    """What it said. Raises CommandFailed."""
    return run([VOICECTL, "--namespace", release.namespace, "--release", release.name, *words], timeout_s=timeout_s)
