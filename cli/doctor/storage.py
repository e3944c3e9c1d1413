"""The storage account: no keys, and everything in it that the app works with."""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import Seen, Sight, Unread
from shared.record.keys import QUEUES, TABLES

GROUP = "storage"
CONTAINERS = ("deployments", "dead-letters")
"""Those of the deployment: the code's package, and what Event Grid could not deliver."""


def check_storage(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    keys = Check(GROUP, "no shared keys")
    account = sight.account
    if isinstance(account, Unread):
        yield keys.unread(account)
    elif account is None:
        yield Check(GROUP, "exists").wrong(f"There is no storage account {deployment.storage_id}.", "azd provision")
    else:
        fix = f"az storage account update --ids {deployment.storage_id} --allow-shared-key-access false"
        yield keys.that(not account.shared_key_access, "Whoever has a key of the account may do everything.", fix)
    yield from _all_there(deployment, "table", TABLES, sight.tables)
    yield from _all_there(deployment, "queue", QUEUES, sight.queues)
    yield from _all_there(deployment, "container", CONTAINERS, sight.containers)


def _all_there(
    deployment: Deployment, kind: str, wanted: tuple[str, ...], found: Seen[frozenset[str]]
) -> Iterator[Result]:
    check = Check(GROUP, f"{kind}s")
    if isinstance(found, Unread):
        yield check.unread(found)
        return
    missing = [name for name in wanted if name not in found]
    command = f"az storage {kind} create --auth-mode login --account-name {deployment.account} --name"
    if kind == "container":
        command = f"az storage container-rm create --storage-account {deployment.storage_id} --name"
    fix = " && ".join(f"{command} {name}" for name in missing)
    yield check.that(not missing, f"Missing: {', '.join(missing)}.", fix)
