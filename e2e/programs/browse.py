"""Do the page and a call over WebSocket come through? Runs in a pod of the client image, prints a line of JSON.

    python browse.py --connect 10.0.0.1:80 --host talk.example --hold-s 75

`page` is the status of the page and `kind` what it says it is. `socket` is the status of the handshake at /v1/converse;
`began` and `ended` say whether the gateway answered the begin of a call, and its end after `hold_s` of silence.
"""

import argparse
import base64
import http.client
import json
import os
import socket
import struct
import sys
import time
from typing import Any

LIMIT_S = 20.0
TEXT, PING, PONG = 1, 9, 10


class WebSocket:
    """A client of few bytes: the image has no package for it."""

    def __init__(self, connection: http.client.HTTPConnection, host: str) -> None:
        connection.putrequest("GET", "/v1/converse", skip_host=True)
        for name, value in {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "voice_workflow.v1.json",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.sock is not None
        self._wire: socket.socket = connection.sock
        self.status = int(self._line().split()[1])
        while self._line():
            pass

    def send(self, message: dict[str, Any]) -> None:
        """A message as JSON."""
        self._frame(TEXT, json.dumps(message).encode())

    def receive(self, within_s: float) -> dict[str, Any] | None:
        """The next message; None = none came. Pings are answered meanwhile."""
        end = time.monotonic() + within_s
        while (left_s := end - time.monotonic()) > 0:
            self._wire.settimeout(left_s)
            try:
                kind, length = self._bytes(2)
            except TimeoutError:
                return None
            self._wire.settimeout(LIMIT_S)
            if length == 126:
                (length,) = struct.unpack(">H", self._bytes(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._bytes(8))
            content = self._bytes(length)
            if kind & 0x0F == PING:
                self._frame(PONG, content)
            elif kind & 0x0F == TEXT:
                return dict(json.loads(content))
        return None

    def until(self, name: str) -> bool:
        """Whether a message of this kind comes."""
        while (message := self.receive(LIMIT_S)) is not None:
            if name in message:
                return True
        return False

    def _frame(self, kind: int, content: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        self._wire.sendall(bytes([0x80 | kind, 0x80 | len(content)]) + mask + masked)

    def _line(self) -> str:
        read = b""
        while not read.endswith(b"\r\n"):
            read += self._bytes(1)
        return read.decode().strip()

    def _bytes(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            more = self._wire.recv(count - len(read))
            if not more:
                raise ConnectionError("the connection was cut")
            read += more
        return read


def page(address: str, host: str) -> dict[str, Any]:
    """Fetch it."""
    connection = http.client.HTTPConnection(address, timeout=LIMIT_S)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    return {"page": answer.status, "kind": answer.headers.get_content_type()}


def call(address: str, host: str, hold_s: float) -> dict[str, Any]:
    """Hold one in which nobody speaks."""
    ws = WebSocket(http.client.HTTPConnection(address, timeout=LIMIT_S), host)
    if ws.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
        return {"socket": ws.status}
    ws.send({"start": {}})
    began = ws.until("started")
    end = time.monotonic() + hold_s
    while (left_s := end - time.monotonic()) > 0:
        ws.receive(left_s)
    ws.send({"end": {}})
    return {"socket": ws.status, "began": began, "ended": ws.until("ended")}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connect", required=True, help="host:port of the proxy")
    parser.add_argument("--host", required=True, help="host name that the route has")
    parser.add_argument("--hold-s", type=float, default=0.0)
    asked = parser.parse_args()
    found = page(asked.connect, asked.host) | call(asked.connect, asked.host, asked.hold_s)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
