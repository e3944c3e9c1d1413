"""Who a cluster is: the identity block of a PUT, and the principals that stand behind it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.providers.container_service.refusals import missing_parameter, refused

if TYPE_CHECKING:
    from simulator.cloud import Cloud


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """`block` is ARM's identity block, empty for a service principal cluster; `owned` are the principals that go
    when the cluster goes."""

    block: dict[str, Any]
    principal_id: str | None
    owned: tuple[str, ...] = ()


class Identities:
    """Principals of clusters. A user-assigned identity keeps its principal whichever cluster uses it."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    def of(self, body: dict[str, Any], name: str) -> ClusterIdentity:
        """The identity a PUT asks for. Raises ArmError for one that AKS does not take."""
        block = body.get("identity") or {}
        kind = block.get("type", "None")
        if kind == "None":
            profile = (body.get("properties") or {}).get("servicePrincipalProfile") or {}
            if profile.get("clientId", "msi") == "msi":
                raise missing_parameter("servicePrincipalProfile")
            return ClusterIdentity({}, None)
        if kind == "SystemAssigned":
            principal = self._cloud.identity.new_principal(name)
            own = {"type": kind, "principalId": principal.object_id, "tenantId": principal.tenant_id}
            return ClusterIdentity(own, principal.object_id, (principal.object_id,))
        if kind == "UserAssigned":
            wanted = list(block.get("userAssignedIdentities") or {})
            if len(wanted) != 1:  # AKS takes exactly one for its control plane
                raise refused(400, "InvalidParameter", "Exactly one user assigned identity is required.")
            principal = self._cloud.managed_identity.principal(wanted[0])
            values = {"clientId": principal.application_id, "principalId": principal.object_id}
            return ClusterIdentity({"type": kind, "userAssignedIdentities": {wanted[0]: values}}, principal.object_id)
        raise refused(400, "InvalidParameter", f"The value of parameter identity.type is invalid: '{kind}'.")
