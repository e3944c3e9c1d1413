"""A cluster that a person has protected before the Guard came: own vault, names and binding, all made over ARM."""

import time
from collections.abc import Mapping
from typing import Any

from demo.azure_now import BACKUP_EXTENSION
from demo.operator import CLUSTERS, DATA_PROTECTION, EXTENSIONS, RESOURCES, ROLES, STORAGE, Operator
from demo.stack import Stack
from simulator.identity.models import TENANT_ID

_TYPE = "Microsoft.ContainerService/managedClusters"
_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_NAMESPACES = ("Microsoft.DataProtection", "Microsoft.KubernetesConfiguration")
_PROPAGATION = 150.0
"""Azure's seconds a careful person waits for roles and trusted access to act (Microsoft's own command: 120)."""


def protect(stack: Stack, cluster: str, location: str) -> None:
    """Returns when Azure says that the cluster is protected. No backup has run yet: it waits for its schedule."""
    operator, root = stack.operator, f"/subscriptions/{stack.subscription}"
    for namespace in _NAMESPACES:
        operator.post(f"{root}/providers/{namespace}/register", RESOURCES)
    group, snapshots = f"{root}/resourceGroups/rg-crm-backup", f"{root}/resourceGroups/rg-crm-snapshots"
    for made in (group, snapshots):
        operator.put(made, RESOURCES, {"location": location})
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/crmbackups"
    operator.put(account, STORAGE, {"location": location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    for namespace in _NAMESPACES:
        _until_registered(operator, f"{root}/providers/{namespace}")
    operator.wait_for(account, STORAGE, "provisioningState=Succeeded")
    operator.put(f"{account}/blobServices/default/containers/crm", STORAGE, {})
    extension = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/backup"
    operator.put(extension, EXTENSIONS, _extension(account))
    vault = f"{group}/providers/Microsoft.DataProtection/backupVaults/crm-vault"
    operator.put(vault, DATA_PROTECTION, _vault(location))
    principal = operator.wait_for(vault, DATA_PROTECTION, "provisioningState=Succeeded")["identity"]["principalId"]
    policy = f"{vault}/backupPolicies/weekdays"
    operator.put(policy, DATA_PROTECTION, _policy())
    binding = {"sourceResourceId": vault, "roles": ["Microsoft.DataProtection/backupVaults/backup-operator"]}
    operator.put(f"{cluster}/trustedAccessRoleBindings/crm", CLUSTERS, {"properties": binding})
    installed = operator.wait_for(extension, EXTENSIONS, "provisioningState=Succeeded")
    cluster_body = operator.get(cluster, CLUSTERS)
    grants = (
        (principal, _READER, cluster),
        (principal, _READER, snapshots),
        (cluster_body["identity"]["principalId"], _CONTRIBUTOR, snapshots),
        (installed["properties"]["aksAssignedIdentity"]["principalId"], _BLOB_DATA_CONTRIBUTOR, account),
    )
    for number, (who, role, scope) in enumerate(grants, 1):
        _grant(operator, f"c0000000-0000-4000-8000-{number:012}", who, role, scope)
    time.sleep(_PROPAGATION / stack.pace.speed)
    instance = f"{vault}/backupInstances/crm-by-hand"
    operator.put(instance, DATA_PROTECTION, _instance(cluster, location, policy, snapshots))
    operator.wait_for(instance, DATA_PROTECTION, "currentProtectionState=ProtectionConfigured")


def _until_registered(operator: Operator, provider: str) -> None:
    deadline = time.monotonic() + 60
    while operator.get(provider, RESOURCES)["registrationState"] != "Registered":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{provider} was not registered within a minute")
        time.sleep(0.2)


def _grant(operator: Operator, name: str, principal: str, role: str, scope: str) -> None:
    subscription = "/".join(scope.split("/")[:3])
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }
    operator.put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", ROLES, {"properties": properties})


def _extension(account: str) -> Mapping[str, Any]:
    _, _, subscription, _, group, *_, name = account.split("/")
    location = "configuration.backupStorageLocation"
    settings = {
        f"{location}.bucket": "crm",
        f"{location}.config.storageAccount": name,
        f"{location}.config.resourceGroup": group,
        f"{location}.config.subscriptionId": subscription,
        f"{location}.config.useAAD": "true",
        f"{location}.config.storageAccountURI": f"https://{name}.blob.core.windows.net/",
        "credentials.tenantId": TENANT_ID,
    }
    properties = {"extensionType": BACKUP_EXTENSION, "releaseTrain": "stable", "configurationSettings": settings}
    return {"identity": {"type": "SystemAssigned"}, "properties": {**properties, "scope": {"cluster": {}}}}


def _vault(location: str) -> Mapping[str, Any]:
    return {
        "location": location,
        "tags": {"owner": "crm-team"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
            "securitySettings": {"softDeleteSettings": {"state": "AlwaysOn", "retentionDurationInDays": 14.0}},
        },
    }


def _policy() -> Mapping[str, Any]:
    store = {"dataStoreType": "OperationalStore", "objectType": "DataStoreInfoBase"}
    keep = {"objectType": "AbsoluteDeleteOption", "duration": "P14D"}
    backup = {
        "objectType": "AzureBackupRule",
        "name": "BackupHourly",
        "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
        "dataStore": store,
        "trigger": {
            "objectType": "ScheduleBasedTriggerContext",
            "schedule": {"repeatingTimeIntervals": ["R/2024-01-01T03:00:00+00:00/PT12H"], "timeZone": "UTC"},
            "taggingCriteria": [
                {"isDefault": True, "taggingPriority": 99, "tagInfo": {"id": "Default_", "tagName": "Default"}}
            ],
        },
    }
    lifecycle = {"deleteAfter": keep, "sourceDataStore": store, "targetDataStoreCopySettings": []}
    retention = {"objectType": "AzureRetentionRule", "name": "Default", "isDefault": True, "lifecycles": [lifecycle]}
    rules = {"datasourceTypes": [_TYPE], "policyRules": [backup, retention]}
    return {"properties": {"objectType": "BackupPolicy", **rules}}


def _instance(cluster: str, location: str, policy: str, snapshots: str) -> Mapping[str, Any]:
    name = cluster.rsplit("/", 1)[-1]
    source = {
        "objectType": "Datasource",
        "datasourceType": _TYPE,
        "resourceID": cluster,
        "resourceUri": cluster,
        "resourceName": name,
        "resourceType": _TYPE,
        "resourceLocation": location,
    }
    store = {
        "objectType": "AzureOperationalStoreParameters",
        "dataStoreType": "OperationalStore",
        "resourceGroupId": snapshots,
    }
    scope = {
        "objectType": "KubernetesClusterBackupDatasourceParameters",
        "snapshotVolumes": True,
        "includeClusterScopeResources": True,
    }
    parameters = {"dataStoreParametersList": [store], "backupDatasourceParametersList": [scope]}
    properties = {
        "objectType": "BackupInstance",
        "friendlyName": f"{name}\\by-hand",
        "dataSourceInfo": source,
        "dataSourceSetInfo": {**source, "objectType": "DatasourceSet"},
        "policyInfo": {"policyId": policy, "policyParameters": parameters},
    }
    return {"properties": properties}
