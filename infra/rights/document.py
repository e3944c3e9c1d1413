"""docs/rights.md: the lists of this folder for whoever reviews them."""

from collections.abc import Iterable

from infra.rights import ACTIONS, ASSIGN_CONTRIBUTOR, ASSIGN_ROLES, GRANTS, WORKSPACE_ACTIONS, Action, Grant

_INTRODUCTION = """\
# What AKS Backup Guard may do in Azure

This page is made from the files in `infra/rights`, which the deployment reads as well (`python -m infra.rights >
docs/rights.md`; a test compares). The tests in virtual time run with exactly these rights: what is not granted here
is refused there. [Security](security.md) says who may reach the app.

The app has one user-assigned managed identity. In each monitored subscription it holds

| | audit | enforce |
| --- | --- | --- |
| a custom role with the actions below | those that audit needs | all of them |
| Role Based Access Control Administrator on the subscription, under the first condition | no | yes |
| the same on each snapshot resource group, under the second condition | no | yes |

Role Based Access Control Administrator brings the right to read everything. The app does not rely on it: its tests
run with a role in its place that reads nothing, and an app that audits does not have it.
"""

_ACTIONS = """\
## The custom role

One wildcard, of reads; no data actions. Azure derives an action from the method and the type of what is called;
Resource Graph asks for none, and shows only what may be read. The last column names the scenario in
`tests/rights/scenarios.py` that fails when the action is taken away (`tests/rights/test_rights_suffice.py` takes each
of them away).
"""

_ABSENT = """\
What the role does not have says as much. It deletes no vault, no backup instance, no policy, no recovery point, no
storage account and no resource group; all it deletes is the backup extension, to install it anew where a profile
allows that, and role assignments, under the conditions below. It stops and suspends no protection, starts no restore,
touches no resource guard and no lock, lists no keys of storage accounts, takes no credentials of clusters and changes
no cluster.

Why there is a wildcard: `Microsoft.DataProtection/backupInstances/read`, which is asked for by the list of a cluster's
backup instances in whatever vault (Backup Instances Extension Routing - List), is not among the operations that the
provider publishes, and Azure refuses a custom role that names such an action (`InvalidActionOrNotAction`). A pattern
that matches a published operation is accepted, and gives the unpublished one too. What else the pattern lets through
is the configuration of Azure Backup: operations in progress, recovery points, resource guards; no content of backups,
no key. The tests fail when the app reads anything of Azure Backup that the table does not name. Every other action of
Azure Backup, AKS and its extensions is in the published lists. Assumed: that the unpublished action has this name,
which follows from the type that is called.
"""

_WORKSPACES = """\
## At workspaces that profiles name

A profile may send its vaults' jobs to a Log Analytics workspace (`vault.diagnostics_workspace_id`). Azure then wants
rights at that workspace, wherever it is, from whoever writes the diagnostic setting. They are given at the workspace
alone, by a custom role of its own: its keys let their holder send data there, not read any. The deployment gives them
at the app's own workspace; for another one deploy `infra/app/workspace-rights.bicep` to its resource group.
"""

_GRANTS = """\
## Other roles

Built-in roles, each at one scope.
"""

_PROFILES = """\
A profile that names subnets (`network.subnet_ids`) makes Azure ask for
`Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action` at each of them, and one that names existing
groups, vaults or accounts in a subscription that is not monitored needs the custom role there. Nothing of this is
deployed: give it where you write such a profile.

Whoever runs `azd up` creates custom roles and role assignments: Owner of the monitored subscriptions, or Contributor
with User Access Administrator.
"""

_CONDITIONS = """\
## The giving of roles

Azure Backup works with the identities of vaults, clusters and extensions, and somebody has to give them their roles.
The app may, under conditions (Azure role assignment conditions, version 2.0) that Azure evaluates for every
assignment it writes or deletes. `{appPrincipalId}` stands for the app's own identity.

In a monitored subscription, the first condition: it gives and takes Reader, Disk Snapshot Contributor, Data Operator
for Managed Disks, Storage Blob Data Contributor and Storage Blob Data Reader; only to and from service principals,
which managed identities are; never to or from itself.

In a snapshot resource group (`AKSAzureBackupSnapshots_<location>`, made by the deployment for the parameter
`regions`, or named by `moreSnapshotGroups`), the second one: Contributor besides, for cluster identities, which make
the snapshots there. A condition cannot see at which scope a role is given, so where this assignment stands decides
it. A snapshot group that was deleted takes it along: the app makes the group again, cannot give Contributor in it,
and says so until the deployment has run again.

An extension that was installed with the account's keys (without `useAAD`) has Storage Account Contributor, which may
read keys. The app does not give that role; where it is missing it says so.

`tests/rights/test_rights_conditions.py` tries all of it, writes and deletions.
"""

