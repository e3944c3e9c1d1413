"""A protected fleet, and everything the Guard set up for it, to be compared before and after."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from shared.domain.ids import ClusterId, RegionId
from shared.domain.profile import BackupScope, ProtectionProfile, Retention, VaultSettings
from shared.plan import names
from shared.plan.region import wanted_region
from tests.virtual.azure import AKS, BACKUP, ROOT
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

OLDER = "2025-07-01"
"""The api-version for vaults that are not AlwaysOn."""
INSIGHTS, LOGS = "2021-05-01-preview", "2023-09-01"
WORKSPACE = f"{ROOT}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/logs"
LOCATION = "configuration.backupStorageLocation"
HOUR = 3600.0


def profile_of(**changes: Any) -> ProtectionProfile:
    """With everything in it that can be broken."""
    vault = VaultSettings("On", soft_delete_days=30, immutability="Unlocked", diagnostics_workspace_id=WORKSPACE)
    scope = BackupScope(included_namespaces=("shop", "payments"), label_selectors=("tier=gold",))
    return enforcing(**{"vault": vault, "retention": Retention(7, 90), "scope": scope, **changes})


@dataclass
class Fleet:
    """Two clusters of one region: the first is broken, the other is its neighbour."""

    world: VirtualWorld
    cluster: ClusterId
    neighbour: ClusterId
    known: dict[str, str] = field(default_factory=dict)
    """What principals are called, by id."""

    @property
    def profile(self) -> ProtectionProfile:
        return next(iter(self.world.configuration.profiles.values()))

    @property
    def clusters(self) -> tuple[ClusterId, ClusterId]:
        return self.cluster, self.neighbour

    def __post_init__(self) -> None:
        wanted = wanted_region(self.region, self.world.configuration)
        assert wanted is not None
        assert wanted.account_id is not None
        self.vault, self.account = wanted.vault_id, wanted.account_id
        self.snapshots, (self.policy,) = wanted.snapshot_group_id, wanted.policies
        self.instance = names.instance_id(self.vault, self.cluster)

    @property
    def region(self) -> RegionId:
        return RegionId(self.cluster.subscription_id, "westeurope", self.profile.vault.vault_class)

    async def asked(self, seconds: float = 4 * HOUR) -> None:
        """A sweep asks for a look at both, and what follows from it has its time."""
        await self.world.notice(*self.clusters)
        await self.world.run(seconds=seconds)

    def changes(self) -> list[str]:
        return [change.lower() for change in self.world.operator.changes_by_the_app()]

    async def container(self, cluster: ClusterId) -> str:
        settings = (await self.world.operator.extensions(cluster))[0]["properties"]["configurationSettings"]
        return f"{self.account}/blobServices/default/containers/{settings[f'{LOCATION}.bucket']}"


async def protected(profile: ProtectionProfile | None = None) -> Fleet:
    """Long enough ago that nothing of it is under way any more."""
    world = VirtualWorld(configuration_of(profile or profile_of()), timings=QUICK)
    world.start_timer()
    await world.operator.make_group("logs")
    await world.operator.do("PUT", WORKSPACE, LOGS, {"location": "westeurope", "properties": {}}, wait=1)
    await world.granted.workspace(WORKSPACE)
    await world.clock.advance(60)
    clusters = [world.create_cluster(settled=True) for _ in range(2)]
    await world.notice(*clusters)
    assert await world.run_until_ready(*clusters, seconds=2 * HOUR)
    await world.run(seconds=HOUR)
    fleet = Fleet(world, clusters[0], clusters[1])
    await principals(fleet)
    return fleet


async def principals(fleet: Fleet) -> None:
    """Learn what the identities that are there now are called; one that is made again has another id."""
    operator = fleet.world.operator
    vault = await operator.get(fleet.vault, OLDER)
    fleet.known[vault["identity"].get("principalId", "")] = "vault"
    for number, cluster in enumerate(fleet.clusters):
        body = await operator.get(cluster.arm_id, AKS)
        fleet.known[body["identity"]["principalId"]] = f"cluster {number}"
        for extension in await operator.extensions(cluster):
            found = (extension["properties"].get("aksAssignedIdentity") or {}).get("principalId", "")
            fleet.known[found] = f"extension {number}"


async def whole(fleet: Fleet) -> Mapping[str, Any]:
    """Everything there is, with names for principals. What the service counts or dates by itself is left out, and
    roles of identities that are gone."""
    await principals(fleet)
    operator, vault = fleet.world.operator, fleet.vault
    body = await operator.get(vault, OLDER)
    state: dict[str, Any] = {
        "groups": await operator.groups(),
        "vaults": [each["id"] for each in await operator.vaults()],
        "accounts": [each["id"] for each in await operator.accounts()],
        "containers": sorted(each["id"] for each in await operator.containers()),
        "identity": body["identity"]["type"],
        "security": body["properties"]["securitySettings"],
        "features": body["properties"]["featureSettings"],
        "tags": body["tags"],
        "policies": {each["id"]: each["properties"] for each in await operator.policies()},
        "diagnostics": [
            each["properties"]
            for each in (await operator.get(f"{vault}/providers/Microsoft.Insights/diagnosticSettings", INSIGHTS))[
                "value"
            ]
        ],
        "deleted": [each["id"] for each in await operator.all_of(f"{vault}/deletedBackupInstances", BACKUP)],
        "roles": sorted(
            (fleet.known[principal], role, scope)
            for principal, role, scope in await operator.grants()
            if principal in fleet.known and fleet.world.cloud.identity.principal_exists(principal)
        ),
    }
    for number, cluster in enumerate(fleet.clusters):
        state[f"instances {number}"] = [
            (each["id"], each["properties"]["currentProtectionState"], each["properties"]["policyInfo"])
            for each in await operator.instances(cluster)
        ]
        state[f"extensions {number}"] = [
            (each["name"], each["properties"]["provisioningState"], each["properties"]["configurationSettings"])
            for each in await operator.extensions(cluster)
        ]
        state[f"bindings {number}"] = [(each["name"], each["properties"]) for each in await operator.bindings(cluster)]
        state[f"points {number}"] = sorted(each["name"] for each in await operator.recovery_points(cluster))
    return deepcopy(state)
