"""Names of what the Guard makes: the same every time, and such that Azure takes them."""

import re
from uuid import UUID

import pytest

from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import Grant
from shared.domain.profile import BackupSchedule, ProtectionProfile, Retention, VaultSettings
from shared.plan import names

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
REGION = RegionId(SUBSCRIPTION, "westeurope", "default")
LONG = RegionId(SUBSCRIPTION, "australiasoutheast", "a-very-long-vault-class-that-nobody-would-choose")
CLUSTERS = [
    ClusterId(SUBSCRIPTION, "apps", "shop"),
    ClusterId(SUBSCRIPTION, "r" * 90, "c" * 63),
    ClusterId(SUBSCRIPTION, "__.(x).__", "a_b--c"),
    ClusterId(SUBSCRIPTION, "rg", "-"),
]


def last(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]


def test_names_of_the_region_are_those_of_microsofts_own_command() -> None:
    group = names.backup_group_id(REGION)
    assert group == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/AKSAzureBackup_westeurope"
    assert last(names.vault_id(REGION, group)) == "AKSAzureBackup-westeurope"
    assert last(names.snapshot_group_id(REGION)) == "AKSAzureBackupSnapshots_westeurope"


@pytest.mark.parametrize("region", [REGION, LONG])
def test_names_of_the_region_fit_azures_limits(region: RegionId) -> None:
    group = names.backup_group_id(region)
    assert len(last(group)) <= 90
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,48}[A-Za-z0-9]", last(names.vault_id(region, group)))
    assert re.fullmatch(r"[a-z0-9]{3,24}", last(names.account_id(region, group)))


def test_vault_classes_share_nothing() -> None:
    other = RegionId(SUBSCRIPTION, "westeurope", "strict")
    assert names.backup_group_id(REGION) != names.backup_group_id(other)
    assert names.snapshot_group_id(REGION) != names.snapshot_group_id(other)
    assert names.vault_id(REGION, "g") != names.vault_id(other, "g")
    assert names.account_id(REGION, "g") != names.account_id(other, "g")


def test_account_names_of_two_subscriptions_differ_because_they_are_unique_in_the_cloud() -> None:
    other = RegionId("00000000-0000-0000-0000-000000000002", "westeurope", "default")
    assert last(names.account_id(REGION, "g")) != last(names.account_id(other, "g"))


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_names_of_a_cluster_fit_azures_limits(cluster: ClusterId) -> None:
    container = last(names.container_id(cluster, "uid", "/account"))
    assert re.fullmatch(r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]", container)
    assert re.fullmatch(r"[a-z0-9]{3,24}", last(names.cluster_account_id(cluster, "/group")))
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,24}", last(names.binding_id(cluster.arm_id, "/vault")))
    assert len(last(names.instance_id("/vault", cluster))) <= 60


def test_clusters_of_one_name_in_two_groups_are_told_apart() -> None:
    one, two = ClusterId(SUBSCRIPTION, "one", "shop"), ClusterId(SUBSCRIPTION, "two", "shop")
    assert names.instance_id("v", one) != names.instance_id("v", two)
    assert names.container_id(one, "uid", "a") != names.container_id(two, "uid", "a")
    assert names.cluster_account_id(one, "g") != names.cluster_account_id(two, "g")


def test_a_cluster_made_again_keeps_its_instance_and_gets_a_new_container() -> None:
    cluster = CLUSTERS[0]
    assert names.container_id(cluster, "first", "a") != names.container_id(cluster, "second", "a")
    assert names.instance_id("v", cluster) == names.instance_id("v", ClusterId(SUBSCRIPTION, "apps", "shop"))


def profile(**changes: object) -> ProtectionProfile:
    return ProtectionProfile("p", VaultSettings("AlwaysOn"), **changes)  # type: ignore[arg-type]


def test_the_name_of_a_policy_follows_its_content_and_nothing_else() -> None:
    plain = names.policy_id("v", profile())
    assert plain == names.policy_id("v", profile(mode="enforce", first_backup=False))
    others = [
        profile(schedule=BackupSchedule("PT4H")),
        profile(schedule=BackupSchedule("P1D", "03:00")),
        profile(retention=Retention(8)),
        profile(retention=Retention(7, 30)),
    ]
    assert len({plain, *(names.policy_id("v", other) for other in others)}) == 5
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{2,149}", last(plain))


def test_the_name_of_an_assignment_is_a_version_5_uuid_of_scope_principal_and_role() -> None:
    grant = Grant("principal", "role", "/scope")
    name = UUID(names.assignment_name(grant))
    assert (name.version, name.variant) == (5, "specified in RFC 4122")
    assert str(name) == names.assignment_name(Grant("PRINCIPAL", "Role", "/SCOPE"))
    others = [Grant("other", "role", "/scope"), Grant("principal", "other", "/scope"), Grant("principal", "role", "/o")]
    assert len({str(name), *(names.assignment_name(other) for other in others)}) == 4
