"""Is a language found however its tag is written?"""

import pytest
from voice_gateway.config_languages import built_in
from voice_gateway.core.language import canonical


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("EN-us", "en-US"),
        ("de_AT", "de-AT"),
        (" es-419 ", "es-419"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("DE", "de"),
        ("", ""),
        ("multi", "multi"),
        ("-", "-"),
    ],
)
def test_a_tag_is_written_as_the_standard_says(tag: str, written: str) -> None:
    assert canonical(tag) == written
    assert canonical(written) == written


def test_a_tag_of_another_country_or_with_an_underscore_finds_its_language() -> None:
    for tag in ("de", "DE-at", "de_CH", "de_DE"):
        assert built_in().find(tag).tag == "de-DE"
    assert not built_in().find("zh-Hant").answers
