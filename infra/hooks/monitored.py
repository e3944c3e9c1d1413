"""Which subscriptions are monitored, and what of their snapshot groups is missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from infra.hooks.azure_cli import StepError, az, deploy, every, graph_rows, rest
from infra.hooks.installation import Installation
from shared.domain.ids import RegionId
from shared.plan.names import snapshot_group_id

SUBSCRIPTIONS_BELOW = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project subscriptionId"
REGIONS_OF_CLUSTERS = (
    "resources | where type =~ 'microsoft.containerservice/managedclusters' | distinct subscriptionId, location"
)
_TEMPLATE = "infra/fleet/snapshot-groups.bicep"
_RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


@dataclass(frozen=True, slots=True)
class SnapshotGroups:
    """Of one subscription; `missing` are name and location of those among `names` that have to be made."""

    names: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]


def monitored_subscriptions(installation: Installation) -> list[str]:
    """Those named, and those that are below the management groups today. Raises StepError."""
    found = list(installation.subscriptions)
    for group in installation.management_groups:
        rows = graph_rows(SUBSCRIPTIONS_BELOW, managementGroups=[group])
        if not rows:
            raise StepError(
                f"no subscription is visible below the management group {group}",
                f"az account management-group show --name {group} --expand --recurse",
            )
        found += [str(row["subscriptionId"]) for row in rows]
    return list(dict.fromkeys(each.lower() for each in found))


def regions_of(installation: Installation, subscriptions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Azure regions by subscription: as the person says, or else where clusters are today."""
    if installation.regions:
        return dict.fromkeys(subscriptions, installation.regions)
    found: dict[str, list[str]] = {subscription: [] for subscription in subscriptions}
    for row in graph_rows(REGIONS_OF_CLUSTERS, subscriptions=list(subscriptions)):
        found.setdefault(str(row["subscriptionId"]).lower(), []).append(str(row["location"]))
    return {subscription: tuple(sorted(locations)) for subscription, locations in found.items()}


def snapshot_groups(
    subscription: str,
    regions: Iterable[str],
    classes: Iterable[str],
    more: Iterable[str],
    existing: Iterable[Mapping[str, Any]],
) -> SnapshotGroups:
    """The groups of every region and vault class, and those of `more` (ARM ids) that lie in this subscription.
    Raises StepError for one of `more` that is not there: it is somebody's, and not ours to make."""
    there = {str(group["name"]).lower() for group in existing}
    wanted = {
        snapshot_group_id(RegionId(subscription, region.lower(), vault_class.lower())).split("/")[-1]: region.lower()
        for region in regions
        for vault_class in dict.fromkeys(("default", *classes))
    }
    named = [arm_id.strip("/").split("/")[3] for arm_id in more if arm_id.lower().split("/")[2:3] == [subscription]]
    absent = [name for name in named if name.lower() not in there and name not in wanted]
    if absent:
        raise StepError(
            f"the snapshot group {absent[0]} is not in subscription {subscription}",
            f"az group create --subscription {subscription} --name {absent[0]} --location REGION",
        )
    missing = tuple((name, region) for name, region in wanted.items() if name.lower() not in there)
    return SnapshotGroups(tuple(dict.fromkeys((*wanted, *named))), missing)


def grant_snapshot_groups(
    installation: Installation, subscription: str, regions: Sequence[str], say: Callable[[str], None]
) -> None:
    """Makes what is missing and lets the app name cluster identities Contributor there. Raises StepError."""
    existing = az("group", "list", "--subscription", subscription) or []
    groups = snapshot_groups(
        subscription, regions, installation.vault_classes, installation.more_snapshot_groups, existing
    )
    if not groups.names:
        say(f"{subscription}: no clusters yet, so no snapshot groups; run `azd hooks run postprovision` when there are")
        return
    deploy(
        ("sub", "--subscription", subscription),
        installation.deployment("snapshots"),
        installation.location,
        _TEMPLATE,
        {
            "appPrincipalId": installation.principal_id,
            "groupsToMake": [{"name": name, "location": region} for name, region in groups.missing],
            "groupNames": list(groups.names),
        },
    )
    say(f"{subscription}: {len(groups.names)} snapshot groups are granted, {len(groups.missing)} of them new")


def withdraw_role_administration(installation: Installation, scope: str, say: Callable[[str], None]) -> None:
    """In audit mode: takes away the right to give roles at and below a scope, which mode enforce had given, for a
    deployment only adds. Raises StepError."""
    condition = quote(f"principalId eq '{installation.principal_id}'")
    there = every(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter={condition}"
    )
    given = [
        str(assignment["id"])
        for assignment in there
        if assignment["properties"]["roleDefinitionId"].lower().endswith(_RBAC_ADMINISTRATOR)
        and assignment["properties"]["scope"].lower().startswith(scope.lower())
    ]
    for arm_id in given:
        rest("DELETE", f"{arm_id}?api-version=2022-04-01")
    if given:
        say(f"audit mode: took away {len(given)} rights to give roles at {scope}")
