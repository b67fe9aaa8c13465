"""The pace in force: maturity read from the rows, whose word counts, and what the error rate is judged by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from models import attempts, maturity, pace, transitions, warmth
from models.queries import sql
from models.transitions import Failure
from rules.quota import local_day
from tests import worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def grown_up(conn: Conn, *, answered: int = 15) -> UUID:
    """Make a number that has everything a mature one has, unless fewer answered."""
    running, _ = await worlds.sent(conn, 40)
    ago = "now() - interval '2 days'"
    await conn.execute(f"UPDATE message SET sent_at = {ago}, promised_at = {ago}")
    await conn.execute("UPDATE recipient SET window_ends_at = now() - interval '1 day'")
    await conn.execute(
        "UPDATE recipient SET state = 'replied', replied_at = now() - interval '30 h', why = 't', moved_by = 't'"
        " WHERE id IN (SELECT id FROM recipient ORDER BY id LIMIT $1)",
        answered,
    )
    await conn.execute("UPDATE quota_day SET used = 600, day = day - 40")
    return running.sender


async def test_a_number_is_mature_by_what_its_rows_say_and_gets_the_faster_delay(conn: Conn) -> None:
    sender = await grown_up(conn)
    judged = await maturity.of(conn, sender)
    assert judged.mature, judged.missing
    assert [reason.split(":")[0] for reason in judged.reasons] == [
        "It is used for 40 days.",
        "600 messages left it.",
        "0.0 % of the last 40 attempts failed.",
        "37.5 % of the last 40 people written to answered.",
    ]
    usual = await pace.in_force(conn, sender, "{}", "{}")
    assert (usual.delay, usual.sources["delay"]) == (3, "maturity")
    named = await pace.in_force(conn, sender, "{}", '{"delay": 6}')
    assert (named.delay, named.sources["delay"]) == (6, "campaign")


async def test_a_number_to_which_few_answer_keeps_the_usual_delay_until_a_person_says_otherwise(conn: Conn) -> None:
    sender = await grown_up(conn, answered=9)
    assert (await maturity.of(conn, sender)).missing == (
        "22.5 % of the last 40 people written to answered: at least 25.0 % are needed.",
    )
    assert (await pace.in_force(conn, sender, "{}", "{}")).delay == 5
    await conn.execute("UPDATE sender SET mature = true WHERE id = $1", sender)
    assert (await pace.in_force(conn, sender, "{}", "{}")).delay == 3
    await conn.execute("UPDATE sender SET mature = NULL WHERE id = $1", sender)
    await conn.execute("INSERT INTO setting (key, value, changed_by) VALUES ('MATURE_REPLY_RATE', '0.2', 'a person')")
    assert (await pace.in_force(conn, sender, "{}", "{}")).delay == 3, "thresholds are settings"


async def test_a_fresh_number_says_everything_it_lacks(conn: Conn) -> None:
    judged = await maturity.of(conn, await worlds.new_sender(conn))
    assert not judged.mature and len(judged.missing) == 4
    sender = await worlds.new_sender(conn)
    await conn.execute("UPDATE sender SET first_used_at = now() - interval '90 days' WHERE id = $1", sender)
    assert (await maturity.of(conn, sender)).reasons[0] == "It is used for 90 days."


async def test_the_careful_pause_keeps_the_hourly_cap_by_itself_and_says_so(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    usual = await pace.in_force(conn, sender, '{"profile": "careful"}', "{}")
    assert (usual.delay, usual.size, usual.pause, usual.sources["pause"]) == (30, 20, 1800, "hourly_cap")


@pytest.mark.parametrize(
    ("named", "profile", "hours"),
    [("22:00-07:00", "careful", "22:00-07:00"), (None, "careful", "21:00-08:00"), (None, "standard", "")],
)
async def test_only_the_careful_profile_has_quiet_hours_of_its_own(
    configured: object, named: str | None, profile: str, hours: str
) -> None:
    assert pace.quiet_hours(named, profile) == hours  # type: ignore[arg-type]


async def failed(conn: Conn, running: worlds.Running, texts: list[str]) -> None:
    """Let the gateway refuse the first messages of a campaign with these words."""
    rows = [
        Failure(message=person.message, error_class="refused", error_text=text)
        for person, text in zip(running.people, texts, strict=False)
    ]
    assert len(await transitions.fail(conn, rows, by="test")) == len(texts)


async def test_a_reach_out_lock_shows_in_the_error_rate_and_trips_no_breaker(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 20)
    await failed(conn, running, ["error 463"] * 6 + ["phone:invalid"] * 2 + ["no such template"])
    seen = await attempts.window(conn, running.campaign, None)
    assert (seen.failed, seen.settled) == (9, 20)
    assert (seen.judged.failed, seen.judged.settled, seen.judged.invalid) == (3, 14, 2)
    assert await pace.attempts(conn, running.campaign, None) == (9, 20)


async def test_retries_used_before_a_resume_do_not_count_after_it(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 3)
    await conn.execute("UPDATE message SET retries = 2")
    now = await conn.fetchval("SELECT now() - interval '1 minute'")
    assert (await attempts.window(conn, running.campaign, None)).failed == 6
    assert (await attempts.window(conn, running.campaign, now)).failed == 0
    assert (await attempts.probing(conn, running.campaign, now)).why is None


async def test_a_warning_costs_a_stage_at_once_and_a_word_of_a_person_gives_it_back(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    row = await conn.fetchrow("SELECT time_zone, now() AS now FROM sender WHERE id = $1", sender)
    assert row is not None
    today = local_day(row["now"], row["time_zone"])
    assert (await warmth.today(conn, sender, today)).cap == 20
    await conn.execute("UPDATE sender SET mature = true WHERE id = $1", sender)
    await sql.forget_caps(conn, sender=sender)
    assert (await warmth.today(conn, sender, today)).cap == 300
    await warmth.warn(conn, sender, "silence", "nothing was heard")
    await warmth.warn(conn, sender, "silence", "nothing was heard")
    lower = await warmth.today(conn, sender, today)
    assert (lower.cap, lower.why) == (150, f"one stage back: there was a warning on {today}")


async def test_a_number_that_is_answered_climbs_with_its_age(conn: Conn) -> None:
    sender = await grown_up(conn)
    await conn.execute("UPDATE message SET quota_day = (now() - interval '2 days')::date, opens = true")
    today = await conn.fetchval("SELECT now()::date")
    climbed = await warmth.today(conn, sender, today)
    assert climbed.cap == 40 and "37.5 % of 40 people answered" in climbed.why
    assert climbed.day == today and climbed.opened == 0
    assert (await warmth.today(conn, sender, today - timedelta(days=3))).cap == 20
