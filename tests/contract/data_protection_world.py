"""A cloud in virtual time with all that the protection of one cluster needs, built over ARM, each part removable."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request, Response

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
BACKUP_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backup"
SNAPSHOT_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/snapshots"
CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/apps/providers/Microsoft.ContainerService/managedClusters/shop"
VAULT = f"{BACKUP_GROUP}/providers/Microsoft.DataProtection/backupVaults/vault"
POLICY = f"{VAULT}/backupPolicies/policy"
INSTANCE = f"{VAULT}/backupInstances/shop-1"
ACCOUNT = f"{BACKUP_GROUP}/providers/Microsoft.Storage/storageAccounts/shopbackups"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/shop"

STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
DISK_SNAPSHOT_CONTRIBUTOR = "7efff54f-a5b4-42b5-a1c5-5411624893ce"
DATA_OPERATOR_FOR_MANAGED_DISKS = "959f8984-c045-4866-89c7-12bf9737be2e"

ASYNC = "Azure-AsyncOperation"


def store(name: str) -> dict[str, str]:
    return {"dataStoreType": name, "objectType": "DataStoreInfoBase"}


def lifecycle(source: str, duration: str, *, copy: bool = False) -> dict[str, Any]:
    target = {"dataStore": store("VaultStore"), "copyAfter": {"objectType": "ImmediateCopyOption"}}
    return {
        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": duration},
        "sourceDataStore": store(source),
        "targetDataStoreCopySettings": [target] if copy else [],
    }


def policy(*, interval: str = "R/2024-01-01T00:00:00+00:00/PT4H", keep: str = "P7D", vault_tier: bool = False) -> Any:
    """A policy as Microsoft's command line makes it."""
    tags: list[dict[str, Any]] = [
        {"isDefault": True, "taggingPriority": 99, "tagInfo": {"id": "Default_", "tagName": "Default"}}
    ]
    rules: list[dict[str, Any]] = [
        {
            "objectType": "AzureBackupRule",
            "name": "BackupHourly",
            "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
            "dataStore": store("OperationalStore"),
            "trigger": {
                "objectType": "ScheduleBasedTriggerContext",
                "schedule": {"repeatingTimeIntervals": [interval], "timeZone": "Coordinated Universal Time"},
                "taggingCriteria": tags,
            },
        },
        {
            "objectType": "AzureRetentionRule",
            "name": "Default",
            "isDefault": True,
            "lifecycles": [lifecycle("OperationalStore", keep)],
        },
    ]
    if vault_tier:
        daily = {"objectType": "ScheduleBasedBackupCriteria", "absoluteCriteria": ["FirstOfDay"]}
        info = {"id": "Daily_", "tagName": "Daily"}
        tags.append({"isDefault": False, "taggingPriority": 25, "tagInfo": info, "criteria": [daily]})
        lifecycles = [lifecycle("OperationalStore", "P7D", copy=True), lifecycle("VaultStore", "P84D")]
        rules.append(
            {"objectType": "AzureRetentionRule", "name": "Daily", "isDefault": False, "lifecycles": lifecycles}
        )
    kinds = ["Microsoft.ContainerService/managedClusters"]
    return {"properties": {"objectType": "BackupPolicy", "datasourceTypes": kinds, "policyRules": rules}}


def instance(*, policy_id: str = POLICY, cluster: str = CLUSTER, location: str = "westeurope") -> dict[str, Any]:
    """The body of a backup instance."""
    source = {
        "objectType": "Datasource",
        "datasourceType": "Microsoft.ContainerService/managedClusters",
        "resourceID": cluster,
        "resourceUri": cluster,
        "resourceName": cluster.rsplit("/", 1)[-1],
        "resourceType": "Microsoft.ContainerService/managedclusters",
        "resourceLocation": location,
    }
    parameters = {
        "dataStoreParametersList": [
            {
                "objectType": "AzureOperationalStoreParameters",
                "dataStoreType": "OperationalStore",
                "resourceGroupId": SNAPSHOT_GROUP,
            }
        ],
        "backupDatasourceParametersList": [
            {
                "objectType": "KubernetesClusterBackupDatasourceParameters",
                "snapshotVolumes": True,
                "includeClusterScopeResources": True,
            }
        ],
    }
    return {
        "properties": {
            "objectType": "BackupInstance",
            "friendlyName": "shop\\fullbackup",
            "dataSourceInfo": source,
            "dataSourceSetInfo": {**source, "objectType": "DatasourceSet"},
            "policyInfo": {"policyId": policy_id, "policyParameters": parameters},
        }
    }


