"""Reader and actor over the official SDKs' pipeline and a simulated Azure in virtual time, called as the app itself."""

from collections.abc import Callable
from typing import Any

from shared.act.actor import ArmActor
from shared.arm.client import ArmClient
from shared.arm.throttle import ThrottleSettings
from shared.domain.facts import value_of
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import Grant, ObservedCluster, ObservedRegion
from shared.domain.profile import (
    BackupSchedule,
    BackupScope,
    ExtensionResources,
    NetworkRules,
    Retention,
    VaultSettings,
)
from shared.domain.reads import ClusterReads, Reading, RegionReads
from shared.domain.steps import (
    Accepted,
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateContainer,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    Done,
    GrantRole,
    InstallExtension,
    InstanceBody,
    RegisterProvider,
    Step,
    StepOutcome,
)
from shared.observe.reader import ArmReader
from shared.plan.names import assignment_name
from simulator.clock import VirtualClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.http import Request, Response
from simulator.transport import BASE_URL, SimulatedCredential, SimulatedTransport
from tests.fakes.storage import FakeAuditTrail, FakeQuota

SUBSCRIPTION = f"/subscriptions/{FIRST_SUBSCRIPTION}"
BACKUP_GROUP = f"{SUBSCRIPTION}/resourceGroups/AKSAzureBackup_westeurope"
SNAPSHOT_GROUP = f"{SUBSCRIPTION}/resourceGroups/AKSAzureBackupSnapshots_westeurope"
VAULT = f"{BACKUP_GROUP}/providers/Microsoft.DataProtection/backupVaults/AKSAzureBackup-westeurope"
POLICY = f"{VAULT}/backupPolicies/AKSBackupPolicy-abc"
ACCOUNT = f"{BACKUP_GROUP}/providers/Microsoft.Storage/storageAccounts/aksbkpwesteurope1"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/shop"
REGION = RegionId(FIRST_SUBSCRIPTION, "westeurope", "default")
ALWAYS_ON = VaultSettings(soft_delete="AlwaysOn")

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


