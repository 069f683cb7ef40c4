"""`speech-server doctor`: 0 when the server of the settings can start and work, 1 when something stands in its way."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from speech_server.cli.doctor.devices import device_of, look_at_devices
from speech_server.cli.doctor.findings import Finding, ok
from speech_server.cli.doctor.parts import look_at_parts
from speech_server.cli.doctor.surroundings import look_at_surroundings
from speech_server.cli.doctor.weights import look_at_weights
from speech_server.engines.registry import recognisers
from speech_server.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """The `doctor` verb; gives the exit status. Raises BadSettings."""
    parser = argparse.ArgumentParser(
        prog="speech-server doctor", description="What does this machine have, and what is missing?"
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of lines")
    given = parser.parse_args(arguments)
    findings = examine(Settings())
    if given.json:
        sys.stdout.write(json.dumps([asdict(one) for one in findings], indent=2) + "\n")
    else:
        sys.stdout.write("".join(_lines(one) for one in findings))
    return int(any(one.mark == "BAD" for one in findings))


def examine(settings: Settings) -> list[Finding]:
    """All findings for the engines of the settings."""
    first, *others = recognisers(settings)
    engines = f"recogniser {first}{f', spare {others[0]}' if others else ''}; voice {settings.server.speech_tts_engine}"
    return [
        ok("engines", engines),
        *look_at_devices(settings),
        *look_at_weights(settings, device_of(settings)),
        *look_at_parts(settings),
        *look_at_surroundings(settings, datetime.now(UTC)),
    ]


def _lines(one: Finding) -> str:
    advice = f"     -> {one.advice}\n" if one.advice else ""
    return f"{one.mark:4} {one.what}: {one.found}\n{advice}"
