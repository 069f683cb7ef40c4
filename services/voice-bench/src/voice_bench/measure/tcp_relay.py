"""How does a network vanish? A TCP relay that stops forwarding, closes nothing, and goes on accepting."""

import asyncio
from contextlib import suppress


class TcpRelay:
    """One port in front of another. Use as a context manager."""

    def __init__(self, behind: int) -> None:
        self.port = 0
        self.behind: int | None = behind
        """Port of the server behind; None = there is none, connections are closed at once."""
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "TcpRelay":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Nothing gets through from now on."""
        self._open.clear()

    def forward(self) -> None:
        """What was held back gets through, as TCP would send it again."""
        self._open.set()

    def cut(self) -> None:
        """Every connection breaks; new ones get through."""
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            await self._open.wait()
            if self.behind is None:
                raise ConnectionRefusedError
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self.behind)
            try:
                await asyncio.gather(self._pump(reader, behind_writer), self._pump(behind_reader, writer))
            finally:
                behind_writer.close()
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        await self._open.wait()
        writer.close()
