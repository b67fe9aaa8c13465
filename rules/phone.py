"""Phone numbers: E.164, the variants WhatsApp makes of them, and "are these two the same person?".

Strict where a number comes in (``parse``), loose where a reply is matched (``identity``): WhatsApp
itself writes ``521…`` for Mexico, keeps eight digits for old Brazilian accounts, and knows numbers
by the form they had before their country renumbered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

Flaw = Literal[
    "empty",
    "letters",
    "characters",
    "unknown_region",
    "no_region",
    "unknown_country",
    "too_short",
    "too_long",
    "invalid",
]

_REMEDY: Final[dict[Flaw, str]] = {
    "empty": "the phone is empty: write it with + and the country code",
    "letters": "the phone contains letters: write digits only (a spreadsheet column must be formatted as text)",
    "characters": "the phone contains signs that no number has: write one number, in digits, starting with +",
    "unknown_region": "the region is not known: use two letters such as FR",
    "no_region": "the phone has no country code and no region is set: write it with +, or give a region such as FR",
    "unknown_country": "no country has this country code: check the digits after +",
    "too_short": "the phone is too short for its country: digits are missing",
    "too_long": "the phone is too long for its country: it has extra digits, or is foreign and lacks its +",
    "invalid": "no such number exists in its country's numbering plan: check its digits and its country code",
}

_INVISIBLE: Final = {"Cf", "Cc"}
_NUMBER = re.compile(r"\(?\+?[\d\s().\-/\u2010-\u2015\u2212]+")
_SPREADSHEET_FLOAT = re.compile(r"(\d{7,15})\.0")
_JID = re.compile(r"(\d+)(?:_\d+)?(?::\d+)?@(c\.us|s\.whatsapp\.net|lid)")
_MOBILE_PREFIX_CI: Final = dict(zip("0123456789", ("01",) * 4 + ("05",) * 3 + ("07",) * 3, strict=True))


class BadPhone(ValueError):
    """This is no phone number. The text names cause and remedy and never the number; ``flaw`` is stable."""

    def __init__(self, reason: str, flaw: Flaw = "invalid") -> None:
        self.reason = reason
        self.flaw = flaw
        super().__init__(reason)


def parse(raw: str, region: str | None) -> str:
    """Return ``raw`` as a valid E.164 number, or raise BadPhone with cause and remedy.

    ``region`` (ISO, two letters) reads numbers written the national way; without it, digits are
    taken as international. Repairs what people and spreadsheets do to numbers.

    >>> parse("01 99 00 12 34", "FR")
    '+33199001234'
    >>> parse("0033 1 99 00 12 34", "US")
    '+33199001234'
    >>> parse("+44 (0)20 7946 0123", None)
    '+442079460123'
    >>> parse("01 99 00 12 34", None)
    Traceback (most recent call last):
    rules.phone.BadPhone: the phone has no country code and no region is set: write it with +, or give a region such as FR
    """  # noqa: E501 - the error's text is one line
    digits = _readable(raw)
    home = region.strip().upper() if region else None
    if home and home not in phonenumbers.SUPPORTED_REGIONS:
        raise _bad("unknown_region")
    first_flaw: Flaw | None = None
    for candidate in _readings(digits, home):
        outcome = _validate(candidate, home)
        if isinstance(outcome, PhoneNumber):
            return phonenumbers.format_number(outcome, PhoneNumberFormat.E164)
        first_flaw = first_flaw or outcome
    raise _bad(first_flaw or "no_region")


def identity(phone_or_digits: str) -> str:
    """Return the digits that all spellings of one person's number share. Never validates.

    Mexico with and without 1, Argentina with and without 9, Brazil with and without the ninth digit
    (only before 6-9: eight digits that start lower are a landline, another person), Benin and the mobiles of
    Côte d'Ivoire before and after renumbering. Raises ValueError when there is no digit at all.

    >>> identity("+5215512345678") == identity("52 55 1234 5678")
    True
    >>> identity("+5531996883193"), identity("553196883193")
    ('553196883193', '553196883193')
    """
    folded = unicodedata.normalize("NFKC", phone_or_digits)
    digits = "".join(c for c in folded if c.isdecimal() and c.isascii())
    if not digits:
        raise ValueError("an identity needs digits: this text has none")
    country, rest = digits[:2], digits[2:]
    if country == "52" and len(rest) == 11 and rest[0] == "1":
        return country + rest[1:]
    if country == "54" and len(rest) == 11 and rest[0] == "9":
        return country + rest[1:]
    if country == "55" and len(rest) == 11 and rest[2] == "9" and rest[3] in "6789":
        return country + rest[:2] + rest[3:]
    if digits.startswith("229") and len(digits) == 11:
        return "22901" + digits[3:]
    if digits.startswith("225") and len(digits) == 11 and digits[3] not in "23":  # 2 and 3 were landlines
        return "225" + _MOBILE_PREFIX_CI[digits[4]] + digits[3:]
    return digits


def same_person(a: str, b: str) -> bool:
    """Whether two numbers are spellings of one person's.

    >>> same_person("+5491123456789", "541123456789"), same_person("+33199001234", "+33199001235")
    (True, False)
    """
    return identity(a) == identity(b)


def from_jid(jid: str) -> tuple[str | None, str | None]:
    """Split a WhatsApp id of one person into (phone, lid); both None for groups, channels and broadcasts.

    The phone is ``+digits`` as WhatsApp spells it, not validated. The lid is the bare digits of a hidden
    identity: it is not a phone and is never made one.

    >>> from_jid("33199001234:7@s.whatsapp.net"), from_jid("98765432101234@lid"), from_jid("1234-567@g.us")
    (('+33199001234', None), (None, '98765432101234'), (None, None))
    """
    found = _JID.fullmatch(jid.strip())
    if found is None or not found[1].isascii():
        return None, None
    if found[2] == "lid":
        return None, found[1]
    if found[1].startswith("0") or not 7 <= len(found[1]) <= 15:
        return None, None
    return "+" + found[1], None


def mask(phone: str) -> str:
    """Return a number fit for logs: its first two and last two digits; too short a one shows nothing.

    >>> mask("+33199001201"), mask("12345"), mask("")
    ('+33•••••••01', '•••', '•••')
    """
    digits = "".join(c for c in phone if c.isdecimal())
    if len(digits) < 7:
        return "•••"
    plus = "+" if phone.lstrip().startswith("+") else ""
    return f"{plus}{digits[:2]}{'•' * (len(digits) - 4)}{digits[-2:]}"


def country(phone: str) -> str | None:
    """Return the ISO region of a number with its country code, valid or not quite; None when none can be told.

    >>> country("+33199001234"), country("+5215512345678"), country("+80012345678")
    ('FR', 'MX', None)
    """
    try:
        number = phonenumbers.parse("+" + identity(phone), None)
    except (NumberParseException, ValueError):
        return None
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:
        regions = phonenumbers.region_codes_for_country_code(number.country_code)
        region = regions[0] if len(regions) == 1 else None
    return None if region in (None, "001", "ZZ") else region


def _bad(flaw: Flaw) -> BadPhone:
    return BadPhone(_REMEDY[flaw], flaw)


def _readable(raw: str) -> str:
    """Reduce what was written to digits with a leading + if there was one, ``(0)`` marked as ``o``."""
    text = unicodedata.normalize("NFKC", raw)
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _INVISIBLE).strip()
    if not text:
        raise _bad("empty")
    if found := _SPREADSHEET_FLOAT.fullmatch(text):
        text = found[1]
    if any(c.isalpha() for c in text):
        raise _bad("letters")
    if not _NUMBER.fullmatch(text):
        raise _bad("characters")
    if text.startswith(("+", "(+")):
        text = re.sub(r"\(\s*0\s*\)", "o", text)
    kept = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text if c.isdecimal() or c in "+o")
    if not any(c.isdecimal() for c in kept):
        raise _bad("characters")
    return kept


def _readings(digits: str, home: str | None) -> Iterator[str]:
    """Yield what the digits may mean, the likeliest first."""
    if digits.startswith("+"):
        yield digits.replace("o", "0")  # Italy keeps its 0, the library drops it elsewhere
        if "o" in digits:
            yield digits.replace("o", "")
    elif home is not None:
        yield digits
        if home == "MX" and digits.startswith(("044", "045")):
            yield digits[3:]
    if digits.startswith("00"):
        yield "+" + digits[2:]
    elif home is None and digits[0] not in "+0":
        yield "+" + digits
    international = digits.lstrip("+") if digits.startswith(("+", "00")) or home in (None, "MX") else ""
    if re.fullmatch(r"(00)?521\d{10}", international):
        yield "+52" + international[-10:]


def _validate(candidate: str, home: str | None) -> PhoneNumber | Flaw:
    try:
        number = phonenumbers.parse(candidate, None if candidate.startswith("+") else home)
    except NumberParseException as error:
        flaws: dict[int, Flaw] = {
            NumberParseException.INVALID_COUNTRY_CODE: "unknown_country",
            NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
            NumberParseException.TOO_SHORT_NSN: "too_short",
            NumberParseException.TOO_LONG: "too_long",
        }
        return flaws.get(error.error_type, "invalid")
    if phonenumbers.is_valid_number(number):
        return number
    reasons: dict[int, Flaw] = {
        phonenumbers.ValidationResult.TOO_SHORT: "too_short",
        phonenumbers.ValidationResult.TOO_LONG: "too_long",
    }
    return reasons.get(phonenumbers.is_possible_number_with_reason(number), "invalid")
