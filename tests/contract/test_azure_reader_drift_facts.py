"""What was made with a setting is read back with it: a difference is then somebody's change, and no misreading."""

import itertools
from dataclasses import replace
from typing import Any, get_args

import pytest

from shared.act.backup_policy import create_policy
from shared.domain.facts import Absent, Present, value_of
from shared.domain.profile import (
    BackupInterval,
    BackupSchedule,
    BackupScope,
    HookReference,
    Retention,
    VaultSettings,
)
from shared.domain.steps import (
    Accepted,
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateDiagnosticSetting,
    Done,
    Failed,
    ResumeBackups,
    ResumeProtection,
    UndeleteBackupInstance,
    UpdateVault,
)
from shared.observe.backup_instance import parse_instance
from shared.observe.backup_policy import parse_policy
from shared.observe.backup_vault import parse_vault
from shared.observe.diagnostic_setting import sends_backups
from tests.contract.azure_under_test import BACKUP_GROUP, POLICY, SUBSCRIPTION, VAULT, AzureUnderTest
from tests.contract.data_protection_world import policy as cli_policy

WORKSPACE = (
    f"{SUBSCRIPTION}/resourceGroups/AKSAzureBackup_westeurope/providers/Microsoft.OperationalInsights/workspaces/logs"
)
SCOPE = BackupScope(
    included_namespaces=("shop", "payments"),
    excluded_resource_types=("v1/Secret",),
    label_selectors=("app=web",),
    include_cluster_scoped_resources=False,
    snapshot_volumes=False,
    volume_types=("AzureDisk", "AzureFileShareSMB"),
    hooks=(HookReference("freeze", "shop"),),
)


@pytest.mark.parametrize("interval", get_args(BackupInterval))
@pytest.mark.parametrize(
    ("start", "retention"), list(itertools.product(("00:00", "23:45"), (Retention(1), Retention(30, 84))))
)
def test_a_policy_is_read_as_it_is_written(interval: BackupInterval, start: str, retention: Retention) -> None:
    body = create_policy(CreateBackupPolicy(POLICY, BackupSchedule(interval, start), retention, "On")).body
    policy = parse_policy({"id": POLICY, "name": "p", **(body or {})})
    assert (policy.interval, policy.start) == (interval, start)
    assert (policy.operational_days, policy.vault_days) == (retention.operational_days, retention.vault_days)
    assert policy.vault_tier == (retention.vault_days is not None)


def policy_with(rules: Any) -> Any:
    return {"id": POLICY, "name": "p", "properties": {"policyRules": rules}}


def test_the_vault_tier_as_the_command_lines_default_template_has_it() -> None:
    rules = cli_policy(vault_tier=True)["properties"]["policyRules"]
    policy = parse_policy(policy_with(rules))
    assert policy.vault_tier
    assert (policy.interval, policy.start, policy.operational_days) == ("PT4H", "00:00", 7)
    assert policy.vault_days


def vault_rule(name: str, duration: str) -> Any:
    kept = {"objectType": "AbsoluteDeleteOption", "duration": duration}
    lifecycle = {"deleteAfter": kept, "sourceDataStore": {"dataStoreType": "VaultStore"}}
    return {"objectType": "AzureRetentionRule", "name": name, "isDefault": False, "lifecycles": [lifecycle]}


def tag(name: str, criteria: str) -> Any:
    found = [{"objectType": "ScheduleBasedBackupCriteria", "absoluteCriteria": [criteria]}]
    return {"isDefault": False, "tagInfo": {"id": f"{name}_", "tagName": name}, "criteria": found}


@pytest.mark.parametrize(
    ("extra", "days"),
    [
        ([("Vault", "FirstOfDay", "P90D")], 90),  # as its enable-backup has it
        ([("Daily", "FirstOfDay", "P12W"), ("Monthly", "FirstOfMonth", "P1Y")], 84),
        ([("Weekly", "FirstOfWeek", "P1Y")], 0),  # not every day has a copy
        ([("Vault", "FirstOfDay", "for ever")], 0),
    ],
)
def test_how_long_the_vault_keeps_a_day(extra: list[tuple[str, str, str]], days: int) -> None:
    rules = cli_policy()["properties"]["policyRules"]
    for name, criteria, duration in extra:
        rules.append(vault_rule(name, duration))
        rules[0]["trigger"]["taggingCriteria"].append(tag(name, criteria))
    policy = parse_policy(policy_with(rules))
    assert (policy.vault_tier, policy.vault_days) == (True, days)


