"""The JSON of subscriptions, resource groups, providers and generic resources."""

import json
from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from simulator.arm.errors import ArmError
from simulator.providers.resources.locations import REGIONS
from simulator.providers.resources.models import REGISTRATION_FREE, Group, Subscription, Tracked

_EXTENSIONS = ("microsoft.kubernetesconfiguration",)


def subscription(found: Subscription, tenant_id: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{found.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": found.id,
        "tenantId": tenant_id,
        "displayName": found.display_name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        **({"tags": dict(found.tags)} if found.tags else {}),
    }


def tenant(tenant_id: str) -> dict[str, Any]:
    return {
        "id": f"/tenants/{tenant_id}",
        "tenantId": tenant_id,
        "countryCode": "NL",
        "displayName": "Azure in a box",
        "domains": ["box.onmicrosoft.com"],
        "tenantCategory": "Home",
        "defaultDomain": "box.onmicrosoft.com",
        "tenantType": "AAD",
    }


def location(subscription_id: str, name: str) -> dict[str, Any]:
    display_name, paired = REGIONS[name]
    prefix = f"/subscriptions/{subscription_id}/locations"
    return {
        "id": f"{prefix}/{name}",
        "name": name,
        "type": "Region",
        "displayName": display_name,
        "regionalDisplayName": display_name,
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "pairedRegion": [{"name": paired, "id": f"{prefix}/{paired}"}] if paired else [],
        },
    }


def group(found: Group) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": found.location,
        "properties": {"provisioningState": "Deleting" if found.deleting else "Succeeded"},
    }
    if found.tags:
        body["tags"] = dict(found.tags)
    if found.managed_by is not None:
        body["managedBy"] = found.managed_by
    return body


def deletion_blocked(group: str, refusals: Sequence[tuple[str, ArmError]], tracking_id: str) -> dict[str, Any]:
    """The error of a group's deletion that met resources which cannot go, as users report it."""
    names = ",".join("/".join(resource_id.split("/")[6:]) for resource_id, _ in refusals)
    return {
        "code": "ResourceGroupDeletionBlocked",
        "message": f"Deletion of resource group '{group}' failed as resources with identifiers '{names}' could not be "
        "deleted. The provisioning state of the resource group will be rolled back. The tracking Id is "
        f"'{tracking_id}'. Please check audit logs for more details.",
        "details": [{"target": resource_id, "message": json.dumps(why.body)} for resource_id, why in refusals],
    }


def provider(subscription_id: str | None, namespace: str, types: Mapping[str, Set[str]], state: str) -> dict[str, Any]:
    """`types` come from the routes, so that what is listed is what can be called. Shape recorded."""
    free = namespace.lower() in REGISTRATION_FREE
    places = [] if free else [display_name for display_name, _ in REGIONS.values()]
    prefix = f"/subscriptions/{subscription_id}" if subscription_id else ""
    body: dict[str, Any] = {
        "id": f"{prefix}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": [
            _resource_type(namespace, kind, versions, places) for kind, versions in sorted(types.items())
        ],
        "registrationState": state,
        "registrationPolicy": "RegistrationFree" if free else "RegistrationRequired",
    }
    if not free:  # which applications act for a provider is Microsoft's affair: these ids are made up
        ids = [str(uuid5(NAMESPACE_DNS, f"{namespace.lower()}.{part}")) for part in ("application", "role")]
        body["authorizations"] = [{"applicationId": ids[0], "roleDefinitionId": ids[1]}]
    return body


def _resource_type(namespace: str, kind: str, versions: Set[str], places: list[str]) -> dict[str, Any]:
    stable = sorted((version for version in versions if "preview" not in version), reverse=True)
    extension = namespace.lower() in _EXTENSIONS
    body: dict[str, Any] = {
        "resourceType": kind,
        "locations": places,
        "apiVersions": sorted(versions, reverse=True),
        "capabilities": "SystemAssignedResourceIdentity, SupportsExtension" if extension else "None",
    }
    if stable:
        body["defaultApiVersion"] = stable[0]
    return body


_LISTED = ("kind", "sku", "identity", "managedBy", "plan", "zones")


def resource(found: Tracked) -> dict[str, Any]:
    """An entry of a generic list: what every resource has, without its properties."""
    full = found.body()
    body: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "type": found.type,
        "location": found.location,
    }
    body.update({key: full[key] for key in _LISTED if full.get(key) is not None})
    tags = full.get("tags", found.tags)
    if tags:
        body["tags"] = dict(tags)
    return body
