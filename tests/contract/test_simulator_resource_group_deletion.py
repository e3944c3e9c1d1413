"""A resource group that holds a vault with backups cannot be deleted; when the vault is empty it can."""

import json
from typing import Any

import pytest

from tests.contract.data_protection_world import BACKUP_GROUP, INSTANCE, SUBSCRIPTION, VAULT, World

GROUPS = "2022-09-01"


@pytest.fixture
async def world() -> World:
    world = World()
    await world.ready()
    return world


async def delete(world: World) -> tuple[int, dict[str, Any]]:
    """Delete the backup group, wait, and answer what polling ends with."""
    accepted = await world.call("DELETE", BACKUP_GROUP, version=GROUPS)
    assert accepted.status == 202, accepted.body
    await world.clock.advance(world.cloud.timings.resource_group_delete)
    ended = await world.call("GET", accepted.headers["Location"])
    return ended.status, (ended.body or {}).get("error", {})


async def test_a_vault_with_an_instance_blocks_the_deletion_and_everything_stays(world: World) -> None:
    await world.protect()
    status, error = await delete(world)
    assert (status, error["code"]) == (409, "ResourceGroupDeletionBlocked")
    assert "Microsoft.DataProtection/backupVaults/vault" in error["message"]
    (detail,) = error["details"]
    assert detail["target"] == VAULT
    assert json.loads(detail["message"])["error"]["code"] == "UserErrorBackupVaultNotEmpty"
    group = await world.call("GET", BACKUP_GROUP, version=GROUPS)
    assert group.body["properties"]["provisioningState"] == "Succeeded"
    assert await world.state() == "ProtectionConfigured"
    assert (await world.call("PATCH", BACKUP_GROUP, {"tags": {"a": "1"}}, GROUPS)).status == 200


async def test_soft_deleted_instances_block_until_they_are_purged(world: World) -> None:
    await world.protect()
    await world.call("DELETE", INSTANCE)
    await world.clock.advance(world.cloud.timings.instance_delete)
    assert (await delete(world))[1]["code"] == "ResourceGroupDeletionBlocked"
    await world.clock.advance(15 * 86_400)
    assert (await delete(world))[0] == 200
    assert world.cloud.data_protection.vault(VAULT) is None


async def test_a_group_with_an_empty_vault_goes_with_it(world: World) -> None:
    assert (await delete(world))[0] == 200
    assert world.cloud.data_protection.vault(VAULT) is None
    assert world.cloud.resources.group(SUBSCRIPTION, "backup") is None
