"""The operations that resource providers publish: a custom role may name these and no others.

Names from the lists at https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations and,
for Azure Backup, from what its provider answers (`Get-AzDataProtectionOperation`) and its built-in roles name as well.
Of namespaces without a list here everything is taken for published, which Azure would not do. Providers come to publish
more: a name that is missing here and that Azure is seen to accept belongs here."""

from collections.abc import Iterable, Mapping
from functools import cache

from simulator.providers.authorization.patterns import matches

_REST = "read write delete"
_DATA_PROTECTION = {
    "": "register/action unregister/action",
    "backupVaults": f"{_REST} validateForBackup/action",
    "backupVaults/backupInstances": (
        f"{_REST} backup/action sync/action stopProtection/action suspendBackups/action resumeProtection/action "
        "resumeBackups/action validateRestore/action restore/action findRestorableTimeRanges/action"
    ),
    "backupVaults/backupInstances/operationResults": "read",
    "backupVaults/backupInstances/recoveryPoints": "read",
    "backupVaults/backupJobs": "read enableProgress/action",
    "backupVaults/backupPolicies": _REST,
    "backupVaults/backupResourceGuardProxies": f"{_REST} unlockDelete/action",
    "backupVaults/deletedBackupInstances": "read undelete/action",
    "backupVaults/operationResults": "read",
    "backupVaults/operationStatus": "read",
    "locations": "checkNameAvailability/action getBackupStatus/action checkFeatureSupport/action",
    "locations/operationResults": "read",
    "locations/operationStatus": "read",
    "operations": "read",
    "subscriptions/providers/locations": "checkFeatureSupport/action",
    "subscriptions/providers/resourceGuards": "read",
    "subscriptions/resourceGroups/providers/locations": (
        "crossRegionRestore/action validateCrossRegionRestore/action fetchCrossRegionRestoreJob/action "
        "fetchCrossRegionRestoreJobs/action fetchSecondaryRecoveryPoints/action"
    ),
    "subscriptions/resourceGroups/providers/locations/operationStatus": "read",
    "subscriptions/resourceGroups/providers/operationStatus": "read",
    "subscriptions/resourceGroups/providers/resourceGuards": _REST,
    "subscriptions/resourceGroups/providers/resourceGuards/{operationName}": "read",
}
_KUBERNETES_CONFIGURATION = {
    "": "register/action unregister/action",
    "extensions": _REST,
    "extensions/operations": "read",
    "extensionTypes": "read",
    "fluxConfigurations": _REST,
    "fluxConfigurations/operations": "read",
    "namespaces": "read listUserCredential/action",
    "operations": "read",
    "privateLinkScopes": _REST,
    "privateLinkScopes/privateEndpointConnectionProxies": (
        f"{_REST} validate/action updatePrivateEndpointProperties/action"
    ),
    "privateLinkScopes/privateEndpointConnectionProxies/operations": "read",
    "privateLinkScopes/privateEndpointConnections": _REST,
    "sourceControlConfigurations": _REST,
}
_CONTAINER_SERVICE = {
    "": "register/action unregister/action",
    "containerServices": _REST,
    "fleetMemberships": _REST,
    "fleets": f"{_REST} listCredentials/action",
    "fleets/members": _REST,
    "fleets/updateRuns": f"{_REST} start/action stop/action",
    "locations/guardrailsVersions": "read",
    "locations/meshRevisionProfiles": "read",
    "locations/operationresults": "read",
    "locations/operations": "read",
    "locations/orchestrators": "read",
    "locations/osOptions": "read",
    "managedClusters": (
        f"{_REST} start/action stop/action abort/action listClusterAdminCredential/action "
        "listClusterUserCredential/action listClusterMonitoringUserCredential/action "
        "resetServicePrincipalProfile/action unpinManagedCluster/action resolvePrivateLinkServiceId/action "
        "resetAADProfile/action rotateClusterCertificates/action runCommand/action "
        "privateEndpointConnectionsApproval/action"
    ),
    "managedClusters/accessProfiles": "read listCredential/action",
    "managedClusters/agentPools": f"{_REST} upgradeNodeImageVersion/action abort/action",
    "managedClusters/agentPools/upgradeNodeImageVersion": "write",
    "managedClusters/agentPools/upgradeProfiles": "read",
    "managedClusters/availableAgentPoolVersions": "read",
    "managedClusters/commandResults": "read",
    "managedClusters/detectors": "read",
    "managedClusters/diagnosticsState": "read",
    "managedClusters/eventGridFilters": _REST,
    "managedClusters/extensionaddons": _REST,
    "managedClusters/maintenanceConfigurations": _REST,
    "managedClusters/managedNamespaces": "listCredential/action",
    "managedClusters/meshUpgradeProfiles": "read",
    "managedClusters/networkSecurityPerimeterAssociationProxies": _REST,
    "managedClusters/networkSecurityPerimeterConfigurations": "read",
    "managedClusters/privateEndpointConnections": _REST,
    "managedClusters/providers/Microsoft.Insights/diagnosticSettings": "read write",
    "managedClusters/providers/Microsoft.Insights/logDefinitions": "read",
    "managedClusters/providers/Microsoft.Insights/metricDefinitions": "read",
    "managedClusters/trustedAccessRoleBindings": _REST,
    "managedClusters/upgradeProfiles": "read",
    "managedclustersnapshots": _REST,
    "openShiftClusters": _REST,
    "openShiftManagedClusters": _REST,
    "operations": "read",
    "snapshots": _REST,
}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "Microsoft.ContainerService": _CONTAINER_SERVICE,
    "Microsoft.DataProtection": _DATA_PROTECTION,
    "Microsoft.KubernetesConfiguration": _KUBERNETES_CONFIGURATION,
}
"""By namespace and type: verbs, those of the namespace itself under "". Rights to data are not in it."""


def not_published(patterns: Iterable[str]) -> str | None:
    """The first that no published operation matches. A pattern needs one that does (public issues: it passes, and
    covers what is not published as well)."""
    return next((each for each in patterns if not _is_published(each)), None)


@cache
def _is_published(pattern: str) -> bool:
    operations = _operations().get(pattern.partition("/")[0].lower())
    return operations is None or any(matches(pattern, each) for each in operations)


@cache
def _operations() -> Mapping[str, tuple[str, ...]]:
    return {
        namespace.lower(): tuple(
            "/".join(part for part in (namespace, kind, verb) if part)
            for kind, verbs in types.items()
            for verb in verbs.split()
        )
        for namespace, types in _TYPES.items()
    }
