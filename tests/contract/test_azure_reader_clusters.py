"""What the reader makes of clusters and of what lies under them, as the simulated Azure answers."""

from typing import Any

import pytest

from shared.domain.facts import Absent, Present, value_of
from shared.domain.ids import ClusterId
from shared.domain.observed import Grant, ObservedCluster, ObservedRegion, grant_key
from shared.domain.reads import ClusterReads, RegionReads
from shared.domain.steps import CreateBackupInstance
from shared.observe.managed_cluster import is_arm64, parse_cluster
from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.azure_under_test import (
    ACCOUNT,
    BACKUP_GROUP,
    CONTAINER,
    CONTRIBUTOR,
    POLICY,
    READER,
    REGION,
    SNAPSHOT_GROUP,
    SUBSCRIPTION,
    VAULT,
    AzureUnderTest,
)


async def test_a_healthy_cluster() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster(name="Shop", tags={"team": "checkout"})
    reading = await azure.look(cluster, cluster=True)
    found = value_of(reading.observed.cluster)
    assert found is not None
    assert (found.name, found.location, found.tags["team"]) == ("Shop", "westeurope", "checkout")
    assert (found.power_state, found.provisioning_state) == ("Running", "Succeeded")
    there = azure.cloud.container_service.cluster(cluster.arm_id)
    assert there is not None
    assert found.resource_uid == there.resource_uid
    assert found.identity_principal_id == there.principal_id
    assert found.disk_csi_driver
    assert found.snapshot_controller
    assert found.has_x86_linux_pool
    assert [found.service_principal, found.network_isolated, found.pod_identity] == [False, False, False]
    assert reading.errors == ()


@pytest.mark.parametrize(
    ("override", "field", "value"),
    [
        ({"identity": "ServicePrincipal"}, "service_principal", True),
        ({"identity": "UserAssigned"}, "service_principal", False),
        ({"power": "Stopped"}, "power_state", "Stopped"),
        ({"provisioning_state": "Failed"}, "provisioning_state", "Failed"),
        ({"disk_csi": False}, "disk_csi_driver", False),
        ({"disk_csi": None}, "disk_csi_driver", True),
        ({"snapshot_controller": False}, "snapshot_controller", False),
        ({"windows_only": True}, "has_x86_linux_pool", False),
        ({"arm64_only": True}, "has_x86_linux_pool", False),
        ({"outbound_type": "none"}, "network_isolated", True),
        ({"pod_identity": True}, "pod_identity", True),
    ],
)
async def test_what_a_cluster_lacks(override: dict[str, Any], field: str, value: Any) -> None:
    azure = AzureUnderTest()
    found = value_of((await azure.look(await azure.cluster(**override), cluster=True)).observed.cluster)
    assert getattr(found, field) == value


async def test_the_first_user_assigned_identity_is_the_clusters() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster(identity="UserAssigned")
    found = value_of((await azure.look(cluster, cluster=True)).observed.cluster)
    there = azure.cloud.container_service.cluster(cluster.arm_id)
    assert found is not None
    assert there is not None
    assert found.identity_principal_id == there.principal_id is not None


async def test_a_cluster_that_is_not_there_is_absent_and_so_is_what_lies_under_it() -> None:
    azure = AzureUnderTest()
    await azure.region()
    gone = ClusterId.parse(
        f"{SUBSCRIPTION}/resourceGroups/nowhere/providers/Microsoft.ContainerService/managedClusters/gone"
    )
    reading = await azure.look(gone, cluster=True, extension=True, bindings=True, instances=True)
    assert reading.observed.cluster == Absent(azure.clock.now())
    assert reading.errors == ()
    for fact in (reading.observed.extension, reading.observed.bindings, reading.observed.instances):
        assert not value_of(fact)


