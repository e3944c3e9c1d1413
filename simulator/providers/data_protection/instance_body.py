"""The shape of a backup instance: what a caller sends, made into what the service answers."""

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.providers.data_protection.models import BackupInstance
from simulator.providers.data_protection.policy_rules import AKS
from simulator.providers.data_protection.responses import moment, user_facing

INSTANCE_TYPE = "Microsoft.DataProtection/backupVaults/backupInstances"
DELETED_TYPE = "Microsoft.DataProtection/backupVaults/deletedBackupInstances"
_CLUSTER = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.ContainerService/managedClusters/[^/]+"
_DATASOURCE = ("resourceID", "resourceUri", "datasourceType", "resourceName", "resourceType", "resourceLocation")
_PARAMETERS = (
    "includedNamespaces",
    "excludedNamespaces",
    "includedResourceTypes",
    "excludedResourceTypes",
    "labelSelectors",
    "backupHookReferences",
)


def normalized(sent: dict[str, Any]) -> dict[str, Any]:
    """The properties as the service keeps them: `resourceID` whichever way it was spelled, and absent selections as
    null (both recorded). Raises ValueError that says what is wrong."""
    if sent.get("objectType") != "BackupInstance":
        raise ValueError("objectType must be BackupInstance.")
    source = _datasource(sent.get("dataSourceInfo"), "Datasource")
    if str(source["datasourceType"]).lower() != AKS.lower():
        raise ValueError(f"The simulator knows no datasource but {AKS}.")
    if not re.fullmatch(_CLUSTER, source["resourceID"], re.IGNORECASE):
        raise ValueError(f"{source['resourceID']} is not the id of a managed cluster.")
    policy = sent.get("policyInfo") or {}
    if not policy.get("policyId"):
        raise ValueError("policyInfo.policyId is required.")
    parameters = policy.get("policyParameters") or {}
    kept: dict[str, Any] = {"friendlyName": sent.get("friendlyName"), "dataSourceInfo": source}
    if sent.get("dataSourceSetInfo"):
        kept["dataSourceSetInfo"] = _datasource(sent["dataSourceSetInfo"], "DatasourceSet")
    kept["policyInfo"] = {
        "policyId": policy["policyId"],
        "policyParameters": {
            "dataStoreParametersList": parameters.get("dataStoreParametersList") or [],
            "backupDatasourceParametersList": [
                _parameters(one) for one in parameters.get("backupDatasourceParametersList") or ()
            ],
        },
    }
    if not any(one.get("resourceGroupId") for one in kept["policyInfo"]["policyParameters"]["dataStoreParametersList"]):
        raise ValueError("dataStoreParametersList must name the snapshot resource group (resourceGroupId).")
    if sent.get("identityDetails"):
        kept["identityDetails"] = sent["identityDetails"]
    return kept


def _datasource(sent: dict[str, Any] | None, object_type: str) -> dict[str, Any]:
    given = dict(sent or {})
    given["resourceID"] = given.pop("resourceId", None) or given.get("resourceID")
    if not given["resourceID"]:
        raise ValueError("dataSourceInfo.resourceID is required.")
    return {name: given[name] for name in _DATASOURCE if name in given} | {"objectType": object_type}


def _parameters(sent: dict[str, Any]) -> dict[str, Any]:
    for name in ("snapshotVolumes", "includeClusterScopeResources"):
        if not isinstance(sent.get(name), bool):
            raise ValueError(f"{name} is required.")
    for name in ("includedNamespaces", "excludedNamespaces", "includedVolumeTypes"):
        if not _listed(sent.get(name), lambda one: isinstance(one, str)):
            raise ValueError(f"{name} must be a list of names.")
    if not _listed(sent.get("backupHookReferences"), _is_reference):
        raise ValueError("backupHookReferences must be a list of {name, namespace}.")
    named = {name: sent.get(name) for name in ("objectType", "includeClusterScopeResources", "snapshotVolumes")}
    volumes = {"includedVolumeTypes": sent["includedVolumeTypes"]} if sent.get("includedVolumeTypes") else {}
    return named | {name: sent.get(name) for name in _PARAMETERS} | volumes


def _listed(value: Any, fits: Callable[[Any], bool]) -> bool:
    return value is None or (isinstance(value, list) and all(fits(one) for one in value))


def _is_reference(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("namespace"), str)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two normalized bodies ask for the same; ids compare without regard to case."""
    return json.dumps(one, sort_keys=True).lower() == json.dumps(other, sort_keys=True).lower()


def instance_body(instance: BackupInstance) -> dict[str, Any]:
    """A backup instance as GET shows it. Assumed: the shape of the error of one that could not be protected."""
    status: dict[str, Any] = {"status": instance.state}
    details: dict[str, Any] = {}
    if instance.error is not None:
        status["status"] = "ConfiguringProtectionFailed"
        status["errorDetails"] = user_facing(instance.error, instance.activity_id)
        details["protectionErrorDetails"] = status["errorDetails"]
    properties = {
        **instance.properties,
        "protectionStatus": status,
        "currentProtectionState": instance.state,
        **details,
        "provisioningState": instance.provisioning_state,
        "objectType": "BackupInstance",
    }
    return {"properties": properties, "id": instance.id, "name": instance.name, "type": INSTANCE_TYPE}


def deleted_body(instance: BackupInstance) -> dict[str, Any]:
    """A soft-deleted instance."""
    body = instance_body(instance)
    deletion = instance.deletion
    assert deletion is not None  # noqa: S101 - a deleted instance has its deletion
    body["properties"] |= {
        "objectType": "DeletedBackupInstance",
        "deletionInfo": {
            "deletionTime": moment(deletion.deleted),
            "billingEndDate": moment(deletion.purge),
            "scheduledPurgeTime": moment(deletion.purge),
            "deleteActivityID": deletion.activity_id,
        },
    }
    return body | {
        "id": instance.id.replace("/backupInstances/", "/deletedBackupInstances/"),
        "type": DELETED_TYPE,
    }
