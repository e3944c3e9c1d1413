"""Where Microsoft.DataProtection answers, and how often."""

from typing import TYPE_CHECKING

from simulator.arm.route import Bucket, Handler, Route

if TYPE_CHECKING:
    from simulator.providers.data_protection.behaviour import DataProtection

# The versions the installed SDK knows and those before them back to the recorded one's predecessor.
API_VERSIONS = frozenset(
    {
        "2023-11-01",
        "2023-12-01",
        "2024-02-01-preview",
        "2024-03-01",
        "2024-04-01",
        "2025-01-01",
        "2025-02-01",
        "2025-07-01",
        "2025-09-01",
        "2026-03-01",
        "2026-04-01-preview",
        "2026-06-01",
    }
)

# Sizes are recorded (2024-06; instance GET, instance PUT and vault lists 2025-08 and -12). The time in which a bucket
# fills again is not published: assumed five minutes.
_WINDOW = 300.0
_SIZES = {
    "vault-get": 1100,
    "vault-write": 100,
    "vault-delete": 100,
    "instance-get": 1100,
    "instance-put": 800,
    "instance-delete": 200,
    "job-get": 200,
    "points-list": 100,
    "vault-operation-status": 1000,
    "location-operation-status": 15000,
    "operation-result": 200,
}
BUCKETS = {name: Bucket(f"Microsoft.DataProtection/{name}", size, size / _WINDOW) for name, size in _SIZES.items()}

SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.DataProtection"
GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DataProtection"
VAULTS = GROUP + "/backupVaults"
VAULT = VAULTS + "/{vault}"
GUARDS = VAULT + "/backupResourceGuardProxies"
POLICIES = VAULT + "/backupPolicies"
INSTANCES = VAULT + "/backupInstances"
INSTANCE = INSTANCES + "/{instance}"
DELETED = VAULT + "/deletedBackupInstances"
JOBS = VAULT + "/backupJobs"
LOCATION = SUBSCRIPTION + "/locations/{location}"
GROUP_LOCATION = GROUP + "/locations/{location}"
CLUSTER = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters"
CLUSTER_INSTANCES = CLUSTER + "/{cluster}/providers/Microsoft.DataProtection/backupInstances"


def routes(provider: "DataProtection") -> list[Route]:
    """Every route; the bucket is None where recordings show ARM's own counters instead."""
    vaults, policies, instances = provider.vaults, provider.policies, provider.instances
    guards = provider.guards
    actions, jobs, restores, points = provider.actions, provider.jobs, provider.restores, provider.points
    table: list[tuple[str, str, Handler, str | None]] = [
        ("PUT", VAULT, vaults.put, "vault-write"),
        ("PATCH", VAULT, vaults.patch, "vault-write"),
        ("GET", VAULT, vaults.get, "vault-get"),
        ("DELETE", VAULT, vaults.delete, "vault-delete"),
        ("GET", VAULTS, vaults.list_group, "vault-get"),
        ("GET", SUBSCRIPTION + "/backupVaults", vaults.list_subscription, "vault-get"),
        ("POST", GROUP_LOCATION + "/checkNameAvailability", vaults.check_name, None),
        ("GET", GUARDS, guards.list_all, None),
        ("PUT", GUARDS + "/{proxy}", guards.put, None),
        ("GET", GUARDS + "/{proxy}", guards.get, None),
        ("DELETE", GUARDS + "/{proxy}", guards.delete, None),
        ("PUT", POLICIES + "/{policy}", policies.put, None),
        ("GET", POLICIES + "/{policy}", policies.get, None),
        ("DELETE", POLICIES + "/{policy}", policies.delete, None),
        ("GET", POLICIES, policies.list_all, None),
        ("POST", VAULT + "/validateForBackup", instances.validate_for_backup, None),
        ("PUT", INSTANCE, instances.put, "instance-put"),
        ("GET", INSTANCE, instances.get, "instance-get"),
        ("DELETE", INSTANCE, instances.delete, "instance-delete"),
        ("GET", INSTANCES, instances.list_all, "instance-get"),
        ("GET", CLUSTER_INSTANCES, instances.list_of_cluster, None),
        ("POST", INSTANCE + "/validateForModifyBackup", instances.validate_for_modify_backup, None),
        ("POST", INSTANCE + "/backup", jobs.backup, None),
        ("POST", INSTANCE + "/suspendBackups", actions.suspend_backups, None),
        ("POST", INSTANCE + "/resumeBackups", actions.resume_backups, None),
        ("POST", INSTANCE + "/stopProtection", actions.stop_protection, None),
        ("POST", INSTANCE + "/resumeProtection", actions.resume_protection, None),
        ("POST", INSTANCE + "/sync", actions.sync, None),
        ("POST", INSTANCE + "/validateRestore", restores.validate, None),
        ("POST", INSTANCE + "/restore", restores.restore, None),
        ("GET", INSTANCE + "/recoveryPoints", points.list_all, "points-list"),
        ("GET", INSTANCE + "/recoveryPoints/{point}", points.get, "points-list"),
        ("GET", DELETED, actions.list_deleted, None),
        ("GET", DELETED + "/{instance}", actions.get_deleted, None),
        ("POST", DELETED + "/{instance}/undelete", actions.undelete, None),
        ("GET", JOBS, jobs.list_all, "job-get"),
        ("GET", JOBS + "/{job}", jobs.get, "job-get"),
        ("GET", VAULT + "/operationStatus/{operation}", provider.operation_status, "vault-operation-status"),
        (
            "GET",
            GROUP_LOCATION + "/operationStatus/{operation}",
            provider.operation_status,
            "location-operation-status",
        ),
        ("GET", LOCATION + "/operationStatus/{operation}", provider.operation_status, "location-operation-status"),
        ("GET", LOCATION + "/operationResults/{operation}", provider.operation_result, "operation-result"),
        ("POST", LOCATION + "/checkFeatureSupport", provider.check_feature_support, None),
    ]
    return [
        Route(method, pattern, API_VERSIONS, handler, None if bucket is None else BUCKETS[bucket])
        for method, pattern, handler, bucket in table
    ]
