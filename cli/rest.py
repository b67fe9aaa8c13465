"""The service over REST: every answer that is no success becomes one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import IO, Any
from urllib.parse import urlsplit

import click
import httpx

from cli.place import Place

TIMEOUT_SECONDS = 30.0
PAGE = 200
"""The most that one page of a list brings."""
QUIET_SECONDS = 5.0
"""A live stream that says nothing for so long is given up, and asked for again."""

_CUT = (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout, httpx.ConnectError, httpx.ConnectTimeout)


class Refused(click.ClickException):
    """The service said no. ``code`` is the problem's stable code, ``status`` the HTTP status."""

    exit_code = 1

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NotThere(click.ClickException):
    """Nobody answers at the address."""

    exit_code = 3


class Rest:
    """One service. Opens nothing before the first call."""

    def __init__(self, place: Place) -> None:
        self.place = place
        headers = {"Authorization": f"Bearer {place.key}"} if place.key else {}
        self._http = httpx.Client(
            base_url=place.url,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            trust_env=not _is_local(place.url),  # a proxy cannot reach this machine
            follow_redirects=False,
        )

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON at ``path``. Raises Refused or NotThere, as all calls do."""
        return self._call("GET", path, params=_given(params)).json()

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Post JSON (or, by ``files`` and ``data``, a form); returns the answer's JSON, None where it has none."""
        answer = self._call("POST", path, **({"json": body} if body is not None else {}), **more)
        return answer.json() if answer.content else None

    def delete(self, path: str) -> None:
        """Delete what is at ``path``."""
        self._call("DELETE", path)

    def items(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **params)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def download(self, path: str, out: IO[bytes], **params: Any) -> None:
        """Copy what is at ``path`` into a file as it comes."""
        try:
            with self._http.stream("GET", path, params=_given(params)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refusal(answer)
                for chunk in answer.iter_bytes():
                    out.write(chunk)
        except httpx.HTTPError as error:
            raise self._absence(error) from error

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a live stream until it ends, is cut, or says nothing for some seconds."""
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=QUIET_SECONDS)
        try:
            with self._http.stream("GET", path, timeout=timeout, headers={"Accept": "text/event-stream"}) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._refusal(answer)
                event = ""
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "event":
                        event = value
                    elif name == "data":
                        yield event, json.loads(value)
        except _CUT:
            return

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self._absence(error) from error
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _absence(self, error: Exception) -> click.ClickException:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return NotThere(
                f"nothing answers at {self.place.url}: start Relance with bin/dev, "
                "or name the address of a running one in RELANCE_URL"
            )
        return NotThere(f"{self.place.url} broke off ({type(error).__name__}): look whether it still runs")

    def _refusal(self, answer: httpx.Response) -> Refused:
        """Put a problem into one sentence."""
        try:
            problem = answer.json()
        except ValueError:
            problem = None
        if not isinstance(problem, dict) or "detail" not in problem:
            return Refused(
                f"{self.place.url} answered {answer.status_code} {answer.reason_phrase} and is no Relance: "
                "check RELANCE_URL",
                status=answer.status_code,
            )
        text = str(problem["detail"])
        if answer.status_code == 401:
            text += " (the key is read from RELANCE_API_KEY, else from BOOTSTRAP_API_KEY)"
        if answer.status_code >= 500 and problem.get("request_id"):
            text += f" (request {problem['request_id']})"
        return Refused(text, status=answer.status_code, code=str(problem.get("code", "")))


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
