"""Phone numbers: what is repaired, what is refused and why, and who is the same person.

Numbers are from ranges reserved for fiction; where a country reserves none, those of the vendors' own examples.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import phone
from rules.phone import BadPhone

FICTION = st.one_of(
    st.integers(0, 9999).map(lambda n: f"+331{9900_0000 + n:08d}"),
    st.tuples(st.integers(201, 989), st.integers(100, 199)).map(lambda n: f"+1202555{n[1]:04d}"),
    st.integers(0, 999).map(lambda n: f"+44207946{n:04d}"),
    st.integers(0, 99).map(lambda n: f"+49176040690{n:02d}"),
    st.integers(605, 699).map(lambda n: f"+4670174{n:04d}"),
)


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("01 99 00 12 34", "FR", "+33199001234"),
        ("0033 1 99 00 12 34", None, "+33199001234"),
        ("0033 1 99 00 12 34", "FR", "+33199001234"),
        ("0033 1 99 00 12 34", "US", "+33199001234"),  # 00 is not how the US dials out
        ("33199001234", None, "+33199001234"),
        ("22890123456", None, "+22890123456"),
        ("+33199001234", "US", "+33199001234"),
        ("\uff0b\uff13\uff13\uff11\uff19\uff19\uff10\uff10\uff11\uff12\uff13\uff14", None, "+33199001234"),
        ("\u0660\u0661\u0669\u0669\u0660\u0660\u0661\u0662\u0663\u0664", "FR", "+33199001234"),
        ("+33\u00a01\u00a099\u202f00\u00a012\u00a034", None, "+33199001234"),
        ("\u202a+33199001234\u202c", None, "+33199001234"),  # pasted out of a contacts app
        ("33199001234.0", None, "+33199001234"),  # a spreadsheet's float
        ("(+33) 1.99.00-12\u201334", None, "+33199001234"),
        ("01 99 00 12 34", " fr ", "+33199001234"),
        ("+44 (0)20 7946 0123", None, "+442079460123"),
        ("+1 (0)202-555-0123", None, "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("+39 (0)6 1234 5678", None, "+390612345678"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("5215512345678", None, "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("0052 1 55 1234 5678", "FR", "+525512345678"),
        ("00 52 1 55 1234 5678", None, "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
    ],
)
def test_a_number_is_read_the_way_it_was_meant(raw: str, region: str | None, expected: str) -> None:
    assert phone.parse(raw, region) == expected


@pytest.mark.parametrize(
    ("raw", "region", "flaw"),
    [
        ("", "FR", "empty"),
        (" \u00a0\u200b", None, "empty"),
        ("3.3199E+10", None, "letters"),
        ("1-800-FLOWERS", "US", "letters"),
        ("+33199001234 ext 5", None, "letters"),
        ("call 0199001234", "FR", "letters"),
        ("0199001234#5", "FR", "characters"),
        ("+33199001234, +33199001235", None, "characters"),
        ("+33199001234 / +33199001235", None, "characters"),
        ("+", None, "characters"),
        ("()", None, "characters"),
        ("0199001234", "XX", "unknown_region"),
        ("0199001234", None, "no_region"),
        ("+999 123 456 789", None, "unknown_country"),
        ("+33 1", None, "too_short"),
        ("112", "FR", "too_short"),
        ("+22990011234", None, "too_short"),  # Benin before it renumbered
        ("+" + "1" * 20, None, "too_long"),
        ("22890123456", "FR", "too_long"),
        ("090123456", "TG", "too_long"),
        ("06 39 98 12 34", "FR", "invalid"),
        ("07700 900123", "GB", "invalid"),
        ("+553196883193", None, "invalid"),  # real on WhatsApp: matched by identity, not imported
    ],
)
def test_a_bad_number_is_refused_with_its_flaw(raw: str, region: str | None, flaw: str) -> None:
    with pytest.raises(BadPhone) as refused:
        phone.parse(raw, region)
    assert refused.value.flaw == flaw
    assert ": " in refused.value.reason  # cause: remedy
    assert not re.search(r"\d", refused.value.reason)


@given(st.text(max_size=30), st.sampled_from([None, "FR", "US", "MX", "BR", "AR", "IT"]))
def test_any_text_gives_a_number_or_a_reason(raw: str, region: str | None) -> None:
    try:
        number = phone.parse(raw, region)
    except BadPhone as refused:
        assert refused.reason
    else:
        assert re.fullmatch(r"\+[1-9]\d{6,14}", number)


@given(st.text(alphabet="+0123456789 ()-.", max_size=20), st.sampled_from([None, "FR", "US", "MX", "BR", "AR", "IT"]))
def test_a_number_read_once_reads_the_same_again(raw: str, region: str | None) -> None:
    try:
        number = phone.parse(raw, region)
    except BadPhone:
        return
    assert phone.parse(number, None) == number
    assert phone.parse(number, region) == number
    assert phone.parse(number.removeprefix("+"), None) == number


@given(FICTION, st.lists(st.sampled_from(["", " ", "-", ".", "\u00a0"]), min_size=16, max_size=16))
def test_spacing_does_not_change_a_number(number: str, spacing: list[str]) -> None:
    spaced = "+" + "".join(digit + space for digit, space in zip(number[1:], spacing, strict=False))
    assert phone.parse(spaced, None) == number


@given(FICTION)
def test_identity_of_an_ordinary_number_is_its_digits(number: str) -> None:
    assert phone.identity(number) == number[1:]
    assert phone.country(number) in {"FR", "US", "GB", "DE", "SE"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+525512345678", "5215512345678"),
        ("+5491123456789", "+541123456789"),
        ("+5531996883193", "+553196883193"),
        ("+5511987654321", "551187654321@c.us"),
        ("+2290190011234", "+22990011234"),
        ("+2250707123456", "+22507123456"),
        ("+2250544123456", "+22544123456"),
        ("+2250101123456", "+22501123456"),
        ("+33 1 99 00 12 34", "33199001234"),
    ],
)
def test_two_spellings_are_one_person(one: str, other: str) -> None:
    assert phone.same_person(one, other)
    assert phone.same_person(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+33199001234", "+33199001235"),
        ("+551123456789", "+5511923456789"),  # a landline, and a mobile that ends alike
        ("+525512345678", "+525512345679"),
        ("+12025550123", "+12025550132"),
        ("+22520123456", "+2250120123456"),  # Côte d'Ivoire: an old landline is no mobile
    ],
)
def test_two_people_stay_two(one: str, other: str) -> None:
    assert not phone.same_person(one, other)


@given(st.from_regex(r"\A\+?(52|521|54|549|55|229|225|33|1)\d{7,11}\Z"))
def test_an_identity_is_its_own_identity(number: str) -> None:
    once = phone.identity(number)
    assert phone.identity(once) == once


def test_an_identity_needs_digits() -> None:
    with pytest.raises(ValueError, match="digits"):
        phone.identity("+")


@pytest.mark.parametrize(
    ("jid", "expected"),
    [
        ("33199001234@c.us", ("+33199001234", None)),
        ("33199001234@s.whatsapp.net", ("+33199001234", None)),
        ("33199001234:12@s.whatsapp.net", ("+33199001234", None)),
        ("33199001234_1:12@s.whatsapp.net", ("+33199001234", None)),
        (" 553196883193@c.us ", ("+553196883193", None)),
        ("123456789012345@lid", (None, "123456789012345")),
        ("123456789012345:3@lid", (None, "123456789012345")),
        ("120363000000000000@g.us", (None, None)),
        ("33199001234-1600000000@g.us", (None, None)),
        ("120363000000000000@newsletter", (None, None)),
        ("status@broadcast", (None, None)),
        ("0@c.us", (None, None)),
        ("1234567890123456@c.us", (None, None)),
        ("33199001234", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_jid_is_split_into_phone_or_lid(jid: str, expected: tuple[str | None, str | None]) -> None:
    assert phone.from_jid(jid) == expected


@given(st.from_regex(r"\A\d{1,20}(:\d{1,2})?@lid\Z"))
def test_a_lid_is_never_turned_into_a_phone(jid: str) -> None:
    assert phone.from_jid(jid)[0] is None


@given(st.text(max_size=25))
def test_a_masked_number_shows_four_digits_at_most(text: str) -> None:
    assert sum(c.isdecimal() for c in phone.mask(text)) <= 4
    assert set(phone.mask(text)) <= {"+", "•"} | {c for c in text if c.isdecimal()}


@given(FICTION)
def test_a_masked_number_keeps_its_length_and_its_ends(number: str) -> None:
    masked = phone.mask(number)
    assert len(masked) == len(number)
    assert masked[:3] == number[:3]
    assert masked[-2:] == number[-2:]
    assert set(masked[3:-2]) == {"•"}


@pytest.mark.parametrize(
    ("number", "region"),
    [("+12025550123", "US"), ("+553196883193", "BR"), ("+999", None), ("", None), ("+1 000 000 0000", None)],
)
def test_the_country_of_a_number(number: str, region: str | None) -> None:
    assert phone.country(number) == region
