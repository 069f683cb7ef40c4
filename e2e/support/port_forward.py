"""How does this machine reach a Service? By `kubectl port-forward`, as a laptop does."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

OPEN_WITHIN_S = 20


@contextmanager
def port_forward(namespace: str, target: str, port: int) -> Iterator[str]:
    """127.0.0.1:N that leads to `port` of `target` ("svc/name")."""
    order = ["kubectl", "-n", namespace, "port-forward", target, f":{port}"]
    with subprocess.Popen(order, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as forwarding:
        lines: Queue[str] = Queue(maxsize=100)
        reading = threading.Thread(target=_read, args=(forwarding, lines), daemon=True, name="port-forward output")
        reading.start()
        try:
            yield f"127.0.0.1:{_port(lines)}"
        finally:
            forwarding.terminate()
            forwarding.wait(timeout=10)
            reading.join(timeout=10)


def _read(forwarding: "subprocess.Popen[str]", lines: Queue[str]) -> None:
    assert forwarding.stdout is not None
    for line in forwarding.stdout:
        if not lines.full():  # only the first lines matter
            lines.put(line)


def _port(lines: Queue[str]) -> str:
    said = ""
    while True:
        try:
            line = lines.get(timeout=OPEN_WITHIN_S)
        except Empty:
            raise AssertionError(f"kubectl port-forward opened no port in {OPEN_WITHIN_S} s; it said: {said}") from None
        said += line
        if found := re.search(r"127\.0\.0\.1:(\d+)", line):
            return found[1]
