"""User-assigned identities, and the identity blocks of the resources that have one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError
from simulator.arm.rights import require_linked
from simulator.arm.route import Call, Principal, Route
from simulator.providers.kept import Kept, KeptResources

if TYPE_CHECKING:
    from simulator.cloud import Cloud

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_API_VERSIONS = frozenset({"2018-11-30", "2023-01-31", "2024-11-30"})
_KINDS = {"none", "systemassigned", "userassigned"}


class ManagedIdentity:
    """The provider. An identity that is only named by another resource exists as well (simplification): its principal
    enters the directory when it is first put or named."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._principals: dict[str, Principal] = {}
        self._identities = KeptResources(cloud, IDENTITY_TYPE, _API_VERSIONS, self._body, gone=self._gone)

    def routes(self) -> list[Route]:
        return self._identities.routes()

    def drop_group(self, subscription_id: str, group: str) -> None:
        self._identities.drop_group(subscription_id, group)

    def principal(self, resource_id: str) -> Principal:
        """Who a user-assigned identity is."""
        key = resource_id.lower()
        if key not in self._principals:
            self._principals[key] = self._cloud.identity.new_principal(resource_id.rpartition("/")[2])
        return self._principals[key]

    def block(self, call: Call, name: str, wanted: Any, now: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """ARM's identity block for the one that was sent, None for none; `now` is the block so far. A system-assigned
        identity that is there stays the same, one that is not asked for any more goes. Who assigns an identity needs
        the right to (documented). Raises ArmError 400 and 403."""
        wanted = wanted or {}
        kinds = {each.strip().lower() for each in str(wanted.get("type") or "None").split(",")}
        assigned = wanted.get("userAssignedIdentities") or {}
        if not kinds <= _KINDS or ("userassigned" in kinds) != bool(assigned):
            raise ArmError(400, "InvalidRequestContent", f"The identity type '{wanted.get('type')}' does not fit.")
        for resource_id in assigned:
            require_linked(call, f"{IDENTITY_TYPE}/assign/action", resource_id)
        own = (now or {}).get("principalId")
        if "systemassigned" in kinds:
            own = own or self._cloud.identity.new_principal(name).object_id
        else:
            self.forget(now)
        block: dict[str, Any] = {"type": wanted.get("type")}
        if "systemassigned" in kinds:
            block |= {"principalId": own, "tenantId": self._cloud.identity.tenant_id}
        if assigned:
            block["userAssignedIdentities"] = {each: self._shown(each) for each in assigned}
        return None if kinds == {"none"} else block

    def forget(self, block: Mapping[str, Any] | None) -> None:
        """The system-assigned identity of a resource that is gone goes too."""
        if block is not None and block.get("principalId"):
            self._cloud.identity.remove_principal(block["principalId"])

    def _shown(self, resource_id: str) -> dict[str, str]:
        principal = self.principal(resource_id)
        return {"principalId": principal.object_id, "clientId": principal.application_id}

    def _body(self, kept: Kept) -> dict[str, Any]:
        return kept.body(IDENTITY_TYPE, tenantId=self._cloud.identity.tenant_id, **self._shown(kept.id))

    def _gone(self, kept: Kept) -> None:
        principal = self._principals.pop(kept.id.lower(), None)
        if principal is not None:
            self._cloud.identity.remove_principal(principal.object_id)
