"""Where does a server listen? Where it may; a file tells whoever started it which ports it has."""

import json
from pathlib import Path


class PortTaken(OSError):
    """The address can't be listened on; the sentence says what to set."""

    def __init__(self, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"can't listen on {host}:{port} (in use, or not allowed); set {setting} to a free port, or 0 for any"
        )


def write_ports_file(file: Path, **ports: int) -> None:
    """The ports by name. Whoever waits for the file never reads half of it. Raises OSError."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(json.dumps(ports), encoding="utf-8")
    new.replace(file)
