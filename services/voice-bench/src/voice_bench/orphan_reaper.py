"""What ends the servers when the program that started them is killed? This program.

It reads lines from its input: "+PID" (a process group to watch), "-PID" (gone by itself). When the input ends, every
group still watched gets SIGTERM and then SIGKILL. It knows nothing of the rest of this
package, so that it starts in milliseconds, and works wherever a pipe and a process group do.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE_S = 3.0


def main() -> None:
    """Read until the other end is gone, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        held.add(group) if line.startswith("+") else held.discard(group)
    for number in (signal.SIGTERM, signal.SIGCONT):
        held = {group for group in held if _sent(group, number)}
    deadline = time.monotonic() + PATIENCE_S
    while held and time.monotonic() < deadline:
        time.sleep(0.05)
        held = {group for group in held if _sent(group, 0)}
    for group in held:
        _sent(group, signal.SIGKILL)


def _sent(group: int, number: int) -> bool:
    """False when nobody of the group lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
