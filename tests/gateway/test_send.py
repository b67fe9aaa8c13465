"""What a send asks, and what each answer says became of the message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from structlog.testing import capture_logs

from gateway import GatewayError, Media, Outbound, RateLimited, Refused, SenderStopped, Unknown
from gateway.transport import Answer
from gateway.wassenger import Wassenger
from gateway.wassenger_answers import retry_after
from tests.gateway import shape_files
from tests.gateway.conftest import Open
from tests.gateway.orders import DEVICE, PHONE, REFERENCE, order, settings_for
from tests.gateway.replay import Answered, replaying, shaped

NOT_AFTER = datetime(2026, 5, 26, 9, 0, 12, tzinfo=UTC)


async def test_a_send_asks_what_the_vendor_understands(open_client: Open) -> None:
    server, script = replaying(shaped("send_201"))
    async with server:
        await open_client(server.url, api_key="Token the-key ").send(order(not_after=NOT_AFTER))
    (request,) = script.asked
    known = shape_files.shape("send_request")
    assert (request.method, request.target) == (known["method"], known["path"])
    assert request.headers["token"] == "the-key"
    assert request.headers["content-type"] == "application/json"
    assert shape_files.missing(script.body(), known["required"]) == []
    assert set(script.body()) <= set(known["allowed"])
    assert script.body() == {
        "device": DEVICE,
        "phone": PHONE,
        "message": "Bonjour Awa",
        "reference": REFERENCE,
        "enqueue": "never",
        "retries": 1,
        "expiration": {"date": "2026-05-26T09:00:12.000Z"},
    }


PICTURE = "https://example.org/a.jpg"


@pytest.mark.parametrize(
    ("media", "wire"),
    [
        (Media(url=PICTURE, filename="a.jpg"), {"url": PICTURE, "filename": "a.jpg"}),
        (Media(file_id="6a1f0e1a2b3c4d5e6f708192"), {"file": "6a1f0e1a2b3c4d5e6f708192"}),
    ],
)
async def test_media_goes_by_address_or_by_file(open_client: Open, media: Media, wire: dict[str, str]) -> None:
    server, script = replaying(shaped("send_media_201"))
    async with server:
        await open_client(server.url).send(order(media=media, text=""))
    assert script.body()["media"] == wire
    assert "message" not in script.body()


async def test_an_acceptance_brings_every_id(open_client: Open) -> None:
    server, _ = replaying(shaped("send_201"))
    async with server:
        assert await open_client(server.url).send(order()) == Outbound(
            reference=REFERENCE,
            gateway_id="6a1f0d0e1f2a3b4c5d6e7f80",
            message_id="3EB0F6E5D4C3B2A19807",
            wid="33199000123@c.us",
            progress="queued",
            created_at=datetime(2026, 5, 26, 9, tzinfo=UTC),
        )


async def test_settings_make_the_whole_client() -> None:
    server, script = replaying(shaped("send_201"))
    async with server:
        client = Wassenger.from_settings(settings_for(f"{server.url}/v1/"))
        await client.send(order())
        await client.close()
    assert script.path() == "/v1/messages"


async def test_half_a_character_is_refused_before_anything_is_written(open_client: Open) -> None:
    server, script = replaying(shaped("send_201"))
    async with server:
        with pytest.raises(Refused, match="half of a character"):
            await open_client(server.url).send(order(text="Bonjour \ud83d"))
    assert script.asked == []


def said(status: int, text: str, kind: str = "application/json", *headers: str) -> Answered:
    return Answered(status, text.encode(), kind, headers)


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (shaped("error_phone_invalid_400"), Refused, "phone:invalid"),
        (shaped("error_schema_400"), Refused, "schema:invalid"),
        (shaped("error_device_invalid_400"), SenderStopped, "device:invalid"),
        (shaped("error_device_notfound_404"), SenderStopped, "device:notfound"),
        (shaped("error_key_401"), SenderStopped, "auth:invalid"),
        (shaped("error_rate_429"), RateLimited, "rate:limit"),
        (shaped("error_device_offline_503"), Unknown, "device:offline"),
        (said(503, '{"message":"The device is not connected"}'), Unknown, "device:offline"),
        (said(404, '{"status":404,"message":"File not found","errorCode":"file:notfound"}'), Refused, "file:notfound"),
        (said(404, '{"status":404,"message":"No such device"}'), SenderStopped, None),
        (said(404, "404 page not found", "text/plain"), Unknown, None),
        (said(404, "<html>404</html>", "text/html"), Unknown, None),
        (said(400, ""), Unknown, None),
        (said(401, ""), SenderStopped, None),
        (said(402, '{"message":"No quota"}'), SenderStopped, None),
        (said(403, '{"message":"Invalid key"}'), SenderStopped, None),
        (said(403, "<!doctype html>blocked", "text/html"), Unknown, None),
        (said(408, '{"message":"Timeout"}'), Unknown, None),
        (said(409, '{"message":"Conflict"}'), Unknown, None),
        (said(413, "<html>too large</html>", "text/html"), Refused, None),
        (said(422, '{"message":"No"}'), Refused, None),
        (said(429, "<html>slow down</html>", "text/html"), RateLimited, None),
        (said(500, '{"message":"Internal","errorCode":"phone:invalid"}'), Unknown, "phone:invalid"),
        (said(504, "<html>", "text/html"), Unknown, None),
        (said(302, "", "text/plain", "location: /elsewhere"), Unknown, None),
        (said(202, '{"id":"6a1f0d0e1f2a3b4c5d6e7f80"}'), Unknown, None),
        (said(418, '{"message":"teapot"}'), Unknown, None),
    ],
    ids=lambda value: f"{value.status}-{value.body[:24].decode()}" if isinstance(value, Answered) else None,
)
async def test_each_answer_says_what_happened(
    open_client: Open, answer: Answered, error: type[GatewayError], code: str | None
) -> None:
    server, script = replaying(answer)
    async with server:
        with pytest.raises(GatewayError) as raised:
            await open_client(server.url).send(order())
    assert type(raised.value) is error
    assert raised.value.code == code
    assert str(answer.status) in raised.value.detail
    assert len(script.asked) == 1


async def test_an_error_names_the_field_and_hides_the_phone(open_client: Open) -> None:
    body = (
        '{"status":400,"message":"+33199000123 is wrong","errorCode":"schema:invalid",'
        '"errors":[{"path":"type","message":"Unknown property"}]}'
    )
    server, _ = replaying(said(400, body))
    async with server:
        with pytest.raises(Refused) as raised:
            await open_client(server.url).send(order())
    assert "type: Unknown property" in raised.value.detail
    assert "33199000123" not in raised.value.detail
    assert "+331…23" in raised.value.detail


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("90", 90.0),
        ("1.5", 1.5),
        ("Tue, 26 May 2026 09:01:00 GMT", 60.0),
        ("Tue, 26 May 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    now = datetime(2026, 5, 26, 9, tzinfo=UTC)
    assert retry_after(Answer(status=429, headers={"retry-after": header}, body=b""), now) == seconds


async def test_a_rate_limit_brings_its_wait(open_client: Open) -> None:
    server, _ = replaying(shaped("error_rate_429", "retry-after: 75"), shaped("error_rate_429"))
    async with server:
        client = open_client(server.url)
        for wait in (75.0, None):
            with pytest.raises(RateLimited) as raised:
                await client.send(order())
            assert raised.value.retry_after == wait


@pytest.mark.parametrize("skew", [-90, 40])
async def test_the_expiration_follows_the_gateways_clock(open_client: Open, skew: int) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(seconds=skew), usegmt=True)
    server, script = replaying(shaped("send_201", f"date: {theirs}"))
    async with server:
        client = open_client(server.url)
        with capture_logs() as logs:
            await client.send(order(not_after=NOT_AFTER))
            await client.send(order(not_after=NOT_AFTER))
    first, second = (datetime.fromisoformat(script.body(n)["expiration"]["date"]) for n in (0, 1))
    assert first == NOT_AFTER
    assert abs((second - NOT_AFTER).total_seconds() - skew) < 2
    assert [(line["event"], line["log_level"]) for line in logs] == [("gateway_clock_skew", "warning")]


@pytest.mark.parametrize("date", ["", "never", "Tue, 99 Foo 2026 09:00:00 GMT"])
async def test_a_clock_that_agrees_or_does_not_tell_corrects_nothing(open_client: Open, date: str) -> None:
    honest = format_datetime(datetime.now(UTC), usegmt=True)
    server, script = replaying(shaped("send_201", f"date: {honest}"), shaped("send_201", f"date: {date}"))
    async with server:
        client = open_client(server.url)
        with capture_logs() as logs:
            for _ in range(3):
                await client.send(order(not_after=NOT_AFTER))
    assert {script.body(n)["expiration"]["date"] for n in range(3)} == {"2026-05-26T09:00:12.000Z"}
    assert logs == []
