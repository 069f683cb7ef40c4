"""Which addresses can be reached from here? Prints a line of JSON: {"host:port": true | false, …}.

    python reach.py talk-gateway:50050 talk-speech:50051

One that does not answer within three seconds can't be: a NetworkPolicy drops packets.
"""

import json
import socket
import sys

LIMIT_S = 3.0


def reached(address: str) -> bool:
    """Whether a connection opens."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=LIMIT_S):
            return True
    except OSError:
        return False


sys.stdout.write(json.dumps({address: reached(address) for address in sys.argv[1:]}) + "\n")
