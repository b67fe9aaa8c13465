"""The web process is killed after it stored a webhook: what it answered 200 to is digested, once."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from functools import partial
from typing import Any

import httpx

from tests.crash.judge import assert_right, lines_of
from tests.crash.process import send
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.crash.system import System
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")


@scene(seconds=8)
async def test_web_after_the_insert_before_the_wake_is_digested_once(ground: Ground) -> None:
    """Redis is frozen, so that no wake-up can leave, when the web process is killed."""
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.launched(1, message_2="And now the second one of campaign 0")
        (phone,) = campaign.phones
        await system.books.all_left(campaign)
        assert system.servers.valkey is not None
        system.servers.valkey.freeze()
        system.simulator.say(phone)
        await until(lambda: _stored(system), seconds=30, what="the reply to be stored")
        system.only("web").kill()
        stored = await system.books.rows("SELECT digested_at FROM inbox WHERE from_person")
        assert [row["digested_at"] for row in stored] == [None]
        system.servers.valkey.thaw()
        await until(lambda: _message_2_left(system, phone), seconds=60, what="Message 2")
        await _is_followed_up_once(system, campaign)


@scene(seconds=15)
async def test_web_killed_the_instant_after_its_200_loses_nothing(ground: Ground) -> None:
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.launched(3, message_2="And now the second one of campaign 0")
        await system.books.all_left(campaign)
        for phone in campaign.phones:
            web = system.only("web")
            answer = await asyncio.to_thread(_answer_and_die, system.hook, _reply(system, phone), web.pid)
            assert answer == 200
            web.popen.wait()
            await system.known(*await system.bring_back())
        for phone in campaign.phones:
            await until(partial(_message_2_left, system, phone), seconds=60, what="Message 2")
        await until(lambda: _states(system, campaign), seconds=30, what="everybody to be followed up")
        rows = await system.books.rows("SELECT outcome FROM inbox WHERE from_person")
        assert [row["outcome"] for row in rows] == ["follow_up"] * 3
        assert [len(lines_of(system, phone)) for phone in campaign.phones] == [2] * 3


def _answer_and_die(hook: str, body: bytes, pid: int) -> int:
    with httpx.Client(timeout=10, trust_env=False) as http:
        answer = http.post(hook, content=body)
        send(pid, signal.SIGKILL)
        return answer.status_code


def _reply(system: System, phone: str) -> bytes:
    """Write a webhook as the gateway does when a person writes."""
    wid, device = f"{phone[1:]}@c.us", system.simulator.device
    data: dict[str, Any] = {
        "id": f"3EB0{phone[1:]}", "type": "text", "flow": "inbound", "status": "active", "ack": "delivered",
        "from": wid, "fromNumber": phone, "to": "493023125900@c.us", "toNumber": "+493023125900", "body": "Oui !",
        "timestamp": int(time.time()), "chat": {"id": wid, "type": "chat"}, "meta": {"isGroup": False},
    }  # fmt: skip
    event = {"id": data["id"], "object": "message", "event": "message:in:new", "created": int(time.time()),
             "device": {"id": device, "phone": "+493023125900"}, "data": data}  # fmt: skip
    return json.dumps(event).encode()


async def _stored(system: System) -> bool:
    return bool(await system.books.value("SELECT count(*) FROM inbox WHERE from_person"))


def _message_2_left(system: System, phone: str) -> bool:
    return len(lines_of(system, phone)) == 2


async def _states(system: System, campaign: Campaign) -> bool:
    return set((await system.books.states(campaign)).values()) == {"followed_up"}


async def _is_followed_up_once(system: System, campaign: Campaign) -> None:
    await until(lambda: _states(system, campaign), seconds=30, what="everybody to be followed up")
    rows = await system.books.rows("SELECT outcome FROM inbox WHERE from_person")
    assert [row["outcome"] for row in rows] == ["follow_up"]
    await assert_right(system, campaign)
