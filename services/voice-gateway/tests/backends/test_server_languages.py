"""Which languages does a list of Riva's models and voices hold?"""

import pytest
from voice_gateway.backends.server_languages import languages_of


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([{"language_code": "en-US"}, {"language_code": "de-DE"}], ["en-US", "de-DE"]),
        ([{"language_code": "en-US, es-US,"}], ["en-US", "es-US"]),
        ([{"language_code": "en-US"}, {"language_code": "EN-us"}], ["en-US"]),
        ([{"language_code": "en-US", "type": "online"}, {"language_code": "de-DE", "type": "offline"}], ["en-US"]),
        ([{"language_code": "de-DE", "type": "offline"}], ["de-DE"]),
        (
            [{"language_code": "en-US", "voice_name": "Magpie", "subvoices": "EN-US.Aria:0,ES-US.Diego:1,DE-DE.Leo:2"}],
            ["en-US", "ES-US", "DE-DE"],
        ),
        ([{"language_code": "en-US", "subvoices": "Female-1:0,Male-Calm:1"}], ["en-US"]),
        ([{}, {"language_code": ""}, {"language_code": "x" * 36}, {"language_code": "a\nb"}], []),
    ],
)
def test_the_languages_of_what_can_stream(listed: list[dict[str, str]], found: list[str]) -> None:
    assert languages_of(listed) == found
