"""Multi-user authorisation: the link of a vault to a resource guard, and what the vault says about it.

REST operations Dpp Resource Guard Proxy - Create Or Update, Get, List, Delete; names of the operations are recorded.
Resource guards themselves and what a linked vault then refuses are not modelled."""

import re
from typing import TYPE_CHECKING, Any

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection.models import ResourceGuardProxy, Vault
from simulator.providers.data_protection.responses import invalid_input, moment, not_found, page
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

PROXY_NAME = "DppResourceGuardProxy"  # recorded: the only name there is
_GUARD = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.DataProtection/resourceGuards/[^/]+"
_VAULT = "Microsoft.DataProtection/backupVaults"
_OPERATIONS = {  # recorded: operation -> the guard's request resource
    f"{_VAULT}/backupInstances/delete": "deleteBackupInstanceRequests",
    f"{_VAULT}/backupResourceGuardProxies/delete": "deleteResourceGuardProxyRequests",
    f"{_VAULT}/write#reduceImmutabilityState": "reduceImmutabilityStateRequests",
    f"{_VAULT}/write#reduceSoftDeleteSecurity": "reduceSoftDeleteSecurityRequests",
    f"{_VAULT}/write#modifyEncryptionSettings": "modifyEncryptionSettingsRequests",
    f"{_VAULT}/backupInstances/stopProtection/action": "stopProtectionRequests",
    f"{_VAULT}/backupInstances/suspendBackups/action": "suspendBackupsRequests",
    f"{_VAULT}/backupInstances/write": "dppModifyPolicy",
    f"{_VAULT}/backupInstances/restore/action": "restoreRequests",
}


class ResourceGuardProxies:
    """The links; each vault has at most one, and is protected by a guard while it has it."""

    def __init__(self, cloud: "Cloud", vaults: Vaults) -> None:
        self._cloud, self._vaults = cloud, vaults

    def put(self, call: Call) -> Response:
        vault, properties = self._vaults.of(call), call.body().get("properties") or {}
        guard = properties.get("resourceGuardResourceId")
        if call.params["proxy"].lower() != PROXY_NAME.lower():
            raise invalid_input(call, f"The only resource guard proxy of a vault is {PROXY_NAME}.")
        if not isinstance(guard, str) or not re.fullmatch(_GUARD, guard, re.IGNORECASE):
            raise invalid_input(call, "resourceGuardResourceId must be the id of a resource guard.")
        self._cloud.resource_graph.told(vault.id)
        vault.guard = ResourceGuardProxy(f"{vault.id}/backupResourceGuardProxies/{PROXY_NAME}", guard, self._now())
        return Response(200, _body(vault.guard))

    def get(self, call: Call) -> Response:
        return Response(200, _body(self._of(call)))

    def list_all(self, call: Call) -> Response:
        guard = self._vaults.of(call).guard
        return page(call, [] if guard is None else [guard], _body)

    def delete(self, call: Call) -> Response:
        """200; 204 when there is none."""
        vault = self._vaults.of(call)
        gone, vault.guard = vault.guard, None
        self._cloud.resource_graph.told(vault.id)
        return Response(204 if gone is None else 200)

    def _of(self, call: Call) -> ResourceGuardProxy:
        vault: Vault = self._vaults.of(call)
        if vault.guard is None or call.params["proxy"].lower() != PROXY_NAME.lower():
            raise not_found(call, call.params["proxy"])
        return vault.guard

    def _now(self) -> str:
        return moment(self._cloud.clock.now())


def _body(proxy: ResourceGuardProxy) -> dict[str, Any]:
    details = [
        {
            "vaultCriticalOperation": operation,
            "defaultResourceRequest": f"{proxy.resource_guard_id}/{request}/default",
        }
        for operation, request in _OPERATIONS.items()
    ]
    properties = {
        "resourceGuardResourceId": proxy.resource_guard_id,
        "resourceGuardOperationDetails": details,
        "lastUpdatedTime": proxy.updated,
    }
    kind = f"{_VAULT}/backupResourceGuardProxies"
    return {"id": proxy.id, "name": PROXY_NAME, "type": kind, "properties": properties}
