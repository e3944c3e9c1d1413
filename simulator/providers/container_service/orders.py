"""Clusters made to order: what a person asks of the control endpoint, as the PUT that person would send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.control.fields import BadField, Fields
from simulator.providers.container_service.contents import Contents, named
from simulator.providers.container_service.contents_orders import MOST_NAMESPACES, changed
from simulator.providers.container_service.models import ExtensionTrouble
from simulator.providers.container_service.nodes import asked_pools
from simulator.providers.resources.locations import region_name

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "resource_group": (str,),
    "tags": (dict,),
    "identity": (str,),
    "power": (str,),
    "provisioning_state": (str,),
    "kubernetes_version": (str,),
    "outbound_type": (str,),
    "disk_csi": (bool, type(None)),
    "snapshot_controller": (bool, type(None)),
    "windows_only": (bool,),
    "arm64_only": (bool,),
    "pod_identity": (bool,),
    "namespaces": (int,),
    "settled": (bool,),
    "extension_failure": (str,),
    "extension_failure_times": (int,),
    "container_insights": (str,),
    "contents": (dict, Contents),
    "node_size": (str,),
    "node_count": (int,),
    "node_pools": (list,),
}
_CHOICES = {
    "identity": {"SystemAssigned", "UserAssigned", "ServicePrincipal"},
    "power": {"Running", "Stopped"},
    "provisioning_state": {"Succeeded", "Failed", "Canceled", "Updating", "Upgrading", "Scaling"},
    "extension_failure": {"HelmPostInstallTimeout", "BackoffLimitExceeded", "DNS"},
}


@dataclass(frozen=True, slots=True)
class Order:
    """A cluster that was ordered: its id, the body of its PUT, and what the body cannot say."""

    resource_id: str
    body: dict[str, Any]
    power: str
    outcome: str
    settled: bool
    contents: Contents
    trouble: ExtensionTrouble | None


def order(cloud: "Cloud", location: str, subscription_id: str, overrides: Mapping[str, Any]) -> Order:
    """Read `overrides`. Raises ArmError 400 that names an unknown key or a value that does not fit, BadField for one
    inside `contents` or about the nodes, ArmError 404 for a subscription that is not there."""
    for key, value in overrides.items():
        if key not in _KINDS:
            raise _unfit(f"Unknown override '{key}'. Known: {', '.join(sorted(_KINDS))}.")
        if not isinstance(value, _KINDS[key]) or (isinstance(value, bool) and bool not in _KINDS[key]):
            raise _unfit(f"Override '{key}' does not take {value!r}.")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise _unfit(f"Override '{key}' is '{value}', not one of {', '.join(sorted(_CHOICES[key]))}.")
    if cloud.resources.subscription(subscription_id) is None:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")
    region = region_name(location)
    if region is None:
        raise _unfit(f"The location '{location}' is not known.")
    name = str(overrides.get("name") or f"aks-{cloud.new_uuid().hex[:8]}")
    group = str(overrides.get("resource_group") or f"rg-clusters-{region}")
    root = f"/subscriptions/{subscription_id}/resourceGroups/{group}/providers"
    body: dict[str, Any] = {
        "location": region,
        "tags": dict(overrides.get("tags", {})),
        "properties": _properties(name, overrides),
    }
    identity = overrides.get("identity", "SystemAssigned")
    if identity == "SystemAssigned":
        body["identity"] = {"type": identity}
    elif identity == "UserAssigned":
        own = f"{root}/Microsoft.ManagedIdentity/userAssignedIdentities/id-{name}"
        body["identity"] = {"type": identity, "userAssignedIdentities": {own: {}}}
    else:
        body["properties"]["servicePrincipalProfile"] = {"clientId": str(cloud.new_uuid())}
    trouble = None
    if "extension_failure" in overrides:
        trouble = ExtensionTrouble(overrides["extension_failure"], overrides.get("extension_failure_times", 1))
    return Order(
        resource_id=f"{root}/Microsoft.ContainerService/managedClusters/{name}",
        body=body,
        power=str(overrides.get("power", "Running")),
        outcome=str(overrides.get("provisioning_state", "Succeeded")),
        settled=bool(overrides.get("settled", False)),
        contents=contents_of(overrides),
        trouble=trouble,
    )


def contents_of(overrides: Mapping[str, Any]) -> Contents:
    """What shall be in the cluster: `contents`, read already or as it was sent, and `namespaces`, a number of them.
    Raises BadField."""
    count, given = overrides.get("namespaces"), overrides.get("contents", {})
    if isinstance(given, Contents):
        return given
    if not isinstance(given, dict):
        raise BadField("overrides.contents", "must be an object")
    if count is None:
        return changed(Contents(), Fields(given, "overrides.contents."))
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_NAMESPACES:
        raise _unfit(f"Override 'namespaces' does not take {count!r}.")
    return changed(named(count), Fields(given, "overrides.contents."))


def _properties(name: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {"dnsPrefix": name, "agentPoolProfiles": asked_pools(overrides)}
    drivers = {"disk_csi": "diskCSIDriver", "snapshot_controller": "snapshotController"}
    storage = {
        driver: None if overrides[key] is None else {"enabled": overrides[key]}
        for key, driver in drivers.items()
        if key in overrides
    }
    if storage:
        properties["storageProfile"] = storage
    if "kubernetes_version" in overrides:
        properties["kubernetesVersion"] = overrides["kubernetes_version"]
    if "outbound_type" in overrides:
        properties["networkProfile"] = {"outboundType": overrides["outbound_type"]}
    if workspace := overrides.get("container_insights"):
        config = {"logAnalyticsWorkspaceResourceID": workspace, "useAADAuth": "true"}
        properties["addonProfiles"] = {"omsagent": {"enabled": True, "config": config}}
    if overrides.get("pod_identity"):
        properties["podIdentityProfile"] = {"enabled": True}
    return properties


def _unfit(message: str) -> ArmError:
    return ArmError(400, "InvalidOverride", message)
