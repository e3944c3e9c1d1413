"""What the app may do where clusters are: everything it calls, and nothing beyond."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.rights_files import WantedRights
from cli.doctor.seen import Assignment, Assignments, Monitored, Role, Seen, Sight, SnapshotGroup, Unread

GROUP = "rights"
_RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
"""Role Based Access Control Administrator (Azure built-in roles)."""
_PRIVILEGED = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    _RBAC_ADMINISTRATOR: "Role Based Access Control Administrator",
}
_RESOURCE_SEGMENTS = 6
"""From so many parts on a scope is a single resource: rights there are judged by what they are for."""


def check_rights(deployment: Deployment, sight: Sight, wanted: WantedRights) -> Iterator[Result]:
    judged = []
    for name, assignments in sight.management_groups.items():
        scope = f"/providers/Microsoft.Management/managementGroups/{name}"
        judged.append(scope.lower())
        yield from _at(scope, name, assignments, deployment, wanted)
    if isinstance(sight.monitored, Unread):
        yield Check(GROUP, "actions").unread(sight.monitored)
        return
    for each in sight.monitored:
        yield from _at(f"/subscriptions/{each.id}", each.id, each.assignments, deployment, wanted, tuple(judged))
        if deployment.enforces:
            yield from _snapshot_groups(each, deployment, wanted)


def _at(
    scope: str,
    subject: str,
    assignments: Seen[Assignments],
    deployment: Deployment,
    wanted: WantedRights,
    judged: tuple[str, ...] = (),
) -> Iterator[Result]:
    """At one subscription or management group. What is given at the scopes `judged` is said of them and not again."""
    actions, giving, surplus = (Check(GROUP, name, subject) for name in ("actions", "role administration", "no more"))
    if isinstance(assignments, Unread):
        yield from (check.unread(assignments) for check in (actions, surplus))
        return
    above = [each for each in assignments if _covers(each.scope, scope)]
    unknown = next((each.role for each in above if isinstance(each.role, Unread)), None)
    missing = [action for action in wanted.needed if not any(_gives(each, action) for each in above)]
    if missing and unknown is not None:
        yield actions.unread(unknown)
    else:
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        yield actions.that(not missing, f"The app lacks {named}.", "azd provision")
    if deployment.enforces:
        # Under which condition is the next check's.
        ours = any(each.guid == _RBAC_ADMINISTRATOR for each in above)
        fix = _give(deployment, _RBAC_ADMINISTRATOR, scope, "assign-roles.condition")
        yield giving.that(ours, "The app may give nobody the roles that a backup needs.", fix)
    below = "/subscriptions/" if scope.startswith("/providers/") else "-"
    own = [each for each in assignments if each.scope not in judged and not each.scope.startswith(below)]
    yield from _surplus(surplus, tuple(own), deployment, wanted)


def _surplus(check: Check, assignments: Assignments, deployment: Deployment, wanted: WantedRights) -> Iterator[Result]:
    """What no reviewed file gives: each with the command that takes it away."""
    found = [(each, why) for each in assignments if (why := _too_much(each, deployment, wanted))]
    unknown = [
        each.role
        for each in assignments
        if isinstance(each.role, Unread) and each.guid not in _PRIVILEGED and not _is_resource(each.scope)
    ]
    if unknown:
        yield check.unread(unknown[0])
    elif not found:
        yield check.ok()
    for each, why in found:
        fix = "azd provision" if _is_ours(each, wanted) else f"az role assignment delete --ids {each.id}"
        belongs = not _is_group(each.scope) or _is_snapshot_group(each.scope, deployment)
        if each.guid == _RBAC_ADMINISTRATOR and deployment.enforces and belongs:
            name = "assign-contributor.condition" if _is_group(each.scope) else "assign-roles.condition"
            fix += " && " + _give(deployment, each.guid, each.scope, name)
        yield check.wrong(why, fix)


def _is_ours(each: Assignment, wanted: WantedRights) -> bool:
    """Whether it is the deployment's own custom role, whatever else somebody put into it."""
    if isinstance(each.role, Unread) or not each.role.custom:
        return False
    return all(_gives(each, action) for action in wanted.needed)


