"""A session's secret opens its socket for a while, and only with the token it was made of."""

import pytest
from serving.tokens_file import digest
from speech_server.core.requests.session_secret import opened, session_secret

ONE, OTHER = digest("one"), digest("other")
GOOD = session_secret(ONE, 1000)


def test_a_secret_is_known_again_until_its_time_is_over() -> None:
    secret = session_secret(ONE, 1000)
    assert opened(secret, [OTHER, ONE], 999.0) == ONE
    assert opened(secret, [OTHER, ONE], 1001.0) is None


def test_a_secret_ends_with_its_token() -> None:
    assert opened(session_secret(ONE, 1000), [OTHER], 1.0) is None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "x",
        "1000",
        "1000..",
        f"9{session_secret(ONE, 1000)}",
        session_secret(ONE, 1000)[:-1] + "g",
        "²." * 3,
        "1" * 5000,
    ],
)
def test_a_made_up_secret_opens_nothing(secret: str) -> None:
    assert opened(secret, [ONE], 1.0) is None
