"""The baseline of the webhooks: the same framework, server and loop, and a handler that stores nothing."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from litestar import Litestar, Request, get, post


@post("/webhooks/wassenger", status_code=200)
async def take(request: Request[Any, Any, Any]) -> dict[str, bool]:
    """Read the body and forget it."""
    await request.body()
    return {"stored": False}


@get("/health/live")
async def alive() -> dict[str, str]:
    """Answer at all."""
    return {"status": "alive"}


def main(port: int) -> None:
    """Serve on loopback until a signal."""
    app = Litestar([take, alive], logging_config=None, openapi_config=None)
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", log_config=None, access_log=False, server_header=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
