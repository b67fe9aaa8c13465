"""The report of a campaign as a page that one can print: made here, whole, without a script and without a request."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from litestar import MediaType, Response

from web.headers import policy_of
from web.printing_words import WORDS, Words

Language = Literal["fr", "en"]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1d2733;max-width:60rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #c8d1da}
p{margin:.2rem 0;color:#536273}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #e6ebf0;vertical-align:top}
th{font-weight:600;color:#536273}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}tr{break-inside:avoid}
@page{margin:18mm}}
"""
_SKELETON = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>{body}</body></html>'
)


def language(accepted: str) -> Language:
    """Return the language that an ``Accept-Language`` header likes best of those we have; English if none.

    >>> language("fr-CA,fr;q=0.9,en;q=0.8"), language("en;q=0.4, fr;q=0.7"), language("de"), language("fr;q=zero")
    ('fr', 'fr', 'en', 'en')
    """
    liked: dict[str, float] = {"en": 0.0, "fr": 0.0}
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";")
        short = name.strip().lower().partition("-")[0]
        try:
            value = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if short in liked:
            liked[short] = max(liked[short], value)
    return "fr" if liked["fr"] > liked["en"] else "en"


def printed(report: dict[str, Any], lang: Language) -> Response[str]:
    """Return the page; what the report names is shown as text, whatever is in it."""
    page = render(report, lang)
    headers = {"Content-Security-Policy": policy_of(page), "Content-Language": lang, "Vary": "Accept-Language"}
    return Response(page, media_type=MediaType.HTML, headers=headers)


def render(report: dict[str, Any], lang: Language) -> str:
    """Return the HTML of a report (the shape of ``models.figures.Report``)."""
    w = WORDS[lang]
    sections = [
        _heading(report, w),
        _table(w.people, ("", w.many, w.share), _figures(report, w), {1, 2}),
        _table(w.latency, ("", w.half, w.most), _latencies(report, w), {1, 2}),
        _table(w.failures, (w.message, w.many, w.reason), _failures(report, w), {1}),
        _table(w.pacing, (w.batch, w.from_, w.delay, w.pause, w.reason), _pacing(report, w), {2, 3}),
    ]
    return _SKELETON.format(lang=lang, title=_text(report["name"]), style=_STYLE, body="".join(sections))


def _heading(report: dict[str, Any], w: Words) -> str:
    times = report["durations"]
    facts = [
        f"{w.status[report['status']]} · {report['reason']}",
        f"{w.launched}: {_clock(report['launched_at'])} · {w.completed}: {_clock(report['completed_at'])}",
        f"{w.sending}: {_duration(times['sending'])} · {w.total}: {_duration(times['total'])}"
        f" · {w.paused}: {_duration(times['paused'])}",
        f"{w.batches}: {report['batches']} · {w.retries}: {report['retries']}",
    ]
    return f"<h1>{_text(report['name'])}</h1>" + "".join(f"<p>{_text(fact)}</p>" for fact in facts)


def _figures(report: dict[str, Any], w: Words) -> list[list[str]]:
    totals, rates, second = report["totals"], report["rates"], report["message_2"]
    rows = [(w.figures[name], totals[key], rates.get(rate)) for name, key, rate in _LINES]
    if second is not None:
        rows.insert(5, (w.figures["message_2"], second["sent"], second["conversion"]))
    return [[label, _number(many, w), _share(part, w)] for label, many, part in rows]


_LINES = (
    ("recipients", "total", ""), ("sent", "sent", "sent"), ("delivered", "delivered", "delivered"),
    ("read", "read", "read"), ("replied", "interactions", "replied"), ("silent", "no_interaction", "no_interaction"),
    ("late", "late_replies", ""), ("opted_out", "opted_out", "opted_out"), ("failed", "send_failed", "failed"),
    ("message_2_failed", "message_2_failed", ""), ("unconfirmed", "unconfirmed", ""), ("cancelled", "cancelled", ""),
)  # fmt: skip
"""What is shown of a report: its word, its total, its rate."""


def _latencies(report: dict[str, Any], w: Words) -> list[list[str]]:
    seen = [*report["latency_ms"].items(), ("message_2", (report["message_2"] or {}).get("after_reply_ms"))]
    return [[w.latencies[k], _duration(s["p50"] / 1000), _duration(s["p95"] / 1000)] for k, s in seen if s]


def _failures(report: dict[str, Any], w: Words) -> list[list[str]]:
    return [[str(one["step"]), _number(one["messages"], w), one["reason"]] for one in report["failures"]]


def _pacing(report: dict[str, Any], w: Words) -> list[list[str]]:
    return [
        [
            str(one["batch"]),
            _clock(one["at"]),
            f"{one['delay_seconds']:g} s",
            f"{one['pause_seconds']:g} s",
            one["reason"],
        ]
        for one in report["pacing"]
    ]


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]) -> str:
    """Return a section; one without rows is left out. The columns ``numbers`` stand to the right."""
    if not rows:
        return ""

    def line(tag: str, cells: Sequence[str]) -> str:
        written = (
            f'<{tag} class="n">{_text(cell)}</{tag}>' if at in numbers else f"<{tag}>{_text(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<h2>{_text(title)}</h2><table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>"


def _text(value: str) -> str:
    return html.escape(value)


def _number(many: int, w: Words) -> str:
    """Write a number as its readers do.

    >>> _number(1234567, WORDS["en"])
    '1,234,567'
    """
    return f"{many:,}".replace(",", w.thousands)


def _share(part: float | None, w: Words) -> str:
    return "" if part is None else f"{part * 100:.1f}".replace(".", w.point) + " %"


def _clock(at: str | datetime | None) -> str:
    if at is None:
        return "–"
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float | None) -> str:
    """Write a duration in the units a person would use.

    >>> [_duration(s) for s in (0.0123, 4.2, 65, 3720, 200_000, None)]
    ['12 ms', '4.2 s', '1 min 05 s', '1 h 02 min', '2 d 07 h', '–']
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for size, name, smaller, part in ((86_400, "d", "h", 3600), (3600, "h", "min", 60), (60, "min", "s", 1)):
        if seconds >= size:
            return f"{int(seconds // size)} {name} {int(seconds % size // part):02d} {smaller}"
    raise AssertionError("unreachable")
