"""Key vaults and the secrets that templates write: who may read them, never what is in them.

Source: https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets (ARM's own secrets: values go in, none come out).
Access policies are not modelled: a vault's rights are roles, whatever `enableRbacAuthorization` says."""

import re
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.kept import Kept, KeptResources

if TYPE_CHECKING:
    from simulator.cloud import Cloud

VAULT_TYPE = "Microsoft.KeyVault/vaults"
_READS = f"{VAULT_TYPE}/secrets/getSecret/action"
_API_VERSIONS = frozenset({"2022-07-01", "2023-07-01", "2024-11-01", "2025-05-01", "2026-02-01"})
_SECRETS = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{VAULT_TYPE}/{{name}}/secrets"
_SECRET_NAME = re.compile(r"[A-Za-z0-9-]{1,127}")


class KeyVault:
    """The provider. `own` of a vault holds its secrets by lower-case name."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._vaults = KeptResources(cloud, VAULT_TYPE, _API_VERSIONS, _body, written=self._check)

    def routes(self) -> list[Route]:
        one = _SECRETS + "/{secret}"
        calls = [("GET", _SECRETS, self._list), ("GET", one, self._get), ("PUT", one, self._put)]
        secrets = [Route(method, pattern, _API_VERSIONS, handler) for method, pattern, handler in calls]
        return [*self._vaults.routes(), *secrets]

    def drop_group(self, subscription_id: str, group: str) -> None:
        self._vaults.drop_group(subscription_id, group)

    def resolve(self, vault_name: str, secret: str, principal_id: str) -> str:
        """What becomes of a reference to a secret, in App Service's words: Resolved, VaultNotFound,
        AccessToKeyVaultDenied or SecretNotFound."""
        vault = self._vaults.named(vault_name)
        if vault is None:
            return "VaultNotFound"
        scope = f"{vault.id}/secrets/{secret}"
        if not self._cloud.authorization.allowed(principal_id, _READS, scope, data=True):
            return "AccessToKeyVaultDenied"
        return "Resolved" if secret.lower() in vault.own else "SecretNotFound"

    def _check(self, call: Call, vault: Kept) -> None:
        if not isinstance(vault.properties.get("sku"), dict) or not vault.properties.get("tenantId"):
            raise ArmError(400, "BadRequest", "A vault's properties need sku and tenantId.")  # assumed words
        other = self._vaults.named(vault.name)
        if other is not None and other.id.lower() != vault.id.lower():
            raise ArmError(409, "VaultAlreadyExists", f"The vault name '{vault.name}' is already in use.")

    def _list(self, call: Call) -> Response:
        return Response(200, {"value": list(self._vaults.of(call).own.values())})

    def _get(self, call: Call) -> Response:
        vault, name = self._vaults.of(call), call.params["secret"]
        secret = vault.own.get(name.lower())
        if secret is None:
            raise resource_not_found(f"{VAULT_TYPE}/{vault.name}/secrets/{name}", call.params["group"])
        return Response(200, secret)

    def _put(self, call: Call) -> Response:
        vault, name, properties = self._vaults.of(call), call.params["secret"], call.body().get("properties") or {}
        if not _SECRET_NAME.fullmatch(name) or not isinstance(properties.get("value"), str):
            raise ArmError(400, "BadRequest", "A secret has a name of letters, digits and hyphens, and a value.")
        uri = f"https://{vault.name.lower()}.vault.azure.net:443/secrets/{name}"
        shown = {name: value for name, value in properties.items() if name in ("attributes", "contentType")}
        vault.own[name.lower()] = {
            "id": call.resource_id,
            "name": name,
            "type": f"{VAULT_TYPE}/secrets",
            "location": vault.location,
            "properties": {**shown, "secretUri": uri, "secretUriWithVersion": f"{uri}/{call.cloud.new_uuid().hex}"},
        }
        return Response(200, vault.own[name.lower()])


def _body(vault: Kept) -> dict[str, Any]:
    uri = f"https://{vault.name.lower()}.vault.azure.net/"
    defaults = {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "accessPolicies": []}
    return vault.body(VAULT_TYPE, **{**defaults, **vault.properties}, vaultUri=uri, provisioningState="Succeeded")
