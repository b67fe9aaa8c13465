"""Sockets, fences, and the whitelist of what never left.

One ``Transport`` is one pool of connections to one gateway. A call ends in an ``Answer``, or in
``Unreachable`` (proven: no byte of it was written) or ``Unknown`` (everything else).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gateway import Unknown, Unreachable

KEEP_ALIVE_SECONDS = 4.0
"""An idle connection is dropped after this: before the far end does it (Node's default is 5 s), because
a connection that dies under a POST leaves the message in doubt."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. ``body`` is None when it broke off, ran past the deadline or past the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def is_page(self) -> bool:
        """Whether this is HTML: written by something in between, not by the gateway's API."""
        kind = self.headers.get("content-type", "").lower()
        return "html" in kind or (self.body or b"").lstrip()[:1] == b"<"


@dataclass
class _Call:
    """One call on its way: its last question, and whether a connection was ever in hand."""

    may_write: Callable[[], bool]
    in_hand: bool = False


_call: ContextVar[_Call | None] = ContextVar("gateway_call", default=None)


class _FencedRequest(aiohttp.ClientRequest):
    """Asks for leave when the connection is in hand, after every wait and before the first byte.

    aiohttp's trace hooks fire at the same moment, but a hook that raises leaks the connection
    (3.14.5 drops its place in the pool without closing it); an error raised here closes it.
    It runs in the task of the caller, so the context variable is the caller's.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        if (call := _call.get()) is not None:
            call.in_hand = True
            if not call.may_write():
                raise Unreachable("fenced: the right to send was lost while waiting for a connection", code="fenced")
        return await super().send(conn)


class Transport:
    """HTTP to one gateway over a pool of connections; safe from every task of one event loop.

    ``deadline`` (seconds) is for a whole call: waiting for a connection, connecting, writing, reading.
    Opens nothing before the first call. Follows no redirect, keeps no cookie, asks no environment.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        deadline: float,
        connections: int = 200,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self.deadline = deadline
        """Seconds for every call that begins from now on (sockets keep the one they were made with)."""
        self._connections = connections
        self._aiohttp = AiohttpTransport(verify=verify, trust_env=False, client=self._session)
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={**headers, "accept": "application/json", "accept-encoding": "identity"},
            transport=self._aiohttp,
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - one deadline stands around the whole call instead
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int,
        may_write: Callable[[], bool] = lambda: True,
        kind: str = "application/json",
        deadline: float | None = None,
    ) -> Answer:
        """Make one call with a body of this ``kind`` and read at most ``limit`` bytes of its answer.

        ``deadline`` (seconds) is for a call that may take longer than the others.

        Raises Unreachable or Unknown. Once the status line is read there is always an Answer: what
        the gateway decided is known, even when the rest is lost.
        """
        call = _Call(may_write)
        token = _call.set(call)
        request = self._client.build_request(method, path, params=params, content=body)
        if body is not None:
            request.headers["content-type"] = kind
        response: httpx.Response | None = None
        chunks: list[bytes] = []
        whole = False
        try:
            async with asyncio.timeout(deadline or self.deadline) as clock:
                response = await self._client.send(request, stream=True)
                try:
                    whole = await _read(response, chunks, limit)
                finally:
                    await response.aclose()
        except Unreachable:  # our own fence
            raise
        except (Exception, asyncio.CancelledError) as error:
            # The last edge before the promise of this module: whatever it was, only the whitelist proves
            # that nothing left. A call whose task was cancelled is not ours to judge and passes through;
            # a closing pool throws the same error into tasks that nobody cancelled.
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            if response is None:
                raise _verdict(error, call, timed_out=clock.expired()) from error
        finally:
            _call.reset(token)
        assert response is not None
        return Answer(status=response.status_code, headers=response.headers, body=b"".join(chunks) if whole else None)

    async def close(self) -> None:
        """Close every connection at once; calls under way end as Unknown."""
        await self._client.aclose()

    def _session(self) -> aiohttp.ClientSession:
        """Open the pool, on the running loop (the transport asks for it at the first call)."""
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=self._aiohttp.ssl_context,
            socket_factory=self._socket,
        )
        return aiohttp.ClientSession(
            connector=connector, request_class=_FencedRequest, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )

    def _socket(self, address: Any) -> socket.socket:
        """Make a socket that sends nothing after us: neither when we let go of it nor when the link comes back."""
        family, kind, protocol, *_ = address
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # on, 0 s: reset
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.deadline * 1000))
        return sock


async def _read(response: httpx.Response, chunks: list[bytes], limit: int) -> bool:
    """Read the body into ``chunks``; False when it is longer than ``limit``."""
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > limit:
            return False
        chunks.append(chunk)
    return True


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _verdict(error: BaseException, call: _Call, *, timed_out: bool) -> Unreachable | Unknown:
    """Say whether the message left. Never-left is a whitelist, and no connection may have been in hand."""
    if call.in_hand:
        return Unknown(f"no answer after the request was written: {_in_words(error)}")
    if timed_out:
        return Unreachable("no connection within the deadline")
    for cause in _causes(error):
        if isinstance(cause, aiohttp.ClientConnectorCertificateError):
            why = getattr(cause.certificate_error, "verify_message", "no reason given")
            text = f"the gateway's certificate is not trusted ({why}); SSL_CERT_FILE may name those that are"
            return Unreachable(f"no connection: {text}", code="certificate")
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return Unreachable(f"no connection: {_in_words(cause)}")
    return Unknown(f"the call broke, no proof that nothing left: {_in_words(error)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def _in_words(error: BaseException) -> str:
    """Name an error by its deepest cause; never its text, which may quote what was sent."""
    *_, deepest = _causes(error)
    number = getattr(deepest, "errno", None) or getattr(getattr(deepest, "os_error", None), "errno", None)
    return type(deepest).__name__ + (f" (errno {number})" if isinstance(number, int) else "")
