"""Backups: what becomes of one from its start to its recovery point."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.findings import Findings, findings, meets_slow_csi, scope_of
from simulator.providers.data_protection.instances import Instances
from simulator.providers.data_protection.job_log import JobLog, Outcome, policy_of
from simulator.providers.data_protection.models import BackupInstance, Job, UserError, Vault
from simulator.providers.data_protection.recovery_points import (
    choose_tag,
    copy_to_vault,
    default_tag,
    expire,
    make_point,
    stores,
)

if TYPE_CHECKING:
    from simulator.cloud import Cloud
    from simulator.providers.container_service.models import Cluster

KILLED_AFTER = 0.6  # assumed: the part of a job's time after which a container that is too small is killed
POD_RESTARTED = UserError(
    "UserErrorBackupPluginPodRestartedDuringBackup",
    "The backup extension's pod restarted during the backup.",
    ("Raise the memory limit of the backup extension and try again.",),
)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a backup found in the cluster when it began."""

    resources: int
    findings: Findings


class Backups:
    """Starts backups; each ends by itself."""

    def __init__(self, cloud: "Cloud", log: JobLog, instances: Instances, configuration: Configuration) -> None:
        self._cloud, self._log, self._instances, self._configuration = cloud, log, instances, configuration

    def start_scheduled(self, vault: Vault, instance: BackupInstance, outcome: Outcome | None = None) -> Job:
        """A backup as the schedule starts it."""
        tag = choose_tag(policy_of(vault, instance), instance, self._cloud.clock.now())
        return self.start(vault, instance, tag=tag, is_user_triggered=False, outcome=outcome)

    def start(
        self,
        vault: Vault,
        instance: BackupInstance,
        *,
        tag: str,
        is_user_triggered: bool,
        outcome: Outcome | None = None,
    ) -> Job:
        """A backup that runs for the recorded 184 s. What it needs is looked at when it starts and when it ends
        (assumed: a job that cannot succeed takes as long as one that can); what it finds in the cluster, when it
        starts. An outcome that was asked for takes the place of what is found."""
        job = self._log.new_job(vault, instance, "Backup", is_user_triggered=is_user_triggered)
        job.tag = tag
        cluster = self._cloud.container_service.cluster(instance.datasource_id)
        at_start = self._configuration.job_error(vault, instance)
        taken = _Taken(0, Findings()) if at_start or cluster is None else self._look(cluster, instance, outcome)
        extensions = self._cloud.kubernetes_configuration

        def ended() -> None:
            if job.ended is not None:
                return
            error = at_start or self._configuration.job_error(vault, instance) or self._restarted(job)
            if error is None and outcome is not None:
                error = outcome.error
                if outcome.out_of_memory:
                    extensions.kill_for_memory(instance.datasource_id)
            warnings = () if error is not None else taken.findings.warnings
            if error is None:
                self._succeed(vault, job, taken)
            self._log.end(job, error, warnings)

        def killed() -> None:
            """Unless something else has become of the job already, which is told when its time is over."""
            if self._configuration.job_error(vault, instance) is None and self._restarted(job) is None:
                extensions.kill_for_memory(instance.datasource_id)
                self._log.end(job, POD_RESTARTED)

        seconds = self._cloud.timings.backup_job
        if outcome is None and not at_start and not extensions.can_hold(instance.datasource_id, taken.resources):
            self._cloud.clock.call_later(seconds * KILLED_AFTER, killed)
        self._cloud.clock.call_later(seconds, ended)
        return job

    def held_snapshots(self, cluster_id: str) -> Mapping[str, int]:
        """How many snapshots of each volume of the cluster are held by recovery points, of any instance."""
        held: Counter[str] = Counter()
        for instance in self._instances.of_cluster(cluster_id):
            expire(instance, self._cloud.clock.now())
            for point in instance.recovery_points:
                if "OperationalStore" in stores(point):
                    held.update(point.snapshots)
        return held

    def _look(self, cluster: "Cluster", instance: BackupInstance, outcome: Outcome | None) -> _Taken:
        """What the backup takes and what it leaves out."""
        contents = cluster.contents
        found = findings(contents, scope_of(instance.properties), self.held_snapshots(cluster.id))
        if outcome is not None:
            found = replace(found, warnings=outcome.warnings)
        if meets_slow_csi(contents, found):
            cluster.contents = replace(contents, slow_csi_snapshots=contents.slow_csi_snapshots - 1)
        return _Taken(contents.resource_count, found)

    def _restarted(self, job: Job) -> UserError | None:
        """A backup does not survive the container it runs in: one that is killed, or replaced with its pod."""
        lost = self._cloud.kubernetes_configuration.restarted_since(job.instance.datasource_id, job.started)
        return POD_RESTARTED if lost else None

    def _succeed(self, vault: Vault, job: Job, taken: _Taken) -> None:
        instance, policy = job.instance, policy_of(vault, job.instance)
        partial = bool(taken.findings.warnings)
        point = make_point(self._cloud, policy, job.tag or default_tag(policy), started=job.started, partial=partial)
        point.snapshots, point.resource_count = taken.findings.snapshots, taken.resources
        instance.recovery_points.append(point)
        job.recovery_point, job.resource_count = point, taken.resources
        copy_to_vault(self._cloud, policy, instance, point)
