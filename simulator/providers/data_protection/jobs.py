"""Backup jobs: on demand, as the schedule runs them, and as a test wants them to end."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection import policy_rules
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.instances import Instances
from simulator.providers.data_protection.job_body import job_body
from simulator.providers.data_protection.models import BackupInstance, BackupWarning, Job, Policy, UserError, Vault
from simulator.providers.data_protection.recovery_points import choose_tag, copy_to_vault, default_tag, make_point
from simulator.providers.data_protection.responses import accepted, invalid_input, not_found, page, refusal
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

ON_DEMAND_PER_DAY = 10  # documented
POD_RESTARTED = UserError(
    "UserErrorBackupPluginPodRestartedDuringBackup",
    "The backup extension's pod restarted during the backup.",
    ("Raise the memory limit of the backup extension and try again.",),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job shall end if nothing it needs is missing."""

    error: UserError | None = None
    warnings: tuple[BackupWarning, ...] = ()


class Jobs:
    """The jobs of every vault."""

    def __init__(self, cloud: "Cloud", vaults: Vaults, instances: Instances, configuration: Configuration) -> None:
        self._cloud, self._vaults = cloud, vaults
        self._instances, self._configuration = instances, configuration

    def get(self, call: Call) -> Response:
        job = self._vaults.of(call).jobs.get(call.params["job"].lower())
        if job is None:
            raise not_found(call, call.params["job"])
        return Response(200, job_body(job))

    def list_all(self, call: Call) -> Response:
        """Newest first (assumed)."""
        jobs = sorted(self._vaults.of(call).jobs.values(), key=lambda job: job.started, reverse=True)
        return page(call, jobs, lambda job: job_body(job, slim=True))

    def backup(self, call: Call) -> Response:
        """An on-demand backup. A second one while one runs is accepted and runs beside it (assumed)."""
        vault, instance = self._vaults.of(call), self._instances.of(call)
        policy = self.policy(vault, instance)
        options = call.body().get("backupRuleOptions") or {}
        override = (options.get("triggerOption") or {}).get("retentionTagOverride")
        if str(options.get("ruleName")).lower() != policy_rules.backup_rule(policy.properties)["name"].lower():
            raise invalid_input(call, f"{options.get('ruleName')} is not the policy's backup rule.")
        names = {
            tag["tagInfo"]["tagName"].lower(): tag["tagInfo"]["tagName"] for tag in policy_rules.tags(policy.properties)
        }
        if override and override.lower() not in names:
            raise invalid_input(call, f"{override} is not a tag of the policy.")
        if instance.state != "ProtectionConfigured":
            raise self._instances.wrong_state(call, instance)
        if self.asked_today(vault, instance, "Backup") >= ON_DEMAND_PER_DAY:  # assumed: the code
            text = f"At most {ON_DEMAND_PER_DAY} on-demand backups a day are allowed for a backup instance."
            action = ("Wait until a day has passed since the first of them.",)
            raise refusal(call, 400, UserError("UserErrorMaxOnDemandBackupsReached", text, action))
        tag = names[override.lower()] if override else default_tag(policy)
        job = self.start_backup(vault, instance, tag=tag, is_user_triggered=True)
        return self.triggered(call, vault, job)

    def triggered(self, call: Call, vault: Vault, job: Job) -> Response:
        """The answer to a call that started a job: an operation that ends at once and names it (recorded)."""
        operation = self._cloud.operations.start(
            job.instance.id,
            vault.location,
            self._cloud.timings.adhoc_trigger,
            lambda: {"jobId": job.id, "objectType": "OperationJobExtendedInfo"},
        )
        return Response(202, None, accepted(call, operation))

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

    @staticmethod
    def policy(vault: Vault, instance: BackupInstance) -> Policy:
        """The instance's policy; it cannot be deleted while it is in use."""
        return vault.policies[instance.policy_id.rsplit("/", 1)[-1].lower()]

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

    def start_scheduled(self, vault: Vault, instance: BackupInstance, outcome: Outcome) -> Job:
        """A backup as the schedule starts it."""
        tag = choose_tag(self.policy(vault, instance), instance, self._cloud.clock.now())
        return self.start_backup(vault, instance, tag=tag, is_user_triggered=False, outcome=outcome)

    def start_backup(
        self,
        vault: Vault,
        instance: BackupInstance,
        *,
        tag: str,
        is_user_triggered: bool,
        outcome: Outcome | None = None,
    ) -> Job:
        """A backup that runs for the recorded 184 s. What it needs is looked at when it starts and when it ends
        (assumed: a job that cannot succeed takes as long as one that can)."""
        job = self.new_job(vault, instance, "Backup", is_user_triggered=is_user_triggered)
        job.tag = tag
        wanted = outcome or Outcome()
        at_start = self._configuration.job_error(vault, instance)

        def ended() -> None:
            error = at_start or self._configuration.job_error(vault, instance) or self._restarted(job) or wanted.error
            if error is None:
                self._succeed(vault, job, wanted.warnings)
            self.end(job, error, wanted.warnings if error is None else ())

        self._cloud.clock.call_later(self._cloud.timings.backup_job, ended)
        return job

    def _restarted(self, job: Job) -> UserError | None:
        """A backup does not survive its extension's being installed or updated: the pods are new."""
        extension = self._cloud.kubernetes_configuration.backup_extension(job.instance.datasource_id)
        since = None if extension is None else extension.last_succeeded_at
        return POD_RESTARTED if since is not None and since > job.started else None

    def _succeed(self, vault: Vault, job: Job, warnings: tuple[BackupWarning, ...]) -> None:
        instance, policy = job.instance, self.policy(vault, job.instance)
        point = make_point(
            self._cloud, policy, job.tag or default_tag(policy), started=job.started, partial=bool(warnings)
        )
        instance.recovery_points.append(point)
        job.recovery_point = point
        copy_to_vault(self._cloud, policy, instance, point)

    def end(self, job: Job, error: UserError | None, warnings: tuple[BackupWarning, ...]) -> None:
        """The job is over, now."""
        job.ended = job.touched = self._cloud.clock.now()
        job.errors = () if error is None else (error,)
        job.warnings = warnings
        job.status = "Failed" if error else "CompletedWithWarnings" if warnings else "Completed"
