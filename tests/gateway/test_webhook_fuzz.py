"""Whatever comes in, the door answers, and reading it ends in an event or in Unreadable."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from gateway import Envelope, Event, Inbound, MessageType, Unreadable
from gateway.wassenger import Wassenger
from tests.gateway import shape_files
from tests.gateway.orders import TOKEN

DOOR = Wassenger(base_url="http://127.0.0.1:1", api_key="k", webhook_secret=TOKEN, signing_secret="s" * 16)
NAMES = shape_files.names("webhook")
WORDS = [
    "",
    "@",
    "1@lid",
    "a@g.us",
    "true_1@c.us_X",
    "\x00",
    "\ud83d",
    "read",
    "2026-05-26",
    "99999999999999999999",
    "❤️",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(st.characters(), max_size=20)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _paths(inner, (*path, key))
    return found


@st.composite
def bent_events(draw: st.DrawFn) -> bytes:
    """A real event with some of its values replaced or gone."""
    event = shape_files.example(draw(st.sampled_from(NAMES)))
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(_paths(event)))
        place: Any = event
        for key in way:
            place = place[key]
        if draw(st.booleans()):
            place[last] = draw(VALUES)
        else:
            del place[last]
        if not event:
            break
    return json.dumps(event).encode()


def survives(raw: bytes) -> None:
    envelope = DOOR.receive({}, {"token": TOKEN}, raw)
    assert isinstance(envelope, Envelope)
    assert envelope == DOOR.receive({}, {"token": TOKEN}, raw)
    for text in (envelope.event_key, envelope.kind, envelope.device_id or "", envelope.reason or ""):
        text.encode()
        assert "\x00" not in text
    try:
        event: Event = DOOR.parse(raw)
    except Unreadable as error:
        assert error.detail
        return
    assert envelope.kind != "unreadable" or not envelope.readable
    if isinstance(event, Inbound):
        assert event.type in get_args(MessageType)
        assert event.at.tzinfo is not None
        for told in (event.body, event.name, event.message_id, event.quoted_id):
            (told or "").encode()
            assert "\x00" not in (told or "")


@given(bent_events())
def test_a_bent_event_is_survived(raw: bytes) -> None:
    survives(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(raw: bytes) -> None:
    survives(raw)


@given(VALUES)
def test_any_json_is_survived(value: Any) -> None:
    survives(json.dumps(value).encode())


@given(st.sampled_from(NAMES), st.data())
def test_a_cut_event_is_survived(name: str, data: st.DataObject) -> None:
    raw = shape_files.body(name)
    survives(raw[: data.draw(st.integers(0, len(raw)))])


@given(
    st.dictionaries(st.sampled_from(["token", "Token"]), st.text(st.characters())),
    st.dictionaries(
        st.sampled_from(["x-relance-token", "X-Wassenger-Signature", "x-wassenger-signature"]), st.text(st.characters())
    ),
)
def test_any_token_and_signature_are_survived(query: dict[str, str], headers: dict[str, str]) -> None:
    answer = DOOR.receive(headers, query, b"{}")
    known = TOKEN in (query.get("token"), headers.get("x-relance-token"))
    assert known or not isinstance(answer, Envelope)
