"""A promise is committed, and its answer is lost on the way to the process that made it, which lives.

PostgreSQL is made to wait for a standby that does not exist: what it commits then is committed, and nobody is told.
The connections that wait are ended. No look-up may ever believe in the absence of a message that a living process
promised, so the process itself must give it back.
"""

from __future__ import annotations

from tests.crash.judge import assert_right, lines_of
from tests.crash.stage import Ground, scene
from tests.crash.system import System
from tests.simulator_process import until

BLOCKED = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1"
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE $1"
STEPS = {1: "WITH known AS%lane AS%", 2: "WITH known AS%who AS%"}
"""How the two promises begin: what PostgreSQL shows of a statement ends before their middle."""


@scene(seconds=25)
async def test_a_promise_whose_answer_is_lost_is_given_back_and_sent_once(ground: Ground) -> None:
    everybody = ("web", "worker", "replies", "scheduler")
    async with ground.system(start=everybody, own_postgres=True) as system:
        campaign = await system.books.launched(12, message_2="And now the second one of campaign 0")
        await system.books.some_left(campaign, 3)
        await _lose_the_answer(system, 1, None)
        await system.books.all_left(campaign)
        await _lose_the_answer(system, 2, campaign.phones[0])
        await until(lambda: len(lines_of(system, campaign.phones[0])) == 2, seconds=60, what="Message 2")
        await system.quiet()
        await assert_right(system, campaign)
        given_back = (
            "SELECT count(*) FROM event WHERE new = 'pending' AND why LIKE 'not sent: the answer to the promise%'"
        )
        assert await system.books.value(given_back) >= 2


async def _lose_the_answer(system: System, step: int, who: str | None) -> None:
    """Let a promise of this step be committed and its answer be lost; ``who`` replies to bring a Message 2 about."""
    async with system.books.apart() as conn, system.books.apart() as blocker:
        for ours in (conn, blocker):
            await ours.execute("SET synchronous_commit = local")
        async with blocker.transaction():
            # Held up half way, so that nothing but its commit comes after the standby is asked for.
            await blocker.execute("SELECT FROM quota_day FOR UPDATE")
            if who is not None:
                system.simulator.say(who)
            await until(lambda: conn.fetchval(BLOCKED, STEPS[step]), seconds=30, what="a promise under way")
            await conn.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            await conn.execute("SELECT pg_reload_conf()")
            await until(lambda: conn.fetchval("SHOW synchronous_standby_names"), what="the standby to be asked for")
        try:
            await until(lambda: conn.fetchval(WAITING, STEPS[step]), seconds=30, what="a promise that waits")
            await conn.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) w", STEPS[step])
        finally:
            await conn.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await conn.execute("SELECT pg_reload_conf()")
