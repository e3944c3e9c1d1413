"""Microsoft.KubernetesConfiguration/extensions: the backup extension of a cluster, whatever its name (Extensions REST
2025-03-01)."""

from collections.abc import Iterable
from typing import Any

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.ids import ClusterId
from shared.domain.observed import Extension
from shared.observe.fields import JsonObject, at, flag, moment, needed_text, objects, string_map, text

EXTENSION_TYPE = "microsoft.dataprotection.kubernetes"
_LOCATION = "configuration.backupStorageLocation."


async def read_extension(arm: ArmClient, cluster: ClusterId) -> Extension | None:
    path = f"{cluster.arm_id}/providers/Microsoft.KubernetesConfiguration/extensions"
    found = await arm.list(path, api_versions.EXTENSIONS)
    return None if found is None else parse_extensions(found)


def parse_extensions(bodies: Iterable[JsonObject]) -> Extension | None:
    """The backup extension among a cluster's extensions: a cluster has at most one of a type."""
    found = (body for body in bodies if text(body, "properties", "extensionType").lower() == EXTENSION_TYPE)
    return next(map(parse_extension, found), None)


def parse_extension(body: JsonObject) -> Extension:
    """Raises UnreadableBodyError."""
    settings = {name.lower(): value for name, value in string_map(body, "properties", "configurationSettings").items()}

    def setting(name: str) -> str:
        return settings.get(f"{_LOCATION}{name}".lower(), "")

    return Extension(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        provisioning_state=needed_text(body, "properties", "provisioningState"),
        principal_id=text(body, "properties", "aksAssignedIdentity", "principalId") or None,
        container=setting("bucket"),
        storage_account=setting("config.storageAccount"),
        storage_resource_group=setting("config.resourceGroup"),
        storage_subscription_id=setting("config.subscriptionId"),
        uses_aad=setting("config.useAAD").lower() == "true",
        error=errors_of(at(body, "properties", "errorInfo"), at(body, "properties", "statuses")),
        memory_limit=settings.get("resources.limits.memory", ""),
        cpu_limit=settings.get("resources.limits.cpu", ""),
        memory_request=settings.get("resources.requests.memory", ""),
        changed_at=moment(body, "systemData", "lastModifiedAt") or moment(body, "systemData", "createdAt"),
        version=text(body, "properties", "currentVersion"),
        auto_upgrade=flag(body, "properties", "autoUpgradeMinorVersion", default=True),
    )


def errors_of(error_info: Any, statuses: Any) -> str:
    """What the agent in the cluster says is wrong, from `errorInfo` or the statuses of level Error. Raises
    UnreadableBodyError."""
    said = [error_info]
    said += [each for each in objects({"statuses": statuses}, "statuses") if text(each, "level").lower() == "error"]
    lines = (f"{text(each, 'code')}: {text(each, 'message')}".strip(": ") for each in said if isinstance(each, dict))
    return "; ".join(line for line in lines if line)
