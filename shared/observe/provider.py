"""Registration of a resource provider in a subscription (resource provider registration page)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.observe.fields import JsonObject, needed_text


async def read_provider(arm: ArmClient, subscription_id: str, namespace: str) -> str | None:
    body = await arm.get(f"/subscriptions/{subscription_id}/providers/{namespace}", api_versions.RESOURCES)
    return None if body is None else parse_provider(body)


def parse_provider(body: JsonObject) -> str:
    """NotRegistered, Registering, Registered or Unregistering. Raises UnreadableBodyError."""
    return needed_text(body, "registrationState")
