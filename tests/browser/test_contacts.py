"""Contacts and categories as people work with them: on the screen before the service answers, and taken back."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Service, Visitor

_phones = itertools.count()
FILE = """phone,name,category,city
{0},Zoe Import,Fair,Lyon
{1},Yann Import,Fair,Nice
{2},Xena Import,Fair,Lyon
12,Nobody Import,Fair,Lyon
"""


def fresh_phone() -> str:
    """Return a number that no other story has."""
    return f"+3326191{next(_phones):04d}"


def figure(page: Page, name: str) -> int:
    """Return one of the statistics as it stands on the screen."""
    return int(re.sub(r"\D", "", page.locator(f'[data-figure="{name}"]').inner_text()))


def shows(page: Page, name: str, value: int) -> None:
    """Wait until a statistic on the screen is this."""
    expect(page.locator(f'[data-figure="{name}"]')).to_have_text(f"{value:,}")


def row(page: Page, text: str) -> Any:
    """Return the line of the list that has this text."""
    return page.locator(".rows-row", has_text=text)


def opened(visitor: Visitor, path: str = "/contacts") -> Page:
    """Log in and wait until the contacts are here."""
    visitor.log_in()
    page = visitor.tab(path)
    expect(page.locator('[data-figure="total"]')).to_have_text(re.compile(r"\d"))
    return page


def add(page: Page, phone: str, name: str) -> None:
    """Fill in the form for a new contact and send it."""
    page.get_by_role("button", name="New contact").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Phone").fill(phone)
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Add the contact").click()


def held(page: Page, method: str, path: str) -> Callable[[], None]:
    """Hold back the requests of one kind; the returned function lets them go on."""
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        if route.request.method == method:
            waiting.append(route)
        else:
            route.continue_()

    page.route(path, keep)

    def go_on() -> None:
        for route in waiting:
            route.continue_()
        page.unroute(path)

    return go_on


def is_change(route: Route) -> bool:
    """Whether a request wants to change something."""
    return route.request.method in ("DELETE", "PATCH")


def fail(route: Route) -> None:
    """Answer as the service does when something breaks in it."""
    problem = {"type": "about:blank", "title": "Error", "status": 500, "code": "internal", "detail": "it broke"}
    route.fulfill(status=500, content_type="application/problem+json", body=json.dumps(problem))


def make(service: Service, **fields: Any) -> dict[str, Any]:
    """Add a contact behind the page's back."""
    answer = service.api.post("/api/contacts", json={"phone": fresh_phone()} | fields)
    return dict(answer.raise_for_status().json())


def test_a_file_is_checked_imported_and_its_people_are_found(visitor: Visitor) -> None:
    page = opened(visitor)
    before = figure(page, "total")
    page.get_by_role("link", name="Import").first.click()
    text = FILE.format(*(fresh_phone() for _ in range(3)))
    page.get_by_label("File").set_input_files(FilePayload(name="fair.csv", mimeType="text/csv", buffer=text.encode()))
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("Checked: nothing was changed yet")).to_be_visible()
    errors = page.get_by_role("region", name="Rejected rows")
    expect(errors.get_by_role("row")).to_have_count(2)
    expect(errors).to_contain_text("5")
    page.get_by_role("button", name="Import this file now").click()
    expect(page.locator("[data-import=completed]")).to_contain_text("New3")
    with page.expect_download() as download:
        page.get_by_role("link", name="All rejected rows (CSV)").click()
    assert len(download.value.path().read_text().splitlines()) == 2
    page.get_by_role("link", name="Show the contacts").click()
    shows(page, "total", before + 3)
    page.get_by_label("Search contacts").fill("xen")
    expect(page.locator(".rows-row")).to_have_count(1)
    row(page, "Xena Import").click()
    person = page.get_by_role("dialog")
    expect(person.get_by_role("checkbox", name="Fair")).to_be_checked()
    expect(person.get_by_label("Text")).to_have_value("Lyon")
    expect(person.get_by_role("link", name="Open in WhatsApp")).to_have_attribute(
        "href", re.compile(r"https://wa\.me/\d+$")
    )


def test_a_new_contact_is_on_the_screen_before_the_service_knows_it(visitor: Visitor) -> None:
    page = opened(visitor)
    before = figure(page, "total")
    go_on = held(page, "POST", "**/api/contacts")
    add(page, fresh_phone(), "Optimist One")
    expect(row(page, "Optimist One")).to_contain_text("Saving")
    shows(page, "total", before + 1)
    shows(page, "reachable", before + 1 - figure(page, "opted-out"))
    go_on()
    expect(row(page, "Optimist One")).to_contain_text("Reachable")
    expect(page.get_by_text("Optimist One was added.")).to_be_visible()
    page.reload()
    expect(row(page, "Optimist One")).to_be_visible()
    shows(page, "total", before + 1)


