"""The settings, the numbers and who may come in, as an administrator changes them and a viewer sees them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, axe

PAGES = (
    "/contacts", "/contacts/import", "/categories", "/replies", "/settings", "/settings/numbers", "/settings/people",
    "/settings/keys", "/settings/account", "/settings/privacy", "/settings/audit",
)  # fmt: skip
PASSWORD = "a dozen quiet herons"


def new_account(visitor: Visitor, name: str, role: str) -> dict[str, str]:
    """Let somebody new log in, as the admin does; returns e-mail and password."""
    admin = visitor.context.request
    url, account = visitor.service.url, {"email": f"{name}@example.org", "password": PASSWORD}
    me = admin.post(f"{url}/api/auth/login", data=visitor.service.account).json()
    made = admin.post(
        f"{url}/api/users", data=account | {"role": role}, headers={"X-CSRF-Token": me["csrf_token"], "Origin": url}
    )
    assert made.status == 201, made.text()
    visitor.context.clear_cookies()
    return account


def agree(page: Page, says: str, action: str) -> None:
    """Read the consequence, then do it."""
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(says)
    asked.get_by_role("button", name=action).click()


def test_a_setting_is_changed_out_of_its_range_refused_and_put_back(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/settings")
    size = page.locator("[data-setting=WASSENGER_BATCH_SIZE]")
    expect(size).to_contain_text("25 to 100")
    size.get_by_role("button", name="Change: Messages of a batch").click()
    field = size.get_by_label("Messages of a batch")
    field.fill("50.5")
    page.keyboard.press("Enter")
    expect(size.get_by_role("alert")).to_contain_text("The value is out of range")
    field.fill("50")
    size.get_by_role("button", name="Save").click()
    expect(size).to_contain_text("Changed here")
    assert visitor.service.api.get("/api/config").json()["WASSENGER_BATCH_SIZE"]["value"] == 50
    size.get_by_role("button", name="Change: Messages of a batch").click()
    size.get_by_role("button", name="Back to the environment’s value").click()
    expect(size).to_contain_text("Environment")
    assert visitor.service.api.get("/api/config").json()["WASSENGER_BATCH_SIZE"]["source"] == "environment"


def test_the_gateway_is_asked_and_the_webhook_registered_by_a_button(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/settings/numbers")
    page.get_by_role("button", name="Check-up of First number").click()
    expect(page.locator("[data-checkup]")).to_contain_text("The number is online.")
    page.get_by_role("button", name="Register the webhook").click()
    agree(page, "webhooks of others stay as they are", "Register the webhook")
    expect(page.locator("[data-checkup=fine]")).to_contain_text("The webhook is registered, enabled and complete.")
    page.get_by_role("button", name="Edit First number").click()
    page.get_by_role("dialog").get_by_label("Time zone").fill("Mars/Olympus")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("There is no such time zone.")


def test_a_person_is_let_in_becomes_a_viewer_and_is_disabled(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/settings/people")
    page.get_by_role("button", name="Add a person").click()
    form = page.get_by_role("dialog")
    form.get_by_label("E-mail").fill("ben@example.org")
    form.get_by_label("Password").fill("ben@example.org")
    form.get_by_role("button", name="Add a person").click()
    expect(form).to_contain_text("too easily guessed")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Add a person").click()
    expect(page.get_by_text("ben@example.org may log in.")).to_be_visible()
    page.get_by_label("Role of ben@example.org").select_option("Viewer")
    expect(page.get_by_text("ben@example.org was saved.")).to_be_visible()
    line = page.get_by_role("row", name=re.compile("ben@example.org"))
    line.get_by_role("button", name="Disable").click()
    agree(page, "their API keys are revoked for good", "Disable")
    expect(line).to_contain_text("Disabled")
    page.goto(f"{visitor.service.url}/settings/audit")
    expect(page.get_by_role("row", name=re.compile("PATCH .api.users")).first).to_contain_text("disabled: true")


def test_a_key_is_shown_once_and_revoked(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/settings/keys")
    page.get_by_role("button", name="New API key").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("Nightly import")
    page.get_by_role("dialog").get_by_role("button", name="Make the key").click()
    key = page.get_by_role("dialog").get_by_label("Nightly import").input_value()
    asked = visitor.service.api.get("/api/contacts/stats", headers={"Authorization": f"Bearer {key}"})
    assert asked.status_code == 200
    page.get_by_role("button", name="I have kept it").click()
    expect(page.locator("body")).not_to_contain_text(key)
    page.get_by_role("button", name="Revoke Nightly import").click()
    agree(page, "a program that uses it stops working", "Revoke")
    expect(page.get_by_role("row", name=re.compile("Nightly import"))).to_contain_text("Revoked")
    asked = visitor.service.api.get("/api/contacts/stats", headers={"Authorization": f"Bearer {key}"})
    assert asked.status_code == 401


def test_a_person_changes_their_own_password_and_stays(visitor: Visitor) -> None:
    account = new_account(visitor, "carla", "operator")
    visitor.log_in(account)
    page = visitor.tab("/settings/account")
    page.get_by_label("Present password").fill("not the password")
    page.get_by_label("New password", exact=True).fill("nine lamps over the bay")
    page.get_by_label("New password, once more").fill("nine lamps over the sea")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The two new passwords differ.")).to_be_visible()
    page.get_by_label("New password, once more").fill("nine lamps over the bay")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("Your present password is wrong.")
    page.get_by_label("Present password").fill(account["password"])
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password was changed.")).to_be_visible()
    page.get_by_role("link", name="Categories").click()
    page.get_by_role("button", name="New category").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("After the change")
    page.get_by_role("dialog").get_by_role("button", name="Add the category").click()
    expect(page.get_by_text("After the change was added.")).to_be_visible()


def test_a_viewer_sees_everything_and_can_change_nothing(visitor: Visitor) -> None:
    made = visitor.service.api.post("/api/contacts", json={"phone": "+33261990001", "name": "Seen Only"})
    id = made.raise_for_status().json()["id"]
    visitor.log_in(new_account(visitor, "vera", "viewer"))
    page = visitor.tab(f"/contacts?open={id}")
    shown = page.get_by_role("dialog")
    expect(shown.get_by_label("Name").first).to_have_value("Seen Only")
    expect(shown.get_by_label("Name").first).to_be_disabled()
    for name in ("Save", "Delete", "Opt out"):
        expect(shown.get_by_role("button", name=name)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".rows-row").first).to_be_visible()
    expect(page.locator(".rows input")).to_have_count(0)
    acts = {"/contacts": "New contact", "/categories": "New category", "/settings": "Change:"}
    for path, name in acts.items():
        page.goto(visitor.service.url + path)
        expect(page.locator(".bone")).to_have_count(0)
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    page.goto(f"{visitor.service.url}/settings/people")
    expect(page.get_by_text("Only administrators see this.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_pages_of_people_and_settings(visitor: Visitor, scheme: Any) -> None:
    visitor.log_in()
    page = visitor.tab()
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(visitor.service.url + path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".bone")).to_have_count(0)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert not serious(page), f"{path} at {width} px, {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {width} px"


def serious(page: Page) -> list[str]:
    """Return what axe finds wrong, the grave things only, each with where."""
    page.evaluate(axe())
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in grave for node in one["nodes"]]
