"""What an e-mail address and a password must look like."""

from __future__ import annotations

import re

PASSWORD_LENGTH = (12, 200)
"""Characters of a password: length is what makes one hard to guess; the upper bound keeps hashing cheap."""
DIFFERENT_CHARACTERS = 5
EMAIL = r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+"
LONGEST_EMAIL = 254


class BadAccount(ValueError):
    """An e-mail address or a password that cannot be used; the text says why."""


def email(raw: str) -> str:
    """Return an e-mail address as it is kept.

    >>> email(" Ana@Example.org ")
    'ana@example.org'
    """
    written = raw.strip().lower()
    if len(written) > LONGEST_EMAIL or not re.fullmatch(EMAIL, written):
        raise BadAccount("the e-mail is not like ana@example.org")
    return written


def check_password(password: str, email: str) -> None:
    """Refuse a password that is too easily guessed.

    >>> check_password("correct horse battery", "ana@example.org")
    >>> check_password("aaaaaaaaaaaaaaaaaa", "ana@example.org")
    Traceback (most recent call last):
        ...
    rules.accounts.BadAccount: the password has fewer than 5 different characters
    """
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        raise BadAccount(f"the password needs {least} to {most} characters")
    if len(set(password)) < DIFFERENT_CHARACTERS:
        raise BadAccount(f"the password has fewer than {DIFFERENT_CHARACTERS} different characters")
    name = email.partition("@")[0]
    if password.lower() == email or (len(name) > 3 and password.lower().replace(name, "").strip("0123456789") == ""):
        raise BadAccount("the password is made of the e-mail: choose something else")
    try:
        password.encode()
    except UnicodeEncodeError:
        raise BadAccount("the password holds half of a character (a lone surrogate)") from None
