"""JSON shapes and errors of Microsoft.Storage.

Assumed as a whole: there is no recording of this provider; shapes follow azure-mgmt-storage 25.3.0."""

from datetime import datetime
from typing import Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.headers import retry_after
from simulator.arm.route import Call
from simulator.providers.storage.models import Account, Container

ACCOUNT_TYPE = "Microsoft.Storage/storageAccounts"
CONTAINER_TYPE = "Microsoft.Storage/storageAccounts/blobServices/containers"
POLL_SECONDS = 17  # assumed: the figure usually seen in this provider's Retry-After


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def account_body(account: Account) -> dict[str, Any]:
    """An account as GET shows it: what was set, and what the service adds."""
    endpoints = {
        service: f"https://{account.name}.{service}.core.windows.net/"
        for service in ("blob", "queue", "table", "file", "dfs", "web")
    }
    keys = {"keyType": "Account", "enabled": True, "lastEnabledTime": moment(account.created)}
    defaults: dict[str, Any] = {
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_0",
        "supportsHttpsTrafficOnly": True,
        "networkAcls": {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"},
        "encryption": {"services": {"file": keys, "blob": keys}, "keySource": "Microsoft.Storage"},
        "accessTier": "Hot",
    }
    body: dict[str, Any] = {
        "sku": {"name": account.sku["name"], "tier": account.sku["name"].split("_")[0]},
        "kind": account.kind,
        "id": account.id,
        "name": account.name,
        "type": ACCOUNT_TYPE,
        "location": account.location,
        "tags": account.tags,
        "properties": {
            **defaults,
            **account.properties,
            "privateEndpointConnections": [],
            "provisioningState": account.provisioning_state,
            "creationTime": moment(account.created),
            "primaryEndpoints": endpoints,
            "primaryLocation": account.location,
            "statusOfPrimary": "available",
        },
    }
    if account.identity is not None:
        body["identity"] = account.identity
    return body


def container_body(container: Container, *, full: bool) -> dict[str, Any]:
    """A container. The answer to PUT has fewer properties than GET and list (assumed from the SDK's examples)."""
    properties: dict[str, Any] = {
        "deleted": False,
        "remainingRetentionDays": 0,
        "defaultEncryptionScope": "$account-encryption-key",
        "denyEncryptionScopeOverride": False,
        "publicAccess": "None",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
        **container.properties,
    }
    if full:
        properties |= {
            "leaseStatus": "Unlocked",
            "leaseState": "Available",
            "lastModifiedTime": moment(container.last_modified),
        }
    return {
        "id": container.id,
        "name": container.name,
        "type": CONTAINER_TYPE,
        "etag": container.etag,
        "properties": properties,
    }


def poll_headers(call: Call, location: str, operation_id: str) -> dict[str, str]:
    """Where to look for the end of a write: this provider has no Azure-AsyncOperation header."""
    path = f"/subscriptions/{call.params['subscription']}/providers/Microsoft.Storage/locations/{location}"
    return {
        "Location": f"{call.request.base_url}{path}/asyncoperations/{operation_id}"
        f"?monitor=true&api-version={call.api_version}",
        "Retry-After": retry_after(call.cloud.clock, POLL_SECONDS),
        "Content-Type": "text/plain; charset=utf-8",
    }


def not_found(call: Call, account: str) -> ArmError:
    return resource_not_found(f"{ACCOUNT_TYPE}/{account}", call.params["group"])
