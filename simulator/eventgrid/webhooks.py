"""The way out: HTTP requests to receivers. Tests in virtual time put their own functions in its place."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

Answer = tuple[int, Mapping[str, str], bytes]
Deliver = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]
Preflight = Callable[[str, Mapping[str, str]], Awaitable[Answer]]

RESPONSE_TIMEOUT = 30  # seconds, documented; of the wall clock, because the receiver is a real program

Unanswered = (aiohttp.ClientError, OSError)


class Webhooks:
    """An aiohttp client made on first use. Raises TimeoutError or one of `Unanswered` when no answer comes."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST an event."""
        return await self._send("POST", url, headers, body)

    async def preflight(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The OPTIONS request of the CloudEvents handshake."""
        return await self._send("OPTIONS", url, headers, None)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=RESPONSE_TIMEOUT))
        async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)