_ATTACKER = """\
## With the app's identity in the wrong hands

What somebody could do who runs code as the app, in the monitored subscriptions:

- read the configuration of clusters, vaults and storage accounts, and what of anything else the roles let them read;
  not what is in clusters, and no key but those of workspaces that profiles name;
- install any cluster extension in a cluster, and let an Azure resource into it by trusted access: both run with
  rights inside the cluster. This is the gravest of the rights, and protecting clusters needs it. Azure Policy can
  deny extension types other than `microsoft.dataprotection.kubernetes`. Extensions of others can be changed and
  deleted, those that watch over the cluster among them;
- rewrite diagnostic settings, which turns logs off, of any resource in the subscription: Azure has no narrower right
  for those of vaults. A profile without `vault.diagnostics_workspace_id` does not need it;
- give any service principal of the tenant, one of their own among them, the roles above, on as much as the whole
  subscription, or the whole management group where the rights are given there: with Storage Blob Data Contributor it
  reads and changes what is in storage accounts, backups and the code of other apps among it; with Disk Snapshot
  Contributor and Data Operator for Managed Disks it copies and reads disks; as Contributor of a snapshot group it
  deletes snapshots, and makes anything there, machines that read them for one. New role assignments of the app to
  others than vaults, clusters and extensions are worth an alert in the activity log;
- change settings of storage accounts and containers (not read their keys), among them network rules and public
  access, unless a policy denies it;
- weaken vaults: soft delete where it is not AlwaysOn, retention in policies, where immutability is not locked. A
  resource guard can stop both, and the app cannot remove one;
- make vaults, storage accounts and resource groups, which cost money.

What they could not do:

- delete vaults, backup instances, recovery points in vaults, storage accounts, resource groups or clusters;
- give themselves or anybody Owner, User Access Administrator, Contributor outside snapshot groups, or any role
  besides those above; give a person or a group anything; change or remove the assignments that bind the app, or those
  of people;
- stop or suspend protection, or restore a backup;
- get the credentials of a cluster, or change or stop one;
- read secrets of key vaults other than the app's own.

In audit mode only the first item remains. Everything the app does is in the activity log under its identity, and in
its own audit trail (`aks-backup-guard history`).
"""


def document() -> str:
    """The page, ending with a newline."""
    parts = (
        _INTRODUCTION,
        f"{_ACTIONS}\n{_table_of_actions(ACTIONS)}",
        _ABSENT,
        f"{_WORKSPACES}\n{_table_of_actions(WORKSPACE_ACTIONS)}",
        f"{_CONDITIONS}\n{_quoted('In a monitored subscription', ASSIGN_ROLES)}",
        _quoted("In a snapshot resource group", ASSIGN_CONTRIBUTOR),
        f"{_GRANTS}\n{_table_of_grants(GRANTS)}",
        _PROFILES,
        _ATTACKER,
    )
    return "\n".join(parts)


def _table_of_actions(actions: Iterable[Action]) -> str:
    rows = "".join(f"{_row(each)}{''.join(_row(one, 'by it ') for one in each.covers)}" for each in actions)
    return f"| action | what for | audit | fails without it |\n| --- | --- | --- | --- |\n{rows}"


def _row(each: Action, before: str = "") -> str:
    audit, shown_by = "yes" if each.audit else "", f"`{each.shown_by}`" if each.shown_by else "none"
    return f"| {before}`{each.action}` | {each.why} | {audit} | {shown_by} |\n"


def _table_of_grants(grants: Iterable[Grant]) -> str:
    who = {"app": "the app", "deployer": "who deploys", "topics": "identities of the Event Grid topics"}
    rows = "".join(
        f"| {who[each.who]} | {each.role} (`{each.guid}`) | {each.scope} | {each.when} | {each.why} |\n"
        for each in grants
    )
    return f"| who | role | where | when | what for |\n| --- | --- | --- | --- | --- |\n{rows}"


def _quoted(where: str, condition: str) -> str:
    return f"{where}:\n\n```text\n{condition}```\n"
