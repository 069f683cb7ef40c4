"""Is each language of the table found by its tag, and whole?"""

import pytest
from voice_gateway.config_languages import built_in, languages
from voice_gateway.core.language import Language


@pytest.mark.parametrize(
    ("tag", "found"),
    [("en-US", "en-US"), ("EN-us", "en-US"), ("de", "de-DE"), ("de-AT", "de-DE"), ("es-MX", "es-US"), ("hi", "hi-IN")],
)
def test_a_tag_finds_its_language(tag: str, found: str) -> None:
    assert built_in().find(tag).tag == found


def test_an_unknown_language_has_no_words() -> None:
    assert built_in().find("xx-YY") == Language("xx-YY")


@pytest.mark.parametrize("tag", ["en-US", "de-DE", "es-US", "hi-IN"])
def test_a_language_is_whole(tag: str) -> None:
    entry = built_in().find(tag)
    assert all(getattr(entry, name) for name in Language.__slots__)


def test_words_are_casefolded() -> None:
    for entry in built_in().by_tag.values():
        for words in (entry.fillers, entry.connectives, entry.number_words, entry.spelling_words, entry.backchannels):
            assert all(word == word.casefold() == " ".join(word.split()) for word in words)


def test_a_field_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="filler"):
        languages("en-US: {filler: [um]}")
