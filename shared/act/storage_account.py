"""Makes storage accounts that hold backups, and the containers in them, through ARM: the data plane is never used."""

from typing import Any
from urllib.parse import urlsplit

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.errors import InvalidProfileError
from shared.domain.profile import CustomerManagedKey, NetworkRules
from shared.domain.steps import CreateContainer, CreateStorageAccount


def create_storage_account(step: CreateStorageAccount, tenant_id: str) -> ArmCall:
    """Standard general purpose v2, the only kind the extension takes (Extensions REST 2025-03-01), without shared keys
    or public blobs. Raises InvalidProfileError."""
    key = step.customer_managed_key
    body: dict[str, Any] = {
        "location": step.location,
        "tags": dict(step.tags),
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {
            "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": False,
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": True,
            "networkAcls": _network(step.network, step.vault_id, tenant_id),
            **({"encryption": _encryption(key)} if key else {}),
        },
    }
    if key:
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {key.identity_id: {}}}
    return ArmCall("PUT", step.arm_id, api_versions.STORAGE, body, "accepted")


def create_container(step: CreateContainer) -> ArmCall:
    return ArmCall("PUT", step.arm_id, api_versions.STORAGE, {"properties": {"publicAccess": "None"}}, "done")


def _network(rules: NetworkRules, vault_id: str, tenant_id: str) -> dict[str, Any]:
    """Behind a firewall the vault needs a rule of its own beside the trusted services (AKS backup: storage behind a
    firewall). The extension comes from the cluster's own network, which the profile's subnets must name."""
    closed = rules.default_action == "Deny"
    return {
        **({"resourceAccessRules": [{"tenantId": tenant_id, "resourceId": vault_id}]} if closed else {}),
        "bypass": "AzureServices",
        "defaultAction": rules.default_action,
        "ipRules": [{"value": value, "action": "Allow"} for value in rules.ip_rules],
        "virtualNetworkRules": [{"id": subnet_id, "action": "Allow"} for subnet_id in rules.subnet_ids],
    }


def _encryption(key: CustomerManagedKey) -> dict[str, Any]:
    """A key URI without a version follows the key's rotation."""
    uri = urlsplit(key.key_uri)
    parts = [part for part in uri.path.split("/") if part]
    if uri.scheme != "https" or not 2 <= len(parts) <= 3 or parts[0].lower() != "keys":
        raise InvalidProfileError(
            "InvalidKeyUri",
            f"{key.key_uri[:200]!r} is not the URI of a key (https://VAULT.vault.azure.net/keys/NAME).",
            recommended_action="Set the profile's customer_managed_key.key_uri to the key's identifier.",
        )
    named = {"keyname": parts[1], "keyvaulturi": f"https://{uri.netloc}"}
    if len(parts) == 3:
        named["keyversion"] = parts[2]
    return {
        "keySource": "Microsoft.Keyvault",
        "services": {"blob": {"enabled": True, "keyType": "Account"}, "file": {"enabled": True, "keyType": "Account"}},
        "keyvaultproperties": named,
        "identity": {"userAssignedIdentity": key.identity_id},
    }
