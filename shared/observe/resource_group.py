"""Microsoft.Resources/resourceGroups."""

import asyncio
from datetime import datetime, timedelta

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import ResourceGroup
from shared.observe.fields import JsonObject, needed_text, string_map
from shared.ports import Clock

_GOOD_FOR = timedelta(minutes=10)


async def read_resource_group(arm: ArmClient, arm_id: str) -> ResourceGroup | None:
    body = await arm.get(arm_id, api_versions.RESOURCES)
    return None if body is None else parse_resource_group(body)


def parse_resource_group(body: JsonObject) -> ResourceGroup:
    """Raises UnreadableBodyError."""
    return ResourceGroup(needed_text(body, "id"), needed_text(body, "name"), needed_text(body, "location").lower())


class GroupTags:
    """Tags of resource groups. Clusters of one group have their alerts together, and one answer does for all of them
    for some minutes."""

    def __init__(self, arm: ArmClient, clock: Clock) -> None:
        self._arm, self._clock = arm, clock
        self._known: dict[str, tuple[datetime, dict[str, str] | None]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def of(self, group_id: str) -> dict[str, str] | None:
        """None when there is no such group. Raises GuardError and UnreadableBodyError."""
        key = group_id.lower()
        async with self._asking.setdefault(key, asyncio.Lock()):
            now, known = self._clock.now(), self._known.get(key)
            if known is not None and timedelta() <= now - known[0] < _GOOD_FOR:
                return known[1]
            body = await self._arm.get(group_id, api_versions.RESOURCES)
            tags = None if body is None else string_map(body, "tags")
            self._known[key] = now, tags
            return tags
