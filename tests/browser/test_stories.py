"""What people do with the dashboard, from the log-in to the report, and what may go wrong meanwhile."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PEOPLE, Visitor, axe

MESSAGE_1 = "Hello {{name}}, our workshop in {{city}} opens on Saturday. Would you like a place?"
MESSAGE_2 = "Thank you {{name}}! Here is your invitation."


def figures(page: Page) -> dict[str, int]:
    """Return a campaign's figures as they stand on the screen at one moment; what is not shown is 0."""
    told = (
        "all => Object.fromEntries(all.map(one => [one.dataset.figure, Number(one.textContent.replace(/\\D/g, ''))]))"
    )
    return defaultdict(int, page.eval_on_selector_all("[data-figure]", told))


def at_least(page: Page, name: str, many: int) -> None:
    """Wait until a figure on the screen is so large."""
    shown = "document.querySelector(`[data-figure=${name}]`)?.textContent.replace(/\\D/g, '')"
    page.wait_for_function(f"([name, many]) => Number({shown}) >= many", arg=[name, many])


def mark(page: Page, state: str) -> None:
    """Wait until the mark of the live connection says so."""
    expect(page.locator("[data-live]")).to_have_attribute("data-live", state)


def write_campaign(page: Page, name: str, category: str) -> None:
    """Write a campaign up to its last step."""
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("group", name="Who gets it").get_by_role("checkbox", name=category).check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Message 1", exact=True).fill(MESSAGE_1)
    page.get_by_label("Message 2", exact=True).fill(MESSAGE_2)
    expect(page.locator("[data-phone]")).to_contain_text("our workshop in Lyon opens")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("[data-forecast]")).to_contain_text("The last Message 1 leaves")


def launch(page: Page) -> None:
    """Launch what was written, after reading what that means."""
    page.get_by_role("button", name="Launch", exact=True).last.click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("people get Message 1 from First number, beginning now")
    asked.get_by_role("button", name="Launch").click()
    expect(page).to_have_url(re.compile(r"/campaigns/[0-9a-f-]{36}$"))


