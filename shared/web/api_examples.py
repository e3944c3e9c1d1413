"""An example of each body, made from its schema and a few names and words that are true to life."""

from collections.abc import Mapping
from typing import Any

_MOMENT = "2026-03-01T04:00:00Z"
_TRUE_TO_LIFE: Mapping[str, Any] = {
    "acknowledgedBy": "ada@contoso.com",
    "actor": "aks-backup-guard",
    "after": "NonCompliant",
    "before": "Compliant",
    "byControl": {"recovery-point-within-rpo": {"Compliant": 117, "NonCompliant": 3}},
    "calls": 34,
    "clusters": 120,
    "code": "UserErrorBackupExtensionNotInstalled",
    "control": "recovery-point-within-rpo",
    "error": "",
    "expires": None,
    "facts": {"latest_recovery_point": "2026-02-26T02:11:09Z", "recovery_point_within": 129600},
    "held": "",
    "holds": "",
    "id": "recovery-point-within-rpo",
    "location": "westeurope",
    "message": "The newest recovery point is 3 days old; the profile promises one within 36 hours.",
    "mode": "enforce",
    "name": "aks-1",
    "no": 3,
    "openAlerts": {"Critical": 1, "Error": 0, "Warning": 2, "Informational": 0},
    "outcome": "Done",
    "profile": "standard",
    "reason": "RecoveryPointTooOld",
    "remaining": ["StartBackup"],
    "remedy": "See the jobs of the backup instance, then back up now.",
    "requestIds": ["5f3c1b9e-8f5e-4c1a-9d55-0f1d6f2f7b11"],
    "resourceGroup": "apps",
    "restorable": "No",
    "restsOn": ["latest_recovery_point", "recovery_point_within"],
    "score": 87.5,
    "severity": "Critical",
    "sources": ["instances", "policies"],
    "status": "NonCompliant",
    "subscriptionId": "00000000-0000-0000-0000-000000000001",
    "subscriptionNames": {"00000000-0000-0000-0000-000000000001": "Production"},
    "team": "payments",
    "title": "The newest good recovery point is as young as promised",
    "yes": 114,
}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """One that the schema allows. `schemas` are those it may refer to; `name` is the property's, where it is one."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, name)
    if "examples" in schema:
        return schema["examples"][0]
    if name in _TRUE_TO_LIFE and _allows(schema, _TRUE_TO_LIFE[name]):
        return _TRUE_TO_LIFE[name]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, name)
    return _by_type(schema, schemas)


def _by_type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: example_of(part, schemas, name) for name, part in schema["properties"].items()}
        case "object":
            keys = schema.get("propertyNames", {}).get("enum", ["payments"])
            return {keys[0]: example_of(schema.get("additionalProperties", {}), schemas)}
        case "array":
            return [example_of(schema["items"], schemas)]
        case "string":
            return _MOMENT if schema.get("format") == "date-time" else ""
        case "boolean":
            return True
        case "integer" | "number":
            return 1
    return None


_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def _allows(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether it is of the schema's type, as far as names that mean different things in different places need that."""
    if "anyOf" in schema:
        return any(_allows(part, value) for part in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if value is None:
        return schema.get("type") == "null"
    if isinstance(value, dict):
        return schema.get("type") == "object" and "properties" not in schema
    if isinstance(value, list):
        return schema.get("type") == "array" and schema["items"].get("type") == "string"
    return schema.get("type") == _TYPES[type(value)]
