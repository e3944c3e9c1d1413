"""What people made before the Guard came is used as it is, and nothing is made beside it."""

from shared.domain.ids import ClusterId
from shared.plan import roles
from tests.virtual.azure import AKS, ROOT
from tests.virtual.world import QUICK, VirtualWorld

OTHER_SOURCE = f"{ROOT}/resourceGroups/apps/providers/Microsoft.MachineLearningServices/workspaces"


async def extension_by_hand(world: VirtualWorld, cluster: ClusterId) -> str:
    """With its own storage account and container, and the role it needs; answers the account's id."""
    operator = world.operator
    account = await operator.make_account(await operator.make_group("by-hand"), "teambackups")
    await operator.make_container(account, "team-container")
    extension = await operator.install_extension(cluster, account, "team-container")
    principal = extension["properties"]["aksAssignedIdentity"]["principalId"]
    await operator.assign(principal, roles.STORAGE_BLOB_DATA_CONTRIBUTOR, account)
    return account


async def vault_by_hand(world: VirtualWorld, cluster: ClusterId) -> tuple[str, str, str]:
    """Vault, policy and snapshot group of a person's own, with every role and the binding; answers their ids."""
    operator = world.operator
    group, snapshots = await operator.make_group("team-vault"), await operator.make_group("team-snapshots")
    vault = await operator.make_vault(group, "team-vault")
    principal = vault["identity"]["principalId"]
    body = await operator.get(cluster.arm_id, AKS)
    await operator.assign(principal, roles.READER, cluster.arm_id)
    await operator.assign(principal, roles.READER, snapshots)
    await operator.assign(body["identity"]["principalId"], roles.CONTRIBUTOR, snapshots)
    await operator.bind(cluster, vault["id"])
    return vault["id"], await operator.make_policy(vault["id"]), snapshots


async def protected_by_hand(world: VirtualWorld) -> ClusterId:
    cluster = world.create_cluster(settled=True, name="shop")
    await extension_by_hand(world, cluster)
    _, policy, snapshots = await vault_by_hand(world, cluster)
    instance = await world.operator.protect_by_hand(cluster, policy, snapshots)
    assert instance["properties"]["currentProtectionState"] == "ProtectionConfigured"
    return cluster


async def test_an_instance_made_by_hand_in_another_vault_is_adopted() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected_by_hand(world)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1800)

    found = await world.operator.instances(cluster)
    assert [one["name"] for one in found] == ["by-hand"]
    assert world.condition(cluster, "ProtectionConfigured").reason == "Adopted"
    assert len(await world.operator.extensions(cluster)) == len(await world.operator.bindings(cluster)) == 1
    assert len(await world.operator.recovery_points(cluster)) == 1, "it had none: the first backup is taken"


async def test_of_an_adopted_instance_nothing_is_changed() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected_by_hand(world)
    world.cloud.data_protection.run_schedule(cluster.arm_id)
    await world.clock.advance(60)
    before = (await world.operator.instances(cluster), await world.operator.extensions(cluster))
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1800)

    assert (await world.operator.instances(cluster), await world.operator.extensions(cluster)) == before
    changes = world.operator.changes_by_the_app()
    assert not [c for c in changes if "/backupInstances/" in c or "/extensions/" in c or "/backup" in c.lower()[-7:]]
    assert not await world.operator.jobs_of(cluster), "it has a recovery point already"


async def test_an_extension_with_another_storage_account_is_used_as_it_is() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    account = await extension_by_hand(world, cluster)
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1800)

    extension = (await world.operator.extensions(cluster))[0]
    settings = extension["properties"]["configurationSettings"]
    assert settings["configuration.backupStorageLocation.bucket"] == "team-container"
    assert settings["configuration.backupStorageLocation.config.storageAccount"] == account.rsplit("/", 1)[-1]
    assert [c["name"] for c in await world.operator.containers()] == ["team-container"]


async def test_an_extension_of_another_account_without_its_role_is_given_the_role() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    operator = world.operator
    account = await operator.make_account(await operator.make_group("by-hand"), "teambackups")
    await operator.make_container(account, "team-container")
    await operator.install_extension(cluster, account, "team-container")
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=1800)
    assert (roles.STORAGE_BLOB_DATA_CONTRIBUTOR, account.lower()) in await operator.roles()


