"""What is asked of Resource Graph about the whole fleet (tables: Resource Graph's table reference)."""

from collections.abc import Iterable, Mapping, Sequence

from shared.observe.queries import ENDED, Query, literal

_GUID = 36
_CLUSTERS = """resources
| where type =~ 'microsoft.containerservice/managedclusters'"""
_SETTING = "tostring(properties.configurationSettings['{}'])"
_LOCATION = "tostring(properties.configurationSettings['configuration.backupStorageLocation.{}'])"
_PARAMETERS = "properties.policyInfo.policyParameters.backupDatasourceParametersList[0]"
_POINTS = "properties.backupInstanceExtendedProperties.recoveryPointInfo"

# Columns of what is read for every cluster: name -> expression, strings first. Flat and few, for they are read by the
# ten thousand; what is rarely there (errors, oddly spelt settings) comes whole, as JSON text, where it is.
CLUSTER_COLUMNS = {
    "id": "",
    "name": "",
    "location": "",
    "uid": "tostring(properties.resourceUID)",
    "power": "tostring(properties.powerState.code)",
    "state": "tostring(properties.provisioningState)",
    "version": "tostring(properties.currentKubernetesVersion)",
    "wanted": "tostring(properties.kubernetesVersion)",
    "principal": "tostring(identity.principalId)",
    "assigned": "iff(isempty(tostring(identity.principalId)), tostring(identity.userAssignedIdentities), '')",
    "identityType": "tostring(identity.type)",
    "client": "tostring(properties.servicePrincipalProfile.clientId)",
    "outbound": "tostring(properties.networkProfile.outboundType)",
    "artifacts": "tostring(properties.bootstrapProfile.artifactSource)",
    "diskDriver": "tobool(properties.storageProfile.diskCSIDriver.enabled)",
    "snapshots": "tobool(properties.storageProfile.snapshotController.enabled)",
    "podIdentity": "tobool(properties.podIdentityProfile.enabled)",
    "pools": "",
    "tags": "",
}
EXTENSION_COLUMNS = {
    "id": "",
    "name": "",
    "state": "tostring(properties.provisioningState)",
    "principal": "tostring(properties.aksAssignedIdentity.principalId)",
    "container": _LOCATION.format("bucket"),
    "account": _LOCATION.format("config.storageAccount"),
    "accountGroup": _LOCATION.format("config.resourceGroup"),
    "accountSubscription": _LOCATION.format("config.subscriptionId"),
    "useAad": _LOCATION.format("config.useAAD"),
    "memoryLimit": _SETTING.format("resources.limits.memory"),
    "cpuLimit": _SETTING.format("resources.limits.cpu"),
    "memoryRequest": _SETTING.format("resources.requests.memory"),
    "version": "tostring(properties.currentVersion)",
    "error": "tostring(properties.errorInfo)",
    "statuses": "iff(tostring(properties.statuses) contains 'error', tostring(properties.statuses), '')",
    "settings": f"iff(isempty({_LOCATION.format('bucket')}), tostring(properties.configurationSettings), '')",
    "autoUpgrade": "tobool(properties.autoUpgradeMinorVersion)",
}
INSTANCE_COLUMNS = {
    "id": "",
    "name": "",
    "cluster": "",
    "policy": "tostring(properties.policyInfo.policyId)",
    "state": "tostring(properties.currentProtectionState)",
    "status": "tostring(properties.protectionStatus.status)",
    "snapshotGroup": "iff(stores[0].dataStoreType =~ 'OperationalStore', tostring(stores[0].resourceGroupId), "
    "iff(stores[1].dataStoreType =~ 'OperationalStore', tostring(stores[1].resourceGroupId), ''))",
    "parameters": f"tostring({_PARAMETERS})",
    "latest": f"tostring({_POINTS}.latestRecoveryPointInPrimaryRegion)",
    "error": "tostring(properties.protectionErrorDetails)",
    "statusError": "tostring(properties.protectionStatus.errorDetails)",
}
JOB_COLUMNS = dict.fromkeys(("id", "job", "status", "errors", "warnings", "backup", "clean", "restored", "killed"), "")


def subscriptions_in_graph() -> str:
    """Each subscription, and the management groups it lies in, its own first."""
    return """resourcecontainers
| where type =~ 'microsoft.resources/subscriptions'
| project id, subscriptionId, name, tags, chain = properties.managementGroupAncestorsChain
| order by id asc"""


def cluster_counts_in_graph() -> str:
    """How many clusters each subscription has."""
    return f"""{_CLUSTERS}
| summarize clusters = count() by id = tolower(subscriptionId)
| order by id asc"""


def cluster_ids_in_graph() -> str:
    """Who is there, in one row for each subscription: what fits one page was read at one moment."""
    return f"""{_CLUSTERS}
| summarize clusters = make_list(id) by id = tolower(subscriptionId)
| order by id asc"""


def clusters_in_graph(ids: Sequence[str] = ()) -> str:
    """Clusters, or only those of these ids (lower-case). The node pools come as distinct `osType vmSize`."""
    only = f"\n| where tolower(id) in ({_strings(ids)})" if ids else ""
    return f"""{_CLUSTERS}{only}
| join kind=leftouter ({_CLUSTERS}{only}
    | mv-expand pool = properties.agentPoolProfiles
    | summarize pools = make_set(strcat(tostring(pool.osType), ' ', tostring(pool.vmSize))) by id) on id
| project {_projected(CLUSTER_COLUMNS)}
| order by id asc"""


