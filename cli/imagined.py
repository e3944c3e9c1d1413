"""An Azure in which a step has been done: what the next look would find, without anything having been sent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.facts import Absent, Fact, Present
from shared.domain.ids import same_id, subscription_of
from shared.domain.observed import (
    BackupInstance,
    BackupPolicy,
    BlobContainer,
    Extension,
    ObservedCluster,
    ObservedRegion,
    RecoveryPoint,
    ResourceGroup,
    RoleAssignment,
    StorageAccount,
    TrustedAccessBinding,
    Vault,
    grant_key,
)
from shared.domain.profile import Configuration
from shared.domain.reads import ClusterReads, Reading, RegionReads
from shared.domain.record import Record
from shared.domain.steps import (
    BACKUP_OPERATOR,
    EXTENSION_NAME,
    CreateBackupInstance,
    CreateBackupPolicy,
    CreateContainer,
    CreateDiagnosticSetting,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    CreateVault,
    DeleteExtension,
    Done,
    GrantRole,
    InstallExtension,
    RegisterProvider,
    ResumeBackups,
    ResumeProtection,
    RevokeRole,
    StartBackup,
    Step,
    UpdateVault,
    ValidateForBackup,
)
from shared.domain.time import Moment
from shared.plan.outcomes import remember
from shared.plan.region import policy_name, wanted_region
from shared.ports import AzureReader

_LONG_SINCE = timedelta(days=1)
"""A role that has been given so long ago has propagated."""


class Imagination:
    """What has been imagined so far, by one rehearsal or by several that share a region."""

    def __init__(self, configuration: Configuration, moment: Callable[[], Moment]) -> None:
        self._configuration, self._moment = configuration, moment
        self._ids: set[str] = set()

    def holds(self, arm_id: str) -> bool:
        """Whether the resource, or what it lies under, is only imagined."""
        path = arm_id.lower()
        return any(path == known or path.startswith(known + "/") for known in self._ids)

    def after(self, record: Record, step: Step) -> Record:
        """The record as a look would leave it once the step has worked. A step that this does not know changes
        nothing: what depends on it stays in `remaining`."""
        for made in (getattr(step, "arm_id", ""), getattr(getattr(step, "body", None), "arm_id", "")):
            if made:
                self._ids.add(made.lower())
        if isinstance(record.observed, ObservedRegion):
            return replace(record, observed=self._region(record, record.observed, step))
        if isinstance(step, ValidateForBackup):
            return remember(record, step, Done(), self._moment())
        return replace(record, observed=self._cluster(record.observed, step))

    def _now[T](self, value: T) -> Present[T]:
        return Present(value, self._moment().now)

    def _region(self, record: Record, observed: ObservedRegion, step: Step) -> ObservedRegion:
        match step:
            case RegisterProvider():
                return replace(observed, providers={**observed.providers, step.namespace: self._now("Registered")})
            case CreateResourceGroup():
                group = self._now(ResourceGroup(step.arm_id, _name(step.arm_id), step.location))
                wanted = wanted_region(record.subject, self._configuration)  # type: ignore[arg-type]
                if wanted is not None and same_id(step.arm_id, wanted.backup_group_id):
                    observed = replace(observed, backup_group=group)
                if wanted is not None and same_id(step.arm_id, wanted.snapshot_group_id):
                    observed = replace(observed, snapshot_group=group)
                return observed
            case CreateStorageAccount():
                return replace(observed, account=self._account(step))
            case CreateVault():
                return replace(observed, vault=self._vault(step))
            case UpdateVault() if isinstance(observed.vault, Present):
                return replace(observed, vault=self._now(self._raised(observed.vault.value, step)))
            case CreateDiagnosticSetting():
                return replace(observed, diagnostics=self._now(True))
            case CreateBackupPolicy():
                made = self._policy(step)
                return replace(observed, policies={**observed.policies, policy_name(step.arm_id): made})
            case GrantRole() | RevokeRole():
                return replace(observed, grants={**observed.grants, **self._grant(step)})
            case _:
                return observed

    def _cluster(self, observed: ObservedCluster | Any, step: Step) -> ObservedCluster:
        assert isinstance(observed, ObservedCluster)  # noqa: S101 - the caller chose by the observed
        match step:
            case CreateStorageAccount():
                return replace(observed, account=self._account(step))
            case CreateContainer():
                return replace(observed, container=self._now(BlobContainer(step.arm_id, _name(step.arm_id))))
            case InstallExtension():
                return replace(observed, extension=self._extension(step))
            case DeleteExtension():
                return replace(observed, extension=Absent(self._moment().now))
            case CreateTrustedAccessBinding():
                binding = TrustedAccessBinding(
                    step.arm_id, _name(step.arm_id), step.vault_id, (BACKUP_OPERATOR,), "Succeeded"
                )
                others = observed.bindings.value if isinstance(observed.bindings, Present) else ()
                return replace(observed, bindings=self._now((*others, binding)))
            case GrantRole() | RevokeRole():
                return replace(observed, grants={**observed.grants, **self._grant(step)})
            case CreateBackupInstance():
                return self._protected(observed, step)
            case ResumeBackups() | ResumeProtection():
                known = observed.instances.value if isinstance(observed.instances, Present) else ()
                resumed = (
                    replace(each, protection_state="ProtectionConfigured")
                    if same_id(each.arm_id, step.instance_id)
                    else each
                    for each in known
                )
                return replace(observed, instances=self._now(tuple(resumed)))
            case StartBackup():
                point = RecoveryPoint(step.instance_id, self._moment().now, "")
                return replace(observed, recovery_point=self._now(point))
            case _:
                return observed

    def _protected(self, observed: ObservedCluster, step: CreateBackupInstance) -> ObservedCluster:
        body = step.body
        vault_id = body.arm_id[: body.arm_id.lower().index("/backupinstances/")]
        known = observed.instances.value if isinstance(observed.instances, Present) else ()
        others = tuple(each for each in known if not same_id(each.arm_id, body.arm_id))
        made = BackupInstance(
            body.arm_id,
            _name(body.arm_id),
            vault_id,
            body.policy_id,
            "ProtectionConfigured",
            body.snapshot_group_id,
            cluster_id=body.cluster_id,
            scope=body.scope,
        )
        points = observed.recovery_point if len(others) < len(known) else Absent(self._moment().now)
        return replace(observed, instances=self._now((*others, made)), recovery_point=points)

    def _account(self, step: CreateStorageAccount) -> Fact[StorageAccount]:
        name = _name(step.arm_id)
        return self._now(StorageAccount(step.arm_id, name, step.location, "Succeeded", f"https://{name}.blob"))

    def _vault(self, step: CreateVault) -> Fact[Vault]:
        settings = step.settings
        return self._now(
            Vault(
                step.arm_id,
                _name(step.arm_id),
                step.location,
                self._identity(step.arm_id),
                "Succeeded",
                settings.soft_delete,
                settings.immutability,
                settings.redundancy,
                settings.soft_delete_days,
                settings.cross_region_restore,
                settings.cross_subscription_restore,
                tags=dict(step.tags),
            )
        )

    def _raised(self, vault: Vault, step: UpdateVault) -> Vault:
        return replace(
            vault,
            soft_delete=step.soft_delete,
            soft_delete_days=step.soft_delete_days or vault.soft_delete_days,
            immutability=step.immutability or vault.immutability,
            cross_subscription_restore=step.cross_subscription_restore or vault.cross_subscription_restore,
            cross_region_restore=step.cross_region_restore or vault.cross_region_restore,
            principal_id=vault.principal_id or (self._identity(vault.arm_id) if step.identity else None),
        )

    def _policy(self, step: CreateBackupPolicy) -> Fact[BackupPolicy]:
        schedule, retention = step.schedule, step.retention
        return self._now(
            BackupPolicy(
                step.arm_id,
                _name(step.arm_id),
                "",
                retention.vault_days is not None,
                schedule.interval,
                schedule.start,
                retention.operational_days,
                retention.vault_days,
            )
        )

    def _extension(self, step: InstallExtension) -> Fact[Extension]:
        return self._now(
            Extension(
                step.arm_id,
                EXTENSION_NAME,
                "Succeeded",
                self._identity(step.arm_id),
                step.container,
                _name(step.account_id),
                step.account_id.split("/")[4],
                subscription_of(step.account_id),
                uses_aad=True,
                memory_limit=step.resources.memory_limit or "",
                cpu_limit=step.resources.cpu_limit or "",
                memory_request=step.resources.memory_request or "",
            )
        )

    def _grant(self, step: GrantRole | RevokeRole) -> dict[str, Fact[RoleAssignment]]:
        now = self._moment().now
        given = isinstance(step, GrantRole)
        fact = Present(RoleAssignment("", now - _LONG_SINCE), now) if given else Absent(now)
        return {grant_key(step.grant): fact}

    def _identity(self, arm_id: str) -> str:
        """Stands for the identity that Azure will give it."""
        identity = f"the identity of {_name(arm_id)}".lower()
        self._ids.add(identity)
        return identity


class ImaginingReader:
    """`ports.AzureReader`: what is only imagined has nothing under it, and Azure is not asked about it."""

    def __init__(self, reader: AzureReader, imagination: Imagination, moment: Callable[[], Moment]) -> None:
        self._reader, self._imagination, self._moment = reader, imagination, moment
        self.list_clusters = reader.list_clusters

    async def read_cluster(self, cluster: Any, reads: ClusterReads, known: ObservedCluster) -> Reading[ObservedCluster]:
        nothing = Absent(self._moment().now)
        skipped: dict[str, Any] = {
            fact: nothing
            for fact, arm_id in (
                ("account", reads.account_id),
                ("container", reads.container_id),
                ("vault", reads.vault_id),
                ("policy", reads.policy_id),
                ("recovery_point", reads.recovery_points_of),
                ("deleted_instance", reads.deleted_instance_id),
            )
            if arm_id and self._imagination.holds(arm_id)
        }
        asked = {_ASKED_BY[fact]: None for fact in skipped}
        grants, fancied = self._split(reads)
        reading = await self._reader.read_cluster(cluster, replace(reads, grants=grants, **asked), known)  # type: ignore[arg-type]
        observed = replace(reading.observed, **skipped)
        observed = replace(observed, grants={**observed.grants, **{grant_key(g): nothing for g in fancied}})
        return Reading(observed, reading.errors)

    async def read_region(self, region: Any, reads: RegionReads, known: ObservedRegion) -> Reading[ObservedRegion]:
        nothing = Absent(self._moment().now)
        policies = tuple(each for each in reads.policy_ids if not self._imagination.holds(each))
        grants, fancied = self._split(reads)
        asked = replace(reads, policy_ids=policies, grants=grants)
        if reads.diagnostics_to is not None and self._imagination.holds(reads.diagnostics_of):
            known = replace(known, diagnostics=Present(False, self._moment().now))
            asked = replace(asked, diagnostics_to=None)
        reading = await self._reader.read_region(region, asked, known)
        missing = {policy_name(each): nothing for each in reads.policy_ids if each not in policies}
        observed = replace(
            reading.observed,
            policies={**reading.observed.policies, **missing},
            grants={**reading.observed.grants, **{grant_key(g): nothing for g in fancied}},
        )
        return Reading(observed, reading.errors)

    def _split(self, reads: ClusterReads | RegionReads) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The grants that Azure can know of, and those it cannot."""
        holds = self._imagination.holds
        fancied = tuple(g for g in reads.grants if holds(g.principal_id) or holds(g.scope))
        return tuple(g for g in reads.grants if g not in fancied), fancied


_ASKED_BY = {
    "account": "account_id",
    "container": "container_id",
    "vault": "vault_id",
    "policy": "policy_id",
    "recovery_point": "recovery_points_of",
    "deleted_instance": "deleted_instance_id",
}


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]
