"""Why does nobody answer? The details of gRPC's UNAVAILABLE in plain words, and what to do.

The marks are parts of the texts of gRPC 1.81's core; an unknown text is shown as it is.
"""

_MARKS = (
    (("an http1.x server",), "this is an HTTP port; name the gRPC port (50050 by default)"),
    (("WRONG_VERSION_NUMBER",), "this port does not use TLS; leave out --tls and --ca"),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        "the gateway's certificate is not signed by a trusted authority; name the right one with --ca",
    ),
    (
        ("is not verified", "Peer name"),
        "the gateway's certificate is for another host name; give that name with --server-name",
    ),
    (("CERTIFICATE_REQUIRED",), "the gateway requires a client certificate; give one with --cert and --key"),
    (("Domain name not found", "errors resolving", "DNS"), "the name can't be resolved; check it"),
    (("Connection refused",), "nothing listens there; start a gateway, or name another address"),
    (
        ("imed out", "Timeout occurred", "unreachable"),
        "the network does not reach this address; check address and network",
    ),
    (
        ("Socket closed", "Connection reset", "End of file", "GOAWAY", "recvmsg"),
        "the server closed the connection at once; does it require TLS (--tls, --ca)? Is it a gateway?",
    ),
)


def reason(details: str) -> str:
    """What is wrong and what to do, without a full stop."""
    for marks, sentence in _MARKS:
        if any(mark in details for mark in marks):
            return sentence
    return f"start one or name another address ({details})"
