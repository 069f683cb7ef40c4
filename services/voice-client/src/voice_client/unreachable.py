"""Why does nobody answer? The details of gRPC's UNAVAILABLE in plain words, and what to do.

The marks are parts of the texts of gRPC 1.81's core; an unknown text is shown as it is.
"""

_MARKS = (
    (("an http1.x server",), "it is an HTTP port; name the gRPC port, 50050 where nothing else is set"),
    (("WRONG_VERSION_NUMBER",), "it does not speak TLS; leave --tls and --ca out"),
    (("CERTIFICATE_VERIFY_FAILED",), "its certificate is not signed by that authority; name the right one with --ca"),
    (("is not verified", "Peer name"), "its certificate is for another name; give that one with --server-name"),
    (("CERTIFICATE_REQUIRED",), "it wants a certificate of the caller; give one with --cert and --key"),
    (("Domain name not found", "errors resolving", "DNS"), "the name can't be resolved; check it"),
    (("Connection refused",), "nothing listens there; start a gateway, or name another address"),
    (("imed out", "Timeout occurred", "unreachable"), "the network does not get there; check address and network"),
    (
        ("Socket closed", "Connection reset", "End of file", "GOAWAY", "recvmsg"),
        "it hung up at once; does it want TLS (--tls, --ca), or is it no gateway?",
    ),
)


def reason(details: str) -> str:
    """What is wrong and what to do, without a full stop."""
    for marks, sentence in _MARKS:
        if any(mark in details for mark in marks):
            return sentence
    return f"start one or name another address ({details})"
