"""Which scenarios go well? Each is played and judged; one that can't be played has not gone well."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_bench.evals.judging import judge
from voice_bench.evals.playing import PlayedCall, play
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.scenario_file import read_scenario
from voice_bench.evals.scripted_gateway import BadScenario
from voice_bench.evals.virtual_time import HangsForever, NeverEnds, NeverWaits


@dataclass(frozen=True, slots=True)
class PlayedFile:
    """A scenario that was played."""

    file: Path
    scenario: Scenario
    call: PlayedCall | None
    """None = it could not be played."""
    mistakes: tuple[str, ...]
    took_s: float
    """In real time."""

    @property
    def name(self) -> str:
        """Of the scenario: its folder and file."""
        return f"{self.file.parent.name}/{self.file.stem}"


def play_files(files: Sequence[Path]) -> Iterator[PlayedFile]:
    """Each file, as it was played. All are read before the first is played. Raises BadScenarioFile."""
    scenarios = [(file, read_scenario(file)) for file in files]
    return (play_one(file, scenario) for file, scenario in scenarios)


def play_one(file: Path, scenario: Scenario) -> PlayedFile:
    """One scenario."""
    began = time.perf_counter()
    call, mistakes = None, []
    try:
        call = play(scenario, file.parent)
        mistakes = judge(call)
    except (BadScenario, HangsForever, NeverEnds, NeverWaits, OSError, ValueError) as error:
        mistakes = [str(error)]
    except Exception as error:  # of one scenario; the others are played all the same
        mistakes = [f"the gateway failed: {_innermost(error)!r}"]
    return PlayedFile(file, scenario, call, tuple(mistakes), time.perf_counter() - began)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
