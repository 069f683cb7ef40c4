"""What was measured? Collected during the run, printed at its end, and kept in out/e2e.json."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Figures:
    """Name and value, in the order they were found."""

    found: dict[str, str | float | int] = field(default_factory=dict)

    def say(self, name: str, value: str | float | int) -> None:
        """Seconds and shares are rounded to what is meant."""
        self.found[name] = round(value, 2) if isinstance(value, float) else value

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Says how long the block took, seconds."""
        begun = time.monotonic()
        yield
        self.say(name, time.monotonic() - begun)

    def write(self, path: Path) -> None:
        """Writes them as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
