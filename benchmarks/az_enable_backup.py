"""Our model of the order in which Microsoft's `az dataprotection enable-backup trigger` works (its source, 2026): one
thing after the other, each waited for to its end, then always 120 s of sleep, then validateForBackup and the PUT. When
the validation fails the command fails; a person runs it again at once, and it finds what is there.

Only the order is modelled, over the same ARM as everything else; it takes no first backup.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.domain.ids import ClusterId
from simulator.clock import Clock
from simulator.cloud import Cloud
from simulator.http import Request, Response

SLEEP = 120.0
POLLING = 30.0
"""Seconds between two looks at an operation when Azure does not say (azure-core's default)."""
STATE_POLLING = 5.0
"""Seconds between two looks at the instance's state: more often than a person would."""
TOO_LONG = 20000.0
CALL = 0.2
"""Seconds one call takes, as for the Guard."""

_READER, _SNAPSHOTS = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "7efff54f-a5b4-42b5-a1c5-5411624893ce"
_CONTRIBUTOR, _BLOB_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
_AKS = "Microsoft.ContainerService/managedClusters"
_VERSIONS = {
    "microsoft.containerservice": "2024-08-01",
    "microsoft.kubernetesconfiguration": "2023-05-01",
    "microsoft.storage": "2026-09-01",
    "microsoft.dataprotection": "2025-07-01",
    "microsoft.authorization": "2022-04-01",
}


@dataclass
class EnableBackup:
    """One person at one terminal. `runs` counts how often the command had to be given."""

    cloud: Cloud
    clock: Clock
    runs: int = 0
    calls: int = 0

    async def protect(self, cluster: ClusterId) -> float:
        """Give the command until the cluster is ProtectionConfigured; the seconds that took. Raises TimeoutError."""
        started = self.clock.now()
        async with asyncio.timeout(TOO_LONG):
            while not await self._command(cluster):
                pass
        return (self.clock.now() - started).total_seconds()

    async def _command(self, cluster: ClusterId) -> bool:
        self.runs += 1
        aks, subscription = cluster.arm_id, f"/subscriptions/{cluster.subscription_id}"
        await self._read(f"{aks}/providers/Microsoft.DataProtection/backupInstances")
        found = await self._read(aks)
        location = found["location"]
        await self._register(subscription, "Microsoft.KubernetesConfiguration", "Microsoft.DataProtection")
        group = f"{subscription}/resourceGroups/AKSAzureBackup_{location}"
        await self._ensure(group, {"location": location, "tags": {"AKSAzureBackup": location}})
        await self._grant(found["identity"]["principalId"], _CONTRIBUTOR, group)
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/aksbkp{location[:12]}abcdef"
        storage = {"allowBlobPublicAccess": False, "allowSharedKeyAccess": False}
        kind: dict[str, Any] = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
        await self._ensure(account, {"location": location, **kind, "properties": storage})
        container = f"{cluster.name}-{cluster.resource_group}".lower()[:63]
        await self._ensure(f"{account}/blobServices/default/containers/{container}", {"properties": {}})
        extension = await self._ensure(
            f"{aks}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup",
            _extension(account, container, self.cloud.identity.tenant_id),
        )
        await self._grant(extension["properties"]["aksAssignedIdentity"]["principalId"], _BLOB_CONTRIBUTOR, account)
        vault_id = f"{group}/providers/Microsoft.DataProtection/backupVaults/AKSAzureBackup-{location}"
        vault = await self._ensure(vault_id, _vault(location))
        identity = vault["identity"]["principalId"]
        for role, scope in ((_READER, aks), (_READER, group), (_SNAPSHOTS, group)):
            await self._grant(identity, role, scope)
        policy_id = f"{vault_id}/backupPolicies/AKSBackupPolicy-Week"
        await self._ensure(policy_id, _policy())
        trusted = {"sourceResourceId": vault_id, "roles": ["Microsoft.DataProtection/backupVaults/backup-operator"]}
        await self._ensure(f"{aks}/trustedAccessRoleBindings/tarb-0123456789abcdef", {"properties": trusted})
        await asyncio.sleep(SLEEP)
        instance = _instance(cluster, location, policy_id, group)
        if not await self._run("POST", f"{vault_id}/validateForBackup", {"backupInstance": instance}):
            return False
        instance_id = f"{vault_id}/backupInstances/{cluster.name}-{cluster.resource_group}"
        await self._run("PUT", instance_id, {"properties": instance})
        while (await self._read(instance_id))["properties"]["currentProtectionState"] == "ConfiguringProtection":  # noqa: ASYNC110
            await asyncio.sleep(STATE_POLLING)
        return True

    async def _register(self, subscription: str, *namespaces: str) -> None:
        """Not the command's work but its user's, who does it beforehand, side by side."""
        for provider in (f"{subscription}/providers/{namespace}" for namespace in namespaces):
            if (await self._read(provider))["registrationState"] != "Registered":
                await self._call("POST", f"{provider}/register")
        for provider in (f"{subscription}/providers/{namespace}" for namespace in namespaces):
            while (await self._read(provider))["registrationState"] != "Registered":  # noqa: ASYNC110
                await asyncio.sleep(5)

    async def _ensure(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What is there, else it is created and waited for."""
        there = await self._call("GET", path)
        if there.status == 404:
            assert await self._run("PUT", path, body), path
            there = await self._call("GET", path)
        assert isinstance(there.body, dict), there
        return there.body

    async def _grant(self, principal_id: str, role: str, scope: str) -> None:
        await self._call("GET", f"{scope}/providers/Microsoft.Authorization/roleAssignments")
        name = str(self.cloud.new_uuid())
        definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
        properties = {"roleDefinitionId": definition, "principalId": principal_id, "principalType": "ServicePrincipal"}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        answer = await self._call("PUT", path, {"properties": properties})
        assert answer.status in (201, 409), answer

    async def _run(self, method: str, path: str, body: dict[str, Any]) -> bool:
        """A call and the operation it starts, to its end; False when that failed."""
        answer = await self._call(method, path, body)
        assert answer.status < 300, (path, answer)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        url = headers.get("azure-asyncoperation") or headers.get("location")
        while url:
            await asyncio.sleep(float(headers.get("retry-after", POLLING)))
            parts = urlsplit(url)
            status = await self._call("GET", unquote(parts.path), query=_lowered(parts.query))
            headers = {name.lower(): value for name, value in status.headers.items()}
            state = str((status.body or {}).get("status", "")).lower()
            if state in ("succeeded", "failed", "canceled"):
                return state == "succeeded"
            if "azure-asyncoperation" not in {n.lower() for n in answer.headers} and status.status in (200, 204):
                return True
        return True

    async def _read(self, path: str) -> dict[str, Any]:
        answer = await self._call("GET", path)
        assert answer.status == 200, (path, answer)
        return dict(answer.body)

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> Response:
        self.calls += 1
        await asyncio.sleep(CALL)
        namespace = path.lower().rpartition("/providers/")[2].partition("/")[0]
        asked = query or {
            "api-version": _VERSIONS.get(namespace, "2025-04-01") if "/providers/" in path else "2025-04-01"
        }
        if (path.count("/") == 4 and "/providers/" in path) or path.endswith("/register"):
            asked = {"api-version": "2025-04-01"}  # the registration of a provider is ARM's own
        token = self.cloud.identity.token(self.cloud.identity.operator)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        return await self.cloud.respond(Request(method, path, query=asked, headers=headers, body=content))


def _lowered(query: str) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(query)}


def _extension(account: str, container: str, tenant_id: str) -> dict[str, Any]:
    _, _, subscription, _, group, *_, name = account.split("/")
    location = "configuration.backupStorageLocation"
    settings = {
        f"{location}.bucket": container,
        f"{location}.config.storageAccount": name,
        f"{location}.config.resourceGroup": group,
        f"{location}.config.subscriptionId": subscription,
        f"{location}.config.useAAD": "true",
        f"{location}.config.storageAccountURI": f"https://{name}.blob.core.windows.net/",
        "credentials.tenantId": tenant_id,
    }
    properties = {
        "extensionType": "microsoft.dataprotection.kubernetes",
        "autoUpgradeMinorVersion": True,
        "releaseTrain": "stable",
        "scope": {"cluster": {}},
        "configurationSettings": settings,
    }
    return {"identity": {"type": "SystemAssigned"}, "properties": properties}


def _vault(location: str) -> dict[str, Any]:
    properties = {
        "storageSettings": [{"datastoreType": "VaultStore", "type": "GeoRedundant"}],
        "securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0}},
    }
    return {"location": location, "identity": {"type": "SystemAssigned"}, "properties": properties}


def _policy() -> dict[str, Any]:
    store = {"dataStoreType": "OperationalStore", "objectType": "DataStoreInfoBase"}
    tagging = {"isDefault": True, "taggingPriority": 99, "tagInfo": {"id": "Default_", "tagName": "Default"}}
    schedule = {"repeatingTimeIntervals": ["R/2024-01-01T02:00:00+00:00/P1D"], "timeZone": "Coordinated Universal Time"}
    trigger = {"objectType": "ScheduleBasedTriggerContext", "schedule": schedule, "taggingCriteria": [tagging]}
    lifecycle = {
        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": "P7D"},
        "sourceDataStore": store,
        "targetDataStoreCopySettings": [],
    }
    rules = [
        {
            "objectType": "AzureBackupRule",
            "name": "BackupDaily",
            "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
            "dataStore": store,
            "trigger": trigger,
        },
        {"objectType": "AzureRetentionRule", "name": "Default", "isDefault": True, "lifecycles": [lifecycle]},
    ]
    return {"properties": {"objectType": "BackupPolicy", "datasourceTypes": [_AKS], "policyRules": rules}}


def _instance(cluster: ClusterId, location: str, policy_id: str, group: str) -> dict[str, Any]:
    source = {
        "datasourceType": _AKS,
        "resourceID": cluster.arm_id,
        "resourceUri": cluster.arm_id,
        "resourceName": cluster.name,
        "resourceType": _AKS,
        "resourceLocation": location,
    }
    store = {
        "objectType": "AzureOperationalStoreParameters",
        "dataStoreType": "OperationalStore",
        "resourceGroupId": group,
    }
    scope = {
        "objectType": "KubernetesClusterBackupDatasourceParameters",
        "snapshotVolumes": True,
        "includeClusterScopeResources": True,
    }
    parameters = {"dataStoreParametersList": [store], "backupDatasourceParametersList": [scope]}
    return {
        "objectType": "BackupInstance",
        "friendlyName": cluster.name,
        "dataSourceInfo": {"objectType": "Datasource", **source},
        "dataSourceSetInfo": {"objectType": "DatasourceSet", **source},
        "policyInfo": {"policyId": policy_id, "policyParameters": parameters},
    }
