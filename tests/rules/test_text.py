"""Templates: what may be written, what is put in, and when a contact leaves a hole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import text
from rules.text import MAX_LENGTH, BadTemplate, Hole, Placeholder

SENDABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
PLAIN = SENDABLE.filter(lambda s: "{" not in s and "}" not in s)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hello", []),
        ("a { b } c", []),
        ("{{name}}", [Placeholder("name")]),
        ("{{ name | friend }}", [Placeholder("name", "friend")]),
        ("{{name|}}", [Placeholder("name", "")]),
        ("{{city}} {{attributes.city}}", [Placeholder("attributes.city")]),
        ("{{city}} {{city|x}}", [Placeholder("attributes.city"), Placeholder("attributes.city", "x")]),
        ("{{attributes.name}}", [Placeholder("attributes.name")]),
        ("{{Code postal}} {{N°}}", [Placeholder("attributes.Code postal"), Placeholder("attributes.N°")]),
        ("{{a|b|c}}", [Placeholder("attributes.a", "b|c")]),
    ],
)
def test_placeholders_are_listed(template: str, expected: list[Placeholder]) -> None:
    assert text.placeholders(template) == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (" \n ", "empty"),
        ("Hi {{name", "character 4 is never closed"),
        ("Hi {{name} and {{city}}", "character 4 is never closed"),
        ("Hi name}}", "character 8 closes nothing"),
        ("Hi {{}}", "character 4 is empty"),
        ("Hi {{ | x }}", "character 4 is empty"),
        ("Hi {{{name}}}", "brace too many"),
        ("Hi {{name|{x}}", "brace too many"),
        ("Hi {{attributes.}}", "no attribute can have"),
        ("Hi {{a\nb}}", "no attribute can have"),
        ("Hi\x00", "U+0000 at character 3"),
        ("Hi\x1b[1m", "U+001B at character 3"),
        ("Hi \ud83d", "lone surrogate"),
        ("a" * (MAX_LENGTH + 1), "4097 characters"),
    ],
)
def test_a_template_that_nobody_can_be_sent_is_refused(template: str, reason: str) -> None:
    for judged in (text.check, text.placeholders):
        with pytest.raises(BadTemplate) as refused:
            judged(template)
        assert reason in refused.value.reason


def test_no_text_at_all_stays_none_but_is_refused_where_one_is_wanted() -> None:
    assert (text.fill("", "Ana", {}), text.placeholders("")) == ("", [])
    with pytest.raises(BadTemplate, match="empty"):
        text.check("")


@pytest.mark.parametrize(
    ("template", "name", "attributes", "expected"),
    [
        ("Hi {{name}}!", "Zoé", {}, "Hi Zoé!"),
        ("Hi {{name|friend}}!", None, {}, "Hi friend!"),
        ("Hi {{name|friend}}!", "  ", {}, "Hi friend!"),
        ("Hi{{name|}}!", None, {}, "Hi!"),
        ("{{city}}", None, {"city": "\tLomé "}, "Lomé"),
        ("{{name}}, {{attributes.name}}", "Zoé", {"name": "other"}, "Zoé, other"),
        ("{{name}}", "{{city}}", {"city": "Lomé"}, "{{city}}"),
        ("{{name}}", r"\1 {x} %s $0", {}, r"\1 {x} %s $0"),
        ("line\r\n\ttab {{name}}", "two\nlines", {}, "line\r\n\ttab two\nlines"),
    ],
)
def test_a_text_is_filled(template: str, name: str | None, attributes: dict[str, str], expected: str) -> None:
    assert text.fill(template, name, attributes) == expected


def test_a_hole_names_every_missing_value_once_and_in_order() -> None:
    with pytest.raises(Hole) as hole:
        text.fill("{{city}} {{name}} {{zip|x}} {{city}}", " ", {"city": "", "other": "x"})
    assert hole.value.missing == ("attributes.city", "name")
    assert "{{attributes.city|…}}" in str(hole.value)


@pytest.mark.parametrize(
    ("template", "name", "reason"),
    [
        ("{{name}}", "a\x00b", "the contact's name contains the control character U+0000"),
        ("{{name}}", "a\ud83d", "the contact's name contains half a character"),
        ("{{name|}}", None, "nothing is left"),
        ("{{name}}", "a" * (MAX_LENGTH + 1), "4097 characters"),
    ],
)
def test_a_text_that_cannot_be_sent_to_this_contact_is_refused(template: str, name: str | None, reason: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        text.fill(template, name, {})
    assert reason in refused.value.reason


def test_the_longest_text_is_allowed() -> None:
    assert len(text.fill("a" * (MAX_LENGTH - 8) + "{{name}}", "b" * 8, {})) == MAX_LENGTH


@given(before=PLAIN, value=SENDABLE, after=PLAIN)
def test_values_are_inserted_literally_whatever_they_contain(before: str, value: str, after: str) -> None:
    if not value.strip():
        return
    template = f"{before}{{{{name}}}} and {{{{city}}}}{after}"
    assert text.fill(template, value, {"city": value}) == f"{before}{value.strip()} and {value.strip()}{after}"


@given(st.text(st.sampled_from("{}|a .\n\x00"), max_size=25))
def test_what_passes_the_check_leaves_only_named_holes(template: str) -> None:
    try:
        text.check(template)
    except BadTemplate:
        return
    wanted = text.placeholders(template)
    try:
        filled = text.fill(template, None, {})
    except Hole as hole:
        assert set(hole.missing) == {p.name for p in wanted if not p.default and p.default is None}
    except BadTemplate as refused:
        assert "nothing is left" in refused.reason
    else:
        assert all(p.default is not None for p in wanted)
        assert filled.strip()


@pytest.mark.parametrize(
    ("said", "template", "may"),
    [
        ("Merci", "Merci", True),
        ("Merci ", "Merci  Awa", False),
        ("Merci Awa, à Lomé", "Merci {{name}}, à {{city|Dakar}}", True),
        ("Merci, à", "Merci {{name}}, à {{city|Dakar}}", True),
        ("Merci Awa\nà bientôt", "Merci {{name}}\n\nà  bientôt", True),
        ("Merci Awa, à Lomé", "Merci {{name}}, à {{city|Dakar}}!", False),
        ("ab", "a{{name}}ab", False),
        ("quoi que ce soit", "{{name}}", True),
        ("", "", True),
        ("Merci", "", False),
    ],
)
def test_a_text_may_be_a_template_or_not(said: str, template: str, may: bool) -> None:
    assert text.may_be(said, template) is may


@given(
    st.text("ab {", max_size=6),
    st.text("ab ", max_size=4),
    st.dictionaries(st.just("x"), st.text("ab", min_size=1)),
)
def test_every_filled_text_may_be_its_template(start: str, end: str, attributes: dict[str, str]) -> None:
    template = f"-{start}|{{{{x}}}}{end}{{{{name|z}}}}"
    try:
        filled = text.fill(template, "Awa", attributes, leave_holes=True)
    except BadTemplate:
        return
    assert text.may_be(filled, template)
