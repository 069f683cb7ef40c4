"""Which languages does a list of Riva's models and voices hold?"""

import pytest
from voice_gateway.backends.server_languages import languages_of, voices_of


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


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([{"voice_name": "English-US", "subvoices": "Ann:0, Bob:1"}], ["English-US.Ann", "English-US.Bob"]),
        ([{"voice_name": "Magpie", "subvoices": "EN-US.Aria"}], ["Magpie.EN-US.Aria"]),
        ([{"voice_name": "Solo"}, {"voice_name": "Solo", "subvoices": ""}], ["Solo", "Solo"]),
        ([{"subvoices": "Ann:0"}, {}, {"voice_name": "a\nb"}, {"voice_name": "x" * 129}], []),
    ],
)
def test_the_voices_of_synthesis(listed: list[dict[str, str]], found: list[str]) -> None:
    assert voices_of(listed) == found
