"""Microsoft.DataProtection as a whole: its parts, and what other providers and the control endpoint ask of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.operations import Operation
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.data_protection.actions import Actions
from simulator.providers.data_protection.backups import POD_RESTARTED, Backups
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.instances import Instances
from simulator.providers.data_protection.job_log import JobLog, Outcome
from simulator.providers.data_protection.jobs import Jobs
from simulator.providers.data_protection.models import (
    BackupInstance,
    BackupWarning,
    Job,
    RecoveryPoint,
    UserError,
    Vault,
)
from simulator.providers.data_protection.policies import Policies
from simulator.providers.data_protection.policy_rules import AKS
from simulator.providers.data_protection.recovery_points import RecoveryPoints, expire
from simulator.providers.data_protection.resource_guards import ResourceGuardProxies
from simulator.providers.data_protection.responses import error_object, not_found, operation_result, operation_status
from simulator.providers.data_protection.restores import POD_RESTARTED as POD_RESTARTED_IN_RESTORE
from simulator.providers.data_protection.restores import Restores
from simulator.providers.data_protection.routes import routes
from simulator.providers.data_protection.schedules import Schedules
from simulator.providers.data_protection.seeds import Seeds
from simulator.providers.data_protection.vaults import NOT_EMPTY, Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

OUTCOMES = ("completed", "warnings", "failed", "oom")


class DataProtection:
    """The provider."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.vaults = Vaults(cloud)
        self.policies = Policies(self.vaults)
        self._configuration = Configuration(cloud, self.vaults)
        self.instances = Instances(cloud, self.vaults, self._configuration)
        self.actions = Actions(cloud, self.vaults, self.instances, self._configuration)
        self.points = RecoveryPoints(cloud, self.instances)
        self._log = JobLog(cloud, self.vaults)
        self.backups = Backups(cloud, self._log, self.instances, self._configuration)
        self.jobs = Jobs(cloud, self.vaults, self.instances, self._log, self.backups)
        self.restores = Restores(cloud, self.vaults, self.instances, self._log, self.jobs, self._configuration)
        self.guards = ResourceGuardProxies(cloud, self.vaults)
        self.seeds = Seeds(cloud, self.vaults)
        schedules = Schedules(cloud, self.vaults, self._configuration, self.backups.start_scheduled)
        self._configuration.on_protected = self.follow_schedule = schedules.follow
        self.policies.on_changed = schedules.follow_all_of

    def routes(self) -> list[Route]:
        return routes(self)

    def vault(self, resource_id: str) -> Vault | None:
        return self.vaults.by_id(resource_id)

    def instances_of(self, cluster_id: str) -> list[BackupInstance]:
        """The backup instances of a cluster, in any vault; soft-deleted ones are left out."""
        return self.instances.of_cluster(cluster_id)

    def all_jobs(self) -> list[Job]:
        """Every job of every vault, running ones too; `job.vault_id` says whose it is."""
        return [job for vault in self.vaults.all() for job in vault.jobs.values()]

    @property
    def on_job_ended(self) -> list[Callable[[Vault, Job], None]]:
        """Whoever wants to know adds a function; it is called when a job has reached its end."""
        return self._log.on_ended

    def recovery_points(self, instance_id: str) -> list[RecoveryPoint]:
        """The recovery points of an instance that are within their retention, oldest first."""
        for vault in self.vaults.all():
            for instance in vault.instances.values():
                if instance.id.lower() == instance_id.lower():
                    expire(instance, self._cloud.clock.now())
                    return sorted(instance.recovery_points, key=lambda point: point.time)
        return []

    def drop_group(self, subscription_id: str, group: str) -> None:
        """Forget the vaults of a deleted resource group."""
        for vault in self.vaults.in_group(subscription_id, group):
            self.vaults.forget(vault)

    def refuses_drop(self, subscription_id: str, group: str) -> list[tuple[str, ArmError]]:
        """The vaults that keep a resource group from being deleted, with what deleting each would be answered."""
        error = error_object(NOT_EMPTY, str(self._cloud.new_uuid()))
        return [
            (vault.id, ArmError(400, NOT_EMPTY.code, NOT_EMPTY.message, body={"error": error}))
            for vault in self.vaults.in_group(subscription_id, group)
            if self.vaults.holds_instances(vault)
        ]

    def held_snapshots(self, cluster_id: str) -> Mapping[str, int]:
        """How many snapshots of each volume of the cluster Azure Backup holds."""
        return self.backups.held_snapshots(cluster_id)

    def run_schedule(self, cluster_id: str | None = None) -> list[str]:
        """Start the scheduled backup now, of one cluster or of all, and return the ids of the jobs. Instances whose
        backups are suspended, stopped or not configured have no scheduled backup."""
        found = [
            (vault, instance)
            for vault in self.vaults.all()
            for instance in vault.instances.values()
            if cluster_id is None or instance.datasource_id.lower() == cluster_id.lower()
        ]
        return [
            self.backups.start_scheduled(vault, instance).id
            for vault, instance in found
            if self._configuration.refresh(instance).state == "ProtectionConfigured"
        ]

    def add_job(
        self,
        cluster_id: str,
        operation: str = "Backup",
        outcome: str = "completed",
        warnings: int | Sequence[str | Mapping[str, str]] | None = None,
        code: str | None = None,
    ) -> str:
        """Start a job as the schedule would and say how it ends, whatever is in the cluster, unless something that it
        needs is missing; its full id.

        `operation` is Backup or Restore; `outcome` completed, warnings, failed or oom; `warnings` a number of warnings
        or what they are about (a resource's name, or {resourceName, code, message}); `code` the error's or the
        warnings'. Raises ArmError 404 without an instance and 409 when it is not protected, ValueError for an argument
        that is not one of these."""
        restore = operation.lower() == "restore"
        if outcome not in OUTCOMES or operation.lower() not in ("backup", "restore"):
            raise ValueError(f"operation is Backup or Restore, outcome one of {', '.join(OUTCOMES)}.")
        instances = self.instances_of(cluster_id)
        if not instances:
            raise ArmError(404, "UserErrorGenericResourceNotFound", f"{cluster_id} has no backup instance.")
        instance = next((one for one in instances if one.state == "ProtectionConfigured"), None)
        if instance is None:
            raise ArmError(409, "UserErrorDppInvalidProtectionState", f"Protection is {instances[0].state}.")
        vault = self.vaults.by_id(instance.vault_id)
        assert vault is not None  # noqa: S101 - an instance lives in its vault
        wanted = _outcome(outcome, warnings, code, restore=restore)
        if not restore:
            return self.backups.start_scheduled(vault, instance, wanted).id
        points = self.recovery_points(instance.id)
        point = points[-1] if points else None
        return self.restores.start(vault, instance, instance.datasource_id, point, "OperationalStore", wanted).id

    def operation_status(self, call: Call) -> Response:
        return Response(200, operation_status(self._operation(call), call.request.path))

    def operation_result(self, call: Call) -> Response:
        return operation_result(call, self._operation(call))

    def _operation(self, call: Call) -> Operation:
        operation = self._cloud.operations.get(call.params["operation"])
        if operation is None or "/microsoft.dataprotection/" not in operation.resource_id.lower():
            raise not_found(call, call.params["operation"])
        return operation

    def check_feature_support(self, call: Call) -> Response:
        """Assumed: GenerallyAvailable for AKS everywhere; no live answer was seen, nor how it tells of tiers."""
        wanted = str(call.body().get("featureName") or AKS)
        status = "GenerallyAvailable" if wanted.lower() == AKS.lower() else "NotSupported"
        return Response(
            200,
            {
                "objectType": "FeatureValidationResponse",
                "featureType": "DataSourceType",
                "features": [{"featureName": wanted, "supportStatus": status, "exposureControlledFeatures": []}],
            },
        )


