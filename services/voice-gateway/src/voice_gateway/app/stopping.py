"""How is the gateway asked to stop? Once: it drains. Once more: it closes every call now, with a reason."""

import asyncio
import signal


class Stop:
    """What SIGTERM and SIGINT ask for."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.at_once = asyncio.Event()

    def ask(self) -> None:
        """Stop; asked again, stop at once."""
        (self.at_once if self.drain.is_set() else self.drain).set()


def stop_on_signals() -> Stop:
    """Asked by SIGTERM and by SIGINT."""
    stop = Stop()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.ask)
    return stop