async def test_a_failed_extension_by_hand_keeps_its_account_and_container_when_it_is_installed_again() -> None:
    """It bears the name that Microsoft's own command gives it, which is also the Guard's."""
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, extension_failure="DNS", extension_failure_times=1)
    operator = world.operator
    account = await operator.make_account(await operator.make_group("by-hand"), "teambackups")
    await operator.make_container(account, "team-container")
    await operator.install_extension(cluster, account, "team-container")
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=3600)

    settings = (await operator.extensions(cluster))[0]["properties"]["configurationSettings"]
    assert settings["configuration.backupStorageLocation.bucket"] == "team-container"


async def test_a_failed_extension_under_another_name_is_a_persons_to_mend() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True, extension_failure="DNS", extension_failure_times=1)
    operator = world.operator
    account = await operator.make_account(await operator.make_group("by-hand"), "teambackups")
    await operator.make_container(account, "team-container")
    await operator.install_extension(cluster, account, "team-container", name="our-backup")
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "ExtensionReady", "ExtensionFailed")
    await world.run(seconds=3600)
    assert said.recommended_action
    assert not [c for c in operator.changes_by_the_app() if "/extensions/" in c]

    await operator.install_extension(cluster, account, "team-container", name="our-backup")
    assert await world.run_until_ready(cluster, seconds=1800), "nobody told: the next look finds it mended"
    assert [e["name"] for e in await operator.extensions(cluster)] == ["our-backup"]


async def test_a_binding_under_another_name_is_enough() -> None:
    world = VirtualWorld(timings=QUICK)
    first = world.create_cluster(settled=True)
    await world.notice(first)
    assert await world.run_until_ready(first, seconds=900)
    vault = (await world.operator.vaults())[0]["id"]
    second = world.create_cluster(settled=True)
    await world.operator.bind(second, vault, name="somebodys")
    await world.notice(second)

    assert await world.run_until_ready(second, seconds=900)
    assert [binding["name"] for binding in await world.operator.bindings(second)] == ["somebodys"]


async def test_a_role_assigned_under_another_name_or_inherited_is_enough() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    identity = (await world.operator.get(cluster.arm_id, AKS))["identity"]["principalId"]
    group = await world.operator.make_group("AKSAzureBackupSnapshots_westeurope")
    await world.operator.assign(identity, roles.CONTRIBUTOR, ROOT)  # inherited by the snapshot group
    await world.notice(cluster)

    assert await world.run_until_ready(cluster, seconds=900)
    assert (roles.CONTRIBUTOR, group.lower()) not in await world.operator.roles()


async def test_a_cluster_with_eight_bindings_says_so_and_goes_on_when_one_is_removed() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = world.create_cluster(settled=True)
    for number in range(8):
        body = {
            "properties": {
                "sourceResourceId": f"{OTHER_SOURCE}/ml{number}",
                "roles": ["Microsoft.MachineLearningServices/workspaces/mlworkload"],
            }
        }
        path = f"{cluster}/trustedAccessRoleBindings/ml{number}"
        await world.operator.do("PUT", path, AKS, body, wait=60)
    await world.notice(cluster)

    said = await world.run_until_says(cluster, "TrustedAccessGranted", "TrustedAccessLimitReached")
    assert "rolebinding list" in said.recommended_action
    assert len(await world.operator.bindings(cluster)) == 8

    await world.operator.do("DELETE", f"{cluster}/trustedAccessRoleBindings/ml0", AKS)
    assert await world.run_until_ready(cluster, seconds=3600)


async def test_an_instance_whose_protection_a_person_stopped_is_left_alone() -> None:
    world = VirtualWorld(timings=QUICK)
    cluster = await protected_by_hand(world)
    instance = (await world.operator.instances(cluster))[0]["id"]
    await world.operator.do("POST", f"{instance}/stopProtection", "2026-06-01", {})
    await world.notice(cluster)
    await world.run(seconds=3600)

    assert world.condition(cluster).status == "False"
    assert world.condition(cluster).recommended_action
    assert [one["name"] for one in await world.operator.instances(cluster)] == ["by-hand"]

    await world.operator.do("POST", f"{instance}/resumeProtection", "2026-06-01", {})
    assert await world.run_until_ready(cluster, seconds=1800), "nobody told: the next look finds it resumed"
