"""Backup vaults."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import location_is_fixed
from simulator.arm.operations import OperationFailed
from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.data_protection import vault_rules
from simulator.providers.data_protection.models import UserError, Vault
from simulator.providers.data_protection.recovery_points import purge_deleted
from simulator.providers.data_protection.responses import (
    accepted,
    error_object,
    invalid_input,
    not_found,
    page,
    refusal,
)
from simulator.providers.resources.locations import REGIONS, required_location

if TYPE_CHECKING:
    from simulator.cloud import Cloud

VAULT_TYPE = "Microsoft.DataProtection/backupVaults"
# That it is refused is documented, also for soft-deleted instances; the code is assumed.
NOT_EMPTY = UserError(
    "UserErrorBackupVaultNotEmpty",
    "The vault cannot be deleted as it has backup instances or soft-deleted backup instances.",
    ("Delete the backup instances, wait until soft-deleted ones are purged, then delete the vault.",),
)
SETTINGS = (
    "storageSettings",
    "securitySettings",
    "featureSettings",
    "monitoringSettings",
    "costManagementSettings",
)


def vault_body(vault: Vault) -> dict[str, Any]:
    """A vault as recorded: `tags` and `featureSettings` only where they were sent, no eTag."""
    properties = vault.properties
    answered: dict[str, Any] = {
        "provisioningState": vault.provisioning_state,
        "storageSettings": properties["storageSettings"],
        "isVaultProtectedByResourceGuard": vault.guard is not None,
        **{name: value for name, value in properties.items() if name != "storageSettings"},
        "secureScore": vault_rules.secure_score(properties),
        "bcdrSecurityLevel": vault_rules.bcdr_security_level(properties),
        "replicatedRegions": _replicated_regions(vault),
    }
    body: dict[str, Any] = {"location": vault.location}
    if vault.tags is not None:
        body["tags"] = vault.tags
    return body | {
        "identity": vault.identity,
        "properties": answered,
        "id": vault.id,
        "name": vault.name,
        "type": VAULT_TYPE,
    }


def _replicated_regions(vault: Vault) -> list[str]:
    _, paired = REGIONS[vault.location]
    return [paired] if paired is not None and vault_rules.redundancy(vault.properties) == "GeoRedundant" else []


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a caller may set; what the service says by itself is ignored when it is sent back."""
    return {name: value for name, value in (body.get("properties") or {}).items() if name in SETTINGS}