def test_what_the_service_refuses_is_taken_back_and_can_be_mended(visitor: Visitor) -> None:
    known = make(visitor.service, name="Known Person")
    page = opened(visitor)
    before = figure(page, "total")
    add(page, known["phone"], "Double Person")
    form = page.get_by_role("dialog")
    expect(form.get_by_role("alert")).to_contain_text("A contact with this phone exists already.")
    expect(row(page, "Double Person")).to_have_count(0)
    assert figure(page, "total") == before
    expect(form.get_by_label("Name")).to_have_value("Double Person")
    form.get_by_label("Phone").fill(fresh_phone())
    form.get_by_role("button", name="Add the contact").click()
    expect(row(page, "Double Person")).to_contain_text("Reachable")
    shows(page, "total", before + 1)


def test_an_error_of_the_server_brings_back_what_was_deleted_or_changed(visitor: Visitor) -> None:
    make(visitor.service, name="Stays Here")
    page = opened(visitor)
    before = figure(page, "total")
    page.route("**/api/contacts/*", lambda route: fail(route) if is_change(route) else route.continue_())
    row(page, "Stays Here").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    asked = page.get_by_role("dialog").last
    expect(asked).to_contain_text("They can never be added, imported or written to again.")
    asked.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The service had an error.")).to_be_visible()
    expect(row(page, "Stays Here")).to_be_visible()
    shows(page, "total", before)
    page.get_by_role("button", name="Dismiss").click()

    row(page, "Stays Here").click()
    page.get_by_role("dialog").get_by_label("Name").first.fill("Gone Elsewhere")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The service had an error.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, "Stays Here")).to_be_visible()
    expect(row(page, "Gone Elsewhere")).to_have_count(0)
    assert [error.partition(" ")[0] for error in visitor.errors] == ["500", "500"]
    visitor.errors.clear()


def test_many_are_changed_at_once_after_the_consequence_was_read(visitor: Visitor) -> None:
    names = [f"Bulk Person{n}" for n in range(3)]
    for name in names:
        make(visitor.service, name=name)
    category = visitor.service.api.post("/api/categories", json={"name": "Bulk guests"}).raise_for_status().json()
    page = opened(visitor, "/contacts?q=Bulk")
    expect(page.locator(".rows-row")).to_have_count(3)
    shown, out = figure(page, "total"), figure(page, "opted-out")
    row(page, names[2]).get_by_role("checkbox").click()
    row(page, names[0]).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    expect(page.locator(".rows-row input:checked")).to_have_count(3)
    page.get_by_label("Add to category").select_option("Bulk guests")
    expect(page.get_by_text("3 changed.")).to_be_visible()
    assert visitor.service.api.get(f"/api/categories/{category['id']}").json()["contact_count"] == 3

    row(page, names[0]).get_by_role("checkbox").click()
    page.get_by_role("button", name="Opt out").click()
    page.get_by_role("dialog").get_by_role("button", name="Opt out").click()
    expect(row(page, names[0])).to_contain_text("Opted out")
    shows(page, "opted-out", out + 1)
    page.get_by_label("Select all that are listed").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 3 contacts for good?")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Nobody was found")).to_be_visible()
    expect(page.get_by_text("3 deleted.")).to_be_visible()
    shows(page, "total", shown - 3)


def test_the_list_is_walked_by_keyboard_alone_in_french(visitor: Visitor) -> None:
    for name in ("Clavier Un", "Clavier Deux"):
        make(visitor.service, name=name)
    page = opened(visitor, "/contacts?q=Clavier")
    page.get_by_label("Language").select_option("fr")
    expect(page.get_by_role("button", name="Nouveau contact")).to_be_visible()
    grid = page.get_by_role("grid", name="Contacts")
    grid.focus()
    page.keyboard.press("ArrowDown")
    expect(grid).to_have_attribute("aria-activedescendant", "row-1")
    page.keyboard.press("Space")
    expect(page.get_by_role("toolbar")).to_contain_text("Sélection : 1")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Toutes les données de cette personne")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(grid).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog")).to_contain_text("Supprimer Clavier Deux pour toujours ?")
    page.keyboard.press("Escape")
    expect(row(page, "Clavier Deux")).to_be_visible()


def test_a_category_is_made_renamed_refused_twice_and_deleted_with_its_people_kept(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.tab("/categories")
    for name, refused in (("Shop guests", False), ("Shop guests", True)):
        page.get_by_role("button", name="New category").first.click()
        page.get_by_role("dialog").get_by_label("Name").fill(name)
        page.get_by_role("dialog").get_by_role("button", name="Add the category").click()
        if refused:
            expect(page.get_by_role("dialog")).to_contain_text("A category with this name exists already.")
            page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    id = next(c["id"] for c in visitor.service.api.get("/api/categories").json()["items"] if c["name"] == "Shop guests")
    guest = make(visitor.service, name="Shop Guest", category_ids=[id])
    page.reload()
    page.get_by_role("button", name="Shop guests: Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Regular guests")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("button", name="Regular guests: Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its contact stays")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Regular guests was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Regular guests")).to_have_count(0)
    assert visitor.service.api.get(f"/api/contacts/{guest['id']}").json()["category_ids"] == []
