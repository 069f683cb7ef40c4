"""What does an engine hear by itself? `speech-server recognise` runs it without a server, on the same recordings."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from voice_bench.process import Launch, Server, StackFailed, reap_orphans
from voice_bench.speech.corpus import CorpusItem
from voice_bench.stack_config import Part, StackConfig

START_WITHIN_S = 1800.0
"""An engine's first start may fetch its weights."""
PER_RECORDING_S = 120.0


async def recognise_without_server(
    recordings: Sequence[CorpusItem], settings: Mapping[str, str], language: str
) -> Mapping[Path, str]:
    """The engine's text of each recording, by its path. Raises StackFailed, with what the engine said of it."""
    with tempfile.TemporaryDirectory(prefix="voice-alone-") as name:
        folder = Path(name)
        listed, answers = folder / "recordings.txt", folder / "answers.jsonl"
        listed.write_text("".join(f"{one.path.absolute()}\n" for one in recordings), encoding="utf-8")
        launch = Launch(
            name=Part.SPEECH.value,
            arguments=("recognise", "--json", "--out", str(answers), "--language", language, f"@{listed}"),
            environment=StackConfig(speech=settings).settings(Part.SPEECH),
            ports_file=folder / "none",
            log=folder / "recognise.log",
            start_timeout_s=START_WITHIN_S + PER_RECORDING_S * len(recordings),
        )
        async with reap_orphans() as reaper:
            server = Server(launch, reaper)
            try:
                await server.run()
            finally:
                await server.kill()
        return _read(answers)


def _read(answers: Path) -> dict[Path, str]:
    try:
        lines = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
        return {Path(one["file"]): str(one["text"]) for one in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackFailed(f"speech-server recognise left no answers that can be read: {error!r}") from error
