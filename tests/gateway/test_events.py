"""Every event of gateways.md, understood."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway import Delivery, Event, Ignored, Inbound, Outbound, SessionChange
from gateway.wassenger_events import parse
from gateway.wassenger_inbound import is_emoji
from gateway.wassenger_outbound import failure, outbound
from tests.gateway import shape_files
from tests.gateway.orders import DEVICE, PHONE, REFERENCE

US = "+33261910001"
AT = datetime(2026, 5, 26, 9, tzinfo=UTC)
TEXT = Inbound(
    device_id=DEVICE, device_phone=US, message_id="3EB0A1B2C3D4E5F60718", phone=PHONE, lid=None, name="Awa",
    type="text", body="Oui, ça m'intéresse", quoted_id=None, at=AT,
)  # fmt: skip
OURS = "3EB0F6E5D4C3B2A19807"
QUOTING = replace(TEXT, body="Oui", quoted_id=OURS)
REACTION = replace(TEXT, message_id="3EB0C0FFEE00112233445566778899", type="reaction", body="❤️", quoted_id=OURS)
CHAT = Outbound(reference=REFERENCE, message_id=OURS, wid="33199000123@c.us", progress="sent", created_at=AT)
RESOURCE = Outbound(reference=REFERENCE, gateway_id="6a1f0d0e1f2a3b4c5d6e7f80", message_id=OURS, progress="sent")
NOT_SENT = replace(RESOURCE, message_id=None, progress="failed", error="The number is not on WhatsApp")
SECOND = datetime(2026, 5, 26, 9, 0, 1, tzinfo=UTC)


def delivered(message: Outbound, at: datetime = SECOND) -> Delivery:
    return Delivery(device_id=DEVICE, outbound=message, at=at)


def session(state: Any, reason: str | None) -> SessionChange:
    return SessionChange(device_id=DEVICE, state=state, reason=reason, at=SECOND)


EXPECTED: dict[str, Event] = {
    "in_new_text": TEXT,
    "in_new_text_quoting": QUOTING,
    "in_new_text_quoting_wid": QUOTING,
    "in_new_emoji": replace(TEXT, type="emoji", body="👍🏽"),
    "in_new_voice": replace(TEXT, type="voice", body=None),
    "in_new_voice_ptt": replace(TEXT, type="voice", body=None),
    "in_new_audio": replace(TEXT, type="audio", body=None),
    "in_new_image": replace(TEXT, type="image", body="Voilà"),
    "in_new_image_bodiless": replace(TEXT, type="image", body=None),
    "in_new_video": replace(TEXT, type="video", body=None),
    "in_new_document": replace(TEXT, type="document", body=None),
    "in_new_sticker": replace(TEXT, type="sticker", body=None),
    "in_new_location": replace(TEXT, type="location", body=None),
    "in_new_contacts": replace(TEXT, type="other", body=None),
    "in_new_poll": replace(TEXT, type="poll", body=None),
    "in_new_unknown_type": replace(TEXT, type="other", body=None),
    "in_new_lid": replace(TEXT, body="Oui", phone=None, lid="184467440737095"),
    "in_new_group": replace(TEXT, body="Bonjour à tous", noise="group"),
    "in_new_channel": replace(TEXT, body="Nouvelles", noise="channel"),
    "in_new_broadcast": replace(TEXT, body="Promotion", noise="broadcast"),
    "in_new_status": replace(TEXT, body="Ma journée", noise="status"),
    "in_new_notification": replace(TEXT, body=None, noise="notification"),
    "in_new_own_number": replace(TEXT, body="note to self", phone=US, noise="own number"),
    "in_new_outbound_echo": replace(TEXT, body="Bonjour Awa", phone=US, noise="outbound"),
    "reaction": REACTION,
    "reaction_listed": replace(REACTION, body="👍", message_id="sha256-"),
    "reaction_removed": replace(REACTION, body=None, noise="removed reaction"),
    "reaction_own": replace(REACTION, phone=US, noise="outbound"),
    "out_new_api": delivered(CHAT, AT),
    "out_new_typed_on_phone": Ignored(reason="written on the phone itself"),
    "out_sent": delivered(RESOURCE, AT),
    "out_ack_sent": delivered(CHAT, AT),
    "out_ack_delivered": delivered(replace(CHAT, progress="delivered")),
    "out_ack_read": delivered(replace(CHAT, progress="read")),
    "out_ack_played": delivered(replace(CHAT, progress="read")),
    "out_ack_resource": delivered(replace(RESOURCE, progress="read")),
    "out_failed": delivered(NOT_SENT),
    "out_failed_463": delivered(replace(NOT_SENT, error="server returned error 463 (463)")),
    "out_failed_expired": delivered(
        replace(NOT_SENT, error="Message expired before it could be delivered (message:expired)", expired=True)
    ),
    "alias_out_delivered": delivered(replace(CHAT, progress="delivered")),
    "alias_out_read": delivered(replace(CHAT, progress="read")),
    "update_edit": Ignored(reason="an edit or a vote, not a reply"),
    "update_poll_vote": Ignored(reason="an edit or a vote, not a reply"),
    "session_online": session("ready", None),
    "session_offline": session(
        "offline", "the session is offline: check the phone and its connection: The phone is not reachable"
    ),
    "session_flat": session("degraded", "the phone does not answer: check its connection"),
    "alias_device_status_changed": session("offline", "the session is offline: check the phone and its connection"),
    "ignored_chat_update": Ignored(reason="chat:update is none of our business"),
    "ignored_contact_update": Ignored(reason="contact:update is none of our business"),
    "ignored_group_update": Ignored(reason="group:update is none of our business"),
    "ignored_status_update": Ignored(reason="status:update is none of our business"),
    "ignored_channel_in": Ignored(reason="channel:in is none of our business"),
}  # fmt: skip


def test_every_shape_of_a_webhook_has_its_expectation() -> None:
    assert sorted(EXPECTED) == shape_files.names("webhook")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_shape_says_what_it_should(name: str) -> None:
    read, expected = parse(shape_files.body(name)), EXPECTED[name]
    if isinstance(read, Inbound) and isinstance(expected, Inbound) and read.message_id.startswith("sha256-"):
        expected = replace(expected, message_id=expected.message_id + read.message_id.removeprefix("sha256-"))
    if name == "in_new_channel":
        assert isinstance(read, Inbound)
        read = replace(read, phone=PHONE)  # the sender of a channel's news is nobody we look at
    assert read == expected


@pytest.mark.parametrize("kind", ["request", "response", "webhook"])
def test_each_example_has_what_its_shape_requires(kind: str) -> None:
    for name in shape_files.names(kind):
        found = shape_files.shape(name)
        assert found["mark"] in ("[V]", "[R]", "[I]"), name
        assert found["source"].startswith("gateways.md §"), name
        assert shape_files.missing(found["example"], found["required"]) == [], name


def changed(name: str, **data: Any) -> Event:
    event = shape_files.example(name)
    event["data"] |= data
    return parse(json.dumps(event).encode())


def reply(**data: Any) -> Inbound:
    read = changed("in_new_text", **data)
    assert isinstance(read, Inbound)
    return read


@pytest.mark.parametrize(
    ("data", "phone", "lid"),
    [
        ({"fromNumber": "33199000123"}, PHONE, None),
        ({"fromNumber": None}, PHONE, None),
        ({"fromNumber": None, "from": "33199000123:12@s.whatsapp.net"}, PHONE, None),
        ({"from": "184467440737095@lid"}, PHONE, "184467440737095"),
        ({"from": "184467440737095:3@lid", "fromNumber": "+184467440737095"}, PHONE, "184467440737095"),
        ({"from": "184467440737095@lid", "fromNumber": "+184467440737095", "chat": {}}, None, "184467440737095"),
        ({"fromNumber": "unknown", "from": None, "chat": {"id": "33199000123@c.us"}}, PHONE, None),
        ({"fromNumber": 33199000123}, PHONE, None),
    ],
)
def test_a_sender_is_a_phone_or_a_hidden_identity(data: dict[str, Any], phone: str | None, lid: str | None) -> None:
    read = reply(**data)
    assert (read.phone, read.lid, read.noise) == (phone, lid, None)


def test_without_any_sender_it_is_no_reply() -> None:
    assert reply(**{"from": None, "fromNumber": None, "chat": None}).noise == "no sender"


@pytest.mark.parametrize(
    ("data", "noise"),
    [
        ({"fromMe": True}, "outbound"),
        ({"chat": {"type": "group"}}, "group"),
        ({"chat": {}, "from": "1-2@g.us"}, "group"),
        ({"chat": None, "meta": {"isGroup": True}}, "group"),
        ({"chat": {"type": "channel"}}, "channel"),
        ({"chat": None, "from": "1@newsletter"}, "channel"),
        ({"chat": None, "from": "1@broadcast"}, "broadcast"),
        ({"chat": None, "from": "status@broadcast"}, "status"),
        ({"meta": {"isBizNotification": True}}, "notification"),
        ({"chat": {"type": "community"}}, "chat of another kind"),
        ({"chat": None, "meta": None}, None),
        ({"meta": {"isForwarded": True, "isEphemeral": True}}, None),
    ],
)
def test_noise_is_told_from_replies(data: dict[str, Any], noise: str | None) -> None:
    assert reply(**data).noise == noise


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"timestamp": 1779786000}, AT),
        ({"timestamp": 1779786000000}, AT),
        ({"timestamp": "1779786000"}, AT),
        ({"timestamp": 1779786000.0}, AT),
        ({"timestamp": None}, AT),
        ({"timestamp": True}, AT),
        ({"timestamp": 0}, AT),
        ({"timestamp": 10**19}, AT),
        ({"timestamp": None, "date": "2026-05-26T11:00:00+02:00"}, AT),
        ({"timestamp": None, "date": "2026-05-26 09:00:00"}, AT),
        ({"timestamp": None, "date": "yesterday"}, SECOND),
        ({"timestamp": None, "date": None}, SECOND),
    ],
)
def test_the_time_is_the_messages_own_else_the_events(data: dict[str, Any], at: datetime) -> None:
    assert reply(**data).at == at


def test_without_any_time_it_is_now() -> None:
    event = shape_files.example("in_new_text")
    del event["created"], event["data"]["timestamp"], event["data"]["date"]
    before = datetime.now(UTC)
    read = parse(json.dumps(event).encode())
    assert isinstance(read, Inbound)
    assert before <= read.at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("quoted", "found"),
    [
        (OURS, OURS),
        ({"id": OURS}, OURS),
        ({"wid": f"true_33199000123@c.us_{OURS}"}, OURS),
        ({"id": f"true_33199000123@c.us_{OURS}_33261910001@c.us"}, OURS),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_quoted_message_is_named_by_its_bare_id(quoted: Any, found: str | None) -> None:
    assert reply(quoted=quoted).quoted_id == found


EMOJI = ("👍", "👍🏿👍", "❤️ ❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇹🇬", "#️⃣", "☺", "⭐", "🫶🏽")
WORDS = ("ok 👍", "5", "#", "!", "é", "", " ", "\u200d")


@pytest.mark.parametrize(("text", "only"), [(t, True) for t in EMOJI] + [(t, False) for t in WORDS])
def test_emoji_are_told_from_words(text: str, only: bool) -> None:
    assert is_emoji(text) is only


def test_a_reply_without_an_id_has_one_of_its_own() -> None:
    event = shape_files.example("in_new_text")
    del event["id"], event["data"]["id"]
    once, twice = (parse(json.dumps(event).encode()) for _ in range(2))
    assert isinstance(once, Inbound)
    assert once.message_id.startswith("sha256-")
    assert once == twice


@pytest.mark.parametrize(
    "data",
    [
        {"reaction": "❤️", "reactionMessage": OURS},
        {"reaction": {"text": "❤️", "key": {"id": OURS}}},
        {"reaction": {"emoji": "❤️", "messageId": f"true_33199000123@c.us_{OURS}"}},
        {"reaction": None, "emoji": "❤️", "quoted": {"id": OURS}},
        {"reaction": None, "body": "❤️", "quoted": {"wid": OURS}},
    ],
)
def test_a_reaction_is_understood_however_it_is_told(data: dict[str, Any]) -> None:
    assert changed("reaction", **data) == REACTION
    assert changed("reaction", **data, reactions=[]) == REACTION


def test_a_reaction_may_come_as_an_ordinary_message() -> None:
    event = shape_files.example("reaction") | {"event": "message:in:new"}
    assert parse(json.dumps(event).encode()) == REACTION


def test_the_newest_of_listed_reactions_counts() -> None:
    him = {"from": "33199000123@c.us", "emoji": "👍", "date": "2026-05-26T09:00:00Z"}
    us = {"from": "33261910001@c.us", "emoji": "🎉", "date": "2026-05-26T08:00:00Z"}
    for listed in ([him, us], [us, him]):
        read = changed("reaction_listed", reactions=listed)
        assert isinstance(read, Inbound)
        assert (read.body, read.phone, read.noise, read.quoted_id) == ("👍", PHONE, None, OURS)
    gone = changed("reaction_listed", reactions=[{**him, "emoji": ""}])
    assert isinstance(gone, Inbound)
    assert gone.noise == "removed reaction"


def test_one_message_reacted_to_with_an_object_that_names_who() -> None:
    read = changed("reaction_listed", reactions=None, reaction={"emoji": "👍", "from": "33199000123@c.us"})
    assert isinstance(read, Inbound)
    assert (read.phone, read.body, read.quoted_id, read.noise) == (PHONE, "👍", OURS, None)


@pytest.mark.parametrize(
    ("ack", "progress"),
    [
        (-1, "failed"), (0, "queued"), (1, "sent"), (2, "delivered"), (3, "read"), (4, "read"), ("2", "delivered"),
        ("READ", "read"), ("played", "read"), ("pending", "queued"), ("failed", "failed"),
    ],
)  # fmt: skip
def test_acknowledgements_come_as_words_or_numbers(ack: Any, progress: str) -> None:
    read = changed("out_ack_read", ack=ack)
    assert isinstance(read, Delivery)
    assert read.outbound.progress == progress


def test_an_event_named_sent_says_so_whatever_its_words() -> None:
    read = changed("out_sent", status="queued", deliveryStatus="queued")
    assert isinstance(read, Delivery)
    assert read.outbound.progress == "sent"


@pytest.mark.parametrize("ack", ["", "whatever", 9, None, {}])
def test_an_acknowledgement_without_a_known_word_is_ignored(ack: Any) -> None:
    assert isinstance(changed("out_ack_read", ack=ack), Ignored)


def test_a_failure_and_a_session_hide_the_phone_in_their_words() -> None:
    failed = changed("out_failed", failureReason="+33199000123 is not on WhatsApp")
    lost = changed("session_offline", session={"status": "offline", "error": "33199000123@c.us logged out"})
    assert "331…23" in repr(failed)
    assert "331…23" in repr(lost)
    assert "33199000123" not in repr(failed) + repr(lost)


def test_an_event_about_no_message_is_ignored() -> None:
    assert isinstance(changed("out_sent", id=None, waId=None, reference=None), Ignored)


@pytest.mark.parametrize(
    ("row", "gateway_id", "message_id"),
    [
        ({"id": "6a1f0d0e1f2a3b4c5d6e7f80", "waId": OURS}, "6a1f0d0e1f2a3b4c5d6e7f80", OURS),
        ({"id": "6a1f0d0e1f2a3b4c5d6e7f80"}, "6a1f0d0e1f2a3b4c5d6e7f80", None),
        ({"id": OURS}, None, OURS),
        ({"id": "3eb0d0e1f2a3b4c5d6e7f801", "flow": "outbound"}, None, "3eb0d0e1f2a3b4c5d6e7f801"),
        ({}, None, None),
    ],
)
def test_ids_are_told_apart(row: dict[str, Any], gateway_id: str | None, message_id: str | None) -> None:
    read = outbound(row)
    assert (read.gateway_id, read.message_id) == (gateway_id, message_id)


@pytest.mark.parametrize(
    ("row", "progress"),
    [
        ({"status": "sent", "deliveryStatus": "read"}, "read"),
        ({"status": "failed", "deliveryStatus": "queued"}, "failed"),
        ({"status": "failed", "deliveryStatus": "delivered"}, "delivered"),
        ({"status": "processing"}, "queued"),
        ({"status": "something new"}, "queued"),
        ({"status": "expired"}, "failed"),
    ],
)
def test_the_furthest_word_is_believed(row: dict[str, Any], progress: str) -> None:
    assert outbound(row).progress == progress


@pytest.mark.parametrize(
    ("row", "expired"),
    [
        ({"failureReason": "expiration reached"}, True),
        ({"failureCode": "message:expired"}, True),
        ({"status": "expired"}, True),
        ({"error": {"code": "expired", "message": "Too late"}}, True),
        ({"failureReason": "session expired"}, False),
        ({"failureReason": "Media URL expired"}, False),
        ({"failureReason": "not on WhatsApp"}, False),
        ({}, False),
    ],
)
def test_only_an_expired_message_is_expired(row: dict[str, Any], expired: bool) -> None:
    assert failure(row)[1] is expired


@pytest.mark.parametrize(
    ("data", "state"),
    [
        ({"status": "disabled"}, "blocked"),
        ({"status": "operative", "session": {"status": "authorize"}}, "blocked"),
        ({"sessionStatus": "online"}, "ready"),
        ({"status": "operative"}, None),
        ({}, None),
    ],
)
def test_a_session_is_understood_however_it_is_told(data: dict[str, Any], state: str | None) -> None:
    event = shape_files.example("session_flat") | {"data": data}
    read = parse(json.dumps(event).encode())
    assert getattr(read, "state", None) == state
