"""The text of a message: fill a template, refuse a hole in it.

``{{name}}`` is the contact's name; ``{{attributes.city}}``, or ``{{city}}`` for short, one of the contact's
attributes; ``{{city|your town}}`` has a default for those without. Single braces are ordinary text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_LENGTH: Final = 4096
"""Characters WhatsApp takes in one text."""

_BRACES = re.compile(r"\{\{|\}\}")
_ATTRIBUTES: Final = "attributes."


class BadTemplate(ValueError):
    """The text cannot be sent as it stands; the reason says what is wrong, where, and what to write instead."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Hole(ValueError):
    """This contact leaves placeholders empty. ``missing`` names them, each once, in the template's order."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(
            f"nothing to put into {', '.join(missing)}: complete the contact, or write a default such as "
            f"{{{{{missing[0]}|…}}}}"
        )


@dataclass(frozen=True)
class Placeholder:
    """One ``{{…}}``: ``name`` or ``attributes.<key>``, and what to write for a contact without it.

    ``default`` None: there is none, and a contact without the value leaves a hole. An empty default is one.
    """

    name: str
    default: str | None = None


def placeholders(template: str) -> list[Placeholder]:
    """List the distinct placeholders in the order they first appear; raises BadTemplate as ``check`` does.

    >>> placeholders("Hello {{name}}, how is {{city|your town}}?")
    [Placeholder(name='name', default=None), Placeholder(name='attributes.city', default='your town')]
    """
    if template == "":
        return []
    return list(dict.fromkeys(part for part in _parts(template) if isinstance(part, Placeholder)))


def check(template: str) -> None:
    """Raise BadTemplate if this text could be sent to nobody.

    >>> check("Hello {{name}")
    Traceback (most recent call last):
    rules.text.BadTemplate: the placeholder opened at character 7 is never closed: write }} after its name
    """
    _parts(template)


def fill(template: str, name: str | None, attributes: Mapping[str, str], *, leave_holes: bool = False) -> str:
    """Return the text for one contact. Values are stripped and inserted literally, whatever they contain.

    Raises Hole when a placeholder has neither value nor default (with ``leave_holes`` nothing stands in its
    place: for an answer that is due and cannot wait), and BadTemplate when the template is
    wrong or what comes out cannot be sent (empty, longer than 4096 characters, unreadable characters).

    >>> fill("Hi {{name}} from {{city|afar}}", " Ana ", {})
    'Hi Ana from afar'
    >>> fill("Hi {{name}}", "{{city}}", {"city": "Lomé"})
    'Hi {{city}}'
    >>> fill("Thanks {{name}}!", None, {}, leave_holes=True)
    'Thanks !'
    """
    if template == "":  # no text at all, beside a sound (``check`` refuses it everywhere else)
        return ""
    parts = _parts(template)
    filled: list[str] = []
    missing: list[str] = []
    for part in parts:
        if isinstance(part, str):
            filled.append(part)
            continue
        value = _value(part, name, attributes) or part.default
        if value is None and not leave_holes:
            missing.append(part.name)
        else:
            filled.append(value or "")
    if missing:
        raise Hole(tuple(dict.fromkeys(missing)))
    text = "".join(filled)
    if not text.strip():
        raise BadTemplate("nothing is left of the text for this contact: write words beside the placeholders")
    if len(text) > MAX_LENGTH:
        raise BadTemplate(f"the text for this contact has {len(text)} characters: at most {MAX_LENGTH} can be sent")
    return text


def may_be(text: str, template: str) -> bool:
    """Whether a text may be this template filled for somebody, whatever they are called and have.

    >>> may_be("Thanks Ana, see you", "Thanks {{name}},  see you"), may_be("Hello Ana", "Thanks {{name}}")
    (True, False)
    """
    parts = _parts(template) if template else ()
    # No control character is in a template, and spaces are compared as none: gateways tidy them up.
    shape = "".join("\0" if isinstance(part, Placeholder) else "".join(part.split()) for part in parts)
    words, (first, *between) = "".join(text.split()), shape.split("\0")
    if not between:
        return words == first
    *between, last = between
    at, end = len(first), len(words) - len(last)
    if at > end or not words.startswith(first) or not words.endswith(last):
        return False
    for literal in between:
        if (found := words.find(literal, at, end)) < 0:
            return False
        at = found + len(literal)
    return True


def _value(placeholder: Placeholder, name: str | None, attributes: Mapping[str, str]) -> str:
    if placeholder.name == "name":
        value = name or ""
    else:
        value = attributes.get(placeholder.name.removeprefix(_ATTRIBUTES)) or ""
    value = value.strip()
    if bad := _unreadable(value):
        raise BadTemplate(f"the contact's {placeholder.name} contains {bad[0]}: correct it in the contact")
    return value


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[str | Placeholder, ...]:
    """Cut a template into its literal text and its placeholders, or say what is wrong with it."""
    if not template.strip():
        raise BadTemplate("the text is empty: write something to send")
    if len(template) > MAX_LENGTH:
        raise BadTemplate(f"the text has {len(template)} characters: at most {MAX_LENGTH} can be sent")
    if bad := _unreadable(template):
        raise BadTemplate(f"the text contains {bad[0]} at character {bad[1] + 1}: remove it")
    parts: list[str | Placeholder] = []
    opened: int | None = None
    done = 0
    for brace in _BRACES.finditer(template):
        at = brace.start()
        if brace[0] == "{{":
            if opened is not None:
                raise _never_closed(opened)
            parts.append(template[done:at])
            opened = at
        elif opened is None:
            raise BadTemplate(f"the }}}} at character {at + 1} closes nothing: write {{{{ before the name")
        else:
            parts.append(_placeholder(template[opened + 2 : at], opened))
            opened = None
        done = brace.end()
    if opened is not None:
        raise _never_closed(opened)
    parts.append(template[done:])
    return tuple(part for part in parts if part != "")


def _never_closed(opened: int) -> BadTemplate:
    return BadTemplate(f"the placeholder opened at character {opened + 1} is never closed: write }}}} after its name")


def _placeholder(inside: str, opened: int) -> Placeholder:
    where = f"the placeholder at character {opened + 1}"
    key, bar, default = (piece.strip() for piece in inside.partition("|"))
    if not key:
        raise BadTemplate(f"{where} is empty: write a name in it, such as {{{{name}}}}")
    if "{" in inside or "}" in inside:
        raise BadTemplate(f"{where} has a brace too many: write {{{{name}}}}")
    attribute = key.removeprefix(_ATTRIBUTES)
    if not attribute or not attribute.isprintable():
        raise BadTemplate(f"{where} has a name that no attribute can have: write it on one line, as in the import file")
    return Placeholder("name" if key == "name" else _ATTRIBUTES + attribute, default if bar else None)


def _unreadable(text: str) -> tuple[str, int] | None:
    """Name the first character that cannot be stored or sent, and its position."""
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "Cs":
            return "half a character (a lone surrogate)", position
        if category == "Cc" and character not in "\n\r\t":
            return f"the control character U+{ord(character):04X}", position
    return None
