"""Where the Guard's own extension keeps its backups: once installed there, it stays there."""

from dataclasses import replace

from shared.domain.ids import ClusterId, same_id, subscription_of
from shared.domain.observed import Extension
from shared.domain.record import Record
from shared.domain.steps import EXTENSION_NAME, InstallExtension
from shared.plan import names

_LOCATION = "configuration.backupStorageLocation"
_CONTAINERS = "/blobServices/default/containers/"


def account_of(container_id: str) -> str:
    """ARM id of the storage account of a container."""
    return container_id.partition(_CONTAINERS)[0]


def is_own(extension: Extension | None, installed_in: str) -> bool:
    """Whether the extension is the Guard's, as far as its record knows."""
    return extension is not None and bool(installed_in) and same_id(extension.name, EXTENSION_NAME)


def installed(record: Record, step: InstallExtension) -> Record:
    """Remembers where the Guard installs its extension; one that it only mends for somebody stays theirs."""
    if not isinstance(record.subject, ClusterId):
        return record
    ours = names.container_id(record.subject, record.resource_uid, step.account_id)
    return replace(record, installed_in=ours) if ours.endswith(f"/{step.container}") else record


def placed(record: Record, extension: Extension) -> Record:
    """The same of one that was installed before this was remembered: no other container has a name with the cluster's
    digest in it."""
    if record.installed_in or not isinstance(record.subject, ClusterId) or not same_id(extension.name, EXTENSION_NAME):
        return record
    ours = names.container_id(record.subject, record.resource_uid, _account_id(extension, record.subject))
    if not extension.uses_aad or not same_id(extension.container, ours.rsplit("/", 1)[-1]):
        return record
    return replace(record, installed_in=ours)


def misplaced(record: Record, extension: Extension) -> dict[str, str]:
    """The storage settings of the Guard's own extension that are not as it was installed with; without the endpoint,
    which goes with another account."""
    if not isinstance(record.subject, ClusterId) or not is_own(extension, record.installed_in):
        return {}
    account, _, container = record.installed_in.partition(_CONTAINERS)
    _, _, _, _, group, *_, name = account.split("/")
    settings = {} if extension.uses_aad else {f"{_LOCATION}.config.useAAD": "true"}
    if not same_id(_account_id(extension, record.subject), account):
        settings |= {
            f"{_LOCATION}.config.storageAccount": name,
            f"{_LOCATION}.config.resourceGroup": group,
            f"{_LOCATION}.config.subscriptionId": subscription_of(account),
        }
    if not same_id(extension.container, container):
        settings[f"{_LOCATION}.bucket"] = container
    return settings


def with_endpoint(settings: dict[str, str], blob_endpoint: str) -> dict[str, str]:
    """With the endpoint of the account they lead back to."""
    elsewhere = f"{_LOCATION}.config.storageAccount" in settings
    return {**settings, f"{_LOCATION}.config.storageAccountURI": blob_endpoint} if elsewhere else settings


def _account_id(extension: Extension, cluster: ClusterId) -> str:
    return (
        f"/subscriptions/{extension.storage_subscription_id or cluster.subscription_id}"
        f"/resourceGroups/{extension.storage_resource_group}"
        f"/providers/Microsoft.Storage/storageAccounts/{extension.storage_account}"
    )
