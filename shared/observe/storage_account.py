"""Microsoft.Storage/storageAccounts and their blob containers, through ARM only."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import BlobContainer, StorageAccount
from shared.observe.fields import JsonObject, needed_text, text


async def read_account(arm: ArmClient, arm_id: str) -> StorageAccount | None:
    body = await arm.get(arm_id, api_versions.STORAGE)
    return None if body is None else parse_account(body)


async def read_container(arm: ArmClient, arm_id: str) -> BlobContainer | None:
    body = await arm.get(arm_id, api_versions.STORAGE)
    return None if body is None else parse_container(body)


def parse_account(body: JsonObject) -> StorageAccount:
    """`blob_endpoint` is empty while the account is being made. Raises UnreadableBodyError."""
    return StorageAccount(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        location=needed_text(body, "location").lower(),
        provisioning_state=needed_text(body, "properties", "provisioningState"),
        blob_endpoint=text(body, "properties", "primaryEndpoints", "blob"),
    )


def parse_container(body: JsonObject) -> BlobContainer:
    """Raises UnreadableBodyError."""
    return BlobContainer(needed_text(body, "id"), needed_text(body, "name"))