class World:
    """One cloud, called as its operator. Names may be changed for a recording's own."""

    def __init__(self, clock: VirtualClock | None = None, *, schedules: bool = False) -> None:
        self.clock = clock or VirtualClock()
        self.cloud = Cloud(self.clock, seed=1, schedules=schedules)
        self.add_subscription(SUBSCRIPTION)
        for group in ("apps", "backup", "snapshots"):
            self.cloud.resources.add_group(SUBSCRIPTION, group, "westeurope")

    def add_subscription(self, subscription_id: str) -> None:
        self.cloud.resources.add_subscription(subscription_id)
        for namespace in ("Microsoft.DataProtection", "Microsoft.KubernetesConfiguration", "Microsoft.Storage"):
            self.cloud.resources.register(subscription_id, namespace, "Registered")

    async def call(
        self, method: str, path: str, body: Any = None, version: str = "2025-07-01", principal: Any = None
    ) -> Response:
        """One call; `path` may be a whole link with its query."""
        parts = urlsplit(path)
        caller = principal or self.cloud.identity.operator
        query = {"api-version": version, **dict(parse_qsl(parts.query, keep_blank_values=True))}
        return await self.cloud.respond(
            Request(
                method,
                unquote(parts.path),
                query={name.lower(): value for name, value in query.items()},
                headers={"authorization": f"Bearer {self.cloud.identity.token(caller)}"},
                body=b"" if body is None else json.dumps(body).encode(),
            )
        )

    async def done(self, response: Response, seconds: float) -> Any:
        """Let time pass and read the status of the operation that an answer started."""
        await self.clock.advance(seconds)
        return (await self.call("GET", response.headers[ASYNC])).body

    async def vault(self, vault: str = VAULT, location: str = "westeurope", soft_delete: str = "On") -> Response:
        body = {
            "location": location,
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
                "securitySettings": {"softDeleteSettings": {"state": soft_delete, "retentionDurationInDays": 14.0}},
            },
        }
        response = await self.call("PUT", vault, body)
        assert response.status == 201, response.body
        await self.clock.advance(self.cloud.timings.vault_write)
        return response

    async def policy(self, policy_id: str = POLICY, **wanted: Any) -> None:
        response = await self.call("PUT", policy_id, policy(**wanted))
        assert response.status == 200, response.body

    async def storage(self, account: str = ACCOUNT, container: str = CONTAINER, location: str = "westeurope") -> None:
        body = {"location": location, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        assert (await self.call("PUT", account, body, "2024-01-01")).status == 202
        await self.clock.advance(self.cloud.timings.storage_account_write)
        assert (await self.call("PUT", container, {}, "2024-01-01")).status == 201

    async def cluster(self, cluster: str = CLUSTER, location: str = "westeurope") -> None:
        body = {
            "location": location,
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "dnsPrefix": "shop",
                "agentPoolProfiles": [{"name": "pool1", "count": 3, "osType": "Linux", "mode": "System"}],
            },
        }
        response = await self.call("PUT", cluster, body, "2026-08-01")
        assert response.status == 201, response.body
        await self.clock.advance(self.cloud.timings.cluster_write)

    def extension(
        self, cluster: str = CLUSTER, account: str = ACCOUNT, container: str = CONTAINER, *, use_aad: bool = True
    ) -> None:
        location = "configuration.backupStorageLocation"
        self.cloud.kubernetes_configuration.install_backup_extension(
            cluster,
            {
                f"{location}.bucket": container.rsplit("/", 1)[-1],
                f"{location}.config.storageAccount": account.rsplit("/", 1)[-1],
                f"{location}.config.resourceGroup": account.split("/")[4],
                f"{location}.config.subscriptionId": account.split("/")[2],
                f"{location}.config.useAAD": str(use_aad).lower(),
                f"{location}.config.storageAccountURI": "https://shopbackups.blob.core.windows.net/",
                "credentials.tenantId": self.cloud.identity.tenant_id,
            },
        )

    async def trusted_access(self, cluster: str = CLUSTER, vault: str = VAULT) -> None:
        roles = ["Microsoft.DataProtection/backupVaults/backup-operator"]
        body = {"properties": {"sourceResourceId": vault, "roles": roles}}
        response = await self.call("PUT", f"{cluster}/trustedAccessRoleBindings/vault", body, "2026-08-01")
        assert response.status in (200, 201), response.body
        timings = self.cloud.timings
        await self.clock.advance(timings.trusted_access_write + timings.trusted_access_effect)

    def roles(
        self,
        cluster: str = CLUSTER,
        vault: str = VAULT,
        snapshots: str = SNAPSHOT_GROUP,
        account: str = ACCOUNT,
        without: tuple[str, str] = ("", ""),
        vault_tier: bool = False,
    ) -> None:
        """Grant what is documented, at once; `without` leaves out one (role, scope)."""
        found = self.cloud.container_service.cluster(cluster)
        extension = self.cloud.kubernetes_configuration.backup_extension(cluster)
        holder = self.cloud.data_protection.vault(vault)
        assert found is not None
        assert found.principal_id is not None
        assert extension is not None
        assert extension.aks_identity_principal_id is not None
        assert holder is not None
        assert holder.principal_id is not None
        wanted = [
            (holder.principal_id, READER, cluster),
            (holder.principal_id, READER, snapshots),
            (found.principal_id, CONTRIBUTOR, snapshots),
            (extension.aks_identity_principal_id, BLOB_DATA_CONTRIBUTOR, account),
        ]
        if vault_tier:
            wanted += [
                (holder.principal_id, DISK_SNAPSHOT_CONTRIBUTOR, snapshots),
                (holder.principal_id, DATA_OPERATOR_FOR_MANAGED_DISKS, snapshots),
                (holder.principal_id, BLOB_DATA_READER, account),
            ]
        for principal, role, scope in wanted:
            if (role, scope) != without:
                self.cloud.authorization.grant(principal, role, scope)

    async def ready(self, *, vault_tier: bool = False, without: tuple[str, str] = ("", "")) -> None:
        """Everything that the protection of the cluster needs, except the backup instance."""
        await self.vault()
        await self.policy(vault_tier=vault_tier)
        await self.storage()
        await self.cluster()
        self.extension()
        await self.trusted_access()
        self.roles(vault_tier=vault_tier, without=without)

    async def protect(self, name: str = INSTANCE, body: Any = None) -> dict[str, Any]:
        """Create the instance and give it its minute; what GET says then."""
        response = await self.call("PUT", name, body or instance())
        assert response.status == 201, response.body
        await self.clock.advance(self.cloud.timings.configure_protection)
        return await self.read(name)

    async def read(self, path: str) -> dict[str, Any]:
        response = await self.call("GET", path)
        assert response.status == 200, response.body
        body: dict[str, Any] = response.body
        return body

    async def state(self, name: str = INSTANCE) -> str:
        return str((await self.read(name))["properties"]["currentProtectionState"])

    async def job_after(self, job_id: str, seconds: float) -> dict[str, Any]:
        """A job's properties after that time."""
        await self.clock.advance(seconds)
        properties: dict[str, Any] = (await self.read(job_id))["properties"]
        return properties
