"""Every example of docs/speakable-text.md is true, however its text is cut into tokens."""

import random
import re
from pathlib import Path

import pytest
from voice_gateway.config_languages import built_in
from voice_gateway.core.speakable_text import SpeakableOptions, SpeakableText

PAGE = Path(__file__).parents[5] / "docs" / "speakable-text.md"
_BLOCK = re.compile(r"^```([a-z]{2}-[A-Z]{2})\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (language, *line.split(" ⇒ "))
    for language, lines in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for line in lines.splitlines()
]


def given(language: str, *tokens: str) -> list[str]:
    """What the voice is given."""
    stage = SpeakableText(built_in().spoken(language), "", SpeakableOptions())
    phrases = [phrase for token in tokens for phrase in stage.push(token, 0.0)] + stage.flush()
    return [phrase.spoken for phrase in phrases]


def cut(text: str, dice: random.Random) -> list[str]:
    """`text` as tokens."""
    tokens, at = [], 0
    while at < len(text):
        size = dice.randint(1, 6)
        tokens.append(text[at : at + size])
        at += size
    return tokens


@pytest.mark.parametrize(("language", "written", "spoken"), EXAMPLES)
def test_the_voice_is_given_what_the_page_says(language: str, written: str, spoken: str) -> None:
    text = written.replace("⏎", "\n")
    wanted = [] if spoken == "∅" else spoken.split(" ‖ ")
    assert given(language, text) == wanted
    assert given(language, *text) == wanted
    dice = random.Random(text)
    for _ in range(10):
        assert given(language, *cut(text, dice)) == wanted


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) > 80
    assert {"en-US", "de-DE", "es-ES", "fr-FR", "hi-IN", "zh-CN", "ar-SA"} <= {language for language, _, _ in EXAMPLES}