def _outcome(
    outcome: str, warnings: int | Sequence[str | Mapping[str, str]] | None, code: str | None, *, restore: bool
) -> Outcome:
    if outcome == "oom":
        return Outcome(POD_RESTARTED_IN_RESTORE if restore else POD_RESTARTED, out_of_memory=True)
    if outcome == "failed":
        default = "KubernetesBackupCustomResourcesTrackingTimeOutError"
        return Outcome(UserError(code or default, "The job failed.", ("See the error's documentation.",)))
    if outcome == "completed":
        return Outcome()
    if warnings is None or (isinstance(warnings, int) and not isinstance(warnings, bool) and warnings > 0):
        warnings = [f"resource-{number}" for number in range(1, (warnings or 1) + 1)]
    if isinstance(warnings, str) or not isinstance(warnings, Sequence) or not warnings:
        raise ValueError("must be a number above 0 or a list that is not empty")
    return Outcome(warnings=tuple(_warning(one, code) for one in warnings))


def _warning(given: Any, code: str | None) -> BackupWarning:
    if not isinstance(given, str | Mapping):
        raise ValueError("must be resource names or {resourceName, code, message}")
    about = {"resourceName": given} if isinstance(given, str) else given
    text = about.get("message", "The resource could not be backed up.")
    error = UserError(about.get("code") or code or "KubernetesBackupGenericWarning", text, ("Check the resource.",))
    return BackupWarning(about.get("resourceName", ""), error)
