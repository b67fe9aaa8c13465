"""How WhatsApp spells a number: usually as it is, in three countries its own way."""

from __future__ import annotations

import re

E164 = re.compile(r"\+[1-9]\d{6,14}")


def jid(digits: str) -> str:
    """Return the chat id of a person."""
    return f"{digits}@c.us"


def spelled_by_whatsapp(digits: str) -> str:
    """Return the digits under which WhatsApp knows this number.

    Mexico keeps an old 1, Argentina a 9, Brazil drops the ninth digit from area code 31 up.

    >>> spelled_by_whatsapp("525512345678"), spelled_by_whatsapp("541123456789")
    ('5215512345678', '5491123456789')
    >>> spelled_by_whatsapp("5531996883193"), spelled_by_whatsapp("5511987654321")
    ('553196883193', '5511987654321')
    >>> spelled_by_whatsapp("33199000001")
    '33199000001'
    """
    if digits.startswith("52") and len(digits) == 12:
        return f"521{digits[2:]}"
    if digits.startswith("54") and len(digits) == 12 and digits[2] != "9":
        return f"549{digits[2:]}"
    if digits.startswith("55") and len(digits) == 13 and digits[2:4] >= "31" and digits[4] == "9":
        return digits[:4] + digits[5:]
    return digits
