"""A request and its answer, as the stand-in's parts hand them to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel

from local.upstream.behaviour import Dribble
from local.upstream.contract import Error


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. Header names are in lower case, path segments are decoded."""

    method: str
    segments: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @classmethod
    def parse(cls, method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        """Read the request target of an HTTP request line."""
        parts = urlsplit(target)
        return cls(
            method=method,
            segments=tuple(unquote(part) for part in parts.path.strip("/").split("/")),
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            headers=headers,
            body=body,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    missing_bytes: int = 0
    """How much longer the answer claims to be than it is."""
    dribble: Dribble | None = None


@dataclass(frozen=True, slots=True)
class InterimReplies:
    """One 1xx after another, until the client has gone."""

    status: int
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class NoReply:
    """The connection ends without an answer."""

    reset: bool = False
    after_client: bool = False
    """Only when the client has gone: it is left waiting."""


Outcome = Reply | InterimReplies | NoReply


def json_reply(model: BaseModel, *, status: int = 200) -> Reply:
    """A JSON answer; names as on the wire, and what is not there left out."""
    return Reply(status, model.model_dump_json(by_alias=True, exclude_none=True).encode())


def error_reply(status: int, message: str) -> Reply:
    """An error as the contract has it."""
    return json_reply(Error(message=message), status=status)


def wrong_method(*allowed: str) -> Reply:
    """This path has other methods."""
    reply = error_reply(405, "This path does not have that method.")
    return Reply(reply.status, reply.body, headers={"Allow": ", ".join(allowed)})
