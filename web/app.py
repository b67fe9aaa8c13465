"""The application: routes, guards, error answers, and what it opens while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from actors import wake
from models import cache, live, pool
from web import (
    attachments,
    audit,
    bulk,
    caching,
    campaigns,
    categories,
    checkups,
    config,
    contacts,
    copies,
    erasure,
    gauges,
    health,
    hooks,
    imports,
    intake,
    interactions,
    keys,
    launching,
    limits,
    login,
    messages,
    monitoring,
    previews,
    problems,
    pulse,
    recipients,
    reference,
    retrying,
    senders,
    shell,
    stream,
    trials,
    users,
    vigil,
    watching,
)
from web.access import Access
from web.auth import guard
from web.bodies import refuse_unreadable
from web.etags import Tagged
from web.headers import Protected

if TYPE_CHECKING:
    from litestar.types import ASGIApp

MOST_BYTES = 2_097_152
"""A body may be so large, unless its route says otherwise."""


@asynccontextmanager
async def _database(_: Litestar) -> AsyncIterator[None]:
    """Hold both pools open; they connect when first used, so that the process starts without database and Redis."""
    await pool.open_pool()
    client = live.async_client()
    cache.open_cache(client)
    try:
        yield
    finally:
        await client.aclose()
        wake.close()
        await pool.close_pool()


def build() -> ASGIApp:
    """Return the application in its layers: each request is named and logged, its answer protected, tagged, audited."""
    return Access(Protected(Tagged(audit.Audited(routing()))))


def routing() -> Litestar:
    """Return the routing table: every address, and who stands before it."""
    api = Router(
        "/api",
        guards=[guard],
        before_request=refuse_unreadable,
        security=[{"key": []}],
        route_handlers=[
            contacts.router,
            erasure.router,
            bulk.router,
            imports.router,
            categories.router,
            senders.router,
            senders.everything,
            checkups.router,
            campaigns.router,
            previews.router,
            launching.router,
            trials.router,
            copies.router,
            retrying.router,
            monitoring.router,
            attachments.router,
            watching.router,
            recipients.router,
            messages.router,
            caching.router,
            interactions.router,
            config.router,
            login.router,
            users.router,
            keys.router,
            audit.router,
        ],
    )
    return Litestar(
        route_handlers=[api, health.alive, health.ready, gauges.exposition, hooks.wassenger, shell.shell, shell.asset],
        lifespan=[
            _database,
            intake.taking,
            hooks.door,
            limits.limiting,
            stream.listening,
            pulse.beating,
            vigil.watching,
        ],
        exception_handlers=problems.HANDLERS,
        request_max_body_size=MOST_BYTES,
        logging_config=None,
        compression_config=CompressionConfig(
            backend="brotli",
            minimum_size=1024,
            brotli_gzip_fallback=True,
            exclude=["/events$", "/webhooks/"],
            exclude_opt_key="packed",
        ),
        openapi_config=OpenAPIConfig(
            title="Relance",
            version="0.1.0",
            description="WhatsApp campaigns: Message 1 at a safe pace, Message 2 once per reply.",
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=reference.plugins(),
            components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        ),
    )
