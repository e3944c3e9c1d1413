"""What there is in Azure now, read over ARM by the operator: the proof never asks the Guard."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demo.operator import CLUSTERS, DATA_PROTECTION, EXTENSIONS, ROLES, STORAGE, Operator

BACKUP_EXTENSION = "microsoft.dataprotection.kubernetes"
_LOCATION = "configuration.backupStorageLocation"


@dataclass(frozen=True, slots=True)
class Instance:
    """A backup instance with what came of it."""

    arm_id: str
    vault_id: str
    cluster_id: str
    state: str
    recovery_points: int
    on_demand_jobs: int


@dataclass(frozen=True, slots=True)
class AzureNow:
    """One subscription. Ids are lower-case."""

    clusters: tuple[str, ...]
    vaults: Mapping[str, str]
    """Region by id."""
    instances: tuple[Instance, ...]
    extensions: Mapping[str, tuple[str, ...]]
    """By cluster, each as account/container."""
    bindings: Mapping[str, tuple[str, ...]]
    """By cluster, the vault each lets in."""
    roles: tuple[tuple[str, str, str], ...]
    """Principal, role definition's GUID, scope; those the subscription began with are left out, and those by which the
    Guard may give roles."""
    containers: tuple[str, ...]
    """Each as account/container."""
    accounts: tuple[str, ...]

    def instances_of(self, cluster_id: str) -> list[Instance]:
        return [instance for instance in self.instances if instance.cluster_id == cluster_id.lower()]

    def doubled(self) -> list[str]:
        """Everything that is there twice, or that nobody uses: what a crash in the wrong place would leave behind."""
        found = [f"{n} instances of {_name(c)}" for c, n in _twice(i.cluster_id for i in self.instances)]
        found += [
            f"{i.on_demand_jobs} on-demand backups of {_name(i.cluster_id)}"
            for i in self.instances
            if i.on_demand_jobs > 1
        ]
        found += [f"{len(e)} backup extensions in {_name(c)}" for c, e in self.extensions.items() if len(e) > 1]
        found += [f"{n} bindings of one vault in {_name(c)}" for c, b in self.bindings.items() for _, n in _twice(b)]
        found += [f"{n} equal role assignments at {scope}" for (_, _, scope), n in _twice(self.roles)]
        used = {place for places in self.extensions.values() for place in places}
        found += [f"the container {place}, used by no cluster" for place in self.containers if place not in used]
        accounts = {place.split("/")[0] for place in used}
        found += [f"the storage account {name}, used by no cluster" for name in self.accounts if name not in accounts]
        shared = _twice(place for places in self.extensions.values() for place in places)
        return found + [f"{n} clusters in the container {place}" for place, n in shared]

    def made_for(self, cluster_id: str) -> list[str]:
        """Everything backup needs that there is for one cluster."""
        own = cluster_id.lower()
        found = [f"extension {place}" for place in self.extensions.get(own, ())]
        found += [f"binding of {_name(vault)}" for vault in self.bindings.get(own, ())]
        found += [f"instance {_name(instance.arm_id)}" for instance in self.instances_of(own)]
        return found + [f"role at {scope}" for _, _, scope in self.roles if scope.startswith(own)]


def read(operator: Operator, subscription: str) -> AzureNow:
    """Reads everything once; takes as many calls as there are resources."""
    root = f"/subscriptions/{subscription}"
    clusters = [_id(c) for c in operator.list(f"{root}/providers/Microsoft.ContainerService/managedClusters", CLUSTERS)]
    vaults = {
        _id(vault): str(vault["location"])
        for vault in operator.list(f"{root}/providers/Microsoft.DataProtection/backupVaults", DATA_PROTECTION)
    }
    accounts = [_id(a) for a in operator.list(f"{root}/providers/Microsoft.Storage/storageAccounts", STORAGE)]
    return AzureNow(
        clusters=tuple(clusters),
        vaults=vaults,
        instances=tuple(instance for vault in vaults for instance in _instances(operator, vault)),
        extensions={cluster: tuple(_extensions(operator, cluster)) for cluster in clusters},
        bindings={cluster: tuple(_bindings(operator, cluster)) for cluster in clusters},
        roles=tuple(_roles(operator, root)),
        containers=tuple(place for account in accounts for place in _containers(operator, account)),
        accounts=tuple(_name(account) for account in accounts),
    )


def _instances(operator: Operator, vault: str) -> Iterator[Instance]:
    jobs = Counter(
        job["properties"]["backupInstanceId"].lower()
        for job in operator.list(f"{vault}/backupJobs", DATA_PROTECTION)
        if job["properties"]["isUserTriggered"] and job["properties"]["operationCategory"] == "Backup"
    )
    for found in operator.list(f"{vault}/backupInstances", DATA_PROTECTION):
        points = operator.list(f"{_id(found)}/recoveryPoints", DATA_PROTECTION)
        properties = found["properties"]
        yield Instance(
            _id(found),
            vault,
            properties["dataSourceInfo"]["resourceID"].lower(),
            properties["currentProtectionState"],
            sum(1 for _ in points),
            jobs[_id(found)],
        )


def _extensions(operator: Operator, cluster: str) -> Iterator[str]:
    for found in operator.list(f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions", EXTENSIONS):
        properties = found["properties"]
        if properties["extensionType"].lower() == BACKUP_EXTENSION:
            settings = properties["configurationSettings"]
            yield f"{settings[f'{_LOCATION}.config.storageAccount']}/{settings[f'{_LOCATION}.bucket']}"


def _bindings(operator: Operator, cluster: str) -> Iterator[str]:
    for found in operator.list(f"{cluster}/trustedAccessRoleBindings", CLUSTERS):
        yield found["properties"]["sourceResourceId"].lower()


def _roles(operator: Operator, root: str) -> Iterator[tuple[str, str, str]]:
    for found in operator.list(f"{root}/providers/Microsoft.Authorization/roleAssignments", ROLES):
        properties = found["properties"]
        if properties["scope"].lower() != root.lower() and not properties["condition"]:
            role = properties["roleDefinitionId"].rsplit("/", 1)[-1]
            yield properties["principalId"], role, properties["scope"].lower()


def _containers(operator: Operator, account: str) -> Iterator[str]:
    for found in operator.list(f"{account}/blobServices/default/containers", STORAGE):
        yield f"{_name(account)}/{found['name']}"


def _twice[T](items: Iterator[T] | tuple[T, ...]) -> list[tuple[T, int]]:
    return [(item, count) for item, count in Counter(items).items() if count > 1]


def _id(resource: Mapping[str, Any]) -> str:
    return str(resource["id"]).lower()


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]
