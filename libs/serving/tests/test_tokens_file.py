"""A tokens file holds tokens, names and comments, and nothing else becomes a token."""

import pytest
from serving.tokens_file import MAX_BYTES, MAX_TOKENS, digest, parse


def holders(content: bytes, *tokens: str) -> list[str | None]:
    """Who holds these tokens; None = the file does not name the token."""
    found = parse(content)
    return [found.get(digest(token)) for token in tokens]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"secret\n", "line-1"),
        (b"\xef\xbb\xbfsecret\r\n", "line-1"),
        (b"\n  secret  \n\n", "line-2"),
        (b"# team A\nsecret", "line-2"),
        (b"  # team A\r\n\tsecret\r\n", "line-2"),
        (b"secret # team A", "line-1"),
        (b"secret\t#team A", "line-1"),
        (b"team-a: secret", "team-a"),
        (b"team-a:\tsecret  # until May", "team-a"),
        (b"a@b.example: secret", "a@b.example"),
    ],
)
def test_every_way_to_write_a_token_gives_one_token_and_its_name(content: bytes, name: str) -> None:
    assert parse(content) == {digest("secret"): name}


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"# team A", b"#secret", b"  #  # ", b"\xef\xbb\xbf# team A\n"])
def test_comments_and_empty_lines_are_no_tokens(content: bytes) -> None:
    assert parse(content) == {}
    assert holders(content, "", "#", "# team A", "team A", "#secret", "secret") == [None] * 6


@pytest.mark.parametrize("token", ["a#b", "a:b", "YWJj==", "x" * 4096, "!$%&'()*+,-./;<=>?@[]^_`{|}~"])
def test_signs_inside_a_token_belong_to_it(token: str) -> None:
    assert holders(f"{token}\n".encode(), token) == ["line-1"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"secret\nteam secret", r"its line 2; write TOKEN or NAME: TOKEN"),
        (b"te am: secret", r"its line 1; "),
        (b"a: b: secret", r"its line 1; "),
        ("sécret".encode(), r"its line 1; "),
        (b"se\x00cret", r"its line 1; "),
        (b"x" * 4097, r"its line 1; "),
        (b"a: secret\n# again\nb: secret", r"the token of line 3 twice"),
        (b"\xff\xfes\x00", r"is no text"),
        (b"#" * (MAX_BYTES + 1), r"holds more than \d+ bytes"),
        (b"".join(b"t%d\n" % n for n in range(MAX_TOKENS + 1)), r"holds 10001 tokens; 10000 are the most"),
    ],
)
def test_a_file_that_could_mean_something_else_is_refused_without_showing_a_token(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        parse(content)
    assert "secret" not in str(caught.value)
