"""The smallest HTTP/1.1 client that measures: it costs the two cores as little as possible."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Server:
    """Where requests go, and the headers each of them carries."""

    url: str
    key: str = ""

    def request(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        """Write one request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
        if self.key:
            head += f"Authorization: Bearer {self.key}\r\n"
        if body or method in ("POST", "PATCH", "PUT"):
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


class Connection:
    """One kept-alive connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; returns the status and the whole body (of an endless stream: its first bytes)."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, length, chunked = int(head[9:12]), 0, False
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"transfer-encoding":
                chunked = True
        if not chunked:
            return status, await self._reader.readexactly(length) if length else b""
        if b"text/event-stream" in head:
            return status, await self._chunk()
        body = b""
        while chunk := await self._chunk():
            body += chunk
        return status, body

    async def _chunk(self) -> bytes:
        size = int((await self._reader.readuntil(b"\r\n")).strip(), 16)
        return (await self._reader.readexactly(size + 2))[:size]

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Connection]:
    """Open one connection until the block ends."""
    parts = urlsplit(server.url)
    connection = Connection(*await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 24))
    try:
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Answered:
    """One request that was made: what kind it was, when it should have begun, how long it took (seconds)."""

    name: str
    status: int
    seconds: float


async def at_rate(
    server: Server, requests: list[tuple[str, bytes]], rate: float, connections: int = 16
) -> list[Answered]:
    """Make each request at its own planned moment, ``rate`` a second, however the ones before it fare.

    Seconds count from the planned moment, so that a stall is charged to everybody it makes wait.
    """
    began = time.perf_counter() + 0.05
    plan = iter(enumerate(requests))
    answered: list[Answered] = []

    async def worker() -> None:
        async with connected(server) as connection:
            for number, (name, request) in plan:
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                if name.startswith("stream"):
                    async with connected(server) as own:
                        status, _ = await own.ask(request)
                else:
                    status, _ = await connection.ask(request)
                answered.append(Answered(name, status, time.perf_counter() - due))

    await asyncio.gather(*(worker() for _ in range(connections)))
    return answered


async def flat_out(
    server: Server, requests: list[bytes], name: str, seconds: float, connections: int
) -> tuple[list[Answered], float]:
    """Send as fast as ``connections`` can, for so long or until all are sent; returns the answers and the seconds."""
    began = time.perf_counter()
    queue = iter(requests)
    answered: list[Answered] = []

    async def worker() -> None:
        async with connected(server) as connection:
            for request in queue:
                start = time.perf_counter()
                if start - began > seconds:
                    return
                status, _ = await connection.ask(request)
                answered.append(Answered(name, status, time.perf_counter() - start))

    await asyncio.gather(*(worker() for _ in range(connections)))
    return answered, time.perf_counter() - began
