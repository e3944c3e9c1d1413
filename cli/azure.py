"""Azure as the person at the terminal may see it: with their own sign-in, and read-only by construction."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli.configuration import settings
from cli.quota import MemoryQuota
from shared.arm.answer import ArmAnswer, JsonObject
from shared.arm.client import ArmClient
from shared.arm.throttle import ThrottleSettings
from shared.domain.errors import TransientError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from shared.settings import Settings

_READS_BY_POST = re.compile(
    "/providers/microsoft.resourcegraph/resources"
    "|/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft.web/sites/[^/]+/config/appsettings/list"
)
"""Questions to Resource Graph; and app settings, secret as they may be (Web Apps - List Application Settings)."""
_PATIENCE = 300.0
"""Seconds on the wall that one call waits in all for Azure's quota."""


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ReadingArm(ArmClient):
    """Sends GET, and POST to what reads by it, and refuses everything else before it leaves. A person waits where the
    app comes back later: what Azure's quota holds back is asked again when it says. `calls` counts what was sent."""

    def __init__(self, *arguments: Any, scale: float = 1.0, **options: Any) -> None:
        super().__init__(*arguments, scale=scale, **options)
        self._seconds = scale
        self.calls = 0

    async def _send(self, method: str, url: str, body: JsonObject | None, *, once: bool = False) -> ArmAnswer:
        asks = method == "POST" and _READS_BY_POST.fullmatch(urlsplit(url).path.lower()) is not None
        if method != "GET" and not asks:
            raise AssertionError(f"the terminal changes nothing in Azure, and was about to send {method} {url}")
        waited = 0.0
        while True:
            self.calls += 1
            try:
                return await super()._send(method, url, body, once=once)
            except TransientError as error:
                pause = (error.retry_after or 0.0) / self._seconds
                if not pause or waited + pause > _PATIENCE:
                    raise
                waited += pause
                await asyncio.sleep(pause)


@asynccontextmanager
async def signed_in() -> AsyncIterator[ReadingArm]:
    """ARM by the settings of the environment, with whoever is signed in."""
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what is wrong with the sign-in is said once, by us
    known = settings()
    credential = credential_of(known)
    arm = ReadingArm(
        known.azure.arm,
        credential,
        (known.azure.arm_scope,),
        quota=MemoryQuota(),
        clock=WallClock(),
        instance="terminal",
        scale=known.loop.time_scale,
        throttle=ThrottleSettings(max_in_flight=known.quota.max_calls_in_flight, reserve=known.quota.reserve),
    )
    try:
        yield arm
    finally:
        await arm.close()
        await credential.close()


def credential_of(known: "Settings") -> "AsyncTokenCredential":
    """A managed identity where Azure gives one (a pipeline's machine, Cloud Shell), else whoever is signed in here."""
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    client_id = known.identity.client_id
    if "IDENTITY_ENDPOINT" in os.environ:
        return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
    return DefaultAzureCredential(authority=known.azure.authority, managed_identity_client_id=client_id)
