"""JSON as the extension service answers it (keys: the recording at 2023-05-01)."""

from datetime import datetime
from typing import Any

from simulator.arm.operations import Operation
from simulator.providers.kubernetes_configuration.models import Extension

_NEWEST_KEYS = "2025-03-01"  # from here on: autoUpgradeMode, extensionState, the identity's ids (the SDK's own version)


def extension_json(extension: Extension, *, api_version: str, now: datetime, identity_resource: str) -> dict[str, Any]:
    """An extension. `identity_resource` is the user-assigned identity its pods use. The current version is not known
    at first (recorded)."""
    new = api_version >= _NEWEST_KEYS
    known = extension.version or "1.0.0"  # assumed: the version of a release train
    properties: dict[str, Any] = {
        "extensionType": extension.extension_type,
        "autoUpgradeMinorVersion": extension.auto_upgrade_minor_version,
        "releaseTrain": extension.release_train,
        "version": extension.version,
        "currentVersion": known if now >= extension.version_known_at else None,
        "scope": extension.scope,
        "provisioningState": extension.provisioning_state,
        "configurationSettings": dict(extension.settings),
        # Recorded empty; assumed: values that were sent are never given back, their names are.
        "configurationProtectedSettings": dict.fromkeys(extension.protected_settings, ""),
        "statuses": list(extension.statuses),
        "aksAssignedIdentity": _identity(extension, identity_resource, new=new),
        "isSystemExtension": False,
    }
    if extension.error is not None:
        properties["errorInfo"] = extension.error
    if new:
        properties["autoUpgradeMode"] = extension.auto_upgrade_mode
        properties["extensionState"] = None
    body: dict[str, Any] = {
        "id": extension.id,
        "name": extension.name,
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "properties": properties,
        "systemData": {
            "createdBy": None,
            "createdByType": None,
            "createdAt": extension.created_at.isoformat(),
            "lastModifiedBy": None,
            "lastModifiedByType": None,
            "lastModifiedAt": extension.modified_at.isoformat(),
        },
    }
    if extension.identity is not None:
        body["identity"] = {
            "principalId": extension.identity.object_id,
            "tenantId": extension.identity.tenant_id,
            "type": "SystemAssigned",
        }
    return body


def operation_json(operation: Operation, name: str, doing: str) -> dict[str, Any]:
    """The status of an operation; while it runs it says Creating, Updating or Deleting (assumed)."""
    body: dict[str, Any] = {
        "id": f"{operation.resource_id}/operations/{name}",
        "name": name,
        "status": doing if operation.status == "Inprogress" else operation.status,
        "properties": {},
    }
    if operation.error is not None:
        body["error"] = operation.error
    return body


def _identity(extension: Extension, resource_id: str, *, new: bool) -> dict[str, Any] | None:
    identity = extension.aks_identity
    if identity is None:
        return None
    body = {"principalId": identity.object_id, "tenantId": identity.tenant_id, "type": "UserAssigned"}
    if new:
        body |= {"objectId": identity.object_id, "clientId": identity.application_id, "resourceId": resource_id}
    return body
