"""Categories by their name."""

from __future__ import annotations

from collections.abc import Iterable

from cli.rest import Refused, Rest


def category_id(rest: Rest, name: str, *, make: bool = False) -> str | None:
    """Return the id of the category called ``name``; None where it would have to be made and may not."""
    for category in rest.items("/api/categories"):
        if category["name"] == name:
            return str(category["id"])
    return str(rest.post("/api/categories", {"name": name})["id"]) if make else None


def category_ids(rest: Rest, names: Iterable[str]) -> list[str]:
    """Return the ids of categories that must exist. Raises Refused with those there are."""
    wanted = list(names)
    known = {category["name"]: str(category["id"]) for category in rest.items("/api/categories")} if wanted else {}
    if missing := [name for name in wanted if name not in known]:
        there = ", ".join(sorted(known)) or "none yet: import contacts first"
        raise Refused(f"there is no category {', '.join(missing)} (there are: {there})")
    return [known[name] for name in wanted]
