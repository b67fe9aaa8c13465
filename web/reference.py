"""The API's reference at /schema: the OpenAPI document, and a page for people that loads nothing from elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.params import FromPath
from litestar.response import File

from web.document import completed

if TYPE_CHECKING:
    from litestar import Request, Router

_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Relance API</title>
<link rel="icon" href="/schema/assets/favicon-32x32.png"><link rel="stylesheet" href="/schema/assets/swagger-ui.css">
</head><body><div id="reference"></div><script src="/schema/assets/swagger-ui-bundle.js"></script>
<script src="/schema/assets/start.js"></script></body></html>
"""
_START = """"use strict";
SwaggerUIBundle({url: "/schema/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null,
  persistAuthorization: false});
"""
"""A file of its own: the policy of web/headers.py lets nothing run that stands inside the page."""


def _assets() -> Path:
    """Find the files of Swagger UI in the wheel that carries them, without importing its code."""
    found = find_spec("swagger_ui")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static"


class OfflineSwagger(OpenAPIRenderPlugin):
    """Swagger UI from files of an installed wheel."""

    def __init__(self, assets: Path) -> None:
        self._folder = assets
        super().__init__(path="/")

    def receive_router(self, router: Router) -> None:
        """Serve the few files that the page needs, and no other."""
        folder = self._folder

        @get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
        def asset(name: FromPath[str]) -> Response[Any]:
            if name == "start.js":
                return Response(_START, media_type="text/javascript")
            if name not in _ASSETS:
                raise NotFoundException
            return File(folder / name, media_type=_ASSETS[name], content_disposition_type="inline")

        router.register(asset)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page; the document comes by itself."""
        return _PAGE.encode()


class PublishedJson(JsonRenderPlugin):
    """The document, with what holds for every route."""

    def __init__(self) -> None:
        self._published: bytes | None = None
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return it; it is completed once per process."""
        if self._published is None:
            self._published = msgspec.json.encode(completed(openapi_schema))
        return self._published


def plugins() -> list[OpenAPIRenderPlugin]:
    """Return what is shown below /schema."""
    return [PublishedJson(), OfflineSwagger(_assets())]
