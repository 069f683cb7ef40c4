"""Which of a server's languages serves a caller's?"""

import pytest
from voice_gateway.core.language import served_as


@pytest.mark.parametrize(
    ("tag", "have", "found"),
    [
        ("de-DE", ["en-US", "de-DE"], "de-DE"),
        ("DE-de", ["de-DE"], "de-DE"),
        ("de_DE", ["de-DE"], "de-DE"),
        ("en-GB", ["de-DE", "en-US"], "en-US"),
        ("en-GB", ["en-US", "en-GB"], "en-GB"),
        ("de", ["de-DE"], "de-DE"),
        ("de-DE", ["de"], "de"),
        ("ja-JP", ["multi"], "ja-JP"),
        ("en-US", ["multi", "en-US"], "en-US"),
        ("ja-JP", ["en-US"], ""),
        ("ja-JP", [], ""),
    ],
)
def test_the_same_tag_comes_before_the_same_language(tag: str, have: list[str], found: str) -> None:
    assert served_as(tag, have) == found