async def test_a_cluster_with_nothing_yet() -> None:
    azure = AzureUnderTest()
    await azure.region()
    reading = await azure.look(await azure.cluster(), extension=True, bindings=True, instances=True)
    assert isinstance(reading.observed.extension, Absent)
    assert value_of(reading.observed.bindings) == ()
    assert value_of(reading.observed.instances) == ()
    assert reading.errors == ()


async def test_everything_of_a_protected_cluster() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    reading = await azure.look(
        cluster,
        extension=True,
        bindings=True,
        instances=True,
        account_id=ACCOUNT,
        container_id=CONTAINER,
        vault_id=VAULT,
        policy_id=POLICY,
    )
    assert reading.errors == ()
    observed = reading.observed
    extension, vault, policy = value_of(observed.extension), value_of(observed.vault), value_of(observed.policy)
    assert extension is not None
    assert (extension.provisioning_state, extension.error) == ("Succeeded", "")
    assert (extension.container, extension.storage_account) == ("shop", "aksbkpwesteurope1")
    assert (extension.storage_resource_group, extension.uses_aad) == ("AKSAzureBackup_westeurope", True)
    assert extension.storage_subscription_id == FIRST_SUBSCRIPTION
    assert extension.principal_id is not None
    (binding,) = value_of(observed.bindings) or ()
    assert binding.source_id.lower() == VAULT.lower()
    (instance,) = value_of(observed.instances) or ()
    assert instance.arm_id.lower() == body.arm_id.lower()
    assert instance.vault_id.lower() == VAULT.lower()
    assert instance.policy_id.lower() == POLICY.lower()
    assert instance.snapshot_group_id.lower() == SNAPSHOT_GROUP.lower()
    assert (instance.protection_state, instance.error) == ("ProtectionConfigured", None)
    account = value_of(observed.account)
    assert account is not None
    assert account.blob_endpoint == "https://aksbkpwesteurope1.blob.core.windows.net/"
    assert isinstance(observed.container, Present)
    assert vault is not None
    assert (vault.soft_delete, vault.provisioning_state) == ("AlwaysOn", "Succeeded")
    assert policy is not None
    assert (policy.backup_rule_name, policy.vault_tier) == ("BackupDaily", False)


async def test_only_what_was_asked_for_is_read_and_the_rest_stays_known() -> None:
    azure = AzureUnderTest()
    cluster = await azure.cluster()
    known = ObservedCluster(account=Absent(azure.clock.now()))
    reading = await azure.reader.read_cluster(cluster, ClusterReads(cluster=True), known)
    assert reading.observed.account is known.account
    asked = [call.path for call in azure.cloud.front_door.calls.all()]
    assert [path.lower() for path in asked] == [cluster.arm_id]


async def test_a_failed_extension_says_why() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster(extension_failure="HelmPostInstallTimeout")
    await azure.ready_to_protect(cluster)
    extension = value_of((await azure.look(cluster, extension=True)).observed.extension)
    assert extension is not None
    assert extension.provisioning_state == "Failed"
    assert "Helm installation failed" in extension.error


async def test_a_protection_error_has_its_meaning() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster, without=lambda step: step.key.startswith("GrantRole"))
    await azure.done(CreateBackupInstance(azure.body_of(cluster)), wait=600)
    (instance,) = value_of((await azure.look(cluster, instances=True)).observed.instances) or ()
    assert instance.protection_state == "ProtectionError"
    assert instance.error is not None
    assert instance.error.kind == "not_ready_yet"
    assert instance.error.message


