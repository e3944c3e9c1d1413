"""Microsoft.Resources/resourceGroups."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import ResourceGroup
from shared.observe.fields import JsonObject, needed_text


async def read_resource_group(arm: ArmClient, arm_id: str) -> ResourceGroup | None:
    body = await arm.get(arm_id, api_versions.RESOURCES)
    return None if body is None else parse_resource_group(body)


def parse_resource_group(body: JsonObject) -> ResourceGroup:
    """Raises UnreadableBodyError."""
    return ResourceGroup(needed_text(body, "id"), needed_text(body, "name"), needed_text(body, "location").lower())
