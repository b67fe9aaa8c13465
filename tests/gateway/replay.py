"""A server that answers as the shape files say, and checks what it is asked against them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.gateway import shape_files
from tests.gateway.raw_server import Connection, RawServer, Request


@dataclass
class Answered:
    """One answer to be given: a shape by name, or a body of one's own."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: tuple[str, ...] = ()


def shaped(name: str, *headers: str) -> Answered:
    """Return the answer a shape file describes."""
    return Answered(shape_files.shape(name)["status"], shape_files.body(name), headers=headers)


def listed(rows: list[Any]) -> Answered:
    """Return a 200 with these rows."""
    return Answered(200, json.dumps(rows).encode())


@dataclass
class Script:
    """Answers in the order of the requests; the last one stays."""

    answers: list[Answered]
    asked: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request, connection: Connection) -> None:
        """Give the next answer."""
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await connection.answer(answer.status, answer.body, answer.kind, *answer.headers)

    def path(self, number: int = 0) -> str:
        """Return the path of one request, without its query."""
        return urlsplit(self.asked[number].target).path

    def query(self, number: int = 0) -> dict[str, str]:
        """Return the query of one request."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.asked[number].target).query).items()}

    def body(self, number: int = 0) -> Any:
        """Return the JSON body of one request."""
        return json.loads(self.asked[number].body)


def replaying(*answers: Answered) -> tuple[RawServer, Script]:
    """Return a server (not yet running) and the script it follows."""
    script = Script(list(answers))
    return RawServer(script), script
