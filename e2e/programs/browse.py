"""Do a page and a WebSocket come through? Runs in a pod of the client image, prints a line of JSON.

    python browse.py --connect 10.0.0.1:80 --host talk.example --path / --socket "/v1/realtime?model=voice" --hold-s 70

`page` is the status of the page and `kind` what it says it is. `socket` is the status of the WebSocket's handshake,
`first` the type of its first event, and `after` that of the answer to one that is sent when nothing was for `hold_s`.
"""

import argparse
import base64
import http.client
import json
import os
import struct
import sys
import time
from typing import Any

LIMIT_S = 20.0


def page(arguments: argparse.Namespace) -> dict[str, object]:
    """Fetch it."""
    connection = http.client.HTTPConnection(arguments.connect, timeout=LIMIT_S)
    connection.request("GET", arguments.path, headers={"Host": arguments.host})
    answer = connection.getresponse()
    content = answer.read()
    return {"page": answer.status, "kind": answer.headers.get_content_type(), "bytes": len(content)}


def socket(arguments: argparse.Namespace) -> dict[str, object]:
    """Open it, read an event, say nothing for a while, and ask."""
    connection = http.client.HTTPConnection(arguments.connect, timeout=LIMIT_S)
    connection.putrequest("GET", arguments.socket, skip_host=True)
    for name, value in {
        "Host": arguments.host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    wire: Any = connection.sock
    status = int(_line(wire).split()[1])
    while _line(wire):
        pass
    if status != http.HTTPStatus.SWITCHING_PROTOCOLS:
        return {"socket": status}
    first = _event(wire)
    time.sleep(arguments.hold_s)
    _send(wire, {"type": "input_audio_buffer.clear"})
    return {"socket": status, "first": first.get("type"), "after": _event(wire).get("type")}


def _line(wire: Any) -> str:
    read = b""
    while not read.endswith(b"\r\n"):
        read += _exactly(wire, 1)
    return read.decode().strip()


def _exactly(wire: Any, count: int) -> bytes:
    read = b""
    while len(read) < count:
        more = wire.recv(count - len(read))
        if not more:
            raise ConnectionError("the connection was cut")
        read += more
    return read


def _event(wire: Any) -> dict[str, Any]:
    """The next text frame; pings are no events, and those of 64 KiB do not come here."""
    while True:
        kind, length = _exactly(wire, 2)
        if length == 126:
            (length,) = struct.unpack(">H", _exactly(wire, 2))
        content = _exactly(wire, length)
        if kind & 0x0F == 1:
            return dict(json.loads(content))


def _send(wire: Any, event: dict[str, str]) -> None:
    content = json.dumps(event).encode()
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
    wire.sendall(bytes([0x81, 0x80 | len(content)]) + mask + masked)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connect", required=True, help="host:port of the proxy")
    parser.add_argument("--host", required=True, help="host name that the route has")
    parser.add_argument("--path", default="/")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--hold-s", type=float, default=0.0)
    arguments = parser.parse_args()
    found = page(arguments) | socket(arguments)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
