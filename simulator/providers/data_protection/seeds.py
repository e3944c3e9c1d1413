"""Vaults, policies, instances and their backups as if they had been there for long: nothing is checked, nothing waits,
nobody is told."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.providers.data_protection.instance_body import normalized
from simulator.providers.data_protection.models import (
    BackupInstance,
    BackupWarning,
    DataStoreCopy,
    Job,
    Policy,
    RecoveryPoint,
    UserError,
    Vault,
)
from simulator.providers.data_protection.policy_rules import uses_vault_store
from simulator.providers.data_protection.recovery_points import default_tag, retention
from simulator.providers.data_protection.schedules import next_backup
from simulator.providers.data_protection.vaults import Vaults, merged

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_SECURITY = {
    "softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0},
    "immutabilitySettings": {"state": "Disabled"},
}
_MISSED = UserError("KubernetesBackupGenericWarning", "The resource could not be backed up.", ("Check the resource.",))
_FAILED = UserError(
    "KubernetesBackupCustomResourcesTrackingTimeOutError", "The job failed.", ("See the error's documentation.",)
)


class Seeds:
    """Puts them where the calls would have."""

    def __init__(self, cloud: "Cloud", vaults: Vaults) -> None:
        self._cloud, self._vaults = cloud, vaults

    def vault(self, vault_id: str, location: str, settings: Mapping[str, Any], tags: dict[str, str]) -> Vault:
        """A vault with an identity of its own; the one that is there stays as it is."""
        found = self._vaults.by_id(vault_id)
        if found is not None:
            return found
        parts = vault_id.split("/")
        principal = self._cloud.identity.new_principal(parts[8])
        identity = {
            "type": "SystemAssigned",
            "principalId": principal.object_id,
            "tenantId": self._cloud.identity.tenant_id,
        }
        storage = [{"datastoreType": "VaultStore", "type": "GeoRedundant"}]
        properties = merged({"storageSettings": storage, "securitySettings": _SECURITY}, settings)
        vault = Vault(vault_id, parts[8], location, parts[2], parts[4], tags, identity, properties, "Succeeded")
        self._vaults.add(vault)
        return vault

    def policy(self, vault: Vault, name: str, properties: dict[str, Any]) -> Policy:
        found = vault.policies.get(name.lower())
        if found is None:
            found = vault.policies[name.lower()] = Policy(f"{vault.id}/backupPolicies/{name}", name, properties)
        return found

    def instance(
        self, vault: Vault, name: str, sent: dict[str, Any], *, state: str, cluster_uid: str
    ) -> BackupInstance:
        """A protected instance; `sent` is what a PUT would have sent."""
        properties = normalized(sent)
        instance = BackupInstance(
            id=f"{vault.id}/backupInstances/{name}",
            name=name,
            vault_id=vault.id,
            datasource_id=properties["dataSourceInfo"]["resourceID"],
            properties=properties,
            policy_id=properties["policyInfo"]["policyId"],
            activity_id=str(self._cloud.new_uuid()),
            state=state,
            provisioning_state="Succeeded",
            cluster_uid=cluster_uid,
        )
        vault.instances[name.lower()] = instance
        return instance

    def last_moments(self, policy: Policy, count: int, older: timedelta) -> list[datetime]:
        """The last moments, oldest first, at which the policy would have started a backup that is over by now."""
        seconds = timedelta(seconds=self._cloud.timings.backup_job)
        now = self._cloud.clock.now() - older - seconds
        following = next_backup(policy, now)
        every = next_backup(policy, following) - following
        return [following - every * number for number in range(count, 0, -1)]

    def backup(self, vault: Vault, instance: BackupInstance, policy: Policy, started: datetime, outcome: str) -> Job:
        """A scheduled backup that ran then, with the recovery point it left; `outcome` is completed, warnings or
        failed."""
        cloud, name = self._cloud, str(self._cloud.new_uuid())
        ended = started + timedelta(seconds=cloud.timings.backup_job)
        job = Job(
            id=f"{vault.id}/backupJobs/{name}",
            name=name,
            instance=instance,
            vault_id=vault.id,
            policy_id=policy.id,
            operation="Backup",
            is_user_triggered=False,
            activity_id=str(cloud.new_uuid()),
            started=started,
            touched=ended,
            tag=default_tag(policy),
            ended=ended,
        )
        vault.jobs[name] = job
        job.status = {"completed": "Completed", "warnings": "CompletedWithWarnings", "failed": "Failed"}[outcome]
        if outcome == "failed":
            job.errors = (_FAILED,)
            return job
        if outcome == "warnings":
            job.warnings = (BackupWarning("resource-1", _MISSED),)
        stores = ("OperationalStore", "VaultStore") if uses_vault_store(policy.properties) else ("OperationalStore",)
        copies = [self._copy(policy, store, ended) for store in stores]
        state = "Partial" if job.warnings else "Completed"
        point = RecoveryPoint(cloud.new_uuid().hex, ended, job.tag or "", policy.name, state, copies, len(stores) > 1)
        instance.recovery_points.append(point)
        job.recovery_point = point
        return job

    def _copy(self, policy: Policy, store: str, ended: datetime) -> DataStoreCopy:
        keep = retention(policy, default_tag(policy), store)
        return DataStoreCopy(str(self._cloud.new_uuid()), store, ended, None if keep is None else ended + keep)
