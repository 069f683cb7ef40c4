"""Does docs/talk.md say what `voice talk` does?"""

import re
from pathlib import Path

from voice_client.cli.key_commands import KEYS, shown_keys

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "talk.md").read_text(encoding="utf-8")


def test_the_page_has_every_key() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE)
    keys = {key.strip() for row in rows for key in row.split(",")}
    shown = {key for key, _ in shown_keys(push_to_talk=True, typing=False)}
    assert shown <= keys
    assert {"space" if key == " " else key for key in KEYS} - {"end"} <= keys


def test_the_picture_is_of_a_call_and_takes_nothing_from_elsewhere() -> None:
    picture = (DOCS / "images" / "voice-talk.svg").read_text(encoding="utf-8")
    for words in ("connected", "interrupt", "first&#160;token", "▸"):
        assert words in picture, f"{words} is missing; run scripts/talk_picture.py"
    assert set(re.findall(r"https?://[^\s\"/<]+", picture)) <= {"http://www.w3.org"}
    assert "url(http" not in picture


def test_every_link_of_the_page_leads_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", PAGE):
        assert (DOCS / link).exists(), link
