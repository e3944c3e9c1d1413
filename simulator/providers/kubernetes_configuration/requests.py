"""What may be asked of an extension. Codes are assumed unless said otherwise."""

from dataclasses import dataclass
from typing import Any

from simulator.arm.errors import ArmError
from simulator.providers.kubernetes_configuration.models import BACKUP_TYPE


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of a PUT, checked."""

    extension_type: str
    auto_upgrade_minor_version: bool
    auto_upgrade_mode: str
    release_train: str
    version: str | None
    scope: dict[str, Any]
    settings: dict[str, str]
    protected_settings: dict[str, str]
    wants_identity: bool


def asked(body: dict[str, Any]) -> Asked:
    """Read a PUT. Raises ArmError 400."""
    properties = _object(body.get("properties"), "properties")
    extension_type = properties.get("extensionType")
    if not isinstance(extension_type, str) or not extension_type:
        raise _bad("The property extensionType is required.")
    scope = _object(properties.get("scope") or {"cluster": {}}, "scope")
    if extension_type.lower() == BACKUP_TYPE and scope.get("namespace"):
        raise _bad(f"The extension type {extension_type} can only be installed at cluster scope.")
    version = properties.get("version")
    if version and properties.get("autoUpgradeMinorVersion", True):
        raise _bad("To pin a version, autoUpgradeMinorVersion must be false.")  # documented rule
    return Asked(
        extension_type=extension_type,
        auto_upgrade_minor_version=bool(properties.get("autoUpgradeMinorVersion", True)),
        auto_upgrade_mode=str(properties.get("autoUpgradeMode") or "compatible"),
        release_train=str(properties.get("releaseTrain") or "Stable"),
        version=version or None,
        scope=scope,
        settings=settings_of(properties, "configurationSettings") or {},
        protected_settings=settings_of(properties, "configurationProtectedSettings") or {},
        wants_identity=(body.get("identity") or {}).get("type") == "SystemAssigned",
    )


def settings_of(properties: dict[str, Any], key: str) -> dict[str, str] | None:
    """Settings that were sent, None when they were not. Raises ArmError 400 for values that are not strings."""
    values = properties.get(key)
    if values is None:
        return None
    for name, value in _object(values, key).items():
        if not isinstance(value, str):
            raise _bad(f"The value of {key}['{name}'] must be a string.")
    return dict(values)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"The property {name} must be an object.")
    return value


def _bad(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)
