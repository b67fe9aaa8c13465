"""Examples for the reference: one body per shape, one problem per status. People and numbers are fiction."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

_CATEGORY = "019a9f00-0000-7000-8000-000000000001"

BODIES: dict[str, dict[str, Any]] = {
    "LogIn": {"email": "ana@example.org", "password": "correct horse battery"},
    "PasswordChange": {"current_password": "correct horse battery", "new_password": "another horse battery"},
    "NewUser": {"email": "ben@example.org", "password": "correct horse battery", "role": "operator", "name": "Ben"},
    "UserChange": {"role": "viewer"},
    "NewKey": {"name": "Nightly import", "role": "operator", "areas": ["contacts", "imports"], "expires_in_days": 90},
    "NewContact": {"phone": "+33199001234", "name": "Ana", "attributes": {"city": "Lyon"}, "consent_source": "shop"},
    "ContactChange": {"opted_out": True},
    "NewCategory": {"name": "Spring guests"},
    "Members": {"contact_ids": ["019a9f00-0000-7000-8000-000000000002"]},
    "NewSender": {"device_id": "0123456789abcdef01234567", "name": "Shop", "time_zone": "Europe/Paris"},
    "SenderChange": {"daily_limit": 500},
    "NewCampaign": {
        "name": "Spring",
        "category_ids": [_CATEGORY],
        "message_1": "Hello {{name|there}}, the garden opens on Saturday. Shall we keep you a table?",
        "message_2": "Wonderful, {{name|see you soon}}! Reply STOP to hear no more from us.",
        "exclude": {"contacted_within_days": 14},
        "quiet_hours": "21:00-08:00",
    },
    "CampaignChange": {"pacing": {"delay": 6}},
    "TrialOrder": {"phone": "+33199001234", "message_2": True},
    "CopyOrder": {"name": "Spring, once more"},
    "BulkOrder": {"action": "opt_out", "ids": ["019a9f00-0000-7000-8000-000000000002"]},
    "SendOrder": {"skip_incomplete": True},
    "PauseOrder": {"scope": "message_1"},
    "Resolution": {"as": "sent"},
}
"""By the name of the shape."""


def problem(status: int, code: str) -> dict[str, Any]:
    """Return what a problem of this status looks like."""
    return {
        "type": f"urn:relance:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": "what is wrong, and what to do",
        "instance": "/api/campaigns",
        "request_id": "019a9f00000070008000000000000003",
    }
