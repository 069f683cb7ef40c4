"""The name of a client that showed a certificate, as gRPC and as Python's ssl tell it."""

from typing import Any

import pytest
from serving.peer_certificate import of_grpc, of_http

CN, SAN = "x509_common_name", "x509_subject_alternative_name"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({CN: [b"billing"], SAN: [b"a.example"]}, "billing"),
        ({CN: [b""], SAN: [b"spiffe://a/b", b"a.example"]}, "spiffe://a/b"),
        ({CN: [b"two\nlines \xff"]}, "two?lines \ufffd"),
        ({CN: [b"x" * 500]}, "x" * 128),
        ({"transport_security_type": [b"ssl"]}, ""),
        ({}, ""),
    ],
)
def test_of_a_call(told: dict[str, list[bytes]], name: str) -> None:
    assert of_grpc(told) == name


ORGANISATION = (("organizationName", "o"),)
NAMED = (("commonName", "billing"),)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"subject": (ORGANISATION, NAMED), "subjectAltName": (("DNS", "a"),)}, "billing"),
        ({"subject": (ORGANISATION,), "subjectAltName": (("URI", "spiffe://a/b"), ("DNS", "a"))}, "spiffe://a/b"),
        ({"subject": ((("commonName", ""),),)}, ""),
        ({"subject": ()}, ""),
        (None, ""),
    ],
)
def test_of_a_request(told: dict[str, Any] | None, name: str) -> None:
    assert of_http(told) == name
