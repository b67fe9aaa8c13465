"""The report of a campaign, for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from cli.terminal import clock, duration, share, status, table


def show_report(out: Console, report: dict[str, Any]) -> None:
    """Print the report: how it ended, the figures with their shares, how fast, and what failed for which reason."""
    times = report["durations"]
    out.print(Text(report["name"], style="bold").append("  ").append(status(report["status"])))
    out.print(
        f"launched {clock(report['launched_at'])}, completed {clock(report['completed_at'])}; "
        f"sending took {duration(times['sending'])}, the whole {duration(times['total'])}",
        style="dim",
    )
    out.print()
    out.print(table(("", "people", "share", "of"), _figures(report), right=("people", "share")))
    out.print()
    _latencies(out, report)
    _failures(out, report["failures"])
    _pacing(out, report)


def _figures(report: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    totals, rates, second = report["totals"], report["rates"], report["message_2"]
    rows = [
        ("recipients", totals["total"], None, ""),
        ("Message 1 sent", totals["sent"], rates["sent"], "recipients"),
        ("delivered", totals["delivered"], rates["delivered"], "sent"),
        ("read", totals["read"], rates["read"], "sent"),
        ("replied", totals["interactions"], rates["replied"], "sent"),
    ]
    if second is not None:
        rows.append(("Message 2 sent", second["sent"], second["conversion"], "sent"))
    rows.append(("no interaction", totals["no_interaction"], rates["no_interaction"], "sent"))
    optional = (
        ("replied too late", totals["late_replies"], None, ""),
        ("asked us to stop", totals["opted_out"], rates["opted_out"], "recipients"),
        ("Message 1 failed", totals["send_failed"], rates["failed"], "recipients"),
        ("Message 2 failed", totals["message_2_failed"], None, ""),
        ("in doubt", totals["unconfirmed"], None, ""),
        ("cancelled", totals["cancelled"], None, ""),
    )
    rows += [row for row in optional if row[1]]
    return [(label, str(many), share(part), of if part is not None else "") for label, many, part, of in rows]


def _latencies(out: Console, report: dict[str, Any]) -> None:
    shown = [
        ("accepted by the gateway", report["latency_ms"]["accept"]),
        ("delivered", report["latency_ms"]["delivery"]),
        ("read", report["latency_ms"]["read"]),
        ("replied", report["latency_ms"]["reply"]),
        ("Message 2 after a reply", (report["message_2"] or {}).get("after_reply_ms")),
    ]
    rows = [(label, duration(s["p50"] / 1000), duration(s["p95"] / 1000)) for label, s in shown if s]
    if rows:
        out.print(table(("how soon", "half within", "95 % within"), rows, right=("half within", "95 % within")))
        out.print()


def _failures(out: Console, failures: list[dict[str, Any]]) -> None:
    rows = [(f"Message {f['step']}", str(f["messages"]), f["reason"]) for f in failures]
    if rows:
        out.print(table(("failed", "times", "why"), rows, right=("times",)))
        out.print()


def _pacing(out: Console, report: dict[str, Any]) -> None:
    for change in report["pacing"]:
        out.print(
            f"from batch {change['batch']}: {change['size']} messages, one every {change['delay_seconds']:g} s, "
            f"then {change['pause_seconds']:g} s ({change['reason']})",
            style="dim",
        )
    retries = f"; {report['retries']} sent again" if report["retries"] else ""
    out.print(f"{report['batches']} batches{retries}", style="dim")
