"""What people answer arrives on the open page by itself, and stays unread until somebody saw it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visitor


def test_replies_arrive_by_themselves_and_are_marked_as_read(visitor: Visitor) -> None:
    service = visitor.service
    category = service.category("Answering", 6)
    wanted = {"name": "Garden", "category_ids": [category], "message_1": "Hello {{name}}", "message_2": "Thank you"}
    campaign = service.api.post("/api/campaigns", json=wanted).raise_for_status().json()
    visitor.log_in()
    page = visitor.tab(f"/replies?campaign={campaign['id']}")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    service.api.post(f"/api/campaigns/{campaign['id']}/send", json={}).raise_for_status()
    expect(page.locator(".reply-unread").first).to_be_visible()
    first = page.locator(".reply").last
    expect(first.get_by_role("link", name="in WhatsApp")).to_have_attribute("href", "https://wa.me/" + phone_of(first))
    expect(first.get_by_role("link", name="Garden")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(first).not_to_have_class("reply reply-unread")
    page.reload()
    expect(page.locator(".reply").last).not_to_have_class("reply reply-unread")
    page.get_by_role("button", name="Opt-outs").click()
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    page.get_by_role("button", name="Show every reply").click()
    expect(page.locator(".reply").first).to_be_visible()


def phone_of(line: Locator) -> str:
    """Return the digits of the phone that a line shows."""
    text = line.locator(".reply-who .tabular").inner_text()
    return "".join(filter(str.isdigit, text))
