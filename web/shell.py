"""The dashboard: one shell for all its pages, and the files it loads. Both come from ``web/static`` as they are.

``bin/setup`` builds them. Without them the service runs all the same, and ``/`` says how to build.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import brotli
from litestar import MediaType, Request, Response, get
from litestar.params import FromPath

from web.headers import policy_of
from web.problems import Problem
from web.sessions import presented

STATIC = Path(__file__).parent / "static"
PAGES = ("/", "/campaigns", "/contacts", "/categories", "/replies", "/monitoring", "/settings")
"""Where the shell stands, each with everything below it; what is shown there the browser decides."""
FOREVER = "public, max-age=31536000, immutable"
"""For files whose name holds a hash of their content."""
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*\.(?:js|css|svg|woff2)", re.ASCII)
_STRANGER = '<html data-door lang="en">'
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Relance</title></head>
<body><h1>Relance is running</h1><p>Its dashboard was not built. Run <code>bin/setup</code> (on a platform:
<code>bin/post_compile</code>), then load this page again. The REST interface is described at
<a href="/schema">/schema</a>.</p></body></html>
"""


@dataclass(frozen=True)
class Packed:
    """A document in every coding it is sent in, with its tag and what it may run."""

    codings: dict[str, bytes]
    tag: str
    policy: str


async def _shell(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return the shell, drawn for somebody with a session or for a stranger."""
    try:
        built = (STATIC / "index.html").stat().st_mtime_ns
    except FileNotFoundError:
        return Response(_NOT_BUILT.encode(), media_type=MediaType.HTML, headers={"Cache-Control": "no-store"})
    coding = accepted(request)
    packed = _packed(built, presented(request) is not None)
    tag = f'"{packed.tag}-{coding or "plain"}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": packed.policy,
        "ETag": tag,
        "Vary": "Accept-Encoding, Cookie",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    return Response(packed.codings[coding], media_type=MediaType.HTML, headers=headers)


shell = get(
    [*PAGES, *(f"{page}/{{rest:path}}" for page in PAGES if page != "/")],
    include_in_schema=False,
    opt={"packed": True},
)(_shell)


@get("/assets/{name:str}", include_in_schema=False, opt={"packed": True}, sync_to_thread=False)
def asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Return one file of the dashboard, packed when it was built. A name is never given to another content."""
    coding = accepted(request)
    body = _asset(name, coding) if _NAME.fullmatch(name) else None
    if body is None:
        raise Problem(404, "not_found", f"the dashboard has no file {name}: load the page again")
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"} | ({"Content-Encoding": coding} if coding else {})
    return Response(body, media_type=_MEDIA_TYPES[Path(name).suffix], headers=headers)


def accepted(request: Request[Any, Any, Any]) -> str:
    """Return the best coding that the browser reads; empty: none."""
    given = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    return next((coding for coding in ("br", "gzip") if coding in given), "")


def _asset(name: str, coding: str) -> bytes | None:
    file = STATIC / "assets" / (name + {"": "", "br": ".br", "gzip": ".gz"}[coding])
    return _read(file) if file.is_file() else None


@cache
def _read(file: Path) -> bytes:
    return file.read_bytes()


@cache
def _packed(built: int, known: bool) -> Packed:
    """Pack the shell that was built at this time, once per process."""
    page = (STATIC / "index.html").read_text()
    html = page if known else page.replace('<html lang="en">', _STRANGER, 1)
    plain = html.encode()
    return Packed(
        {"": plain, "br": brotli.compress(plain), "gzip": gzip.compress(plain, mtime=0)},
        hashlib.blake2b(plain, digest_size=12).hexdigest(),
        policy_of(html),
    )
