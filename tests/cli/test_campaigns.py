"""Campaigns from the terminal, whole: written, previewed, sent, held, watched, reported."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from local import place, stack
from tests.cli.conftest import Relance, behave, environment_of, wait_for_status


def test_a_campaign_goes_from_its_text_to_its_report(
    relance: Relance, people: str, system: stack.Stack, tmp_path: Path
) -> None:
    behave(system, reply_rate=1, reply_types={"opt_out": 0}, late_rate=0)
    text = tmp_path / "one.txt"
    text.write_text("Bonjour {{name}} de {{city}}\n")
    made = relance(
        "campaign", "create", "Whole", "--category", people, "--message-1", f"@{text}", "--message-2", "Merci {{name}}"
    )
    assert made.code == 0, made
    assert "Whole: draft, id " in made.out
    preview = relance("campaign", "preview", "Whole").out
    assert "8 of 8 people" in preview
    assert "Message 1  Bonjour Ana" in preview
    assert "8 messages of 1000" in preview
    assert "risk low: " in preview and "take the careful profile" in " ".join(preview.split())
    sent = relance("campaign", "send", "Whole")
    assert "Whole: launching, 8 people" in sent.out, sent
    watched = relance("campaign", "status", "Whole", "--watch").out.splitlines()
    assert "completed 8/8 sent" in watched[-1]
    assert "8 Message 2" in watched[-1], relance("campaign", "report", "Whole", "--csv").out
    report = relance("campaign", "report", "Whole").out
    assert "Whole  completed" in report
    assert "Message 2 sent" in report
    assert max(len(line) for line in report.splitlines()) <= 80
    assert "+33" not in report
    totals = relance("campaign", "report", "Whole", "--json").json()["totals"]
    assert (totals["sent"], totals["message_2_sent"]) == (8, 8)
    rows = list(csv.DictReader(io.StringIO(relance("campaign", "report", "Whole", "--csv").out.lstrip("\ufeff"))))
    assert {row["state"] for row in rows} == {"followed_up"}
    assert relance("export", "campaign", "Whole").out.count("+331990001") == 8
    listed = relance("campaign", "list").out
    assert "Whole" in listed
    assert "8/8" in listed
    again = relance("campaign", "send", "Whole")
    assert (again.code, again.err.count("\n")) == (1, 1), "one sentence"


def test_a_campaign_is_paused_resumed_and_cancelled(relance: Relance, people: str) -> None:
    hour = datetime.now(UTC).hour
    quiet = f"{hour:02}:00-{(hour + 3) % 24:02}:00"  # nothing leaves meanwhile: it cannot end under our hands
    relance("campaign", "create", "Held", "--category", people, "--message-1", "Bonjour", "--quiet-hours", quiet)
    campaign = relance("campaign", "list", "--json").json()[0]["id"]
    relance("campaign", "send", campaign)
    wait_for_status(relance, "Held", "sending", "waiting")
    paused = relance("campaign", "pause", campaign[-8:])
    assert "Held: paused (a person paused it)" in paused.out, paused
    picture = relance("campaign", "status", "Held").out
    assert "Held  paused  a person paused it" in picture
    assert "Message 1" in picture
    assert "Held: sending" in relance("campaign", "resume", "Held").out
    asked = relance("campaign", "cancel", "Held", stdin="n\n")
    assert asked.code == 1
    assert "Held: cancelled" in relance("campaign", "cancel", "Held", "--yes").out
    assert relance("campaign", "resume", "Held").err.strip() == (
        "Error: the campaign is cancelled: it cannot be resumed now"
    )
    assert "cancelled" in relance("campaign", "status", "Held", "--watch").out


def test_on_a_terminal_the_figures_move_in_place(relance: Relance, people: str, system: stack.Stack) -> None:
    relance("campaign", "create", "Seen", "--category", people, "--message-1", "Bonjour")
    relance("campaign", "send", "Seen")
    shown = on_a_terminal(environment_of(system), "campaign", "status", "Seen", "--watch")
    assert "\x1b[" in shown
    assert shown.count("Message 1") > 1
    assert "completed" in shown
    assert "█" in shown


def on_a_terminal(environment: dict[str, str], *arguments: str) -> str:
    """Run a command on a terminal of its own and return everything it wrote there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        cwd=place.ROOT,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not chunk:
            break
        written += chunk
    os.close(ours)
    assert process.wait(30) == 0, written.decode()
    return written.decode()


def test_a_time_without_a_zone_is_the_operators_own(relance: Relance, people: str) -> None:
    create = ("campaign", "create", "Later", "--category", people, "--message-1", "Hi", "--at", "2030-01-31T09:00")
    made = relance(*create, "--json", env={"TZ": "Asia/Tokyo"}).json()
    assert made["scheduled_at"] == "2030-01-31T00:00:00Z"
    assert (
        "Later: scheduled, 8 people, at 2030-01-31 09:00"
        in relance("campaign", "send", "Later", env={"TZ": "Asia/Tokyo"}).out
    )


def test_a_download_leaves_a_whole_file_or_none(relance: Relance, people: str, tmp_path: Path) -> None:
    relance("campaign", "create", "Kept", "--category", people, "--message-1", "Hi")
    out = tmp_path / "kept.csv"
    done = relance("export", "campaign", "Kept", "--output", str(out))
    assert (done.code, done.out, done.err.strip()) == (0, "", f"written to {out}")
    assert [file.name for file in tmp_path.iterdir()] == ["kept.csv"]
    assert out.read_text("utf-8-sig").startswith("phone,")
    out.unlink()
    assert relance("export", "campaign", "Nowhere", "-o", str(out)).code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_campaign_that_is_not_there_or_not_alone_is_named(relance: Relance, people: str) -> None:
    assert relance("campaign", "status", "Nowhere").err.strip() == (
        "Error: there is no campaign 'Nowhere': see bin/relance campaign list"
    )
    for _ in range(2):
        relance("campaign", "create", "Twin", "--category", people, "--message-1", "Bonjour")
    assert "2 campaigns are called 'Twin': name one by its id" in relance("campaign", "preview", "Twin").err


def test_what_cannot_be_written_is_refused_with_the_reason(relance: Relance, people: str, tmp_path: Path) -> None:
    hole = relance("campaign", "create", "Bad", "--category", people, "--message-1", "Hello {{name}")
    assert hole.code == 1
    assert "never closed" in hole.err
    missing = relance("campaign", "create", "Bad", "--category", people, "--message-1", f"@{tmp_path}/no.txt")
    assert (missing.code, "the text cannot be read" in missing.err) == (2, True)
    late = relance("campaign", "create", "Bad", "--category", people, "--message-1", "Hi", "--at", "tomorrow")
    assert (late.code, "--at 'tomorrow' is no time" in late.err) == (2, True)
    other = relance("campaign", "create", "Bad", "--category", people, "--message-1", "Hi", "--sender", "Nobody")
    assert "no sender is called 'Nobody' (there are: First number)" in other.err


def test_a_sender_is_listed_paused_and_resumed(relance: Relance) -> None:
    listed = relance("sender", "list").out
    assert "First number" in listed
    assert "ready" in listed
    device = relance("sender", "list", "--json").json()[0]["id"]
    assert relance("sender", "pause", "First number").out == "First number: paused\n"
    assert "paused" in relance("sender", "list").out
    assert relance("sender", "resume", device[:8]).out == "First number: resumed\n"
    assert json.loads(relance("sender", "list", "--json").out)[0]["state"] == "ready"
