"""The dashboard in a real browser: how soon each page is drawn, what it weighs, how late the screen is.

Every load is cold: a browser that has nothing, except for the log-in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page

from local import browser as chromium
from local import place
from local.bench import dashboard_contacts
from local.bench.figures import Figure, percentile

if TYPE_CHECKING:
    from local.stack import Stack

LOADS = 9
SECTION = "dashboard"
BASELINE = "GET /health/live in the same browser, FCP"
PEER_KILOBYTES = 195.0
"""JavaScript and CSS of the best self-hosted peer's first visit, gzip."""
PROMISES = {"FCP": 100.0, "LCP": 200.0, "interactive": 200.0}
_WATCH = """
window.seen = { LCP: 0, interactive: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.LCP = one.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new MutationObserver((_, watching) => {
  if (!document.querySelector(".side nav a[aria-current]")) return;
  watching.disconnect();
  requestAnimationFrame(() => { seen.interactive = performance.now(); });
}).observe(document, { childList: true, subtree: true });
"""
_TIMES = """() => ({ ...seen,
  FCP: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  files: performance.getEntriesByType("resource").map((one) => one.name) })"""
_COUNTER = """(name) => {
  window.shown = []; window.frames = []; let before = performance.now(), last = null;
  const look = (now) => {
    frames.push(now - before); before = now;
    const text = document.querySelector(`[data-figure=${name}]`)?.textContent.replace(/\\D/g, "");
    if (text && text !== last) { if (last !== null) shown.push([Number(text), Date.now() / 1000]); last = text; }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def drawn(system: Stack, campaign: str, loads: int = LOADS) -> list[Figure]:
    """Load every page cold; return the medians, and what the first visit weighs. Raises NoBrowser."""
    with chromium.running() as browser:
        nothing = median(_paint_of_nothing(browser, system) for _ in range(loads))
        figures: list[Figure] = []
        files: list[str] = []
        for name, path in _pages(browser, system, campaign).items():
            seen = [_load(browser, system, path) for _ in range(loads)]
            files = files or list(seen[0]["files"])  # type: ignore[call-overload]
            for what, bound in PROMISES.items():
                value = median(float(one[what]) for one in seen)  # type: ignore[arg-type]
                figures.append(Figure(SECTION, f"{name}: {what}", value, "ms", BASELINE, nothing, ("<", bound), loads))
    weight = _kilobytes(files)
    peer = "best self-hosted peer"
    return [
        Figure(SECTION, "first visit: JS and CSS, gzip", weight, "KB", peer, PEER_KILOBYTES, ("<", 60.0)),
        *figures,
    ]


def late(system: Stack, campaign: str, seconds: float) -> tuple[list[tuple[int, float]], list[float]]:
    """Watch a campaign's page; return each count of sent messages with the time it was drawn, and all frames (ms)."""
    with chromium.running() as browser, _visit(browser, system) as context:
        page = context.new_page()
        page.goto(f"{system.url}/campaigns/{campaign}")
        page.wait_for_selector("[data-figure=sent]")
        page.wait_for_selector("[data-live=live]")
        page.evaluate(_COUNTER, "sent")
        time.sleep(seconds)
        shown = [(int(many), float(at)) for many, at in page.evaluate("shown")]
        return shown, [float(one) for one in page.evaluate("frames")[2:]]


def contacts(system: Stack, seconds: float) -> list[Figure]:
    """Scroll the list of contacts for so long, then add and delete some. Raises NoBrowser."""
    with chromium.running() as browser, _visit(browser, system) as context:
        return dashboard_contacts.measure(context.new_page(), system.url, seconds)


def lateness(shown: Sequence[tuple[int, float]], sent_at: Sequence[float]) -> list[float]:
    """Return how many milliseconds after a message was accepted the screen counted it; ``sent_at`` rises.

    >>> lateness([(2, 10.5)], [10.0, 10.25])
    [250.0]
    """
    return [(at - sent_at[many - 1]) * 1000 for many, at in shown if many <= len(sent_at)]


def screen_figures(late_by: Sequence[float], frames: Sequence[float]) -> list[Figure]:
    """Return the figures of a campaign that is watched while it sends."""
    base, frame = "required", 1000 / 60
    return [
        Figure(SECTION, "sent to screen, median", median(late_by), "ms", base, 5000.0, ("<", 500.0), len(late_by)),
        Figure(SECTION, "sent to screen, p95", percentile(late_by, 0.95), "ms", base, 5000.0, ("<", 1000.0)),
        Figure(SECTION, "longest frame meanwhile", max(frames), "ms", "60 fps", frame, ("<", 50.0), len(frames)),
    ]


@contextmanager
def _visit(browser: Browser, system: Stack) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    account = {"email": system.env["ADMIN_EMAIL"], "password": system.env["ADMIN_PASSWORD"]}
    answer = context.request.post(f"{system.url}/api/auth/login", data=account)
    assert answer.ok, answer.text()
    try:
        yield context
    finally:
        context.close()


def _pages(browser: Browser, system: Stack, campaign: str) -> dict[str, str]:
    """Return every page of the navigation, and one campaign, by name."""
    with _visit(browser, system) as context:
        page = context.new_page()
        page.goto(system.url)
        page.wait_for_selector(".side nav a[aria-current]")
        links = page.eval_on_selector_all(".side nav a", "links => links.map(a => [a.textContent, a.pathname])")
    return dict(links) | {"Campaign": f"/campaigns/{campaign}"}


def _load(browser: Browser, system: Stack, path: str) -> Mapping[str, object]:
    with _visit(browser, system) as context:
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.goto(system.url + path)
        page.wait_for_function("() => seen.interactive > 0 && seen.LCP > 0")
        page.wait_for_timeout(300)  # what is drawn later may be larger, and then it counts
        return dict(page.evaluate(_TIMES))


def _paint_of_nothing(browser: Browser, system: Stack) -> float:
    with _visit(browser, system) as context:
        page: Page = context.new_page()
        page.goto(f"{system.url}/health/live")
        page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
        return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


def _kilobytes(files: Sequence[str]) -> float:
    names = {found[1] for file in files if (found := re.search(r"/assets/([\w.-]+\.(?:js|css))$", file))}
    assets = place.ROOT / "web" / "static" / "assets"
    return sum((assets / f"{name}.gz").stat().st_size for name in names) / 1024