@pytest.mark.parametrize(
    ("repeating", "interval", "start"),
    [
        (["R/2024-01-01T02:00:00+02:00/P1D"], "P1D", "00:00"),
        (["R/2024-01-01T02:00:00Z/pt4h"], "PT4H", "02:00"),
        (["R/2024-01-01T02:00:00/PT4H"], "PT4H", "02:00"),
        (["R/2024-01-01T02:00:00Z/P1D", "R/2024-01-01T14:00:00Z/P1D"], "", ""),
        (["R/PT4H"], "", ""),
        (["R/now/PT4H"], "", ""),
        ([], "", ""),
    ],
)
def test_a_schedule_is_told_or_it_is_not(repeating: list[str], interval: str, start: str) -> None:
    rules = cli_policy()["properties"]["policyRules"]
    rules[0]["trigger"]["schedule"]["repeatingTimeIntervals"] = repeating
    policy = parse_policy(policy_with(rules))
    assert (policy.interval, policy.start) == (interval, start)


@pytest.mark.parametrize("scope", [BackupScope(), SCOPE])
async def test_an_instance_shows_the_scope_it_was_put_with(scope: BackupScope) -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    await azure.ready_to_protect(cluster)
    body = replace(azure.body_of(cluster), scope=scope)
    assert isinstance(await azure.apply(CreateBackupInstance(body), cluster), Accepted)
    await azure.clock.advance(600)
    (instance,) = value_of((await azure.look(cluster, instances=True)).observed.instances) or ()
    assert instance.scope == scope
    assert instance.cluster_id.lower() == cluster.arm_id


def test_a_row_of_resource_graph_reads_like_the_resource() -> None:
    """Its columns are ARM's, and what ARM leaves out is null."""
    vault = parse_vault(
        {
            "id": VAULT,
            "name": "v",
            "location": "westeurope",
            "tags": None,
            "identity": None,
            "properties": {
                "provisioningState": "Succeeded",
                "storageSettings": [{"type": "GeoRedundant", "datastoreType": "VaultStore"}],
                "securitySettings": {"softDeleteSettings": {"state": "Off", "retentionDurationInDays": 0.0}},
                "featureSettings": {
                    "crossRegionRestoreSettings": {"state": "Enabled"},
                    "crossSubscriptionRestoreSettings": {"state": "PermanentlyDisabled"},
                },
                "isVaultProtectedByResourceGuard": True,
            },
        }
    )
    assert (vault.soft_delete, vault.soft_delete_days, vault.immutability) == ("Off", 0, "")
    assert (vault.cross_region_restore, vault.cross_subscription_restore, vault.guarded) == (True, False, True)
    assert (vault.principal_id, vault.tags) == (None, {})
    instance = parse_instance(
        {
            "id": f"{VAULT}/backupInstances/i",
            "name": "i",
            "properties": {
                "currentProtectionState": "ProtectionConfigured",
                "protectionErrorDetails": None,
                "dataSourceInfo": {"resourceID": "/c"},
                "policyInfo": {"policyId": POLICY, "policyParameters": None},
                "backupInstanceExtendedProperties": {
                    "recoveryPointInfo": {"latestRecoveryPointInPrimaryRegion": "2024-06-26T07:55:29.5079653Z"}
                },
            },
        }
    )
    assert (instance.scope, instance.cluster_id, instance.vault_id) == (None, "/c", VAULT)
    assert f"{instance.latest_recovery_point:%Y-%m-%d %H:%M}" == "2024-06-26 07:55"


async def security_of(azure: AzureUnderTest) -> Any:
    vault = value_of((await azure.look_at_region(vault_id=VAULT)).observed.vault)
    assert vault is not None
    return vault


async def test_a_vault_is_raised_by_what_a_step_names_and_stays_otherwise() -> None:
    azure = AzureUnderTest()
    await azure.region(VaultSettings("On", cross_subscription_restore=False))
    before = await security_of(azure)
    step = UpdateVault(VAULT, "On", 30.0, "Unlocked", cross_subscription_restore=True)

    assert await azure.apply(step) == Accepted()

    await azure.clock.advance(60)
    expected = replace(before, soft_delete_days=30.0, immutability="Unlocked", cross_subscription_restore=True)
    assert await security_of(azure) == expected
    assert await azure.apply(step) == Accepted(), "twice is once"
    assert await security_of(azure) == expected


async def test_a_vault_that_becomes_always_on_is_asked_by_the_version_for_it() -> None:
    azure = AzureUnderTest()
    await azure.region(VaultSettings("On"))
    assert await azure.apply(UpdateVault(VAULT, "AlwaysOn", 14.0, cross_region_restore=True)) == Accepted()
    vault = await security_of(azure)
    assert (vault.soft_delete, vault.cross_region_restore) == ("AlwaysOn", True)


