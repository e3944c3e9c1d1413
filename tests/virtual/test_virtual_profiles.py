"""What a profile asks for is what Azure has in the end."""

from collections.abc import Mapping
from typing import Any

from shared.domain.profile import BackupScope, ExistingResources, Retention, VaultSettings
from shared.plan import roles
from shared.plan.selection import PROFILE_TAG
from tests.contract.data_protection_world import policy as policy_body
from tests.virtual.azure import BACKUP, ROOT, STORAGE
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing


def world_of(**changes: Any) -> VirtualWorld:
    return VirtualWorld(configuration_of(enforcing(**changes)), timings=QUICK)


def rules(policy: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [rule for rule in policy["properties"]["policyRules"] if rule["objectType"] == kind]


async def test_the_vault_tier_has_its_policy_and_its_roles() -> None:
    world = world_of(retention=Retention(7, 90))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)

    policy = (await world.operator.policies())[0]
    daily = next(rule for rule in rules(policy, "AzureRetentionRule") if rule["name"] == "Daily")
    stores = {one["sourceDataStore"]["dataStoreType"]: one["deleteAfter"]["duration"] for one in daily["lifecycles"]}
    assert stores == {"OperationalStore": "P7D", "VaultStore": "P90D"}
    given = {role for role, _ in await world.operator.roles()}
    assert {roles.DATA_OPERATOR_FOR_MANAGED_DISKS, roles.STORAGE_BLOB_DATA_READER} <= given


async def test_without_the_vault_tier_its_roles_are_not_given() -> None:
    world = world_of()
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    given = {role for role, _ in await world.operator.roles()}
    assert not given & {roles.DATA_OPERATOR_FOR_MANAGED_DISKS, roles.STORAGE_BLOB_DATA_READER}


async def test_an_account_per_cluster_keeps_clusters_out_of_each_others_backups() -> None:
    world = world_of(isolation="account-per-cluster")
    clusters = [world.create_cluster(settled=True) for _ in range(2)]
    await world.notice(*clusters)
    assert await world.run_until_ready(*clusters, seconds=1800, together=True)

    accounts = await world.operator.accounts()
    assert len(accounts) == 2
    assert len(await world.operator.vaults()) == 1
    blobs = [scope for role, scope in await world.operator.roles() if role == roles.STORAGE_BLOB_DATA_CONTRIBUTOR]
    assert sorted(blobs) == sorted(account["id"].lower() for account in accounts), "each its own, none twice"


async def test_a_vault_with_soft_delete_on_keeps_it_on() -> None:
    world = world_of(vault=VaultSettings("On"))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    vault = await world.operator.get((await world.operator.vaults())[0]["id"], "2025-07-01")
    assert vault["properties"]["securitySettings"]["softDeleteSettings"]["state"] == "On"


async def test_two_vault_classes_are_two_vaults() -> None:
    strict = enforcing(name="strict", vault=VaultSettings("AlwaysOn", "strict"), digest="strict")
    world = VirtualWorld(configuration_of(enforcing(), strict), timings=QUICK)
    clusters = [
        world.create_cluster(settled=True),
        world.create_cluster(settled=True, tags={PROFILE_TAG: "strict"}),
    ]
    await world.notice(*clusters)
    assert await world.run_until_ready(*clusters, seconds=1800, together=True)
    assert len(await world.operator.vaults()) == 2
    vaults = {(await world.operator.instances(c))[0]["id"].split("/")[8] for c in clusters}
    assert len(vaults) == 2


async def test_required_tags_go_on_everything_that_is_made() -> None:
    world = world_of(tags={"cost-centre": "42"})
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    made = [*await world.operator.vaults(), *await world.operator.accounts()]
    assert made
    for resource in made:
        assert resource["tags"]["cost-centre"] == "42"
        assert resource["tags"]["AKSAzureBackup"] == "westeurope", "Microsoft's own command finds it"


async def test_the_scope_of_the_profile_is_the_scope_of_the_instance() -> None:
    world = world_of(scope=BackupScope(included_namespaces=("shop",), label_selectors=("tier=gold",)))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1200)
    info = (await world.operator.instances(cluster))[0]["properties"]["policyInfo"]["policyParameters"]
    parameters = info["backupDatasourceParametersList"][0]
    assert parameters["includedNamespaces"] == ["shop"]
    assert parameters["labelSelectors"] == ["tier=gold"]


