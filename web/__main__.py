"""The web process: ``python -m web``. It starts without a database and without Redis."""

from __future__ import annotations

import socket
import sys

import uvicorn

import settings
from models import logs

GRACE_SECONDS = 5
"""What requests under way may take at a shutdown."""


class Server(uvicorn.Server):
    """Tells the streams first: they would otherwise hold a shutdown up for the whole grace."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then everything else."""
        from web.stream import hub

        hub.close()
        await super().shutdown(sockets)


def main() -> int:
    """Serve until a signal; returns the exit code."""
    try:
        port = settings.get().port
    except settings.BadSettings as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201 - the log is configured by the settings
        return 1
    logs.configure("web")
    from web.app import build  # after the settings are known to be good

    server = Server(
        uvicorn.Config(
            build(),
            host="0.0.0.0",  # noqa: S104 - the platform's router reaches us from elsewhere
            port=port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # TRUSTED_PROXIES says whom to believe
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
