"""Before `azd down`: what will remain. azd forgets the outputs of main.bicep when it is done, so this is said before,
and kept for `postdown`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from infra.hooks.azure_cli import StepError, graph_rows
from infra.hooks.installation import Installation, read_installation
from infra.hooks.monitored import monitored_subscriptions

INSTANCES_OF_CLUSTERS = (
    "recoveryservicesresources | where type =~ 'microsoft.dataprotection/backupvaults/backupinstances' "
    "| where properties.dataSourceInfo.datasourceType =~ 'Microsoft.ContainerService/managedClusters' "
    "| project subscriptionId, vault = tostring(split(id, '/backupInstances/')[0])"
)
SNAPSHOT_GROUPS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' "
    "| where name startswith 'AKSAzureBackupSnapshots_' | project subscriptionId, name"
)


def run(environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Never stops `azd down`: what cannot be found out is said."""
    try:
        here = read_installation(environment)
    except StepError as failed:
        say(f"nothing was provisioned, or it is forgotten already ({failed})")
        return
    try:
        subscriptions = monitored_subscriptions(here)
        instances = graph_rows(INSTANCES_OF_CLUSTERS, subscriptions=subscriptions)
        groups = graph_rows(SNAPSHOT_GROUPS, subscriptions=subscriptions)
    except StepError as failed:
        say(f"which backups there are could not be read: {failed}")
        subscriptions, instances, groups = list(here.subscriptions), [], []
    vaults = sorted({str(row["vault"]).lower() for row in instances})
    lines = what_remains(here, subscriptions, vaults, len(instances), len(groups))
    if client_id := environment.get("AUTH_CLIENT_ID"):
        lines += [
            f"    az ad app delete --id {client_id}   (if nothing else signs in by it), and then, to come back:",
            "    azd env set AUTH_CLIENT_ID ''; azd env set AUTH_APP_OBJECT_ID ''",
        ]
    remains_file(environment).parent.mkdir(parents=True, exist_ok=True)
    remains_file(environment).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for line in lines:
        say(line)


def remains_file(environment: Mapping[str, str]) -> Path:
    return Path(".azure", environment.get("AZURE_ENV_NAME", "-"), "aks-backup-guard-remains.txt")


def what_remains(
    here: Installation, subscriptions: list[str], vaults: list[str], instances: int, snapshot_groups: int
) -> list[str]:
    """What `azd down` leaves, and the command for each thing that a person may want to take away."""
    elsewhere = [each for each in subscriptions if each.lower() != here.subscription.lower()]
    lines = [
        "azd down takes away the app alone. No backup is touched:",
        f"- {instances} backup instances in {len(vaults)} vaults go on as scheduled; nobody looks after them any more",
        *(f"    {vault}" for vault in vaults),
        f"- {snapshot_groups} resource groups AKSAzureBackupSnapshots_* with recovery points",
        "- backup extensions, trusted access and the roles of vaults and clusters: the backups need them",
        "- the key vault for 90 days, deleted softly: to come back, azd env set GUARD_RECOVER_KEY_VAULT true",
        "What else remains, and how to take it away:",
    ]
    for subscription in subscriptions:
        lines += [
            f"    az role assignment delete --subscription {subscription} --assignee-object-id {here.principal_id}",
            f"    az role definition delete --subscription {subscription} --custom-role-only true "
            f"--name '{here.role_name} {subscription}'",
        ]
    for group in here.management_groups:
        scope = f"/providers/Microsoft.Management/managementGroups/{group}"
        lines += [
            f"    az role assignment delete --scope {scope} --assignee-object-id {here.principal_id}",
            f"    az role definition delete --scope {scope} --custom-role-only true --name '{here.role_name} {group}'",
        ]
    for subscription in elsewhere:
        lines.append(f"    az group delete --subscription {subscription} --name {here.resource_group}-events")
    for topic in here.system_topics:
        url = f"{topic}/eventSubscriptions/{here.app_name}?api-version=2025-02-15"
        lines.append(f"    az rest --method DELETE --url '{url}'")
    return lines
