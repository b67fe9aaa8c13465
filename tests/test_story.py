"""One campaign from import to report: read this to see what Relance does, from outside, over its own API."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import embedded, place, stack

WINDOW_SECONDS = 8
SHORT = {
    "TIME_SCALE": "50",
    "WASSENGER_RATE_LIMIT_SECONDS": "3",
    "REPLY_WINDOW_HOURS": str(WINDOW_SECONDS / 3600),
    "SWEEP_INTERVAL_SECONDS": "1",
    "LOG_LEVEL": "debug",
}
PEOPLE = """nom;téléphone;ville;désinscrit
Awa Diop;+33199000001;Lyon;
Bruno Petit;01 99 00 00 02;Lille;
Chloé Roux;0033199000003;Nice;
Dan Hill;+442079460004;London;
Eva Stop;+33199000005;Brest;
Farid Muet;+33199000006;Metz;
Gus Tard;+33199000007;Pau;
Hana Nulle;+33199000008;Dax;
Ivo Parti;+33199000009;Sète;oui
Awa Diop;+33 1 99 00 00 01;Lyon 3e;
Jo Faux;06 39 98 00 00;Caen;
"""
"""Eleven rows: one person twice, one number that cannot exist, one who opted out before."""

SCRIPT = {
    "+33199000001": {"reply": "text", "delay": 0.3},
    "+33199000002": {"reply": "voice", "delay": 0.3},
    "+33199000003": {"reply": "reaction", "delay": 0.3},
    "+442079460004": {"reply": "sticker", "delay": 0.3},
    "+33199000005": {"reply": "opt_out", "delay": 0.3},
    "+33199000007": {"reply": "text", "delay": WINDOW_SECONDS + 5.0},
    "+33199000008": {"send": "refuse"},
}
ENDS = {
    "+33199000001": "followed_up",
    "+33199000002": "followed_up",
    "+33199000003": "followed_up",
    "+442079460004": "followed_up",
    "+33199000005": "opted_out",
    "+33199000006": "no_interaction",
    "+33199000007": "late_reply",
    "+33199000008": "failed",
}


@pytest.fixture(scope="module")
def system(home: Path) -> Iterator[stack.Stack]:
    own = place.own_folder(home / "story")
    base = {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}
    with stack.running(own, env=SHORT, base=base, durable=False) as running:
        yield running
    embedded.remove(own)


@pytest.fixture(scope="module")
def api(system: stack.Stack) -> Iterator[httpx.Client]:
    key = {"Authorization": f"Bearer {system.env['BOOTSTRAP_API_KEY']}"}
    with httpx.Client(base_url=system.url, headers=key, timeout=10) as client:
        yield client


def eventually(api: httpx.Client, path: str, key: str, wanted: Any, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        answer: dict[str, Any] = api.get(path).json()
        if answer[key] == wanted:
            return answer
        assert time.monotonic() < deadline, f"{path}: {key} is {answer[key]!r} after {seconds} s, not {wanted!r}"
        time.sleep(0.1)


def behave(system: stack.Stack, **behaviour: Any) -> None:
    httpx.put(f"{system.simulator_url}/_sim/behaviour", json=behaviour).raise_for_status()


def listen(system: stack.Stack) -> None:
    """Tell the gateway where its webhooks go, as ``bin/relance doctor --fix`` does."""
    token = system.env["WASSENGER_WEBHOOK_SECRET"]
    webhook = {
        "name": "Relance",
        "url": f"{system.url}/webhooks/wassenger?token={token}",
        "device": system.env["WASSENGER_DEVICE_ID"],
        "events": ["message:in:new", "message:reaction", "message:out:sent", "message:out:ack", "message:out:failed"],
    }
    key = {"Token": system.env["WASSENGER_API_KEY"]}
    httpx.post(f"{system.simulator_url}/v1/webhooks", headers=key, json=webhook).raise_for_status()


def check_logs(system: stack.Stack) -> None:
    """Check that no process wrote a phone in full, in whatever way it was given to it, or a secret."""
    secrets = [system.env[name] for name in ("WASSENGER_API_KEY", "WASSENGER_WEBHOOK_SECRET", "BOOTSTRAP_API_KEY")]
    for name in ("web", "worker", "replies", "scheduler"):
        lines = (system.logs / f"{name}.log").read_text().splitlines()
        assert lines, f"{name} wrote nothing"
        for line in lines:
            assert not any(secret in line for secret in secrets), line
            digits = re.sub(r"(?<=\d)[ .-](?=\d)", "", line)
            assert not any(phone[-9:] in digits for phone in (*ENDS, "0199000002", "0639980000")), line


def test_a_campaign_from_import_to_report(system: stack.Stack, api: httpx.Client) -> None:
    behave(system, reply_rate=0.0, reply_again_rate=0.0, phones=SCRIPT)
    listen(system)

    category = api.post("/api/categories", json={"name": "Clients"}).json()
    upload = {"file": ("clients.csv", io.BytesIO(PEOPLE.encode()), "text/csv")}
    order = {"category_id": category["id"], "region": "FR"}
    imported = api.post("/api/contacts/import", files=upload, data=order).json()
    done = eventually(api, f"/api/imports/{imported['id']}", "state", "completed")
    assert (done["rows"], done["created"], done["rejected"]) == (11, 9, 2)
    assert {error["line"] for error in done["errors"]} == {2, 12}

    campaign = api.post(
        "/api/campaigns",
        json={
            "name": "Rentrée",
            "category_ids": [category["id"]],
            "message_1": "Bonjour {{name}}, toujours à {{attributes.ville|chez vous}} ?",
            "message_2": "Merci {{name}} !",
        },
    ).json()
    preview = api.post(f"/api/campaigns/{campaign['id']}/preview").json()
    assert preview["audience"]["reached"] == 8
    towns = {"Awa Diop": "Lyon 3e", "Bruno Petit": "Lille", "Chloé Roux": "Nice", "Dan Hill": "London"}
    towns |= {"Eva Stop": "Brest", "Farid Muet": "Metz", "Gus Tard": "Pau", "Hana Nulle": "Dax"}
    assert len(preview["samples"]) == 3
    for sample in preview["samples"]:
        assert sample["message_1"] == f"Bonjour {sample['name']}, toujours à {towns[sample['name']]} ?"

    launched = api.post(f"/api/campaigns/{campaign['id']}/send")
    assert (launched.status_code, launched.json()["reserved"]) == (202, 8)
    assert api.post(f"/api/campaigns/{campaign['id']}/send").status_code == 409

    eventually(api, f"/api/campaigns/{campaign['id']}", "status", "completed")
    eventually(api, f"/api/campaigns/{campaign['id']}/progress", "late_replies", 1)

    recipients = api.get(f"/api/campaigns/{campaign['id']}/recipients").json()["items"]
    assert {person["phone"]: person["state"] for person in recipients} == ENDS

    ledger = [line for line in httpx.get(f"{system.simulator_url}/_sim/ledger").text.splitlines() if line]
    assert sum("Bonjour" in line for line in ledger) == 7
    assert sum("Merci" in line for line in ledger) == 4

    report = api.get(f"/api/campaigns/{campaign['id']}/report").json()
    assert report["totals"]["sent"] == 7
    assert report["message_2"]["sent"] == 4
    assert [failure["messages"] for failure in report["failures"]] == [1]
    check_logs(system)
