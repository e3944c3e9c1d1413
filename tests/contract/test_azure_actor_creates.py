"""What the actor makes, as its owner then sees it over ARM."""

import re
from typing import Any

import pytest

from shared.act.backup_vault import create_vault
from shared.act.storage_account import create_storage_account
from shared.domain.errors import TransientError
from shared.domain.facts import value_of
from shared.domain.observed import Grant
from shared.domain.profile import (
    BackupSchedule,
    CustomerManagedKey,
    ExtensionResources,
    NetworkRules,
    Retention,
    VaultSettings,
)
from shared.domain.steps import (
    Accepted,
    CreateBackupPolicy,
    CreateContainer,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    Done,
    Failed,
    GrantRole,
    InstallExtension,
    RegisterProvider,
    StepOutcome,
)
from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.azure_under_test import (
    ACCOUNT,
    BACKUP_GROUP,
    CONTAINER,
    POLICY,
    READER,
    SNAPSHOT_GROUP,
    SUBSCRIPTION,
    VAULT,
    AzureUnderTest,
)

KEY = CustomerManagedKey("https://keys.vault.azure.net/keys/backup", f"{SUBSCRIPTION}/identity")


def kind_of(outcome: StepOutcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.error.kind


async def test_a_storage_account_is_closed_to_all_but_trusted_services() -> None:
    azure = AzureUnderTest()
    await azure.region()
    other = f"{BACKUP_GROUP}/providers/Microsoft.Storage/storageAccounts/aksbkpclosed"
    rules = NetworkRules("Deny", ip_rules=("203.0.113.7",))
    assert await azure.apply(CreateStorageAccount(other, "westeurope", {"cost": "7"}, None, rules, VAULT)) == Accepted()
    await azure.clock.advance(120)
    there = (await azure.get(other, "2025-06-01")).body
    assert (there["kind"], there["sku"]["name"], there["tags"]) == ("StorageV2", "Standard_LRS", {"cost": "7"})
    properties = there["properties"]
    assert (properties["allowSharedKeyAccess"], properties["allowBlobPublicAccess"]) == (False, False)
    assert (properties["minimumTlsVersion"], properties["supportsHttpsTrafficOnly"]) == ("TLS1_2", True)
    assert properties["networkAcls"]["defaultAction"] == "Deny"
    assert properties["networkAcls"]["bypass"] == "AzureServices"
    assert [rule["value"] for rule in properties["networkAcls"]["ipRules"]] == ["203.0.113.7"]
    assert [rule["resourceId"] for rule in properties["networkAcls"]["resourceAccessRules"]] == [VAULT]


def test_a_customers_key_encrypts_account_and_vault() -> None:
    account = create_storage_account(
        CreateStorageAccount(ACCOUNT, "westeurope", {}, KEY, NetworkRules(), VAULT), "tenant"
    ).body
    assert account is not None
    assert account["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {KEY.identity_id: {}}}
    encryption = account["properties"]["encryption"]
    assert encryption["keyvaultproperties"] == {"keyname": "backup", "keyvaulturi": "https://keys.vault.azure.net"}
    vault = create_vault(CreateVault(VAULT, "westeurope", {}, VaultSettings("On"), KEY)).body
    assert vault is not None
    assert vault["identity"]["type"] == "SystemAssigned,UserAssigned"
    settings = vault["properties"]["securitySettings"]["encryptionSettings"]
    assert settings["keyVaultProperties"] == {"keyUri": KEY.key_uri}


def test_a_key_of_one_version_stays_at_it() -> None:
    key = CustomerManagedKey("https://keys.vault.azure.net/keys/backup/0123", "identity")
    account = create_storage_account(
        CreateStorageAccount(ACCOUNT, "westeurope", {}, key, NetworkRules(), VAULT), "tenant"
    ).body
    assert account is not None
    assert account["properties"]["encryption"]["keyvaultproperties"]["keyversion"] == "0123"


async def test_cross_region_restore_is_turned_on_when_asked_for() -> None:
    azure = AzureUnderTest()
    await azure.region(VaultSettings("AlwaysOn", cross_region_restore=True, cross_subscription_restore=False))
    features = (await azure.get(VAULT, "2026-06-01")).body["properties"]["featureSettings"]
    assert features["crossRegionRestoreSettings"]["state"] == "Enabled"
    assert features["crossSubscriptionRestoreSettings"]["state"] == "Disabled"


@pytest.mark.parametrize("uri", ["keys/backup", "http://keys.vault.azure.net/keys/backup", "https://x/secrets/y", "x"])
async def test_a_key_that_is_none_is_the_profiles_fault_and_nothing_is_sent(uri: str) -> None:
    azure = AzureUnderTest()
    key = CustomerManagedKey(uri, "identity")
    outcome = await azure.apply(CreateStorageAccount(ACCOUNT, "westeurope", {}, key, NetworkRules(), VAULT))
    assert kind_of(outcome) == "invalid_profile"
    assert azure.mutations() == []


@pytest.mark.parametrize("soft_delete", ["On", "AlwaysOn"])
async def test_a_vault_gets_the_soft_delete_that_was_asked_for(soft_delete: Any) -> None:
    azure = AzureUnderTest()
    await azure.region(VaultSettings(soft_delete, soft_delete_days=30, immutability="Unlocked"))
    there = (await azure.get(VAULT, "2025-07-01")).body
    assert there["tags"] == {"AKSAzureBackup": "westeurope"}
    settings = there["properties"]["securitySettings"]
    assert settings["softDeleteSettings"] == {"state": soft_delete, "retentionDurationInDays": 30.0}
    assert settings["immutabilitySettings"]["state"] == "Unlocked"
    assert there["properties"]["storageSettings"] == [{"datastoreType": "VaultStore", "type": "GeoRedundant"}]
    assert there["properties"]["featureSettings"]["crossSubscriptionRestoreSettings"]["state"] == "Enabled"
    vault = value_of((await azure.look_at_region(vault_id=VAULT)).observed.vault)
    assert vault is not None
    assert vault.soft_delete == soft_delete


async def test_what_a_vault_cannot_take_back_is_the_profiles_fault() -> None:
    azure = AzureUnderTest()
    await azure.region()
    outcome = await azure.apply(CreateVault(VAULT, "westeurope", {}, VaultSettings("On"), None))
    assert kind_of(outcome) == "invalid_profile"
    there = (await azure.get(VAULT, "2025-07-01")).body
    assert there["properties"]["securitySettings"]["softDeleteSettings"]["state"] == "AlwaysOn"


async def test_a_policy_with_both_tiers() -> None:
    azure = AzureUnderTest()
    await azure.region()
    arm_id = f"{VAULT}/backupPolicies/both-tiers"
    schedule, retention = BackupSchedule("PT6H", "04:30"), Retention(operational_days=14, vault_days=90)
    assert await azure.apply(CreateBackupPolicy(arm_id, schedule, retention, "AlwaysOn")) == Done()
    rules = (await azure.get(arm_id, "2026-06-01")).body["properties"]["policyRules"]
    backup = next(rule for rule in rules if rule["objectType"] == "AzureBackupRule")
    assert backup["trigger"]["schedule"]["repeatingTimeIntervals"] == ["R/2024-01-01T04:30:00+00:00/PT6H"]
    kept = {rule["name"]: rule["lifecycles"] for rule in rules if rule["objectType"] == "AzureRetentionRule"}
    durations = {
        name: [(each["sourceDataStore"]["dataStoreType"], each["deleteAfter"]["duration"]) for each in lifecycles]
        for name, lifecycles in kept.items()
    }
    assert durations == {
        "Default": [("OperationalStore", "P14D")],
        "Daily": [("OperationalStore", "P14D"), ("VaultStore", "P90D")],
    }
    policy = value_of((await azure.look_at_region(policy_ids=(arm_id,))).observed.policies["both-tiers"])
    assert policy is not None
    assert (policy.backup_rule_name, policy.vault_tier) == ("BackupHourly", True)


async def test_a_policy_that_azure_refuses_is_the_profiles_fault() -> None:
    azure = AzureUnderTest()
    await azure.region()
    arm_id = f"{VAULT}/backupPolicies/too-long"
    outcome = await azure.apply(
        CreateBackupPolicy(arm_id, BackupSchedule(), Retention(operational_days=900), "AlwaysOn")
    )
    assert kind_of(outcome) == "invalid_profile"
    assert (await azure.get(arm_id, "2026-06-01")).status == 404


async def test_the_extension_knows_its_storage_and_tenant() -> None:
    azure = AzureUnderTest()
    await azure.region()
    first, second = await azure.cluster(), await azure.cluster()
    for number, cluster in enumerate((first, second)):
        container = f"{ACCOUNT}/blobServices/default/containers/c-{number}"
        await azure.done(
            CreateContainer(container),
            InstallExtension(
                cluster.arm_id,
                f"c-{number}",
                ACCOUNT,
                "https://aksbkpwesteurope1.blob.core.windows.net/",
                ExtensionResources(memory_limit="4400Mi", cpu_request="1"),
            ),
        )
    path = f"{first.arm_id}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
    settings = (await azure.get(path, "2025-03-01")).body["properties"]["configurationSettings"]
    location = "configuration.backupStorageLocation"
    assert settings == {
        f"{location}.bucket": "c-0",
        f"{location}.config.storageAccount": "aksbkpwesteurope1",
        f"{location}.config.resourceGroup": "AKSAzureBackup_westeurope",
        f"{location}.config.subscriptionId": FIRST_SUBSCRIPTION,
        f"{location}.config.useAAD": "true",
        f"{location}.config.storageAccountURI": "https://aksbkpwesteurope1.blob.core.windows.net/",
        "credentials.tenantId": azure.cloud.identity.tenant_id,
        "resources.limits.memory": "4400Mi",
        "resources.requests.cpu": "1",
    }
    asked = [call.path for call in azure.cloud.front_door.calls.all()]
    assert sum(bool(re.fullmatch(r"/subscriptions/[^/]+", path)) for path in asked) == 1  # the tenant, once for both


async def test_a_role_that_somebody_gave_under_another_name_is_done() -> None:
    azure = AzureUnderTest()
    await azure.region()
    principal = azure.cloud.identity.new_principal("vault").object_id
    await azure.clock.advance(600)
    grant = Grant(principal, READER, SNAPSHOT_GROUP.lower())
    names = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    assert [await azure.apply(GrantRole(grant, name)) for name in names] == [Done(), Done()]
    assert len(azure.cloud.authorization.assignments_of(principal)) == 1
    assert [line.outcome for line in azure.trail.actions[-4:]] == ["Started", "Done", "Started", "Done"]


async def test_an_identity_gets_its_role_before_the_directory_has_heard_of_it() -> None:
    """Azure looks it up unless the assignment says what kind of principal it is."""
    azure = AzureUnderTest()
    await azure.region()
    principal = azure.cloud.identity.new_principal("just made").object_id
    grant = Grant(principal, READER, SNAPSHOT_GROUP.lower())
    assert await azure.apply(GrantRole(grant, "00000000-0000-0000-0000-000000000001")) == Done()
    assert [each.scope.lower() for each in azure.cloud.authorization.assignments_of(principal)] == [grant.scope]


async def test_a_ninth_trusted_access_binding_needs_a_person() -> None:
    azure = AzureUnderTest()
    await azure.region()
    cluster = await azure.cluster()
    for number in range(8):
        arm_id = f"{cluster.arm_id}/trustedAccessRoleBindings/b-{number}"
        vault = f"{VAULT}-{number}"
        await azure.done(
            CreateVault(vault, "westeurope", {}, VaultSettings("AlwaysOn"), None),
            wait=60,
        )
        await azure.done(CreateTrustedAccessBinding(arm_id, vault), wait=300)
    outcome = await azure.apply(CreateTrustedAccessBinding(f"{cluster.arm_id}/trustedAccessRoleBindings/b-8", VAULT))
    assert isinstance(outcome, Failed)
    assert outcome.error.kind == "blocked"
    assert "8" in outcome.error.recommended_action
    assert len(value_of((await azure.look(cluster, bindings=True)).observed.bindings) or ()) == 8


async def test_doing_every_step_twice_is_doing_it_once() -> None:
    azure = AzureUnderTest()
    for _ in range(2):
        await azure.region()
        await azure.done(CreateContainer(CONTAINER))
    listed = await azure.get(f"{BACKUP_GROUP}/providers/Microsoft.DataProtection/backupVaults", "2025-07-01")
    assert len(listed.body["value"]) == 1
    policies = await azure.get(f"{VAULT}/backupPolicies", "2025-07-01")
    assert [policy["name"] for policy in policies.body["value"]] == [POLICY.rsplit("/", 1)[-1]]


async def test_a_provider_that_is_not_registered_is_waited_for() -> None:
    azure = AzureUnderTest()
    await azure.done(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    step = CreateVault(VAULT, "westeurope", {}, VaultSettings("AlwaysOn"), None)
    assert kind_of(await azure.apply(step)) == "not_ready_yet"
    assert not any("/register" in path for _, path, _ in azure.mutations())  # the SDKs would do it by themselves
    assert await azure.apply(RegisterProvider(FIRST_SUBSCRIPTION, "Microsoft.DataProtection")) == Accepted()
    assert kind_of(await azure.apply(step)) == "not_ready_yet"
    await azure.clock.advance(900)
    assert await azure.apply(step) == Accepted()


async def test_each_change_leaves_two_lines() -> None:
    azure = AzureUnderTest()
    await azure.done(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))
    before, after = azure.trail.actions
    assert (before.outcome, before.request_id, before.target) == ("Started", "", BACKUP_GROUP)
    assert (after.outcome, after.target, after.step) == ("Done", BACKUP_GROUP, before.step)
    assert after.request_id


async def test_without_a_trail_nothing_is_changed() -> None:
    azure = AzureUnderTest()

    def down(_point: str) -> None:
        raise TransientError("StorageUnavailable", "no")

    azure.trail.interrupt = down
    assert kind_of(await azure.apply(CreateResourceGroup(BACKUP_GROUP, "westeurope", {}))) == "transient"
    assert azure.mutations() == []
    assert (await azure.get(BACKUP_GROUP, "2025-04-01")).status == 404
