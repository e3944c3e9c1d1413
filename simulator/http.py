"""What goes in and what comes out: the simulator is one async function from `Request` to `Response`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `base_url` is what the caller dialled (links in answers start with it); header names are
    lower-case; `path` is percent-decoded; `query` holds the first value of each parameter, names lower-case."""

    method: str
    path: str
    base_url: str = "http://127.0.0.1"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON, or None when there is no body. Raises ValueError when it is not JSON."""
        return json.loads(self.body) if self.body.strip() else None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `body` is a JSON value, bytes as they are, or None for no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ConnectionLost(Exception):  # noqa: N818 - what happens to the caller, not an error of ours
    """The caller gets no answer: the connection is reset (a fault that was asked for)."""
