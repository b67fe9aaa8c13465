"""The plain page: campaigns and their live progress, until there is a dashboard."""

from __future__ import annotations

from pathlib import Path

from litestar import MediaType, Response, get

from web.headers import policy_of

_PAGE = (Path(__file__).parent / "page.html").read_text()
_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": policy_of(_PAGE)}


@get("/", include_in_schema=False)
async def page() -> Response[str]:
    """Return the page. It asks for the API key and keeps it in memory only."""
    return Response(_PAGE, media_type=MediaType.HTML, headers=_HEADERS)