def merged(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that were not sent stay as they are (assumed, for PUT as for PATCH); lists are replaced."""
    after = dict(before)
    for name, value in sent.items():
        nested = isinstance(value, Mapping) and isinstance(after.get(name), Mapping)
        after[name] = merged(after[name], value) if nested else value
    return after


class Vaults:
    """Every vault, by lower-case ARM id."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._vaults: dict[str, Vault] = {}

    def all(self) -> list[Vault]:
        return list(self._vaults.values())

    def by_id(self, vault_id: str) -> Vault | None:
        return self._vaults.get(vault_id.rstrip("/").lower())

    def add(self, vault: Vault) -> None:
        self._vaults[vault.id.lower()] = vault
        self._track(vault)

    def of(self, call: Call) -> Vault:
        """The vault at or above the call's path. Raises 404."""
        vault = self.by_id("/".join(call.request.path.split("/")[:9]))
        if vault is None:
            raise not_found(call, call.params["vault"])
        return vault

    def put(self, call: Call) -> Response:
        existing = self.by_id(call.resource_id)
        body = call.body()
        location = required_location(body, VAULT_TYPE)
        sent = _settings(body)
        self._check(call, existing, location, sent)
        if existing is not None:
            return self._update(call, existing, body, sent)
        identity = self._identity(call.params["vault"], {"type": "None"}, body.get("identity"))
        properties = merged(
            {
                "storageSettings": sent["storageSettings"],
                "securitySettings": {
                    "softDeleteSettings": {"state": "On", "retentionDurationInDays": 14.0},
                    "immutabilitySettings": {"state": "Disabled"},
                },
            },
            sent,
        )
        vault = Vault(
            id=call.resource_id,
            name=call.params["vault"],
            location=location,
            subscription_id=call.params["subscription"],
            resource_group=call.params["group"],
            tags=body.get("tags"),
            identity=identity,
            properties=properties,
        )
        self.add(vault)

        def created() -> None:
            vault.provisioning_state = "Succeeded"

        operation = self._cloud.operations.start(vault.id, location, self._cloud.timings.vault_write, created)
        return Response(201, vault_body(vault), accepted(call, operation, location=False))

    def _check(self, call: Call, existing: Vault | None, location: str, sent: dict[str, Any]) -> None:
        name = call.params["vault"]
        if existing is None and (problem := vault_rules.name_problem(name)) is not None:
            raise invalid_input(call, problem)
        if existing is not None and existing.location != location:
            raise location_is_fixed(name, existing.resource_group, existing.location, location)
        kinds = [store.get("type") for store in sent.get("storageSettings") or ()]
        if (existing is None and not kinds) or not set(kinds) <= set(vault_rules.REDUNDANCY):
            raise invalid_input(call, f"storageSettings must have a type of {', '.join(vault_rules.REDUNDANCY)}.")
        if existing is not None and existing.instances and kinds:
            was = [store.get("type") for store in existing.properties["storageSettings"]]
            if kinds != was:  # assumed: the rule and its code
                text = "The storage type cannot be changed once the vault protects something."
                raise refusal(call, 400, UserError("UserErrorStorageSettingsChangeNotAllowed", text))
        self._check_settings(call, existing, sent)

    def _check_settings(self, call: Call, existing: Vault | None, sent: dict[str, Any]) -> None:
        if (problem := vault_rules.malformed(sent)) is not None:
            raise invalid_input(call, problem)
        before = None if existing is None else existing.properties
        error = vault_rules.refuse_change(before, merged(before or {}, sent), sent, call.api_version)
        if error is not None:
            raise refusal(call, 400, error)

    def _update(self, call: Call, vault: Vault, body: dict[str, Any], sent: dict[str, Any]) -> Response:
        """Assumed: a change of an existing vault is done at once (the SDK takes 200 for PUT and PATCH)."""
        vault.properties = merged(vault.properties, sent)
        if "tags" in body:
            vault.tags = body["tags"]
        if body.get("identity"):
            vault.identity = self._identity(vault.name, vault.identity, body["identity"])
        self._track(vault)
        return Response(200, vault_body(vault))

    def patch(self, call: Call) -> Response:
        vault, body = self.of(call), call.body()
        sent = {name: value for name, value in _settings(body).items() if name != "storageSettings"}
        self._check_settings(call, vault, sent)
        return self._update(call, vault, body, sent)

    def get(self, call: Call) -> Response:
        return Response(200, vault_body(self.of(call)))

    def list_group(self, call: Call) -> Response:
        return page(call, self.in_group(call.params["subscription"], call.params["group"]), vault_body)

    def list_subscription(self, call: Call) -> Response:
        subscription = call.params["subscription"].lower()
        found = [vault for vault in self._vaults.values() if vault.subscription_id.lower() == subscription]
        return page(call, found, vault_body)

    def check_name(self, call: Call) -> Response:
        name = str(call.body().get("name", ""))
        if (problem := vault_rules.name_problem(name)) is not None:
            return Response(200, {"nameAvailable": False, "reason": "Invalid", "message": problem})
        group = f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"
        if self.by_id(f"{group}/providers/{VAULT_TYPE}/{name}") is not None:
            message = f"A vault named {name} exists in this resource group."
            return Response(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Response(200, {"nameAvailable": True})

    def delete(self, call: Call) -> Response:
        vault = self.by_id(call.resource_id)
        if vault is None:
            return Response(204)
        if self.holds_instances(vault):
            raise refusal(call, 400, NOT_EMPTY)

        def deleted() -> None:
            if self.holds_instances(vault):
                raise OperationFailed(error_object(NOT_EMPTY, str(self._cloud.new_uuid())))
            if self._vaults.get(vault.id.lower()) is vault:
                self.forget(vault)

        operation = self._cloud.operations.start(vault.id, vault.location, self._cloud.timings.vault_delete, deleted)
        return Response(202, None, accepted(call, operation, in_vault=False))

    def holds_instances(self, vault: Vault) -> bool:
        """Whether there is anything in it that keeps it from being deleted; soft-deleted instances count."""
        purge_deleted(vault, self._cloud.clock.now())
        return bool(vault.instances or vault.deleted_instances)

    def in_group(self, subscription_id: str, group: str) -> list[Vault]:
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        return [vault for vault in self._vaults.values() if is_within(vault.id, scope)]

    def forget(self, vault: Vault) -> None:
        self._vaults.pop(vault.id.lower(), None)
        self._cloud.resources.forget(vault.id)
        if vault.principal_id is not None:
            self._cloud.identity.remove_principal(vault.principal_id)

    def _identity(self, name: str, before: dict[str, Any], wanted: Mapping[str, Any] | None) -> dict[str, Any]:
        kind = str((wanted or {}).get("type") or "None")
        identity: dict[str, Any] = {"type": kind}
        if "SystemAssigned" in kind:
            known = before.get("principalId") or self._cloud.identity.new_principal(name).object_id
            identity |= {"principalId": known, "tenantId": self._cloud.identity.tenant_id}
        elif before.get("principalId"):
            self._cloud.identity.remove_principal(before["principalId"])
        if wanted and wanted.get("userAssignedIdentities"):
            identity["userAssignedIdentities"] = wanted["userAssignedIdentities"]
        return identity

    def _track(self, vault: Vault) -> None:
        self._cloud.resources.track(vault.id, VAULT_TYPE, vault.location, vault.tags or {}, lambda: vault_body(vault))
