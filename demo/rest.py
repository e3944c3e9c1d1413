"""One JSON call over HTTP to a program on this machine."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the parsed JSON, None when there was none; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str


def call(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None, *, timeout: float = 35
) -> Answer:
    """Send one request; bytes go as they are, anything else as JSON. Raises OSError when nobody answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, content, sent)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        received = {name.lower(): value for name, value in response.getheaders()}
    except http.client.HTTPException as error:
        raise ConnectionError(f"{method} {url}: {error!r}") from error
    finally:
        connection.close()
    return Answer(response.status, received, _json(text), text)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
