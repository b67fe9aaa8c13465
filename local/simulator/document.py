"""The behaviour as a JSON document: laid over the one in force, and checked whole before anything changes."""

from __future__ import annotations

from typing import Any

import msgspec

from local.simulator.behaviour import NOISES, REPLIES, Behaviour, Person, Readings, Span

_LONGEST = 2_592_000.0
_SPANS = tuple(field.name for field in msgspec.structs.fields(Behaviour) if field.type == Span)


class BadBehaviour(Exception):
    """The document cannot be used. ``problems`` says why, one text each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def merged(current: Behaviour, document: object) -> Behaviour:
    """Return ``current`` with ``document`` laid over it (a JSON merge patch: objects merge, null means the default).

    Raises BadBehaviour, with every unknown key or the first bad value named.
    """
    if not isinstance(document, dict):
        raise BadBehaviour(["the document must be a JSON object"])
    if unknown := _unknown_keys(document):
        raise BadBehaviour([f"unknown key: {key}" for key in unknown])
    try:
        result = msgspec.convert(_patched(msgspec.to_builtins(current), document), Behaviour)
    except msgspec.ValidationError as error:
        raise BadBehaviour([str(error)]) from None
    spans = {name: getattr(result, name) for name in _SPANS}
    if wrong := [name for name, span in spans.items() if not _is_span(span)]:
        raise BadBehaviour([f"{name}: 0 to {_LONGEST:g} seconds, or [least, most] of them" for name in wrong])
    return result


def _unknown_keys(document: dict[str, Any]) -> list[str]:
    known = set(Behaviour.__struct_fields__)
    unknown = [key for key in document if key not in known]
    for section, names in (
        ("reply_types", REPLIES),
        ("noise", NOISES),
        ("readings", Readings.__struct_fields__),
    ):
        part = document.get(section)
        unknown += [f"{section}.{key}" for key in part if key not in names] if isinstance(part, dict) else []
    phones = document.get("phones")
    for phone, script in phones.items() if isinstance(phones, dict) else ():
        if isinstance(script, dict):
            unknown += [f"phones.{phone}.{key}" for key in script if key not in Person.__struct_fields__]
    return unknown


def _patched(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = _patched(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result


def _is_span(value: Span) -> bool:
    least, most = value if isinstance(value, tuple) else (value, value)
    return 0 <= least <= most <= _LONGEST