def _too_much(each: Assignment, deployment: Deployment, wanted: WantedRights) -> str:
    """Why; empty when it is not."""
    if each.guid == _RBAC_ADMINISTRATOR and deployment.enforces and each.condition:
        expected = wanted.assign_contributor if _is_group(each.scope) else wanted.assign_roles
        if _is_group(each.scope) and not _is_snapshot_group(each.scope, deployment):
            return f"It may make others Contributor at {each.scope}, which is no snapshot group."
        if _same(each.condition, expected):
            return ""
        return f"It may give roles at {each.scope} under another condition than infra/rights has."
    if each.guid in _PRIVILEGED:
        bare = " without a condition" if each.guid == _RBAC_ADMINISTRATOR and not each.condition else ""
        return f"The app is {_PRIVILEGED[each.guid]}{bare} at {each.scope}."
    if _is_resource(each.scope) or isinstance(each.role, Unread):
        return ""
    more = [action for action in each.role.actions if not _is_within(wanted.actions, action)]
    if not more:
        return ""
    return (
        f"Its role {each.role.name} at {each.scope} gives more than infra/rights/actions.json: {', '.join(more[:5])}."
    )


def _snapshot_groups(each: Monitored, deployment: Deployment, wanted: WantedRights) -> Iterator[Result]:
    if isinstance(each.snapshot_groups, Unread):
        yield Check(GROUP, "snapshot group", each.id).unread(each.snapshot_groups)
        return
    for group in each.snapshot_groups:
        yield from _snapshot_group(group, each.assignments, deployment, wanted)


def _snapshot_group(
    group: SnapshotGroup, assignments: Seen[Assignments], deployment: Deployment, wanted: WantedRights
) -> Iterator[Result]:
    there, giving = Check(GROUP, "snapshot group", group.id), Check(GROUP, "snapshot group's right", group.id)
    subscription, name = group.id.split("/")[2], group.id.rsplit("/", 1)[-1]
    give = _give(deployment, _RBAC_ADMINISTRATOR, group.id, "assign-contributor.condition")
    if isinstance(group.there, Unread):
        yield there.unread(group.there)
    else:
        location = group.location or "LOCATION"
        make = f"az group create --name {name} --location {location} --subscription {subscription} && {give}"
        yield there.that(group.there, "There is no such resource group: disk snapshots have no place.", make)
        if not group.there:
            return
    if isinstance(assignments, Unread):
        yield giving.unread(assignments)
        return
    here = [each for each in assignments if each.guid == _RBAC_ADMINISTRATOR and each.scope == group.id.lower()]
    message = "The app may not make cluster identities Contributor there, as a backup needs."
    yield giving.that(bool(here), message, give)


def _give(deployment: Deployment, guid: str, scope: str, condition: str) -> str:
    principal = deployment.principal_id
    text = f"$(sed 's/{{appPrincipalId}}/{principal}/g' infra/rights/{condition})"
    return (
        f"az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal "
        f'--role {guid} --scope {scope} --condition-version 2.0 --condition "{text}"'
    )


def _gives(each: Assignment, action: str) -> bool:
    """Without a condition: what is given under one is judged by itself."""
    return not each.condition and isinstance(each.role, Role) and _allows(each.role, action)


def _allows(role: Role, action: str) -> bool:
    return _is_within(role.actions, action) and not _is_within(role.not_actions, action)


def _is_within(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the patterns means all that the action, which may be a pattern too, does: a `*` of it is then held
    against a `*` of theirs."""
    return any(fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]")) for pattern in patterns)


def _covers(outer: str, scope: str) -> bool:
    """Whether what is given at `outer` holds at `scope`: a management group's assignments were listed for what lies
    below it."""
    outer, scope = outer.lower().rstrip("/"), scope.lower()
    return outer == "" or outer == scope or outer.startswith("/providers/microsoft.management/managementgroups/")


def _is_resource(scope: str) -> bool:
    return len(scope.strip("/").split("/")) >= _RESOURCE_SEGMENTS


def _is_group(scope: str) -> bool:
    parts = scope.lower().strip("/").split("/")
    return len(parts) == 4 and parts[2] == "resourcegroups"


def _is_snapshot_group(scope: str, deployment: Deployment) -> bool:
    """By its name, or because the deployment names it: groups of regions without clusters stay too."""
    named = {each.lower() for each in deployment.more_snapshot_groups}
    return scope.lower() in named or scope.rsplit("/", 1)[-1].lower().startswith("aksazurebackupsnapshots_")


def _same(one: str, other: str) -> bool:
    """White space aside, which Azure does not keep."""
    return "".join(one.split()) == "".join(other.split())
