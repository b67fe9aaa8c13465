from __future__ import annotations

import asyncpg
import httpx

from local import stack
from tests.cli.conftest import Relance, run

PASSWORD = "correct horse battery"


async def test_the_first_admin_and_a_key_are_made_without_the_service(environment: dict[str, str]) -> None:
    made = run(environment, "user", "create", "Ana@Example.org", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (made.code, "ana@example.org may log in as admin" in made.out) == (0, True), made
    again = run(environment, "user", "create", "ana@example.org", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (again.code, "exists already" in again.err) == (1, True)
    weak = run(environment, "user", "create", "eve@example.org", "--password-stdin", stdin="short\n")
    assert (weak.code, "12 to 200 characters" in weak.err) == (1, True)
    key = run(environment, "key", "create", "Nightly", "--role", "viewer", "--for", "ana@example.org")
    assert (key.code, key.out.startswith("relance_"), "not shown again" in key.err) == (0, True, True)
    nobody = run(environment, "key", "create", "Nightly", "--for", "eve@example.org")
    assert (nobody.code, "nobody has the e-mail" in nobody.err) == (1, True)
    nowhere = run(environment, "key", "create", "Nightly", "--area", "contacts", "--area", "kitchen")
    assert (nowhere.code, "kitchen is no area: there are" in nowhere.err, nowhere.out) == (1, True, "")
    conn = await asyncpg.connect(environment["DATABASE_URL"])
    rows = await conn.fetch("SELECT actor_kind, action, detail::text FROM audit ORDER BY id")
    await conn.close()
    assert [(row["actor_kind"], row["action"]) for row in rows] == [
        ("command", "bin/relance user create"), ("command", "bin/relance key create"),
    ]  # fmt: skip
    assert PASSWORD not in str(rows)
    assert key.out.strip() not in str(rows)


def test_what_the_command_made_opens_the_door_and_is_listed_and_revoked(relance: Relance, system: stack.Stack) -> None:
    assert relance("user", "create", "ana@example.org", "--password-stdin", stdin=f"{PASSWORD}\n").code == 0
    url = system.url
    with httpx.Client(base_url=url, trust_env=False) as browser:
        log_in = {"email": "ana@example.org", "password": PASSWORD}
        assert browser.post("/api/auth/login", json=log_in).json()["role"] == "admin"
        assert relance("user", "password", "ana@example.org", "--password-stdin", stdin="another horse bat\n").code == 0
        assert browser.get("/api/auth/me").status_code == 401
    assert relance("user", "password", "eve@example.org", "--password-stdin", stdin=f"{PASSWORD}\n").code == 1
    assert "ana@example.org" in relance("user", "list").out
    key = relance("key", "create", "Nightly", "--role", "viewer", "--area", "contacts").out.strip()
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{url}/api/contacts", headers=headers, trust_env=False).status_code == 200
    assert httpx.get(f"{url}/api/campaigns", headers=headers, trust_env=False).status_code == 403
    (listed,) = [one for one in relance("key", "list", "--json").json() if one["name"] == "Nightly"]
    assert (listed["role"], listed["areas"]) == ("viewer", ["contacts"])
    assert key not in relance("key", "list").out
    assert relance("key", "revoke", "Nightly").code == 0
    assert httpx.get(f"{url}/api/contacts", headers=headers, trust_env=False).status_code == 401
    assert relance("key", "revoke", "Nightly").code == 1