async def test_existing_resources_are_used_and_nothing_is_made_beside_them() -> None:
    plain = VirtualWorld(timings=QUICK)
    group = await plain.operator.make_group("ours")
    snapshots = f"{ROOT}/resourceGroups/our-snapshots"
    await plain.granted.snapshot_group(snapshots)
    vault = (await plain.operator.make_vault(group, "our-vault"))["id"]
    there = ExistingResources(
        backup_group_id=group,
        snapshot_group_id=snapshots,
        storage_account_id=await plain.operator.make_account(group, "ouraccount"),
        vault_id=vault,
        policy_id=await plain.operator.make_policy(vault, "our-policy"),
    )
    plain.restart(configuration_of(enforcing(existing=there)))
    cluster = plain.create_cluster(settled=True)
    await plain.notice(cluster)

    assert await plain.run_until_ready(cluster, seconds=1800)

    protection = await plain.operator.protection(cluster)
    assert (protection.vaults, protection.accounts, protection.policies) == (
        ("our-vault",),
        ("ouraccount",),
        ("our-policy",),
    )
    assert not [name for name in await plain.operator.groups() if name.startswith("AKSAzureBackup_")]


async def test_no_backup_group_is_made_when_nothing_would_lie_in_it() -> None:
    world = VirtualWorld(timings=QUICK)
    group = await world.operator.make_group("ours")
    there = ExistingResources(
        storage_account_id=await world.operator.make_account(group, "ouraccount"),
        vault_id=(await world.operator.make_vault(group, "our-vault"))["id"],
    )
    world.restart(configuration_of(enforcing(existing=there)))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1800)

    assert not [name for name in await world.operator.groups() if name.startswith("AKSAzureBackup_")]


async def test_an_existing_policy_that_copies_to_the_vault_brings_the_roles_for_it() -> None:
    world = VirtualWorld(timings=QUICK)
    vault = (await world.operator.make_vault(await world.operator.make_group("ours"), "our-vault"))["id"]
    policy = f"{vault}/backupPolicies/both-tiers"
    await world.operator.do("PUT", policy, BACKUP, policy_body(vault_tier=True), wait=1)
    world.restart(configuration_of(enforcing(existing=ExistingResources(vault_id=vault, policy_id=policy))))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    assert await world.run_until_ready(cluster, seconds=1800)

    given = {role for role, _ in await world.operator.roles()}
    assert {roles.DATA_OPERATOR_FOR_MANAGED_DISKS, roles.STORAGE_BLOB_DATA_READER} <= given


async def test_an_existing_resource_that_is_not_there_is_said_and_never_made() -> None:
    world = VirtualWorld(timings=QUICK)
    group = await world.operator.make_group("ours")
    missing = f"{group}/providers/Microsoft.Storage/storageAccounts/ouraccount"
    there = ExistingResources(backup_group_id=group, storage_account_id=missing)
    world.restart(configuration_of(enforcing(existing=there)))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "RegionReady", "ExistingResourceMissing")
    await world.run(seconds=3600)
    assert missing in said.message
    assert said.recommended_action
    assert await world.operator.get(missing, STORAGE) is None

    await world.operator.make_account(group, "ouraccount")
    assert await world.run_until_ready(cluster, seconds=1800)


async def test_a_vault_without_an_identity_is_said_and_used_once_it_has_one() -> None:
    world = VirtualWorld(timings=QUICK)
    group = await world.operator.make_group("ours")
    vault = (await world.operator.make_vault(group, "our-vault"))["id"]
    await world.operator.do("PATCH", vault, BACKUP, {"identity": {"type": "None"}}, wait=60)
    world.restart(configuration_of(enforcing(existing=ExistingResources(backup_group_id=group, vault_id=vault))))
    cluster = world.create_cluster(settled=True)
    await world.notice(cluster)
    said = await world.run_until_says(cluster, "RegionReady", "VaultWithoutIdentity")
    assert "identity" in said.recommended_action

    await world.operator.do("PATCH", vault, BACKUP, {"identity": {"type": "SystemAssigned"}}, wait=60)
    assert await world.run_until_ready(cluster, seconds=3600)