async def test_roles_count_where_they_are_given_and_below_but_not_above() -> None:
    azure = AzureUnderTest()
    await azure.region()
    principal = azure.cloud.identity.new_principal("somebody").object_id
    azure.cloud.authorization.grant(principal, READER, SUBSCRIPTION)
    azure.cloud.authorization.grant(principal, CONTRIBUTOR, BACKUP_GROUP)
    inherited = Grant(principal, READER, BACKUP_GROUP.lower())
    direct = Grant(principal, CONTRIBUTOR, BACKUP_GROUP.lower())
    below_only = Grant(principal, CONTRIBUTOR, SUBSCRIPTION.lower())
    azure.cloud.front_door.calls.clear()
    reading = await azure.look_at_region(grants=(inherited, direct, below_only))
    facts = reading.observed.grants
    assert isinstance(facts[grant_key(inherited)], Present)
    assert isinstance(facts[grant_key(direct)], Present)
    assert isinstance(facts[grant_key(below_only)], Absent)
    # one call for each principal and scope
    assert len(azure.cloud.front_door.calls.all()) == 2


async def test_a_region() -> None:
    azure = AzureUnderTest()
    fresh = await azure.look_at_region(providers=("Microsoft.DataProtection",))
    assert value_of(fresh.observed.providers["Microsoft.DataProtection"]) == "NotRegistered"
    await azure.region()
    reads = RegionReads(
        providers=("Microsoft.DataProtection",),
        backup_group_id=BACKUP_GROUP,
        snapshot_group_id=f"{SNAPSHOT_GROUP}-other",
        account_id=ACCOUNT,
        vault_id=VAULT,
        policy_ids=(POLICY, f"{VAULT}/backupPolicies/other"),
    )
    known = ObservedRegion(policies={"old": Absent(azure.clock.now())})
    reading = await azure.reader.read_region(REGION, reads, known)
    observed = reading.observed
    assert reading.errors == ()
    assert value_of(observed.providers["Microsoft.DataProtection"]) == "Registered"
    group = value_of(observed.backup_group)
    assert group is not None
    assert (group.name, group.location) == ("AKSAzureBackup_westeurope", "westeurope")
    assert isinstance(observed.snapshot_group, Absent)
    assert isinstance(observed.account, Present)
    assert isinstance(observed.vault, Present)
    assert isinstance(observed.policies["AKSBackupPolicy-abc"], Present)
    assert isinstance(observed.policies["other"], Absent)
    assert isinstance(observed.policies["old"], Absent)


async def test_all_clusters_of_a_subscription_over_several_pages() -> None:
    azure = AzureUnderTest()
    made = {await azure.cluster(name=f"aks-{number}", settled=True) for number in range(120)}
    azure.cloud.front_door.calls.clear()
    listed = [cluster async for cluster in azure.reader.list_clusters(FIRST_SUBSCRIPTION)]
    assert len(listed) == len(set(listed)) == 120
    assert set(listed) == made
    assert len(azure.cloud.front_door.calls.all()) > 1


@pytest.mark.parametrize(
    ("size", "arm64"),
    [
        ("Standard_D4ps_v5", True),
        ("Standard_E8pds_v5", True),
        ("Standard_D2pls_v5", True),
        ("standard_b2pts_v2", True),
        ("Standard_D4s_v5", False),
        ("Standard_NP10s", False),
        ("Standard_DS2_v2", False),
        ("Standard_E4-2ads_v5", False),
        ("Standard_NC24ads_A100_v4", False),
        ("something else", False),
    ],
)
def test_arm64_is_told_by_the_letter_after_the_number(size: str, arm64: bool) -> None:
    assert is_arm64(size) is arm64


def test_a_pool_of_virtual_machines_names_its_sizes_elsewhere() -> None:
    def has_x86(*sizes: str) -> bool:
        manual = [{"size": size, "count": 1} for size in sizes]
        pool = {"type": "VirtualMachines", "virtualMachinesProfile": {"scale": {"manual": manual}}}
        body = {
            "id": "i",
            "name": "n",
            "location": "West Europe",
            "properties": {"provisioningState": "Succeeded", "agentPoolProfiles": [pool]},
        }
        return parse_cluster(body).has_x86_linux_pool

    assert has_x86("Standard_D4ps_v5", "Standard_D4s_v5")
    assert not has_x86("Standard_D4ps_v5")
