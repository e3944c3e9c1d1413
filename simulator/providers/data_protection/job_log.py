"""The jobs of every vault: how one begins, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.providers.data_protection.models import BackupInstance, BackupWarning, Job, Policy, UserError, Vault
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job shall end if nothing it needs is missing, whatever is in the cluster. `out_of_memory`: the container
    it runs in is killed at its end."""

    error: UserError | None = None
    warnings: tuple[BackupWarning, ...] = ()
    out_of_memory: bool = False


class JobLog:
    """Jobs begin and end here. `on_ended` are told of each job that reached its end."""

    def __init__(self, cloud: "Cloud", vaults: Vaults) -> None:
        self._cloud, self._vaults = cloud, vaults
        self.on_ended: list[Callable[[Vault, Job], None]] = []

    def new_job(self, vault: Vault, instance: BackupInstance, operation: str, *, is_user_triggered: bool) -> Job:
        """A job that starts now, listed at once."""
        now, name = self._cloud.clock.now(), str(self._cloud.new_uuid())
        job = Job(
            id=f"{vault.id}/backupJobs/{name}",
            name=name,
            instance=instance,
            vault_id=vault.id,
            policy_id=instance.policy_id,
            operation=operation,
            is_user_triggered=is_user_triggered,
            activity_id=str(self._cloud.new_uuid()),
            started=now,
            touched=now,
        )
        vault.jobs[name] = job
        return job

    def end(self, job: Job, error: UserError | None, warnings: tuple[BackupWarning, ...] = ()) -> None:
        """The job is over, now."""
        job.ended = job.touched = self._cloud.clock.now()
        job.errors = () if error is None else (error,)
        job.warnings = warnings
        job.status = "Failed" if error else "CompletedWithWarnings" if warnings else "Completed"
        vault = self._vaults.by_id(job.vault_id)
        if vault is not None:  # its group may be gone
            for tell in self.on_ended:
                tell(vault, job)

    def asked_today(self, vault: Vault, instance: BackupInstance, operation: str) -> int:
        """How many such jobs somebody asked for within 24 hours (assumed to be what the documented day means)."""
        yesterday = self._cloud.clock.now() - timedelta(days=1)
        return sum(
            job.instance is instance
            and job.operation == operation
            and job.is_user_triggered
            and job.started > yesterday
            for job in vault.jobs.values()
        )


def policy_of(vault: Vault, instance: BackupInstance) -> Policy:
    """The instance's policy; it cannot be deleted while it is in use."""
    return vault.policies[instance.policy_id.rsplit("/", 1)[-1].lower()]
