"""Installs the backup extension (Extensions REST 2025-03-01)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.ids import subscription_of
from shared.domain.profile import ExtensionResources
from shared.domain.steps import InstallExtension

_LOCATION = "configuration.backupStorageLocation"


def install_extension(step: InstallExtension, tenant_id: str) -> ArmCall:
    """Only the long keys mean anything over REST, and useAAD keeps the extension off the account's keys."""
    _, _, _, _, group, *_, account = step.account_id.split("/")
    settings = {
        f"{_LOCATION}.bucket": step.container,
        f"{_LOCATION}.config.storageAccount": account,
        f"{_LOCATION}.config.resourceGroup": group,
        f"{_LOCATION}.config.subscriptionId": subscription_of(step.account_id),
        f"{_LOCATION}.config.useAAD": "true",
        f"{_LOCATION}.config.storageAccountURI": step.blob_endpoint,
        "credentials.tenantId": tenant_id,
        **_resources(step.resources),
    }
    body = {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "extensionType": "microsoft.dataprotection.kubernetes",
            "autoUpgradeMinorVersion": True,
            "releaseTrain": "stable",
            "scope": {"cluster": {}},
            "configurationSettings": settings,
        },
    }
    return ArmCall("PUT", step.arm_id, api_versions.EXTENSIONS, body, "accepted")


def _resources(wanted: ExtensionResources) -> dict[str, str]:
    named = {
        "resources.limits.memory": wanted.memory_limit,
        "resources.limits.cpu": wanted.cpu_limit,
        "resources.requests.memory": wanted.memory_request,
        "resources.requests.cpu": wanted.cpu_request,
    }
    return {name: value for name, value in named.items() if value is not None}
