"""People of a film, and webhooks as the gateway sends them about these people."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from tests.gateway import shape_files
from tests.simulator_process import DEVICE

OWN_PHONE = "+33261910001"
_number = itertools.count(1)


def phones(many: int, first: int = 0) -> list[str]:
    """Return distinct numbers that belong to nobody."""
    return [f"+3319900{first + n:04d}" for n in range(many)]


def inbound(shape: str, phone: str, *, at: float | None = None, **data: Any) -> bytes:
    """Return the webhook of ``shape`` (a file of tests/gateway/shapes) as if ``phone`` had written it just now."""
    body = shape_files.example(shape)
    digits, was = phone.removeprefix("+"), "33199000123"
    body = json.loads(json.dumps(body).replace(was, digits).replace(body["device"]["id"], DEVICE))
    body["device"]["phone"] = OWN_PHONE
    name = f"3EB0{next(_number):016X}"
    body["id"] = body["data"]["id"] = name
    moment = time.time() if at is None else at
    body["created"] = moment
    body["data"]["timestamp"] = moment
    body["data"]["date"] = None
    body["data"] |= data
    return json.dumps(body).encode()


def told(event: str, **data: Any) -> bytes:
    """Return a webhook about a message of ours (outbound-resource shape)."""
    body = {"id": f"evt{next(_number)}", "event": event, "created": time.time(), "device": {"id": DEVICE}, "data": data}
    return json.dumps(body).encode()


def session(status: str, device: str = DEVICE) -> bytes:
    """Return the webhook of a session that changed to ``status``."""
    body = shape_files.example("session_offline")
    body = json.loads(json.dumps(body).replace(body["device"]["id"], device))
    body["id"] = f"session{next(_number)}"
    body["created"] = time.time()
    body["data"]["session"]["status"] = status
    return json.dumps(body).encode()
