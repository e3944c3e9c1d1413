"""What the deployed app says of itself at /api/health, which anybody may ask."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT = 30.0
"""Seconds: an app that slept has to start first."""
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class AppHealth:
    """`event_id` and `handled_at` are of the synthetic event that was handled last; empty and None before the first."""

    healthy: bool
    version: str = ""
    event_id: str = ""
    handled_at: datetime | None = None


class HealthUnreadError(Exception):
    """The app did not answer, or not as it does. The text says which."""


async def read_health(app_url: str) -> AppHealth:
    """`app_url` is the app's address, `https://NAME.azurewebsites.net`. Raises HealthUnreadError, and ValueError for
    what is no address."""
    import aiohttp

    url = checked_url(app_url) + "/api/health"
    local = urlsplit(url).hostname in LOOPBACK
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=not local) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            content = b""
            while len(content) < _LONGEST and (more := await answer.content.read(_LONGEST - len(content))):
                content += more  # a read ends with a piece of the network's, not with the answer
            return _health(url, answer.status, content)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise HealthUnreadError(f"{url} did not answer: {str(error) or type(error).__name__}") from error


def checked_url(url: str) -> str:
    """Without a slash at the end. Raises ValueError unless it is https, or http on this machine."""
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError(f"{url[:200]!r} is no address: one looks like https://NAME.azurewebsites.net")
    return url.rstrip("/")


def _health(url: str, status: int, content: bytes) -> AppHealth:
    try:
        told = json.loads(content)
        event = told.get("synthetic_event") or {}
        moment = event.get("handled_at")
        handled_at = datetime.fromisoformat(moment).astimezone(UTC) if moment else None
        return AppHealth(
            told["status"] == "healthy", str(told.get("version", "")), str(event.get("id", "")), handled_at
        )
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        hint = {
            401: "App Service authentication does not exclude this path",
            302: "App Service authentication does not exclude this path",
            403: "the app's network rules do not admit this machine",
            404: "there is no such function: is the code deployed?",
        }.get(status, "it is not the app's own answer")
        raise HealthUnreadError(f"{url} answered {status}: {hint}") from error
