"""No secret and no full phone number is ever written, whoever logs it and however."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from local import place
from models.logs import masked

PHONE = "+33199000012"

PROGRAM = """
import logging, structlog
import settings
from models import logs
logs.configure("worker")
s = settings.get()
log = structlog.get_logger()
log.info("sent to +33199000012", phone="+33199000012", campaign="0193b8a0-1111-7222-8333-444455556666", attempt=3)
log.info("an address", jid="33199000012@c.us", url="http://127.0.0.1:8000/x?token=" + s.wassenger_webhook_secret)
log.info("request", path="/api/contacts/01 99 00 00 12")
log.debug("not at this level")
logging.getLogger("dramatiq.worker").warning("no answer from %s with %s", "+33199000012", s.wassenger_api_key)
logging.getLogger("httpx").info("GET http://127.0.0.1:9/v1")
for say in (log.exception, logging.getLogger("anything").exception):
    try:
        raise ValueError("+33199000012 refused " + s.secret_key)
    except ValueError:
        say("it failed")
log.warning("keys " + s.bootstrap_api_key, at="2026-11-20T08:00:00", seconds=1.5)
"""

NESTED = """
import structlog
import settings
from models import logs
logs.configure("worker")
s = settings.get()
structlog.get_logger().info("nested", people=[{"phone": "+33199000012"}], number=33199000012, key=(s.secret_key,))
"""

URLS = """
import structlog
import settings
from models import logs
logs.configure("worker")
s = settings.get()
structlog.get_logger().info("cannot connect to " + s.database_url, redis=s.redis_url)
"""


def run(environment: dict[str, str], program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("form", ["json", "console"])
def test_neither_phones_nor_secrets_leave_a_process(environment: dict[str, str], form: str) -> None:
    written = "\n".join(run(environment | {"LOG_FORMAT": form}, PROGRAM))
    assert "33199000012" not in written
    assert "99 00 00 12" not in written
    for name in ("SECRET_KEY", "BOOTSTRAP_API_KEY", "WASSENGER_API_KEY", "WASSENGER_WEBHOOK_SECRET"):
        assert environment[name] not in written, name
    assert written.count("[secret]") >= 5
    assert written.count("12") >= 4, "the last two digits stay, so that a person can be told from another"


def test_json_is_one_object_a_line_with_what_a_reader_needs(environment: dict[str, str]) -> None:
    lines = [json.loads(line) for line in run(environment | {"LOG_FORMAT": "json"}, PROGRAM)]
    assert [line["event"] for line in lines][:1] == ["sent to +33•••••••12"]
    first = lines[0]
    assert (first["phone"], first["attempt"], first["level"], first["process"]) == ("+33•••••••12", 3, "info", "worker")
    assert first["campaign"] == "0193b8a0-1111-7222-8333-444455556666", "our own ids pass"
    assert all({"event", "level", "timestamp", "process"} <= line.keys() for line in lines)
    assert not any(line["event"] == "not at this level" for line in lines)
    assert not any("GET http" in line["event"] for line in lines), "libraries keep their chatter"
    failures = [line for line in lines if line["event"] == "it failed"]
    assert len(failures) == 2
    assert all("ValueError" in line["exception"] and "[secret]" in line["exception"] for line in failures)


def test_the_least_level_is_the_setting(environment: dict[str, str]) -> None:
    lines = [json.loads(line) for line in run(environment | {"LOG_LEVEL": "error"}, PROGRAM)]
    assert {line["level"] for line in lines} == {"error"}


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_is_nested_or_a_number_is_masked_too(environment: dict[str, str], form: str) -> None:
    written = "\n".join(run(environment | {"LOG_FORMAT": form}, NESTED))
    assert "nested" in written
    assert "33199000012" not in written
    assert environment["SECRET_KEY"] not in written


def test_the_passwords_of_the_servers_are_secrets(environment: dict[str, str]) -> None:
    theirs = {
        "DATABASE_URL": "postgresql://relance:s3cret-word@127.0.0.1:9/relance",
        "REDIS_URL": "redis://:an0ther-word@127.0.0.1:9/0",
    }
    written = "\n".join(run(environment | theirs, URLS))
    assert "cannot connect" in written
    assert "s3cret-word" not in written
    assert "an0ther-word" not in written


@pytest.mark.parametrize(
    "text",
    [
        "to {}", "{}", "({})", "[{}]", "phone={}", "'{}'", '{{"phone": "{}"}}', "{}, next", "{}@c.us",
        "{}@s.whatsapp.net", "Key (phone)=({}) already exists", "to {}\nand on", "wa.me/{}?text=x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [PHONE, PHONE[1:]])
def test_a_number_is_masked_wherever_it_stands(text: str, number: str) -> None:
    shown = masked(text.format(number))
    assert number[1:] not in shown
    assert "••12" in shown


@pytest.mark.parametrize(
    "text",
    [
        "sent to +33199000012.", "sent to 33199000012.", "phone:33199000012", "tel:33199000012",
        "+33199000012: refused", "33199000012: refused", "33199000012:12@s.whatsapp.net",
    ],
)  # fmt: skip
def test_a_number_beside_a_point_or_a_colon_is_masked_too(text: str) -> None:
    assert "3199000012" not in masked(text)


@pytest.mark.parametrize(
    "written",
    [
        "01 99 00 00 12", "01.99.00.00.12", "01-99-00-00-12", "+33 1 99 00 00 12", "+33 (0)1 99 00 00 12",
        "0033 199 000 012", "+1 (202) 555-0112", "+33\u00a01\u202f99\u202f00\u202f00\u202f12", "+44 20 7946 0012",
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["{}", "/api/contacts/{}", "tel:{}", "the first line names {}, Ana", "{}: refused"])
def test_a_number_written_in_groups_is_masked_too(text: str, written: str) -> None:
    shown = masked(text.format(written))
    assert written[-7:] not in shown
    assert "••12" in shown


@pytest.mark.parametrize(
    "text",
    [
        "0193b8a0-1111-7222-8333-444455556666", "2026-11-20T08:00:00.123456Z", "127.0.0.1:5432", "took 1234567 us",
        "batch 12 of 40", "0193b8a011117222833344445555", "5a1e00000000000000000001", "1732089600.123",
        "0 of 40 (12 failed)", "0.25 s, 0.5 s", "0.0.0.0:8000",
    ],
)  # fmt: skip
def test_ids_times_and_addresses_pass_untouched(text: str) -> None:
    assert masked(text) == text
