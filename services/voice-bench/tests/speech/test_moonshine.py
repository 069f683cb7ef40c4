"""Does the recogniser of the default installation understand people? In noise, over a telephone, for minutes; and does
it hear nothing where nobody speaks? On its real weights, against the thresholds of its table."""

import json
import os

from typer.testing import CliRunner
from voice_bench.cli import app
from voice_bench.speech.thresholds import ENGINES


def test_every_category_is_recognised_well_enough() -> None:
    folder = os.environ.get("VOICE_AUDIO")
    assert folder, "set VOICE_AUDIO to the folder that scripts/fetch_recordings.py prints"
    asked = ["quality", folder, "--engine", "moonshine", "--categories", "--no-alone", "--at-once", "2", "--json"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code in (0, 1), result.output
    judged = json.loads(result.stdout)["verdicts"]
    assert [one for one in judged if not one["met"]] == []
    names = {one["name"] for one in judged}
    assert names >= {f"word error rate, {category}" for category in ENGINES["moonshine"].categories}
    assert "words heard where nobody spoke" in names