async def test_a_vault_gets_its_identity_back() -> None:
    azure = AzureUnderTest()
    await azure.region()
    body = b'{"identity": {"type": "None"}}'
    await azure.call("PATCH", VAULT, "2026-06-01", body)
    assert (await security_of(azure)).principal_id is None
    assert await azure.apply(UpdateVault(VAULT, "AlwaysOn", identity=True)) == Accepted()
    assert (await security_of(azure)).principal_id is not None


async def test_diagnostics_are_set_once_and_seen() -> None:
    azure = AzureUnderTest()
    await azure.region()
    await azure.call("PUT", WORKSPACE, "2023-09-01", b'{"location": "westeurope", "properties": {}}')
    reads = {"diagnostics_to": WORKSPACE.upper(), "diagnostics_of": VAULT}
    assert value_of((await azure.look_at_region(**reads)).observed.diagnostics) is False
    step = CreateDiagnosticSetting(VAULT, WORKSPACE)
    assert await azure.apply(step) == Done()
    assert await azure.apply(step) == Done()
    assert value_of((await azure.look_at_region(**reads)).observed.diagnostics) is True
    other = {**reads, "diagnostics_to": f"{BACKUP_GROUP}/other"}
    assert value_of((await azure.look_at_region(**other)).observed.diagnostics) is False
    nowhere = {**reads, "diagnostics_of": f"{VAULT}-not-there"}
    assert isinstance((await azure.look_at_region(**nowhere)).observed.diagnostics, Absent)


async def test_diagnostics_to_a_workspace_that_is_not_there_are_a_persons_business() -> None:
    azure = AzureUnderTest()
    await azure.region()
    outcome = await azure.apply(CreateDiagnosticSetting(VAULT, WORKSPACE))
    assert isinstance(outcome, Failed)


LOGS = ["CoreAzureBackup", "AddonAzureBackupJobs", "AddonAzureBackupPolicy", "AddonAzureBackupProtectedInstance"]


def setting(logs: list[Any], destination: str | None = "Dedicated", workspace: str | None = WORKSPACE) -> Any:
    named = {"workspaceId": workspace, "logAnalyticsDestinationType": destination, "logs": logs}
    return {"properties": named}


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (setting([{"category": name, "enabled": True} for name in LOGS]), True),
        (setting([{"categoryGroup": "allLogs", "category": None, "enabled": True}]), True),
        (setting([{"categoryGroup": "allLogs", "enabled": False}]), False),
        (setting([{"category": name, "enabled": name != LOGS[1]} for name in LOGS]), False),
        (setting([{"category": name, "enabled": True} for name in LOGS], destination=None), False),
        (setting([{"category": name, "enabled": True} for name in LOGS], workspace=None), False),
    ],
)
def test_what_sends_backups_to_the_workspace(body: Any, right: bool) -> None:
    assert sends_backups(body, WORKSPACE) == right


async def test_a_deleted_instance_is_seen_brought_back_and_resumed() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    looked = (await azure.look(cluster, deleted_instance_id=body.arm_id)).observed.deleted_instance
    assert isinstance(looked, Absent)
    await azure.call("DELETE", body.arm_id, "2026-06-01")
    await azure.clock.advance(300)
    looked = (await azure.look(cluster, deleted_instance_id=body.arm_id)).observed.deleted_instance
    assert isinstance(looked, Present)

    assert await azure.apply(UndeleteBackupInstance(body.arm_id, "AlwaysOn"), cluster) == Accepted()
    assert isinstance(await azure.apply(ResumeProtection(body.arm_id, "AlwaysOn"), cluster), Accepted)
    await azure.clock.advance(600)
    there = await azure.get(body.arm_id, "2026-06-01")
    assert there.body["properties"]["currentProtectionState"] == "ProtectionConfigured"
    assert await azure.apply(ResumeProtection(body.arm_id, "AlwaysOn"), cluster) == Done(), "there is nothing to do"


async def test_suspended_backups_are_resumed() -> None:
    azure = AzureUnderTest()
    cluster, body = await azure.protected()
    await azure.call("POST", f"{body.arm_id}/suspendBackups", "2026-06-01", b"{}")
    await azure.clock.advance(300)
    outcome = await azure.apply(ResumeBackups(body.arm_id, "AlwaysOn"), cluster)
    assert isinstance(outcome, Accepted)
    assert outcome.operation_url
    await azure.clock.advance(300)
    (instance,) = value_of((await azure.look(cluster, instances=True)).observed.instances) or ()
    assert instance.protection_state == "ProtectionConfigured"