class AzureUnderTest:
    """One simulated Azure; more instances of the app share it, and the quota row, by `client`."""

    def __init__(self, throttle: ThrottleSettings | None = None) -> None:
        self.clock = VirtualClock()
        self.cloud = Cloud(self.clock)
        self.trail, self.quota = FakeAuditTrail(), FakeQuota()
        self.pauses: list[float] = []
        self.arm = self.client("one", throttle)
        self.reader = ArmReader(self.arm, self.clock)
        self.actor = ArmActor(self.arm, self.trail, self.clock)

    def client(self, instance: str, throttle: ThrottleSettings | None = None) -> ArmClient:
        return ArmClient(
            BASE_URL,
            SimulatedCredential(self.cloud),
            ("https://management.azure.com/.default",),
            quota=self.quota,
            clock=self.clock,
            instance=instance,
            throttle=throttle,
            transport=SimulatedTransport(self.cloud),
            sleep=self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def get(self, path: str, version: str) -> Response:
        """The world as its operator sees it over ARM."""
        return await self.call("GET", path, version)

    async def call(self, method: str, path: str, version: str, body: bytes = b"", principal: Any = None) -> Response:
        token = self.cloud.identity.token(principal or self.cloud.identity.operator)
        headers = {"authorization": f"Bearer {token}"}
        return await self.cloud.respond(
            Request(method, path, query={"api-version": version}, headers=headers, body=body)
        )

    async def cluster(self, **overrides: Any) -> ClusterId:
        arm_id = self.cloud.container_service.create_cluster("westeurope", FIRST_SUBSCRIPTION, overrides)
        await self.clock.advance(600)
        return ClusterId.parse(arm_id)

    async def look(self, cluster_id: ClusterId, /, **reads: Any) -> Reading[ObservedCluster]:
        return await self.reader.read_cluster(cluster_id, ClusterReads(**reads), ObservedCluster())

    async def look_at_region(self, **reads: Any) -> Reading[ObservedRegion]:
        return await self.reader.read_region(REGION, RegionReads(**reads), ObservedRegion())

    async def apply(self, step: Step, cluster: ClusterId | None = None) -> StepOutcome:
        return await self.actor.apply(cluster or REGION, step)

    async def done(self, *steps: Step, wait: float = 0) -> None:
        """Apply steps that must succeed, then let Azure's time pass."""
        for step in steps:
            outcome = await self.apply(step)
            assert isinstance(outcome, Done | Accepted), outcome
        await self.clock.advance(wait)

    async def region(self, settings: VaultSettings = ALWAYS_ON) -> None:
        """Providers, groups, account, vault and policy."""
        namespaces = ("Microsoft.DataProtection", "Microsoft.KubernetesConfiguration", "Microsoft.Storage")
        await self.done(*(RegisterProvider(FIRST_SUBSCRIPTION, namespace) for namespace in namespaces), wait=900)
        await self.done(
            CreateResourceGroup(BACKUP_GROUP, "westeurope", {"AKSAzureBackup": "westeurope"}),
            CreateResourceGroup(SNAPSHOT_GROUP, "westeurope", {}),
        )
        await self.done(
            CreateStorageAccount(ACCOUNT, "westeurope", {}, None, NetworkRules(), VAULT),
            CreateVault(VAULT, "westeurope", {"AKSAzureBackup": "westeurope"}, settings, None),
            wait=120,
        )
        await self.done(CreateBackupPolicy(POLICY, BackupSchedule(), Retention(), settings.soft_delete))

    async def ready_to_protect(self, cluster: ClusterId, without: Callable[[Step], bool] = lambda _: False) -> None:
        """Container, extension, trusted access and roles of one cluster, but for what `without` says."""
        steps: list[Step] = [
            CreateContainer(CONTAINER),
            InstallExtension(
                cluster.arm_id,
                "shop",
                ACCOUNT,
                "https://aksbkpwesteurope1.blob.core.windows.net/",
                ExtensionResources(memory_limit="2Gi"),
            ),
            CreateTrustedAccessBinding(f"{cluster.arm_id}/trustedAccessRoleBindings/tarb-1", VAULT),
        ]
        await self.done(*(step for step in steps if not without(step)), wait=900)
        observed = (await self.look(cluster, cluster=True, extension=True)).observed
        vault = value_of((await self.look_at_region(vault_id=VAULT)).observed.vault)
        control_plane, extension = value_of(observed.cluster), value_of(observed.extension)
        assert vault is not None
        assert vault.principal_id is not None
        assert control_plane is not None
        assert control_plane.identity_principal_id is not None
        grants = [
            Grant(vault.principal_id, READER, cluster.arm_id),
            Grant(vault.principal_id, READER, SNAPSHOT_GROUP.lower()),
            Grant(control_plane.identity_principal_id, CONTRIBUTOR, SNAPSHOT_GROUP.lower()),
        ]
        if extension is not None and extension.principal_id is not None:
            grants.append(Grant(extension.principal_id, BLOB_DATA_CONTRIBUTOR, ACCOUNT.lower()))
        roles: list[Step] = [GrantRole(grant, assignment_name(grant)) for grant in grants]
        await self.done(*(step for step in roles if not without(step)), wait=900)

    def body_of(
        self, cluster: ClusterId, soft_delete: str = "AlwaysOn", scope: BackupScope | None = None
    ) -> InstanceBody:
        return InstanceBody(
            arm_id=f"{VAULT}/backupInstances/{cluster.name}-1",
            cluster_id=cluster.arm_id,
            cluster_name=cluster.name,
            location="westeurope",
            policy_id=POLICY,
            snapshot_group_id=SNAPSHOT_GROUP,
            scope=scope or BackupScope(),
            soft_delete=soft_delete,
        )

    async def protected(self) -> tuple[ClusterId, InstanceBody]:
        """A cluster that is protected, made by the app's own steps."""
        await self.region()
        cluster = await self.cluster()
        await self.ready_to_protect(cluster)
        body = self.body_of(cluster)
        await self.done(CreateBackupInstance(body), wait=600)
        return cluster, body

    def mutations(self) -> list[tuple[str, str, int | None]]:
        """The app's mutating calls so far, as the simulator counted them."""
        return [
            (call.method, call.path, call.status) for call in self.cloud.front_door.calls.all() if call.method != "GET"
        ]
