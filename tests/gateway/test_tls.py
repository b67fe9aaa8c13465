"""Whose certificate is believed: a gateway that nobody vouches for is never told a word."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

import settings
from actors import delivery
from gateway import LookupFailed, Unreachable
from gateway.wassenger import Wassenger
from models.transitions import GiveBack
from tests.actors.test_delivery import promise
from tests.gateway.conftest import Open
from tests.gateway.orders import DEVICE, REFERENCE, order, settings_for
from tests.gateway.raw_server import Connection, RawServer, Request

ACCEPTED = json.dumps({"id": "6a0c0ffee0c0ffee0c0ffee0", "status": "queued", "reference": REFERENCE}).encode()


async def accept(request: Request, connection: Connection) -> None:
    await connection.answer(201, ACCEPTED)


@pytest.fixture
def authority() -> trustme.CA:
    """An authority of our own, whom nobody knows."""
    return trustme.CA()


@pytest.fixture
async def server(authority: trustme.CA) -> AsyncIterator[RawServer]:
    """A gateway with a certificate of that authority for its own address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with RawServer(accept, tls=context) as server:
        yield server


def client_of(server: RawServer, authorities: Path) -> Wassenger:
    """Return the client that the settings make."""
    return Wassenger.from_settings(settings_for(server.url, SSL_CERT_FILE=str(authorities)))


async def test_a_certificate_nobody_vouches_for_is_refused_and_nothing_was_written(
    open_client: Open, server: RawServer
) -> None:
    client = open_client(server.url, timeout=5.0)
    with pytest.raises(Unreachable, match=r"certificate is not trusted.*SSL_CERT_FILE") as refused:
        await client.send(order())
    assert refused.value.code == "certificate"
    with pytest.raises(LookupFailed, match="certificate is not trusted"):
        await client.device(DEVICE)
    assert server.requests == []


async def test_a_message_refused_for_its_gateways_certificate_waits_for_its_retry(
    open_client: Open, server: RawServer, configured: settings.Settings
) -> None:
    """It never left, so it may be sent again, after the back-off like any other: three times, not for ever."""
    client = open_client(server.url, timeout=5.0)
    done = (await delivery.deliver(client, promise(), DEVICE, lambda: True)).result
    assert isinstance(done, GiveBack)
    assert (done.error_class, done.used_retry, done.wait) == ("never_left", True, 60.0)
    assert "certificate is not trusted" in done.why
    last = (await delivery.deliver(client, promise(retries=3), DEVICE, lambda: True)).result
    assert not isinstance(last, GiveBack)
    assert server.requests == []


async def test_a_certificate_of_somebody_named_in_the_settings_is_trusted(
    server: RawServer, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    client = client_of(server, file)
    try:
        assert (await client.send(order())).reference == REFERENCE
    finally:
        await client.close()
    assert len(server.requests) == 1


async def test_a_trusted_certificate_for_another_name_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("gateway.example").configure_cert(context)
    async with RawServer(accept, tls=context) as server:
        client = client_of(server, file)
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            await client.send(order())
        await client.close()
        assert server.requests == []


@pytest.mark.parametrize("text", [None, "", "no certificate at all"])
def test_a_file_without_certificates_is_refused_with_its_name(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(settings.BadSettings, match=r"SSL_CERT_FILE=.*ca.pem.* cannot be used"):
        settings_for("https://gateway.example", SSL_CERT_FILE=str(file))
