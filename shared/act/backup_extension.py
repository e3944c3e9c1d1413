"""Installs, changes and removes the backup extension (Extensions REST 2025-03-01)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.ids import subscription_of
from shared.domain.profile import ExtensionResources
from shared.domain.steps import DeleteExtension, InstallExtension, UpdateExtension

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


def update_extension(step: UpdateExtension) -> ArmCall:
    """Settings are merged, so that only what changes is sent (cluster extensions page)."""
    body = {"properties": {"configurationSettings": dict(step.settings)}}
    return ArmCall("PATCH", step.arm_id, api_versions.EXTENSIONS, body, "accepted")


def delete_extension(step: DeleteExtension) -> ArmCall:
    return ArmCall("DELETE", step.arm_id, api_versions.EXTENSIONS, None, "accepted")


def _resources(wanted: ExtensionResources) -> dict[str, str]:
    named = {
        "resources.limits.memory": wanted.memory_limit,
        "resources.limits.cpu": wanted.cpu_limit,
        "resources.requests.memory": wanted.memory_request,
        "resources.requests.cpu": wanted.cpu_request,
    }
    return {name: value for name, value in named.items() if value is not None}
