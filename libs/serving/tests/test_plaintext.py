"""Without encryption a server is reached from its own machine alone, unless its operator says otherwise."""

import pytest
from serving.plaintext import is_loopback, refusal


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.3.0.1", True), ("::1", True), ("localhost", True), ("LocalHost", True),
        ("0.0.0.0", False), ("::", False), ("", False), ("10.0.0.1", False), ("fe80::1%eth0", False),
        ("localhost.example", False), ("127.0.0.1.example", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_this_machine_count_as_such(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_a_server_for_others_needs_a_certificate_or_a_word() -> None:
    said = refusal("0.0.0.0", "GATEWAY", encrypted=False, wanted=False)

    for way in ("GATEWAY_TLS_CERT_FILE", "GATEWAY_PLAINTEXT=true", "GATEWAY_HOST=127.0.0.1"):
        assert way in said
    assert refusal("0.0.0.0", "GATEWAY", encrypted=True, wanted=False) == ""
    assert refusal("0.0.0.0", "GATEWAY", encrypted=False, wanted=True) == ""
    assert refusal("127.0.0.1", "GATEWAY", encrypted=False, wanted=False) == ""
