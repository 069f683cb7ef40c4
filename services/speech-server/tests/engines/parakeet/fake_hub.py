"""A hub on a real socket: one repository, with faults. Threads, since its client blocks."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPO = "someone/tiny-onnx"
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """`files` are served; `breaks` says how often a file's body breaks off in its middle."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.breaks: dict[str, int] = {}
        self.tampered: dict[str, bytes] = {}
        self.fails = 0
        self.sent_bytes: dict[str, int] = {}
        self.is_asked = threading.Event()
        """A file was asked for."""
        self.goes_on = threading.Event()
        """Clear it, and a file's body stays away until it is set."""
        self.goes_on.set()

    def handle_error(self, *_: object) -> None:
        """Clients may die in the middle of an answer."""

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *arguments: object) -> None:
        """Not on the terminal."""

    def _answer(self, body: bool) -> None:
        if self.server.fails:
            self.server.fails -= 1
            return self._say(503, b"busy", {}, body)
        path = self.path.split("?")[0]
        if re.match(rf"/api/models/{REPO}(/revision/{REVISION})?$", path):
            return self._say(200, json.dumps(self._info()).encode(), {"Content-Type": "application/json"}, body)
        if path.startswith(f"/api/models/{REPO}/tree/{REVISION}"):
            tree = [{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in self.server.files.items()]
            return self._say(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, body)
        found = re.match(rf"/{REPO}/resolve/{REVISION}/(.+)$", path)
        if found and found[1] in self.server.files:
            return self._file(found[1], body)
        return self._say(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)

    def _info(self) -> dict[str, object]:
        siblings = [{"rfilename": name, "size": len(content)} for name, content in self.server.files.items()]
        return {"id": REPO, "modelId": REPO, "sha": REVISION, "siblings": siblings, "private": False, "tags": []}

    def _file(self, name: str, body: bool) -> None:
        content = self.server.tampered.get(name, self.server.files[name])
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        etag = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        rest = content[start:]
        cut = len(rest)
        if body and self.server.breaks.get(name, 0):
            self.server.breaks[name] -= 1
            cut = len(rest) // 2
        if body:
            self.server.is_asked.set()
            self.server.goes_on.wait(60)
            self.server.sent_bytes[name] = self.server.sent_bytes.get(name, 0) + cut
        self._say(206 if start else 200, rest, headers, body, cut)

    def _say(self, status: int, content: bytes, headers: dict[str, str], body: bool, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:cut])
        self.close_connection = True


@contextmanager
def hub(folder: Path) -> Iterator[Hub]:
    """Serve the folder's files for the length of the block."""
    server = Hub(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="fake hub")
    thread.start()
    try:
        yield server
    finally:
        server.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
