"""A server of bare sockets that does to a connection whatever a test wants, and counts what it was asked."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Request:
    """One whole request as it came over the wire; ``number`` counts from 1 over all connections."""

    number: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, raw: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()

    async def answer(self, status: int, body: bytes = b"", kind: str = "application/json", *more: str) -> None:
        """Write a whole, well-formed response."""
        head = [f"HTTP/1.1 {status} Whatever", f"content-type: {kind}", f"content-length: {len(body)}", *more, "", ""]
        await self.say("\r\n".join(head).encode() + body)

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """Close the connection in good order."""
        self.writer.close()


Behaviour = Callable[[Request, Connection], Awaitable[None]]


@dataclass
class RawServer:
    """``async with RawServer(behaviour) as server``: one behaviour for every request on every connection."""

    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    resets: int = 0
    """Connections the client ended with a reset."""

    async def __aenter__(self) -> RawServer:
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def until(self, fact: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait until something about this server is true."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(fact)

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        await self._note()
        try:
            while (request := await self._read(reader)) is not None:
                await self._note()
                await self.behaviour(request, Connection(reader, writer))
                if writer.is_closing():
                    return
        except ConnectionResetError:
            self.resets += 1
            await self._note()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _read(self, reader: asyncio.StreamReader) -> Request | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError:
            return None
        request = Request(len(self.requests) + 1, method, target, headers, body)
        self.requests.append(request)
        return request
