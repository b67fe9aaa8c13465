"""What left and what did not, over real sockets: each case says the class of the error and what the server saw."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway import GatewayError, Outbound, Unknown, Unreachable
from gateway.transport import Transport
from tests.gateway import shape_files
from tests.gateway.conftest import Open
from tests.gateway.orders import REFERENCE, order
from tests.gateway.raw_server import Connection, RawServer, Request

ACCEPTED = shape_files.body("send_201")


async def accept(request: Request, connection: Connection) -> None:
    await connection.answer(201, ACCEPTED)


async def silence(request: Request, connection: Connection) -> None:
    await asyncio.Event().wait()


# --- it never left ---------------------------------------------------------------------------------


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, held so that nobody takes it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_refused_connection_never_left(open_client: Open) -> None:
    with closed_port() as port, pytest.raises(Unreachable, match="no connection"):
        await open_client(f"http://127.0.0.1:{port}").send(order())


async def test_a_name_that_does_not_exist_never_left(open_client: Open) -> None:
    with pytest.raises(Unreachable):
        await open_client("http://gateway.invalid", timeout=3.0).send(order())


async def test_a_full_backlog_never_left(open_client: Open) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        client = open_client(f"http://127.0.0.1:{full.getsockname()[1]}")
        with pytest.raises(Unreachable, match="no connection within the deadline"):
            await client.send(order())
        for sock in waiting:
            sock.close()


async def test_a_failed_tls_handshake_never_left(open_client: Open) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(garbage, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="SSL"):
            await open_client(f"https://127.0.0.1:{port}").send(order())


async def test_a_tls_handshake_that_never_ends_never_left(open_client: Open) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(8)
        with pytest.raises(Unreachable, match="within the deadline"):
            await open_client(f"https://127.0.0.1:{mute.getsockname()[1]}").send(order())


async def test_no_free_connection_within_the_deadline_never_left() -> None:
    async with RawServer(silence) as server:
        transport = Transport(server.url, {}, deadline=30.0, connections=1)
        first = asyncio.create_task(transport.call("POST", "/", body=b"{}", limit=1))
        await server.until(lambda: len(server.requests) == 1)
        transport.deadline = 0.2
        with pytest.raises(Unreachable, match="within the deadline"):
            await transport.call("POST", "/", body=b"{}", limit=1)
        assert len(server.requests) == 1
        await transport.close()
        with pytest.raises(Unknown):
            await first


async def test_a_right_lost_while_waiting_for_a_connection_is_fenced(open_client: Open) -> None:
    release = asyncio.Event()

    async def held(request: Request, connection: Connection) -> None:
        await release.wait()
        await connection.answer(201, ACCEPTED)

    async with RawServer(held) as server:
        client = open_client(server.url, connections=1, timeout=5.0)
        mine = True
        first = asyncio.create_task(client.send(order()))
        await server.until(lambda: len(server.requests) == 1)
        second = asyncio.create_task(client.send(order(may_write=lambda: mine)))
        await asyncio.sleep(0)
        mine = False
        release.set()
        assert (await first).reference == REFERENCE
        with pytest.raises(Unreachable, match="fenced") as fenced:
            await second
        assert fenced.value.code == "fenced"
        assert len(server.requests) == 1
        # The place in the pool is free again, and the next message goes.
        await client.send(order())
        assert len(server.requests) == 2


async def test_a_right_lost_before_a_fresh_connection_is_fenced_and_the_connection_closed(open_client: Open) -> None:
    async with RawServer(accept) as server:
        client = open_client(server.url)
        with pytest.raises(Unreachable, match="fenced"):
            await client.send(order(may_write=lambda: False))
        await server.until(lambda: server.connections == 1 and server.resets == 1)
        assert server.requests == []


async def test_the_last_question_is_asked_once_with_the_connection_in_hand(open_client: Open) -> None:
    async with RawServer(accept) as server:
        client = open_client(server.url)
        seen: list[tuple[int, int]] = []

        def may_write() -> bool:
            seen.append((server.connections, len(server.requests)))
            return True

        for _ in range(2):  # on a fresh connection, then on a kept one
            await client.send(order(may_write=may_write))
        assert len(seen) == 2
        assert [requests for _, requests in seen] == [0, 1]
        assert server.connections == 1


# --- it may have left ------------------------------------------------------------------------------


async def test_a_server_that_never_reads_may_have_got_it(open_client: Open) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        with pytest.raises(Unknown):
            await open_client(f"http://127.0.0.1:{deaf.getsockname()[1]}").send(order())


async def hang_up(request: Request, connection: Connection) -> None:
    connection.close()


async def cut(request: Request, connection: Connection) -> None:
    connection.reset()


async def garbage_status(request: Request, connection: Connection) -> None:
    await connection.say(b"HTTP/9 what is this\r\n\r\n")


async def half_a_head(request: Request, connection: Connection) -> None:
    await connection.say(b"HTTP/1.1 201 Created\r\ncontent-ty")
    connection.close()


async def slow_head(request: Request, connection: Connection) -> None:
    for byte in b"HTTP/1.1 201 Created\r\n" + b"x-wait: a little\r\n" * 100:
        await connection.say(bytes([byte]))
        await asyncio.sleep(0.02)


async def half_a_refusal(request: Request, connection: Connection) -> None:
    await connection.say(b'HTTP/1.1 400 Bad\r\ncontent-length: 90\r\n\r\n{"errorCode":"pho')
    connection.close()


async def page_502(request: Request, connection: Connection) -> None:
    await connection.answer(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")


async def page_200(request: Request, connection: Connection) -> None:
    await connection.answer(200, b"<html>Welcome to the hotel's network</html>", "text/html")


@pytest.mark.parametrize(
    "behaviour",
    [silence, hang_up, cut, garbage_status, half_a_head, slow_head, half_a_refusal, page_502, page_200],
)
async def test_whatever_breaks_after_the_request_may_have_left(
    open_client: Open, behaviour: Callable[[Request, Connection], None]
) -> None:
    async with RawServer(behaviour) as server:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(GatewayError) as error:
            await open_client(server.url).send(order())
        assert type(error.value) is Unknown
        assert len(server.requests) == 1
        assert time.monotonic() - began < 10


async def test_a_redirect_is_not_followed(open_client: Open) -> None:
    async with RawServer(accept) as elsewhere:

        async def redirect(request: Request, connection: Connection) -> None:
            await connection.answer(307, b"", "text/plain", f"location: {elsewhere.url}/v1/messages")

        async with RawServer(redirect) as server:
            with pytest.raises(Unknown, match="307"):
                await open_client(server.url).send(order())
            assert len(server.requests) == 1
        assert elsewhere.requests == []


async def test_a_kept_connection_that_dies_under_the_second_request_may_have_left(open_client: Open) -> None:
    async def one_only(request: Request, connection: Connection) -> None:
        if request.number == 1:
            await connection.answer(201, ACCEPTED)
        else:
            connection.close()

    async with RawServer(one_only) as server:
        client = open_client(server.url)
        await client.send(order())
        with pytest.raises(Unknown):
            await client.send(order())
        assert (len(server.requests), server.connections) == (2, 1)


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(open_client: Open) -> None:
    async def once(request: Request, connection: Connection) -> None:
        await connection.answer(201, ACCEPTED)
        connection.close()

    async with RawServer(once) as server:
        client = open_client(server.url)
        await client.send(order())
        for _ in range(20):  # let the end of the connection arrive
            await asyncio.sleep(0)
        await client.send(order())
        assert (len(server.requests), server.connections) == (2, 2)


async def test_a_cancelled_call_is_the_callers(open_client: Open) -> None:
    async with RawServer(silence) as server:
        call = asyncio.create_task(open_client(server.url, timeout=30.0).send(order()))
        await server.until(lambda: len(server.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(server.requests) == 1


async def test_closing_ends_every_call_at_once_and_proves_nothing(open_client: Open) -> None:
    async with RawServer(silence) as server:
        client = open_client(server.url, connections=1, timeout=30.0)
        writing = asyncio.create_task(client.send(order()))
        await server.until(lambda: len(server.requests) == 1)
        waiting = asyncio.create_task(client.send(order()))
        await asyncio.sleep(0)
        await asyncio.wait_for(client.close(), 2)
        async with asyncio.timeout(2):
            for call in (writing, waiting, asyncio.create_task(client.send(order()))):
                with pytest.raises(Unknown):
                    await call
        assert len(server.requests) == 1


# --- it was accepted, whatever became of the answer --------------------------------------------------


async def half_a_body(request: Request, connection: Connection) -> None:
    await connection.say(b'HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{"id":"6a')
    connection.close()


async def slow_body(request: Request, connection: Connection) -> None:
    await connection.say(b"HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n")
    for _ in range(900):
        await connection.say(b" ")
        await asyncio.sleep(0.02)


async def no_json(request: Request, connection: Connection) -> None:
    await connection.answer(201, b'{"id": "')


async def endless(request: Request, connection: Connection) -> None:
    await connection.answer(201, b'{"id":"' + b"6" * (1 << 20) + b'"}')


async def nothing(request: Request, connection: Connection) -> None:
    await connection.answer(200)


@pytest.mark.parametrize("behaviour", [half_a_body, slow_body, no_json, endless, nothing])
async def test_an_acceptance_with_an_unreadable_body_is_one_without_ids(
    open_client: Open, behaviour: Callable[[Request, Connection], None]
) -> None:
    async with RawServer(behaviour) as server:  # type: ignore[arg-type]
        assert await open_client(server.url).send(order()) == Outbound(reference=REFERENCE)
        assert len(server.requests) == 1


# --- the sockets -----------------------------------------------------------------------------------


def option_of_connection_to(port: int, level: int, option: int, size: int = 4) -> bytes | None:
    """Read an option of this process's own connection to a port."""
    for fd in os.listdir("/proc/self/fd"):
        try:
            sock = socket.socket(fileno=os.dup(int(fd)))
        except OSError:
            continue
        with sock:
            try:
                if sock.getpeername()[1] == port:
                    return sock.getsockopt(level, option, size)
            except (OSError, IndexError):
                continue
    return None


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
async def test_the_kernel_sends_nothing_after_us(open_client: Open) -> None:
    async with RawServer(accept) as server:
        found: list[bytes | None] = []

        def look() -> bool:
            found.append(option_of_connection_to(server.port, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
            found.append(option_of_connection_to(server.port, socket.SOL_SOCKET, socket.SO_LINGER, 8))
            return True

        await open_client(server.url, timeout=2.5).send(order(may_write=look))
        assert found == [struct.pack("i", 2500), struct.pack("ii", 1, 0)]


async def test_a_deadline_lets_go_of_the_connection_with_a_reset(open_client: Open) -> None:
    async def listen(request: Request, connection: Connection) -> None:
        await connection.reader.read()

    async with RawServer(listen) as server:
        with pytest.raises(Unknown):
            await open_client(server.url).send(order())
        await server.until(lambda: server.resets == 1)


async def test_the_environment_names_no_proxy(open_client: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with RawServer(accept) as server:
        await open_client(server.url).send(order())
        assert len(server.requests) == 1


async def test_a_hundred_and_fifty_calls_are_under_way_at_once(open_client: Open) -> None:
    all_here = asyncio.Event()

    async def together(request: Request, connection: Connection) -> None:
        if request.number == 150:
            all_here.set()
        await all_here.wait()
        await connection.answer(201, ACCEPTED)

    async with RawServer(together) as server:
        client = open_client(server.url, timeout=10.0)
        sent = await asyncio.gather(*(client.send(order()) for _ in range(150)))
        assert len(sent) == len(server.requests) == 150
