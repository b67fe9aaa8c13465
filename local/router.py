"""What a platform puts in front of web processes: one address that stays while the processes behind it change."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from actors.ending import end


class Router:
    """Passes each new connection of 127.0.0.1:``port`` to 127.0.0.1:``target``, which may be changed at any time."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                await asyncio.gather(_pass_on(reader, ours), _pass_on(theirs, writer))
            finally:
                ours.close()
        writer.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[Router]:
        """Listen, in a thread of its own, until the block ends."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        thread = threading.Thread(target=loop.run_forever, name="router", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()
            loop.run_until_complete(end(asyncio.all_tasks(loop)))
            loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
