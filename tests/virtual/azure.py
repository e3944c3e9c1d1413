"""What a person sees and does in the simulated Azure: every look is a GET over ARM as the operator, never a peek at the
simulator's own state."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.domain.ids import ClusterId
from simulator.arm.route import Principal
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.http import Request, Response
from tests.contract.data_protection_world import instance as instance_body
from tests.contract.data_protection_world import policy as policy_body

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
BACKUP_OPERATOR = "Microsoft.DataProtection/backupVaults/backup-operator"

RESOURCES, STORAGE, AKS = "2025-04-01", "2026-09-01", "2026-08-01"
EXTENSIONS, ROLES, BACKUP, LOCKS = "2025-03-01", "2022-04-01", "2026-06-01", "2020-05-01"
MUTATING = ("PUT", "PATCH", "POST", "DELETE")


@dataclass(frozen=True)
class Protection:
    """What there is of one cluster, for comparing two worlds whose generated ids differ."""

    instances: tuple[tuple[str, str], ...]
    extensions: tuple[tuple[str, str], ...]
    bindings: tuple[str, ...]
    roles: tuple[tuple[tuple[str, str], int], ...]
    """How often a role was given at a scope."""
    vaults: tuple[str, ...]
    accounts: tuple[str, ...]
    policies: tuple[str, ...]
    containers: tuple[str, ...]
    on_demand_jobs: int
    recovery_points: int


class Operator:
    """A person with a browser and the right to do everything."""

    def __init__(self, cloud: Cloud, clock: VirtualClock) -> None:
        self._cloud, self._clock = cloud, clock

    async def send(self, method: str, path: str, version: str, body: Any = None, **query: str) -> Response:
        """One call, again when Azure is too busy for a person too."""
        return await self.send_by(self._cloud.identity.operator, method, path, version, body, **query)

    async def send_by(
        self, caller: Principal, method: str, path: str, version: str, body: Any = None, **query: str
    ) -> Response:
        """The same by somebody else, who need not have the right to do everything."""
        content = b"" if body is None else json.dumps(body).encode()
        while True:
            headers = {"authorization": f"Bearer {self._cloud.identity.token(caller)}"}
            asked = {"api-version": version, **query}
            response = await self._cloud.respond(Request(method, path, query=asked, headers=headers, body=content))
            if response.status != 429:
                return response
            await self._clock.advance(10)

    async def get(self, path: str, version: str) -> Any:
        """The body, None when it is not there."""
        response = await self.send("GET", path, version)
        return response.body if response.status == 200 else None

    async def all_of(self, path: str, version: str) -> list[Any]:
        """All pages; none when what is listed is not there."""
        found: list[Any] = []
        query: dict[str, str] = {}
        while True:
            response = await self.send("GET", path, version, **query)
            if response.status == 404:
                return found
            assert response.status == 200, (path, response.body)
            found += response.body["value"]
            link = response.body.get("nextLink")
            if not link:
                return found
            query = {k: v for k, v in parse_qsl(urlsplit(link).query) if k != "api-version"}

    async def do(self, method: str, path: str, version: str, body: Any = None, *, wait: float = 300) -> Any:
        """Change something, and give Azure the time it takes."""
        response = await self.send(method, path, version, body)
        assert response.status < 300, (response.status, response.body)
        if wait:
            await self._clock.advance(wait)
        return response.body

    async def vaults(self) -> list[Any]:
        return await self.all_of(f"{ROOT}/providers/Microsoft.DataProtection/backupVaults", BACKUP)

    async def accounts(self) -> list[Any]:
        return await self.all_of(f"{ROOT}/providers/Microsoft.Storage/storageAccounts", STORAGE)

    async def groups(self) -> list[str]:
        found = await self.all_of(f"{ROOT}/resourceGroups", RESOURCES)
        return sorted(group["name"] for group in found)

    async def policies(self) -> list[Any]:
        return [p for v in await self.vaults() for p in await self.all_of(f"{v['id']}/backupPolicies", BACKUP)]

    async def containers(self) -> list[Any]:
        path = "blobServices/default/containers"
        return [c for a in await self.accounts() for c in await self.all_of(f"{a['id']}/{path}", STORAGE)]

    async def instances(self, cluster: ClusterId) -> list[Any]:
        return await self.all_of(f"{cluster}/providers/Microsoft.DataProtection/backupInstances", BACKUP)

    async def extensions(self, cluster: ClusterId) -> list[Any]:
        return await self.all_of(f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions", EXTENSIONS)

    async def bindings(self, cluster: ClusterId) -> list[Any]:
        return await self.all_of(f"{cluster}/trustedAccessRoleBindings", AKS)

    async def jobs(self) -> list[Any]:
        return [j for v in await self.vaults() for j in await self.all_of(f"{v['id']}/backupJobs", BACKUP)]

    async def jobs_of(self, cluster: ClusterId) -> list[Any]:
        """The on-demand backups of a cluster."""
        return [
            job
            for job in await self.jobs()
            if job["properties"]["dataSourceId"].lower() == cluster.arm_id and job["properties"]["isUserTriggered"]
        ]

    async def recovery_points(self, cluster: ClusterId) -> list[Any]:
        found = await self.instances(cluster)
        return [point for one in found for point in await self.all_of(f"{one['id']}/recoveryPoints", BACKUP)]

    async def grants(self) -> list[tuple[str, str, str]]:
        """Principal, role and scope of every assignment in the subscription that the Guard made."""
        found = await self.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleAssignments", ROLES)
        made = [each["properties"] for each in found]
        app = self._cloud.identity.app.object_id
        return sorted(
            (one["principalId"], one["roleDefinitionId"].rsplit("/", 1)[-1], one["scope"].lower())
            for one in made
            if one.get("createdBy") == app
        )

    async def roles(self) -> list[tuple[str, str]]:
        """The same without the principals."""
        return sorted((role, scope) for _, role, scope in await self.grants())

    async def protection(self, cluster: ClusterId) -> Protection:
        """Everything at once."""
        instances, extensions = await self.instances(cluster), await self.extensions(cluster)
        return Protection(
            tuple((each["name"], each["properties"]["currentProtectionState"]) for each in instances),
            tuple((each["name"], each["properties"]["provisioningState"]) for each in extensions),
            tuple(each["name"] for each in await self.bindings(cluster)),
            tuple(sorted(Counter(await self.roles()).items())),
            tuple(sorted(each["name"] for each in await self.vaults())),
            tuple(sorted(each["name"] for each in await self.accounts())),
            tuple(sorted(each["name"] for each in await self.policies())),
            tuple(sorted(each["name"].partition("-")[0] for each in await self.containers())),
            len(await self.jobs_of(cluster)),
            len(await self.recovery_points(cluster)),
        )

    def changes_by_the_app(self) -> list[str]:
        """Each mutating call of the Guard so far; a question to Resource Graph is a POST that changes nothing."""
        app = self._cloud.identity.app.object_id
        calls = [c for c in self._cloud.front_door.calls.all() if "/microsoft.resourcegraph/" not in c.path.lower()]
        return [f"{c.method} {c.path}" for c in calls if c.method in MUTATING and c.principal in (app, None)]

    async def make_group(self, name: str, location: str = "westeurope") -> str:
        await self.do("PUT", f"{ROOT}/resourceGroups/{name}", RESOURCES, {"location": location}, wait=1)
        return f"{ROOT}/resourceGroups/{name}"

    async def make_account(self, group: str, name: str, location: str = "westeurope") -> str:
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        body = {"location": location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
        await self.do("PUT", account, STORAGE, body, wait=60)
        return account

    async def make_container(self, account: str, name: str) -> str:
        container = f"{account}/blobServices/default/containers/{name}"
        await self.do("PUT", container, STORAGE, {"properties": {}}, wait=1)
        return container

    async def make_vault(self, group: str, name: str, location: str = "westeurope") -> Any:
        await self.register("Microsoft.DataProtection")
        body = {
            "location": location,
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
                "securitySettings": {"softDeleteSettings": {"state": "AlwaysOn", "retentionDurationInDays": 14.0}},
            },
        }
        vault = f"{group}/providers/Microsoft.DataProtection/backupVaults/{name}"
        await self.do("PUT", vault, BACKUP, body, wait=30)
        return await self.get(vault, BACKUP)

    async def make_policy(self, vault_id: str, name: str = "by-hand") -> str:
        await self.do("PUT", f"{vault_id}/backupPolicies/{name}", BACKUP, policy_body(), wait=1)
        return f"{vault_id}/backupPolicies/{name}"

    async def register(self, namespace: str) -> None:
        await self.do("POST", f"{ROOT}/providers/{namespace}/register", RESOURCES, wait=120)

    async def install_extension(
        self, cluster: ClusterId, account: str, container: str, name: str = "azure-aks-backup"
    ) -> Any:
        await self.register("Microsoft.KubernetesConfiguration")
        prefix = "configuration.backupStorageLocation"
        settings = {
            f"{prefix}.bucket": container,
            f"{prefix}.config.storageAccount": account.rsplit("/", 1)[-1],
            f"{prefix}.config.resourceGroup": account.split("/")[4],
            f"{prefix}.config.subscriptionId": SUBSCRIPTION,
            f"{prefix}.config.useAAD": "true",
            f"{prefix}.config.storageAccountURI": f"https://{account.rsplit('/', 1)[-1]}.blob.core.windows.net/",
            "credentials.tenantId": self._cloud.identity.tenant_id,
        }
        body = {
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "extensionType": "microsoft.dataprotection.kubernetes",
                "autoUpgradeMinorVersion": True,
                "scope": {"cluster": {}},
                "configurationSettings": settings,
            },
        }
        path = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"
        await self.do("PUT", path, EXTENSIONS, body, wait=600)
        return await self.get(path, EXTENSIONS)

    async def bind(self, cluster: ClusterId, vault_id: str, name: str = "by-hand") -> None:
        body = {"properties": {"sourceResourceId": vault_id, "roles": [BACKUP_OPERATOR]}}
        await self.do("PUT", f"{cluster}/trustedAccessRoleBindings/{name}", AKS, body)

    async def assign(self, principal: str, role: str, scope: str) -> str:
        """Under a name of its own."""
        name = str(self._cloud.new_uuid())
        definition = f"{ROOT}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body = {
            "properties": {
                "roleDefinitionId": definition,
                "principalId": principal,
                "principalType": "ServicePrincipal",
            }
        }
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        await self.do("PUT", path, ROLES, body, wait=600)
        return name

    async def protect_by_hand(self, cluster: ClusterId, policy: str, snapshots: str, name: str = "by-hand") -> Any:
        """The backup instance alone, in the policy's vault."""
        body = instance_body(policy_id=policy, cluster=cluster.arm_id)
        parameters = body["properties"]["policyInfo"]["policyParameters"]["dataStoreParametersList"][0]
        parameters["resourceGroupId"] = snapshots
        path = f"{policy.rpartition('/backupPolicies/')[0]}/backupInstances/{name}"
        await self.do("PUT", path, BACKUP, body)
        return await self.get(path, BACKUP)

    async def delete_cluster(self, cluster: ClusterId) -> None:
        await self.do("DELETE", cluster.arm_id, AKS, wait=900)

    async def start_cluster(self, cluster: ClusterId) -> None:
        await self.do("POST", f"{cluster}/start", AKS)

    async def tag_cluster(self, cluster: ClusterId, **tags: str) -> None:
        named = {name.replace("_", "-"): value for name, value in tags.items()}
        await self.do("PATCH", cluster.arm_id, AKS, {"tags": named}, wait=60)

    async def lock(self, scope: str, level: str = "ReadOnly") -> str:
        path = f"{scope}/providers/Microsoft.Authorization/locks/keep"
        await self.do("PUT", path, LOCKS, {"properties": {"level": level}}, wait=1)
        return path

    async def unlock(self, lock: str) -> None:
        await self.do("DELETE", lock, LOCKS, wait=1)
