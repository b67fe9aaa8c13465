"""The proof on a real run: it agrees, and when somebody tampers it tells whose story went wrong."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from local import demo_proof, stack
from local.demo_screen import Screen
from local.evidence import gather, simulated
from tests.cli.conftest import Relance, behave, wait_for_status

PHONES = [f"+3326191020{number}" for number in range(6)]


@pytest.fixture(scope="module")
def campaign(relance: Relance, system: stack.Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A completed campaign of six people, three of whom answered; returns its id."""
    scripts = {phone: {"reply": "text" if number < 3 else "none"} for number, phone in enumerate(PHONES)}
    behave(system, reply_again_rate=0, phones=scripts)
    file = tmp_path_factory.mktemp("proven") / "people.csv"
    file.write_text("phone,name\n" + "".join(f"{phone},Léa\n" for phone in PHONES))
    assert relance("import", str(file), "--category", "Proven").code == 0
    made = relance(
        "campaign", "create", "Proven", "--category", "Proven", "--message-1", "Un", "--message-2", "Deux", "--json"
    ).json()
    deadline = time.monotonic() + 60  # an earlier test may have taken its phone offline: it comes back by itself
    while (sent := relance("campaign", "send", "Proven")).code:
        assert "the sender is offline" in sent.err and time.monotonic() < deadline, sent
        time.sleep(0.2)
    wait_for_status(relance, "Proven", "completed", seconds=120)
    deadline = time.monotonic() + 60
    while not asyncio.run(demo_proof.is_quiet(system)):
        assert time.monotonic() < deadline, "webhooks were still on their way"
        time.sleep(0.05)
    return str(made["id"])


def prove(system: stack.Stack, campaign: str, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    agreed = asyncio.run(demo_proof.prove(system, campaign, PHONES, Screen()))
    return agreed, capsys.readouterr().out


def test_a_true_run_is_proven(system: stack.Stack, campaign: str, capsys: pytest.CaptureFixture[str]) -> None:
    agreed, told = prove(system, campaign, capsys)
    assert agreed, told
    assert "✗" not in told
    assert "Message 1: 6 accepted by the gateway, 6 so recorded" in told
    assert "3 people replied in their window" in told
    assert max(len(line) for line in told.splitlines()) <= 80


def test_a_message_sent_behind_our_back_is_told_with_its_whole_story(
    system: stack.Stack, campaign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = next(line for line in simulated(system.simulator_url).accepted if line["phone"] == PHONES[0])
    body = {"phone": PHONES[0], "message": line["text"], "reference": line["reference"], "device": line["device"]}
    key = {"Token": system.env["WASSENGER_API_KEY"]}
    httpx.post(f"{system.simulator_url}/v1/messages", json=body, headers=key, trust_env=False).raise_for_status()
    agreed, told = prove(system, campaign, capsys)
    assert not agreed
    assert "✗ not so: nobody got anything twice" in told
    assert "Message 1 was accepted 2 times by the gateway" in told
    for part in ("message pending → sending by lane", "accepted by the gateway", "judged follow_up", "webhook out"):
        assert part in told, told
    assert PHONES[0] not in told, "the number is masked"


def test_a_campaign_nobody_knows_has_no_evidence(system: stack.Stack) -> None:
    seen = simulated(system.simulator_url)
    with pytest.raises(LookupError, match="there is no campaign"):
        asyncio.run(gather(system.env["DATABASE_URL"], "01a1f87a-0000-7000-8000-000000000000", seen))


def test_screen_without_a_terminal_has_no_colours(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    screen = Screen()
    screen.title(1, {"TIME_SCALE": "24", "REPLY_WINDOW_HOURS": "0.0027"})
    screen.command(("campaign", "create", "L'été", "--message-1", "x" * 60))
    screen.verdict(False, 1.0)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "do not agree" in told
    assert "x" * 33 + "…" in told