def test_a_campaign_from_the_log_in_to_its_report(visitor: Visitor) -> None:
    visitor.service.category("Regulars", PEOPLE)
    page = visitor.tab()
    page.get_by_label("E-mail").fill(visitor.service.account["email"])
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("The e-mail or the password is wrong.")
    page.get_by_label("Password").fill(visitor.service.account["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    page.get_by_role("link", name="Campaigns").click()
    write_campaign(page, "Spring", "Regulars")
    before = page.locator("[data-forecast]").inner_text()
    page.get_by_label("Seconds between two messages").fill("10")
    expect(page.locator("[data-forecast]")).not_to_have_text(before)
    page.get_by_label("Seconds between two messages").fill("")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Phone").fill("+33199009999")
    page.get_by_role("button", name="Send the test").click()
    page.get_by_role("dialog").get_by_role("button", name="Send the test").click()
    expect(page.get_by_text(re.compile("Sent|Delivered|Read")).first).to_be_visible()
    page.get_by_role("button", name="Next").click()
    launch(page)

    mark(page, "live")
    at_least(page, "interactions", 1)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator(".badge", has_text="Paused")).to_be_visible()
    assert 1 <= figures(page)["sent"] < PEOPLE
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    at_least(page, "sent", PEOPLE)
    expect(page.locator(".badge", has_text="Completed")).to_be_visible()
    expect(page.locator("#report")).to_contain_text("Replies that led to Message 2")
    seen = figures(page)  # on a slow machine some answer after their window
    assert seen["interactions"] == seen["message_2_sent"] + seen["late_replies"] + seen["opted_out"]
    assert seen["interactions"] + seen["no_interaction"] == PEOPLE
    assert seen["message_2_sent"] >= 1

    page.get_by_role("group", name="State").get_by_role("button", name="Got Message 2").click()
    page.locator(".person").first.click()
    story = page.get_by_role("dialog")
    expect(story).to_contain_text("Thank you Ana")
    expect(story).to_contain_text("What happened")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("link", name="Report (CSV)").click()
    assert len(download.value.path().read_text().splitlines()) == PEOPLE + 1


def test_it_catches_up_by_itself_after_the_server_was_away(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/monitoring")
    mark(page, "live")
    web = visitor.service.system
    web.stop("web")
    try:
        mark(page, "reconnecting")
        expect(page.get_by_role("heading", name="Monitoring")).to_be_visible()  # what was known stays
        page.get_by_role("button", name="Send a test alert").click()
        expect(page.get_by_text("The service cannot be reached.")).to_be_visible()
    finally:
        web.start("web")
        web.wait_ready()
    mark(page, "live")
    visitor.service.api.post("/api/alerts/test").raise_for_status()
    expect(page.locator("#alerts")).to_contain_text("This is a test")
    page.get_by_role("button", name="Put away").click()
    expect(page.locator("#alerts")).to_contain_text("Nothing needs you.")


def test_two_tabs_share_one_connection_and_the_second_takes_it_over(visitor: Visitor) -> None:
    visitor.log_in()
    asked: list[str] = []
    visitor.context.on("request", lambda request: asked.append(request.url))
    first = visitor.tab("/monitoring")
    mark(first, "live")
    second = visitor.tab("/monitoring")
    mark(second, "live")
    streams = [url for url in asked if url.endswith("/api/events")]
    assert len(streams) == 1, "the second tab listens to the first"
    lead = second.locator(".page-head p")
    before = lead.inner_text()
    expect(lead).not_to_have_text(before)  # monitoring is told every two seconds, to both
    first.close()
    second.wait_for_event("request", lambda request: request.url.endswith("/api/events"))
    mark(second, "live")
    before = lead.inner_text()
    expect(lead).not_to_have_text(before)


@pytest.mark.locale("fr-FR")
def test_it_speaks_french_and_changes_its_language_at_once(visitor: Visitor) -> None:
    page = visitor.tab()
    expect(page.get_by_role("heading", name="Se connecter")).to_be_visible()
    visitor.log_in()
    page.goto(f"{visitor.service.url}/monitoring")
    expect(page.get_by_role("heading", name="Surveillance")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "fr"
    expect(page.get_by_text(re.compile(r"utilisés sur 1\s000"))).to_be_visible()
    page.get_by_label("Langue").select_option("en")
    expect(page.get_by_role("heading", name="Monitoring")).to_be_visible()
    expect(page.get_by_text("of 1,000 used")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Monitoring")).to_be_visible()


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Monitoring":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Monitoring")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Stop all numbers")).to_be_focused()
    page.keyboard.press("Enter")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("nothing leaves any number any more")
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate(
        "document.activeElement.closest('dialog') !== null || document.activeElement === document.body"
    )
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    expect(page.get_by_role("button", name="Stop all numbers")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="Overview")).to_be_focused()


def test_a_viewer_sees_everything_and_is_offered_nothing(visitor: Visitor) -> None:
    account = {"email": "viewer@example.org", "password": "correct horse battery"}
    admin = visitor.context.browser
    assert admin is not None
    person = account | {"role": "viewer"}
    keeper = admin.new_context(base_url=visitor.service.url)
    token = keeper.request.post("/api/auth/login", data=visitor.service.account).json()["csrf_token"]
    made = keeper.request.post("/api/users", data=person, headers={"X-CSRF-Token": token})
    assert made.ok, made.text()
    keeper.close()
    visitor.log_in(account)
    page = visitor.tab("/monitoring")
    expect(page.get_by_text("Viewer · Read only")).to_be_visible()
    expect(page.get_by_text("First number")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop all numbers")).to_have_count(0)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("Quota today")).to_be_visible()
    expect(page.get_by_role("link", name="New campaign")).to_have_count(0)


def test_what_does_not_exist_says_so_and_shows_the_way(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/campaigns/019a0000-0000-7000-8000-000000000000")
    expect(page.get_by_text("It does not exist any more.")).to_be_visible()
    page.goto(f"{visitor.service.url}/settings/nowhere/at/all")
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visitor: Visitor, scheme: Any) -> None:
    page = visitor.tab()
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not serious(page), "the door"
    visitor.log_in()
    known = visitor.service.api.get("/api/campaigns").json()["items"]
    campaigns = [f"/campaigns/{line['id']}" for line in known[:1]]
    for path in ("/", "/campaigns", "/campaigns/new", "/monitoring", *campaigns):
        page.goto(visitor.service.url + path)
        page.wait_for_load_state("load")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".bone")).to_have_count(0)
        mark(page, "live")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert not serious(page), f"{path} at {width} px, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                f"{path} is wider than {width} px"
            )


def serious(page: Page) -> list[str]:
    """Return what axe finds wrong, the grave things only, each with where."""
    page.evaluate(axe())
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in grave for node in one["nodes"]]
