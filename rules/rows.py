"""Rows of an imported file: which column is what, and what each row says. CSV or .xlsx, French or English titles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rules import delimited, spreadsheet
from rules.workbook import BadSheet

Column = Literal["phone", "name", "category", "opted_out", "consent_source"]

_NAMES: Final[Mapping[Column, str]] = {
    "phone": "phone, phones, phone number, mobile, mobile phone, cell, cell phone, telephone, telephone number, tel, "
    "telephone mobile, tel mobile, portable, numero, numero de telephone, numero telephone, n de telephone, "
    "n telephone, gsm, msisdn, whatsapp, numero whatsapp, whatsapp number",
    "name": "name, full name, contact, contact name, nom, nom complet, nom du contact, nom et prenom, prenom et nom",
    "category": "category, categories, group, groups, tag, tags, segment, categorie, groupe, groupes, liste, "
    "etiquette, etiquettes",
    "opted_out": "opted out, opt out, optout, unsubscribed, do not contact, desinscrit, desinscrite, desabonne, "
    "desabonnee, ne pas contacter, stop",
    "consent_source": "consent source, consent, source of consent, consentement, source du consentement, "
    "origine du consentement, source consentement",
}
_COLUMNS: Final[Mapping[str, Column]] = {
    name.strip(): column for column, names in _NAMES.items() for name in names.split(",")
}

_YES: Final = frozenset(["1", "true", "yes", "y", "on", "x", "oui", "o", "vrai", "stop"])
_NO: Final = frozenset(["0", "false", "no", "n", "off", "non", "faux"])

_FORMULA: Final = frozenset("=@-+")

MOST_NAME: Final = 200
"""Characters of a phone, a name, one category or a consent source."""
MOST_TITLE: Final = 100
"""Characters of a column's name."""
MOST_COLUMNS: Final = 200
MOST_ATTRIBUTE: Final = 2000
"""Characters of an attribute's value, or of all categories of a row."""


class BadFile(ValueError):
    """The file as a whole cannot be imported; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line as it stands: its number in the file, its phone unread, what else it says.

    ``None`` and empty: the row says nothing about it.
    """

    line: int
    phone: str
    name: str | None = None
    categories: tuple[str, ...] = ()
    opted_out: bool | None = None
    consent_source: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """One line that cannot be imported: which cell of it, what stands there, and why."""

    line: int
    column: str | None
    value: str | None
    reason: str


def read(body: bytes) -> Iterator[Row | BadRow]:
    """Read a file row by row, in bounded memory; empty lines are passed over. Raises BadFile, at any row.

    >>> list(read("T\\u00e9l\\u00e9phone;Nom;Ville\\n+33199001234;Ana;Lyon".encode()))
    [Row(line=2, phone='+33199001234', name='Ana', categories=(), opted_out=None, consent_source=None, attributes={'Ville': 'Lyon'})]
    """  # noqa: E501 - a doctest is one line
    try:
        rows = spreadsheet.rows(body) if body.startswith(spreadsheet.MAGIC) else delimited.rows(body, _names_a_phone)
        header = _Header(next(rows, (1, []))[1])
        for line, cells in rows:
            if any(cell.strip() for cell in cells):
                yield header.row(line, cells)
    except (delimited.BadCsv, BadSheet) as error:
        raise BadFile(str(error)) from None


def _names_a_phone(title: str) -> bool:
    return _COLUMNS.get(_plain(title)) == "phone"


class _Header:
    """The first line: what each column holds."""

    def __init__(self, cells: list[str]) -> None:
        self.titles = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
        while self.titles and not self.titles[-1]:
            self.titles.pop()
        self.columns = [_COLUMNS.get(_plain(title)) for title in self.titles]
        if "phone" not in self.columns:
            found = ", ".join(title[:40] for title in self.titles[:20]) or "nothing"
            raise BadFile(f"no column is named phone (or téléphone): the first line names {found}")
        if len(self.titles) > MOST_COLUMNS:
            raise BadFile(f"the first line names {len(self.titles)} columns: at most {MOST_COLUMNS}")
        if bad := next((t for t in self.titles if len(t) > MOST_TITLE or "\0" in t), None):
            raise BadFile(f"a column's name has {len(bad)} characters or a NUL: at most {MOST_TITLE}, and no NUL")
        seen: dict[str, str] = {}
        for title, column in zip(self.titles, self.columns, strict=True):
            meaning = column or title
            if meaning in seen:
                raise BadFile(f"two columns mean {meaning[:40]}: {seen[meaning][:40]!r} and {title[:40]!r}; keep one")
            seen[meaning] = title

    def row(self, line: int, cells: list[str]) -> Row | BadRow:
        """Read one line."""
        if any(cell.strip() for cell in cells[len(self.titles) :]):
            reason = (
                f"the row has {len(cells)} cells and the first line names {len(self.titles)} columns: check its quotes"
            )
            return BadRow(line=line, column=None, value=None, reason=reason)
        known: dict[Column, str] = {}
        attributes: dict[str, str] = {}
        for title, column, cell in zip(self.titles, self.columns, cells, strict=False):
            value = _bare(cell.strip())
            if "\0" in value:
                return BadRow(line=line, column=title, value=None, reason="the cell holds a NUL character: remove it")
            most = MOST_ATTRIBUTE if column in (None, "category") else MOST_NAME
            if len(value) > most:
                return BadRow(
                    line=line, column=title, value=value[:40], reason=f"{len(value)} characters: at most {most}"
                )
            if value and column:
                known[column] = value
            elif value and title:
                attributes[title] = value
        if not known.get("phone"):
            title = self.titles[self.columns.index("phone")]
            return BadRow(line=line, column=title, value=None, reason="the phone is empty: a contact needs one")
        return self._said(line, known, attributes)

    def _said(self, line: int, known: Mapping[Column, str], attributes: Mapping[str, str]) -> Row | BadRow:
        opted_out: bool | None = None
        if said := known.get("opted_out"):
            if _plain(said) not in _YES | _NO:
                title = self.titles[self.columns.index("opted_out")]
                return BadRow(line=line, column=title, value=said[:40], reason="write yes or no (oui ou non)")
            opted_out = _plain(said) in _YES
        categories = [name.strip() for name in known.get("category", "").split("|")]
        if any(len(name) > MOST_NAME for name in categories):
            title = self.titles[self.columns.index("category")]
            return BadRow(line=line, column=title, value=None, reason=f"a category has at most {MOST_NAME} characters")
        return Row(
            line=line,
            phone=known["phone"],
            name=known.get("name"),
            categories=tuple(dict.fromkeys(name for name in categories if name)),
            opted_out=opted_out,
            consent_source=known.get("consent_source"),
            attributes=attributes,
        )


def _plain(title: str) -> str:
    """Reduce a title to what it says: no case, accents or punctuation.

    >>> _plain("  N° de Téléphone_"), _plain("Opted-out")
    ('n de telephone', 'opted out')
    """
    bare = unicodedata.normalize("NFKD", title).casefold()
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", bare.replace("_", " ")))


def _bare(value: str) -> str:
    """Take off the quote that keeps a spreadsheet from running a text as a formula: our own exports write it.

    >>> _bare("'=1+1"), _bare("'quoted'")
    ('=1+1', "'quoted'")
    """
    return value[1:] if value[:1] == "'" and value[1:2] in _FORMULA else value
