"""Restore: as far as the recordings show it, into a cluster that fulfils what protection needs."""

from typing import TYPE_CHECKING, Any

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection.backups import KILLED_AFTER
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.instances import Instances
from simulator.providers.data_protection.job_log import JobLog, Outcome
from simulator.providers.data_protection.jobs import Jobs
from simulator.providers.data_protection.models import BackupInstance, Job, RecoveryPoint, UserError, Vault
from simulator.providers.data_protection.recovery_points import expire, stores
from simulator.providers.data_protection.responses import accepted, invalid_input, refusal
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

RESTORES_PER_DAY = 10  # documented
CRITERIA = ("KubernetesClusterRestoreCriteria", "KubernetesClusterVaultTierRestoreCriteria")
POD_RESTARTED = UserError(
    "UserErrorBackupPluginPodRestartedDuringRestore",
    "The backup extension's pod restarted during the restore.",
    ("Raise the memory limit of the backup extension and try again.",),
)


class Restores:
    """validateRestore and restore. Not modelled: staging of vault tier restores, conflicts, what is restored."""

    def __init__(
        self,
        cloud: "Cloud",
        vaults: Vaults,
        instances: Instances,
        log: JobLog,
        jobs: Jobs,
        configuration: Configuration,
    ) -> None:
        self._cloud, self._vaults, self._instances = cloud, vaults, instances
        self._log, self._jobs, self._configuration = log, jobs, configuration

    def validate(self, call: Call) -> Response:
        vault, instance = self._vaults.of(call), self._instances.of(call)
        target, _ = self._read(call, instance, call.body().get("restoreRequestObject"))

        def validated() -> None:
            error = self._missing(vault, instance, target)
            if error is not None:
                raise self._configuration.failed(error)

        seconds = self._cloud.timings.validate_for_restore
        operation = self._cloud.operations.start(instance.id, vault.location, seconds, validated)
        return Response(202, None, accepted(call, operation))

    def restore(self, call: Call) -> Response:
        vault, instance = self._vaults.of(call), self._instances.of(call)
        request = call.body()
        target, point = self._read(call, instance, request)
        if self._log.asked_today(vault, instance, "Restore") >= RESTORES_PER_DAY:
            text = f"At most {RESTORES_PER_DAY} restores a day are allowed for a backup instance."
            raise refusal(call, 400, UserError("UserErrorMaxRestoresReached", text))  # assumed code
        job = self.start(vault, instance, target, point, request.get("sourceDataStoreType", "OperationalStore"))
        return self._jobs.triggered(call, vault, job)

    def start(
        self,
        vault: Vault,
        instance: BackupInstance,
        target: str,
        point: RecoveryPoint | None,
        store: str,
        outcome: Outcome | None = None,
    ) -> Job:
        """A restore job into the target cluster. It fails for what the target lacks when it ends, and when the
        container that does it there is replaced, or killed because so many resources take more memory than it has."""
        job = self._log.new_job(vault, instance, "Restore", is_user_triggered=True)
        job.source_point, job.source_store, job.target_cluster_id = point, store, target
        wanted = outcome or Outcome()
        extensions = self._cloud.kubernetes_configuration

        def troubled() -> UserError | None:
            lost = extensions.restarted_since(target, job.started)
            return self._missing(vault, instance, target) or (POD_RESTARTED if lost else None)

        def ended() -> None:
            if job.ended is not None:
                return
            error = troubled()
            if error is None and wanted.out_of_memory:
                extensions.kill_for_memory(target)
            error = error or wanted.error
            self._log.end(job, error, wanted.warnings if error is None else ())

        def killed() -> None:
            if troubled() is None:
                extensions.kill_for_memory(target)
                self._log.end(job, POD_RESTARTED)

        seconds = self._cloud.timings.restore_job
        if outcome is None and point is not None and not extensions.can_hold(target, point.resource_count):
            self._cloud.clock.call_later(seconds * KILLED_AFTER, killed)
        self._cloud.clock.call_later(seconds, ended)
        return job

    def _missing(self, vault: Vault, instance: BackupInstance, target: str) -> UserError | None:
        """Documented: the target needs the extension, trusted access and the same roles."""
        source = instance.properties["dataSourceInfo"] | {"resourceID": target}
        return self._configuration.missing(
            vault, instance.properties | {"dataSourceInfo": source, "dataSourceSetInfo": source}
        )

    def _read(self, call: Call, instance: BackupInstance, request: Any) -> tuple[str, RecoveryPoint]:
        """The target cluster and the point of a restore request. Raises BMSUserErrorInvalidInput (assumed code)."""
        expire(instance, self._cloud.clock.now())
        try:
            wanted = str(request["recoveryPointId"]).lower()
            target = request["restoreTargetInfo"]
            source = target["datasourceInfo"]
            cluster_id = str(source.get("resourceID") or source["resourceId"])
            criteria = [one["objectType"] for one in target["restoreCriteria"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise invalid_input(call, f"The restore request is not well formed ({error!r}).") from error
        if request.get("objectType") != "AzureBackupRecoveryPointBasedRestoreRequest" or not criteria:
            raise invalid_input(call, "A restore request is based on a recovery point and has restore criteria.")
        if not set(criteria) <= set(CRITERIA):
            raise invalid_input(call, f"Restore criteria are {' or '.join(CRITERIA)}.")
        point = next((one for one in instance.recovery_points if one.id.lower() == wanted), None)
        if point is None:
            raise invalid_input(call, f"Recovery point {wanted} does not exist.")
        if request.get("sourceDataStoreType") not in stores(point):
            raise invalid_input(call, f"The recovery point has no copy in {request.get('sourceDataStoreType')}.")
        return cluster_id, point
