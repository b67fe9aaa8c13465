"""The contacts of the dashboard, measured in a browser: frames while 200,000 are scrolled, and how soon a change shows.

Over a database that ``local.bench.fill`` has filled; the page is one that is logged in as an operator.
"""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from playwright.sync_api import Page, Route

from local.bench.figures import Figure, percentile

SECTION = "dashboard: contacts"
FRAME = 1000 / 60
_ROWS = ".rows-row"
_phones = itertools.count(secrets.randbelow(9000))
_SCROLL = """
async ({ seconds, step }) => {
  const box = document.querySelector(".rows");
  const frames = [];
  let most = 0;
  const began = performance.now();
  let last = began, leap = began;
  while (last - began < seconds * 1000) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
    most = Math.max(most, box.querySelectorAll(".rows-row").length);
    if (now - leap > 2000) {
      leap = now;
      box.scrollTop = Math.random() * (box.scrollHeight - box.clientHeight);
    } else {
      box.scrollTop += step;
    }
  }
  return { frames: frames.slice(1), most, tall: box.scrollHeight, rows: Number(box.getAttribute("aria-rowcount")) - 1 };
}
"""
_WATCH = """
(text) => {
  const rows = () => [...document.querySelectorAll(".rows-row")].some((row) => row.textContent.includes(text));
  const before = rows();
  window.relanceShown = new Promise((shown) => {
    let pressed = 0;
    addEventListener("click", (event) => { pressed = event.timeStamp; }, { capture: true });
    const watcher = new MutationObserver(() => {
      if (!pressed || rows() === before) return;
      watcher.disconnect();
      requestAnimationFrame(() => setTimeout(() => shown(performance.now() - pressed)));
    });
    watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}
"""


def measure(page: Page, url: str, seconds: float = 10.0) -> list[Figure]:
    """Scroll, then add and delete some; returns the figures of both."""
    return [*scrolling(page, url, seconds), *optimism(page, url)]


def scrolling(page: Page, url: str, seconds: float = 10.0, step: int = 90) -> list[Figure]:
    """Scroll through the whole list for so long, ``step`` pixels a frame and a leap every two seconds.

    Times are between two frames of the browser, in milliseconds: 60 a second are 16.7.
    """
    page.goto(f"{url}/contacts")
    page.locator(_ROWS).first.wait_for()
    seen: dict[str, Any] = page.evaluate(_SCROLL, {"seconds": seconds, "step": step})
    frames: list[float] = seen["frames"]
    many = len(frames)
    about = f"{seen['rows']:,} contacts"
    return [
        Figure(SECTION, "between two frames, median", percentile(frames, 0.5), "ms", about, FRAME, None, many),
        Figure(SECTION, "between two frames, p99", percentile(frames, 0.99), "ms", about, FRAME, None, many),
        Figure(SECTION, "longest frame", max(frames), "ms", about, FRAME, ("<", 50.0), many),
        Figure(SECTION, "rows in the document, most", seen["most"], "", about, 60.0, ("<", 60.0), many),
    ]


def optimism(page: Page, url: str, times: int = 9) -> list[Figure]:
    """Add and delete a contact so often, the service held back meanwhile: from the click to the frame that shows it."""
    page.goto(f"{url}/contacts")
    page.locator(_ROWS).first.wait_for()
    added, gone = [], []
    for number in range(times):
        name = f"Probe {number} {next(_phones)}"
        added.append(_added(page, name, f"+3335301{next(_phones):04d}"))
        gone.append(_gone(page, name))
    baseline = "the required 50 ms"
    return [
        Figure(
            SECTION, "added contact on the screen, median", percentile(added, 0.5), "ms", baseline, 50, ("<", 50), times
        ),
        Figure(
            SECTION,
            "deleted contact off the screen, median",
            percentile(gone, 0.5),
            "ms",
            baseline,
            50,
            ("<", 50),
            times,
        ),
    ]


def _added(page: Page, name: str, phone: str) -> float:
    page.get_by_role("button", name="New contact").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Phone").fill(phone)
    form.get_by_label("Name").fill(name)
    return _shown_after(page, name, form.get_by_role("button", name="Add the contact"), "POST", "**/api/contacts")


def _gone(page: Page, name: str) -> float:
    page.locator(_ROWS, has_text=name).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    sure = page.get_by_role("dialog").last.get_by_role("button", name="Delete")
    return _shown_after(page, name, sure, "DELETE", "**/api/contacts/*")


def _shown_after(page: Page, name: str, button: Any, method: str, path: str) -> float:
    """Click while requests of this kind are held back; return the milliseconds until the list shows it."""
    held: list[Route] = []
    page.route(path, lambda route: held.append(route) if route.request.method == method else route.continue_())
    page.evaluate(_WATCH, name)
    button.click()
    shown: float = page.evaluate("window.relanceShown")
    with page.expect_response(lambda answer: answer.request.method == method):
        for route in held:
            route.continue_()
    page.unroute(path)
    page.locator(".notice-done").last.wait_for()
    return shown
