"""What becomes untrue in the cache when something changes: each change is named once, here."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from models import cache


async def contacts_changed(categories: Iterable[UUID] | None) -> None:
    """Contacts were made, changed or erased: the statistics, and the categories they are in (None: any)."""
    ours = cache.this()
    await ours.forget("stats", "contacts")
    names = ["detail:*"] if categories is None else [f"detail:{category}" for category in categories]
    if names:
        await ours.forget("categories", *names)


async def category_changed(category: UUID) -> None:
    """A category was made, renamed or deleted: its detail, and the list."""
    await cache.this().forget("categories", f"detail:{category}", "page:*")


async def members_changed(category: UUID) -> None:
    """Contacts were put into a category or taken out of it: its detail."""
    await cache.this().forget("categories", f"detail:{category}")


async def imported() -> None:
    """Rows of a file were written: contacts anywhere, categories that may be new."""
    await cache.this().forget("stats", "contacts")
    await cache.this().forget("categories", "*")


async def messages_moved() -> None:
    """Messages or recipients moved: their statistics."""
    await cache.this().forget("stats", "messages:*")
