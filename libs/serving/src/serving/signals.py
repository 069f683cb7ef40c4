"""How is a server asked to stop? By SIGTERM or SIGINT: once, and it drains; once more, and it waits for nobody."""

import asyncio
import signal


class Stop:
    """What the signals ask for."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.at_once = asyncio.Event()
        self.signal_number = int(signal.SIGTERM)
        """The signal that asked first."""

    def ask(self, signal_number: int = signal.SIGTERM) -> None:
        """Drain; asked again, stop at once."""
        if self.drain.is_set():
            self.at_once.set()
        else:
            self.signal_number = signal_number
            self.drain.set()


def stop_on_signals() -> Stop:
    """Asked by SIGTERM and by SIGINT from now on. For the main thread."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask, number)
    return stop
