"""How does an engine load once and serve many streams? A fork server process forks one child for each.

The fork server holds the loaded engine and nothing else: no threads, no asyncio, no grpc, so forking it is safe, and a
child shares its memory. The server holds the other end of the fork server's standard input, a Unix socket: each byte
that arrives there brings the socket of a new stream. End of file on either socket means the server is gone, closed the
stream or stopped, and ends the process that reads it: no process outlives its server.
"""

import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from speech_server.engines.process.protocol import FAILED, READY, Wire, pack
from speech_server.errors import EngineUnavailable

Serve = Callable[[Wire], None]
"""What a child does with its stream, until the wire ends."""

CHILD_EXIT_S = 1.0
"""How long a stopped fork server waits for its children before it kills them."""

_NICENESS = 5
"""Children yield to the server: a stream that falls behind is better than a server that doesn't answer."""


def run_fork_server(load: Callable[[], Serve]) -> None:
    """Load the engine, then fork a child per stream until the server hangs up.

    The process must lead its own group (`start_new_session`): what is left of it is killed as a group.
    """
    control = socket.socket(fileno=0)
    try:
        serve = load()
    except EngineUnavailable as error:
        control.sendall(pack(FAILED, str(error).encode()))
        return
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and thereby copy, every shared page in every child
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    control.sendall(pack(READY))
    while (connection := _next_stream(control)) is not None:
        _fork(control, connection, serve)
    _end_children()


def _next_stream(control: socket.socket) -> socket.socket | None:
    """The socket of the next stream, or None when the server is gone."""
    try:
        order, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    except ConnectionError:
        return None
    return socket.socket(fileno=descriptors[0]) if order and descriptors else None


def _fork(control: socket.socket, connection: socket.socket, serve: Serve) -> None:
    try:
        child = os.fork() == 0
    except OSError:  # no memory or no process left: the server sees the stream's end and says so
        traceback.print_exc()
        child = False
    if child:
        _live(control, connection, serve)
    connection.close()


def _live(control: socket.socket, connection: socket.socket, serve: Serve) -> NoReturn:
    """The whole life of a child; it never returns into the fork server's code."""
    status = 1
    try:
        control.close()
        os.nice(_NICENESS)
        wire = Wire(connection)
        wire.send(READY)
        serve(wire)
        status = 0
    except ConnectionError:
        status = 0  # the server hung up while we wrote
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _end_children() -> None:
    """Wait for the children, whose streams are closed too, then kill what is left, this process included."""
    deadline = time.monotonic() + CHILD_EXIT_S
    while time.monotonic() < deadline:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.005)
    os.killpg(0, signal.SIGKILL)
