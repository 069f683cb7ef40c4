"""Does the echo canceller do what docs/talk.md says? In two of the rooms that scripts/measure_echo.py computes."""

import os
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["desk", "devices that drift by 100 ppm"])
def test_a_reply_is_taken_out_and_a_talker_is_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ.get("VOICE_AUDIO")
    assert folder, "set VOICE_AUDIO to the folder that scripts/fetch_recordings.py prints"
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from measure_echo import ROOMS, measure, recordings

    (room,) = [room for room in ROOMS if room.name == name]
    found = measure(recordings(Path(folder), "austen-*.wav"), recordings(Path(folder), "cards-*.wav"), room)
    assert found.first_erle_db > 20
    assert found.erle_db > 28
    assert found.talker_db > -8
