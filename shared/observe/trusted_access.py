"""Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings (AKS trusted access page)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.ids import ClusterId
from shared.domain.observed import TrustedAccessBinding
from shared.observe.fields import JsonObject, UnreadableBodyError, at, needed_text, text


async def read_bindings(arm: ArmClient, cluster: ClusterId) -> tuple[TrustedAccessBinding, ...] | None:
    found = await arm.list(f"{cluster.arm_id}/trustedAccessRoleBindings", api_versions.MANAGED_CLUSTERS)
    return None if found is None else tuple(map(parse_binding, found))


def parse_binding(body: JsonObject) -> TrustedAccessBinding:
    """Raises UnreadableBodyError."""
    roles = at(body, "properties", "roles")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise UnreadableBodyError("properties.roles is not a list of strings")
    return TrustedAccessBinding(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        source_id=needed_text(body, "properties", "sourceResourceId"),
        roles=tuple(roles),
        provisioning_state=text(body, "properties", "provisioningState"),
    )