def extensions_in_graph() -> str:
    """The backup extensions of clusters."""
    return f"""kubernetesconfigurationresources
| where type =~ 'microsoft.kubernetesconfiguration/extensions'
| where properties.extensionType =~ 'microsoft.dataprotection.kubernetes'
| project {_projected(EXTENSION_COLUMNS)}
| order by id asc"""


def instances_in_graph(subscriptions: Sequence[str]) -> str:
    """Backup instances of clusters in these subscriptions, whatever vault they are in."""
    return f"""recoveryservicesresources
| where type =~ 'microsoft.dataprotection/backupvaults/backupinstances'
| where properties.dataSourceInfo.datasourceType =~ 'Microsoft.ContainerService/managedClusters'
| extend cluster = tolower(tostring(properties.dataSourceInfo.resourceID)), \
stores = properties.policyInfo.policyParameters.dataStoreParametersList
| where tostring(split(cluster, '/')[2]) in ({_strings(subscriptions)})
| project {_projected(INSTANCE_COLUMNS)}
| order by id asc"""


def job_digests_in_graph(subscriptions: Sequence[str]) -> str:
    """One row for each cluster of these subscriptions with ended jobs: the newest backup, and when the newest clean
    backup, restore and loss of the extension's pod were. One that ended without saying when counts from its start."""
    return f"""recoveryservicesresources
| where type =~ 'microsoft.dataprotection/backupvaults/backupjobs'
| where properties.dataSourceType =~ 'Microsoft.ContainerService/managedClusters'
| extend cluster = tolower(tostring(properties.dataSourceId)), category = tostring(properties.operationCategory), \
status = tostring(properties.status), ended = todatetime(properties.endTime)
| where status in~ ({ENDED}) and tostring(split(cluster, '/')[2]) in ({_strings(subscriptions)})
| extend ended = iff(isnull(ended) or ended < datetime(1900-01-01), todatetime(properties.startTime), ended)
| extend backup = iff(category =~ 'Backup', ended, datetime(null)), \
clean = iff(category =~ 'Backup' and status =~ 'Completed', ended, datetime(null)), \
restored = iff(category =~ 'Restore' and status =~ 'Completed', ended, datetime(null)), \
killed = iff(tostring(properties.errorDetails) contains 'PodRestartedDuring', ended, datetime(null)), \
job = id, errors = tostring(properties.errorDetails), \
warnings = tostring(properties.extendedInfo.warningDetails)
| summarize arg_max(backup, job, status, errors, warnings), clean = max(clean), restored = max(restored), \
killed = max(killed) by id = cluster
| project {_projected(JOB_COLUMNS)}
| order by id asc"""


def vaults_in_graph() -> str:
    """Backup vaults as ARM has them."""
    return """resources
| where type =~ 'microsoft.dataprotection/backupvaults'
| project id, name, location, identity, tags, properties
| order by id asc"""


def policies_in_graph() -> str:
    """Backup policies for clusters as ARM has them."""
    return """recoveryservicesresources
| where type =~ 'microsoft.dataprotection/backupvaults/backuppolicies'
| where tostring(properties.datasourceTypes) contains 'Microsoft.ContainerService/managedClusters'
| project id, name, properties
| order by id asc"""


def role_assignments_in_graph(roles: Sequence[str]) -> str:
    """Unconditional assignments of these roles (GUIDs) to what is no person, as `principal|scope` in lists: each list
    holds one role's assignments whose names begin with the same two digits, and its id is `digits role`. So tens of
    thousands are few rows, and a page stays far below the 16 MB that an answer may have."""
    return f"""authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| where isempty(tostring(properties.condition)) and tostring(properties.principalType) !in~ ('User', 'Group')
| extend definition = tolower(tostring(properties.roleDefinitionId))
| extend role = substring(definition, strlen(definition) - {_GUID})
| where role in ({_strings(roles)})
| extend held = tolower(strcat(tostring(properties.principalId), '|', tostring(properties.scope)))
| summarize held = make_list(held) by id = strcat(tolower(substring(name, 0, 2)), ' ', role)
| order by id asc"""


def readable_assignments_in_graph() -> str:
    """How many role assignments show of each subscription: one of which none shows is one that may not be read."""
    return """authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| summarize assignments = count() by id = tolower(subscriptionId)
| order by id asc"""


def _projected(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {expression}" if expression else name for name, expression in columns.items())


def _strings(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))


_SUBSCRIPTIONS = ("00000000-0000-0000-0000-000000000000",)
_CLUSTER = (
    f"/subscriptions/{_SUBSCRIPTIONS[0]}/resourcegroups/shop/providers/microsoft.containerservice/managedclusters/x"
)

QUERIES: tuple[Query, ...] = (
    Query("subscriptions", "resource-graph", subscriptions_in_graph()),
    Query("clusters of each subscription", "resource-graph", cluster_counts_in_graph()),
    Query("who is there", "resource-graph", cluster_ids_in_graph()),
    Query("clusters", "resource-graph", clusters_in_graph((_CLUSTER,))),
    Query("extensions", "resource-graph", extensions_in_graph()),
    Query("backup instances", "resource-graph", instances_in_graph(_SUBSCRIPTIONS)),
    Query("digests of jobs", "resource-graph", job_digests_in_graph(_SUBSCRIPTIONS)),
    Query("vaults", "resource-graph", vaults_in_graph()),
    Query("policies", "resource-graph", policies_in_graph()),
    Query("role assignments", "resource-graph", role_assignments_in_graph(_SUBSCRIPTIONS)),
    Query("whose role assignments show", "resource-graph", readable_assignments_in_graph()),
)
"""All of them."""
